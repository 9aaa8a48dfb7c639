"""Gaussian smoothing of a mask in whole numbers, so that rounding does not decide a pixel."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import as_binary_mask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_data.core.opencv import load_cv2

Weights = NDArray[np.float64]

_UNIT = 1 << 16


def make_gaussian_weights(sigma: float, radius: int) -> Weights:
    """Make the weights of a Gaussian as whole numbers in steps of 1/65,536 of their sum.

    Parameters
    ----------
    sigma : float
        Standard deviation in pixels, > 0.
    radius : int
        Pixels on each side of the centre, >= 0.

    Returns
    -------
    (2 * radius + 1,) float64
        The weights.

    Examples
    --------
    >>> make_gaussian_weights(1.0, 2).tolist()
    [3571.0, 16004.0, 26386.0, 16004.0, 3571.0]
    """
    bell = [math.exp(-(x**2) / (2 * sigma**2)) for x in range(-radius, radius + 1)]
    weights: Weights = np.rint(np.round(np.array(bell) * (_UNIT / math.fsum(bell)), 9))
    return weights


def smooth_mask(
    mask: BoolArray, weights: Weights, border: Literal["reflect", "reflect-101"]
) -> BoolArray:
    """Smooth a mask and return the pixels that exceed one half.

    Parameters
    ----------
    mask : (h, w) bool
        The mask.
    weights : (n,) float64
        Weights along rows and columns alike, from `make_gaussian_weights`.
    border : str
        How the mask continues beyond its edges: ``reflect`` repeats the outermost pixel (cba|abc),
        the default of SciPy; ``reflect-101`` does not (cb|abc), the default of OpenCV.

    Returns
    -------
    (h, w) bool
        The smoothed mask.

    Examples
    --------
    >>> smooth_mask(np.eye(3, dtype=bool), make_gaussian_weights(0.5, 1), "reflect").astype(int)
    array([[1, 0, 0],
           [0, 1, 0],
           [0, 0, 1]])
    """
    cv2 = load_cv2()
    mask = as_binary_mask(mask)
    beyond = {"reflect": cv2.BORDER_REFLECT, "reflect-101": cv2.BORDER_REFLECT_101}[border]
    # All sums are whole numbers below 2**33, which float64 adds exactly in any order.
    sums = cv2.sepFilter2D(mask.view(np.uint8), cv2.CV_64F, weights, weights, borderType=beyond)
    above: BoolArray = 2 * sums > weights.sum() ** 2
    return above
