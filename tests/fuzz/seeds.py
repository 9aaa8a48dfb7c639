"""Small valid inputs that a campaign begins with, made with the tests' own helpers."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from importlib import resources

import numpy as np
from PIL import Image

from actiseg_data.annotations import png
from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import PALETTE
from actiseg_data.core.manifests import PACKAGE
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.ledger_record import MaskRow, TextRow
from actiseg_data.records.prediction_note import PredictionsNote
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import KIND_SPECS
from actiseg_noise.releases.contents.release_note import NOTE_SCHEMA
from tests.fuzz.layout_targets import make_layout
from tests.fuzz.published_files import make_published_files, read_index
from tests.helpers import visor_files as visor
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.roots import clip

PRESETS = ("smart.json", "actiseg.prompts.json")


def seeds(target: str) -> list[bytes]:
    """Return the first inputs of a target."""
    return {
        "visor_video": _visor_videos,
        "image_sets": _image_sets,
        "records": _records,
        "index_mask": _masks,
        "lexicon": _lexicons,
        "vocabulary": _vocabularies,
        "words": _words,
        "predictions": _predictions,
        "sequence_records": _sequence_records,
        "mask_documents": _mask_documents,
        "kits": _kits,
        "differences": _differences,
        "published": lambda: [read_index()],
        "release_files": _release_files,
        "archives": _archives,
    }[target]()


def _dumped(*documents: object) -> list[bytes]:
    return [json.dumps(document).encode() for document in documents]


def _visor_videos() -> list[bytes]:
    glove = visor.entity("glove", 10, visor.rectangle(5, 5, 40, 30), touches="cup")
    hollow = visor.entity(
        "cup", 10, visor.rectangle(-20, -9.5, 150, 100), visor.rectangle(20, 20, 30, 30)
    )
    small = visor.frame(10, hollow, glove | {"on_which_hand": ["left hand"]})
    far = visor.entity("plate", 20, visor.rectangle(-99_000, 50, 198_000, 3), exhaustive="n")
    return _dumped(
        {"video_annotations": [visor.scene(10), visor.scene(20)]},
        {"video_annotations": [small]},
        {"video_annotations": [visor.frame(20, far, visor.entity("tap", 20))]},
    )


def _image_sets() -> list[bytes]:
    documents = make_image_sets("val", [clip(1), clip(2)])
    human = [visor.human_record(3, 10, 20)]
    noisy = {"exp": "a", "obj_id": "1", "exp_org": "b", "class_id": 3, "class_id_org": 4}
    meant = {"exp": "a cat", "obj_id": [1, "2"], "anno_id": [7, 8]}
    entry = {"category": "a", "positive": 1, "class_id": 3, "category_org": "b", "class_id_org": 4}
    return _dumped(
        *documents.values(),
        human,
        {"videos": {"1_a": {"expressions": {"0": noisy}, "objects": {"1": entry}}}},
        {"videos": {"a": {"expressions": {"0": meant}, "frames": ["00000"], "height": 480}}},
    )


def _records() -> list[bytes]:
    row = MaskRow(
        *("00000001_P01_01_take_cup", "frame_0000000101", 3, "cup", "dilate", {"radius": 4}),
        *("met", 0.8, 0.801, 0.79, 1234, 1.25),
    )
    text = TextRow(
        *("00000001_P01_01_take_cup", 3, "cup", "category", {"flip": "uniform"}, 13, 4, "knife"),
        *("cup, take cup", "knife, take cup", "cup.n.01", "knife.n.01", 0.6),
    )
    folder = json.dumps(row.sequence)
    record = {
        "folder": row.sequence,
        "rows": [row.to_json()],
        "digests": {"a/b.png": "00ff"},
        "clean_digests": {"Annotations_Sparse": ["00ff"]},
        "tally": {"items": 4},
        "bystander_ious": [0.9],
    }
    presets = [resources.files(PACKAGE) / "presets" / name for name in PRESETS]
    return [
        *_dumped(*(make_recipe(kind, 0.4).to_dict() for kind in KIND_SPECS)),
        *_dumped({"schema": "actiseg/summary/1", "noise": {}}, {"a/b.png": "00ff"}, asdict(row)),
        f"{row.to_json()}\n{row.to_json()}\n{text.to_json()}\n".encode(),
        f"\n{folder}\t{json.dumps(record)}\n\n{folder}\t{json.dumps(record)}\n".encode(),
        *_dumped(*(json.loads(of.read_bytes()) for of in presets)),
        *(b"radius=4", b'kinds=["erode"]'),
    ]


def _masks() -> list[bytes]:
    pixels = np.arange(35, dtype=np.uint8).reshape(5, 7) % 4
    grey = Image.fromarray(pixels)
    palette = grey.copy()
    palette.putpalette(PALETTE)
    images = [
        *((palette, {"bits": bits}) for bits in (2, 4, 8)),
        (palette, {"transparency": 0}),
        *((grey, {}), (grey.convert("RGB"), {}), (grey.convert("LA"), {}), (grey.convert("1"), {})),
    ]
    found = [png.encode(pixels, PALETTE)]
    for image, options in images:
        stream = io.BytesIO()
        image.save(stream, "PNG", **options)
        found.append(stream.getvalue())
    return found


def _lexicons() -> list[bytes]:
    whole = load_lexicon().document
    some = [dict(of) for of in whole["classes"] if of["class_id"] in (0, 4, 38, 41, 300)]
    for of in some:
        of["names"], of["sisters"] = of["names"][:5], of["sisters"][:3]
    return _dumped({**whole, "classes": some}, {**whole, "classes": some[:1]})


def _vocabularies() -> list[bytes]:
    return [
        b"cup, mug\nchopping board, board\nknife @ knife.n.01\n",
        b"3: cup, mug # of the user\n7: tap @ faucet.n.01\n",
        b"id,key,instances,category\n0,tap,\"['tap', 'tap:water']\",appliances\n",
        b"class_id,synset,match,why\n0,water_faucet.n.01,exact,what it is\n",
        b",knife,13\ncup,1,\n4,0,2.5\n",
    ]


def _words() -> list[bytes]:
    clips = [kitchen_clip(1), kitchen_clip(2, narration="cut two carrots")]
    lists, prompts, *_, objects = make_image_sets("train", clips).values()
    noisy = json.loads(json.dumps({"list": lists, "prompts": prompts, "objects": objects}))
    for video in noisy["prompts"]["videos"].values():
        for entry in video["expressions"].values():
            entry |= {"exp_org": entry["exp"], "class_id_org": entry["class_id"]}
    for video in noisy["objects"]["videos"].values():
        for entry in video["objects"].values():
            entry |= {"category_org": entry["category"], "class_id_org": entry["class_id"]}
    return _dumped({"list": lists, "prompts": prompts, "objects": objects}, noisy)


def _predictions() -> list[bytes]:
    sequence = clip(1)
    entries = [
        {
            "sequence": sequence.folder,
            "frame": frame,
            "object_id": at,
            "segmentation": {"size": [8, 9], "counts": counts},
        }
        for at, (frame, counts) in enumerate(
            zip(sequence.frames, ("90X1", [10, 20, 42]), strict=True), 1
        )
    ]
    note = PredictionsNote("..", "val_human", "0" * 32, "actiseg 0.1.0", "a model", None)
    protocols = resources.files(PACKAGE) / "protocols.json"
    return [*_dumped(entries, note.to_dict()), protocols.read_bytes()]


def _sequence_records() -> list[bytes]:
    splits = [open_split(make_layout(form).path) for form in ("sa-v documents", "davis", "coco")]
    records = [split.cut_document(SEQUENCES_FILE, split)[0] for split in splits]
    ghost = json.loads(json.dumps(records[0]))
    for entry in ghost["sequences"]:
        entry["objects"]["3"] = entry["objects"]["1"] | {"source_id": "7", "model": "0"}
        entry["layers"].append([entry["frames"][0], 3])
    return _dumped(*records, ghost)


def _mask_documents() -> list[bytes]:
    paths = [
        make_layout("coco").path,
        make_layout("sa-v documents").path / "bear_manual.json",
        make_layout("mevis").path / "train" / "mask_dict.json",
        make_layout("visor").path / "bear.json",
    ]
    return [path.read_bytes() for path in paths]


def _kits() -> list[bytes]:
    return [path.read_bytes() for path in make_published_files().kits]


def _differences() -> list[bytes]:
    made = make_published_files()
    text = {
        "1": {"class_id": 4, "name": "knife"},
        "2": {"class_id": 13, "name": "cup", "prompt": "a"},
    }
    document = json.loads((made.dilated / DIFFERENCES_FILE).read_bytes())
    return _dumped(
        document, document | {"masks": None, "text": dict.fromkeys(document["masks"], text)}
    )


def _release_files() -> list[bytes]:
    author = {"name": "Ada Lace", "orcid": "0000-0002-1825-0097"}
    description = {"title": "Noisy cups", "authors": [author], "version": "1.1.0", "date": None}
    description |= {"url": None, "doi": "10.5281/zenodo.1", "maintenance": "us"}
    note = {
        "schema": NOTE_SCHEMA,
        "description": description,
        "data": "masks",
        "licence": "CC-BY-NC-4.0",
        "frames_licence": None,
        "configurations": ["mixed-40"],
        "changes": {"1.0.0": ["mixed-40: added"]},
    }
    sums = f"{'0' * 64}  release.json\n{'1' * 64} *data/mixed-40/train-0.parquet\n".encode()
    return [
        *_dumped(note),
        sums,
        b"Annotations_Sparse/train/a%3Ab\ta:b\nImageSets/%41.json\tA.json\n",
    ]


def _archives() -> list[bytes]:
    return [path.read_bytes() for path in make_published_files().archives]
