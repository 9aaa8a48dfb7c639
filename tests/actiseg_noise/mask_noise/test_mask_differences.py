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


COMMON = [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]
COMMON += [(-2, -2), (-2, -1), (-1, -2), (1, 2), (2, 1), (2, 2)]


def unpack_slowly(packed):
    """The runs (row, start, end, value) of a packed difference, number by number."""
    data = iter(packed)

    def read_number():
        value = place = 0
        while True:
            byte = next(data)
            value |= (byte & 127) << place
            place += 7
            if byte < 128:
                return value

    height, width = read_number(), read_number()
    strips = [[read_number() for _ in range(5)] for _ in range(read_number())]
    total = sum(strip[4] for strip in strips)
    codes = []
    for _ in range(0, total, 2):
        byte = next(data)
        codes += [byte & 15, byte >> 4]
    row, runs, codes = 0, [], iter(codes[:total])
    for gap, start, length, value, further in strips:
        row += gap
        end = start + length
        runs.append((row, start, end, value))
        for below in range(1, further + 1):
            code = next(codes)
            if code < 15:
                moves = COMMON[code]
            else:
                moves = [-(n + 1) // 2 if n % 2 else n // 2 for n in (read_number(), read_number())]
            start, end = start + moves[0], end + moves[1]
            runs.append((row + below, start, end, value))
    assert next(data, None) is None
    return height, width, runs


def list_runs(clean, noisy):
    runs = []
    for row in range(clean.shape[0]):
        for column in range(clean.shape[1]):
            new = int(noisy[row, column])
            if clean[row, column] == new:
                continue
            if runs and runs[-1][0] == row and runs[-1][2] == column and runs[-1][3] == new:
                runs[-1][2] += 1
            else:
                runs.append([row, column, column + 1, new])
    return [tuple(run) for run in runs]


@st.composite
def blobs(draw):
    """Round objects that grow, shrink and move, so that strips are long and steps are various."""
    rows, columns = np.mgrid[:40, :50]
    masks = np.zeros((2, 40, 50), np.uint8)
    places = st.tuples(st.integers(0, 39), st.integers(0, 49), st.integers(1, 12), IDS)
    for y, x, radius, object_id in draw(st.lists(places, max_size=4)):
        for mask in masks:
            far = draw(st.integers(-3, 3))
            mask[(rows - y) ** 2 + (columns - x - far) ** 2 < (radius + far) ** 2] = object_id
    return masks[0], masks[1]


@given(st.one_of(pairs(), blobs()))
def test_the_runs_are_those_of_a_plain_loop(pair):
    clean, noisy = pair
    packed = pack_difference(clean, noisy)
    assert np.array_equal(apply_difference(clean, packed, "here"), noisy)
    runs = list_runs(clean, noisy)
    if runs:
        height, width, found = unpack_slowly(packed)
        assert (height, width) == clean.shape
        assert sorted(found) == sorted(runs)
    else:
        assert packed == b""


def test_a_run_of_a_smooth_outline_takes_less_than_a_byte():
    rows, columns = np.mgrid[:480, :854]
    distance = (rows - 240) ** 2 + (columns - 400) ** 2
    clean, noisy = ((distance < radius**2).astype(np.uint8) for radius in (180, 190))
    count = int((np.diff(clean != noisy, axis=1).sum(axis=1) // 2).sum())
    assert 0.8 > len(pack_difference(clean, noisy)) / count > 0.5


def test_a_step_too_long_for_half_a_byte_is_written_in_full():
    clean, noisy = np.zeros((2, 300), np.uint8), np.zeros((2, 300), np.uint8)
    noisy[0, 2:5] = noisy[1, 4:250] = 7
    numbers = [2, 300 & 127 | 128, 300 >> 7, 1, 0, 2, 3, 7, 1, 15, 4, 490 & 127 | 128, 490 >> 7]
    assert pack_difference(clean, noisy) == bytes(numbers)


ONE_RUN = b"\x02\x03\x01"
"""Height, width and the number of strips of a difference with one strip."""


@pytest.mark.parametrize(
    ("packed", "said"),
    [
        (b"\x02", "damaged"),
        (b"\x02\x03\x00", "damaged"),
        (ONE_RUN + b"\x00\x00\x01\x81", "damaged"),
        (ONE_RUN + b"\x00\x00\x00\x01\x00", "damaged"),  # no pixel
        (ONE_RUN + b"\x00\x00\x04\x01\x00", "damaged"),  # too wide
        (ONE_RUN + b"\x02\x00\x01\x01\x00", "damaged"),  # below the last row
        (ONE_RUN + b"\x00\x00\x01\x80\x02\x00", "damaged"),  # the value 256
        (ONE_RUN + b"\x00\x00\x01\x01\x01", "damaged"),  # a run is lacking
        (ONE_RUN + b"\x01\x00\x01\x01\x01\x04", "damaged"),  # the second run is below
        (ONE_RUN + b"\x00\x00\x01\x01\x01\x00", "damaged"),  # moves out to the left
        (ONE_RUN + b"\x00\x00\x01\x01\x01\x14", "damaged"),  # a half that no run needs
        (ONE_RUN + b"\x00\x00\x01\x01\x01\x0f\x00", "damaged"),  # one step of two
        (ONE_RUN + b"\x00\x00\x01\x01\x00\x00", "damaged"),  # a number too many
        (ONE_RUN + b"\x00\x00\x01\x01" + b"\xff\xff\xff\xff\x7f", "damaged"),
        (b"\x02\x03\x02" + b"\x00\x00\x02\x01\x00" * 2, "damaged"),  # twice the same pixels
        (b"\x02\x03\xff\xff\xff\xff\x7f", "damaged"),
        (b"\x02\x03\x01\x00\x00\x01" + b"\x81" * 9 + b"\x01\x00", "damaged"),
        (b"\x03\x02\x01\x00\x00\x01\x01\x00", "2 x 3 pixels"),
    ],
)
def test_a_damaged_difference_is_refused(packed, said):
    with pytest.raises(InputError, match=said) as refused:
        apply_difference(np.zeros((2, 3), np.uint8), packed, "clip, frame")
    assert refused.value.problems[0].where == "clip, frame"


@given(st.one_of(st.binary(max_size=40), st.binary(max_size=20).map(lambda end: ONE_RUN + end)))
def test_any_bytes_are_applied_or_refused(packed):
    clean = np.zeros((2, 3), np.uint8)
    try:
        assert apply_difference(clean, packed, "here").shape == clean.shape
    except InputError:
        assert packed


@given(blobs(), st.data())
def test_changed_bytes_are_applied_or_refused(pair, data):
    packed = bytearray(pack_difference(*pair))
    if not packed:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        packed[data.draw(st.integers(0, len(packed) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert apply_difference(pair[0], bytes(packed), "here").shape == pair[0].shape
    except InputError as error:
        assert "damaged" in str(error) or "pixels" in str(error)  # noqa: PT017 - either is right


def test_objects_that_appear_vanish_or_stay_are_told_apart():
    clean = np.array([[1, 1, 2, 2, 3, 3, 0]], np.uint8)
    noisy = np.array([[1, 4, 0, 0, 3, 4, 4]], np.uint8)
    noise = compare_frame(clip(1), clip(1).frames[0], clean, noisy)
    by_id = {row.object_id: (row.status, row.iou, row.area, row.area_ratio) for row in noise.rows}
    assert by_id == {2: ("measured", 0.0, 2, 0.0), 4: ("appeared", 0.0, 0, 0.0)}
    assert +noise.tally == {"items": 4, "vanished": 1, "bystanders": 2, "bystanders_cut": 2}
    assert noise.bystander_ious == (0.5, 0.5)
