"""Polygon filling in our own integer arithmetic.

Library rasterisers differ between releases (OpenCV between 4.10 and 4.12, Pillow between 9.0 and
9.1, scikit-image between 0.17 and 0.19), and a noisy split must be reproducible to the pixel. All
arithmetic is on integers, so the result does not depend on floating-point rounding.

Two rules, for two conventions of the position of a pixel:

* `fill_closed`: vertices are pixel centres and the outline belongs to the shape. This is what
  OpenCV >= 4.12 draws with ``fillPoly`` and what VISOR-based datasets are made with.
* `fill_sampled`: a pixel is a unit square and belongs to the shape iff its centre is inside. This
  is
  unbiased and exact, and is used for noisy contours, which are kept on a lattice of 1/64 pixel.

Both are even-odd over all rings: a nested ring is a hole, overlapping parts cancel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import as_binary_mask
from actiseg_data.core.errors import refuse

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

SUBPIXEL = 64
"""Lattice steps per pixel for vertices given to `fill_sampled`."""

_FIXED = 16  # fractional bits of an edge's x in `fill_closed`


@dataclass(frozen=True)
class Patch:
    """A binary mask cut to a window of an image.

    Attributes
    ----------
    top, left : int
        Row and column of the window's first pixel.
    mask : ndarray
        (h, w) bool, possibly empty; other arrays are converted by `as_binary_mask`.
    """

    top: int
    left: int
    mask: BoolArray

    def __post_init__(self) -> None:
        mask = as_binary_mask(self.mask, "Patch.mask")
        if mask is not self.mask:
            object.__setattr__(self, "mask", mask)

    @property
    def window(self) -> tuple[slice, slice]:
        """The slices that place `mask` in the whole image."""
        height, width = self.mask.shape
        return slice(self.top, self.top + height), slice(self.left, self.left + width)

    def locate_in(self, outer: Patch) -> tuple[slice, slice]:
        """Return the slices that place `mask` in another patch, which must contain its window.

        >>> Patch(4, 5, np.ones((1, 2), bool)).locate_in(Patch(3, 3, np.zeros((9, 9), bool)))
        (slice(1, 2, None), slice(2, 4, None))
        """
        return Patch(self.top - outer.top, self.left - outer.left, self.mask).window

    def to_image(self, shape: tuple[int, int]) -> BoolArray:
        """Return the whole image: (H, W) bool of the given shape."""
        image = np.zeros(shape, bool)
        image[self.window] = self.mask
        return image


EMPTY_PATCH = Patch(0, 0, np.zeros((0, 0), bool))


def fill_closed(rings: Sequence[IntArray], shape: tuple[int, int]) -> Patch:
    """Fill integer polygons as OpenCV >= 4.12 does, outline included.

    An edge that leaves the image is first cut to it, as OpenCV does.

    Parameters
    ----------
    rings : sequence of ndarray
        (N, 2) int64 x, y on pixel centres, N >= 1. They may leave the image.
    shape : tuple of int
        (H, W) of the image.

    Returns
    -------
    Patch
        All pixels that are inside (even-odd) or on an edge.

    Examples
    --------
    >>> int(fill_closed([np.array([[1, 1], [3, 1], [3, 3], [1, 3]])], (5, 5)).mask.sum())
    9
    """
    start, end = _list_edges(rings)
    if not len(start):
        return EMPTY_PATCH
    height, width = shape
    left = int(max(start[:, 0].min(), 0))
    top = int(max(start[:, 1].min(), 0))
    right = int(min(start[:, 0].max(), width - 1))
    bottom = int(min(start[:, 1].max(), height - 1))
    if right < left or bottom < top:
        return EMPTY_PATCH
    window = (top, left, bottom + 1, right + 1)

    cut_start, cut_end = _cut_lines(start, end, shape)
    low, high = _orient_upward(start, end)
    base, peak = _orient_upward(
        cut_start, cut_end
    )  # an edge cut to a single point counts as vertical on all rows
    edge, row = _list_edge_rows(np.maximum(low[:, 1], top), np.minimum(high[:, 1], bottom + 1))
    slope = _divide_toward_zero((peak[:, 0] - base[:, 0]) << _FIXED, peak[:, 1] - base[:, 1])
    x = (base[edge, 0] << _FIXED) + (row - base[edge, 1]) * slope[edge]
    pairs_row, enter, leave = _pair_crossings(row, x)
    unit = 1 << _FIXED
    mask = _paint_spans(pairs_row, (enter + unit - 1) >> _FIXED, (leave >> _FIXED) + 1, window)

    # Edges that stay beyond one side are invisible, and could need any amount of memory to draw.
    near = _may_touch(cut_start, cut_end, shape)
    line_x, line_y = _draw_lines(cut_start[near], cut_end[near])
    seen = (line_x >= left) & (line_x <= right) & (line_y >= top) & (line_y <= bottom)
    mask[line_y[seen] - top, line_x[seen] - left] = True
    return Patch(top, left, mask)


def fill_sampled(rings: Sequence[IntArray], window: tuple[int, int, int, int]) -> BoolArray:
    """Fill polygons on the 1/64-pixel lattice by testing every pixel centre exactly.

    Parameters
    ----------
    rings : sequence of ndarray
        (N, 2) int64 x, y in units of 1/64 pixel; pixel (r, c) is the square [c, c + 1] x [r, r +
        1].
    window : tuple of int
        (top, left, bottom, right), half-open, in pixels.

    Returns
    -------
    ndarray
        (bottom - top, right - left) bool. A centre on an edge belongs to the shape to its right or
        below it.

    Examples
    --------
    >>> square = 64 * np.array([[1, 1], [4, 1], [4, 3], [1, 3]])
    >>> int(fill_sampled([square], (0, 0, 5, 5)).sum())
    6
    """
    start, end = _list_edges(rings)
    top, left, bottom, right = window
    half = SUBPIXEL // 2
    low, high = _orient_upward(start, end)
    # Row r is crossed by the edges with low.y <= centre < high.y, its centre being at 64 r + 32.
    first = -((half - low[:, 1]) // SUBPIXEL)
    last = -((half - high[:, 1]) // SUBPIXEL)
    edge, row = _list_edge_rows(np.maximum(first, top), np.minimum(last, bottom))
    rise = high[edge, 1] - low[edge, 1]
    climb = row * SUBPIXEL + half - low[edge, 1]
    # x of the crossing is low.x + climb * run / rise; the first centre at or right of it, in
    # pixels, is a ceiling of exact integers.
    numerator = (low[edge, 0] - half) * rise + climb * (high[edge, 0] - low[edge, 0])
    column = -(-numerator // (rise * SUBPIXEL))
    width, size = right - left, (bottom - top) * (right - left)
    # Every row is crossed an even number of times, so runs outside and inside alternate from the
    # window's first pixel to its last, row after row.
    turns = np.sort((row - top) * width + np.clip(column - left, 0, width))
    runs = np.diff(turns, prepend=0, append=size)
    inside = np.arange(len(runs)) % 2 == 1
    return np.repeat(inside, runs).reshape(bottom - top, width)


def as_vertices(ring: Any) -> IntArray:
    """Convert the vertices of a ring to (N, 2) int64, so that products do not overflow.

    Floats raise an `InputError`, because they would be truncated.

    >>> as_vertices(np.array([[200, 100]], np.uint8)).dtype
    dtype('int64')
    """
    points = np.asarray(ring)
    if points.dtype.kind not in "iu":
        raise refuse(f"has {points.dtype} vertices, not integers", "ring", "round the vertices")
    return points.astype(np.int64, copy=False)


def _list_edges(rings: Sequence[IntArray]) -> tuple[IntArray, IntArray]:
    """List all edges of closed rings: (E, 2) starts and (E, 2) ends."""
    kept = [as_vertices(ring) for ring in rings if len(ring)]
    if not kept:
        none = np.zeros((0, 2), np.int64)
        return none, none
    end = np.concatenate(kept)
    start = np.roll(end, 1, axis=0)
    stops = np.cumsum([len(ring) for ring in kept])
    start[[0, *stops[:-1]]] = end[stops - 1]
    return start, end


def _orient_upward(start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Orient each edge from its smaller to its larger y."""
    swap = (start[:, 1] > end[:, 1])[:, None]
    return np.where(swap, end, start), np.where(swap, start, end)


