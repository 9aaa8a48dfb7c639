"""Small valid inputs that a campaign begins with, made on the spot from the tests' own helpers."""

from __future__ import annotations

import io
import json
from dataclasses import asdict
from importlib import resources

import numpy as np
import visor_files as visor
from PIL import Image
from roots import clip

from actiseg_data import png
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.masks import PALETTE
from actiseg_data.records import MaskRow
from actiseg_noise.kinds import KIND_SPECS
from actiseg_noise.presets import MANIFESTS
from actiseg_noise.recipe import make_recipe


def seeds(target: str) -> list[bytes]:
    """The first inputs of a target."""
    return {
        "visor_video": _visor_videos,
        "image_sets": _image_sets,
        "records": _records,
        "index_mask": _masks,
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
    entry = {"category": "a", "positive": 1, "class_id": 3, "category_org": "b", "class_id_org": 4}
    return _dumped(
        *documents.values(),
        human,
        {"videos": {"1_a": {"expressions": {"0": noisy}, "objects": {"1": entry}}}},
    )


def _records() -> list[bytes]:
    row = MaskRow(
        *("00000001_P01_01_take_cup", "frame_0000000101", 3, "cup", "dilate", {"radius": 4}),
        *("met", 0.8, 0.801, 0.79, 1234, 1.25),
    )
    folder = json.dumps(row.sequence)
    record = {
        "folder": row.sequence,
        "rows": [row.to_json()],
        "digests": {"a/b.png": "00ff"},
        "clean_digests": ["00ff"],
        "tally": {"items": 4},
        "bystander_ious": [0.9],
    }
    presets = resources.files(MANIFESTS) / "presets" / "smart.json"
    return [
        *_dumped(*(make_recipe(kind, 0.4).to_dict() for kind in KIND_SPECS)),
        *_dumped({"schema": "actiseg/summary/1", "noise": {}}, {"a/b.png": "00ff"}, asdict(row)),
        f"{row.to_json()}\n{row.to_json()}\n".encode(),
        f"\n{folder}\t{json.dumps(record)}\n\n{folder}\t{json.dumps(record)}\n".encode(),
        *_dumped(json.loads(presets.read_bytes())),
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
