"""Boundary F and boundary IoU against brute force over pairs of pixels; bits against arrays."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from actiseg_eval.measures import bits
from actiseg_eval.measures.boundary_measures import (
    boundary_f,
    boundary_iou,
    draw_boundary,
    find_image_tolerance,
    find_object_distance,
    find_object_tolerance,
)
from actiseg_eval.measures.pixel_counts import count_ids, count_pairs

SHAPES = st.tuples(st.integers(1, 20), st.integers(1, 140))


def binary(shape=SHAPES):
    return arrays.arrays(np.bool_, shape)


def pair():
    return SHAPES.flatmap(lambda shape: st.tuples(binary(st.just(shape)), binary(st.just(shape))))


def edge_by_loops(mask):
    height, width = mask.shape
    found = np.zeros(mask.shape, bool)
    for y in range(height):
        for x in range(width):
            others = []
            if x + 1 < width:
                others.append(mask[y, x + 1])
            if y + 1 < height:
                others.append(mask[y + 1, x])
            if x + 1 < width and y + 1 < height:
                others.append(mask[y + 1, x + 1])
            found[y, x] = any(other != mask[y, x] for other in others)
    return found


def f_by_pairs(truth, prediction, tolerance):
    one, other = (np.argwhere(edge_by_loops(mask)) for mask in (truth, prediction))
    if not (len(one) and len(other)):
        return float(len(one) == len(other))
    squares = ((one[:, None] - other[None]) ** 2).sum(axis=2)
    close = squares <= tolerance * tolerance + 1e-9
    precision, recall = close.any(axis=0).mean(), close.any(axis=1).mean()
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@given(pair(), st.sampled_from([0, 1, 2, 3, 5, 7.8366, 8, 70]))
@settings(max_examples=150, deadline=None)
def test_f_is_what_all_pairs_of_boundary_pixels_give(masks, tolerance):
    truth, prediction = masks
    assert (draw_boundary(truth) == edge_by_loops(truth)).all()
    found = boundary_f(truth, prediction, tolerance)
    assert found == pytest.approx(f_by_pairs(truth, prediction, tolerance), abs=1e-12)


@given(pair(), st.integers(1, 6))
@settings(max_examples=100, deadline=None)
def test_boundary_iou_is_that_of_repeated_erosion(masks, distance):
    """As the reference does it: a border of zeros, then so many erosions by 3 x 3."""

    def band(mask):
        padded = cv2.copyMakeBorder(mask.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
        inner = cv2.erode(padded, np.ones((3, 3), np.uint8), iterations=distance)[1:-1, 1:-1]
        return mask & (inner == 0)

    one, other = map(band, masks)
    union = (one | other).sum()
    expected = (one & other).sum() / union if union else 1.0
    assert boundary_iou(*masks, distance) == pytest.approx(expected, abs=1e-12)


@given(binary(), st.floats(0, 12))
@example(np.eye(7, 7, 3, dtype=bool), 1.9999999999999982)
@settings(max_examples=100, deadline=None)
def test_bits_move_as_pixels_do(mask, radius):
    height, width = mask.shape
    words = bits.pack(mask)
    assert bits.count_set(words) == mask.sum()
    shown = np.unpackbits(words.astype("<u8").view(np.uint8), axis=1, bitorder="little")
    assert (shown[:, :width] == mask).all()
    assert (bits.find_boundary(words, width) == bits.pack(edge_by_loops(mask))).all()
    rows, columns = np.nonzero(mask)
    y, x = np.mgrid[:height, :width]
    squares = (y[..., None] - rows) ** 2 + (x[..., None] - columns) ** 2
    near = (squares <= radius * radius + 1e-9).any(axis=2)
    everything = bits.pack(np.ones(mask.shape, bool))
    assert (bits.dilate_words(words, radius) & everything == bits.pack(near)).all()


def test_counting_bits_needs_no_new_numpy(monkeypatch):
    words = bits.pack(np.random.default_rng(0).random((9, 200)) < 0.3)
    expected = bits.count_set(words)
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert bits.count_set(words) == expected


def test_a_mask_that_fills_the_frame_has_no_boundary():
    full, empty = np.ones((9, 9), bool), np.zeros((9, 9), bool)
    assert boundary_f(full, full, 1) == boundary_f(full, empty, 1) == 1.0
    square = empty.copy()
    square[2:5, 2:5] = True
    assert boundary_f(square, full, 1) == boundary_f(square, empty, 1) == 0.0
    assert boundary_iou(empty, empty, 1) == 1.0
    assert boundary_iou(square, empty, 1) == 0.0


def test_tolerances_follow_image_and_object():
    assert find_image_tolerance((480, 854)) == 8
    assert find_image_tolerance((1080, 1920)) == 18
    truth = np.zeros((480, 854), bool)
    assert find_object_tolerance(truth) == 0.008 * math.hypot(480, 854)
    truth[:60, :60] = True
    assert find_object_tolerance(truth) == 6
    assert find_object_distance(truth) == 6
    truth[:] = True
    assert find_object_tolerance(truth) == 0.008 * math.hypot(480, 854)
    assert find_object_distance(np.zeros((4, 4), bool)) == 1


def test_an_object_up_to_twice_the_distance_wide_is_its_own_band():
    truth, prediction = np.zeros((2, 60, 60), bool)
    truth[10:20, 10:50] = True
    prediction[12:22, 10:50] = True
    region = (truth & prediction).sum() / (truth | prediction).sum()
    assert boundary_iou(truth, prediction, 5) == region
    assert boundary_iou(truth, prediction, 2) < region


@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9)).flatmap(
        lambda shape: st.tuples(*(arrays.arrays(np.uint8, shape) for _ in range(2)))
    )
)
@settings(max_examples=150, deadline=None)
def test_counts_are_those_of_a_joint_table(masks):
    truth, prediction = masks
    table = np.zeros((256, 256), int)
    np.add.at(table, (truth.ravel(), prediction.ravel()), 1)
    counts = count_ids(truth, prediction)
    assert (counts == np.stack([table.sum(1), table.sum(0), np.diag(table)])).all()
    ids, others = np.array([1, 7, 200]), np.array([2, 7])
    assert (count_pairs(truth, prediction, ids, others) == table[np.ix_(ids, others)]).all()