def _list_edge_rows(first: IntArray, last: IntArray) -> tuple[IntArray, IntArray]:
    """List edge index and row of every (edge, row) with first[edge] <= row < last[edge]."""
    count = np.maximum(last - first, 0)
    edge = np.repeat(np.arange(len(count)), count)
    offset = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count)
    return edge, first[edge] + offset


def _pair_crossings(row: IntArray, x: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Sort crossings by row, then x, and pair them: row, enter, leave."""
    order = np.lexsort((x, row))
    row, x = row[order], x[order]
    return row[0::2], x[0::2], x[1::2]


def _paint_spans(
    row: IntArray, begin: IntArray, stop: IntArray, window: tuple[int, int, int, int]
) -> BoolArray:
    """Compute the union of half-open spans [begin, stop) on their rows, cut to the window."""
    top, left, bottom, right = window
    width = right - left
    begin = np.clip(begin - left, 0, width)
    stop = np.clip(stop - left, 0, width)
    real = begin < stop
    flat = (row[real] - top) * (width + 1)
    size = (bottom - top) * (width + 1)
    steps = np.bincount(flat + begin[real], minlength=size)
    steps -= np.bincount(flat + stop[real], minlength=size)
    kind = np.int16 if len(flat) < 1 << 15 else np.int32  # all spans can meet in one pixel
    depth = np.cumsum(steps.reshape(bottom - top, width + 1).astype(kind), axis=1, dtype=kind)
    return depth[:, :width] > 0


def _divide_toward_zero(numerator: IntArray, denominator: IntArray) -> IntArray:
    """Divide integers, rounding toward zero as in C; division by 0 gives 0."""
    quotient: IntArray = np.abs(numerator) // np.maximum(np.abs(denominator), 1)
    return np.sign(numerator) * np.sign(denominator) * quotient


def _cut_lines(start: IntArray, end: IntArray, shape: tuple[int, int]) -> tuple[IntArray, IntArray]:
    """Cut edges to the image (Cohen-Sutherland in integers: rows first, then columns).

    Edges that are completely beyond one side are returned unchanged.
    """
    start, end = start.copy(), end.copy()
    for axis, last in ((1, shape[0] - 1), (0, shape[1] - 1)):
        beyond = [np.sign(p[:, axis] // (last + 1)) for p in (start, end)]  # -1, 0 or 1
        crosses = (beyond[0] != beyond[1]) & _may_touch(start, end, shape)
        for point, end_point, side in ((start, end, beyond[0]), (end, start, beyond[1])):
            moved = crosses & (side != 0)
            border = np.where(side[moved] > 0, last, 0)
            p, q = point[moved], end_point[moved]
            slide = _divide_toward_zero(
                (border - p[:, axis]) * (q - p)[:, 1 - axis], (q - p)[:, axis]
            )
            point[moved, 1 - axis] = p[:, 1 - axis] + slide
            point[moved, axis] = border
    return start, end


def _may_touch(start: IntArray, end: IntArray, shape: tuple[int, int]) -> BoolArray:
    """Return False for edges that are completely beyond one side of the image."""
    size = np.array([shape[1], shape[0]])
    touches: BoolArray = (np.minimum(start, end) < size) & (np.maximum(start, end) >= 0)
    return touches[:, 0] & touches[:, 1]


def _draw_lines(start: IntArray, end: IntArray) -> tuple[IntArray, IntArray]:
    """Return x and y of all pixels on the 8-connected Bresenham lines of the edges.

    Lines are drawn from the left end, and the minor coordinate is rounded to nearest with halves
    toward the start: the closed form of the usual error recurrence.
    """
    swap = (start[:, 0] > end[:, 0])[:, None]
    first, last = np.where(swap, end, start), np.where(swap, start, end)
    dx = last[:, 0] - first[:, 0]
    dy = last[:, 1] - first[:, 1]
    steep = np.abs(dy) > dx
    major = np.maximum(dx, np.abs(dy))
    minor = np.minimum(dx, np.abs(dy))
    edge, step = _list_edge_rows(np.zeros_like(major), major + 1)
    length = np.maximum(major[edge], 1)
    aside = (2 * minor[edge] * step + length - 1) // (2 * length)
    down = np.sign(dy[edge])
    x = first[edge, 0] + np.where(steep[edge], aside, step)
    y = first[edge, 1] + down * np.where(steep[edge], step, aside)
    return x, y
