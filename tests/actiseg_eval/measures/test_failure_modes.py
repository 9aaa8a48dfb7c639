"""Modes of failure: told apart, and the same as by a slow reading of the rule."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from actiseg_eval.measures.boundary_measures import region_iou
from actiseg_eval.measures.failure_modes import FAILURE_MODES, MaskFailure, diagnose
from docs.scripts.failure_modes import BOARD, MUG, make_cases

CASES = {case.about: case for case in make_cases()}
EIGHT = np.ones((3, 3))


@pytest.mark.parametrize("about", CASES)
def test_made_masks_are_told_apart(about):
    case = CASES[about]
    failure = diagnose(case.truth, MUG, case.mask, {MUG, BOARD}, active=case.active)
    assert failure.mode == case.mode
    assert (failure.confused_with == BOARD) == case.on_board


def test_every_mode_has_a_case():
    assert {case.mode for case in CASES.values()} == set(FAILURE_MODES)


def test_what_is_right_has_no_mode():
    truth = CASES["moved"].truth
    assert diagnose(truth, MUG, truth == MUG, {MUG}, active=True) is None
    nothing = np.zeros_like(truth)
    assert diagnose(truth, MUG, nothing > 0, {MUG}, active=False) is None
    assert diagnose(nothing, MUG, nothing > 0, {MUG}, active=True) is None


def test_a_mask_lies_on_listed_objects_alone():
    case = CASES["the board's mask"]
    assert diagnose(case.truth, MUG, case.mask, {MUG}, active=True).mode == "mislocalisation"


def moved(mask, down, right):
    found = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        if 0 <= row + down < mask.shape[0] and 0 <= column + right < mask.shape[1]:
            found[row + down, column + right] = True
    return found


def between(labels, row, column):
    """Whether the nearest labels on both sides, along the row or the column, differ."""
    for line, at in ((labels[row], column), (labels[:, column], row)):
        before, after = line[:at][line[:at] > 0], line[at + 1 :][line[at + 1 :] > 0]
        if len(before) and len(after) and before[-1] != after[0]:
            return True
    return False


def slow_diagnosis(truth, object_id, mask, listed, active):
    """The rule, sentence by sentence, with loops and another library."""
    own = truth == object_id
    if not mask.any():
        return MaskFailure("miss", own) if own.any() and active else None
    if active and (own == mask).all():
        return None
    on = {at: (mask & (truth == at)).sum() for at in sorted(listed - {object_id})}
    best = max(on, key=lambda at: on[at], default=0)
    most = best and on[best] >= mask.sum() / 2 and on[best] > (mask & own).sum()
    lies_on = best if most else 0
    if not own.any():
        return MaskFailure("hallucination", mask & False, lies_on)
    if not active:
        return MaskFailure("wrong_activation", mask & False, lies_on)
    shared, size, predicted = (own & mask).sum(), own.sum(), mask.sum()
    iou = region_iou(own, mask)
    if lies_on and shared < size / 2 and region_iou(truth == lies_on, mask) > iou + 1e-12:
        return MaskFailure("substitution", own, lies_on)
    centres = [np.argwhere(of).mean(axis=0) for of in (own, mask)]
    there = moved(mask, *np.floor(centres[0] - centres[1] + 0.5 + 1e-9).astype(int))
    apart = shared < size / 2 and shared < predicted / 2
    if apart or (own != there).sum() < (own != mask).sum() / 2:
        better = there if region_iou(own, there) > iou else mask
        return MaskFailure("mislocalisation", better, lies_on)
    pieces, count = ndimage.label(mask, EIGHT)
    stray = np.isin(pieces, [at for at in range(1, count + 1) if not (own & (pieces == at)).any()])
    stray &= mask
    attached = mask & ~stray
    lacking = own & ~mask
    gaps = lacking & ndimage.binary_fill_holes(attached)
    parts, count = ndimage.label(own, EIGHT)
    for part in range(1, count + 1):
        held = np.where((parts == part) & attached, pieces, 0)
        for row, column in np.argwhere(lacking & (parts == part)):
            gaps[row, column] |= between(held, row, column)
    band = max(np.ceil(0.008 * np.hypot(*truth.shape)), 0.1 * np.sqrt(size))
    wrong = {
        "leakage": attached & ~own & near(own, band),
        "shrinkage": lacking & ~gaps & near(attached, band),
        "over_segmentation": attached & ~own & ~near(own, band),
        "under_segmentation": lacking & ~gaps & ~near(attached, band),
        "fragmentation": stray | gaps,
    }
    assert sum(part.sum() for part in wrong.values()) == (own != mask).sum()
    mode = max(wrong, key=lambda name: wrong[name].sum())
    return MaskFailure(mode, mask ^ wrong[mode], lies_on)


def near(mask, distance):
    """Pixels within a distance of a mask, by the distances of all pairs."""
    rows, columns = np.indices(mask.shape)
    found = np.zeros_like(mask)
    for row, column in np.argwhere(mask):
        found |= (rows - row) ** 2 + (columns - column) ** 2 <= distance**2 + 1e-9
    return found


@st.composite
def scenes(draw):
    """A truth of three objects and a mask: random pixels, boxes, or an object changed a little."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = (draw(st.integers(1, 16)), draw(st.integers(1, 16)))
    truth = np.zeros(shape, np.uint8)
    for object_id in rng.permutation(3) + 1:
        for _ in range(rng.integers(0, 3)):
            row, column = rng.integers(0, shape[0]), rng.integers(0, shape[1])
            truth[row : row + rng.integers(1, 8), column : column + rng.integers(1, 8)] = object_id
    kind = draw(st.sampled_from(["random", "own", "other", "moved"]))
    mask = rng.random(shape) < draw(st.sampled_from([0.1, 0.5]))
    if kind != "random":
        mask = truth == (2 if kind == "other" else 1)
        if kind == "moved":
            mask = moved(mask, *rng.integers(-3, 4, 2))
        mask ^= rng.random(shape) < draw(st.sampled_from([0.0, 0.05, 0.3]))
    return truth, mask, draw(st.sampled_from([{1}, {1, 2}, {1, 2, 3}])), draw(st.booleans())


@given(scenes())
@settings(max_examples=600, deadline=None)
def test_the_rule_is_that_of_a_slow_reading(scene):
    truth, mask, listed, active = scene
    found = diagnose(truth, 1, mask, listed, active=active)
    expected = slow_diagnosis(truth, 1, mask, listed, active)
    if expected is None:
        assert found is None
        return
    assert (found.mode, found.confused_with) == (expected.mode, expected.confused_with)
    assert (found.repaired == expected.repaired).all()


@given(scenes())
@settings(max_examples=200, deadline=None)
def test_a_repair_never_makes_it_worse(scene):
    truth, mask, listed, _ = scene
    found = diagnose(truth, 1, mask, listed, active=True)
    if found is not None:
        own = truth == 1
        assert (found.repaired ^ own).sum() <= (mask ^ own).sum()
        assert region_iou(own, found.repaired) >= region_iou(own, mask)
