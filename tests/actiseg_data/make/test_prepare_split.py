"""`prepare_visor` on small made-up files: what it writes, refuses, and handles and counts."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.image_sets import PROMPT_STYLES
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.prepare import preparation as visor
from actiseg_data.make.prepare import staging
from actiseg_data.make.prepare import video_drawing as draw
from tests.helpers.visor_files import (
    VIDEO,
    VisorFiles,
    entity,
    frame,
    human_record,
    narration,
    rectangle,
    scene,
    tree,
)


@pytest.fixture
def files(tmp_path: Path) -> VisorFiles:
    return VisorFiles(tmp_path)


def load(files: VisorFiles, name: str) -> Any:
    return json.loads((files.out / "ImageSets" / name).read_text())


def histogram(path: Path) -> dict[int, int]:
    return dict(Counter(read_index_mask(path).ravel().tolist()))


# What is written


def test_a_small_split(files: VisorFiles) -> None:
    report = files.prepare()
    split = open_split(files.out, "val")
    assert [s.folder for s in split.sequences] == [
        "00000001_P01_01_take_cup",
        "00000002_P01_01_wash_plate",
    ]
    first, second = split.sequences
    assert first.frames == ("frame_0000000010", "frame_0000000020")
    flags = [(o.name, o.handbox, o.narration, o.positive) for o in first.objects]
    assert flags == [
        ("cup", True, True, True),
        ("plate", False, False, False),
        ("right hand", True, False, True),
    ]
    assert [o.positive for o in second.objects] == [True, True, True]
    assert (report.sequences, report.frames, report.masks, report.objects) == (2, 4, 4, 6)
    assert not any(report.counts.values())


def test_masks_and_weights_of_a_small_split(files: VisorFiles) -> None:
    files.prepare()
    split = open_split(files.out, "val")
    mask = split.read_masks(split.sequences[0])[0]
    assert mask.shape == (480, 854)
    assert (mask[200, 200], mask[100, 700], mask[222, 300], mask[0, 0]) == (1, 2, 3, 0)
    weights = read_index_mask(
        files.out / "Weights_Sparse/val/00000001_P01_01_take_cup/frame_0000000010.png"
    )
    # The held cup of the narration, the plate apart, a positive hand whose fill meets the box.
    assert (weights[200, 200], weights[100, 700], weights[222, 300], weights[0, 0]) == (4, 3, 1, 1)


def test_every_document_is_written(files: VisorFiles) -> None:
    report = files.prepare()
    expected = {"val.json", "val_objects_category.json"}
    expected |= {f"val_meta_expressions_{style}.json" for style in PROMPT_STYLES}
    assert {p.name for p in (files.out / "ImageSets").iterdir()} == expected
    assert list_splits(files.out) == ["val"]
    assert "CC BY-NC 4.0" in (files.out / "LICENSE").read_text()
    assert "NeurIPS 2022" in (files.out / "NOTICE").read_text()
    assert json.loads((files.out / "prepare-val.json").read_text()) == json.loads(
        json.dumps(report.to_dict())
    )
    expressions = load(files, "val_meta_expressions_action.json")["videos"]
    exp = expressions["00000002_P01_01_wash_plate"]["expressions"]["1"]
    assert exp == {"exp": "plate, wash plate", "obj_id": "2", "positive": 1, "class_id": 2}
    assert not list(files.out.glob(".*"))


def test_a_second_split_is_added_and_the_first_stays(files: VisorFiles) -> None:
    files.prepare()
    before = tree(files.out)
    other = VisorFiles(
        files.folder / "more",
        {"P01_02": [scene(10, "P01_02"), scene(20, "P01_02")]},
        [narration(0, 10, 20, video="P01_02")],
    )
    other.folder.mkdir()
    other.prepare(split="train", out=files.out)
    after = tree(files.out)
    assert list_splits(files.out) == ["train", "val"]
    assert {path: after[path] for path in before} == before


def test_validation_drops_unsure_contacts_and_training_does_not(files: VisorFiles) -> None:
    unsure = entity("left hand", 10, rectangle(0, 0, 50, 50), in_contact_object="none-of-the-above")
    files.videos[VIDEO][0]["annotations"].append(unsure)
    report = files.prepare()
    assert report.findings["dropped_frames"] == ("P01_01_frame_0000000010.jpg",)
    assert files.prepare(split="train", out=files.folder / "t").counts["dropped_frames"] == 0
    one, two = (
        histogram(root / f"Weights_Sparse/{split}/00000001_P01_01_take_cup/frame_0000000010.png")
        for root, split in ((files.out, "val"), (files.folder / "t", "train"))
    )
    assert 4 not in one  # no box in a dropped frame
    assert 4 in two


def test_workers_and_order_change_nothing(files: VisorFiles) -> None:
    for number in (2, 3):
        video = f"P01_{number:02d}"
        files.videos[video] = [scene(10, video), scene(20, video)]
        files.rows.append(narration(0, 10, 20, video=video))
    told: list[tuple[int, int]] = []
    files.prepare(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (3, 3)
    files.rows.reverse()
    files.videos = dict(reversed(files.videos.items()))
    for path in files.annotations.iterdir():
        path.unlink()
    files.prepare(out=files.folder / "two", workers=2)
    one, two = tree(files.out), tree(files.folder / "two")
    reports = [json.loads(made.pop("prepare-val.json")) for made in (one, two)]
    for report in reports:  # the order of the rows is part of the bytes that were read
        report.pop("inputs")
    assert reports[0] == reports[1]
    assert one == two


def test_split_folders_below_annotations_are_found(files: VisorFiles) -> None:
    arguments = files.write()
    (files.annotations / "val").mkdir()
    (files.annotations / f"{VIDEO}.json").rename(files.annotations / "val" / f"{VIDEO}.json")
    files.videos = {}
    assert files.prepare(frame_mapping=_whole_mapping(files)).sequences == 2
    assert arguments["split"] == "val"


@pytest.mark.parametrize("place", ["val", "annotations/val"])
def test_annotations_are_found_below_the_folder_of_the_download(
    files: VisorFiles, place: str
) -> None:
    files.write()
    download = files.folder / "download"
    (download / place).parent.mkdir(parents=True)
    (files.annotations).rename(download / place)
    files.videos = {}
    arguments = {"annotations": download, "frame_mapping": _whole_mapping(files)}
    (download / "frame_mapping.json").write_text("{}")
    assert files.prepare(**arguments).sequences == 2


def _whole_mapping(files: VisorFiles) -> Path:
    names = [f"{VIDEO}_frame_{n:010d}.jpg" for n in (10, 20, 30, 40)]
    return files.write_json("m.json", {VIDEO: {n: n.removeprefix(f"{VIDEO}_") for n in names}})


# Human-labelled lists


def test_a_human_list_shares_folders_and_keeps_its_entries(files: VisorFiles) -> None:
    records = [human_record(7, 10, 20), human_record(9, 10, 20, video="P05_05")]
    path = files.write_json("val_human.json", records)
    report = files.prepare(human_labels=[path])
    derived, labelled = (open_split(files.out, name) for name in ("val", "val_human"))
    assert [s.folder for s in derived.sequences] == [
        "00000007_P01_01_take_cup",
        "00000002_P01_01_wash_plate",
    ]
    assert load(files, "val_human.json") == records[:1]
    assert [o.positive for o in derived.sequences[0].objects] == [True, False, True]
    assert [o.positive for o in labelled.sequences[0].objects] == [False, True, True]
    objects = load(files, "val_human_objects_category.json")["videos"]["00000007_P01_01_take_cup"]
    assert objects["objects"]["1"]["positive"] == 0
    assert list_splits(files.out) == ["val", "val_human"]
    (of_list,) = report.lists
    assert (of_list.sequences, of_list.absent, of_list.left_out) == (1, 1, ())
    assert report.numbering.from_lists == 1
    assert not report.numbering.published
    assert report.counts["differing_labels"] == 0


def test_taken_numbers_move_on(files: VisorFiles) -> None:
    path = files.write_json(
        "h.json", [human_record(2, 10, 20, video="P05_05"), human_record(1, 10, 20)]
    )
    report = files.prepare(human_labels=[path])
    assert [r["seq_id"] for r in load(files, "val.json")] == [1, 3]
    assert report.numbering.moved == 1


def test_a_labelled_sequence_without_a_row_stands_in_its_list_only(files: VisorFiles) -> None:
    files.rows = [narration(1, 30, 40, "wash plate")]
    report = files.prepare(human_labels=[files.write_json("h.json", [human_record(5, 10, 20)])])
    assert [r["seq_id"] for r in load(files, "val.json")] == [1]
    labelled = open_split(files.out, "h")
    assert set(np.unique(labelled.read_masks(labelled.sequences[0])[0])) == {0, 1, 2, 3}
    folder = "00000005_P01_01_take_cup"
    weights = histogram(files.out / f"Weights_Sparse/val/{folder}/frame_0000000010.png")
    assert set(weights) == {1, 3, 4}  # the automatic labels: the cup is in the narration
    assert report.lists[0].without_narration == (folder,)
    assert (report.sequences, report.folders) == (1, 2)


def test_only_a_human_list(files: VisorFiles) -> None:
    files.rows = []
    path = files.write_json("h.json", [human_record(5, 10, 20)])
    report = files.prepare(human_labels=[path])
    assert list_splits(files.out) == ["h"]
    assert report.findings["videos_without_narrations"] == (VIDEO,)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sparse_frames": ["frame_0000000010.jpg"]}, "frames"),
        ({"end": 30}, "frames"),
        ({"object_classes": {}}, "objects"),
    ],
)
def test_labelled_sequences_that_do_not_fit_are_left_out(
    files: VisorFiles, changes: dict[str, Any], reason: str
) -> None:
    records = [human_record(7, 10, 20), human_record(8, 10, 20, verb="hold") | changes]
    report = files.prepare(human_labels=[files.write_json("h.json", records)])
    assert len(report.lists[0].left_out) == 1
    assert reason in report.lists[0].left_out[0]
    assert [s.seq_id for s in open_split(files.out, "h").sequences] == [7]
    assert not list(files.out.glob("*/val/00000008*"))


def test_a_list_whose_automatic_labels_differ_is_kept_and_told(files: VisorFiles) -> None:
    record = human_record(7, 10, 20)
    record["object_classes"]["2"]["handbox"] = 1
    report = files.prepare(human_labels=[files.write_json("h.json", [record])])
    assert report.findings["differing_labels"] == ("h: 00000007_P01_01_take_cup",)
    assert load(files, "h.json") == [record]


def test_two_lists_of_the_same_sequence(files: VisorFiles) -> None:
    lists = [files.write_json(f, [human_record(7, 10, 20)]) for f in ("a.json", "b.json")]
    files.prepare(human_labels=lists)
    assert list_splits(files.out) == ["a", "b", "val"]
    assert load(files, "a.json") == load(files, "b.json")


def test_equal_actions_take_the_numbers_of_the_list_in_order(files: VisorFiles) -> None:
    files.rows = [narration(0, 10, 20), narration(1, 10, 20)]
    records = [human_record(8, 10, 20), human_record(6, 10, 20)]
    files.prepare(human_labels=[files.write_json("h.json", records)])
    assert [r["seq_id"] for r in load(files, "val.json")] == [6, 8]


def test_a_polygon_that_is_left_out_changes_nothing_else(files: VisorFiles) -> None:
    files.prepare()
    for thing in files.videos[VIDEO][0]["annotations"]:
        thing["segments"] = [[], *thing["segments"], [[3, 3], [4, 4]]]
    report = files.prepare(out=files.folder / "two")
    assert report.findings["short_polygons"][:2] == (
        "P01_01_frame_0000000010.jpg: plate[0]",
        "P01_01_frame_0000000010.jpg: plate[2]",
    )
    assert report.counts["short_polygons"] == 6
    assert report.counts["entities_without_polygon"] == 0
    one, two = tree(files.out), tree(files.folder / "two")
    assert one.keys() == two.keys()
    assert [path for path in one if one[path] != two[path]] == ["prepare-val.json"]


@pytest.mark.parametrize("text", ["", "  "])
def test_empty_narrations_are_named(files: VisorFiles, text: str) -> None:
    files.rows[1]["narration"] = text
    report = files.prepare()
    assert report.findings["empty_narrations"] == ("00000002_P01_01_wash_plate",)


# Images


@pytest.mark.parametrize(
    "place", ["{video}/{name}", "{name}", "P01/{video}/{name}", "val/P01/{video}/{name}"]
)
def test_images_are_found_resized_and_renamed(files: VisorFiles, place: str) -> None:
    name = f"{VIDEO}_frame_0000000010.jpg"
    path = files.folder / "images" / place.format(video=VIDEO, name=name)
    path.parent.mkdir(parents=True)
    Image.new("RGB", (1920, 1080), (200, 30, 30)).save(path)
    report = files.prepare(images=files.folder / "images")
    folder = files.out / "JPEGImages_Sparse/val/00000001_P01_01_take_cup"
    with Image.open(folder / "frame_0000000010.jpg") as image:
        assert image.size == (854, 480)
        assert abs(image.getpixel((400, 200))[0] - 200) < 5
    assert report.images == 1
    assert report.counts["missing_images"] == 3


def test_images_of_another_size_are_told(files: VisorFiles) -> None:
    images = files.folder / "images"
    images.mkdir()
    Image.new("RGB", (960, 540)).save(images / f"{VIDEO}_frame_0000000010.jpg")
    report = files.prepare(images=images)
    assert report.findings["images_of_another_size"] == ("P01_01_frame_0000000010.jpg: 960 x 540",)


@pytest.mark.parametrize(
    "place", ["{video}/{name}.JPG", "{name}.jpeg", "P01/{video}/{name}.png", "{video}/{name}.PNG"]
)
def test_images_are_found_under_any_ending(files: VisorFiles, place: str) -> None:
    name = f"{VIDEO}_frame_0000000010"
    path = files.folder / "images" / place.format(video=VIDEO, name=name)
    path.parent.mkdir(parents=True)
    kind = "PNG" if path.suffix.lower() == ".png" else "JPEG"
    Image.new("RGB", (1920, 1080), (200, 30, 30)).save(path, kind)
    (path.parent / f"._{path.name}").write_bytes(b"left by a desktop")
    assert files.prepare(images=files.folder / "images").images == 1
    folder = files.out / "JPEGImages_Sparse/val/00000001_P01_01_take_cup"
    with Image.open(folder / "frame_0000000010.jpg") as image:
        assert image.size == (854, 480)
        assert abs(image.getpixel((400, 200))[0] - 200) < 5


def test_images_of_another_aspect_are_refused(files: VisorFiles) -> None:
    images = files.folder / "images"
    images.mkdir()
    Image.new("RGB", (1440, 1080)).save(images / f"{VIDEO}_frame_0000000010.jpg")
    with pytest.raises(InputError, match="1440 x 1080 pixels, but its mask has 854 x 480"):
        files.prepare(images=images)
    assert not files.out.exists()


@pytest.mark.parametrize("data", [b"", b"nothing", "cut"])
def test_damaged_images_are_refused(files: VisorFiles, data: bytes | str) -> None:
    images = files.folder / "images"
    images.mkdir()
    for number in (10, 20):
        path = images / f"{VIDEO}_frame_{number:010d}.jpg"
        Image.effect_noise((640, 360), 90).save(path)
        path.write_bytes(path.read_bytes()[:9000] if isinstance(data, str) else data)
    with pytest.raises(InputError) as caught:
        files.prepare(images=images)
    assert len(caught.value.problems) == 2
    assert not files.out.exists()


# Handled and counted


def _tap(number: int, *polygons: list[list[float]], **more: Any) -> dict[str, Any]:
    return entity("tap", number, *(polygons or [rectangle(5, 5, 90, 90)]), **more)


_BOW = [[0, 0], [90, 90], [90, 0], [0, 90]]


@pytest.mark.parametrize(
    ("kind", "entities"),
    [
        ("repeated_names", [_tap(10, id="a" * 32), _tap(10)]),
        ("entities_without_polygon", [_tap(10) | {"segments": []}]),
        ("entities_without_polygon", [_tap(10) | {"segments": None}]),
        ("entities_without_polygon", [_tap(10, [], [[5, 5], [6, 6]])]),
        ("short_polygons", [_tap(10, rectangle(5, 5, 90, 90), [])]),
        ("short_polygons", [_tap(10, [[5, 5], [6, 6]], rectangle(5, 5, 90, 90))]),
        ("short_polygons", [entity("left hand", 10, [[5, 5]], touches="cup")]),
        ("crossing_polygons", [_tap(10, _BOW)]),
        ("polygons_outside_image", [_tap(10, rectangle(-13, 5, 90, 90))]),
        ("polygons_outside_image", [_tap(10, rectangle(1900, 1000, 30, 81))]),
        ("unknown_classes", [_tap(10, class_id=999)]),
        ("differing_classes", [_tap(10, class_id=13)]),
        ("gloves", [entity("glove", 10, rectangle(0, 0, 9, 9), on_which_hand=None)]),
        (
            "contacts_outside_frame",
            [entity("left hand", 10, rectangle(0, 0, 9, 9), in_contact_object="f" * 32)],
        ),
        (
            "contacts_outside_frame",
            [entity("left hand", 10, rectangle(0, 0, 9, 9), in_contact_object=None)],
        ),
        (
            "boxes_cut",
            [
                entity("tap", 10, rectangle(-2, 50, 90, 90)),
                entity("left hand", 10, rectangle(80, 50, 90, 90), touches="tap"),
            ],
        ),
    ],
)
def test_odd_entities_are_handled_and_counted(
    files: VisorFiles, kind: str, entities: list[dict[str, Any]]
) -> None:
    files.videos[VIDEO][0]["annotations"] += entities
    report = files.prepare()
    assert report.counts[kind] == 1
    assert report.findings[kind][0].startswith("P01_01_frame_0000000010.jpg")
    assert report.to_dict()["findings"][kind]["places"] == list(report.findings[kind])
    assert report.sequences == 2
    split = open_split(files.out, "val")
    for sequence in split.sequences:
        split.read_masks(sequence)


def test_two_entities_of_one_name_have_one_id(files: VisorFiles) -> None:
    twin = entity("cup", 10, rectangle(20, 900, 60, 60), id="a" * 32, class_id=60)
    files.videos[VIDEO][0]["annotations"].append(twin)
    files.prepare()
    split = open_split(files.out, "val")
    mask = split.read_masks(split.sequences[0])[0]
    assert mask[410, 20] == mask[200, 200] == 1
    assert split.sequences[0].objects[0].class_id == 13  # the last one seen, in the second frame


def test_a_contact_whose_box_begins_below_zero_counts(files: VisorFiles) -> None:
    files.videos[VIDEO][0]["annotations"] += [
        entity("tap", 10, rectangle(-2, 50, 90, 90)),
        entity("left hand", 10, rectangle(80, 50, 90, 90), touches="tap"),
    ]
    files.prepare()
    names = {o.name: o.handbox for o in open_split(files.out, "val").sequences[0].objects}
    assert names["tap"]


def test_misspelt_hands_and_corrections(files: VisorFiles) -> None:
    hands = ["left hand", "rigth hand"]
    files.videos[VIDEO][0]["annotations"].append(
        entity("glove", 10, rectangle(0, 0, 9, 9), on_which_hand=hands, touches="cup")
    )
    correction = {f"{VIDEO}_frame_0000000020.jpg": {"right hand": "hand-not-in-contact"}}
    report = files.prepare(hos_corrections=files.write_json("c.json", correction))
    assert report.counts["misspelt_hands"] == report.counts["corrected_contacts"] == 1
    assert report.counts["dropped_frames"] == 1


def test_unknown_videos_and_frames_and_idle_actions(files: VisorFiles) -> None:
    files.write()  # for the mapping of the first video alone
    mapping = json.loads((files.folder / "mapping.json").read_text())
    del mapping[VIDEO][f"{VIDEO}_frame_0000000040.jpg"]
    mapping[VIDEO][f"{VIDEO}_frame_0000000050.jpg"] = "frame_0000000050.jpg"
    files.mapping = mapping | {"P02_02": {"P02_02_frame_0000000010.jpg": "frame_0000000010.jpg"}}
    files.videos |= {v: [scene(10, v)] for v in ("P02_02", "P03_03")}
    empty = [frame(n) for n in (60, 70)]
    files.videos[VIDEO] += empty
    for one in empty:
        name = one["image"]["name"]
        files.mapping[VIDEO][name] = name.removeprefix(f"{VIDEO}_")
    files.rows += [narration(2, 60, 70), narration(3, 41, 42)]
    report = files.prepare()
    found = {kind: places for kind, places in report.findings.items() if places}
    assert found == {
        "unknown_videos": ("P03_03",),
        "videos_without_narrations": ("P02_02",),
        "frames_without_mapping": ("P01_01_frame_0000000040.jpg",),
        "mapped_frames_without_annotation": ("P01_01_frame_0000000050.jpg",),
        "actions_with_fewer_than_2_frames": ("P01_01_1", "P01_01_3"),
        "actions_without_object": ("P01_01_2",),
    }
    assert report.sequences == 1


def test_sequences_without_active_object_are_kept(files: VisorFiles) -> None:
    for one in files.videos[VIDEO][:2]:
        del one["annotations"][1:]
    report = files.prepare()
    assert report.findings["sequences_without_active_object"] == ("00000001_P01_01_take_cup",)


# Refused: nothing of the split remains


def _refused(files: VisorFiles, match: str, **more: Any) -> InputError:
    before = tree(files.folder / "root")
    existed = files.out.exists()
    with pytest.raises(InputError, match=match) as caught:
        files.prepare(**more)
    assert files.out.exists() is existed
    assert tree(files.folder / "root") == before
    return caught.value


@pytest.mark.parametrize("split", ["test", "", "../val", "val_human"])
def test_other_splits_are_refused(files: VisorFiles, split: str) -> None:
    _refused(files, "not a split of VISOR", split=split)


def test_a_split_that_is_there_is_refused(files: VisorFiles) -> None:
    files.prepare()
    _refused(files, "already exists")


def test_a_human_list_that_is_there_is_refused(files: VisorFiles) -> None:
    files.prepare()
    path = files.write_json("val_human.json", [human_record(5, 10, 20)])
    (files.out / "ImageSets/val_human.json").write_text("[]")
    _refused(
        files,
        "val_human.json: the split 'train' already exists",
        split="train",
        human_labels=[path],
    )


def test_a_sequence_under_both_sub_folders_is_refused(files: VisorFiles) -> None:
    files.prepare()
    _refused(files, "has the sequence under val/", split="train")


def test_faulty_files_are_all_listed(files: VisorFiles) -> None:
    files.write()
    (files.annotations / "P08_08.json").write_text("{")
    (files.annotations / "P09_09.json").write_text('{"video_annotations": [3]}')
    refused = _refused(files, "not valid JSON")
    assert len(refused.problems) == 2
    assert len(_refused(files, "not valid JSON", workers=2).problems) == 2


def test_all_faulty_sources_are_listed(files: VisorFiles) -> None:
    absent = files.folder / "absent"
    refused = _refused(
        files, "missing", frame_mapping=absent, narrations=[absent / "n"], noun_classes=absent / "c"
    )
    assert len(refused.problems) == 3


def test_two_files_of_a_video_are_refused(files: VisorFiles) -> None:
    files.write()
    data = (files.annotations / f"{VIDEO}.json").read_bytes()
    (files.annotations / "copy.json").write_bytes(data)
    _refused(files, f"has the video {VIDEO}")


@pytest.mark.parametrize("kind", ["annotations", "images"])
def test_out_inside_an_input_is_refused(files: VisorFiles, kind: str) -> None:
    images = files.folder / "images"
    images.mkdir()
    out = files.folder / kind / "deep" / "root"
    _refused(files, f"inside the {kind} folder", out=out, images=images)
    assert not out.exists()


def test_out_that_is_a_file_is_refused(files: VisorFiles) -> None:
    (files.folder / "taken").write_text("")
    _refused(files, "is a file", out=files.folder / "taken")


@pytest.mark.parametrize("kind", ["annotations", "images"])
def test_absent_folders_are_refused(files: VisorFiles, kind: str) -> None:
    _refused(files, "missing", **{kind: files.folder / "absent"})


def test_a_folder_without_annotations_is_refused(files: VisorFiles) -> None:
    files.videos = {}
    files.annotations.mkdir()
    _refused(files, "has no annotation file .*; it has nothing")
    (files.annotations / "P01_01.zip").write_bytes(b"")
    (files.annotations / "._P01_01.json").write_bytes(b"")
    _refused(files, "is a folder of archives such as P01_01.zip")


def test_what_a_desktop_leaves_among_annotations_is_not_read(files: VisorFiles) -> None:
    files.write()
    for name in ("._P01_01.json", ".DS_Store.json"):
        (files.annotations / name).write_bytes(b"\0\5")
    assert files.prepare().sequences == 2


def test_one_annotation_file_may_stand_for_the_folder(files: VisorFiles) -> None:
    files.write()
    assert files.prepare(annotations=files.annotations / f"{VIDEO}.json").sequences == 2


_COCO = {"images": [{"id": 1, "file_name": "a.jpg"}], "annotations": [], "categories": []}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (_COCO, "is COCO annotations"),
        ([{"image_id": 1, "category_id": 2, "segmentation": []}], "is a list of COCO results"),
        ([human_record(1, 10, 20)], "is an ActionVOS action list"),
    ],
)
def test_documents_of_other_datasets_are_named_once(
    files: VisorFiles, document: Any, said: str
) -> None:
    path = files.write_json("other/instances_val.json", document)
    for given in (path.parent, path):
        (problem,) = _refused(files, said, annotations=given).problems
        assert problem.where == str(path)


def test_other_datasets_in_place_of_annotations_are_named(files: VisorFiles) -> None:
    files.prepare()
    root = files.out.rename(files.folder / "dataset")
    _refused(files, "is an ActionVOS root", annotations=root)
    davis = files.folder / "DAVIS"
    (davis / "Annotations" / "480p" / "bear").mkdir(parents=True)
    _refused(files, "is DAVIS", annotations=davis)
    packed = files.folder / "annotations.zip"
    packed.write_bytes(b"PK")
    _refused(files, "is an archive", annotations=packed)
    notes = files.folder / "notes.txt"
    notes.write_text("notes")
    _refused(files, "neither a folder nor an annotation file", annotations=notes)


def test_images_that_no_frame_has_are_refused_before_the_work(files: VisorFiles) -> None:
    images = files.folder / "rgb"
    images.mkdir()
    (images / "P01_01.zip").write_bytes(b"PK")
    (images / "Thumbs.db").write_bytes(b"")
    _refused(files, r"no image of any frame .*; it has P01_01\.zip\. Hint", images=images)
    assert not files.out.exists()


def test_a_folder_without_images_is_listed_once(
    files: VisorFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = files.folder / "rgb"
    images.mkdir()
    listed: list[Path] = []
    monkeypatch.setattr(
        "actiseg_data.make.prepare.video_drawing.list_photographs",
        lambda folder: listed.append(folder) or {},
    )
    _refused(files, "no image of any frame", images=images)
    assert len(set(listed)) == len(listed) > 1


def test_nothing_to_prepare_is_refused(files: VisorFiles) -> None:
    files.rows = [narration(0, 1, 2)]
    _refused(files, "nothing can be prepared")


def test_a_human_list_of_other_videos_is_refused(files: VisorFiles) -> None:
    path = files.write_json("h.json", [human_record(5, 10, 20, video="P05_05")])
    _refused(files, "1 are of other videos", human_labels=[path])


def test_human_lists_that_clash_are_refused(files: VisorFiles) -> None:
    (files.folder / "b").mkdir()
    lists = [
        files.write_json("a.json", [human_record(5, 10, 20)]),
        files.write_json("b/a.json", [human_record(5, 30, 40)]),
    ]
    refused = _refused(files, "two actions", human_labels=lists)
    assert len(refused.problems) == 2


def test_unsafe_nouns_are_refused(files: VisorFiles) -> None:
    files.rows = [narration(0, 10, 20, noun="../../escape"), narration(1, 30, 40)]
    _refused(files, "path separator")


def test_too_many_objects_are_refused(files: VisorFiles) -> None:
    for one, first in zip(files.videos[VIDEO][:2], (0, 200), strict=True):
        one["annotations"] = [
            entity(f"thing {n}", n, rectangle(5, 5, 9, 9)) for n in range(first, first + 200)
        ]
    _refused(files, "400 objects")
    files.videos[VIDEO][0]["annotations"] *= 2
    _refused(files, "400 entities")


def test_a_failure_in_the_middle_leaves_nothing(
    files: VisorFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def fail(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 5:
            raise OSError(28, "No space left on device", "mask.png")

    monkeypatch.setattr(draw, "write_index_mask", fail)
    _refused(files, "No space left on device")


def test_a_failure_while_publishing_leaves_the_root_as_it_was(
    files: VisorFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.prepare()
    files.videos = {"P01_02": [scene(10, "P01_02"), scene(20, "P01_02")]}
    files.rows = [narration(0, 10, 20, video="P01_02")]
    (files.annotations / f"{VIDEO}.json").unlink()
    replace = os.replace

    def fail(source: Path, target: Path) -> None:
        if Path(target) == files.out / "ImageSets/train.json":
            raise OSError(28, "No space left on device", str(target))
        replace(source, target)

    monkeypatch.setattr("actiseg_data.make.prepare.staging.os.replace", fail)
    _refused(files, "No space left on device", split="train")
    assert list_splits(files.out) == ["val"]


def test_a_stale_partial_folder_is_removed(files: VisorFiles) -> None:
    stale = files.out / ".prepare-val.partial" / "Annotations_Sparse" / "val" / "old"
    stale.mkdir(parents=True)
    files.prepare()
    assert not list(files.out.rglob("old"))
    assert not list(files.out.glob(".*"))


COMPANIONS = ("objects_category", *(f"meta_expressions_{style}" for style in PROMPT_STYLES))


def test_companion_files_that_are_there_are_refused(files: VisorFiles) -> None:
    (files.out / "ImageSets").mkdir(parents=True)
    for name in ("val", "h"):
        for companion in COMPANIONS:
            (files.out / f"ImageSets/{name}_{companion}.json").write_text("precious")
    path = files.write_json("h.json", [human_record(5, 10, 20)])
    refused = _refused(files, "already exists", human_labels=[path])
    assert len(refused.problems) == 2 * len(COMPANIONS)


def test_what_comes_to_be_there_meanwhile_is_kept(
    files: VisorFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = files.out / "ImageSets" / "val_objects_category.json"

    def check(*_: object) -> None:
        mine.parent.mkdir(parents=True)
        mine.write_text("precious")

    monkeypatch.setattr(visor, "check_folders", check)
    with pytest.raises(InputError, match="appeared during the run"):
        files.prepare()
    assert tree(files.out) == {"ImageSets/val_objects_category.json": b"precious"}


class _Killed(BaseException):
    pass


def _kill_at(files: VisorFiles, position: int) -> bool:
    """Prepare; stop before the move of that position without any roll-back. Whether it was."""
    replace, moves = os.replace, []

    def move(source: Path, target: Path) -> None:
        if ".partial" in str(source) and ".partial" not in str(target):
            moves.append(target)
            if len(moves) == position:
                raise _Killed
        replace(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging.os, "replace", move)
        patch.setattr(staging, "_restore_root", lambda *_: None)
        try:
            files.prepare()
        except _Killed:
            return True
    return False


@pytest.mark.parametrize("beside", [False, True])
def test_a_prepare_that_was_killed_is_taken_back_by_the_next(
    files: VisorFiles, beside: bool
) -> None:
    if beside:
        other = VisorFiles(
            files.folder / "more",
            {"P01_02": [scene(10, "P01_02"), scene(20, "P01_02")]},
            [narration(0, 10, 20, video="P01_02")],
        )
        other.folder.mkdir()
        other.prepare(split="train", out=files.out)
    before = files.folder / "before"
    files.out.mkdir(exist_ok=True)
    shutil.copytree(files.out, before)
    files.prepare()
    whole, position = tree(files.out), 0
    while True:
        position += 1
        shutil.rmtree(files.out)
        shutil.copytree(before, files.out)
        if not _kill_at(files, position):
            break
        files.prepare()
        assert tree(files.out) == whole
        assert not list(files.out.glob(".*"))
    assert position > 8


@pytest.mark.parametrize("target", ["../precious", "ImageSets", "Annotations_Sparse/train"])
def test_a_marker_cannot_have_other_files_removed(files: VisorFiles, target: str) -> None:
    files.write_json("precious", 1)
    (files.out / "Annotations_Sparse/train").mkdir(parents=True)
    (files.out / "ImageSets").mkdir()
    marker = {"folders": [], "targets": [target]}
    files.write_json("root/.prepare-val.partial/moves.json", marker)
    _refused(files, "is not a file of a split")
    assert (files.folder / "precious").exists()
