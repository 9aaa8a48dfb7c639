"""VISOR as a layout: which documents belong to a split, and the objects of a document."""

from __future__ import annotations

import copy
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actiseg_data import InputError, open_split
from actiseg_data.core.digests import digest_json
from actiseg_data.layouts.mask_document import DocumentChange
from actiseg_data.layouts.polygon_split import PolygonSplit
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.visor_document import VisorDocument, make_visor_document
from actiseg_data.layouts.visor_json import parse_video
from tests.helpers.visor_files import entity, frame, rectangle
from tests.helpers.visor_folders import make_document, make_folder

PATH = Path("P01_01.json")


def read(document: dict[str, Any]) -> VisorDocument:
    return make_visor_document(document, parse_video(document, PATH), str(PATH))


def make_frames(*frames: dict[str, Any]) -> dict[str, Any]:
    return {"video_annotations": list(frames)}


@pytest.mark.parametrize("folder", ["val", "annotations/val", "."])
def test_documents_are_in_the_root_or_in_folders_of_splits(folder: str, tmp_path: Path) -> None:
    download = make_folder(tmp_path / "download") / "val"
    shutil.move(download, tmp_path / "root" / folder if folder != "." else tmp_path / "root")
    opened = open_split(tmp_path / "root")
    assert isinstance(opened, PolygonSplit)
    assert [sequence.folder for sequence in opened] == ["P01_01", "P01_02"]
    assert opened.name == ("all" if folder == "." else "val")
    prefix = "" if folder == "." else f"{folder}/"
    assert opened.form.mask_documents == (f"{prefix}P01_01.json", f"{prefix}P01_02.json")
    assert recognise_dataset(tmp_path / "root") is not None


def test_a_document_is_a_split_of_its_own(tmp_path: Path) -> None:
    root = make_folder(tmp_path) / "val"
    for opened in (open_split(root / "P01_02.json.gz"), open_split(root, "P01_02")):
        assert (opened.name, [sequence.folder for sequence in opened]) == ("P01_02", ["P01_02"])
    assert open_split(root).name == "val"  # as its folder
    assert len(open_split(root, "train")) == 2
    with pytest.raises(InputError, match="has the split 'P01_02' alone, not 'val'"):
        open_split(root / "P01_02.json.gz", "val")
    with pytest.raises(InputError, match="there is no split 'tset'"):
        open_split(root, "tset")


def test_other_documents_beside_them_are_refused(tmp_path: Path) -> None:
    root = make_folder(tmp_path)
    (root / "val" / "frame_mapping.json").write_text("{}")
    with pytest.raises(InputError, match=r"frame_mapping\.json: is not an annotation file"):
        open_split(root)


def test_objects_are_called_by_their_names(tmp_path: Path) -> None:
    (sequence,) = read(make_document()).sequences
    named = {label.object_id: (label.source_id, label.name) for label in sequence.objects}
    assert named == {
        1: ("cup", "cup"),
        2: ("cup#2", "cup"),
        3: ("glove", "glove"),
        4: ("left hand", "left hand"),
        5: ("plate", "plate"),
        6: ("right hand", "right hand"),
        7: ("tap", "tap"),
    }
    assert sequence.frames == tuple(f"P01_01_frame_{n:010d}" for n in (10, 20, 30))
    places = [(view.frame[-2:], view.objects[0].source_id) for view in sequence.views]
    assert places == [
        *(("10", "cup"), ("10", "plate"), ("10", "right hand")),
        *(("20", "cup"), ("20", "cup#2"), ("20", "left hand")),
        *(("30", "glove"), ("30", "tap")),
    ]
    assert read(make_document()).tally == {"entities_without_polygon": 1}


def test_names_that_are_not_unique_or_no_part_of_a_path() -> None:
    box = rectangle(10, 10, 50, 50)
    names = ("cup", "cup#2", "cup", "crisp/chips", "a\\b", "cup")
    things = [entity(name, n, box) for n, name in enumerate(names)]
    (sequence,) = read(make_frames(frame(1, *things))).sequences
    identities = sorted(label.identity for label in sequence.objects)
    assert identities == ["a%5Cb", "crisp%2Fchips", "cup", "cup#2", "cup#3", "cup#4"]
    with pytest.raises(InputError, match=r"'con' is reserved on Windows \(frame P01_01_frame_"):
        read(make_frames(frame(1, entity("con", 1, box))))
    many = [entity(f"thing {n}", n, box) for n in range(255)]
    with pytest.raises(InputError, match="has 255 objects, more than 254"):
        read(make_frames(frame(1, *many)))


def test_masks_are_filled_even_odd() -> None:
    document = read(make_document())
    (sequence,) = document.sequences
    masks = list(document.iterate_masks(sequence))
    assert {mask.shape for mask in masks} == {(1080, 1920)}
    cup = masks[3]
    assert np.unique(cup).tolist() == [0, 1]
    # Both outlines belong to what is filled: the hole of 200 pixels loses one on each side.
    assert (cup > 0).sum() == 601 * 501 - 199 * 199
    assert cup[450, 450] == 0
    assert masks[6].any() == 0  # the glove is outside of the image


def test_a_frame_that_occurs_twice_is_one_frame() -> None:
    box = rectangle(10, 10, 50, 50)
    document = make_frames(frame(1, entity("cup", 1, box)), frame(1, entity("cup", 1, box)))
    for one in document["video_annotations"]:
        one["image"]["interpolation"] = 1
        del one["annotations"][0]["exhaustive"]
    opened = read(document)
    (sequence,) = opened.sequences
    assert (len(sequence.frames), opened.size) == (1, (480, 854))
    assert [label.identity for label in sequence.objects] == ["cup", "cup#2"]
    assert sorted(opened.positions.values()) == [(0, 0), (1, 0)]


def test_changes_are_written_and_nothing_else() -> None:
    clean = make_document()
    before = copy.deepcopy(clean)
    document = read(clean)
    name = "P01_01_frame_0000000020"
    segment = [[[1.0, 2.0], [3.5, 2.0], [3.0, 9.0]]]
    changes = {
        ("P01_01", name, 2): DocumentChange(segment),
        ("P01_01", name, 4): DocumentChange(None),
        ("P01_01", name, 1): DocumentChange(class_id=77),
    }
    made = document.replace(changes)
    assert clean == before
    expected = copy.deepcopy(before)
    things = expected["video_annotations"][1]["annotations"]
    things[1]["segments"], things[2]["segments"], things[0]["class_id"] = segment, [], 77
    assert json.dumps(made) == json.dumps(expected)
    assert document.replace({}, kept=["P01_02"]) is None


def test_digests_need_no_fill(tmp_path: Path) -> None:
    root = make_folder(tmp_path)
    opened = open_split(root)
    sequence = opened["P01_01"]
    entities = {
        (one["image"]["name"][:-4], thing["name"], number): thing["segments"]
        for one in make_document()["video_annotations"]
        for number, thing in enumerate(one["annotations"])
    }
    digests = opened.digest_masks(sequence)
    assert len(digests) == len(sequence.views) == 8
    assert set(digests) <= {digest_json(segments) for segments in entities.values()}
    pairs = list(opened.iterate_digested(sequence))
    assert [digest for _, digest in pairs] == digests
    assert all(
        (mask == other).all()
        for (mask, _), other in zip(pairs, opened.iterate_masks(sequence), strict=True)
    )
    assert opened.list_shapes(sequence) == [(1080, 1920)] * 8
