"""From the rate of an exact noise to a threshold for its draws."""

from __future__ import annotations

import math
from collections.abc import Iterable


def find_exact_threshold(draws: Iterable[float], rate: float) -> float:
    """Find the threshold that selects exactly round(rate * n) of the n draws of a split.

    Draws below the threshold are selected.

    >>> find_exact_threshold([0.9, 0.1, 0.5, 0.3], 0.5)
    0.5
    """
    ranked = sorted(draws)
    count = math.floor(rate * len(ranked) + 0.5)
    return ranked[count] if count < len(ranked) else 1.0
