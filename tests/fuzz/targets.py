"""Targets of the fuzzer: a target takes any bytes, and raises if a property is broken.

The properties: a reader raises nothing but `InputError`, each of its problems is one printable
line, and accepted values are within the documented ranges.
"""

from __future__ import annotations

import atexit
import io
import json
import tempfile
import warnings
from collections.abc import Callable
from functools import cache
from itertools import islice
from pathlib import Path

import numpy as np
from PIL import Image

from actiseg_data.annotations import png
from actiseg_data.annotations.lexicon import (
    MATCHES,
    Lexicon,
    load_lexicon,
    parse_lexicon,
    read_lexicon,
)
from actiseg_data.annotations.masks import MAX_SIDE, PALETTE, read_index_mask
from actiseg_data.annotations.polygons import fill_closed
from actiseg_data.annotations.sequences import ObjectLabel
from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    parse_json,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.files import encode_json, write_json
from actiseg_data.core.names import check_name
from actiseg_data.layouts import visor_json as visor
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.image_sets import (
    make_record,
    name_expressions_file,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
    read_record,
)
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.referring import parse_referring, read_referring
from actiseg_data.make.prepare.vscos import read_foreground
from actiseg_data.records.ledger_record import parse_ledger_row, read_ledger
from actiseg_data.records.prediction_note import read_predictions_note
from actiseg_data.records.recipe_record import (
    Recipe,
    parse_recipe,
    read_recipe,
)
from actiseg_data.records.split_documents import read_digests, read_summary
from actiseg_eval.predictions.prediction_opening import open_predictions
from actiseg_eval.protocols import parse_protocols
from actiseg_noise.cli.recipe_options import parse_setting
from actiseg_noise.lexicon_builder.decisions import read_decisions
from actiseg_noise.lexicon_builder.vocabulary import read_noun_class_table, read_noun_list
from actiseg_noise.recipes.building import check_recipe, make_recipe
from actiseg_noise.recipes.presets import parse_presets
from actiseg_noise.split.journal import find_records
from actiseg_noise.split.journal import read_record as read_journal
from actiseg_noise.split.text_items import read_text_items
from actiseg_noise.text_noise.choices import read_matrix
from actiseg_noise.text_noise.sequence_words import TextCorruptor
from actiseg_noise.text_noise.text_plan import plan_text
from tests.fuzz.layout_targets import LAYOUT_TARGETS
from tests.fuzz.published_targets import PUBLISHED_TARGETS
from tests.fuzz.reading import accepted
from tests.helpers.roots import clip

FRAME = (108, 192)
"""(H, W) of filled polygons: a tenth of the sides of VISOR's frames, which is far faster."""


@cache
def _scratch() -> Path:
    """Return a folder for the files that readers need; the process removes it when it ends."""
    holder = tempfile.TemporaryDirectory(prefix="actiseg-fuzz-")
    atexit.register(holder.cleanup)
    folder = Path(holder.name)
    (folder / IMAGE_SETS).mkdir()
    return folder


def visor_video(data: bytes) -> None:
    """Read a sparse-annotation document and fill its polygons."""
    path = _scratch() / "video.json"
    path.write_bytes(data)
    video = accepted(lambda: visor.read_video(path))
    if video is None:
        return
    check_name(video.name, "video", "")
    assert len({frame.name for frame in video.frames}) == len(video.frames) > 0
    for frame in video.frames:
        for part in (frame.name, *frame.image_path.split("/")):
            check_name(part, "frame", "")
        assert len(frame.entities) <= visor.MAX_ENTITIES
        for entity in frame.entities:
            for points in entity.polygons:
                assert points.dtype == np.float64
                assert points.shape[1:] == (2,)
                assert 3 <= len(points) <= visor.MAX_POINTS
                assert (np.abs(points) <= visor.MAX_COORDINATE).all()
            assert sum(map(len, entity.polygons)) <= visor.MAX_POINTS
            _fill([points.astype(np.int64) for points in entity.polygons])


