from __future__ import annotations

import contextlib

import numpy as np
import pytest
from hypothesis import given, settings
from pycocotools import mask as coco

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.mask_document import DocumentChange
from actiseg_data.layouts.sav_json import parse_sav_video, read_sav_video
from tests.helpers.mask_documents import compress, damaged, make_sav

pytestmark = pytest.mark.filterwarnings("ignore:__array__ impl.*:DeprecationWarning")


def decode(segment):
    return coco.decode(segment).astype(bool)


def test_a_video_is_a_sequence_with_a_mask_for_each_object_and_frame(tmp_path):
    document = make_sav()
    write_json(tmp_path / "sav_000007_manual.json", document)
    parsed = read_sav_video(tmp_path / "sav_000007_manual.json")
    (sequence,) = parsed.sequences
    assert sequence.folder == "sav_000007"
    assert sequence.frames == ("00000", "00004", "00008", "00012", "00016")
    objects = [(label.object_id, label.source_id, label.name) for label in sequence.objects]
    assert objects == [(1, "0", "object 0"), (2, "3", "object 3"), (3, "11", "object 11")]
    assert sequence.layers[:4] == (("00000", 1), ("00000", 2), ("00000", 3), ("00004", 1))
    masks = list(parsed.iterate_masks(sequence))
    assert len(masks) == len(sequence.views) == 15
    order = [1, 0, 2]  # 0, 3, 11 in the document
    expected = [decode(row[place]) for row in document["masklet"] for place in order]
    for (_, number), mask, true in zip(sequence.layers, masks, expected, strict=True):
        assert (mask == number * true).all()


def test_a_row_for_every_frame_numbers_the_frames_by_one():
    document = make_sav()
    document["video_frame_count"] = 5
    assert parse_sav_video(document, "").sequences[0].frames[:2] == ("00000", "00001")


def test_null_masks_have_no_layer():
    document = make_sav()
    document["masklet"][2][0] = None
    parsed = parse_sav_video(document, "")
    (sequence,) = parsed.sequences
    assert ("00008", 2) not in sequence.layers
    assert len(list(parsed.iterate_masks(sequence))) == 14
    assert parsed.replace({}) == document


def test_statistics_of_changed_masklets_are_true():
    document = make_sav()
    parsed = parse_sav_video(document, "")
    (sequence,) = parsed.sequences
    label = sequence.objects[2]
    mask = np.zeros((33, 29), bool)
    mask[:, 4:10] = True
    segment = parsed.encode(sequence, "00004", label, mask)
    assert segment == compress(mask)
    changes = {
        ("sav_000007", "00004", 3): DocumentChange(segment),
        ("sav_000007", "00008", 3): DocumentChange(None),
        ("sav_000007", "00004", 1): DocumentChange(),
    }
    noisy = parsed.replace(changes)
    shown = [decode(row[2]) for row in noisy["masklet"]]
    assert (shown[1] == mask).all()
    assert not shown[2].any()
    areas = [one.sum() for one in shown if one.any()]  # in frames 1 and 4
    assert noisy["masklet_size_abs"][2] == round(np.mean(areas), 10)
    assert noisy["masklet_size_rel"][2] == round(np.mean(areas) / (33 * 29), 10)
    assert noisy["masklet_size_bucket"][2] == "small"
    assert noisy["masklet_visibility_changes"][2] == 2
    assert noisy["masklet_first_appeared_frame"][2] == 1.0
    for key, values in document.items():
        if key.startswith("masklet_") and isinstance(values, list):
            assert noisy[key][:2] == values[:2]
        elif key != "masklet":
            assert noisy[key] == values
    assert document == make_sav()  # the clean document is not touched


def test_a_masklet_without_a_mask_has_statistics():
    parsed = parse_sav_video(make_sav(), "")
    (sequence,) = parsed.sequences
    changes = {("sav_000007", frame, 2): DocumentChange(None) for frame in sequence.frames}
    noisy = parsed.replace(changes)
    assert noisy["masklet_size_abs"][0] == noisy["masklet_size_rel"][0] == 0.0
    assert noisy["masklet_first_appeared_frame"][0] is None
    assert noisy["masklet_visibility_changes"][0] == 0
    assert parsed.replace(changes, {"another"}) is None


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("video_id", "../a", "path separator"),
        ("video_height", 0, "number of pixels"),
        ("video_width", 28, "another size"),
        ("masklet_id", [1, 1, 2], "occurs twice"),
        ("masklet_id", [1, 2], "list of 2 masks"),
        ("masklet_id", list(range(300)), "more than 254"),
        ("masklet", [], "no frame"),
        ("masklet", [5], "list of 3 masks"),
        ("masklet", [[5, None, None]], "[0][0]"),
        ("masklet", None, "must be a list"),
    ],
)
def test_a_fault_is_refused(key, value, says):
    document = make_sav() | {key: value}
    with pytest.raises(InputError) as caught:
        parse_sav_video(document, "made.json")
    assert any(says in str(problem) for problem in caught.value.problems)


@given(damaged(make_sav(2, (0, 1), (6, 5))))
@settings(max_examples=150, deadline=None)
def test_damaged_documents_raise_input_errors_alone(document):
    with contextlib.suppress(InputError):
        parsed = parse_sav_video(document, "made.json")
        (sequence,) = parsed.sequences
        assert len(list(parsed.iterate_masks(sequence))) == len(sequence.views)
        blank = DocumentChange(None)
        parsed.replace({(sequence.folder, f, 1): blank for f in sequence.frames})
