"""Outlines with misplaced or with few vertices, as polygon annotators draw them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import EMPTY_PATCH, SUBPIXEL, IntArray, Patch, fill_closed
from actiseg_data.core.keys import draw_normals
from actiseg_data.core.opencv import load_cv2
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou, trim
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline
from actiseg_noise.mask_noise.simplify import drop_collinear, simplify_ring

_FEWEST_POINTS = 4  # a contour with fewer vertices vanishes in an approximation


def localise(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Misplace every vertex of an object's outer contours.

    Straight runs of a contour, including diagonal ones, are compressed to their ends. Each vertex
    moves by a normal displacement (`actiseg_data.core.keys.draw_normals`) along x and y, rounded to
    pixels. The contours are filled one by one, outline included, and merged. Holes are lost. This
    is the *localisation* noise of COCO-N (arXiv 2406.10891).

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``sigma`` of the displacements in pixels.
    keys : KeyFactory
        Makes the item's keys.

    Returns
    -------
    NoisyOutline
        With the number of ``vertices`` for the ledger.

    Examples
    --------
    >>> square = ObjectMask(Patch(4, 4, np.ones((9, 9), bool)), (20, 20))
    >>> localise(square, {"sigma": 0.0}, lambda purpose: bytes(32)).details
    {'vertices': 4}
    """
    contours = _trace_outer_contours(clean)
    count = sum(map(len, contours))
    shifts = draw_normals(keys("localise.vertices"), 2 * count).reshape(count, 2)
    moves = np.rint(np.round(parameters["sigma"] * shifts, 9)).astype(np.int64)
    ends = np.cumsum([len(contour) for contour in contours])
    rings = [
        contour + move for contour, move in zip(contours, np.split(moves, ends[:-1]), strict=True)
    ]
    return _refill(rings, clean)


def approximate(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Draw an object's outer contours with few vertices, without randomness.

    Straight runs of a contour are compressed to their ends. The contours are simplified (Douglas &
    Peucker, Cartographica 1973), filled one by one, outline included, and merged. Holes and
    contours with fewer than 4 vertices are lost. If a contour would cross itself or have fewer than
    three vertices, its tolerance is lowered until it does not. This is the *approximation* noise of
    COCO-N (arXiv 2406.10891).

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``tolerance`` in pixels.
    keys : KeyFactory
        Not used.

    Returns
    -------
    NoisyOutline
        With the number of remaining ``vertices`` for the ledger.

    Examples
    --------
    >>> square = ObjectMask(Patch(4, 4, np.ones((9, 9), bool)), (20, 20))
    >>> approximate(square, {"tolerance": 1.0}, lambda purpose: bytes(32)).details
    {'vertices': 4}
    """
    tolerance = parameters["tolerance"]
    contours = [ring for ring in _trace_outer_contours(clean) if len(ring) >= _FEWEST_POINTS]
    return _refill([_simplify_contour(contour, tolerance) for contour in contours], clean)


def _trace_outer_contours(clean: ObjectMask) -> list[IntArray]:
    """Trace the outer contours of an object's 8-connected parts, from top to bottom.

    Each is (N, 2) with x and y of the frame's pixels, straight runs compressed to their ends.
    """
    cv2 = load_cv2()
    traced, _ = cv2.findContours(
        clean.patch.mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    corner = np.array([clean.patch.left, clean.patch.top])
    contours = [ring[:, 0].astype(np.int64) + corner for ring in traced]
    return sorted(contours, key=lambda ring: (ring[0, 1], ring[0, 0]))


def _simplify_contour(ring: IntArray, tolerance: float) -> IntArray:
    """Simplify a contour at the highest tolerance that leaves a valid ring.

    Each attempt lowers the tolerance by a quarter. A contour that always crosses itself is returned
    unchanged.
    """
    import shapely

    fine = SUBPIXEL * ring  # makes tolerances of a fraction of a pixel whole numbers
    turns = len(drop_collinear(ring)[0])
    level = round(SUBPIXEL * tolerance)
    while level > 0:
        simple = simplify_ring(fine, level)
        # All turns remain if none can be dropped, or if fewer than three would remain.
        if 3 <= len(simple) < turns and shapely.is_valid(shapely.Polygon(simple)):
            return simple // SUBPIXEL
        level = level * 3 // 4
    return ring


def _refill(rings: list[IntArray], clean: ObjectMask) -> NoisyOutline:
    """Fill contours and merge them."""
    patch = trim(_merge_patches([fill_closed([ring], clean.frame) for ring in rings]))
    vertices = sum(map(len, rings))
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", {"vertices": vertices})


def _merge_patches(patches: list[Patch]) -> Patch:
    """Return the union of patches."""
    seen = [patch for patch in patches if patch.mask.size]
    if not seen:
        return EMPTY_PATCH
    rows, columns = zip(*(patch.window for patch in seen), strict=True)
    top, left = min(r.start for r in rows), min(c.start for c in columns)
    shape = max(r.stop for r in rows) - top, max(c.stop for c in columns) - left
    mask = np.zeros(shape, bool)
    for patch in seen:
        mask[Patch(patch.top - top, patch.left - left, patch.mask).window] |= patch.mask
    return Patch(top, left, mask)