def _fill(rings: list[np.ndarray]) -> None:
    patch = fill_closed(rings, FRAME)
    whole = patch.to_image(FRAME)
    assert whole.sum() == patch.mask.sum()
    for ring in rings:  # the outline belongs to the shape
        x, y = ring[((ring >= 0) & (ring < FRAME[::-1])).all(axis=1)].T
        assert whole[y, x].all()


def image_sets(data: bytes) -> None:
    """Read an action list, an expressions file, an objects file or referring expressions."""
    path = _scratch() / IMAGE_SETS / "split.json"
    path.write_bytes(data)
    accepted(lambda: open_split(_scratch(), "split"))  # refused at the latest: there are no masks
    document = accepted(lambda: read_json(path))
    if isinstance(document, list):
        sequences = collect_valid(
            list(Cursor(document, "list").iterate_elements()), read_record, ProblemCollector()
        )
        for sequence in sequences:
            check_name(sequence.folder, "sequence", "")
            for frame in sequence.frames:
                check_name(frame, "frame", "")
            ids = [label.object_id for label in sequence.objects]
            assert len(set(ids)) == len(ids)
            assert all(1 <= object_id <= 255 for object_id in ids)
            assert all(label.name.strip() for label in sequence.objects)
            again = make_record(sequence, flags=True)
            assert read_record(Cursor(json.loads(json.dumps(again)), "list")) == sequence
    top = Cursor(document, "document")
    prompts = accepted(lambda: read_by_folder(top["videos"], "expressions", read_expression))
    entries = accepted(lambda: read_by_folder(top["videos"], "objects", read_object_entry))
    for found in (prompts or {}, entries or {}):
        for folder, items in found.items():
            check_name(folder, "sequence", "")
            assert all(item.object_id in (None, *range(1, 256)) for item in items)
    _check_referring(path)


def _check_referring(path: Path) -> None:
    """Rewrite a document of referring expressions: the clean texts are beside the new ones."""
    document = accepted(lambda: read_referring(path))
    noisy = document and accepted(lambda: document.rewrite({}))
    if not document or noisy is None:
        return
    again = parse_referring(json.loads(encode_json(noisy)), path)
    for old, new in zip(document.sequences, again.sequences, strict=True):
        check_name(old.folder, "sequence", "")
        assert [item.text_org for item in new.expressions] == [
            item.text for item in old.expressions
        ]
        assert [item.object_ids for item in new.expressions] == [
            item.object_ids for item in old.expressions
        ]


def records(data: bytes) -> None:
    """Read a record of a noisy split, a presets document, a journal of unfinished work, or a
    parameter of the command line."""
    path = _scratch() / "1-1.jsonl"
    path.write_bytes(data)
    _recipe(path)
    for row in accepted(lambda: list(read_ledger(path))) or []:
        assert (
            parse_ledger_row(parse_json(row.to_json().encode("utf-8", "surrogatepass"), ""), "")
            == row
        )
    accepted(lambda: read_summary(path))
    accepted(lambda: read_digests(path))
    document = accepted(lambda: read_json(path))
    for preset in accepted(lambda: parse_presets(Cursor(document, "presets"))) or []:
        accepted(lambda noises=preset.noises: check_recipe(Recipe("train", 0, noises), "preset"))
    for place in find_records(_scratch()).values():
        read_journal(place)
    _setting(data.decode(errors="surrogateescape"))


def _recipe(path: Path) -> None:
    recipe = accepted(lambda: read_recipe(path))
    if recipe is None:
        return
    plain = accepted(lambda: check_recipe(recipe, "recipe"))
    if plain is None:
        return
    again = parse_recipe(parse_json(json.dumps(plain.to_dict()).encode(), "recipe"), "recipe")
    assert again == plain
    assert check_recipe(again, "recipe") == plain
    assert again.digest == plain.digest
    for noise in plain.noises:
        assert 0 <= noise.rate <= 1
        # The two zeros are equal, and so must the digests be.
        assert "-0.0" not in json.dumps([noise.rate, dict(noise.parameters)])


