from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.annotations.sequences import number_duplicates
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import find_sequence_folder
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    Expression,
    ObjectEntry,
    make_image_sets,
    make_prompt,
    make_record,
    read_by_folder,
    read_expression,
    read_record,
)
from actiseg_data.layouts.opening import open_split
from tests.helpers.documents import edited
from tests.helpers.roots import clip, label, make_root

CLIP = clip(1)
RECORD = make_record(CLIP, flags=True)
MASKS = "Annotations_Sparse"


@pytest.fixture(scope="module")
def shared_root(tmp_path_factory):
    return make_root(tmp_path_factory.mktemp("shared") / "root")


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path / "root", [clip(1), clip(2)])


def write_list(root, records, name="train"):
    write_json(root / "ImageSets" / f"{name}.json", records)


# ---- action lists ----


def test_a_split_is_read_as_it_was_written(shared_root):
    split = open_split(shared_root, "train")
    assert split.sequences == tuple(clip(n) for n in range(1, 7))
    assert set(split.subsets.values()) == {"train"}
    assert split.read_action_list() == json.loads(
        (shared_root / "ImageSets/train.json").read_text()
    )
    for sequence in split.sequences:
        assert [mask.shape for mask in split.read_masks(sequence)] == [(120, 160)] * 2


def test_fingerprints_are_of_content(root):
    fingerprint = open_split(root, "train").fingerprint
    records = json.loads((root / "ImageSets/train.json").read_text())
    write_json(root / "ImageSets/train.json", records, indent=4)
    assert open_split(root, "train").fingerprint == fingerprint
    write_list(root, edited(records, 0, "object_classes", "1", "positive", to=0))
    assert open_split(root, "train").fingerprint != fingerprint


def test_masks_are_found_in_whichever_folder_has_them(root):
    (root / MASKS / "val").mkdir()
    first, second = (root / MASKS / "train" / clip(n).folder for n in (1, 2))
    second.rename(root / MASKS / "val" / second.name)
    write_list(root, [make_record(clip(n), flags=True) for n in (1, 2)], "val_human")
    split = open_split(root, "val_human")
    assert split.subsets == {first.name: "train", second.name: "val"}
    for sequence in split.sequences:
        assert len(split.read_masks(sequence)) == 2


def test_folders_escaped_for_windows_are_found(root):
    folder = root / MASKS / "train" / CLIP.folder
    assert ":" in folder.name
    escaped = folder.rename(folder.with_name(folder.name.replace(":", "%3A")))
    assert find_sequence_folder(root, MASKS, "train", CLIP.folder) == escaped
    split = open_split(root, "train")
    assert len(split.read_masks(split.sequences[0])) == 2


def test_splits_are_the_action_lists(root):
    for name in ("val", "val_human", "a"):
        for file in make_image_sets(name, [clip(1)]):
            write_json(root / "ImageSets" / file, [])
    assert list_splits(root) == ["a", "train", "val", "val_human"]
    assert list_splits(root / "absent") == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("test", "no split 'test' .splits here: train"),
        ("../train", "separator"),
        ("", "the name is empty. Hint: give the name of a split: train"),
    ],
)
def test_splits_that_are_not_there_are_refused(shared_root, name, says):
    with pytest.raises(InputError, match=says):
        open_split(shared_root, name)


def test_a_missing_root_is_refused(tmp_path):
    with pytest.raises(InputError, match="dataset folder is missing"):
        open_split(tmp_path / "absent", "train")
    with pytest.raises(InputError, match="has the marks of no layout"):
        open_split(tmp_path, "train")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="is not a folder"):
        open_split(tmp_path / "file", "train")


@pytest.mark.parametrize(
    ("records", "says"),
    [
        ([], "action list is empty"),
        ({}, "must be a list, not {}"),
        ("train", "must be a list"),
        ([RECORD, RECORD], "the folder '00000001_P01_01_take_cup:big' is listed twice"),
        ([RECORD, make_record(clip(9))], "mask folder is missing"),
    ],
    ids=["empty", "an object", "a text", "folder twice", "folder not on disk"],
)
def test_lists_that_make_no_split_are_refused(root, records, says):
    write_list(root, records)
    with pytest.raises(InputError, match=says) as refused:
        open_split(root, "train")
    assert len(refused.value.problems) == 1


