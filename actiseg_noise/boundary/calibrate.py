"""Find the strength of a noise at which an object keeps a wanted share of itself."""

from __future__ import annotations

from collections.abc import Callable

TOLERANCE = 0.02
"""An item counts as having reached its target if its IoU lies within this of it."""

_CLOSE_ENOUGH = 0.004
"""The search stops here: a tenth of what two annotators of one object differ by."""


def calibrate(iou_at: Callable[[int], float], target: float, guess: int, limit: int) -> int:
    """The level in [0, limit] whose IoU is closest to the target.

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