def _setting(text: str) -> None:
    found = accepted(lambda: parse_setting(text))
    if found is not None:
        accepted(lambda: make_recipe("boundary", 0.4, parameters=dict([found])))


def lexicon(data: bytes) -> None:
    """Read a lexicon, and draw noise from it."""
    path = _scratch() / "lexicon.json"
    path.write_bytes(data)
    found = accepted(lambda: read_lexicon(path))
    if found is None:
        return
    again = parse_lexicon(json.loads(json.dumps(found.document)), "lexicon")
    assert (again.classes, again.digest) == (found.classes, found.digest)
    labels = [
        ObjectLabel(at, noun.names[0].text, noun.class_id, True, True, True)
        for at, noun in enumerate(islice(found.classes.values(), 6), 1)
    ]
    sequence = clip(1, objects=tuple(labels))
    written = {noun.class_id: set(noun.written) for noun in found.classes.values()}
    for names, flip in (("class", "near"), ("wordnet", "far"), ("class", "supercategory")):
        parameters = {"flip": flip, "names": names, "mix": 0.5}
        recipe = make_recipe("text", 1.0, parameters=parameters, lexicon=found)
        noise = TextCorruptor(recipe, found)
        chosen = noise.choose(noise.find_options(sequence), noise.thresholds).objects
        for label in labels:
            new = chosen.get(label.object_id)
            if new is not None:
                assert 0 <= new.similarity <= 1
                assert (new.class_id == label.class_id) == (new.kind == "within-category")
                assert new.name.text.casefold() != label.name.casefold()
                if names == "class" or new.kind == "category":
                    assert new.name in written[new.class_id]


def vocabulary(data: bytes) -> None:
    """Read what people write: the tables and lists behind a lexicon, and a matrix of flips."""
    path = _scratch() / "table.csv"
    path.write_bytes(data)
    for terms in filter(
        None,
        (accepted(lambda: read_noun_list(path)), accepted(lambda: read_noun_class_table(path))),
    ):
        assert len({term.class_id for term in terms}) == len(terms)
        assert all(0 <= term.class_id < 1 << 31 for term in terms)
        assert all(term.names and all(map(str.strip, term.names)) for term in terms)
    for decision in (accepted(lambda: read_decisions(path)) or {}).values():
        assert decision.match in MATCHES
    known = load_lexicon()
    matrix = accepted(lambda: read_matrix(path, known))
    if matrix is not None:
        accepted(
            lambda: make_recipe("category", 1, parameters={"flip": "matrix", "matrix": matrix})
        )
        for row, weights in matrix.items():
            assert {int(row), *map(int, weights)} <= set(known.classes)
            assert row not in weights
            assert all(0 < weight < 1e12 for weight in weights.values())


def words(data: bytes) -> None:
    """Add noise to a list with its prompts and objects, and compare the audit with the ledger."""
    top = accepted(lambda: parse_json(data, "words"))
    parts = top if isinstance(top, dict) else {}
    clean, noisy = _scratch() / "clean", _scratch() / "noisy"
    names = {
        "list": "train.json",
        "prompts": name_expressions_file("train", "promptaction"),
        "objects": name_objects_file("train"),
    }
    for root in (clean, noisy):
        (root / IMAGE_SETS).mkdir(parents=True, exist_ok=True)
    for part, name in names.items():
        for root in (clean, noisy):
            (root / IMAGE_SETS / name).write_text(json.dumps(parts.get(part)))
    accepted(lambda: read_text_items(clean / IMAGE_SETS, "train", None))
    split = accepted(lambda: open_split(clean, "train", masks=False))
    if split is None:
        return
    known = _few_classes()
    for scope in ("prompt", "both", "narration"):
        recipe = make_recipe("text", 1.0, scope=scope, lexicon=known)
        plan = accepted(lambda recipe=recipe: plan_text(split, recipe, split.sequences, known))
        if plan is None:
            continue
        for name, document in plan.documents.items():
            (noisy / name).write_bytes(document)
        items = accepted(lambda: read_text_items(noisy / IMAGE_SETS, "train", None))
        if items is None:  # such as a prompt in a style that noise rewrites and an audit refuses
            continue
        changed = {(each.sequence, each.object_id) for each in items if each.clean != each.noisy}
        rows = [row for of in plan.rows.values() for row in of if row.object_id is not None]
        if scope != "narration":
            assert changed == {(row.sequence, row.object_id) for row in rows}
        assert all(_plain(row.name) for row in rows)