OBJECTS = RECORD["object_classes"]
FAULTS = [
    *(((name,), ..., f"'{name}' is missing") for name in list(RECORD)[:11]),
    *(
        ((name,), value, "must be a whole number")
        for name in ("seq_id", "start", "end", "verb_class", "noun_class")
        for value in ("1", 1.5, None, True)
    ),
    *(((name,), 3, "must be text") for name in ("video", "narration", "verb", "noun")),
    *(
        ((name,), value, "0 or 1")
        for name in ("redundant", "missing", "other")
        for value in (2, "")
    ),
    (("video",), "../P01", "separator"),
    (("noun",), "cup\n", "control character"),
    (("noun",), "cup ", "space"),
    (("narration",), "take \ud800", "valid Unicode"),
    (("sparse_frames",), [], "has no frame"),
    (("sparse_frames",), {"0": "a.jpg"}, "must be a list"),
    (("sparse_frames", 0), 7, "must be text"),
    (("sparse_frames", 0), "../a.jpg", "separator"),
    (("sparse_frames", 0), ".jpg", "non-empty"),
    (("sparse_frames", 0), "..jpg", "outside the folder"),
    (("sparse_frames", 0), RECORD["sparse_frames"][1], "frame 'frame_0000000140' is listed twice"),
    (("sparse_frames", 0), "frame_0000000140.png", "frame 'frame_0000000140' is listed twice"),
    (("object_classes",), [], "must be an object"),
    (("object_classes", "1"), "cup", "must be an object"),
    *((("object_classes", "1", name), ..., f"'{name}' is missing") for name in OBJECTS["1"]),
    (("object_classes", "1", "name"), 3, "must be text"),
    (("object_classes", "1", "class_id"), "11", "must be a whole number"),
    *(
        (("object_classes", "1", name), value, "must be 0 or 1")
        for name in ("positive", "handbox", "narration")
        for value in (2, "1", None, 1.0)
    ),
    *(
        (("object_classes", object_id), OBJECTS["1"] | {"name": "new"}, "is not an object id")
        for object_id in (
            *("0", "256", "x", "1.5", "-1", "", " 5", "knife 5", "+5", "5_0", "\u0665", "²"),
            "000000255999",
            "5" * 5000,
            "1\x1b[2J",
            "1\ud800",
        )
    ),
    (("object_classes", "01"), OBJECTS["1"] | {"name": "new"}, "object id 1 is listed twice"),
    (("object_classes", "5"), OBJECTS["1"], "object name 'cup' is listed twice"),
]


@pytest.mark.parametrize(("path", "value", "says"), FAULTS)
def test_a_fault_in_a_record_is_refused_with_its_place(path, value, says):
    with pytest.raises(InputError, match=says) as refused:
        read_record(Cursor(edited(RECORD, *path, to=value), "train.json[3]"))
    (problem,) = refused.value.problems
    assert problem.where.startswith("train.json[3]")
    assert len(str(problem)) < 300
    assert str(problem).isprintable()


@pytest.mark.parametrize("record", [3, None, [], "text"])
def test_an_element_that_is_no_record_is_one_problem(record):
    with pytest.raises(InputError, match="must be an object") as refused:
        read_record(Cursor(record, "train.json[3]"))
    assert len(refused.value.problems) == 1


def test_an_object_id_that_stands_twice_in_the_file_is_refused(root):
    path = root / "ImageSets" / "train.json"
    path.write_text(path.read_text().replace('"2": {', '"1": {', 1))
    with pytest.raises(InputError, match="'1' occurs twice"):
        open_split(root, "train")


