"""Intervals of rates, and quantiles, for summaries and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def wilson_interval(hits: int, total: int, z: float = 1.959964) -> tuple[float, float] | None:
    """Compute the 95 % confidence interval of a rate (Wilson 1927); None without trials.

    >>> [round(v, 3) for v in wilson_interval(40, 100)]
    [0.309, 0.498]
    """
    if not total:
        return None
    rate = hits / total
    centre = rate + z * z / (2 * total)
    spread = z * math.sqrt(rate * (1 - rate) / total + z * z / (4 * total * total))
    scale = 1 + z * z / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def summarise_values(values: Iterable[float]) -> dict[str, Any]:
    """Compute count, mean and `QUANTILES` of some numbers; mean and quantiles of none are None."""
    numbers = np.fromiter(values, float)
    if not len(numbers):
        return {"n": 0, "mean": None} | {f"q{round(100 * q):02d}": None for q in QUANTILES}
    return {"n": len(numbers), "mean": round(float(numbers.mean()), 6)} | {
        f"q{round(100 * q):02d}": round(float(np.quantile(numbers, q)), 6) for q in QUANTILES
    }


def compute_auroc(scores: NDArray[np.float64], positive: NDArray[np.bool_]) -> float | None:
    """Compute the area under the ROC curve of scores, (M,); None without both kinds of items.

    It is the chance that a positive item has a higher score than a negative one; equal scores
    count as one half.

    >>> compute_auroc(np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True]))
    0.875
    """
    high, low = np.sort(scores[positive]), np.sort(scores[~positive])
    if not len(high) or not len(low):
        return None
    beaten = np.searchsorted(low, high, "left") + np.searchsorted(low, high, "right")
    return float(beaten.sum() / (2 * len(high) * len(low)))


def compute_precision_at(
    scores: NDArray[np.float64], positive: NDArray[np.bool_], count: int
) -> float | None:
    """Compute the share of positive items among the `count` with the highest scores.

    Of items whose score is equal to the last one, the expected share counts, as if they were in
    random order. None without items.

    >>> compute_precision_at(np.array([0.1, 0.4, 0.4, 0.8]), np.array([0, 0, 1, 1], bool), 2)
    0.75
    """
    count = min(count, len(scores))
    if not count:
        return None
    last = np.sort(scores)[::-1][count - 1]
    above, equal = scores > last, scores == last
    rest = count - int(above.sum())
    hits = int(positive[above].sum()) + rest * float(positive[equal].mean())
    return float(hits / count)
