"""The confidence interval of a quotient of two contrasts."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.resampling.contrasts import ContrastEstimator


def find_quotient_interval(
    means: ContrastEstimator,
    numerator: NDArray[np.float64],
    denominator: NDArray[np.float64],
    level: float,
) -> tuple[float, float] | None:
    """Find the interval of a quotient N / D by Fieller's theorem.

    It has every R for which N - R D does not differ from 0 by Student's t (Fieller, "Some problems
    in interval estimation", 1954).

    Parameters
    ----------
    means : ContrastEstimator
        K conditions.
    numerator, denominator : (K,) float64
        The coefficients of N and D.
    level : float
        The level of confidence, in (0, 1).

    Returns
    -------
    (float, float) or None
        None if D itself does not differ from 0.
    """
    scope = (numerator != 0) | (denominator != 0)
    above, below = means.estimate(numerator, scope), means.estimate(denominator, scope)
    rest = means.estimate(numerator - above.value / below.value * denominator, scope)
    square = rest.find_quantile(level) ** 2
    # Twice the covariance, from the variances of a sum and of a difference.
    plus, minus = (
        means.estimate(numerator + sign * denominator, scope).error ** 2 for sign in (1, -1)
    )
    a = below.value**2 - square * below.error**2
    b = above.value * below.value - square * (plus - minus) / 4
    c = above.value**2 - square * above.error**2
    if a <= 0:
        return None
    root = max(0.0, b**2 - a * c) ** 0.5
    return (b - root) / a, (b + root) / a
