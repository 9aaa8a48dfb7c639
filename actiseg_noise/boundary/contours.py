"""Masks to polygons and back: the outline of one object of an index mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import contourpy
import numpy as np
import shapely
from numpy.typing import NDArray

from actiseg_data.masks import IndexMask
from actiseg_data.polygons import EMPTY_PATCH, SUBPIXEL, BoolArray, IntArray, Patch, fill_sampled
from actiseg_noise.boundary.simplify import simplify_ring

Geometry: TypeAlias = Any
"""A shapely Polygon or MultiPolygon; shapely ships no types in its lowest supported version."""

_TOLERANCE = 1
"""Half pixels by which a simplified outline may leave the traced one: enough to make most
stair-steps lines."""

_NEAR_BORDER = 2
"""An object that comes within so many pixels of the frame's border counts as cut by it: drawn
outlines often stop a pixel short."""


@dataclass(frozen=True)
class Clean:
    """One object as the clean mask has it.

    patch: its pixels, cut to their bounding box. frame: (H, W) of the mask.
    """

    patch: Patch
    frame: tuple[int, int]

    @property
    def area(self) -> int:
        return int(self.patch.mask.sum())


def find_object(mask: IndexMask, object_id: int) -> Clean:
    """Cut one object out of an index mask; the patch is empty if the object is absent.

    mask: (H, W) uint8.

    >>> find_object(np.array([[0, 0], [0, 7]], np.uint8), 7).patch.window
    (slice(1, 2, None), slice(1, 2, None))
    """
    shape = (mask.shape[0], mask.shape[1])
    member = mask == object_id
    rows = np.flatnonzero(member.any(axis=1))
    if not len(rows):
        return Clean(EMPTY_PATCH, shape)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    columns = np.flatnonzero(member[top:bottom].any(axis=0))
    left, right = int(columns[0]), int(columns[-1]) + 1
    return Clean(Patch(top, left, member[top:bottom, left:right]), shape)


def typical_shift(clean: Clean) -> float:
    """Area over perimeter in pixels, from pixel counts alone: the scale of first guesses.

    The frame's border is no part of the perimeter.
    """
    rows, columns = clean.patch.window
    cells = np.pad(clean.patch.mask, 1)
    across, along = cells[1:] != cells[:-1], cells[:, 1:] != cells[:, :-1]
    sides = int(across.sum()) + int(along.sum())
    for cut, edge in (
        (rows.start == 0, across[0]),
        (rows.stop == clean.frame[0], across[-1]),
        (columns.start == 0, along[:, 0]),
        (columns.stop == clean.frame[1], along[:, -1]),
    ):
        sides -= int(edge.sum()) if cut else 0
    return clean.area / (0.8 * max(sides, 1))  # stair-steps make a slant look 1.27 times as long


def trace(clean: Clean) -> Geometry:
    """The outline of an object as polygons with holes, in pixels; pixel (r, c) is a unit square.

    Marching squares on the pixel centres, so the area is unbiased and filling the outline gives the
    mask back, then simplified by half a pixel. Where the object reaches the frame's border it is
    continued straight beyond it: the border is no boundary of the object, and noise must not move
    it.
    """
    height, width = clean.frame
    patch = clean.patch
    rows, columns = patch.window
    margin = _NEAR_BORDER + 1
    cells = np.pad(patch.mask, margin)
    for gap, view in (
        (rows.start, cells[::-1]),
        (height - rows.stop, cells),
        (columns.start, cells.T[::-1]),
        (width - columns.stop, cells.T),
    ):
        if gap <= _NEAR_BORDER:
            last = len(view) - 1 - margin + gap  # the frame's outermost row or column
            band = view[last - _NEAR_BORDER : last + 2]
            band[:] = band.any(axis=0)
    cells = np.pad(cells, 1).astype(np.float64)  # one empty cell more, so that all outlines close
    generator = contourpy.contour_generator(
        x=np.arange(cells.shape[1]) + (columns.start - margin - 0.5),
        y=np.arange(cells.shape[0]) + (rows.start - margin - 0.5),
        z=cells,
        name="serial",
        fill_type=contourpy.FillType.OuterOffset,
    )
    filled: Any = generator.filled(0.5, 2.0)
    points, offsets = filled
    far = float(max(height, width))
    parts = []
    for ring_points, ring_offsets in zip(points, offsets, strict=True):
        outline = _beyond(np.asarray(ring_points), height, width, far)
        rings = np.split(outline, np.asarray(ring_offsets[1:-1], np.int64))
        halves = [np.rint(2 * ring[:-1]).astype(np.int64) for ring in rings]
        part = _polygon([simplify_ring(ring, _TOLERANCE) for ring in halves])
        # A sliver can cross itself when simplified; it stays as traced.
        parts.append(part if part.is_valid else _polygon(halves))
    return shapely.MultiPolygon(parts) if len(parts) > 1 else parts[0]


def _polygon(rings: list[IntArray]) -> Geometry:
    """An outline and its holes, given in half pixels, where marching squares put all vertices."""
    outline, *holes = (ring / 2 for ring in rings)
    return shapely.Polygon(outline, [hole for hole in holes if len(hole)])


def _beyond(
    points: NDArray[np.float64], height: int, width: int, far: float
) -> NDArray[np.float64]:
    """Push the vertices that lie outside of the frame far away from it."""
    moved: NDArray[np.float64] = points.copy()
    for axis, size in ((0, width), (1, height)):
        moved[points[:, axis] < 0, axis] = -far
        moved[points[:, axis] > size, axis] = size + far
    return moved


def rings_of(shape: Geometry) -> list[NDArray[np.float64]]:
    """All rings of a geometry, outlines and holes alike, as (N, 2) float64 x, y without repeats."""
    rings = []
    for part in shapely.get_parts(shape):
        if shapely.get_type_id(part) == _POLYGON and not part.is_empty:
            rings += [shapely.get_coordinates(ring)[:-1] for ring in shapely.get_rings(part)]
    return rings


_POLYGON = 3


def to_lattice(points: NDArray[np.float64]) -> IntArray:
    """Snap (N, 2) float64 pixels to the 1/64 lattice: (N, 2) int64.

    Rounded to 1e-9 first, so that the last bit of a library's arithmetic cannot decide.
    """
    snapped: IntArray = np.rint(np.round(points, 9) * SUBPIXEL).astype(np.int64)
    return snapped


def draw(shape: Geometry, frame: tuple[int, int]) -> Patch:
    """Fill a geometry snapped to the lattice, cut to the frame (H, W)."""
    rings = [to_lattice(ring) for ring in rings_of(shape)]
    if not rings:
        return EMPTY_PATCH
    height, width = frame
    low = np.min([ring.min(axis=0) for ring in rings], axis=0) // SUBPIXEL
    high = -(-np.max([ring.max(axis=0) for ring in rings], axis=0) // SUBPIXEL)
    left, top = (int(v) for v in np.clip(low, 0, (width, height)))
    right, bottom = (int(v) for v in np.clip(high, 0, (width, height)))
    return Patch(top, left, fill_sampled(rings, (top, left, bottom, right)))


def shared_area(first: Patch, second: Patch) -> int:
    """Number of pixels that two patches have in common."""
    top = max(first.top, second.top)
    left = max(first.left, second.left)
    bottom = min(first.window[0].stop, second.window[0].stop)
    right = min(first.window[1].stop, second.window[1].stop)
    if bottom <= top or right <= left:
        return 0
    return int(
        (_cut(first, top, left, bottom, right) & _cut(second, top, left, bottom, right)).sum()
    )


def _cut(patch: Patch, top: int, left: int, bottom: int, right: int) -> BoolArray:
    return patch.mask[top - patch.top : bottom - patch.top, left - patch.left : right - patch.left]


def iou(first: Patch, second: Patch) -> float:
    """Intersection over union of two patches, both empty scoring 1.

    >>> iou(Patch(0, 0, np.ones((2, 2), bool)), Patch(0, 1, np.ones((2, 2), bool)))
    0.3333333333333333
    """
    shared = shared_area(first, second)
    union = int(first.mask.sum()) + int(second.mask.sum()) - shared
    return shared / union if union else 1.0