def test_all_faults_of_a_list_are_told_at_once(root):
    bad = edited(edited(RECORD, "start", to="x"), "noun", to=...)
    bad = edited(edited(bad, "sparse_frames", 0, to="a/b.jpg"), "sparse_frames", 1, to=None)
    bad = edited(edited(bad, "object_classes", "1", "name", to=1), "missing", to=9)
    bad["object_classes"]["0"] = bad["object_classes"]["2"]
    write_list(root, [bad, 3, RECORD, edited(RECORD, "end", to=...)])
    with pytest.raises(InputError) as refused:
        open_split(root, "train")
    path = root / "ImageSets" / "train.json"
    assert [problem.where.removeprefix(f"{path}") for problem in refused.value.problems] == [
        "[0]: start",
        "[0]",
        "[0]: missing",
        "[0]: sparse_frames[0]",
        "[0]: sparse_frames[1]",
        "[0]: object_classes: 1: name",
        "[0]: object_classes: 0",
        "[1]",
        "[3]",
    ]


def test_all_sequences_without_masks_are_told_at_once(root):
    write_list(root, [make_record(clip(n)) for n in (1, 7, 8)])
    with pytest.raises(InputError) as refused:
        open_split(root, "train")
    named = [Path(problem.where).name for problem in refused.value.problems]
    assert named == [clip(n).folder for n in (7, 8)]


@pytest.mark.parametrize(("name", "count"), [("val_human", 353), ("val_novel", 38)])
def test_published_lists_are_read_and_written_unchanged(real_data, name, count):
    records = json.loads((real_data / "actionvos" / f"{name}.json").read_text("utf-8"))
    sequences = [read_record(Cursor(record, name)) for record in records]
    assert len(sequences) == count
    written = [make_record(sequence, flags=True) for sequence in sequences]
    assert written == records
    assert [list(record) for record in written] == [list(record) for record in records]


def test_flags_are_written_only_where_asked_and_may_be_absent():
    record = make_record(CLIP)
    assert list(record) == list(RECORD)[:11]
    assert read_record(Cursor(record, "x")) == CLIP
    flagged = replace(CLIP, redundant=True, flagged_other=True)
    assert read_record(Cursor(make_record(flagged, flags=True), "x")) == flagged


# ---- masks ----


def mask_file(root, frame=0, number=1):
    sequence = clip(number)
    return root / MASKS / "train" / sequence.folder / f"{sequence.frames[frame]}.png"


def drop(path):
    path.unlink()


def resize(path):
    write_index_mask(path, np.zeros((120, 159), np.uint8))


def swap_sides(path):
    write_index_mask(path, np.zeros((160, 120), np.uint8))


def add_foreign(path):
    write_index_mask(path, np.full((120, 160), 9, np.uint8))


def blend(path):
    """What resampling with anti-aliasing does to ids."""
    rows = np.linspace(0, 4 * 50, 120, dtype=np.uint8)
    write_index_mask(path, np.repeat(rows[:, None], 160, axis=1))


def make_truecolour(path):
    Image.new("RGB", (160, 120)).save(path)


SPOILERS = {
    drop: "the mask is missing",
    resize: "has 159 x 120 pixels, but the sequence's first mask has 160 x 120",
    swap_sides: "has 120 x 160 pixels",
    add_foreign: "has the ids 9, which",
    blend: r"has the ids 5, .* and \d+ more, which",
    make_truecolour: "truecolour",
}


