"""Whether differences between methods depend on the condition, over clusters and over runs."""

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
    p_clusters : float
        How often it is at least as large when the conditions of each cluster are exchanged.
    p_runs : float or None
        Of an F test of it against what it differs between the seeds of the runs. None for a single
        seed: then nothing is known of what other runs would give.
    """

    deviation: float
    p_clusters: float
    p_runs: float | None

    @property
    def p(self) -> float:
        """The larger p value: both other clusters and other runs must show the interaction."""
        return self.p_clusters if self.p_runs is None else max(self.p_clusters, self.p_runs)


def measure_interaction(
    values: NDArray[np.float64], permutations: int = PERMUTATIONS
) -> Interaction:
    """Measure the interaction of methods and conditions, and test it over clusters and over runs.

    Under the null hypothesis the differences between the methods do not depend on the condition.
    Then the conditions of a cluster can be exchanged, for all methods alike: keyed draws do so. And
    the interaction of a seed is chance around 0: with I the interaction of the mean over S seeds
    and I_s that of seed s, F is S |I|^2 / (sum |I_s - I|^2 / (S - 1)), with (M - 1)(C - 1) and
    (S - 1) times as many degrees of freedom.

    Parameters
    ----------
    values : (M, C, S, V) float64
        The value of each of M methods under each of C conditions, of the run with each of S seeds,
        in each of V clusters.
    permutations : int
        The number of draws.

    Returns
    -------
    Interaction
        Of the means over seeds and clusters.

    Examples
    --------
    >>> rows = np.array([[[[0.5, 0.6]], [[0.3, 0.4]]], [[[0.4, 0.5]], [[0.2, 0.3]]]])
    >>> measure_interaction(rows).p  # the methods differ by 0.1 under both conditions
    1.0
    """
    interaction = _find_interaction(values.mean(axis=(2, 3)))
    observed = _sum_squares(interaction)
    return Interaction(
        deviation=(observed / interaction.size) ** 0.5,
        p_clusters=_test_clusters(values.mean(axis=2), observed, permutations),
        p_runs=_test_runs(values.mean(axis=3)) if values.shape[2] > 1 else None,
    )


def _test_clusters(values: NDArray[np.float64], observed: float, permutations: int) -> float:
    """Return the p value of the exchange of conditions within clusters, (M, C, V)."""
    _, conditions, clusters = values.shape
    centred = values - values.mean(axis=0)
    columns = np.arange(clusters)
    extreme = 0
    for number in range(permutations):
        key = make_key(0, 1, "interaction.exchange", number, clusters)
        order = draw_uniforms(key, conditions * clusters).reshape(conditions, clusters)
        exchanged = centred[:, order.argsort(axis=0), columns].mean(axis=2)
        extreme += int(_sum_squares(_find_interaction(exchanged)) >= observed - ROUNDING)
    return (extreme + 1) / (permutations + 1)


def _test_runs(values: NDArray[np.float64]) -> float:
    """Return the p value of the F test over seeds, (M, C, S)."""
    from scipy.special import fdtrc

    methods, conditions, seeds = values.shape
    by_seed = np.stack([_find_interaction(values[..., seed]) for seed in range(seeds)])
    mean = by_seed.mean(axis=0)
    if _sum_squares(mean) < ROUNDING**2:
        return 1.0
    rest = _sum_squares(by_seed - mean) / (seeds - 1)
    if rest < ROUNDING**2:
        return 0.0
    degrees = (methods - 1) * (conditions - 1)
    return float(fdtrc(degrees, degrees * (seeds - 1), seeds * _sum_squares(mean) / rest))


def _find_interaction(means: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the means of rows and of columns away, (M, C)."""
    centred: NDArray[np.float64] = means - means.mean(axis=0)
    rest: NDArray[np.float64] = centred - centred.mean(axis=1, keepdims=True)
    return rest


def _sum_squares(values: NDArray[np.float64]) -> float:
    return float((values * values).sum())
