"""Differences of masks are packed and applied without a loss, and damaged ones are refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from actiseg_data.core.errors import InputError
from actiseg_noise.mask_noise.imported_masks import compare_frame
from actiseg_noise.mask_noise.mask_differences import apply_difference, pack_difference
from tests.helpers.roots import clip

SHAPES = st.tuples(st.integers(1, 12), st.integers(1, 200))
IDS = st.sampled_from([0, 1, 2, 127, 128, 255])


@st.composite
def pairs(draw):
    shape = draw(SHAPES)
    clean = draw(hnp.arrays(np.uint8, shape, elements=IDS))
    noisy = draw(hnp.arrays(np.uint8, shape, elements=IDS))
    kept = draw(hnp.arrays(bool, shape))
    return clean, np.where(kept, clean, noisy).astype(np.uint8)


@given(pairs())
def test_any_two_masks_round_trip(pair):
    clean, noisy = pair
    before = clean.copy()
    packed = pack_difference(clean, noisy)
    assert np.array_equal(apply_difference(clean, packed, "here"), noisy)
    assert np.array_equal(clean, before)
    assert (packed == b"") == np.array_equal(clean, noisy)


def unpack_slowly(packed):
    numbers, value, place = [], 0, 0
    for byte in packed:
        value |= (byte & 127) << place
        place += 7
        if byte < 128:
            numbers.append(value)
            value = place = 0
    return numbers


@given(pairs())
def test_the_runs_are_those_of_a_plain_loop(pair):
    clean, noisy = pair
    runs, end = [], 0
    values = zip(clean.ravel().tolist(), noisy.ravel().tolist(), strict=True)
    for at, (old, new) in enumerate(values):
        if old == new:
            continue
        if runs and at == end and runs[-1][2] == new:
            runs[-1][1] += 1
        else:
            runs.append([at - end, 1, new])
        end = at + 1
    expected = [*clean.shape, *(number for run in runs for number in run)] if runs else []
    assert unpack_slowly(pack_difference(clean, noisy)) == expected


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"\x02", "damaged"),
        (b"\x02\x03\x00", "damaged"),
        (b"\x02\x03\x00\x01\x81", "damaged"),
        (b"\x02\x03\x00\x00\x01", "damaged"),
        (b"\x02\x03\x00\x07\x01", "damaged"),
        (b"\x02\x03\x06\x01\x01", "damaged"),
        (b"\x02\x03\x00\x01\x80\x02", "damaged"),
        (b"\x02\x03\x00\x01" + b"\x81" * 9 + b"\x01", "damaged"),
        (b"\x03\x02\x00\x01\x01", "2 x 3 pixels"),
    ],
)
def test_a_damaged_difference_is_refused(packed, said):
    with pytest.raises(InputError, match=said) as refused:
        apply_difference(np.zeros((2, 3), np.uint8), packed, "clip, frame")
    assert refused.value.problems[0].where == "clip, frame"


@given(st.binary(max_size=40))
def test_any_bytes_are_applied_or_refused(packed):
    clean = np.zeros((3, 5), np.uint8)
    try:
        assert apply_difference(clean, packed, "here").shape == clean.shape
    except InputError:
        assert packed


def test_objects_that_appear_vanish_or_stay_are_told_apart():
    clean = np.array([[1, 1, 2, 2, 3, 0]], np.uint8)
    noisy = np.array([[1, 4, 0, 0, 3, 4]], np.uint8)
    noise = compare_frame(clip(1), clip(1).frames[0], clean, noisy)
    by_id = {row.object_id: (row.status, row.iou, row.area, row.area_ratio) for row in noise.rows}
    assert by_id == {
        1: ("measured", 0.5, 2, 0.5),
        2: ("measured", 0.0, 2, 0.0),
        4: ("appeared", 0.0, 0, 0.0),
    }
    assert +noise.tally == {"items": 4, "vanished": 1, "bystanders": 1}
