"""Outlines of masks along the sides of pixels, as polygons that COCO's rule fills exactly."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.polygons import BoolArray, IntArray


@dataclass(frozen=True, eq=False)
class _Corners:
    """The corners of the outlines of a mask, row after row.

    Corner 2 i and corner 2 i + 1 are the left and the right end of a horizontal side. Two outlines
    that touch have a corner each.

    Attributes
    ----------
    points : (N, 2) int64
        x and y.
    below : (N,) bool
        Whether the pixel to the right of the corner and below it is in the mask.
    vertical : (N,) int64
        The corner at the other end of the vertical side.
    """

    points: IntArray
    below: BoolArray
    vertical: IntArray


def trace_outlines(mask: BoolArray) -> list[IntArray]:
    """Trace the outlines of a mask, one polygon for each part whose pixels share sides.

    A hole is joined to the outline around it by a vertical line, which the polygon follows in both
    directions. Rules of filling do not see such a line: neither even-odd ones nor those that count
    windings.

    Parameters
    ----------
    mask : ndarray
        (H, W) bool.

    Returns
    -------
    list of ndarray
        (N, 2) int64 x, y of the corners of each polygon, where pixel (r, c) is the square
        [c, c + 1] x [r, r + 1]. The parts are in the order of their first pixels.

    Examples
    --------
    >>> trace_outlines(np.array([[False, True], [False, True]]))[0].tolist()
    [[1, 0], [2, 0], [2, 2], [1, 2]]
    """
    corners = _find_corners(mask)
    loops = _link_corners(corners)
    is_outer = [bool(corners.below[loop[0]]) for loop in loops]
    if all(is_outer):
        return [corners.points[_list_both_ends(loop)] for loop in loops]
    return _join_holes(corners, loops, is_outer)


def _find_corners(mask: BoolArray) -> _Corners:
    columns, rows = (np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1))
    if not len(rows):
        none = np.zeros(0, np.int64)
        return _Corners(none.reshape(0, 2), none.astype(bool), none)
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    height, width = mask.shape
    padded = np.zeros((height + 2, width + 2), bool)
    padded[1:-1, 1:-1] = mask
    upper_left, upper_right = padded[:-1, :-1], padded[:-1, 1:]
    lower_left, lower_right = padded[1:, :-1], padded[1:, 1:]
    left, right = upper_left ^ lower_left, upper_right ^ lower_right
    touches = left & right & (upper_left ^ upper_right)
    vertices = np.flatnonzero((left ^ right) | touches)
    doubled = np.repeat(vertices, 1 + touches.ravel()[vertices])
    y, x = np.divmod(doubled, width + 1)
    below = lower_right[y, x]
    # Where two outlines touch, the left side belongs to the one with the upper side iff the pixel
    # between these sides is in the mask. Else it belongs to the one with the lower side.
    is_second = np.concatenate([[False], doubled[1:] == doubled[:-1]])
    is_lower = is_second ^ (touches[y, x] & ~below)
    order = np.argsort((x * (height + 1) + y) * 2 + is_lower)
    vertical = np.empty_like(order)
    vertical[order[0::2]], vertical[order[1::2]] = order[1::2], order[0::2]
    points: IntArray = np.stack([x + columns[0], y + rows[0]], axis=1)
    return _Corners(points, below, vertical)


def _link_corners(corners: _Corners) -> list[list[int]]:
    """Link corners to closed outlines.

    Each is a list of every second corner, beginning with the first in the first row; the corner
    between two of them is at the other end of a horizontal side. All outlines begin to the right.
    """
    total = len(corners.points)
    following = corners.vertical[np.arange(total) ^ 1].tolist()
    visited = bytearray(total)
    loops = []
    start = visited.find(0)
    while start >= 0:
        loop, corner = [], start
        while not visited[corner]:
            visited[corner] = visited[corner ^ 1] = 1
            loop.append(corner)
            corner = following[corner]
        loops.append(loop)
        start = visited.find(0, start)
    return loops


def _list_both_ends(loop: list[int]) -> IntArray:
    """List all corners of an outline in order."""
    starts = np.array(loop)
    return np.stack([starts, starts ^ 1], axis=1).ravel()


def _join_holes(corners: _Corners, loops: list[list[int]], is_outer: list[bool]) -> list[IntArray]:
    """Join each hole to the outline above it.

    The outline of a hole is walked in the other direction than that around it.
    """
    points = corners.points
    left, right, heights = points[0::2, 0], points[1::2, 0], points[0::2, 1]
    owner = np.empty(len(left), np.int64)  # the outline of each horizontal side
    for number, loop in enumerate(loops):
        owner[np.array(loop) // 2] = number
    inserted: dict[int, dict[int, list[list[tuple[int, int]]]]] = {}
    polygons: list[IntArray] = []
    # A hole is joined to an outline that begins above it, so the last outline is whole already.
    for number in reversed(range(len(loops))):
        ring = _insert_rings(points, loops[number], inserted.pop(number, {}))
        if is_outer[number]:
            polygons.append(np.array(ring))
            continue
        x, y = ring[0]
        above = np.flatnonzero((left <= x) & (x <= right) & (heights < y))
        side = int(above[np.argmax(heights[above])])
        parent = int(owner[side])
        if is_outer[parent]:  # a parent that is a hole is reversed later, with this ring
            ring = [ring[0], *ring[:0:-1]]
        bridge = (x, int(heights[side]))
        rings = inserted.setdefault(parent, {}).setdefault(side, [])
        rings.append([bridge, *ring, ring[0], bridge])
    return polygons[::-1]


def _insert_rings(
    points: IntArray, loop: list[int], inserted: dict[int, list[list[tuple[int, int]]]]
) -> list[tuple[int, int]]:
    """List the points of an outline, with rings inserted into some of its horizontal sides."""
    ring: list[tuple[int, int]] = []
    for corner in loop:
        start, end = (tuple(points[place].tolist()) for place in (corner, corner ^ 1))
        rings = sorted(inserted.get(corner // 2, ()), reverse=start > end)
        ring += [start, *_flatten_rings(rings), end]
    return [point for index, point in enumerate(ring) if point != ring[index - 1]]


def _flatten_rings(rings: Iterable[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    return [point for ring in rings for point in ring]
