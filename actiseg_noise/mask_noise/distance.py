"""Exact distances of pixels to the edge of a shape."""

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
    """Squared distance of each pixel of a shape to the nearest one outside.

    shape: (H, W) bool. Returns (H, W) float32 of whole numbers, 0 outside of the shape. What lies
    beyond the array is no outside; where there is none, H + W pixels is the distance.

    OpenCV gives roots, whose last bits depend on its build (with or without Intel's primitives): a
    square is rounded to the whole number that it is. That is exact up to some 1,600 pixels.

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
    """Distance of each pixel of a shape to the nearest one outside, in 1/64 pixel.

    Like `measure_squared_depths`; (H, W) int32.

    >>> depths(np.array([[False, True, True]])).tolist()
    [[0, 64, 128]]
    """
    exact = measure_squared_depths(shape)
    np.sqrt(exact, out=exact)
    exact *= SUBPIXEL
    return np.rint(exact, out=exact).astype(np.int32)


def measure_edge_distances(shape: BoolArray) -> Distances:
    """Distance of each pixel outside of a shape to the shape's edge, in 1/64 pixel.

    shape: (H, W) bool; its edge runs half a pixel beyond the centres of its pixels. Returns (H, W)
    int32: at least 1 outside of the shape, and of no meaning inside. What lies beyond the array
    continues its rim.

    Distances between pixel centres are few near an edge (1, 1.41, 2, ...) and repeat its
    stair-steps. The mean over a box of 5 x 5 pixels has as many values as the edge has slants. It
    replaces the distance as far as the two differ by no more than half a pixel.
    """
    cv2 = load_cv2()
    shape = as_binary_mask(shape, "shape")
    half = SUBPIXEL // 2
    distances = measure_depths(~shape) - half
    # Inside, all pixels but the outermost are a pixel deeper: no box that matters sees a third.
    deeper = cv2.erode(shape.view(np.uint8), np.ones((3, 3), np.uint8))
    sums: Distances = cv2.boxFilter(
        distances - SUBPIXEL * deeper.astype(np.int32),
        cv2.CV_32S,
        (_BOX, _BOX),
        normalize=False,
        borderType=cv2.BORDER_REPLICATE,
    )
    return np.maximum(np.clip(sums // _BOX**2, distances - half, distances + half), 1)