@pytest.mark.parametrize(
    ("spoil", "says"), SPOILERS.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_masks_that_do_not_fit_the_list_are_refused(root, spoil, says):
    path = mask_file(root, frame=1)
    spoil(path)
    split = open_split(root, "train")
    with pytest.raises(InputError, match=says) as refused:
        split.read_masks(split.sequences[0])
    assert [problem.where for problem in refused.value.problems] == [str(path)]
    assert len(split.read_masks(split.sequences[1])) == 2


def test_all_masks_that_do_not_fit_are_told_at_once(tmp_path):
    frames = tuple(f"frame_{n:010d}" for n in range(7))
    root = make_root(tmp_path / "root", [clip(1, frames=frames)])
    folder = root / MASKS / "train" / CLIP.folder
    drop(folder / f"{frames[0]}.png")
    make_truecolour(folder / f"{frames[2]}.png")
    add_foreign(folder / f"{frames[3]}.png")
    resize(folder / f"{frames[5]}.png")
    write_index_mask(folder / f"{frames[6]}.png", np.full((9, 9), 77, np.uint8))
    split = open_split(root, "train")
    with pytest.raises(InputError) as refused:
        split.read_masks(split.sequences[0])
    wheres = [problem.where for problem in refused.value.problems]
    assert wheres == [str(folder / f"{frames[n]}.png") for n in (0, 2, 3, 5, 6, 6)]


# ---- prompts and objects ----


@pytest.mark.parametrize(
    ("style", "caption"),
    [
        ("promptaction", "knife used in the action of cut apple"),
        ("action", "knife, cut apple"),
        ("noaction", "knife"),
    ],
)
def test_prompts_have_three_styles(style, caption):
    assert make_prompt(style, "knife", "cut apple") == caption


@pytest.mark.parametrize("style", PROMPT_STYLES)
def test_prompts_and_objects_are_read_as_they_were_written(shared_root, style):
    split = open_split(shared_root, "train")
    prompts, objects = split.read_expressions(style), split.read_objects()
    assert set(prompts) == set(objects) == {sequence.folder for sequence in split.sequences}
    for sequence in split.sequences:
        assert prompts[sequence.folder] == tuple(
            Expression(
                str(n), make_prompt(style, o.name, "take cup"), o.object_id, o.positive, o.class_id
            )
            for n, o in enumerate(sequence.objects)
        )
        assert objects[sequence.folder] == tuple(
            ObjectEntry(o.object_id, o.name, o.positive, o.class_id) for o in sequence.objects
        )


def test_prompt_files_have_the_published_form():
    documents = make_image_sets("val", [CLIP], flags=True)
    assert list(documents) == [
        "val.json",
        "val_meta_expressions_promptaction.json",
        "val_meta_expressions_action.json",
        "val_meta_expressions_noaction.json",
        "val_objects_category.json",
    ]
    assert documents["val.json"] == [RECORD]
    video = documents["val_meta_expressions_promptaction.json"]["videos"][CLIP.folder]
    assert video["frames"] == ["frame_0000000101", "frame_0000000140"]
    assert video["expressions"]["1"] == {
        "exp": "knife used in the action of take cup",
        "obj_id": "2",
        "positive": 0,
        "class_id": 12,
    }
    assert documents["val_objects_category.json"]["videos"][CLIP.folder]["objects"]["2"] == {
        "category": "knife",
        "positive": 0,
        "class_id": 12,
    }


def test_published_prompts_for_inference_are_read(real_data):
    document = json.loads((real_data / "actionvos" / "expression_file.json").read_text())
    videos = Cursor(document, "expression_file.json")["videos"]
    prompts = read_by_folder(videos, "expressions", read_expression)
    assert {folder: len(entries) for folder, entries in prompts.items()} == {
        "00000012_P01_107_put-into_bag:cereal": 8,
        "00000223_P02_09_pick-up_spoon": 4,
    }
    first = prompts["00000012_P01_107_put-into_bag:cereal"][0]
    assert first == Expression("0", "bread used in the action of put cereals bag into cereals box")


def test_noisy_files_keep_what_was_there_before(root):
    def change(file, *path, to):
        document = json.loads((root / "ImageSets" / file).read_text())
        write_json(root / "ImageSets" / file, edited(document, "videos", CLIP.folder, *path, to=to))

    noisy = {"exp": "pan used in it", "obj_id": "1", "positive": 1, "class_id": 5}
    noisy |= {"exp_org": "cup used in it", "class_id_org": 11}
    change("train_meta_expressions_promptaction.json", "expressions", "0", to=noisy)
    noisy = {"category": "pan", "positive": 1, "class_id": 5}
    noisy |= {"category_org": "cup", "class_id_org": 11}
    change("train_objects_category.json", "objects", "1", to=noisy)
    split = open_split(root, "train")
    flipped, untouched = split.read_expressions()[CLIP.folder][:2]
    assert (flipped.exp, flipped.exp_org) == ("pan used in it", "cup used in it")
    assert (flipped.class_id, flipped.class_id_org) == (5, 11)
    assert (untouched.exp_org, untouched.class_id_org) == (None, None)
    flipped, untouched = split.read_objects()[CLIP.folder][:2]
    assert flipped == ObjectEntry(1, "pan", True, 5, "cup", 11)
    assert (untouched.category_org, untouched.class_id_org) == (None, None)


ENTRY = ("videos", CLIP.folder, "expressions", "0")
OBJECT = ("videos", CLIP.folder, "objects", "1")


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("videos",), ..., "'videos' is missing"),
        (("videos",), [], "must be an object"),
        (("videos", ".."), {"expressions": {}}, "outside the folder"),
        (("videos", CLIP.folder), 3, "must be an object"),
        (ENTRY[:3], ..., "'expressions' is missing"),
        (ENTRY, "cup", "must be an object"),
        ((*ENTRY, "exp"), ..., "'exp' is missing"),
        ((*ENTRY, "exp"), 1, "must be text"),
        ((*ENTRY, "obj_id"), 1, "must be text"),
        ((*ENTRY, "obj_id"), "0", "is not an object id"),
        ((*ENTRY, "obj_id"), "300", "is not an object id"),
        ((*ENTRY, "positive"), 2, "must be 0 or 1"),
        ((*ENTRY, "class_id"), "5", "must be a whole number"),
        ((*ENTRY, "exp_org"), 5, "must be text"),
        ((*ENTRY, "class_id_org"), None, "must be a whole number"),
        (OBJECT[:3], [], "must be an object"),
        ((*OBJECT[:3], "x"), {}, "is not an object id"),
        *(((*OBJECT, name), ..., "is missing") for name in ("category", "positive", "class_id")),
        ((*OBJECT, "category"), None, "must be text"),
        ((*OBJECT, "positive"), "1", "must be 0 or 1"),
        ((*OBJECT, "category_org"), 1, "must be text"),
        ((*OBJECT, "class_id_org"), 1.5, "must be a whole number"),
    ],
)
def test_faulty_prompts_and_objects_are_refused(root, path, value, says):
    objects = "objects" in path
    kind = "objects_category" if objects else "meta_expressions_promptaction"
    file = root / "ImageSets" / f"train_{kind}.json"
    write_json(file, edited(json.loads(file.read_text()), *path, to=value))
    split = open_split(root, "train")
    with pytest.raises(InputError, match=says) as refused:
        split.read_objects() if objects else split.read_expressions()
    assert len(refused.value.problems) == 1
    assert file.name in refused.value.problems[0].where


