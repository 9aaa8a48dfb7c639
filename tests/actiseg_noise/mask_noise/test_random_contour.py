"""The random contour and its Gaussian, held against transcriptions on whole frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from actiseg_data.core.keys import draw_bernoullis
from actiseg_noise.mask_noise.gaussian import make_gaussian_weights, smooth_mask
from tests.helpers.small_frames import disc, drawn, keyed_as, masks

FULL = np.ones((3, 3), bool)
PADS = {"reflect": "symmetric", "reflect-101": "reflect"}  # NumPy's names for them


def smoothed(mask, weights, border):
    """Twice the weighted sums, less the full scale, in Python's and NumPy's whole numbers."""
    sums = mask.astype(np.int64)
    weights = [int(weight) for weight in weights]
    for axis in (0, 1):
        radius = len(weights) // 2
        padded = np.pad(
            sums, [(radius, radius) if a == axis else (0, 0) for a in (0, 1)], PADS[border]
        )
        size = mask.shape[axis]
        sums = sum(w * padded.take(range(i, i + size), axis) for i, w in enumerate(weights))
    return 2 * sums - sum(weights) ** 2


def by_scipy(mask, item, rounds, share, smoothing):
    """A map of pixels that may change in each round, as the published model has it."""
    mask = mask > 0
    keyed = keyed_as(item)
    contour = ndimage.binary_dilation(mask, FULL) ^ ndimage.binary_erosion(mask, FULL)
    for number, dilates in enumerate(draw_bernoullis(keyed("random-contour.dilate"), rounds, 0.5)):
        change = ndimage.binary_dilation if dilates else ndimage.binary_erosion
        where = change(contour, FULL) != contour
        may_change = np.zeros(mask.shape, bool)
        draw = keyed(f"random-contour.round {number}")
        may_change[where] = draw_bernoullis(draw, int(where.sum()), share)
        contour = change(contour, FULL, mask=may_change)
    weights = make_gaussian_weights(smoothing, int(4 * smoothing + 0.5))
    return smoothed(mask | contour, weights, "reflect") > 0


@given(
    masks(),
    st.text(max_size=3),
    st.integers(0, 12),
    st.sampled_from([0.0, 0.2, 0.5, 1.0]),
    st.sampled_from([0.5, 1.0, 3.0, 7.5]),
)
@settings(max_examples=150, deadline=None)
def test_result_is_that_on_the_whole_frame(mask, item, rounds, share, smoothing):
    asked = {"rounds": rounds, "share": share, "smoothing": smoothing}
    image, details = drawn("random-contour", mask, item, **{**asked, "rounds": float(rounds)})
    assert (image == by_scipy(mask, item, **asked)).all()
    assert 0 <= details["dilations"] <= rounds


def test_result_does_not_depend_on_the_frame_around_it():
    small, large = disc(9, (120, 120)), np.zeros((300, 400), np.uint8)
    large[150:270, 40:160] = small
    near = drawn("random-contour", small)[0]
    assert (drawn("random-contour", large)[0][150:270, 40:160] == near).all()


def test_published_setting_grows_a_disc():
    mask = disc(40, (160, 200))
    images = [drawn("random-contour", mask, item)[0] for item in range(20)]
    areas = [image.sum() / mask.sum() for image in images]
    assert 1.1 < np.median(areas) < 1.4
    assert min(areas) > 0.99
    assert (images[0] != images[1]).any()


@given(masks(), st.floats(0.5, 8.0), st.integers(0, 30), st.sampled_from(list(PADS)))
@settings(max_examples=150, deadline=None)
def test_smoothing_adds_whole_numbers_exactly(mask, sigma, radius, border):
    weights = make_gaussian_weights(sigma, radius)
    expected = smoothed(mask, weights, border) > 0
    assert (smooth_mask(mask > 0, weights, border) == expected).all()


@given(masks(), st.floats(0.5, 8.0), st.sampled_from(["reflect", "reflect-101"]))
@settings(max_examples=100, deadline=None)
def test_smoothing_is_a_gaussian(mask, sigma, border):
    mode = {"reflect": "reflect", "reflect-101": "mirror"}[border]  # SciPy's names
    values = ndimage.gaussian_filter(mask.astype(float), sigma, mode=mode)
    found = smooth_mask(mask > 0, make_gaussian_weights(sigma, int(4 * sigma + 0.5)), border)
    clear = abs(values - 0.5) > 5e-4
    assert (found == (values > 0.5))[clear].all()


@pytest.mark.parametrize("sigma", [0.5, 1.0, 2.0, 3.0, 50.0])
def test_weights_are_those_of_a_bell(sigma):
    radius = int(4 * sigma + 0.5)
    impulse = np.zeros(2 * radius + 1)
    impulse[radius] = 1
    bell = ndimage.gaussian_filter1d(impulse, sigma, mode="constant")
    weights = make_gaussian_weights(sigma, radius)
    assert abs(weights - 65536 * bell).max() <= 0.5 + 1e-6
    assert (weights == np.rint(weights)).all()
    assert (weights == weights[::-1]).all()
