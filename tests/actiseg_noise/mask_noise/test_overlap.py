"""Who owns contested pixels, recomputed pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from actiseg_data.annotations.polygons import Patch
from actiseg_noise.mask_noise.overlap import (
    OVERLAPS,
    PixelClaim,
    paint_positives_first,
    resolve_by_depth,
)

SHAPE = (24, 30)


def scene(seed):
    """A random index mask, and random claims of some of its objects."""
    rng = np.random.default_rng(seed)
    clean = np.zeros(SHAPE, np.uint8)
    for object_id in range(1, 6):
        top, left = rng.integers(0, 18), rng.integers(0, 22)
        clean[top : top + rng.integers(2, 10), left : left + rng.integers(2, 12)] = object_id
    claims = []
    for object_id in rng.permutation(np.unique(clean[clean > 0]))[: rng.integers(1, 4)]:
        rows, columns = np.nonzero(clean == object_id)
        top, left = max(rows.min() - rng.integers(0, 4), 0), max(columns.min() - 2, 0)
        bottom, right = rows.max() + rng.integers(0, 4), columns.max() + 3
        mask = rng.random((min(bottom, 24) - top, min(right, 30) - left)) < 0.95
        advantage = float(rng.choice([0.0, 0.05, 0.1]))
        claims.append(PixelClaim(int(object_id), Patch(int(top), int(left), mask), advantage))
    positives = frozenset(int(i) for i in rng.integers(1, 6, 3))
    return clean, claims, positives


def depth(mask):
    """Distance to the nearest pixel outside, the frame's border being no outside, relative."""
    if mask.all():
        return np.ones(mask.shape)
    distance = distance_transform_edt(mask)
    return distance / max(distance.max(), 1)


def strengths(clean, claims):
    """How strongly each object claims each pixel, -1 where it does not: (id, map) pairs."""
    touched = {claim.object_id: claim for claim in claims}
    for object_id in np.unique(clean[clean > 0]).tolist():
        shape, advantage = clean == object_id, 0.0
        if object_id in touched:
            shape, advantage = (
                touched[object_id].patch.to_image(SHAPE),
                touched[object_id].advantage,
            )
        yield object_id, np.where(shape, depth(shape) + advantage, -1)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_contest_gives_each_pixel_to_a_strongest_claimant(seed):
    clean, claims, _ = scene(seed)
    noisy = resolve_by_depth(clean, claims)
    maps = dict(strengths(clean, claims))
    best = np.max(list(maps.values()), axis=0)
    assert ((noisy == 0) == (best < 0)).all()
    for object_id, strength in maps.items():
        won = noisy == object_id
        # Depths are compared in steps of 1/64 pixel, shapes here are a pixel or more deep.
        assert (strength[won] >= best[won] - 1 / 32).all()


def test_ties_go_to_the_lower_id():
    clean = np.zeros((9, 20), np.uint8)
    clean[2:7, 1:7], clean[2:7, 11:17] = 2, 1
    wide = np.zeros((9, 20), bool)
    wide[2:7, 1:17] = True
    noisy = resolve_by_depth(clean, [PixelClaim(i, Patch(0, 0, wide), 0.0) for i in (2, 1)])
    assert (noisy[wide] == 1).all()


def brute_reference(clean, claims, positives):
    """A transcription of the rule in words: positives in id order, then the others, each where the
    canvas is still empty."""
    shapes = {int(i): clean == i for i in np.unique(clean[clean > 0])}
    shapes |= {claim.object_id: claim.patch.to_image(SHAPE) for claim in claims}
    canvas = np.zeros(SHAPE, np.uint8)
    for group in (True, False):
        for object_id in sorted(shapes):
            if (object_id in positives) == group:
                for row, column in np.ndindex(*SHAPE):
                    if shapes[object_id][row, column] and canvas[row, column] == 0:
                        canvas[row, column] = object_id
    return canvas


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_reference_equals_the_rule_in_words(seed):
    clean, claims, positives = scene(seed)
    assert (
        paint_positives_first(clean, claims, positives) == brute_reference(clean, claims, positives)
    ).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_ascending_gives_each_pixel_to_the_highest_id_that_claims_it(seed):
    clean, claims, positives = scene(seed)
    shapes = {int(i): clean == i for i in np.unique(clean[clean > 0])}
    shapes |= {claim.object_id: claim.patch.to_image(SHAPE) for claim in claims}
    highest = np.max([i * shape for i, shape in shapes.items()], axis=0)
    assert (OVERLAPS["ascending"](clean, claims, positives) == highest).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_background_takes_only_background(seed):
    clean, claims, positives = scene(seed)
    noisy = OVERLAPS["background"](clean, claims, positives)
    gained = (noisy != clean) & (noisy != 0)
    assert (clean[gained] == 0).all()
    touched = {claim.object_id for claim in claims}
    untouched = ~np.isin(clean, list(touched | {0}))
    assert (noisy[untouched] == clean[untouched]).all()


@pytest.mark.parametrize("rule", list(OVERLAPS))
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=40, deadline=None)
def test_every_change_is_a_touched_object_s_doing(rule, seed):
    clean, claims, positives = scene(seed)
    before = clean.copy()
    noisy = OVERLAPS[rule](clean, claims, positives)
    assert (clean == before).all()
    assert noisy.dtype == np.uint8
    touched = {claim.object_id for claim in claims}
    changed = noisy != clean
    assert (np.isin(clean, list(touched)) | np.isin(noisy, list(touched)))[changed].all()
    for claim in claims:
        assert not (noisy == claim.object_id)[~claim.patch.to_image(SHAPE)].any()


def test_claims_that_meet_nobody_are_drawn_whole():
    clean = np.zeros(SHAPE, np.uint8)
    clean[5:10, 5:10] = 1
    grown = Patch(3, 3, np.ones((9, 9), bool))
    assert (resolve_by_depth(clean, [PixelClaim(1, grown, 0.0)]) == grown.to_image(SHAPE)).all()


def test_small_neighbour_keeps_its_core_in_a_contest():
    """The case that depth in pixels gets wrong: a ring of 8 px over a 4 px object."""
    clean = np.zeros((60, 60), np.uint8)
    clean[:40] = 1
    clean[42:46, 10:50] = 2
    noisy = resolve_by_depth(clean, [PixelClaim(1, Patch(0, 0, np.ones((52, 60), bool)), 0.1)])
    assert (noisy == 2).sum() > 0.5 * (clean == 2).sum()
