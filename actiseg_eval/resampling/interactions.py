"""Whether differences between methods depend on the condition: a permutation test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_uniforms, make_key
from actiseg_eval.resampling.ratios import ROUNDING

PERMUTATIONS = 9999


@dataclass(frozen=True)
class Interaction:
    """How much differences between methods depend on the condition.

    Attributes
    ----------
    deviation : float
        The root of the mean square of what remains of the values of methods under conditions after
        the mean of each method and that of each condition are taken away. In units of the values.
    p : float
        How often it is at least as large when the conditions of each cluster are exchanged.
    """

    deviation: float
    p: float


def measure_interaction(
    values: NDArray[np.float64], permutations: int = PERMUTATIONS
) -> Interaction:
    """Measure the interaction of methods and conditions, and test it by permutation.

    Under the null hypothesis the differences between the methods do not depend on the condition, so
    the conditions of a cluster can be exchanged, for all methods alike. Keyed draws exchange them.

    Parameters
    ----------
    values : (M, C, V) float64
        The value of each of M methods under each of C conditions in each of V clusters.
    permutations : int
        The number of draws.

    Returns
    -------
    Interaction
        Of the means over clusters. p is at least ``1 / (permutations + 1)``.

    Examples
    --------
    >>> rows = np.array([[[0.5, 0.6], [0.3, 0.4]], [[0.4, 0.5], [0.2, 0.3]]])
    >>> measure_interaction(rows).p  # the methods differ by 0.1 under both conditions
    1.0
    """
    _, conditions, clusters = values.shape
    centred = values - values.mean(axis=0)
    observed = _sum_squares(centred.mean(axis=2))
    columns = np.arange(clusters)
    extreme = 0
    for number in range(permutations):
        key = make_key(0, 1, "interaction.exchange", number, clusters)
        order = draw_uniforms(key, conditions * clusters).reshape(conditions, clusters)
        exchanged = centred[:, order.argsort(axis=0), columns].mean(axis=2)
        extreme += int(_sum_squares(exchanged) >= observed - ROUNDING)
    terms = values.shape[0] * conditions
    return Interaction((observed / terms) ** 0.5, (extreme + 1) / (permutations + 1))


def _sum_squares(means: NDArray[np.float64]) -> float:
    """Sum the squares of the interaction of means that are centred over methods."""
    rest = means - means.mean(axis=1, keepdims=True)
    return float((rest * rest).sum())
