"""Find the strength of a noise at which an object keeps a wanted share of itself."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import SUBPIXEL, Patch
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou
from actiseg_noise.mask_noise.noisy_outline import NoisyOutline

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

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Strength:
        """The strength that a noise's parameters ask for."""
        return cls(parameters["target_iou"], parameters["radius"])


def find_closest_level(
    ious: NDArray[np.float64], strength: Strength, at_limit: str
) -> tuple[int, str]:
    """The level that a strength asks for, and how well it is met there.

    ious: IoU with the clean object at every level (steps of 1/64 pixel) from 0 to the largest that
    is allowed. at_limit: status where that stands in the way.

    >>> closest(np.array([1.0, 0.93, 0.79]), Strength(target_iou=0.8), at_limit="short")
    (2, 'met')
    """
    limit = len(ious) - 1
    if strength.radius is not None:
        return _limit_radius(strength.radius, limit, at_limit)
    target = 1.0 if strength.target_iou is None else strength.target_iou
    level = int(np.abs(ious - target).argmin())
    return level, _determine_status(
        float(ious[level]), lambda: float(ious[limit]), target, at_limit
    )


def _limit_radius(radius: float, limit: int, at_limit: str) -> tuple[int, str]:
    """The level of a radius in pixels, as far as the limit allows, and the status of that."""
    asked = round(radius * SUBPIXEL)
    return min(asked, limit), "fixed" if asked <= limit else at_limit


def _determine_status(
    found: float, at_most: Callable[[], float], target: float, at_limit: str
) -> str:
    """How well a target is met. at_most: gives the IoU at the limit."""
    if abs(found - target) <= TOLERANCE:
        return "met"
    return at_limit if at_most() > target else "short"


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
    while miss(high) > _CLOSE_ENOUGH and high < limit:
        # On along the line from level 0; where that fell short once, half as far again.
        ahead = high * (1 - target) / max(1 - seen[high], 1e-9) * (1.5 if low else 1)
        low, high = high, min(max(math.ceil(min(ahead, 4 * high)), high + 1), limit)
    while high - low > 1 and miss(low) > _CLOSE_ENOUGH and miss(high) < -_CLOSE_ENOUGH:
        share = miss(low) / (miss(low) - miss(high))
        # Kept off the ends of the bracket, so that each step shrinks it by a tenth at least.
        step = round((high - low) * min(max(share, 0.1), 0.9))
        middle = min(max(low + step, low + 1), high - 1)
        if miss(middle) > 0:
            low = middle
        else:
            high = middle
    return min(seen, key=lambda level: (abs(seen[level] - target), level))


def draw_at_strength(
    at: Callable[[int], Patch],
    clean: ObjectMask,
    strength: Strength,
    guess: float,
    limit: int,
    at_limit: str,
) -> NoisyOutline:
    """Draw at the asked strength, or as near to it as `limit` (a level) allows."""
    patches: dict[int, Patch] = {0: clean.patch}

    def iou_at(level: int) -> float:
        if level not in patches:
            patches[level] = at(level)
        return compute_iou(clean.patch, patches[level])

    if strength.radius is not None:
        level, status = _limit_radius(strength.radius, limit, at_limit)
    else:
        target = 1.0 if strength.target_iou is None else strength.target_iou
        level = calibrate(iou_at, target, round(guess * SUBPIXEL), limit)
        status = _determine_status(iou_at(level), lambda: iou_at(limit), target, at_limit)
    value = iou_at(level)
    return NoisyOutline(patches[level], value, status, {"radius": level / SUBPIXEL})
