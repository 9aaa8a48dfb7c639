"""`prepare_visor` on real VISOR videos: published labels, and values measured elsewhere.

The histograms were made by an independent implementation with OpenCV 5.0 and Pillow 13.0.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.visor_document import fill_polygons
from actiseg_data.layouts.visor_json import FULL, read_video
from actiseg_data.make.prepare.contacts import (
    correct_contacts,
    find_held_entities,
    read_corrections,
)
from actiseg_data.make.prepare.polygon_fills import Fills, paint
from actiseg_data.make.prepare.timeline import read_frame_mapping
from tests.helpers.real_visor import Histogram, Prepared, histogram
from tests.helpers.visor_files import VisorFiles, narration, tree


@pytest.fixture(scope="session")
def human(real_data: Path, validation: Prepared) -> list[dict[str, Any]]:
    """The published entries of the videos at hand."""
    entries = json.loads((real_data / "actionvos/val_human.json").read_text())
    videos = {p.name.partition(".")[0] for p in (real_data / "visor/val").iterdir()}
    return [entry for entry in entries if entry["video"] in videos]


# Golden values

TOASTER = (
    ("00000001_P32_07_open_bread:sandwich", 211,
     {0: 275381, 1: 57960, 2: 14999, 3: 18081, 4: 43499}, {1: 351960, 2: 57960}),
    ("00000001_P32_07_open_bread:sandwich", 542,
     {0: 261160, 1: 74471, 3: 27039, 4: 47250}, {1: 288199, 2: 74471, 3: 47250}),
    ("00000002_P32_07_put_bread:sandwich", 867,
     {0: 227967, 1: 30470, 2: 53414, 3: 17892, 4: 20011, 5: 60166},
     {1: 359439, 2: 6, 3: 30470, 4: 20005}),
    ("00000002_P32_07_put_bread:sandwich", 1316,
     {0: 246836, 1: 43340, 3: 34548, 4: 9086, 5: 76110}, {1: 281321, 2: 52426, 3: 76173}),
    ("00000003_P32_07_close_toaster", 1504,
     {0: 275780, 1: 39462, 2: 21511, 3: 22776, 4: 4170, 5: 46221},
     {1: 319954, 2: 11, 3: 43632, 4: 46323}),
    ("00000003_P32_07_close_toaster", 1566,
     {0: 279274, 1: 42702, 2: 18364, 3: 19681, 4: 4263, 5: 45636},
     {1: 317234, 2: 3, 3: 46965, 4: 45718}),
)  # fmt: skip

CHILLI = (
    ("00000001_P04_26_pick-up_chilli", 177,
     {0: 363402, 1: 15422, 2: 15280, 3: 1045, 4: 7268, 5: 7503}, {1: 378173, 2: 15422, 3: 16325}),
    ("00000001_P04_26_pick-up_chilli", 263,
     {0: 377156, 1: 5402, 2: 13158, 3: 99, 4: 9155, 5: 4950}, {1: 391263, 2: 5400, 3: 13257}),
    ("00000002_P04_26_slice_chilli", 441,
     {0: 350510, 1: 1684, 2: 35250, 3: 1607, 4: 10583, 5: 10286}, {1: 406440, 2: 1714, 4: 1766}),
    ("00000002_P04_26_slice_chilli", 574,
     {0: 351960, 1: 1481, 2: 37702, 3: 1062, 4: 10844, 5: 6871}, {1: 407179, 2: 2190, 4: 551}),
)  # fmt: skip

HUMAN = (
    ("00000004_P01_107_close_fridge", 954,
     {0: 194493, 1: 7232, 2: 192869, 3: 6128, 4: 9198}, {1: 200621, 2: 202067, 3: 7232}),
    ("00000004_P01_107_close_fridge", 992,
     {0: 372662, 1: 14488, 3: 17017, 4: 5753}, {1: 389679, 2: 5753, 3: 14488}),
    ("00000005_P01_107_take_cereal", 1101,
     {0: 172972, 1: 3672, 2: 177020, 3: 10754, 4: 40278, 5: 5224},
     {1: 390269, 2: 3673, 3: 15978}),
    ("00000005_P01_107_take_cereal", 1128,
     {0: 160000, 1: 357, 2: 188001, 3: 8661, 4: 48079, 5: 4822}, {1: 208079, 2: 357, 3: 201484}),
    ("00000005_P01_107_take_cereal", 1155,
     {0: 219172, 1: 43335, 2: 116105, 3: 12367, 4: 17006, 5: 1935},
     {1: 248542, 2: 43338, 3: 118040}),
    ("00000017_P01_107_empty_bottle", 3838,
     {0: 254790, 1: 8129, 2: 28854, 3: 103562, 4: 3344, 5: 11241}, {1: 291637, 3: 118283}),
    ("00000017_P01_107_empty_bottle", 3871,
     {0: 261552, 1: 9302, 2: 30238, 3: 95127, 4: 3767, 5: 9934}, {1: 301009, 3: 108911}),
    ("00000017_P01_107_empty_bottle", 3926,
     {0: 263032, 1: 9940, 2: 32228, 3: 90621, 4: 3481, 5: 10618}, {1: 305092, 3: 104828}),
)  # fmt: skip


@pytest.fixture(scope="session")
def toaster(prepare: Callable[..., Prepared]) -> Prepared:
    return prepare("val", ("P32_07",))


@pytest.fixture(scope="session")
def kitchen(prepare: Callable[..., Prepared]) -> Prepared:
    return prepare("train", ("P01_03",))


@pytest.mark.parametrize(("folder", "frame", "mask", "weights"), TOASTER)
def test_toaster(
    toaster: Prepared, folder: str, frame: int, mask: Histogram, weights: Histogram
) -> None:
    assert toaster.histogram(MASKS, "val", folder, frame) == mask
    assert toaster.histogram(WEIGHTS, "val", folder, frame) == weights


def test_toaster_labels(toaster: Prepared) -> None:
    assert [labels(sequence.objects) for sequence in toaster.split("val").sequences] == [
        {
            "bread package": (26, 1, 0, 1),
            "left hand": (300, 1, 0, 1),
            "right hand": (301, 1, 0, 1),
            "toaster": (186, 1, 0, 1),
        },
        {
            "bread package": (26, 1, 0, 1),
            "left hand": (300, 1, 0, 1),
            "right hand": (301, 1, 0, 1),
            "sandwich bread": (33, 1, 1, 1),
            "toaster": (186, 0, 0, 0),
        },
        {
            "bread package": (26, 0, 0, 0),
            "left hand": (300, 1, 0, 1),
            "right hand": (301, 1, 0, 1),
            "sandwich bread": (33, 0, 0, 0),
            "toaster": (186, 1, 1, 1),
        },
    ]


def labels(objects: Any) -> dict[str, tuple[int, int, int, int]]:
    return {o.name: (o.class_id, o.handbox, o.narration, o.positive) for o in objects}


def test_toaster_at_full_size(real_data: Path) -> None:
    first = read_video(real_data / "visor/val/P32_07.json.gz").frames[0]
    ids = {e.name: i for i, e in enumerate(sorted(first.entities, key=lambda e: e.name), 1)}
    mask = np.zeros(FULL, np.uint8)
    for entity in first.entities:
        paint(mask, fill_polygons(entity.polygons), ids[entity.name])
    assert histogram(mask) == {0: 1392947, 1: 293233, 2: 75874, 3: 91448, 4: 220098}


def test_chilli(prepare: Callable[..., Prepared]) -> None:
    chilli = prepare("train", ("P04_26",))
    for folder, frame, mask, weights in CHILLI:
        assert chilli.histogram(MASKS, "train", folder, frame) == mask
        assert chilli.histogram(WEIGHTS, "train", folder, frame) == weights
    first, second = (labels(s.objects) for s in chilli.split("train").sequences)
    hands = {"left hand": (300, 1, 0, 1), "right hand": (301, 1, 0, 1)}
    assert first == hands | {
        "chilli package": (26, 1, 0, 1),
        "chopping board": (18, 0, 0, 0),
        "knife": (4, 0, 0, 0),
    }
    assert {name: flags[1:] for name, flags in second.items()} == {
        "chilli": (1, 1, 1),
        "chopping board": (1, 0, 1),
        "knife": (1, 0, 1),
        "left hand": (1, 0, 1),
        "right hand": (1, 0, 1),
    }
    assert len(chilli.report.findings["actions_with_fewer_than_2_frames"]) == 1
    assert chilli.report.counts["polygons_outside_image"] == 1


@pytest.mark.parametrize(("folder", "frame", "mask", "weights"), HUMAN)
def test_sequences_of_the_human_list_alone(
    validation: Prepared, folder: str, frame: int, mask: Histogram, weights: Histogram
) -> None:
    assert validation.histogram(MASKS, "val", folder, frame) == mask
    assert validation.histogram(WEIGHTS, "val", folder, frame) == weights


@pytest.mark.parametrize(
    ("split", "frame", "boxes"),
    [
        ("val", "P32_07_frame_0000000211.jpg", [(796, 349, 751, 731)] * 2),
        ("val", "P32_07_frame_0000000542.jpg", [(245, 691, 1199, 389)]),
        ("val", "P32_07_frame_0000000866.jpg", [(1411, 326, 346, 436)] * 2),
        ("val", "P32_07_frame_0000001317.jpg", [(199, 0, 838, 610)]),
        ("val", "P32_07_frame_0000001502.jpg", [(647, 233, 597, 570)] * 2),
        ("val", "P32_07_frame_0000001564.jpg", [(690, 247, 590, 580)] * 2),
        ("train", "P04_26_frame_0000000177.jpg", [(1120, 639, 373, 321)] * 2),
        ("train", "P04_26_frame_0000000264.jpg", [(1172, 746, 195, 267)] * 2),
        ("train", "P04_26_frame_0000000442.jpg", [(1024, 509, 154, 283), (883, 618, 237, 134)]),
        ("train", "P04_26_frame_0000000573.jpg", [(981, 542, 178, 338)]),
        ("val", "P01_107_frame_0000000155.jpg", [(1015, 0, 905, 960)]),
    ],
)
def test_boxes_of_touched_things(
    real_data: Path, split: str, frame: str, boxes: list[tuple[int, int, int, int]]
) -> None:
    video = read_video(real_data / "visor" / split / f"{frame.partition('_frame')[0]}.json.gz")
    corrections = read_corrections(real_data / "visor/hos_corrections.json")
    (found,) = (correct_contacts(f, corrections) for f in video.frames if f.name == frame)
    assert sorted(held.box for held in find_held_entities(found, Fills())) == sorted(boxes)


def test_masks_of_the_published_demo(
    prepare: Callable[..., Prepared], real_data: Path, tmp_path: Path
) -> None:
    """The two frames whose images are at hand: a sequence without a narration row here."""
    files = VisorFiles(tmp_path)
    row = narration(
        0, 2519, 2576, "put-into bag:cereal", video="P01_107", all_noun_classes="[19, 23]"
    )
    demo = prepare("val", ("P01_107",), narrations=[files.write_table("n.csv", [row])])
    folder = "00000001_P01_107_put-into_bag:cereal"
    assert demo.histogram(MASKS, "val", folder, 2521) == {
        0: 336271, 1: 2827, 2: 1494, 3: 5087, 4: 8165, 5: 1493, 6: 16552, 7: 31235, 8: 6796
    }  # fmt: skip
    assert demo.histogram(MASKS, "val", folder, 2559) == {
        0: 337633, 1: 2949, 2: 800, 3: 3303, 4: 3930, 5: 1374, 6: 18107, 7: 34626, 8: 7198
    }  # fmt: skip
    assert demo.split("val").sequences[0].frames == ("frame_0000002521", "frame_0000002559")


def test_published_training_labels(kitchen: Prepared) -> None:
    """P01_03 has the published numbers 220 to 247."""
    sequences = kitchen.split("train").sequences
    assert len(sequences) == 28
    by_number = {219 + s.seq_id: s for s in sequences}
    published = {
        231: ("move_bottle", "bottle+ container- glass- right hand+ soy milk-"),
        236: ("shake_milk:soy", "cup- left hand+ soy milk+ table cloth+"),
        247: ("unfold_bag", "cereal+ cereal bag+ cereal box- left hand+ right hand+"),
    }
    for number, (action, objects) in published.items():
        sequence = by_number[number]
        assert sequence.folder.endswith(f"_P01_03_{action}")
        assert objects == " ".join(f"{o.name}{'-+'[o.positive]}" for o in sequence.objects)
    assert kitchen.report.counts["polygons_outside_image"] == 40


# Agreement with the human-labelled list on all validation videos


def test_all_labelled_sequences_are_written(
    validation: Prepared, human: list[dict[str, Any]]
) -> None:
    written = json.loads((validation.root / "ImageSets/val_human.json").read_text())
    assert len(written) == 72
    assert written == human
    of_list = {each.name: each for each in validation.report.lists}
    assert (of_list["val_human"].absent, of_list["val_human"].left_out) == (281, ())
    assert len(of_list["val_human"].without_narration) == 5
    assert of_list["val_novel"].sequences == 6


def test_derived_labels_agree_with_the_published_ones(
    validation: Prepared, human: list[dict[str, Any]]
) -> None:
    derived = {s.seq_id: s for s in validation.split("val").sequences}
    compared = 0
    for entry in human:
        if entry["seq_id"] not in derived:
            assert entry["video"] in ("P01_107", "P07_103")  # those without narrations here
            continue
        ours = derived[entry["seq_id"]]
        assert [f"{frame}.jpg" for frame in ours.frames] == entry["sparse_frames"]
        assert {
            str(o.object_id): (o.name, o.class_id, o.handbox, o.narration) for o in ours.objects
        } == {
            i: (o["name"], o["class_id"], o["handbox"], o["narration"])
            for i, o in entry["object_classes"].items()
        }
        compared += len(ours.objects)
    assert compared == 371
    assert validation.report.counts["differing_labels"] == 0


def test_boxes_agree_where_there_are_no_narrations(
    prepare: Callable[..., Prepared], human: list[dict[str, Any]], tmp_path: Path
) -> None:
    """The five sequences without a row, with rows made of the list itself."""
    entries = [entry for entry in human if entry["video"] in ("P01_107", "P07_103")]
    rows = [
        narration(n, e["start"], e["end"], video=e["video"], verb=e["verb"], noun=e["noun"])
        for n, e in enumerate(entries)
    ]
    table = VisorFiles(tmp_path).write_table("n.csv", rows)
    made = prepare("val", ("P01_107", "P07_103"), narrations=[table]).split("val").sequences
    assert [{o.name: int(o.handbox) for o in s.objects} for s in made] == [
        {o["name"]: o["handbox"] for o in e["object_classes"].values()} for e in entries
    ]


def test_the_whole_of_the_validation_videos(validation: Prepared) -> None:
    report = validation.report
    assert (report.videos, report.sequences, report.folders) == (15, 495, 500)
    assert report.counts["dropped_frames"] == 233
    assert report.counts["repeated_names"] > 0
    assert report.counts["boxes_cut"] == 2
    for kind in (
        "unknown_videos",
        "unknown_classes",
        "differing_classes",
        "frames_without_mapping",
    ):
        assert report.counts[kind] == 0
    assert set(report.findings["videos_without_narrations"]) == {"P01_107", "P07_103"}
    assert not report.numbering.published
    assert report.numbering.from_lists == 67


def test_numbers_are_unique(validation: Prepared) -> None:
    numbers = [path.name[:8] for path in (validation.root / MASKS / "val").iterdir()]
    assert len(numbers) == len(set(numbers)) == 500
    assert {p.name for p in (validation.root / MASKS / "val").iterdir()} == {
        p.name for p in (validation.root / WEIGHTS / "val").iterdir()
    }


@pytest.mark.parametrize("name", ["val", "val_human", "val_novel"])
def test_masks_are_whole(validation: Prepared, name: str) -> None:
    split = validation.split(name)
    split.read_expressions()
    split.read_objects()
    for sequence in split.sequences[::10]:
        for mask in split.read_masks(sequence):
            assert mask.shape == (480, 854)


def test_weights_are_what_a_plain_reading_gives(kitchen: Prepared, real_data: Path) -> None:
    """Drawn again at full size, step by step, and resampled by Pillow."""
    video = read_video(real_data / "visor/train/P01_03.json.gz")
    frames = {frame.name: frame for frame in video.frames}
    mapping = read_frame_mapping(real_data / "visor/frame_mapping.json.gz")["P01_03"]
    visor_names = {epic: visor for visor, epic in mapping.items()}
    checked = 0
    for sequence in kitchen.split("train").sequences[::3]:
        by_name = {label.name: label for label in sequence.objects}
        for epic in sequence.frames:
            plain = _plain_weights(frames[visor_names[epic]], by_name)
            path = kitchen.root / WEIGHTS / "train" / sequence.folder / f"{epic}.png"
            assert np.array_equal(read_index_mask(path), plain)
            checked += 1
    assert checked > 15


def _plain_weights(frame: Any, labels: dict[str, Any]) -> np.ndarray:
    things = find_held_entities(correct_contacts(frame, {}), Fills())
    weights, touched, boxes = np.zeros(FULL, np.uint8), np.zeros(FULL, bool), np.zeros(FULL, bool)
    for thing in things:
        x, y, width, height = thing.box
        boxes[max(y, 0) : y + height, max(x, 0) : x + width] = True
        touched |= fill_polygons(tuple(np.round(p, 2) for p in thing.polygons)).to_image(FULL)
    for entity in frame.entities:
        shape = fill_polygons(entity.polygons).to_image(FULL)
        label = labels[entity.name]
        if label.narration:
            weights[shape] = 2
        elif (things and not (shape & boxes).any()) or (not things and not label.positive):
            weights[shape] = 3
    if things:
        weights[boxes] *= 2
        weights[(weights == 0) & touched] = 2
    weights[weights == 0] = 1
    return np.asarray(Image.fromarray(weights).resize((854, 480), Image.Resampling.NEAREST))


@pytest.mark.slow
def test_one_worker_and_two_write_the_same(prepare: Callable[..., Prepared]) -> None:
    videos = ("P32_07", "P03_22", "P07_103")
    one = prepare("val", videos)
    two = prepare("val", tuple(reversed(videos)), workers=2)
    assert one.report == two.report
    assert tree(one.root) == tree(two.root)
