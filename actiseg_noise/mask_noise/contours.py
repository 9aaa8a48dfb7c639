"""The outline of one object of an index mask: masks to polygons and back."""

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
from actiseg_data.core.errors import refuse
from actiseg_data.core.opencv import load_cv2

_NEAR_BORDER = 2
"""An object that comes within this many pixels of the frame's border counts as cut by it, because
annotators often stop a pixel short."""


@dataclass(frozen=True)
class ObjectMask:
    """The mask of one object.

    Attributes
    ----------
    patch : Patch
        The object's pixels, cropped to their bounding box.
    frame : (int, int)
        Height and width of the whole mask.
    """

    patch: Patch
    frame: tuple[int, int]

    @property
    def area(self) -> int:
        return int(np.count_nonzero(self.patch.mask))


def find_object(mask: IndexMask, object_id: int) -> ObjectMask:
    """Cut one object out of an index mask; the patch is empty if the mask lacks the object.

    Parameters
    ----------
    mask : IndexMask
        (H, W) array of integers from 0 to 255; see `as_index_mask`.
    object_id : int
        Id of the object, 0 to 255.

    Raises
    ------
    InputError
        If `mask` is not an index mask, or `object_id` is not an id.

    Examples
    --------
    >>> find_object(np.array([[0, 0], [0, 7]], np.uint8), 7).patch.window
    (slice(1, 2, None), slice(1, 2, None))
    """
    mask = as_index_mask(mask)
    height, width = mask.shape
    if not 0 <= object_id <= 255:
        raise refuse(f"{object_id} is not an object id", "`object_id`", "give an id from 0 to 255")
    # Searching bytes for a byte is the fastest way to find the first and last rows and columns.
    pixels, byte = mask.tobytes(), bytes([object_id])
    first = pixels.find(byte)
    if first < 0:
        return ObjectMask(EMPTY_PATCH, (height, width))
    top, bottom = first // width, pixels.rfind(byte) // width + 1
    member = mask[top:bottom] == object_id
    columns = _find_extent(member, 1)
    return ObjectMask(Patch(top, columns.start, member[:, columns]), (height, width))


def crop(clean: ObjectMask, margin: int) -> Patch:
    """Return an object with up to `margin` empty pixels on each side, as far as the frame reaches.

    Examples
    --------
    >>> crop(ObjectMask(Patch(1, 4, np.ones((2, 2), bool)), (9, 9)), 3).window
    (slice(0, 6, None), slice(1, 9, None))
    """
    rows, columns = clean.patch.window
    top, left = max(rows.start - margin, 0), max(columns.start - margin, 0)
    bottom = min(rows.stop + margin, clean.frame[0])
    right = min(columns.stop + margin, clean.frame[1])
    around = Patch(top, left, np.zeros((bottom - top, right - left), bool))
    around.mask[clean.patch.locate_in(around)] = clean.patch.mask
    return around


def trim(patch: Patch) -> Patch:
    """Crop a patch to the bounding box of its pixels; `EMPTY_PATCH` if it has no pixel.

    Examples
    --------
    >>> trim(Patch(5, 5, np.eye(4, k=2, dtype=bool))).window
    (slice(5, 7, None), slice(7, 9, None))
    """
    # Not `cv2.boundingRect`: in OpenCV 4.8 it misses columns of masks a few pixels high.
    rows, columns = _find_extent(patch.mask, 0), _find_extent(patch.mask, 1)
    if not rows.stop:
        return EMPTY_PATCH
    return Patch(patch.top + rows.start, patch.left + columns.start, patch.mask[rows, columns])


def _find_extent(mask: BoolArray, axis: int) -> slice:
    """Return the rows (axis 0) or columns (axis 1) from the first to the last with a pixel.

    The slice ends at 0 if the mask has no pixel.
    """
    hits = mask.any(axis=1 - axis).tobytes()
    return slice(hits.find(1), hits.rfind(1) + 1)


def crop_with_context(clean: ObjectMask, margin: int) -> Patch:
    """Return an object with up to `margin` (> 2) pixels on each side, as far as the frame reaches.

    If the object stops up to two pixels short of the frame's border, it is continued straight to
    the border: it counts as cut there.
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


def has_outline(clean: ObjectMask) -> bool:
    """Return whether a pixel of the frame does not belong to an object that has pixels.

    Examples
    --------
    >>> has_outline(ObjectMask(Patch(0, 0, np.ones((2, 2), bool)), (2, 2)))
    False
    """
    return 0 < clean.area < clean.frame[0] * clean.frame[1]


def estimate_shift(clean: ObjectMask) -> float:
    """Return area over perimeter in pixels, the scale of first guesses, from pixel counts alone.

    The frame's border does not belong to the perimeter.
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
    # The steps of a slanted line make it 1.27 times as long.
    return clean.area / (0.8 * max(int(sides), 1))


