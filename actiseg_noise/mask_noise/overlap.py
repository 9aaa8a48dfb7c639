"""Rules for pixels that several noisy and clean objects claim."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask, find_ids
from actiseg_data.annotations.polygons import BoolArray, Patch
from actiseg_data.core.opencv import load_cv2
from actiseg_noise.mask_noise.contours import ObjectMask, crop, find_object
from actiseg_noise.mask_noise.distance import Distances, measure_depths

ADVANTAGE = 0.1
"""Largest advantage that a noisy object can draw in a contest, as a share of its depth."""


@dataclass(frozen=True)
class PixelClaim:
    """The noisy pixels that one object claims, and its advantage in a contest (>= 0)."""

    object_id: int
    patch: Patch
    advantage: float


def resolve_by_depth(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int] = frozenset()
) -> IndexMask:
    """Give each contested pixel to the claimant in which it is deepest.

    Depth is the distance to the nearest pixel outside of the claimant's noisy shape, as a share of
    the largest such distance in that shape, plus the claimant's advantage. Objects without noise
    claim their clean shape without an advantage. Ties go to the lower id. Pixels that no object
    claims become background.

    Depth is a share because the ring that a large object gains is deeper, in pixels, than a small
    neighbour is thick, and would swallow it; see docs/overlap.md for measurements.

    Parameters
    ----------
    clean : IndexMask
        (H, W) array of integers from 0 to 255; see `as_index_mask`.
    claims : sequence of PixelClaim
        The noisy objects.
    positive_ids : frozenset of int
        Ids of the active objects. This rule does not use them.

    Returns
    -------
    IndexMask
        (H, W) uint8.

    Examples
    --------
    >>> clean = np.array([[1, 1, 0, 2, 2]], np.uint8)
    >>> resolve_by_depth(clean, [PixelClaim(1, Patch(0, 0, np.ones((1, 4), bool)), 0.0)])
    array([[1, 1, 1, 2, 2]], dtype=uint8)
    """
    noisy = _remove_touched(clean, claims)
    count = (noisy > 0).view(np.uint8)
    for claim in claims:
        count[claim.patch.window] += claim.patch.mask
    contested = count > 1
    claimants = _list_claimants(noisy, contested, claims)
    for claim in claims:
        noisy[claim.patch.window][claim.patch.mask] = claim.object_id
    if claimants:
        noisy[contested] = _find_deepest(contested, claimants)
    return noisy


def paint_positives_first(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int]
) -> IndexMask:
    """Paint objects in ActiSeg-NL's order: active objects by id, then all others by id.

    Objects without noise are painted as well. Each object is painted only on pixels that are still
    free, so an early object covers the true interior of later objects.

    Parameters and result are those of `resolve_by_depth`.

    Examples
    --------
    >>> claim = PixelClaim(1, Patch(0, 0, np.ones((1, 2), bool)), 0)
    >>> paint_positives_first(np.array([[1, 2]], np.uint8), [claim], frozenset({1, 2}))
    array([[1, 1]], dtype=uint8)
    """

    def rank(object_id: int) -> tuple[bool, int]:
        return object_id not in positive_ids, object_id

    noisy = _remove_touched(clean, claims)
    untouched = positive_ids.difference(claim.object_id for claim in claims)
    for claim in sorted(claims, key=lambda claim: rank(claim.object_id), reverse=True):
        window, mine = noisy[claim.patch.window], claim.patch.mask
        if claim.object_id not in positive_ids or min(untouched, default=256) < claim.object_id:
            # An object without noise may come before it.
            later = [i == 0 or rank(i) >= rank(claim.object_id) for i in range(256)]
            mine = mine & np.array(later)[window]
        np.copyto(window, claim.object_id, where=mine)
    return noisy


def paint_in_id_order(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int] = frozenset()
) -> IndexMask:
    """Paint all objects in SMART's order: by ascending id, later objects over earlier ones.

    Parameters and result are those of `resolve_by_depth`.

    Examples
    --------
    >>> claim = PixelClaim(2, Patch(0, 0, np.ones((1, 2), bool)), 0)
    >>> paint_in_id_order(np.array([[1, 2]], np.uint8), [claim])
    array([[2, 2]], dtype=uint8)
    """
    noisy = _remove_touched(clean, claims)
    bystanders = noisy.copy()
    for claim in sorted(claims, key=lambda claim: claim.object_id):
        window = claim.patch.window
        later = claim.object_id > bystanders[window]
        noisy[window][claim.patch.mask & later] = claim.object_id
    return noisy


def fill_background(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int] = frozenset()
) -> IndexMask:
    """Let objects grow only into the clean background; ties go to the lower id.

    Parameters and result are those of `resolve_by_depth`.

    Examples
    --------
    >>> clean = np.array([[1, 2, 0]], np.uint8)
    >>> fill_background(clean, [PixelClaim(1, Patch(0, 0, np.ones((1, 3), bool)), 0)])
    array([[1, 2, 1]], dtype=uint8)
    """
    clean = as_index_mask(clean, "clean")
    noisy = _remove_touched(clean, claims)
    for claim in sorted(claims, key=lambda claim: claim.object_id):
        window = claim.patch.window
        before = clean[window]
        free = (noisy[window] == 0) & ((before == 0) | (before == claim.object_id))
        noisy[window][claim.patch.mask & free] = claim.object_id
    return noisy


def _remove_touched(clean: IndexMask, claims: Sequence[PixelClaim]) -> IndexMask:
    """Return the clean mask without the objects that have noise."""
    keep = np.arange(256, dtype=np.uint8)
    keep[[claim.object_id for claim in claims]] = 0
    kept: IndexMask = load_cv2().LUT(as_index_mask(clean, "clean"), keep)
    return kept


def _list_claimants(
    bystanders: IndexMask, contested: BoolArray, claims: Sequence[PixelClaim]
) -> list[PixelClaim]:
    """Return the claims on contested pixels by ascending id; a bystander claims its clean shape."""
    claimants = [
        claim for claim in claims if (contested[claim.patch.window] & claim.patch.mask).any()
    ]
    for object_id in find_ids(bystanders[contested]):
        claimants.append(PixelClaim(object_id, find_object(bystanders, object_id).patch, 0.0))
    return sorted(claimants, key=lambda claim: claim.object_id)


_UNIT = 1 << 20  # fixed-point unit of relative depth


def _find_deepest(contested: BoolArray, claimants: list[PixelClaim]) -> NDArray[np.uint8]:
    """Return the winning id at each contested pixel, in row-major order."""
    pixels = np.flatnonzero(contested)
    best = np.full(len(pixels), -1, np.int64)
    winner = np.zeros(len(pixels), np.uint8)
    for claim in claimants:
        depth = _measure_depth(claim.patch, (contested.shape[0], contested.shape[1]))
        rows, columns = np.nonzero(contested[claim.patch.window] & claim.patch.mask)
        relative = depth[rows, columns].astype(np.int64) * _UNIT // int(depth.max())
        strength = relative + round(claim.advantage * _UNIT)
        claimed = (rows + claim.patch.top) * contested.shape[1] + columns + claim.patch.left
        position = np.searchsorted(pixels, claimed)
        stronger = strength > best[position]
        best[position[stronger]] = strength[stronger]
        winner[position[stronger]] = claim.object_id
    return winner


def _measure_depth(patch: Patch, frame: tuple[int, int]) -> Distances:
    """Measure the depths of a patch's pixels in their frame (H, W).

    Pixels beyond the frame do not count as outside, so an object that the frame cuts is deep there.
    """
    around = crop(ObjectMask(patch, frame), 1)
    return measure_depths(around.mask)[patch.locate_in(around)]


OverlapRule: TypeAlias = Callable[[IndexMask, Sequence[PixelClaim], frozenset[int]], IndexMask]
"""An overlap rule: (clean mask, claims, ids of the active objects) -> noisy mask."""

OVERLAPS: dict[str, OverlapRule] = {
    "contest": resolve_by_depth,
    "reference": paint_positives_first,
    "ascending": paint_in_id_order,
    "background": fill_background,
}
