"""Filling of polygons by COCO's rule, and polygons that this rule fills to given masks.

COCO's rule: the vertices are rounded to a lattice of 1/5 pixel, lines on the lattice join them, and
each line changes from outside to inside, or back, at the middle of a column. Pixel (r, c) is the
square [c, c + 1] x [r, r + 1]. Several polygons of one object are united.

pycocotools has this rule in C, without a check of the coordinates. The results are equal bit for
bit, see the tests.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.coco_rle import paint_turns
from actiseg_data.annotations.polygons import EMPTY_PATCH, IntArray, Patch

_STEPS = 5
"""Steps of the lattice in a pixel."""
_MIDDLE = 2
"""The step of a column whose right side is nearest to the middle of the column."""

MAX_STEPS = 1 << 22
"""The longest outline of a polygon, in steps: bounds the memory and the time of filling."""


def fill_coco_polygons(polygons: Sequence[NDArray[np.float64]], shape: tuple[int, int]) -> Patch:
    """Fill the polygons of an object as COCO does.

    Parameters
    ----------
    polygons : sequence of ndarray
        (N, 2) float64 x, y, N >= 1, finite. They may leave the image.
    shape : tuple of int
        (H, W) of the image.

    Returns
    -------
    Patch
        All pixels inside any polygon, cut to some columns.

    Raises
    ------
    ValueError
        If an outline is longer than `MAX_STEPS`.

    Examples
    --------
    >>> square = np.array([[1.0, 1.0], [4.0, 1.0], [4.0, 3.0], [1.0, 3.0]])
    >>> int(fill_coco_polygons([square], (5, 5)).mask.sum())
    6
    """
    painted = [paint_turns(_find_turns(polygon, shape), shape[0]) for polygon in polygons]
    parts = [part for part in painted if part.mask.size]
    if len(parts) < 2:
        return parts[0] if parts else EMPTY_PATCH
    left = min(part.left for part in parts)
    right = max(part.left + part.mask.shape[1] for part in parts)
    # By columns, as the parts are in memory.
    united = Patch(0, left, np.zeros((right - left, shape[0]), bool).T)
    for part in parts:
        united.mask[part.locate_in(united)] |= part.mask
    return united


def _find_turns(polygon: NDArray[np.float64], shape: tuple[int, int]) -> IntArray:
    """Find the positions in an image where the inside of a polygon begins and ends, in order."""
    height, width = shape
    x, y = _trace_lattice((_STEPS * polygon + 0.5).astype(np.int64))
    crossed = np.flatnonzero(x[1:] != x[:-1])
    right = x[crossed + 1]
    step = np.where(right < x[crossed], right, right - 1)
    column = step // _STEPS
    counts = (step % _STEPS == _MIDDLE) & (column >= 0) & (column < width)
    crossed, column = crossed[counts], column[counts]
    upper = np.minimum(y[crossed], y[crossed + 1])
    row = np.clip(-((_MIDDLE - upper) // _STEPS), 0, height)
    turns: IntArray = np.sort(column * height + row)
    return turns


def _trace_lattice(points: IntArray) -> tuple[IntArray, IntArray]:
    """Return x and y of all lattice points on the closed outline through some points.

    An edge is walked along its longer side, from its left or upper end. The other coordinate is
    rounded toward zero after adding a half, as in C.
    """
    ends = np.concatenate([points[1:], points[:1]])
    x_run, y_run = np.abs(ends - points).T
    is_flat = x_run >= y_run
    length = np.where(is_flat, x_run, y_run)
    if int(length.sum()) + len(length) > MAX_STEPS:
        raise ValueError(f"an outline is longer than {MAX_STEPS // _STEPS} pixels")
    along = np.where(is_flat[:, None], points, points[:, ::-1])
    goal = np.where(is_flat[:, None], ends, ends[:, ::-1])
    swaps = along[:, 0] > goal[:, 0]
    first = np.where(swaps[:, None], goal, along)
    slope = (np.where(swaps, along[:, 1], goal[:, 1]) - first[:, 1]) / np.maximum(length, 1)
    # From here on, one element for each lattice point.
    counts = length + 1
    stops = np.cumsum(counts)
    edge = np.repeat(np.arange(len(counts)), counts)
    # A swapped edge is walked from its last step to the first.
    begin = np.where(swaps, stops - 1, stops - counts)
    step = np.abs(np.arange(stops[-1]) - begin[edge])
    major = first[edge, 0] + step
    minor = (first[edge, 1] + slope[edge] * step + 0.5).astype(np.int64)
    flat = is_flat[edge]
    return np.where(flat, major, minor), np.where(flat, minor, major)
