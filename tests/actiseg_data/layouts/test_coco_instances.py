from __future__ import annotations

import contextlib
import copy
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.coco_instances import (
    CROWDS,
    EMPTY_IMAGES,
    parse_coco_instances,
    read_coco_instances,
)
from actiseg_data.layouts.mask_document import MOST_OBJECTS, DocumentChange
from tests.helpers.mask_documents import damaged, draw_blob, make_coco

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl.*:DeprecationWarning")


@pytest.fixture
def parsed():
    return parse_coco_instances(make_coco(), "made.json")


def load(document, folder):
    """Load a document as its users do."""
    write_json(folder / "instances.json", document)
    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(folder / "instances.json")


def test_images_are_sequences_and_crowds_are_left_alone(parsed):
    assert [sequence.folder for sequence in parsed.sequences] == ["900", "893", "886"]
    sequence = parsed.sequences[0]
    assert sequence.identity == ("900",)
    assert sequence.frames == ("000000000900",)
    labels = [(label.object_id, label.source_id, label.name) for label in sequence.objects]
    assert labels == [
        (1, "4997", "dog"),
        (2, "4998", "person"),
        (3, "4999", "dog"),
        (4, "5000", "person"),
    ]
    assert sequence.objects[0].class_id == 18
    assert all(label.positive and not label.handbox for label in sequence.objects)
    assert [view.objects for view in sequence.views] == [(label,) for label in sequence.objects]
    assert parsed.tally == {CROWDS: 3}
    assert parsed.get_size(sequence) == (37, 53)


def test_masks_are_those_of_pycocotools(parsed, tmp_path):
    users = load(parsed.document, tmp_path)
    for sequence in parsed.sequences:
        masks = list(parsed.iterate_masks(sequence))
        assert len(masks) == len(sequence.views) == 4
        for label, mask in zip(sequence.objects, masks, strict=True):
            expected = users.annToMask(users.anns[int(label.source_id)])
            assert mask.dtype == np.uint8
            assert (mask == label.object_id * expected).all()


def test_a_document_without_changes_stays_as_it_is(parsed):
    assert parsed.replace({}) == make_coco()
    assert list(parsed.replace({})) == list(make_coco())


@given(st.integers(0, 1000), st.sampled_from([0.05, 0.5, 0.95]))
@settings(max_examples=25, deadline=None)
def test_written_masks_are_read_back_by_pycocotools(tmp_path_factory, seed, share):
    """Ragged masks, with holes and single pixels."""
    document = parse_coco_instances(make_coco(), "made.json")
    cut = np.random.default_rng(seed)
    changes, masks = {}, {}
    for sequence in document.sequences[:2]:
        for label in sequence.objects:
            mask = draw_blob(seed + label.object_id, (37, 53)) & (cut.random((37, 53)) < share)
            segment = document.encode(sequence, sequence.frames[0], label, mask)
            key = (sequence.folder, sequence.frames[0], label.object_id)
            changes[key] = DocumentChange(segment, 1 if label.object_id == 2 else None)
            masks[int(label.source_id)] = mask
    noisy = document.replace(changes)
    users = load(noisy, tmp_path_factory.mktemp("coco"))
    before = {entry["id"]: entry for entry in document.document["annotations"]}
    assert [entry["id"] for entry in noisy["annotations"]] == list(before)
    for entry in noisy["annotations"]:
        clean = before[entry["id"]]
        assert list(entry) == list(clean)
        assert entry["note"] == clean["note"]
        mask = masks.get(entry["id"])
        if mask is None:
            assert entry is clean
            continue
        assert (users.annToMask(entry) == mask).all()
        runs = users.annToRLE(entry)
        assert entry["area"] == float(mask.sum()) == coco_masks.area(runs)
        assert entry["bbox"] == coco_masks.toBbox(runs).tolist()
        assert isinstance(entry["area"], float)
        if mask.any():
            assert describe_form(entry["segmentation"]) == describe_form(clean["segmentation"])
        assert entry["category_id"] == (1 if entry["id"] in RECLASSED else clean["category_id"])
    again = parse_coco_instances(noisy, "noisy.json")
    for sequence in again.sequences[:2]:
        for label, mask in zip(sequence.objects, again.iterate_masks(sequence), strict=True):
            assert ((mask > 0) == masks[int(label.source_id)]).all()


RECLASSED = frozenset((4998, 4988))
"""The second object of two images, which becomes a person."""


def describe_form(segment):
    if isinstance(segment, list):
        return "polygons"
    return list(segment), type(segment["counts"])


