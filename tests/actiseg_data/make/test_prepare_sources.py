"""Narration tables, noun classes, frame mapping, VISOR files: what is read and what is refused."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.visor_json import read_video
from actiseg_data.make.prepare.contacts import read_corrections
from actiseg_data.make.prepare.human_lists import read_human_lists
from actiseg_data.make.prepare.narrations import parse_numbers, read_narrations
from actiseg_data.make.prepare.noun_classes import normalise_name, parse_texts, read_noun_classes
from actiseg_data.make.prepare.timeline import (
    FrameName,
    find_frames_between,
    number,
    read_frame_mapping,
)
from tests.helpers.visor_files import VIDEO, VisorFiles, entity, frame, narration, rectangle, scene


@pytest.fixture
def files(tmp_path: Path) -> VisorFiles:
    return VisorFiles(tmp_path)


def test_tables_are_merged_and_ordered_by_number(files: VisorFiles) -> None:
    one = files.write_table("a.csv", [narration(10, 5, 6), narration(2, 9, 9)])
    two = files.write_table("b.csv", [narration(2, 9, 9), narration(0, 1, 2, video="P01_02")])
    merged = read_narrations([one, two])
    assert [row.narration_id for row in merged[VIDEO]] == ["P01_01_2", "P01_01_10"]
    assert len(merged["P01_02"]) == 1
    assert merged == read_narrations([two, one])


def test_spaces_after_commas_are_tolerated(files: VisorFiles) -> None:
    plain = files.write_table("a.csv", [narration(0, 5, 6, all_noun_classes="[13, 2]")])
    spaced = files.folder / "b.csv"
    lines = plain.read_text().splitlines()
    quoted = [line.replace('"[13, 2]"', "KEEP").replace(",", ", ") for line in lines]
    spaced.write_text("\n".join(quoted).replace("KEEP", '"[13, 2]"'))
    assert read_narrations([spaced]) == read_narrations([plain])


def test_rows_of_one_id_that_differ_are_refused(files: VisorFiles) -> None:
    one = files.write_table("a.csv", [narration(0, 5, 6)])
    two = files.write_table("b.csv", [narration(0, 5, 7)])
    with pytest.raises(InputError, match="P01_01_0 differs"):
        read_narrations([one, two])


@pytest.mark.parametrize(
    "changes",
    [
        {"start_frame": "five"},
        {"start_frame": -1},
        {"start_frame": "5.5"},
        {"stop_frame": "nan"},
        {"noun_class": "1e2"},
        {"all_noun_classes": "[2.5]"},
        {"all_noun_classes": "[2,,3]"},
        {"noun_class": ""},
        {"all_noun_classes": "__import__('os').getcwd()"},
        {"all_noun_classes": "[2"},
        {"all_noun_classes": "['cup']"},
        {"narration_id": "somewhere"},
        {"narration_id": "P02_01_0"},
        {"narration": "take\ncup"},
        {"verb": "take\x1b[31m"},
        {"noun": "cup\u2028"},
    ],
)
def test_faulty_rows_are_refused(files: VisorFiles, changes: dict[str, Any]) -> None:
    rows = [narration(0, 1, 2), narration(1, 5, 6, **changes)]
    with pytest.raises(InputError, match="row 3") as caught:
        read_narrations([files.write_table("a.csv", rows)])
    assert len(caught.value.problems) == 1


def test_all_faulty_tables_are_listed(files: VisorFiles) -> None:
    path = files.folder / "classes.csv"
    path.write_text("id,key\n1,cup\n")
    with pytest.raises(InputError) as caught:
        read_narrations([path, files.folder / "absent.csv"])
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(("text", "numbers"), [("[]", ()), ("[2]", (2,)), ("[ 2,11 ]", (2, 11))])
def test_lists_of_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_numbers(text, "table") == numbers


@pytest.mark.parametrize("text", ["tap", "['tap'", "{'tap'}", "[1]", "[" * 5000, "f('x')"])
def test_what_is_no_list_of_names_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a list of names"):
        parse_texts(text, "table")


def test_noun_classes(files: VisorFiles) -> None:
    classes = read_noun_classes(files.write()["noun_classes"])
    assert normalise_name("container:coffee:bean") == "coffee bean container"
    assert classes.describe_class("left hand", 300) is None
    assert classes.describe_class("left hand", 301) == "differing_classes"
    assert classes.describe_class("left hand", 999) == "unknown_classes"
    assert classes.describe_class("a name nobody listed", 13) is None


def test_a_noun_class_listed_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "classes.csv"
    path.write_text("id,key,instances\n1,cup,\"['cup']\"\n1,tap,\"['tap']\"\nx,tap,\"['tap']\"\n")
    with pytest.raises(InputError) as caught:
        read_noun_classes(path)
    assert len(caught.value.problems) == 2


@pytest.mark.parametrize(
    "document",
    [
        [],
        {VIDEO: []},
        {VIDEO: {"a": 3}},
        {VIDEO: {"a": "frame_1.jpg"}},
        {VIDEO: {"\x1b[31m": "frame_0000000001.jpg"}},
        {VIDEO: {"a": "../frame_0000000001.jpg"}},
        {VIDEO: {"a": "frame_0000000001.jpg", "b": "frame_0000000001.jpg"}},
    ],
)
def test_faulty_frame_mappings_are_refused(files: VisorFiles, document: Any) -> None:
    with pytest.raises(InputError):
        read_frame_mapping(files.write_json("mapping.json", document))


def test_both_ends_of_an_action_belong_to_it() -> None:
    frames = [FrameName(f"frame_{n:010d}", str(n)) for n in (9, 10, 15, 20, 21)]
    assert [f.visor for f in find_frames_between(frames, 10, 20)] == ["10", "15", "20"]
    assert find_frames_between(frames, 22, 30) == ()


def test_numbers() -> None:
    assert number([None] * 3, []) == (1, 2, 3)
    assert number([None, 5, None, None, None], [5, 99]) == (1, 5, 3, 4, 6)
    numbers = number([None, 2, None, None, 1], [1, 2, 3])
    assert len(set(numbers)) == 5


def test_faulty_corrections_are_refused(files: VisorFiles) -> None:
    with pytest.raises(InputError) as caught:
        read_corrections(files.write_json("c.json", {"a": {"left hand": 3}, "b": ["x"]}))
    assert len(caught.value.problems) == 2


def _changed(*path: Any, value: Any) -> dict[str, Any]:
    """A VISOR document of one scene with a value replaced."""
    document = {"info": {}, "video_annotations": [scene(10), scene(20)]}
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    if value is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return document


_ENTITY = ("video_annotations", 1, "annotations", 0)
_IMAGE = ("video_annotations", 1, "image")


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("video_annotations",), KeyError, "'video_annotations' is missing"),
        (("video_annotations",), [], "has no frame"),
        (("video_annotations", 1), 3, "must be an object"),
        ((*_IMAGE, "name"), KeyError, "'name' is missing"),
        ((*_IMAGE, "name"), "../escape.jpg", "path separator"),
        ((*_IMAGE, "name"), f"{VIDEO}_frame_0000000010.jpg", "listed twice"),
        ((*_IMAGE, "image_path"), "../../secret.jpg", "outside the folder"),
        ((*_IMAGE, "image_path"), "/etc/passwd", "an image path must be relative"),
        ((*_IMAGE, "image_path"), "C:/secret.jpg", "an image path must be relative"),
        ((*_ENTITY, "name"), " ", "name is empty"),
        ((*_ENTITY, "name"), "cup\x1b[31m", "control characters"),
        ((*_IMAGE, "video"), "a/b", "path separator"),
        ((*_IMAGE, "video"), "P09_09", "several videos"),
        ((*_ENTITY, "id"), KeyError, "'id' is missing"),
        ((*_ENTITY, "name"), "", "name is empty"),
        ((*_ENTITY, "name"), None, "must be text"),
        ((*_ENTITY, "class_id"), "13", "must be a whole number"),
        ((*_ENTITY, "class_id"), True, "must be a whole number"),
        ((*_ENTITY, "in_contact_object"), 3, "must be text"),
        ((*_ENTITY, "on_which_hand"), [3], "must be text"),
        ((*_ENTITY, "segments"), "x", "must be a list"),
        ((*_ENTITY, "class_id"), 300.5, "must be a whole number"),
        ((*_ENTITY, "class_id"), 1e300, "must be a whole number"),
        ((*_ENTITY, "class_id"), None, "must be a whole number"),
        ((*_ENTITY, "segments", 0), [1, 2, 3, 4, 5, 6.5], "a flat list of numbers, as in COCO"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3]], "2 coordinates, not 1"),
        ((*_ENTITY, "segments", 0), [[1, 2], ["x", 3]], "must be a number"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], [5]], "2 coordinates, not 1"),
        ((*_ENTITY, "segments", 0), [[1], [3], [5]], "2 coordinates, not 1"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], [5, "x"]], "must be a number"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], [5, None]], "must be a number"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], [5, True]], "must be a number"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], 5], "must be a list"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], [5, 10**400]], "ordinary size"),
        ((*_ENTITY, "segments", 0), [[1, 2], [3, 4], [5, 1e6]], "far outside"),
        ((*_ENTITY, "segments", 0), [[0, 0]] * 10_001, "10001 points"),
    ],
)
def test_faulty_annotations_are_refused(
    files: VisorFiles, path: tuple[Any, ...], value: Any, said: str
) -> None:
    written = files.write_json("video.json", _changed(*path, value=value))
    with pytest.raises(InputError, match=said):
        read_video(written)


SQUARE = rectangle(9, 9, 5, 5)


@pytest.mark.parametrize(
    ("segments", "kept", "left_out"),
    [
        ([SQUARE, []], (0,), (1,)),
        ([[], SQUARE, [[5, 5]], [[1, 1], [2, 2]], SQUARE], (1, 4), (0, 2, 3)),
        ([None, SQUARE], (1,), (0,)),
        ([[[1e9, 1e9]], SQUARE], (1,), (0,)),
        ([[]], (), (0,)),
        ([], (), ()),
        (None, (), ()),
        ([[[7, 7]] * 3], (0,), ()),
        ([[]] * 100_000, (), tuple(range(100_000))),
    ],
)
def test_polygons_of_fewer_than_3_points_are_left_out(
    files: VisorFiles, segments: Any, kept: tuple[int, ...], left_out: tuple[int, ...]
) -> None:
    path = files.write_json("video.json", _changed(*_ENTITY, "segments", value=segments))
    read = read_video(path).frames[1].entities[0]
    assert (read.positions, read.left_out) == (kept, left_out)
    assert [polygon.tolist() for polygon in read.polygons] == [segments[at] for at in kept]


def test_whole_numbers_may_be_written_as_floats(files: VisorFiles) -> None:
    path = files.write_json("video.json", _changed(*_ENTITY, "class_id", value=300.0))
    class_id = read_video(path).frames[1].entities[0].class_id
    assert (class_id, type(class_id)) == (300, int)
    plain = files.write_table("a.csv", [narration(0, 5, 6, all_noun_classes="[13, 2]")])
    floats = narration(0, 5, 6, all_noun_classes="[13.0, 2.0]")
    floats |= {"start_frame": "5.0", "stop_frame": " 6.", "noun_class": "13.00"}
    assert read_narrations([files.write_table("b.csv", [floats])]) == read_narrations([plain])
    table = files.folder / "nouns.csv"
    table.write_bytes(b"\xef\xbb\xbf" + b"id,key,instances\r\n13.0,cup,['cup']\r\n")
    assert read_noun_classes(table).ids == {13}


def test_sparse_annotations_that_lack_a_field_are_not_called_dense(files: VisorFiles) -> None:
    frames = [scene(10), scene(20)]
    for thing in frames[1]["annotations"]:
        del thing["exhaustive"]
    path = files.write_json("video.json", {"video_annotations": frames})
    with pytest.raises(InputError, match="'exhaustive' is missing") as caught:
        read_video(path)
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_coordinates_that_are_not_finite_are_refused(files: VisorFiles, number: str) -> None:
    document = json.dumps(_changed(*_ENTITY, "segments", 0, value=[[1, 2], [3, 4], [5, 777]]))
    path = files.folder / "video.json"
    path.write_text(document.replace("777", number))
    with pytest.raises(InputError):
        read_video(path)


def test_all_faults_of_a_file_are_listed_with_their_places(files: VisorFiles) -> None:
    frames = [
        frame(10, entity("cup", 10, [[0, 0], [1]]), entity("tap", 10, rectangle(0, 0, 9, 9))),
        frame(20, entity("cup", 20, rectangle(0, 0, 9, 9), class_id="x", exhaustive=None)),
    ]
    path = files.write_json("video.json", {"video_annotations": frames})
    with pytest.raises(InputError) as caught:
        read_video(path)
    places = [problem.where for problem in caught.value.problems]
    assert len(places) == 3
    assert places[0].endswith("video_annotations[0]: annotations[0]: segments[0][1]")


@pytest.mark.parametrize("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_unparsable_files_are_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "video.json"
    path.write_bytes(data)
    with pytest.raises(InputError):
        read_video(path)


def test_a_compressed_file_reads_the_same_and_a_cut_one_is_refused(files: VisorFiles) -> None:
    plain = files.write_json("video.json", {"video_annotations": [scene(10)]})
    packed = files.folder / "video.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, two = (read_video(path).frames[0] for path in (plain, packed))
    assert [e.name for e in one.entities] == [e.name for e in two.entities]
    assert np.array_equal(one.entities[0].polygons[0], two.entities[0].polygons[0])
    packed.write_bytes(packed.read_bytes()[:-20])
    with pytest.raises(InputError, match="truncated"):
        read_video(packed)


def test_reserved_list_names_are_refused(files: VisorFiles) -> None:
    with pytest.raises(InputError) as caught:
        read_human_lists([files.write_json(f, []) for f in ("val.json", "a_objects_category.json")])
    assert len(caught.value.problems) == 2


def test_the_points_of_all_polygons_of_an_entity_are_bounded(files: VisorFiles) -> None:
    ring = [[n % 1900, n % 1000] for n in range(5000)]
    value = [ring, ring]
    read_video(files.write_json("video.json", _changed(*_ENTITY, "segments", value=value)))
    value.append(ring[:3])
    written = files.write_json("video.json", _changed(*_ENTITY, "segments", value=value))
    with pytest.raises(InputError, match="10003 points, more than 10000"):
        read_video(written)
