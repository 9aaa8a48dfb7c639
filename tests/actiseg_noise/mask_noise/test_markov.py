"""The random walk of outlines, held against one distance transform for each step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from actiseg_data.core.keys import draw_bernoullis
from tests.helpers.small_frames import disc, drawn, keyed_as, masks

PUBLISHED = (480, 854)


def ring_of(mask):
    """The pixels of a mask at distance 1 of what is not in it; none if all of the frame is."""
    if mask.all():
        return np.zeros_like(mask)
    return ndimage.distance_transform_edt(mask) == 1


def by_distances(mask, item, steps, outward, flip, speckle):
    keyed = keyed_as(item)
    mask = mask > 0
    for number, grows in enumerate(draw_bernoullis(keyed("markov.outward"), steps, outward)):
        ring = ring_of(~mask if grows else mask)
        flips = draw_bernoullis(keyed(f"markov.step {number}"), int(ring.sum()), flip)
        mask[ring] ^= flips
    mask ^= draw_bernoullis(keyed("markov.speckle"), mask.size, speckle).reshape(mask.shape)
    bell = np.exp(-(np.arange(-2, 3) ** 2) / 8)
    weights = np.rint(65536 * bell / bell.sum()).astype(np.int64)
    padded = np.pad(mask.astype(np.int64), 2, "reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    sums = np.einsum("hwij,i,j->hw", windows, weights, weights)
    return 2 * sums > weights.sum() ** 2


@given(
    masks(),
    st.text(max_size=3),
    st.integers(0, 25),
    st.sampled_from([0.0, 0.2, 0.8, 1.0]),
    st.sampled_from([0.0, 0.05, 0.5, 1.0]),
    st.sampled_from([0.0, 0.2, 0.5]),
)
@settings(max_examples=200, deadline=None)
def test_result_is_that_of_a_distance_transform_each_step(
    mask, item, steps, outward, flip, speckle
):
    asked = {"steps": steps, "outward": outward, "flip": flip, "speckle": speckle}
    image, _ = drawn("markov", mask, item, **{**asked, "steps": float(steps)})
    assert (image == by_distances(mask, item, **asked)).all()


def test_published_walk_is_that_of_a_distance_transform_each_step():
    mask = np.maximum(disc(30, (160, 200), (20, 60)), disc(18, (160, 200), (100, 150)))
    mask[40:60, 100:130] = 1
    for item in range(2):
        image, details = drawn("markov", mask, item)
        assert (image == by_distances(mask, item, 180, 0.8, 0.05, 0.2)).all()
        assert 120 < details["outward_steps"] < 170


@pytest.mark.parametrize(("outward", "low", "high"), [(0.8, 1.1, 2.0), (0.2, 0.3, 0.9)])
def test_walk_is_biased(outward, low, high):
    mask = disc(40, (160, 200))
    for item in range(10):
        image, _ = drawn("markov", mask, item, outward=outward, speckle=0)
        assert low < image.sum() / mask.sum() < high


def test_even_walk_is_not_biased():
    mask = disc(40, (160, 200))
    ratios = [
        drawn("markov", mask, item, outward=0.5, speckle=0)[0].sum() / mask.sum()
        for item in range(20)
    ]
    assert 0.9 < np.median(ratios) < 1.1


def test_speckles_that_survive_are_as_many_as_documented():
    mask = disc(20, PUBLISHED, (50, 50))
    counts = [int(drawn("markov", mask, item, steps=0)[0][:, 120:].sum()) for item in range(5)]
    share = np.mean(counts) / (480 * (854 - 120))
    assert 0.0006 < share < 0.00085


def test_walk_depends_on_the_key():
    mask = disc(20, (60, 60))
    images = [drawn("markov", mask, item)[0] for item in "ab"]
    assert (images[0] != images[1]).any()


def test_draws_of_one_item_are_of_their_own():
    from actiseg_noise.mask_noise.contours import find_object
    from actiseg_noise.mask_noise.markov import walk_outline

    purposes = []

    def keyed(purpose):
        purposes.append(purpose)
        return keyed_as("a")(purpose)

    parameters = {"steps": 3, "outward": 0.5, "flip": 0.5, "speckle": 0.1}
    walk_outline(find_object(disc(5, (20, 20)), 1), parameters, keyed)
    assert len(set(purposes)) == len(purposes) == 5
