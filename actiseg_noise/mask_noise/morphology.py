"""Morphology with a fixed kernel: objects grow, shrink, close or open by a number of pixels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import BoolArray, Patch
from actiseg_data.core.keys import draw_uniform
from actiseg_data.core.opencv import load_cv2
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou, crop, trim
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

Element = NDArray[np.uint8]

_PASSES = {
    "dilate": ("dilate",),
    "erode": ("erode",),
    "close": ("dilate", "erode"),
    "open": ("erode", "dilate"),
}


def apply_morphology(
    clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory
) -> NoisyOutline:
    """Dilate, erode, close or open an object with a fixed element, without randomness.

    The result equals that of OpenCV's ``dilate``, ``erode`` and ``morphologyEx`` on the whole frame
    with their default border: pixels beyond the frame neither grow nor shrink an object. The object
    grows or shrinks by up to iterations * (size - 1) / 2 pixels.

    The squares are ActiSeg-NL's mask noise (sizes 9, 15 and 21, once), the ellipses SMART's (size
    5, three times). A fixed element is not a noise level: 10 pixels give a disc of 400 pixels
    across an IoU of 0.91, and a disc of 40 pixels 0.44.

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``operation``; ``element``: ``square``, or ``ellipse`` (OpenCV's ``MORPH_ELLIPSE``);
        ``size``: of the element in pixels, an uneven number; ``iterations``: n of a dilation or an
        erosion. ``close`` is n dilations and then n erosions, ``open`` the reverse.
    keys : KeyFactory
        Not used.

    Examples
    --------
    >>> dot = ObjectMask(Patch(4, 4, np.ones((1, 1), bool)), (9, 9))
    >>> parameters = {"operation": "dilate", "element": "ellipse", "size": 3, "iterations": 2}
    >>> int(apply_morphology(dot, parameters, lambda purpose: bytes(32)).patch.mask.sum())
    13
    """
    patch = _apply_operation(
        clean,
        parameters["operation"],
        parameters["element"],
        int(parameters["size"]),
        int(parameters["iterations"]),
    )
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", {})


def apply_scaled_morphology(
    clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory
) -> NoisyOutline:
    """Apply `apply_morphology` with an element that grows with the frame.

    A fixed element is twice as strong in frames of half the width. This one has the radius
    (size - 1) / 2 in frames of the reference width, and in others a radius in proportion, rounded
    to whole pixels. In frames of the reference width, the result is that of `apply_morphology`.

    Parameters
    ----------
    clean, keys
        As for `apply_morphology`.
    parameters : mapping
        As for `apply_morphology`, and ``reference_width`` in pixels.

    Returns
    -------
    NoisyOutline
        With the ``size`` in this frame for the ledger.

    Examples
    --------
    >>> dot = ObjectMask(Patch(4, 4, np.ones((1, 1), bool)), (9, 427))
    >>> parameters = {"operation": "dilate", "element": "square", "size": 9, "iterations": 1,
    ...               "reference_width": 854}
    >>> apply_scaled_morphology(dot, parameters, lambda purpose: bytes(32)).details
    {'size': 5}
    """
    reference = int(parameters["reference_width"])
    # Whole numbers: half of (size - 1) * width / reference, rounded to the nearest one.
    reach = ((int(parameters["size"]) - 1) * clean.frame[1] + reference) // (2 * reference)
    size = 2 * reach + 1
    patch = _apply_operation(
        clean, parameters["operation"], parameters["element"], size, int(parameters["iterations"])
    )
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", {"size": size})


def scale(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Dilate or erode an object once with a square element, with equal probability.

    This is the *scale* noise of COCO-N (arXiv 2406.10891).

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``size`` of the square in pixels, an uneven number.
    keys : KeyFactory
        Makes the item's keys.

    Returns
    -------
    NoisyOutline
        With the ``operation`` for the ledger.

    Examples
    --------
    >>> dot = ObjectMask(Patch(4, 4, np.ones((1, 1), bool)), (9, 9))
    >>> scale(dot, {"size": 3}, lambda purpose: bytes(32)).details
    {'operation': 'dilate'}
    """
    operation = "dilate" if draw_uniform(keys("scale.operation")) < 0.5 else "erode"
    patch = _apply_operation(clean, operation, "square", int(parameters["size"]), 1)
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", {"operation": operation})


def _apply_operation(
    clean: ObjectMask, operation: str, element: str, size: int, iterations: int
) -> Patch:
    """Apply an operation to an object, on a crop that is large enough for it."""
    passes = _PASSES[operation]
    reach = iterations * (size - 1) // 2
    # One more empty pixel around an erosion, because pixels beyond the crop do not erode.
    margin = reach * (passes[0] == "dilate") + ("erode" in passes)
    around = crop(clean, margin)
    elements, times = _make_elements(element, size, iterations, around.mask.shape)
    mask = around.mask.view(np.uint8)
    cv2 = load_cv2()
    for name in passes:
        for kernel in elements:
            mask = getattr(cv2, name)(mask, kernel, iterations=times)
    changed: BoolArray = mask.view(bool)
    return trim(Patch(around.top, around.left, changed))


def _make_elements(
    element: str, size: int, iterations: int, shape: tuple[int, ...]
) -> tuple[list[Element], int]:
    """Return the elements to apply one after another, and the number of times for each.

    n squares of size k equal one square of size n(k - 1) + 1, which is a column and a row. Neither
    needs to be longer than the crop. n ellipses do not equal an ellipse.
    """
    if element == "square":
        reach = iterations * (size - 1) // 2
        height, width = (2 * min(reach, side) + 1 for side in shape)
        return [np.ones((height, 1), np.uint8), np.ones((1, width), np.uint8)], 1
    cv2 = load_cv2()
    return [cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))], iterations
