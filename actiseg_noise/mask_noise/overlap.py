"""Who owns the pixels that several noisy and clean objects claim."""

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
"""Largest advantage in a contest that a touched object can draw, as a share of its depth."""


@dataclass(frozen=True)
class PixelClaim:
    """What one touched object claims: its noisy pixels, and its advantage in a contest (>= 0)."""

    object_id: int
    patch: Patch
    advantage: float


def resolve_by_depth(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int] = frozenset()
) -> IndexMask:
    """A contested pixel goes to the claimant inside whose shape it lies deepest.

    Depth is the distance to the nearest pixel outside of the claimant's own noisy shape, as a share
    of the largest such distance in that shape, plus the claimant's advantage; objects without noise
    claim their clean shape, without advantage. Ties go to the lower id. Pixels that nobody claims
    any more become background. As a share, because in pixels the ring that a large object grows by
    is deeper than a small neighbour is thick, and swallows it (docs/overlap.md has the figures).

    clean: see `as_index_mask`. Returns (H, W) uint8.

    >>> clean = np.array([[1, 1, 0, 2, 2]], np.uint8)
    >>> contest(clean, [Claim(1, Patch(0, 0, np.ones((1, 4), bool)), 0.0)])
    array([[1, 1, 1, 2, 2]], dtype=uint8)
    """
    noisy = _remove_touched(clean, claims)
    count = (noisy > 0).view(np.uint8)
    for claim in claims:
        count[claim.patch.window] += claim.patch.mask
    contested = count > 1
    parties = _list_claimants(noisy, contested, claims)
    for claim in claims:
        noisy[claim.patch.window][claim.patch.mask] = claim.object_id
    if parties:
        noisy[contested] = _find_deepest(contested, parties)
    return noisy


def paint_positives_first(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int]
) -> IndexMask:
    """ActiSeg-NL's painting order: positive objects by ascending id, then all others by ascending
    id, touched or not, each only where nothing was painted before. An early object therefore
    covers the true inside of later ones.

    >>> reference(np.array([[1, 2]], np.uint8), [Claim(1, Patch(0, 0, np.ones((1, 2), bool)), 0)],
    ...           frozenset({1, 2}))
    array([[1, 1]], dtype=uint8)
    """

    def turn(object_id: int) -> tuple[bool, int]:
        return object_id not in positive_ids, object_id

    noisy = _remove_touched(clean, claims)
    untouched = positive_ids.difference(claim.object_id for claim in claims)
    for claim in sorted(claims, key=lambda claim: turn(claim.object_id), reverse=True):
        window, mine = noisy[claim.patch.window], claim.patch.mask
        if claim.object_id not in positive_ids or min(untouched, default=256) < claim.object_id:
            # Something that was not touched may come before it.
            later = [i == 0 or turn(i) >= turn(claim.object_id) for i in range(256)]
            mine = mine & np.array(later)[window]
        np.copyto(window, claim.object_id, where=mine)
    return noisy


def paint_in_id_order(
    clean: IndexMask, claims: Sequence[PixelClaim], positive_ids: frozenset[int] = frozenset()
) -> IndexMask:
    """SMART's order: all objects by ascending id, touched or not, later ones over earlier ones.

    >>> ascending(np.array([[1, 2]], np.uint8), [Claim(2, Patch(0, 0, np.ones((1, 2), bool)), 0)])
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
    """Grown pixels take only what is background in the clean map; ties go to the lower id.

    >>> clean = np.array([[1, 2, 0]], np.uint8)
    >>> background(clean, [Claim(1, Patch(0, 0, np.ones((1, 3), bool)), 0)])
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
    """The clean mask with the touched objects taken out."""
    keep = np.arange(256, dtype=np.uint8)
    keep[[claim.object_id for claim in claims]] = 0
    kept: IndexMask = load_cv2().LUT(as_index_mask(clean, "clean"), keep)
    return kept


def _list_claimants(
    bystanders: IndexMask, contested: BoolArray, claims: Sequence[PixelClaim]
) -> list[PixelClaim]:
    """Everyone with a stake in a contested pixel, by ascending id; a bystander's claim is its
    clean shape.
    """
    parties = [
        claim for claim in claims if (contested[claim.patch.window] & claim.patch.mask).any()
    ]
    for object_id in find_ids(bystanders[contested]):
        parties.append(PixelClaim(object_id, find_object(bystanders, object_id).patch, 0.0))
    return sorted(parties, key=lambda claim: claim.object_id)


_ONE = 1 << 20  # fixed-point unit of relative depth


def _find_deepest(contested: BoolArray, parties: list[PixelClaim]) -> NDArray[np.uint8]:
    """The winning id at each contested pixel, in row-major order."""
    pixels = np.flatnonzero(contested)
    best = np.full(len(pixels), -1, np.int64)
    winner = np.zeros(len(pixels), np.uint8)
    for claim in parties:
        depth = _measure_depth(claim.patch, (contested.shape[0], contested.shape[1]))
        rows, columns = np.nonzero(contested[claim.patch.window] & claim.patch.mask)
        relative = depth[rows, columns].astype(np.int64) * _ONE // int(depth.max())
        strength = relative + round(claim.advantage * _ONE)
        at = (rows + claim.patch.top) * contested.shape[1] + columns + claim.patch.left
        place = np.searchsorted(pixels, at)
        stronger = strength > best[place]
        best[place[stronger]] = strength[stronger]
        winner[place[stronger]] = claim.object_id
    return winner


def _measure_depth(patch: Patch, frame: tuple[int, int]) -> Distances:
    """`depths` of the pixels of a patch in their frame (H, W).

    The frame's border is no outside: an object that it cuts is deep there.
    """
    around = crop(ObjectMask(patch, frame), 1)
    return measure_depths(around.mask)[patch.inside(around)]


OverlapRule: TypeAlias = Callable[[IndexMask, Sequence[PixelClaim], frozenset[int]], IndexMask]
"""A rule of overlap: (clean mask, claims, ids of the positive objects) -> noisy mask."""

OVERLAPS: dict[str, OverlapRule] = {
    "contest": resolve_by_depth,
    "reference": paint_positives_first,
    "ascending": paint_in_id_order,
    "background": fill_background,
}