PREDICTED = (8, 9)
"""(H, W) of the masks of the truth for predictions."""


def predictions(data: bytes) -> None:
    """Read predictions as COCO RLE, the note in a folder of predictions, or protocols."""
    path = _scratch() / "predictions.json"
    path.write_bytes(data)
    note = accepted(lambda: read_predictions_note(path))
    if note is not None:
        write_json(path, note.to_dict())
        assert read_predictions_note(path) == note
        path.write_bytes(data)
    document = accepted(lambda: read_json(path))
    for name, protocol in (
        accepted(lambda: parse_protocols(Cursor(document, "protocols"))) or {}
    ).items():
        assert protocol.name == name
        assert protocol.default_metric_groups
    sequence = clip(1)
    opened = accepted(lambda: open_predictions(path, [sequence]))
    for frame in sequence.frames if opened is not None else ():
        opened.list_missing(sequence, frame)
        found = accepted(lambda frame=frame: opened.read(sequence, frame, PREDICTED))
        if found is not None:
            assert found.shape == PREDICTED
            assert found.ids <= set(range(1, 256))


@cache
def _few_classes() -> Lexicon:
    """Return a small lexicon, in which names are found fast."""
    whole = load_lexicon().document
    few = [of for of in whole["classes"] if of["class_id"] < 60 or of["class_id"] > 299]
    return parse_lexicon(
        {**whole, "classes": [{**of, "names": of["names"][:8]} for of in few]}, "few"
    )


def _plain(text: str) -> bool:
    return text == " ".join(text.split()) != ""


def _by_pillow(data: bytes) -> tuple[str, np.ndarray]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            return image.mode, np.asarray(image)


def index_mask(data: bytes) -> None:
    """Read a mask: our reader agrees with Pillow's, and any pixels survive a file."""
    path = _scratch() / "mask.png"
    path.write_bytes(data)
    foreground = accepted(lambda: read_foreground(path))
    if foreground is not None:
        assert foreground.mask.dtype == np.uint8
        assert foreground.mask.max(initial=0) <= 1
    mask = accepted(lambda: read_index_mask(path))
    if mask is not None:
        assert mask.dtype == np.uint8
        assert min(mask.shape) > 0
        assert max(mask.shape) <= MAX_SIDE
        mode, pixels = _by_pillow(data)
        assert mode in ("P", "L")
        assert np.array_equal(pixels, mask)
    if len(data) > 1:
        width = 1 + data[0] % 64
        pixels = np.frombuffer((data + bytes(width))[: -(-len(data) // width) * width], np.uint8)
        pixels = pixels.reshape(-1, width)[:MAX_SIDE]
        path.write_bytes(png.encode(pixels, PALETTE))
        assert np.array_equal(read_index_mask(path), pixels)


TARGETS: dict[str, Callable[[bytes], None]] = {
    "visor_video": visor_video,
    "image_sets": image_sets,
    "records": records,
    "index_mask": index_mask,
    "lexicon": lexicon,
    "vocabulary": vocabulary,
    "words": words,
    "predictions": predictions,
    **LAYOUT_TARGETS,
    **PUBLISHED_TARGETS,
}