def test_all_faulty_prompts_are_told_at_once(root):
    file = root / "ImageSets" / "train_meta_expressions_action.json"
    document = json.loads(file.read_text())
    for n in (1, 2):
        for exp_id in ("0", "3"):
            document = edited(
                document, "videos", clip(n).folder, "expressions", exp_id, "exp", to=None
            )
    write_json(file, document)
    with pytest.raises(InputError) as refused:
        open_split(root, "train").read_expressions("action")
    assert [problem.where for problem in refused.value.problems] == [
        f"{file.name}: videos: {clip(n).folder}: expressions: {exp_id}: exp"
        for n in (1, 2)
        for exp_id in ("0", "3")
    ]


def test_companion_files_may_be_absent(root):
    file = "train_objects_category.json"
    split = open_split(root, "train")
    assert split.has_document(file)
    assert "videos" in split.read_document(file)
    (root / "ImageSets" / file).unlink()
    assert not split.has_document(file)
    with pytest.raises(InputError, match="is missing"):
        split.read_objects()


# ---- identity ----


def test_identity_is_free_of_numbers_that_depend_on_the_rest_of_the_dataset():
    assert CLIP.identity == ("P01_01_take_cup:big", "frame_0000000101", "frame_0000000140", 0)
    elsewhere = clip(
        77_001,
        start=0,
        frames=CLIP.frames,
        objects=tuple(replace(item, object_id=item.object_id + 9) for item in CLIP.objects),
    )
    assert elsewhere.identity == CLIP.identity
    assert clip(100_000_000, frames=CLIP.frames, noun="cup:big").identity == CLIP.identity