def test_masks_can_be_removed_and_images_left_out(parsed):
    changes = {("900", "000000000900", 1): DocumentChange(None)}
    noisy = parsed.replace(changes, {"900", "886"})
    assert [image["id"] for image in noisy["images"]] == [900, 886]
    ids = [entry["id"] for entry in noisy["annotations"]]
    assert ids == [5000, 4999, 4998, 4996, 4980, 4979, 4978, 4977, 4976]  # with the crowds
    assert noisy["info"] == parsed.document["info"]


def test_a_blank_mask_of_a_polygon_becomes_rle(parsed):
    sequence = parsed.sequences[0]
    label = sequence.objects[3]
    segment = parsed.encode(sequence, sequence.frames[0], label, np.zeros((37, 53), bool))
    assert segment == {
        "size": [37, 53],
        "counts": coco_masks.encode(np.zeros((37, 53), np.uint8, order="F"))["counts"].decode(),
    }
    changes = {("900", sequence.frames[0], 4): DocumentChange(segment)}
    entry = next(e for e in parsed.replace(changes)["annotations"] if e["id"] == 5000)
    assert (entry["area"], entry["bbox"]) == (0.0, [0.0] * 4)


def test_polygons_without_an_area_are_accepted():
    """As annotation 918 of COCO 2017, and as pycocotools does."""
    document = make_coco(1)
    flat = [296.65, 38.33, 296.65, 38.33, 297.68, 38.33, 297.68, 38.33]
    document["annotations"][0]["segmentation"] = [flat]
    parsed = parse_coco_instances(document, "made.json")
    assert not list(parsed.iterate_masks(parsed.sequences[0]))[3].any()


def test_an_image_of_many_objects_is_several_sequences():
    document = make_coco(2)
    one = document["annotations"][0]
    extra = [{**one, "id": 10_000 + number} for number in range(MOST_OBJECTS)]
    document["annotations"] += extra
    document["images"].append({**document["images"][0], "id": 1})
    parsed = parse_coco_instances(document, "made.json")
    assert [s.folder for s in parsed.sequences] == ["900", "900+2", "893"]
    assert [len(s.objects) for s in parsed.sequences] == [MOST_OBJECTS, 4, 4]
    assert parsed.sequences[1].objects[-1].source_id == str(10_000 + MOST_OBJECTS - 1)
    assert parsed.tally[EMPTY_IMAGES] == 1
    assert parsed.replace({}) == document
    part = parsed.replace({}, {"900+2"})
    assert len(part["annotations"]) == 5  # and the crowd
    assert [image["id"] for image in part["images"]] == [900]


def edit(path, value):
    def change(document):
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        holder[path[-1]] = value

    return change


def remove(*path):
    def change(document):
        holder = document
        for key in path[:-1]:
            holder = holder[key]
        del holder[path[-1]]

    return change


SEGMENT = ("annotations", 0, "segmentation")
FAULTS = [
    (edit(SEGMENT, []), "has no polygon"),
    (edit(SEGMENT, [[]]), "fewer than 3 points"),
    (edit(SEGMENT, [[1, 2, 3, 4]]), "fewer than 3 points"),
    (edit(SEGMENT, [[1, 2, 3, 4, 5, 6, 7]]), "odd number"),
    (edit(SEGMENT, [1, 2, 3, 4, 5, 6]), "not a list of polygons"),
    (edit(SEGMENT, [[1, 2, 3, 4, 5, "6"]]), "not a list of numbers"),
    (edit(SEGMENT, [[1, 2, 3, 4, 5, True]]), "not a list of numbers"),
    (edit(SEGMENT, [[1, 2, 3, 4, 5, 10**400]]), "far outside"),
    (edit(SEGMENT, [[1, 2, 3, 4, 5, 1e30]]), "far outside"),
    (edit(SEGMENT, None), "no segmentation"),
    (edit(SEGMENT, "poly"), "not an object with the keys"),
    (edit(SEGMENT, {"counts": "0"}), "not an object with the keys"),
    (edit(SEGMENT, {"size": [53, 37], "counts": [37 * 53]}), "another size"),
    (edit(SEGMENT, {"size": [37, 53], "counts": [37 * 53 + 1]}), "do not fill"),
    (edit(SEGMENT, {"size": [37, 53], "counts": [37 * 53.0]}), "neither text nor"),
    (edit(SEGMENT, {"size": [37, 53], "counts": "o"}), "too early"),
    (remove(*SEGMENT), "no segmentation"),
    (edit(("annotations", 0, "image_id"), 12), "an image that is not listed"),
    (edit(("annotations", 0, "image_id"), [1]), "an image that is not listed"),
    (edit(("annotations", 0, "category_id"), 12), "a category that is not listed"),
    (edit(("annotations", 0, "id"), 4999), "the id of another"),
    (edit(("annotations", 0, "id"), 1.5), "no id"),
    (edit(("annotations", 0, "iscrowd"), 2), "0 or 1"),
    (edit(("annotations", 0, "id"), 1 << 63), "no id"),
    (edit(("annotations", 0, "id"), "../x"), "path separator"),
    (edit(("annotations", 0), 2), "no id"),
    (edit(("images", 1, "id"), 900), "the id of another"),
    (edit(("images", 1, "id"), "900"), "the id of another"),
    (edit(("images", 1, "id"), "../x"), "path separator"),
    (remove("images", 1, "width"), "no height and width"),
    (edit(("images", 1, "height"), 9000), "no height and width"),
    (edit(("images", 1, "height"), True), "no height and width"),
    (edit(("images", 1, "file_name"), None), "file name"),
    (edit(("images", 1, "file_name"), "a/.."), "outside the folder"),
    (edit(("categories", 0, "id"), 18), "the id of another"),
    (edit(("categories", 0, "name"), 5), "and a name"),
    (edit(("categories", 0, "name"), "a\x1b[2J"), "control characters"),
    (remove("categories"), "not a document of COCO instances"),
    (edit(("images",), {}), "must be a list"),
]


