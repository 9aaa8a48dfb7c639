"""Simplify traced outlines: Douglas & Peucker (Cartographica 1973), breadth first.

The implementation is our own because a noisy split must not change with a library: GEOS 3.11 and
3.14 simplify half of the outlines of the built-in sample differently.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import IntArray, as_vertices


def simplify_ring(ring: IntArray, tolerance: int) -> IntArray:
    """Drop the vertices of a closed ring that are close to the line that replaces them.

    Parameters
    ----------
    ring : (N, 2) int
        x and y of the vertices in any unit, below 2**29.
    tolerance : int
        Largest distance to the line, in the same unit.

    Returns
    -------
    (M, 2) int64
        3 <= M <= N vertices, from the smallest on. If fewer than 3 would remain, all vertices at
        which the ring turns; no vertex if the ring has no area.

    Examples
    --------
    >>> simplify_ring(np.array([[0, 0], [4, 0], [8, 0], [8, 8], [0, 8]]), 1).tolist()
    [[0, 0], [8, 0], [8, 8], [0, 8]]
    """
    x, y = drop_collinear(ring)
    if len(x) < 3:
        return np.zeros((0, 2), np.int64)
    from_first = (x - x[0]) ** 2 + (y - y[0]) ** 2
    kept = np.zeros(len(x), bool)
    kept[[0, int(from_first.argmax())]] = True
    while True:
        corners = np.flatnonzero(kept)
        chain = np.cumsum(kept) - 1
        ends = np.append(corners[1:], 0)
        start, end = corners[chain], ends[chain]
        length = (x[ends] - x[corners]) ** 2 + (y[ends] - y[corners]) ** 2
        away = _compute_squared_distances(x, y, start, end, length[chain])
        farthest = np.maximum.reduceat(away, corners)
        farthest[farthest <= tolerance**2 * length] = -1
        split = np.flatnonzero(away == farthest[chain])
        if not len(split):
            break
        first = np.diff(chain[split], prepend=-1) > 0
        kept[split[first]] = True
    if kept.sum() < 3:
        return np.stack([x, y], axis=1)
    return np.stack([x[kept], y[kept]], axis=1)


def drop_collinear(ring: IntArray) -> tuple[IntArray, IntArray]:
    """Return x and y of the vertices at which the ring turns, from the smallest on."""
    x, y = as_vertices(ring).T
    moves = (x != np.roll(x, 1)) | (y != np.roll(y, 1))
    x, y = x[moves], y[moves]
    before_x, before_y = x - np.roll(x, 1), y - np.roll(y, 1)
    after_x, after_y = np.roll(before_x, -1), np.roll(before_y, -1)
    straight = before_x * after_y == before_y * after_x
    turns = ~straight | (before_x * after_x + before_y * after_y < 0)
    x, y = x[turns], y[turns]
    if not len(x):
        return x, y
    first = -int(np.lexsort((y, x))[0])
    return np.roll(x, first), np.roll(y, first)


def _compute_squared_distances(
    x: IntArray, y: IntArray, start: IntArray, end: IntArray, length: IntArray
) -> NDArray[np.float64]:
    """Compute the squared distance of each point to its segment, times the squared length, (N,).

    `start` and `end` have the index of the segment's ends for each point; `length` is squared. For
    frames beyond 6,000 pixels these products of integers exceed int64. As floats they are exact up
    to 2**53, and rounded in the same way on every machine above.
    """
    along_x, along_y = x[end] - x[start], y[end] - y[start]
    aside_x, aside_y = x - x[start], y - y[start]
    dot = along_x * aside_x + along_y * aside_y
    away = (along_x * aside_y - along_y * aside_x).astype(np.float64) ** 2
    length = length.astype(np.float64)
    before = np.flatnonzero(dot < 0)
    away[before] = (aside_x[before] ** 2 + aside_y[before] ** 2) * length[before]
    behind = np.flatnonzero(dot > length)
    past_x, past_y = aside_x[behind] - along_x[behind], aside_y[behind] - along_y[behind]
    away[behind] = (past_x**2 + past_y**2) * length[behind]
    return away
