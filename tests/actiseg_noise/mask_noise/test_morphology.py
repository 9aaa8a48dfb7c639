"""Morphology on an object's crop, held against OpenCV and SciPy on whole frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from tests.helpers.small_frames import disc, drawn, masks

ELEMENTS = {"square": cv2.MORPH_RECT, "ellipse": cv2.MORPH_ELLIPSE}
OPERATIONS = {
    "dilate": cv2.MORPH_DILATE,
    "erode": cv2.MORPH_ERODE,
    "close": cv2.MORPH_CLOSE,
    "open": cv2.MORPH_OPEN,
}


def by_opencv(mask, operation, element, size, iterations):
    kernel = cv2.getStructuringElement(ELEMENTS[element], (size, size))
    return cv2.morphologyEx(mask, OPERATIONS[operation], kernel, iterations=iterations) > 0


def by_scipy(mask, operation, element, size, iterations):
    structure = cv2.getStructuringElement(ELEMENTS[element], (size, size)) > 0
    passes = {"close": ("dilate", "erode"), "open": ("erode", "dilate")}
    mask = mask > 0
    for name in passes.get(operation, (operation,)):
        for _ in range(iterations):
            if name == "dilate":
                mask = ndimage.binary_dilation(mask, structure)
            else:
                mask = ndimage.binary_erosion(mask, structure, border_value=1)
    return mask


@given(
    masks(),
    st.sampled_from(list(OPERATIONS)),
    st.sampled_from(list(ELEMENTS)),
    st.sampled_from([1, 3, 5, 9, 21, 61]),
    st.integers(1, 4),
)
@settings(max_examples=300, deadline=None)
def test_result_is_that_on_the_whole_frame(mask, operation, element, size, iterations):
    asked = {"operation": operation, "element": element, "size": size, "iterations": iterations}
    image, _ = drawn("morphology", mask, **{**asked, "size": float(size)})
    assert (image == by_opencv(mask, **asked)).all()
    assert (image == by_scipy(mask, **asked)).all()


@pytest.mark.parametrize(("size", "reach"), [(9, 4), (15, 7), (21, 10)])
def test_squares_reach_as_far_as_published(size, reach):
    mask = disc(20, (90, 110))
    image, _ = drawn("morphology", mask, size=size)
    assert (image == (ndimage.distance_transform_cdt(1 - mask, "chessboard") <= reach)).all()


def test_largest_square_fills_the_frame_and_leaves_nothing():
    mask = disc(20, (90, 110))
    for operation, everything in (("dilate", True), ("erode", False)):
        image, _ = drawn("morphology", mask, operation=operation, size=499, iterations=50)
        assert (image == everything).all()


def test_what_lies_beyond_the_frame_does_not_erode():
    image, _ = drawn("morphology", np.ones((12, 9), np.uint8), operation="erode", size=5)
    assert image.all()


def test_chance_has_no_say():
    mask = disc(9, (40, 40))
    one, other = (drawn("morphology", mask, item=item) for item in "ab")
    assert (one[0] == other[0]).all()
    assert one[1] == {}


@given(masks(), st.sampled_from([1, 3, 7, 31]), st.text(max_size=3))
@settings(max_examples=100, deadline=None)
def test_scale_is_one_dilation_or_erosion_by_a_square(mask, size, item):
    image, details = drawn("scale", mask, item, size=size)
    assert (image == by_opencv(mask, details["operation"], "square", size, 1)).all()


def test_scale_tosses_a_fair_coin():
    mask = disc(5, (20, 20))
    tosses = [drawn("scale", mask, item)[1]["operation"] for item in range(400)]
    assert 160 < tosses.count("dilate") < 240
    assert set(tosses) == {"dilate", "erode"}


@given(masks(), st.sampled_from(list(OPERATIONS)), st.sampled_from([3, 9, 21]))
@settings(max_examples=60, deadline=None)
def test_a_scaled_element_is_the_plain_one_of_the_scaled_size(mask, operation, size):
    width = mask.shape[1]
    asked = {"operation": operation, "size": size}
    plain, _ = drawn("morphology", mask, **asked)
    scaled, _ = drawn("scaled-morphology", mask, **asked, reference_width=width)
    assert (scaled == plain).all()
    asked["size"] = 1 + 2 * int((size - 1) / 2 * width / (2 * width + 1) + 0.5)
    plain, _ = drawn("morphology", mask, **asked)
    asked["size"] = size
    scaled, _ = drawn("scaled-morphology", mask, **asked, reference_width=2 * width + 1)
    assert (scaled == plain).all()


@pytest.mark.parametrize(("width", "sizes"), [(854, (9, 15, 21)), (428, (5, 9, 11))])
def test_scaled_squares_reach_as_far_in_proportion(width, sizes):
    mask = np.zeros((60, width), np.uint8)
    mask[30, width // 2] = 1
    for size, wanted in zip((9, 15, 21), sizes, strict=True):
        image, _ = drawn("scaled-morphology", mask, size=size)
        assert image.sum() == wanted**2
