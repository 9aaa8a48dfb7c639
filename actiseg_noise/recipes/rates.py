"""From the rate of a noise to the limit of its draws: items with a draw below it are selected."""

from __future__ import annotations

import math
from collections.abc import Iterable

from actiseg_data.records.recipe_record import Noise


def choose_limit(noise: Noise, threshold: float | None) -> float:
    """Choose the limit of the draws of a noise: its threshold if that is known, else its rate."""
    return noise.rate if threshold is None else threshold


def find_exact_threshold(draws: Iterable[float], rate: float) -> float:
    """Find the threshold that selects exactly round(rate * n) of the n draws of a split.

    Draws below the threshold are selected.

    >>> find_exact_threshold([0.9, 0.1, 0.5, 0.3], 0.5)
    0.5
    """
    ranked = sorted(draws)
    count = math.floor(rate * len(ranked) + 0.5)
    return ranked[count] if count < len(ranked) else 1.0
