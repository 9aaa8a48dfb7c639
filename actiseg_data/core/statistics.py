"""Intervals of rates, and quantiles, for summaries and tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

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
