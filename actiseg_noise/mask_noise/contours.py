"""Masks to polygons and back: the outline of one object of an index mask."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask
from actiseg_data.annotations.polygons import (
    EMPTY_PATCH,
    SUBPIXEL,
    BoolArray,
    IntArray,
    Patch,
    fill_sampled,
)
from actiseg_data.core.opencv import load_cv2

_NEAR_BORDER = 2
"""An object that comes within so many pixels of the frame's border counts as cut by it: drawn
outlines often stop a pixel short."""


@dataclass(frozen=True)
class ObjectMask:
    """One object as the clean mask has it.

    patch: its pixels, cut to their bounding box. frame: (H, W) of the mask.
    """

    patch: Patch
    frame: tuple[int, int]

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.patch.mask))


def find_object(mask: IndexMask, object_id: int) -> ObjectMask:
    """Cut one object out of an index mask; the patch is empty if the object is absent.

    mask: see `as_index_mask`.

    >>> find_object(np.array([[0, 0], [0, 7]], np.uint8), 7).patch.window
    (slice(1, 2, None), slice(1, 2, None))
    """
    mask = as_index_mask(mask)
    height, width = mask.shape
    # Searching bytes for a byte is the fastest way to the first and last rows and columns.
    pixels, wanted = mask.tobytes(), bytes([object_id])
    first = pixels.find(wanted)
    if first < 0:
        return ObjectMask(EMPTY_PATCH, (height, width))
    top, bottom = first // width, pixels.rfind(wanted) // width + 1
    member = mask[top:bottom] == object_id
    columns = _find_extent(member, 1)
    return ObjectMask(Patch(top, columns.start, member[:, columns]), (height, width))


def crop(clean: ObjectMask, margin: int) -> Patch:
    """An object with so many empty pixels around it as there are in the frame, up to `margin`.

    >>> crop(ObjectMask(Patch(1, 4, np.ones((2, 2), bool)), (9, 9)), 3).window
    (slice(0, 6, None), slice(1, 9, None))
    """
    rows, columns = clean.patch.window
    top, left = max(rows.start - margin, 0), max(columns.start - margin, 0)
    bottom = min(rows.stop + margin, clean.frame[0])
    right = min(columns.stop + margin, clean.frame[1])
    around = Patch(top, left, np.zeros((bottom - top, right - left), bool))
    around.mask[clean.patch.inside(around)] = clean.patch.mask
    return around


def trim(patch: Patch) -> Patch:
    """The patch cut to the bounding box of its pixels; `EMPTY_PATCH` if it has none.

    >>> trim(Patch(5, 5, np.eye(4, k=2, dtype=bool))).window
    (slice(5, 7, None), slice(7, 9, None))
    """
    # Not `cv2.boundingRect`: in OpenCV 4.8 it loses columns of masks a few pixels high.
    rows, columns = _find_extent(patch.mask, 0), _find_extent(patch.mask, 1)
    if not rows.stop:
        return EMPTY_PATCH
    return Patch(patch.top + rows.start, patch.left + columns.start, patch.mask[rows, columns])


def _find_extent(mask: BoolArray, axis: int) -> slice:
    """From the first to the last row (axis 0) or column (axis 1) with a pixel; to 0 without any."""
    hits = mask.any(axis=1 - axis).tobytes()
    return slice(hits.find(1), hits.rfind(1) + 1)


def crop_with_context(clean: ObjectMask, margin: int) -> Patch:
    """An object and the pixels around it, up to `margin` of them on each side, but none beyond the
    frame.

    margin: > 2. Where the object stops up to two pixels short of the frame's border, it is
    continued straight to it: it counts as cut there.
    """
    rows, columns = clean.patch.window
    height, width = clean.frame
    around = crop(clean, margin)
    cells = around.mask
    for gap, view in (
        (rows.start, cells[::-1]),
        (height - rows.stop, cells),
        (columns.start, cells.T[::-1]),
        (width - columns.stop, cells.T),
    ):
        if gap <= _NEAR_BORDER:
            band = view[-1 - _NEAR_BORDER :]
            band[:] = band.any(axis=0)
    return around


def estimate_shift(clean: ObjectMask) -> float:
    """Area over perimeter in pixels, from pixel counts alone: the scale of first guesses.

    The frame's border is no part of the perimeter.
    """
    mask = clean.patch.mask
    rows, columns = clean.patch.window
    sides = np.count_nonzero(mask[1:] != mask[:-1])
    sides += np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    for cut, edge in (
        (rows.start == 0, mask[0]),
        (rows.stop == clean.frame[0], mask[-1]),
        (columns.start == 0, mask[:, 0]),
        (columns.stop == clean.frame[1], mask[:, -1]),
    ):
        sides += 0 if cut else np.count_nonzero(edge)
    # Stair-steps make a slant look 1.27 times as long.
    return clean.area / (0.8 * max(int(sides), 1))


@dataclass(frozen=True)
class ObjectOutline:
    """The polygons of one object, vertices in pixels; pixel (r, c) is a unit square.

    points: (N, 2) float64 x, y of all rings, one ring after another, without repeats.
    stops: where each ring ends in `points`. parts: for each polygon the indices of its outer ring
    and of its holes.
    """

    points: NDArray[np.float64]
    stops: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]

    @property
    def rings(self) -> list[NDArray[np.float64]]:
        """(N, 2) float64 of each ring."""
        return np.split(self.points, self.stops[:-1])

    @property
    def is_valid(self) -> bool:
        """Whether no ring crosses itself or another."""
        import shapely

        rings = self.rings
        polygons = [
            shapely.Polygon(rings[outer], [rings[i] for i in holes]) for outer, *holes in self.parts
        ]
        return bool(shapely.is_valid(shapely.MultiPolygon(polygons)))


def trace(clean: ObjectMask, step: int = 1) -> ObjectOutline:
    """The outline of an object.

    Marching squares on the pixel centres: filling the outline gives the mask back. step: so many
    vertices in a row, 0.7 to 1 pixel apart, are replaced by their mean, unless rings would then
    cross. Where the object reaches the frame's border it is continued straight beyond it: the
    border is no boundary of the object, and noise must not move it.

    >>> square = ObjectMask(Patch(3, 3, np.ones((2, 2), bool)), (9, 9))
    >>> draw(trace(square), (9, 9)).window
    (slice(3, 5, None), slice(3, 5, None))
    """
    height, width = clean.frame
    around = crop_with_context(clean, _NEAR_BORDER + 1)
    rows, columns = around.window
    # Far enough beyond the border that no mean is of vertices on both sides of a corner there.
    cut = (rows.start == 0, rows.stop == height), (columns.start == 0, columns.stop == width)
    cells = np.pad(around.mask, step * np.array(cut, int), mode="edge")
    corner = np.array([columns.start - step * cut[1][0], rows.start - step * cut[0][0]])
    halves, parts = _trace_borders(cells)
    traced = [ring / 2 + corner for ring in halves]
    fewer = _join_rings([_average_vertices(ring, step) for ring in traced], parts, clean.frame)
    return fewer if step == 1 or fewer.is_valid else _join_rings(traced, parts, clean.frame)


def _join_rings(
    rings: list[NDArray[np.float64]], parts: tuple[tuple[int, ...], ...], frame: tuple[int, int]
) -> ObjectOutline:
    """Rings as an outline whose vertices outside of the frame are pushed far away from it."""
    points = np.concatenate(rings)
    far = float(max(frame))
    for axis, size in ((0, frame[1]), (1, frame[0])):
        place = points[:, axis]
        place[place < 0] = -far
        place[place > size] = size + far
    return ObjectOutline(points, tuple(np.cumsum([len(ring) for ring in rings]).tolist()), parts)


def _average_vertices(ring: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Means of `step` vertices in a row, but of fewer where less than 8 would remain."""
    step = max(min(step, len(ring) // 8), 1)
    starts = np.arange(0, len(ring), step)
    sums: NDArray[np.float64] = np.add.reduceat(ring, starts, axis=0)
    return sums / np.diff(starts, append=len(ring))[:, None]


def _trace_borders(cells: BoolArray) -> tuple[list[IntArray], tuple[tuple[int, ...], ...]]:
    """Outlines between pixels: through the middle of each side that the shape shares with no pixel.

    Lorensen & Cline (SIGGRAPH 1987) in two dimensions; where two pixels of the shape meet at a
    corner only, they are joined. Returns rings (N, 2) int64 x, y in half pixels, and for each part
    of the shape the indices of its outline and of its holes.
    """
    cv2 = load_cv2()
    # On the lattice of half pixels a pixel is its middle, corners and middles of sides: the border
    # of the union runs along the sides, through their middles and some corners.
    height, width = cells.shape
    lattice = np.zeros((2 * height + 1, 2 * width + 1), np.uint8)
    lattice[1::2, 1::2] = cells
    lattice = cv2.dilate(lattice, np.ones((3, 3), np.uint8))
    borders, tree = cv2.findContours(lattice, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    rings = []
    for border in borders:
        points = border[:, 0].astype(np.int64)
        rings.append(points[points.sum(axis=1) % 2 == 1])
    parents = tree[0, :, 3].tolist()
    parts = {i: [i] for i, parent in enumerate(parents) if parent < 0}
    for i, parent in enumerate(parents):
        if parent >= 0:
            parts[parent].append(i)
    return rings, tuple(map(tuple, parts.values()))


def to_lattice(points: NDArray[np.float64]) -> IntArray:
    """Snap (N, 2) float64 pixels to the 1/64 lattice: (N, 2) int64.

    Rounded to 1e-9 first, so that the last bit of a library's arithmetic cannot decide.
    """
    snapped: IntArray = np.rint(np.round(points, 9) * SUBPIXEL).astype(np.int64)
    return snapped


def draw(outline: ObjectOutline, frame: tuple[int, int]) -> Patch:
    """Fill an outline snapped to the lattice, cut to the frame (H, W)."""
    points = to_lattice(outline.points)
    if not len(points):
        return EMPTY_PATCH
    height, width = frame
    left, top = np.clip(points.min(axis=0) // SUBPIXEL, 0, (width, height)).tolist()
    right, bottom = np.clip(-(-points.max(axis=0) // SUBPIXEL), 0, (width, height)).tolist()
    rings = np.split(points, outline.stops[:-1])
    return Patch(top, left, fill_sampled(rings, (top, left, bottom, right)))


def count_shared_pixels(first: Patch, second: Patch) -> int:
    """Number of pixels that two patches have in common."""
    top = max(first.top, second.top)
    left = max(first.left, second.left)
    bottom = min(first.window[0].stop, second.window[0].stop)
    right = min(first.window[1].stop, second.window[1].stop)
    if bottom <= top or right <= left:
        return 0
    first_part = _cut(first, top, left, bottom, right)
    return int(np.count_nonzero(first_part & _cut(second, top, left, bottom, right)))


def _cut(patch: Patch, top: int, left: int, bottom: int, right: int) -> BoolArray:
    return patch.mask[top - patch.top : bottom - patch.top, left - patch.left : right - patch.left]


def compute_iou(first: Patch, second: Patch) -> float:
    """Intersection over union of two patches, both empty scoring 1.

    >>> iou(Patch(0, 0, np.ones((2, 2), bool)), Patch(0, 1, np.ones((2, 2), bool)))
    0.3333333333333333
    """
    shared = count_shared_pixels(first, second)
    union = int(np.count_nonzero(first.mask) + np.count_nonzero(second.mask)) - shared
    return shared / union if union else 1.0
