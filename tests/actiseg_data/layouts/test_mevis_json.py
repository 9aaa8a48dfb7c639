from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from pycocotools import mask as coco

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.dataset_opening import open_dataset
from actiseg_data.layouts.mask_document import DocumentChange
from actiseg_data.layouts.mevis_json import UNNAMED, parse_mevis_masks, read_mevis_masks
from actiseg_data.layouts.referring import parse_referring
from actiseg_data.layouts.sequence_record import DatasetForm
from tests.helpers.mask_documents import compress, damaged, make_mevis

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl.*:DeprecationWarning")


def parse(masks, expressions):
    return parse_mevis_masks(masks, "mask_dict.json", parse_referring(expressions, Path("meta")))


def test_videos_have_the_objects_that_their_expressions_name(tmp_path):
    masks, expressions = make_mevis()
    write_json(tmp_path / "mask_dict.json", masks)
    write_json(tmp_path / "meta_expressions.json", expressions)
    parsed = read_mevis_masks(tmp_path / "mask_dict.json", tmp_path / "meta_expressions.json")
    first, second = parsed.sequences
    assert [label.source_id for label in first.objects] == ["2", "10"]
    assert first.frames == ("00000", "00005", "00010")
    assert second.layers == (("00000", 1), ("00002", 1))  # null in the frame between
    assert parsed.tally == {UNNAMED: 1}
    for sequence in parsed.sequences:
        assert parsed.get_size(sequence) == (21, 34)
        shown = list(parsed.iterate_masks(sequence))
        assert len(shown) == len(sequence.views)
        for view, mask in zip(sequence.views, shown, strict=True):
            (label,) = view.objects
            true = coco.decode(masks[label.source_id][sequence.frames.index(view.frame)])
            assert (mask == label.object_id * true).all()


def test_expressions_that_changed_in_the_meantime_are_read_again(tmp_path):
    masks, expressions = make_mevis()
    write_json(tmp_path / "mask_dict.json", masks)
    write_json(tmp_path / "meta_expressions.json", expressions)
    form = DatasetForm(
        layout="mevis",
        masks="",
        documents=("meta_expressions.json",),
        mask_documents=("mask_dict.json",),
    )
    split = open_dataset(tmp_path, form, "train")
    (name,) = form.mask_documents
    assert split.open_document(name) is split.open_document(name)
    del expressions["videos"]["bb"]
    write_json(tmp_path / "meta_expressions.json", expressions)
    assert set(split.open_document(name).parts) == {"aa"}


def test_masks_are_changed_and_cut_as_the_expressions():
    masks, expressions = make_mevis()
    parsed = parse(masks, expressions)
    assert parsed.replace({}) == masks
    assert list(parsed.replace({})) == list(masks)
    mask = np.eye(21, 34, dtype=bool)
    first = parsed.sequences[0]
    segment = parsed.encode(first, "00005", first.objects[1], mask)
    assert segment == compress(mask)
    changes = {
        ("aa", "00005", 2): DocumentChange(segment),
        ("aa", "00010", 1): DocumentChange(None),
        ("bb", "00001", 1): DocumentChange(compress(mask)),
    }
    noisy = parsed.replace(changes)
    assert noisy["10"][1] == segment
    assert noisy["2"][2] is None
    assert noisy["4"][1] == compress(mask)
    assert noisy["10"][::2] == masks["10"][::2]
    assert noisy["5"] == masks["5"]
    assert list(parsed.replace(changes, {"aa"})) == ["2", "10"]
    assert masks == make_mevis()[0]


def spoil(edit):
    masks, expressions = make_mevis()
    edit(masks, expressions["videos"])
    return masks, expressions


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (lambda m, v: m.pop("2"), "(object 2)"),
        (lambda m, v: m["10"].pop(), "a mask for each frame of its video (object 10)"),
        (lambda m, v: m["10"].__setitem__(0, compress(np.eye(3, dtype=bool))), "another size"),
        (lambda m, v: m["2"].__setitem__(0, {"size": [0, 1], "counts": ""}), "no size"),
        (lambda m, v: m["2"].__setitem__(0, {"size": [21, 34], "counts": "00"}), "do not fill"),
        (lambda m, v: v["bb"]["expressions"]["0"]["anno_id"].append(2), "two videos"),
        (lambda m, v: v["bb"].update(frames=["0", "0", "1"]), "twice"),
        (lambda m, v: v["bb"].pop("frames"), "a mask for each frame of its video"),
        (lambda m, v: v.clear(), "no video"),
        (
            lambda m, v: [e.pop("anno_id") for w in v.values() for e in w["expressions"].values()],
            "no expression names",
        ),
        (lambda m, v: v["aa"]["expressions"]["0"].update(anno_id=list(range(300))), "than 254"),
    ],
)
def test_a_fault_is_refused(edit, says):
    with pytest.raises(InputError) as caught:
        parse(*spoil(edit))
    assert any(says in str(problem) for problem in caught.value.problems), caught.value


@given(damaged(list(make_mevis((6, 5)))))
@settings(max_examples=150, deadline=None)
def test_damaged_documents_raise_input_errors_alone(documents):
    if not isinstance(documents, list) or len(documents) != 2:
        return
    with contextlib.suppress(InputError):
        parsed = parse(*documents)
        for sequence in parsed.sequences:
            assert len(list(parsed.iterate_masks(sequence))) == len(sequence.views)
        parsed.replace({})
        parsed.expressions.rewrite({})
