"""Every kind of mask noise on masks that no annotator draws: full frames, lines, checkerboards."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_noise.mask_noise.arrays import corrupt_mask
from actiseg_noise.recipes.kind_specs import list_kinds

KINDS = list_kinds("masks")


def checkerboard(height, width):
    return (np.indices((height, width)).sum(axis=0) % 2).astype(np.uint8)


@st.composite
def masks(draw):
    """Small masks: full frames, nearly full frames, lines, single pixels, checkerboards."""
    height, width = draw(st.integers(1, 12)), draw(st.integers(1, 12))
    if draw(st.booleans()):
        return checkerboard(height, width)
    mask = np.full((height, width), draw(st.integers(0, 1)), np.uint8)
    for _ in range(draw(st.integers(0, 2))):
        mask[draw(st.integers(0, height - 1)), draw(st.integers(0, width - 1))] ^= 1
    return mask


@settings(max_examples=150, deadline=None)
@given(masks(), st.sampled_from(KINDS), st.integers(0, 5))
def test_any_small_mask_gets_noise(mask, kind, seed):
    noisy, rows = corrupt_mask(mask, kind, seed=seed)
    assert noisy.shape == mask.shape
    assert set(np.unique(noisy)) <= {0, 1}
    assert len(rows) == int(mask.any())


def make_full(height, width, hole=None):
    mask = np.ones((height, width), np.uint8)
    if hole is not None:
        mask[hole] = 0
    return mask


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "mask",
    [
        make_full(480, 854),
        make_full(1, 20_000),
        make_full(20_000, 1),
        make_full(480, 854, (0, 0)),
        make_full(480, 854, (200, 300)),
        make_full(480, 854, (slice(None), -1)),
    ],
    ids=["full", "row", "column", "no corner", "hole", "no last column"],
)
def test_a_mask_that_fills_its_frame_takes_little_memory(mask, kind):
    tracemalloc.start()
    try:
        (row,) = corrupt_mask(mask, kind, seed=3)[1]
        assert tracemalloc.get_traced_memory()[1] < 300 << 20
    finally:
        tracemalloc.stop()
    assert row.area == np.count_nonzero(mask)


@pytest.mark.parametrize("strength", [{"target_iou": 0.8}, {"target_iou": 0.05}, {"radius": 9.0}])
@pytest.mark.parametrize("shape", [(480, 854), (240, 428), (1, 20_000), (1, 1)])
def test_jitter_leaves_an_object_without_an_outline_alone(shape, strength):
    mask = np.ones(shape, np.uint8)
    noisy, (row,) = corrupt_mask(mask, "jitter", **strength)
    assert (noisy == mask).all()
    assert (row.status, row.iou) == ("short", 1.0)