@pytest.mark.parametrize(("change", "says"), FAULTS)
def test_a_fault_is_refused(change, says):
    document = make_coco()
    change(document)
    with pytest.raises(InputError) as caught:
        parse_coco_instances(document, "made.json")
    assert any(says in str(problem) for problem in caught.value.problems)


def test_all_faults_are_listed_with_their_ids():
    document = make_coco()
    for place in (0, 5):
        document["annotations"][place]["segmentation"] = [[1, 2]]
    document["annotations"][6]["category_id"] = 7
    del document["images"][2]["width"]
    document["categories"][0]["name"] = 5
    with pytest.raises(InputError) as caught:
        parse_coco_instances(document, "made.json")
    problems = [str(problem) for problem in caught.value.problems]
    assert any("(annotation 5000, 4990)" in problem for problem in problems)
    assert any("(annotation 4989)" in problem for problem in problems)
    assert any("(image 886)" in problem for problem in problems)
    assert len(problems) == 4  # annotations of a faulty image or category are not at fault


def test_an_endless_polygon_is_refused_when_it_is_filled():
    document = make_coco(1)
    zigzag = [number for turn in range(40) for number in (0, 0, 99_999, turn)]
    document["annotations"][0]["segmentation"] = [zigzag]
    parsed = parse_coco_instances(document, "made.json")
    with pytest.raises(InputError, match="annotation 5000: an outline is longer"):
        list(parsed.iterate_masks(parsed.sequences[0]))


@given(damaged(make_coco(1, (9, 7))))
@settings(max_examples=150, deadline=None)
def test_damaged_documents_raise_input_errors_alone(document):
    kept = copy.deepcopy(document)
    with contextlib.suppress(InputError):
        parsed = parse_coco_instances(document, "made.json")
        for sequence in parsed.sequences:
            assert len(list(parsed.iterate_masks(sequence))) == len(sequence.views)
        parsed.replace({})
    assert document == kept


def test_a_packed_file_is_read(tmp_path):
    write_json(tmp_path / "instances.json", make_coco())
    assert read_coco_instances(tmp_path / "instances.json").sequences
    (tmp_path / "cut.json").write_bytes((tmp_path / "instances.json").read_bytes()[:500])
    with pytest.raises(InputError, match="not valid JSON"):
        read_coco_instances(tmp_path / "cut.json")


def test_whole_numbers_stay_whole():
    document = make_coco(1)
    document["annotations"][0] |= {"area": 9, "bbox": [1, 2, 3, 4]}
    parsed = parse_coco_instances(document, "made.json")
    (sequence,), number = parsed.sequences, document["annotations"][0]["id"]
    label = next(label for label in sequence.objects if label.source_id == str(number))
    segment = parsed.encode(sequence, sequence.frames[0], label, draw_blob(7, (37, 53)))
    change = {(sequence.folder, sequence.frames[0], label.object_id): DocumentChange(segment)}
    noisy = parsed.replace(change)["annotations"][0]
    assert {type(value) for value in (noisy["area"], *noisy["bbox"])} == {int}
