"""How a rate becomes a threshold for draws."""

from __future__ import annotations

import math
from collections.abc import Iterable


def exact_threshold(draws: Iterable[float], rate: float) -> float:
    """The threshold below which exactly round(rate * n) of the n draws of a split lie.

    >>> exact_threshold([0.9, 0.1, 0.5, 0.3], 0.5)
    0.5
    """
    ranked = sorted(draws)
    count = math.floor(rate * len(ranked) + 0.5)
    return ranked[count] if count < len(ranked) else 1.0