@dataclass(frozen=True)
class ObjectOutline:
    """The polygons of one object, with vertices in pixels; pixel (r, c) is a unit square.

    Attributes
    ----------
    points : (N, 2) float64
        x and y of the vertices of all rings, ring by ring. No ring repeats its first vertex.
    stops : tuple of int
        End of each ring in `points`.
    parts : tuple of tuple of int
        For each polygon the index of its outer ring and those of its holes.
    """

    points: NDArray[np.float64]
    stops: tuple[int, ...]
    parts: tuple[tuple[int, ...], ...]

    @property
    def rings(self) -> list[NDArray[np.float64]]:
        """The vertices of each ring, (N, 2) float64."""
        return np.split(self.points, self.stops[:-1])

    @property
    def is_valid(self) -> bool:
        """Whether no ring crosses itself or another ring."""
        import shapely

        rings = self.rings
        polygons = [
            shapely.Polygon(rings[outer], [rings[i] for i in holes]) for outer, *holes in self.parts
        ]
        return bool(shapely.is_valid(shapely.MultiPolygon(polygons)))


def trace(clean: ObjectMask, step: int = 1) -> ObjectOutline:
    """Return the outline of an object by marching squares on the pixel centres.

    Filling the outline restores the mask. If the object reaches the frame's border, the outline
    continues straight beyond it: the border is not an edge of the object, and noise must not move
    it.

    Parameters
    ----------
    clean : ObjectMask
        The object.
    step : int
        This many consecutive vertices, 0.7 to 1 pixel apart, are replaced by their mean, unless
        rings would cross then.

    Examples
    --------
    >>> square = ObjectMask(Patch(3, 3, np.ones((2, 2), bool)), (9, 9))
    >>> draw(trace(square), (9, 9)).window
    (slice(3, 5, None), slice(3, 5, None))
    """
    height, width = clean.frame
    around = crop_with_context(clean, _NEAR_BORDER + 1)
    rows, columns = around.window
    # Far enough beyond the border that no mean spans both sides of a corner outside of the frame.
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
    """Join rings to an outline, and push vertices outside of the frame far away from it."""
    points = np.concatenate(rings)
    far = float(max(frame))
    for axis, size in ((0, frame[1]), (1, frame[0])):
        coordinates = points[:, axis]
        coordinates[coordinates < 0] = -far
        coordinates[coordinates > size] = size + far
    return ObjectOutline(points, tuple(np.cumsum([len(ring) for ring in rings]).tolist()), parts)


def _average_vertices(ring: NDArray[np.float64], step: int) -> NDArray[np.float64]:
    """Average `step` consecutive vertices, but fewer if less than 8 vertices would remain."""
    step = min(step, len(ring) // 8)
    if step <= 1:
        return ring
    starts = np.arange(0, len(ring), step)
    sums: NDArray[np.float64] = np.add.reduceat(ring, starts, axis=0)
    return sums / np.diff(starts, append=len(ring))[:, None]


def _trace_borders(cells: BoolArray) -> tuple[list[IntArray], tuple[tuple[int, ...], ...]]:
    """Trace the borders of a shape through the middle of each pixel side on the border.

    This is Lorensen & Cline (SIGGRAPH 1987) in two dimensions; two pixels that meet only at a
    corner
    are joined. Returns rings (N, 2) int64 of x and y in half pixels, and for each part of the shape
    the indices of its outer ring and of its holes.
    """
    cv2 = load_cv2()
    # On the lattice of half pixels, a pixel consists of its centre, its corners and the middles of
    # its sides. The border of the shape runs through the middles of sides and some corners.
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
    """Snap (N, 2) float64 points in pixels to the lattice of 1/64 pixel, (N, 2) int64.

    Points are rounded to 1e-9 first, so that the last bit of library arithmetic does not matter.
    """
    snapped: IntArray = np.rint(np.round(points, 9) * SUBPIXEL).astype(np.int64)
    return snapped


def draw(outline: ObjectOutline, frame: tuple[int, int]) -> Patch:
    """Fill an outline, snapped to the lattice and clipped to the frame (H, W)."""
    points = to_lattice(outline.points)
    if not len(points):
        return EMPTY_PATCH
    height, width = frame
    left, top = np.clip(points.min(axis=0) // SUBPIXEL, 0, (width, height)).tolist()
    right, bottom = np.clip(-(-points.max(axis=0) // SUBPIXEL), 0, (width, height)).tolist()
    rings = np.split(points, outline.stops[:-1])
    return Patch(top, left, fill_sampled(rings, (top, left, bottom, right)))


def count_shared_pixels(first: Patch, second: Patch) -> int:
    """Count the pixels that two patches have in common."""
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
    """Return the intersection over union of two patches, 1 if both are empty.

    Examples
    --------
    >>> compute_iou(Patch(0, 0, np.ones((2, 2), bool)), Patch(0, 1, np.ones((2, 2), bool)))
    0.3333333333333333
    """
    shared = count_shared_pixels(first, second)
    union = int(np.count_nonzero(first.mask) + np.count_nonzero(second.mask)) - shared
    return shared / union if union else 1.0
