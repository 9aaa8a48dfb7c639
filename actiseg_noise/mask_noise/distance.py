"""Exact distances between pixels and the edge of a shape."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import as_binary_mask
from actiseg_data.annotations.polygons import SUBPIXEL, BoolArray
from actiseg_data.core.opencv import load_cv2

Distances: TypeAlias = NDArray[np.int32]

_BOX = 5  # side of the box over which distances to an edge are averaged, in pixels


def measure_squared_depths(shape: BoolArray) -> NDArray[np.float32]:
    """Measure the squared distance of each pixel of a shape to the nearest pixel outside.

    OpenCV returns square roots, and their last bits depend on its build (with or without Intel's
    primitives). Squares are therefore rounded to whole numbers, which is exact up to about 1,600
    pixels.

    Parameters
    ----------
    shape : (H, W) bool
        The shape. Pixels beyond the array do not count as outside.

    Returns
    -------
    (H, W) float32
        Whole numbers, 0 outside of the shape. If no pixel is outside, the distance is H + W pixels.

    Examples
    --------
    >>> measure_squared_depths(np.array([[False, True, True]])).tolist()
    [[0.0, 1.0, 4.0]]
    """
    cv2 = load_cv2()
    shape = as_binary_mask(shape, "shape")
    roots: NDArray[np.float32] = cv2.distanceTransform(
        shape.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE
    )
    np.minimum(roots, sum(shape.shape), out=roots)
    np.square(roots, out=roots)
    return np.rint(roots, out=roots)


def measure_depths(shape: BoolArray) -> Distances:
    """Measure the distance of each pixel of a shape to the nearest pixel outside, in 1/64 pixel.

    See `measure_squared_depths`; the result is (H, W) int32.

    Examples
    --------
    >>> measure_depths(np.array([[False, True, True]])).tolist()
    [[0, 64, 128]]
    """
    exact = measure_squared_depths(shape)
    np.sqrt(exact, out=exact)
    exact *= SUBPIXEL
    return np.rint(exact, out=exact).astype(np.int32)


def measure_edge_distances(shape: BoolArray) -> Distances:
    """Measure the distance of each pixel outside of a shape to the shape's edge, in 1/64 pixel.

    Near an edge, distances between pixel centres have few values (1, 1.41, 2, ...) and repeat the
    steps of the edge. The mean over a box of 5 x 5 pixels also reflects the slope of the edge. It
    replaces the distance, limited to a difference of half a pixel.

    Parameters
    ----------
    shape : (H, W) bool
        The shape. Its edge runs half a pixel beyond the centres of its pixels. The outermost pixels
        of the array are continued beyond it.

    Returns
    -------
    (H, W) int32
        At least 1 outside of the shape, without meaning inside.
    """
    cv2 = load_cv2()
    shape = as_binary_mask(shape, "shape")
    half = SUBPIXEL // 2
    distances = measure_depths(~shape) - half
    # Inside, all pixels but the outermost are one pixel deeper: no relevant box reaches a third.
    deeper = cv2.erode(shape.view(np.uint8), np.ones((3, 3), np.uint8))
    sums: Distances = cv2.boxFilter(
        distances - SUBPIXEL * deeper.astype(np.int32),
        cv2.CV_32S,
        (_BOX, _BOX),
        normalize=False,
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.maximum(np.clip(sums // _BOX**2, distances - half, distances + half), 1)
