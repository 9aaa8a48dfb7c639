"""Polygons that COCO's rule fills to a given mask exactly, with few points.

COCO's rule looks at an outline at the middle of each column alone, see `coco_polygons`. Lines that
pass each middle close enough to the sides of the pixels therefore give the same mask. All
arithmetic is on COCO's lattice of 1/5 pixel. A line changes at row Y of column x if its y at
5 x + 2.5 is from 5 Y - 2 to 5 Y + 2.5. For most slopes, the true range is wider.
"""

from __future__ import annotations

from math import ceil, floor, inf

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.pixel_outlines import trace_outlines
from actiseg_data.annotations.polygons import BoolArray, IntArray

_STEPS = 5
"""Steps of the lattice in a pixel."""
_LOWEST, _HIGHEST = -1.99, 2.49
"""Where a line passes the middle of a column, from the side there, in steps."""
_STEEPEST = 3
"""The most rows between neighbouring columns of a line. Longer vertical sides stay."""
_MOST_MIDDLES = 64
"""The most middles that a line is continued over in search of an end."""


def draw_coco_polygons(mask: BoolArray) -> list[NDArray[np.float64]]:
    """Draw polygons that COCO's rule fills to exactly this mask.

    Parameters
    ----------
    mask : ndarray
        (H, W) bool.

    Returns
    -------
    list of ndarray
        (N, 2) float64 x, y of each polygon, as `trace_outlines` arranges them. Points are at most
        half a pixel from the sides of the pixels, and never outside the box around the mask.

    Examples
    --------
    >>> draw_coco_polygons(np.tri(4, dtype=bool))[0].tolist()
    [[0.0, 0.0], [4.0, 3.0], [4.0, 4.0], [0.0, 4.0]]
    """
    return [_simplify_ring(ring) for ring in trace_outlines(mask)]


def _simplify_ring(ring: IntArray) -> NDArray[np.float64]:
    """Replace the stairs of a closed outline by lines."""
    following = np.concatenate([ring[1:], ring[:1]])
    is_side = following[:, 0] != ring[:, 0]
    start, goal, row = ring[is_side, 0], following[is_side, 0], ring[is_side, 1]
    sign = np.sign(goal - start)
    # Stairs are horizontal sides in one direction; here they begin with the first of some.
    breaks = np.flatnonzero((sign != _shift(sign)) | (np.abs(row - _shift(row)) > _STEEPEST))
    order = (np.arange(len(row)) + breaks[0]) % len(row)
    start, goal, row, sign = start[order], goal[order], row[order], sign[order]
    # The first and the last column of each side. On the way back, x is negative.
    first, last = sign * start, sign * goal - 1
    count = 1 + (last > first)
    ends = np.cumsum(count)
    columns, heights = np.repeat(first, count), _STEPS * row
    columns[ends - 1] = last
    levels = np.repeat(heights, count)
    middles = list(zip((_STEPS * columns + 2.5).tolist(), levels.tolist(), strict=True))
    bounds = int(heights.min()), int(heights.max())
    begins = breaks - breaks[0]
    stops = np.concatenate([begins[1:], [len(row)]])
    stairs = zip(
        sign[begins].tolist(),
        zip((_STEPS * first[begins]).tolist(), heights[begins].tolist(), strict=True),
        zip((_STEPS * last[stops - 1] + _STEPS).tolist(), heights[stops - 1].tolist(), strict=True),
        (stops - begins).tolist(),
        ends[stops - 1].tolist(),
        strict=True,
    )
    points: list[tuple[int, int]] = []
    done = 0
    for way, corner, end, sides, stop in stairs:
        lines = _choose_points(middles[done:stop], corner, end, bounds) if sides > 1 else ()
        points += [(way * x, y) for x, y in (corner, *lines, end)]
        done = stop
    return np.array(points, np.float64) / _STEPS


def _shift(values: IntArray) -> IntArray:
    """Return for each value of a circle the one before it."""
    return np.concatenate([values[-1:], values[:-1]])


def _choose_points(
    middles: list[tuple[float, int]],
    corner: tuple[int, int],
    end: tuple[int, int],
    bounds: tuple[int, int],
) -> list[tuple[int, int]]:
    """Choose points between the corners of stairs, so that the lines pass all middles closely.

    A line is continued as long as some slope passes all middles behind it. It ends right after the
    last of them where a point of the lattice, between the bounds of y, is on such a line.
    """
    points: list[tuple[int, int]] = []
    (x, y), index, total = corner, 0, len(middles)
    while index < total:
        slopes: list[tuple[float, float]] = []
        low, high = -inf, inf
        for middle, height in middles[index : index + _MOST_MIDDLES]:
            run, rise = middle - x, height - y
            least, most = (rise + _LOWEST) / run, (rise + _HIGHEST) / run
            low = least if least > low else low
            high = most if most < high else high
            if low > high:
                break
            slopes.append((low, high))
        reaches_end = index + len(slopes) == total
        if reaches_end and low <= (end[1] - y) / (end[0] - x) <= high:
            break
        index += len(slopes)
        while True:  # at the first middle at the latest, the height of the side itself fits
            index -= 1
            middle, height = middles[index]
            low, high = slopes.pop()
            run = middle + 0.5 - x
            # The line that begins there must pass the other columns of the side, too.
            lowest = max(ceil(y + low * run), height + ceil(_LOWEST), bounds[0])
            highest = min(floor(y + high * run), height + floor(_HIGHEST), bounds[1])
            if lowest <= highest:
                break
        x, y = int(middle + 0.5), min(max(height, lowest), highest)
        points.append((x, y))
        index += 1
    return points
