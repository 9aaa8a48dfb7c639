"""Find the strength of a noise at which an object keeps a wanted share of itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from actiseg_data.keys import Key
from actiseg_data.polygons import SUBPIXEL, Patch
from actiseg_noise.boundary.contours import Clean, iou

Keyed: TypeAlias = Callable[[str], Key]
"""Gives an item's key for a purpose."""

TOLERANCE = 0.02
"""An item counts as having reached its target if its IoU lies within this of it."""

_CLOSE_ENOUGH = 0.004
"""The search stops here: a tenth of what two annotators of one object differ by."""


@dataclass(frozen=True)
class Strength:
    """How strong a noise is: exactly one of the two is given.

    target_iou: IoU(clean, drawn) that each object is calibrated to, in (0, 1].
    radius: pixels of the mask; for jitter the RMS displacement along the normal. >= 0.
    """

    target_iou: float | None = None
    radius: float | None = None


@dataclass(frozen=True)
class Drawn:
    """A noisy outline before overlaps are settled.

    patch: its pixels. radius: pixels it was moved by (RMS for jitter). iou: with the clean object.
    status: ``met`` (target within 0.02), ``short`` (the pixel grid or the frame has no closer),
    ``minimum`` (the erosion was stopped at the least area), ``fold`` (the jitter was stopped before
    the outline would cross itself), ``fixed`` (a radius was asked for, and drawn).
    details: further figures for the ledger.
    """

    patch: Patch
    radius: float
    iou: float
    status: str
    details: dict[str, float] = field(default_factory=dict)


def calibrate(iou_at: Callable[[int], float], target: float, guess: int, limit: int) -> int:
    """The level in [0, limit] whose IoU is closest to the target, or within 0.004 of it.

    iou_at: IoU with the clean object at an integer level (lattice steps of 1/64 pixel); 1 at
    level 0 and, on the whole, falling. target: in (0, 1]. guess: where to look first. limit: the
    largest level allowed. Only counts of pixels steer the search, so it takes the same path
    everywhere.

    >>> calibrate(lambda level: 1 - level / 100, target=0.8, guess=50, limit=100)
    20
    """
    seen = {0: 1.0}

    def miss(level: int) -> float:
        if level not in seen:
            seen[level] = iou_at(level)
        return seen[level] - target

    low, high = 0, min(max(guess, 1), limit)
    while miss(high) > 0 and high < limit:
        low, high = high, min(2 * high, limit)
    while high - low > 1 and min(abs(miss(low)), abs(miss(high))) > _CLOSE_ENOUGH:
        share = miss(low) / (miss(low) - miss(high)) if miss(low) > miss(high) else 0.5
        # Kept off the ends of the bracket, so that each step shrinks it by a tenth at least.
        step = round((high - low) * min(max(share, 0.1), 0.9))
        middle = min(max(low + step, low + 1), high - 1)
        if miss(middle) > 0:
            low = middle
        else:
            high = middle
    return min(seen, key=lambda level: (abs(seen[level] - target), level))


def settle(
    at: Callable[[int], Patch],
    clean: Clean,
    strength: Strength,
    guess: float,
    limit: int,
    at_limit: str,
) -> Drawn:
    """Draw at the asked strength, or as near to it as `limit` (a level) allows."""
    patches: dict[int, Patch] = {0: clean.patch}

    def iou_at(level: int) -> float:
        if level not in patches:
            patches[level] = at(level)
        return iou(clean.patch, patches[level])

    if strength.radius is not None:
        asked = round(strength.radius * SUBPIXEL)
        level = min(asked, limit)
        status = "fixed" if level == asked else at_limit
    else:
        target = 1.0 if strength.target_iou is None else strength.target_iou
        level = calibrate(iou_at, target, round(guess * SUBPIXEL), limit)
        if abs(iou_at(level) - target) <= TOLERANCE:
            status = "met"
        else:
            status = at_limit if iou_at(limit) > target else "short"
    value = iou_at(level)
    return Drawn(patches[level], level / SUBPIXEL, value, status)
