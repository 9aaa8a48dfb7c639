"""Find the strength of a noise at which an object has a given IoU with the clean one."""

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
"""An item has met its target if its IoU differs from it by no more than this."""

_CLOSE_ENOUGH = 0.004
"""The search stops at this difference: a tenth of that between two annotators of one object."""


@dataclass(frozen=True)
class Strength:
    """The strength of a noise; exactly one of the two attributes is set.

    Attributes
    ----------
    target_iou : float or None
        IoU of the clean and the noisy object that each object is calibrated to, in (0, 1].
    radius : float or None
        Displacement in pixels of the mask, >= 0; for jitter the RMS along the normal.
    """

    target_iou: float | None = None
    radius: float | None = None

    @classmethod
    def from_parameters(cls, parameters: Mapping[str, Any]) -> Strength:
        """Return the strength that the parameters of a noise give."""
        return cls(parameters["target_iou"], parameters["radius"])


def find_closest_level(
    ious: NDArray[np.float64], strength: Strength, at_limit: str
) -> tuple[int, str]:
    """Return the level closest to a strength, and the status of the item at that level.

    Parameters
    ----------
    ious : (N,) float64
        IoU with the clean object at every level, in steps of 1/64 pixel from 0 to the limit.
    strength : Strength
        Strength of the noise.
    at_limit : str
        Status of an item that the limit keeps from its strength.

    Examples
    --------
    >>> find_closest_level(np.array([1.0, 0.93, 0.79]), Strength(target_iou=0.8), at_limit="short")
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
    """Return the level of a radius in pixels, at most `limit`, and the status of the item."""
    level = round(radius * SUBPIXEL)
    return min(level, limit), "fixed" if level <= limit else at_limit


def _determine_status(
    value: float, compute_at_limit: Callable[[], float], target: float, at_limit: str
) -> str:
    """Return how well an IoU meets a target; `compute_at_limit` computes the IoU at the limit."""
    if abs(value - target) <= TOLERANCE:
        return "met"
    return at_limit if compute_at_limit() > target else "short"


def calibrate(measure: Callable[[int], float], target: float, guess: int, limit: int) -> int:
    """Return the level in [0, limit] whose IoU is closest to the target, or within 0.004 of it.

    Only pixel counts steer the search, so it takes the same path on every machine.

    Parameters
    ----------
    measure : callable
        Computes the IoU with the clean object at an integer level (steps of 1/64 pixel). The IoU is
        1 at level 0 and decreases on the whole.
    target : float
        IoU to reach, in (0, 1].
    guess : int
        Level to try first.
    limit : int
        Largest level.

    Examples
    --------
    >>> calibrate(lambda level: 1 - level / 100, target=0.8, guess=50, limit=100)
    20
    """
    seen = {0: 1.0}

    def compute_miss(level: int) -> float:
        if level not in seen:
            seen[level] = measure(level)
        return seen[level] - target

    low, high = 0, min(max(guess, 1), limit)
    while compute_miss(high) > _CLOSE_ENOUGH and high < limit:
        # Extrapolate the line from level 0; after one step that fell short, go half as far again.
        ahead = high * (1 - target) / max(1 - seen[high], 1e-9) * (1.5 if low else 1)
        low, high = high, min(max(math.ceil(min(ahead, 4 * high)), high + 1), limit)
    while (
        high - low > 1 and compute_miss(low) > _CLOSE_ENOUGH and compute_miss(high) < -_CLOSE_ENOUGH
    ):
        share = compute_miss(low) / (compute_miss(low) - compute_miss(high))
        # Stay away from the ends of the bracket, so that each step shrinks it by at least a tenth.
        step = round((high - low) * min(max(share, 0.1), 0.9))
        middle = min(max(low + step, low + 1), high - 1)
        if compute_miss(middle) > 0:
            low = middle
        else:
            high = middle
    return min(seen, key=lambda level: (abs(seen[level] - target), level))


def find_level(
    measure: Callable[[int], float], strength: Strength, guess: float, limit: int, at_limit: str
) -> tuple[int, str]:
    """Find the level closest to a strength, and the status of the item at that level.

    Parameters
    ----------
    measure : callable
        Computes the IoU with the clean object at a level, see `calibrate`. It is called again at
        levels that it was called at before.
    strength : Strength
        Strength to reach.
    guess : float
        Displacement in pixels to try first.
    limit : int
        Largest level.
    at_limit : str
        Status of an item that the limit keeps from its strength.

    Examples
    --------
    >>> find_level(lambda level: 1 - level / 1000, Strength(target_iou=0.8), 3.0, 900, "fold")
    (200, 'met')
    """
    if strength.radius is not None:
        return _limit_radius(strength.radius, limit, at_limit)
    target = 1.0 if strength.target_iou is None else strength.target_iou
    level = calibrate(measure, target, round(guess * SUBPIXEL), limit)
    return level, _determine_status(measure(level), lambda: measure(limit), target, at_limit)


def draw_at_strength(
    draw: Callable[[int], Patch],
    clean: ObjectMask,
    strength: Strength,
    guess: float,
    limit: int,
    at_limit: str,
) -> NoisyOutline:
    """Draw an object at a strength, or as close to it as the limit allows.

    Parameters
    ----------
    draw : callable
        Draws the noisy object at a level (steps of 1/64 pixel).
    clean : ObjectMask
        The clean object.
    strength : Strength
        Strength to reach.
    guess : float
        Displacement in pixels to try first.
    limit : int
        Largest level.
    at_limit : str
        Status of an item that the limit keeps from its strength.
    """
    patches: dict[int, Patch] = {0: clean.patch}

    def measure(level: int) -> float:
        if level not in patches:
            patches[level] = draw(level)
        return compute_iou(clean.patch, patches[level])

    level, status = find_level(measure, strength, guess, limit, at_limit)
    value = measure(level)
    return NoisyOutline(patches[level], value, status, {"radius": level / SUBPIXEL})
