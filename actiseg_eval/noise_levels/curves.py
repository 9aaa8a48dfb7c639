"""Summaries of a curve over noise levels: its mean, the share retained, the breaking point."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

_ROUNDING = 1e-12
"""Differences below this are rounding errors."""


def find_common_range(curves: Iterable[Sequence[float]]) -> tuple[float, float] | None:
    """Return the range of levels that all curves span, None if they share no range.

    Parameters
    ----------
    curves : iterable of sequences of float
        The ascending levels of each curve.

    Examples
    --------
    >>> find_common_range([(0, 0.2, 0.6), (0.1, 0.4)])
    (0.1, 0.4)
    """
    ends = [(levels[0], levels[-1]) for levels in curves]
    low, high = max(first for first, _ in ends), min(last for _, last in ends)
    return (low, high) if low < high else None


def compute_mean_weights(levels: Sequence[float], low: float, high: float) -> NDArray[np.float64]:
    """Return the weights of a curve's values in its mean over a range of levels.

    The mean is the area by the trapezoidal rule, divided by the range. Between levels, and so at
    the ends of the range, the curve is a straight line.

    Parameters
    ----------
    levels : sequence of float
        The L levels, ascending.
    low, high : float
        The range, within the levels.

    Returns
    -------
    (L,) array of float64
        The weights, which add up to 1.

    Examples
    --------
    >>> compute_mean_weights([0, 1, 2], 0, 2).tolist()
    [0.25, 0.5, 0.25]
    """
    grid = np.unique([low, high, *(level for level in levels if low < level < high)])
    steps = np.diff(grid) / (high - low)
    weights = (np.append(steps, 0) + np.append(0, steps)) / 2
    return np.asarray(weights @ compute_level_weights(levels, grid))


def compute_level_weights(
    levels: Sequence[float], wanted: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the weights of a curve's values in its interpolated values.

    Parameters
    ----------
    levels : sequence of float
        The L levels of the curve, ascending.
    wanted : (W,) array of float64
        Levels in between.

    Returns
    -------
    (W, L) array of float64
        The weights of linear interpolation.

    Examples
    --------
    >>> compute_level_weights([0, 1], np.array([0.25])).tolist()
    [[0.75, 0.25]]
    """
    units = np.eye(len(levels))
    return np.stack([np.interp(wanted, levels, unit) for unit in units], axis=1)


def find_breaking_point(
    levels: Sequence[float], scores: Sequence[float], drop: float, low: float
) -> float | None:
    """Return the lowest level at which more than a share of the score at `low` is lost.

    Parameters
    ----------
    levels : sequence of float
        The levels of the curve, ascending.
    scores : sequence of float
        The score at each level, higher for better. In between, the curve is a straight line.
    drop : float
        The share, in (0, 1).
    low : float
        The level with the full score.

    Returns
    -------
    float or None
        None if the share is not lost within the levels.

    Examples
    --------
    >>> find_breaking_point([0, 2, 4], [0.5, 0.5, 0.4], 0.1, 0)
    3.0
    """
    before, left = low, float(np.interp(low, levels, scores))
    limit = (1 - drop) * left
    for level, right in zip(levels, scores, strict=True):
        if level <= low:
            continue
        if right < limit - _ROUNDING:
            share = max(0.0, (left - limit) / (left - right))
            return before + share * (level - before)
        before, left = level, right
    return None
