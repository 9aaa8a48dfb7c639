"""Linear combinations of ratios over the same clusters: intervals and tests of differences.

A metric is a ratio of two sums over clusters, such as videos. A mean over seeds, a difference of
two methods and an area under a curve are linear combinations of such ratios, and are resampled
alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.keys import draw_bernoullis, make_key
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap, draw_weights, split_resamples

_ROUNDING = 1e-12
"""Smaller numbers than this are rounding errors."""


@dataclass(frozen=True)
class Combination:
    """A linear combination of L ratios over the same C clusters: sum_l q_l sum_c a_lc / sum_c b_lc.

    Attributes
    ----------
    coefficients : (L,) float64
        The q_l.
    numerators, denominators : (L, C) float64
        The a_lc and the b_lc.

    Examples
    --------
    >>> ratio = Sums(np.array([1.0, 2.0]), np.array([4.0, 4.0]))
    >>> combination = combine([(0.5, ratio), (0.5, ratio)])
    >>> values, errors = combination.evaluate(np.array([[1.0, 1.0], [2.0, 0.0]]))
    >>> values.tolist()
    [0.375, 0.25]
    """

    coefficients: NDArray[np.float64]
    numerators: NDArray[np.float64]
    denominators: NDArray[np.float64]

    @property
    def clusters(self) -> int:
        """The number of clusters."""
        return int(self.numerators.shape[1])

    def evaluate(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute values and standard errors for weights of the clusters.

        With the ratios r_l and the sums of denominators B_l, cluster c has the influence z_c =
        sum_l q_l (a_lc - r_l b_lc) / B_l, and the error is sqrt(sum_c w_c z_c^2) (Davison and
        Hinkley, Bootstrap Methods and their Application, 1997, 2.7.2).

        Parameters
        ----------
        weights : (R, C) float64
            How often each cluster counts.

        Returns
        -------
        values, errors : (R,) float64
            NaN if a ratio is undefined.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            totals = weights @ self.denominators.T
            ratios = (weights @ self.numerators.T) / totals
            shares = self.coefficients / totals
            influence = shares @ self.numerators - (shares * ratios) @ self.denominators
            errors = np.sqrt((weights * influence**2).sum(axis=1))
            return ratios @ self.coefficients, np.where(errors < _ROUNDING, 0, errors)


def combine(terms: Iterable[tuple[float, Sums]]) -> Combination:
    """Combine ratios, each with its coefficient; terms with the coefficient 0 are left out."""
    kept = [
        (coefficient, sums.numerator, sums.denominator)
        for coefficient, sums in terms
        if coefficient and sums.denominator is not None
    ]
    coefficients, numerators, denominators = zip(*kept, strict=True)
    return Combination(np.array(coefficients), np.stack(numerators), np.stack(denominators))


def make_mean_terms(runs: Sequence[Sums], factor: float = 1.0) -> list[tuple[float, Sums]]:
    """Make the terms of the mean over several runs, times a factor."""
    return [(factor / len(runs), run) for run in runs]


@dataclass(frozen=True)
class BootstrapEstimate:
    """A combination and its resamples.

    Attributes
    ----------
    value, error : float
        The value and the standard error over all clusters.
    clusters : int
        The number of clusters in which every ratio is defined.
    resampled : (R,) float64
        The values of the resamples; NaN if undefined.
    deviations : (R,) float64
        The deviations of the resamples from `value`, each in its own standard errors; NaN if
        undefined.
    """

    value: float
    error: float
    clusters: int
    resampled: NDArray[np.float64]
    deviations: NDArray[np.float64]

    def find_interval(self, level: float, least: float, most: float) -> tuple[float, float]:
        """Find the bootstrap-t interval.

        A deviation is in units of its own standard error, because percentiles of the value itself
        are too narrow for few clusters (Davison and Hinkley, Bootstrap Methods and their
        Application, 1997, 2.4). If only a few clusters differ from the others, many resamples have
        none of them. Such resamples have no spread and an infinite deviation, which carries no
        information. Therefore the ends are limited to those of Student's t, extended by what unseen
        clusters could add. Unseen clusters are less than ``1 - tail ** (1 / clusters)`` of all:
        otherwise one of them would probably have been seen.

        Parameters
        ----------
        level : float
            The level of confidence, in (0, 1).
        least, most : float
            The range of possible values.
        """
        from scipy.special import stdtrit

        if self.error == 0:
            return self.value, self.value
        tail = (1 - level) / 2
        low, high = _find_quantiles(self.deviations, tail)
        reach = float(stdtrit(self.clusters - 1, 1 - tail)) * self.error
        unseen = 1 - tail ** (1 / self.clusters)
        return (
            max(
                least,
                self.value - high * self.error,
                self.value - reach - unseen * (self.value - least),
            ),
            min(
                most,
                self.value - low * self.error,
                self.value + reach + unseen * (most - self.value),
            ),
        )


def _find_quantiles(deviations: NDArray[np.float64], tail: float) -> tuple[float, float]:
    """Find the quantiles of resampled deviations that cut off a share at each end.

    A resample without spread has an infinite deviation. It is kept as the most extreme one.
    """
    known = deviations[~np.isnan(deviations)]
    if not len(known):
        return 0.0, 0.0  # every resample equals the whole
    low = np.quantile(known, tail, method="lower")
    return float(low), float(np.quantile(known, 1 - tail, method="higher"))


def resample(combinations: Sequence[Combination], bootstrap: Bootstrap) -> list[BootstrapEstimate]:
    """Resample the clusters, in the same way for all combinations; all have the same clusters."""
    if not combinations:
        return []
    clusters = combinations[0].clusters
    once = np.ones((1, clusters))
    whole = [
        tuple(float(row[0]) for row in combination.evaluate(once)) for combination in combinations
    ]
    resampled: list[list[NDArray[np.float64]]] = [[] for _ in combinations]
    deviations: list[list[NDArray[np.float64]]] = [[] for _ in combinations]
    for block, rows in split_resamples(bootstrap.resamples):
        weights = draw_weights(block, rows, clusters)
        for position, combination in enumerate(combinations):
            values, errors = combination.evaluate(weights)
            resampled[position].append(values)
            with np.errstate(divide="ignore", invalid="ignore"):
                deviations[position].append((values - whole[position][0]) / errors)
    return [
        BootstrapEstimate(
            value,
            error,
            int(np.count_nonzero(combination.denominators, axis=1).min()),
            np.concatenate(resampled[position]),
            np.concatenate(deviations[position]),
        )
        for position, (combination, (value, error)) in enumerate(
            zip(combinations, whole, strict=True)
        )
    ]


def find_seed_interval(
    values: Sequence[float], level: float, least: float
) -> tuple[float, float] | None:
    """Find Student's t interval of the mean over seeds.

    Parameters
    ----------
    values : sequence of float
        The metric of each seed.
    level : float
        The level of confidence, in (0, 1).
    least : float
        The smallest possible value; the largest is 1.

    Returns
    -------
    (float, float) or None
        None for a single seed, and if a seed has no value.

    Examples
    --------
    >>> [round(end, 6) for end in find_seed_interval([0.5, 0.7], 0.5, 0.0)]
    [0.5, 0.7]
    """
    from scipy.special import stdtrit

    if len(values) < 2 or np.isnan(values).any():
        return None
    mean, error = float(np.mean(values)), float(np.std(values, ddof=1)) / len(values) ** 0.5
    reach = float(stdtrit(len(values) - 1, (1 + level) / 2)) * error
    return max(least, mean - reach), min(1.0, mean + reach)


@dataclass(frozen=True)
class Gain:
    """How much better a method is than another.

    Attributes
    ----------
    value : float
    interval : (float, float)
    share : float
        The share of resamples in which the method is better.
    p : float
        The two-sided p-value of no difference.
    """

    value: float
    interval: tuple[float, float]
    share: float
    p: float


def compare_seeds(
    first: NDArray[np.float64], second: NDArray[np.float64], level: float
) -> Gain | None:
    """Compare the means of two methods over seeds by Welch's t-test.

    Welch, "The generalization of Student's problem", 1947. `Gain.share` follows from Student's t.

    Parameters
    ----------
    first, second : (S,) float64
        The metric of at least two seeds of each method, larger for better.
    level : float
        The level of confidence, in (0, 1).

    Returns
    -------
    Gain or None
        None if neither method varies.
    """
    from scipy import stats

    gain = float(first.mean() - second.mean())
    variances = [values.var(ddof=1) / len(values) for values in (first, second)]
    error = float(np.sqrt(sum(variances)))
    if error < _ROUNDING:
        return None
    freedom = sum(variances) ** 2 / sum(
        variance**2 / (len(values) - 1)
        for variance, values in zip(variances, (first, second), strict=True)
    )
    reach = float(stats.t.ppf((1 + level) / 2, freedom)) * error
    share = float(stats.t.cdf(gain / error, freedom))
    return Gain(gain, (gain - reach, gain + reach), share, 2 * min(share, 1 - share))


def compare_clusters(
    first: Sequence[Sums],
    second: Sequence[Sums],
    sign: float,
    bootstrap: Bootstrap,
    most: float = 1.0,
) -> Gain:
    """Compare two methods over the same clusters, each by its mean over runs.

    The interval is a bootstrap-t interval, the p-value is from a permutation test.

    Parameters
    ----------
    first, second : sequence of Sums
        The sums of the clusters in each run.
    sign : float
        1 if higher is better, -1 if lower is.
    bootstrap : Bootstrap
    most : float
        The largest possible difference.
    """
    terms = make_mean_terms(first) + make_mean_terms(second, -1.0)
    (estimate,) = resample([combine(terms)], bootstrap)
    if abs(estimate.value) < _ROUNDING and estimate.error < _ROUNDING:
        return Gain(0.0, (0.0, 0.0), 0.5, 1.0)
    resampled = sign * estimate.resampled[~np.isnan(estimate.resampled)]
    share = float(((resampled > _ROUNDING) + 0.5 * (np.abs(resampled) <= _ROUNDING)).mean())
    p = _test_permutations(_average_runs(first), _average_runs(second), bootstrap)
    interval = estimate.find_interval(bootstrap.level, -most, most)
    low, high = sorted(sign * end for end in interval)
    if p > 1 - bootstrap.level:
        # If only a few clusters differ, deviations are too small: keep 0 in the interval.
        low, high = min(low, 0.0), max(high, 0.0)
    return Gain(sign * estimate.value, (low, high), share, p)


_SumPair = tuple[NDArray[np.float64], NDArray[np.float64]]


def _average_runs(runs: Sequence[Sums]) -> _SumPair:
    """Average the numerators and the denominators, (C,), over runs."""
    denominators = [run.denominator for run in runs if run.denominator is not None]
    return np.mean([run.numerator for run in runs], axis=0), np.mean(denominators, axis=0)


def _test_permutations(first: _SumPair, second: _SumPair, bootstrap: Bootstrap) -> float:
    """Return the p-value of Fisher's permutation test.

    It is how often two methods differ at least as much after keyed draws swap them in half of the
    clusters.
    """
    (a1, b1), (a2, b2) = first, second
    clusters = len(a1)
    observed = abs(a1.sum() / b1.sum() - a2.sum() / b2.sum())
    extreme = 0
    for block, rows in split_resamples(bootstrap.resamples):
        key = make_key(0, 1, "comparison.swap", block, clusters)
        swap = draw_bernoullis(key, rows * clusters, 0.5).reshape(rows, clusters)
        numerators, denominators = np.where(swap, a2, a1), np.where(swap, b2, b1)
        with np.errstate(divide="ignore", invalid="ignore"):
            gains = numerators.sum(axis=1) / denominators.sum(axis=1)
            gains -= (a1 + a2 - numerators).sum(axis=1) / (b1 + b2 - denominators).sum(axis=1)
        extreme += int((np.abs(gains) >= observed - _ROUNDING).sum())
    return (extreme + 1) / (bootstrap.resamples + 1)


def apply_holm(p: Sequence[float]) -> list[float]:
    """Adjust the p-values of several tests by Holm's procedure.

    Holm, "A simple sequentially rejective multiple test procedure", 1979.

    >>> apply_holm([0.01, 0.04])
    [0.02, 0.04]
    """
    adjusted, most = [0.0] * len(p), 0.0
    for rank, position in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        most = max(most, min(1.0, (len(p) - rank) * p[position]))
        adjusted[position] = most
    return adjusted
