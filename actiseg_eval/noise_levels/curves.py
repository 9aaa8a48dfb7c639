"""What a curve of a figure over levels of noise tells: its mean, what is kept, where it breaks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_NOTHING = 1e-12
"""What is nearer to 0 is rounding."""


def common_range(curves: Iterable[Sequence[float]]) -> tuple[float, float] | None:
    """The range that the levels of all curves span; None where there is none.

    curves: ascending levels of each.

    >>> common_range([(0, 0.2, 0.6), (0.1, 0.4)])
    (0.1, 0.4)
    """
    ends = [(levels[0], levels[-1]) for levels in curves]
    low, high = max(of[0] for of in ends), min(of[1] for of in ends)
    return (low, high) if low < high else None


def mean_weights(levels: Sequence[float], low: float, high: float) -> NDArray[np.float64]:
    """(L,) weights of a curve's values in its mean over a range of levels: its area by the
    trapezoidal rule, divided by the range.

    levels: ascending. low, high: within the levels, low below high. Between levels, and so at the
    range's ends, the curve is a straight line.

    >>> mean_weights([0, 1, 2], 0, 2).tolist()
    [0.25, 0.5, 0.25]
    """
    grid = np.unique([low, high, *(level for level in levels if low < level < high)])
    steps = np.diff(grid) / (high - low)
    weights = (np.append(steps, 0) + np.append(0, steps)) / 2
    return np.asarray(weights @ level_weights(levels, grid))


def level_weights(levels: Sequence[float], wanted: NDArray[np.float64]) -> NDArray[np.float64]:
    """(W, L) weights of a curve's values at its L levels in those at W wanted ones in between.

    >>> level_weights([0, 1], np.array([0.25])).tolist()
    [[0.75, 0.25]]
    """
    return np.stack([np.interp(wanted, levels, each) for each in np.eye(len(levels))], axis=1)


def goodness(value: float, better: str | None) -> float:
    """How good a figure is, which shares are of: itself, or 1 less it where lower is better.

    >>> goodness(0.25, "lower")
    0.75
    """
    return 1 - value if better == "lower" else value


def breaking_point(
    levels: Sequence[float], good: Sequence[float], drop: float, low: float
) -> float | None:
    """The lowest level from which on more than a share of what there was at `low` is lost.

    levels: ascending. good: how good the figure is at each, see `goodness`; a straight line in
    between. drop: the share, in (0, 1). None where it is not lost within the levels.

    >>> breaking_point([0, 2, 4], [0.5, 0.5, 0.4], 0.1, 0)
    3.0
    """
    before, left = low, float(np.interp(low, levels, good))
    limit = (1 - drop) * left
    for level, right in zip(levels, good, strict=True):
        if level <= low:
            continue
        if right < limit - _NOTHING:
            share = max(0.0, (left - limit) / (left - right))
            return before + share * (level - before)
        before, left = level, right
    return None
