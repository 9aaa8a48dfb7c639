"""Shares of a score that a method keeps under noise, above what costs nothing.

Blank masks, and a net that never saw the noisy labels, keep their score at every level of noise. A
share of the score itself would call them robust. Shares are therefore of what a method scores above
such a floor.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.noise_levels.curves import compute_level_weights, find_breaking_point
from actiseg_eval.resampling.quotients import find_quotient_interval
from actiseg_eval.resampling.run_means import RunMeans

_STEPS = 100
"""Levels at which the interval of a breaking point is searched."""


@dataclass(frozen=True)
class Shares:
    """What a method keeps of its score above the floor.

    Attributes
    ----------
    retained : float or None
        The share that the area is of the value at the lowest common level, both above the floor.
        None if the value is not above the floor.
    retained_interval : (float, float) or None
        None without resamples, and if the value is not significantly above the floor.
    breaking_point : float or None
        The level at which more than the chosen share is lost. None if it is not lost.
    breaking_interval : (float, float or None) or None
        The interval of the breaking point. Its upper end is None if it is above the levels.
    """

    retained: float | None = None
    retained_interval: tuple[float, float] | None = None
    breaking_point: float | None = None
    breaking_interval: tuple[float, float | None] | None = None


def compute_shares(
    levels: Sequence[float],
    values: Sequence[float],
    area: float,
    floor: float,
    low: float,
    drop: float,
) -> Shares:
    """Compute shares without intervals.

    Parameters
    ----------
    levels, values : sequence of float
        The levels of a curve, ascending, and its values, higher for better.
    area : float
        The mean over the common levels.
    floor : float
    low : float
        The lowest common level.
    drop : float
        The share that is lost at the breaking point.

    Examples
    --------
    >>> compute_shares([0, 1], [0.5, 0.25], 0.375, 0.25, 0, 0.25).retained
    0.5
    """
    above = [value - floor for value in values]
    whole = float(np.interp(low, levels, above))
    if whole <= 0:
        return Shares()
    return Shares(
        retained=(area - floor) / whole,
        breaking_point=find_breaking_point(levels, above, drop, low),
    )


def find_share_intervals(
    means: RunMeans,
    curve: NDArray[np.int64],
    levels: Sequence[float],
    area: NDArray[np.float64],
    floor: int,
    low: float,
    drop: float,
    confidence: float,
) -> tuple[tuple[float, float] | None, tuple[float, float | None] | None]:
    """Find the intervals of the share retained and of the breaking point.

    Parameters
    ----------
    means : RunMeans
        K conditions.
    curve : (L,) int64
        The positions of the curve's conditions.
    levels : sequence of float, length L
    area : (K,) float64
        The coefficients of the area.
    floor : int
        The position of the floor.
    low, drop
        See `compute_shares`.
    confidence : float
        The level of confidence, in (0, 1).

    Returns
    -------
    retained, breaking_point
        See `Shares`. The interval of the breaking point has all levels whose loss does not differ
        from the chosen one by Student's t.
    """
    grid = np.unique(
        [*np.linspace(low, levels[-1], _STEPS + 1), *(level for level in levels if level > low)]
    )
    scores = np.zeros((len(grid), len(area)))
    scores[:, curve] = compute_level_weights(levels, grid)
    above = scores.copy()
    above[:, floor] -= 1
    area_above = area.copy()
    area_above[floor] -= 1
    retained = find_quotient_interval(means, area_above, above[0], confidence)
    if retained is None:
        return None, None
    scope = above.any(axis=0)
    left = [means.estimate(row - (1 - drop) * above[0], scope) for row in above]
    reaches = np.array([contrast.find_quantile(confidence) * contrast.error for contrast in left])
    values = np.array([contrast.value for contrast in left])
    first = _find_first_loss(grid, values - reaches)
    return retained, (
        float(grid[-1]) if first is None else first,
        _find_first_loss(grid, values + reaches),
    )


def _find_first_loss(levels: NDArray[np.float64], left: NDArray[np.float64]) -> float | None:
    """Return the lowest level at which something is below 0; None if there is none."""
    lost = np.flatnonzero(left < 0)
    if not len(lost):
        return None
    first = int(lost[0])
    if first == 0:
        return float(levels[0])
    share = left[first - 1] / (left[first - 1] - left[first])
    return float(levels[first - 1] + share * (levels[first] - levels[first - 1]))