@pytest.mark.parametrize(
    "change",
    [{"video": "P01_02"}, {"verb": "put"}, {"noun": "pan"}, {"frames": ("a", "b")}, {"ordinal": 1}],
)
def test_identity_tells_sequences_apart(change):
    assert clip(1, **change).identity != CLIP.identity


def test_equal_sequences_are_numbered_in_list_order():
    frames = CLIP.frames
    sequences = [clip(1), clip(3, frames=frames), clip(2), clip(5, frames=frames)]
    numbered = number_duplicates(sequences)
    assert [sequence.ordinal for sequence in numbered] == [0, 1, 0, 2]
    assert [replace(sequence, ordinal=0) for sequence in numbered] == sequences
    assert len({sequence.identity for sequence in numbered}) == 4


def test_a_split_numbers_its_equal_sequences(tmp_path):
    sequences = [clip(1), clip(3, frames=CLIP.frames)]
    split = open_split(make_root(tmp_path / "root", sequences), "train")
    assert [sequence.ordinal for sequence in split.sequences] == [0, 1]


def test_object_ids_are_those_of_the_labels():
    assert CLIP.object_ids == {1, 2, 3, 4}
    assert clip(1, objects=(label(255, "cup"),)).object_ids == {255}


def test_empty_object_names_are_refused(root):
    for name in ("", " "):
        write_list(root, [edited(RECORD, "object_classes", "1", "name", to=name)])
        with pytest.raises(InputError, match="name is empty"):
            open_split(root, "train")


@pytest.mark.parametrize("name", ["a" * 200, "é" * 100])
def test_the_longest_frame_name_is_read_with_and_without_its_ending(name):
    for written in (name, f"{name}.jpg"):
        sequence = read_record(Cursor(edited(RECORD, "sparse_frames", to=[written]), "list"))
        assert sequence.frames == (name,)
        assert read_record(Cursor(make_record(sequence), "list")).frames == (name,)
    for written in (f"{name}a", f"{name}a.jpg"):
        with pytest.raises(InputError, match="longer than 200 bytes"):
            read_record(Cursor(edited(RECORD, "sparse_frames", to=[written]), "list"))


def test_a_split_is_a_sequence_of_sequences(shared_root):
    split = open_split(str(shared_root), "train")
    assert len(split) == len(list(split)) == len(split.sequences)
    first = split[0]
    assert split[first.folder] is first
    assert split[:2] == split.sequences[:2]
    assert first in split
    assert split.frames(first) == split.frames(first.folder)
    assert [path.stem for path in split.frames(first)] == list(first.frames)
    mask = split.mask(first.folder, first.frames[0])
    assert (mask == split.read_masks(first)[0]).all()
    with pytest.raises(KeyError, match="did you mean"):
        split[first.folder[:-1]]


def test_a_split_has_a_short_repr(shared_root):
    split = open_split(shared_root, "train")
    assert repr(split) == (
        f"Split(name='train', root={str(shared_root)!r}, sequences={len(split)})"
    )
    page = split._repr_html_()
    assert split[0].folder in page
    assert page.count("<tr>") <= 12


def test_sequences_are_selected_in_the_order_of_the_split(shared_root):
    split = open_split(shared_root, "train")
    folders = [sequence.folder for sequence in split]
    assert split.select() == split.sequences
    assert split.select(reversed(folders)) == split.sequences
    with pytest.raises(InputError) as refused:
        split.select(["absent", "missing"])
    assert len(refused.value.problems) == 2
    assert "only: the split 'train' has no sequence 'absent'" in str(refused.value)
