"""Linear combinations of ratios over the same clusters, and their intervals from resamples.

A metric is a ratio of two sums over clusters, such as videos. A mean over seeds, a difference of
two methods and an area under a curve are linear combinations of such ratios, and are resampled
alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap, draw_weights, split_resamples

ROUNDING = 1e-12
"""Smaller numbers than this are rounding errors."""


class ClusterContrast(Protocol):
    """A linear combination of values over the same C clusters, which can be resampled.

    Attributes
    ----------
    clusters : int
        The number of clusters.
    defined_clusters : int
        The number of clusters in which every value is defined.
    """

    @property
    def clusters(self) -> int: ...

    @property
    def defined_clusters(self) -> int: ...

    def evaluate(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute values and standard errors, (R,), for weights of the clusters, (R, C)."""
        ...

    def divide_difference(self) -> NDArray[np.float64]:
        """Divide a difference into what each cluster adds to it, (C,), to first order."""
        ...


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

    @property
    def defined_clusters(self) -> int:
        """The number of clusters in which every ratio is defined."""
        return int(np.count_nonzero(self.denominators, axis=1).min())

    def evaluate(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute values and standard errors for weights of the clusters.

        Parameters
        ----------
        weights : (R, C) float64
            How often each cluster counts.

        Returns
        -------
        values, errors : (R,) float64
            NaN if a ratio is undefined. The error is sqrt(sum_c w_c z_c^2), with the influence z_c.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            totals = weights @ self.denominators.T
            ratios = (weights @ self.numerators.T) / totals
            influence = self._compute_influence(totals, ratios)
            errors = np.sqrt((weights * influence**2).sum(axis=1))
            return ratios @ self.coefficients, np.where(errors < ROUNDING, 0, errors)

    @property
    def influence(self) -> NDArray[np.float64]:
        """The influence of each cluster on the value, (C,)."""
        totals = self.denominators.sum(axis=1)
        ratios = self.numerators.sum(axis=1) / totals
        return np.asarray(self._compute_influence(totals[None], ratios[None])[0])

    def _compute_influence(
        self, totals: NDArray[np.float64], ratios: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Compute the influence of each cluster, (R, C), from totals and ratios, (R, L).

        With the ratios r_l and the sums of denominators B_l it is z_c = sum_l q_l (a_lc - r_l b_lc)
        / B_l (Davison and Hinkley, Bootstrap Methods and their Application, 1997, 2.7.2).
        """
        shares = self.coefficients / totals
        return np.asarray(shares @ self.numerators - (shares * ratios) @ self.denominators)

    def divide_difference(self) -> NDArray[np.float64]:
        """Divide a difference into what each cluster adds to it, (C,).

        Ratios are taken from their mean. A cluster that has the mean ratio then adds nothing,
        however large it is.
        """
        weights = np.abs(self.coefficients)
        totals = self.denominators.sum(axis=1)
        mean = float(weights @ (self.numerators.sum(axis=1) / totals)) / float(weights.sum())
        shares = self.coefficients / totals
        return np.asarray(shares @ (self.numerators - mean * self.denominators))


def combine(terms: Iterable[tuple[float, Sums]]) -> Combination:
    """Combine ratios, each with its coefficient; terms with the coefficient 0 are left out."""
    kept = [
        (coefficient, sums.numerator, sums.denominator)
        for coefficient, sums in terms
        if coefficient and sums.denominator is not None
    ]
    coefficients, numerators, denominators = zip(*kept, strict=True)
    return Combination(np.array(coefficients), np.stack(numerators), np.stack(denominators))


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

    def find_unreached(self, interval: tuple[float, float]) -> tuple[str, ...]:
        """Return which ends of an interval, ``low`` or ``high``, lie beyond every resample.

        Such an end says what unseen clusters could add, and not what the data show.
        """
        known = self.resampled[~np.isnan(self.resampled)]
        if not len(known):
            return ()
        low = interval[0] < known.min() - ROUNDING
        high = interval[1] > known.max() + ROUNDING
        return ("low",) * bool(low) + ("high",) * bool(high)


def _find_quantiles(deviations: NDArray[np.float64], tail: float) -> tuple[float, float]:
    """Find the quantiles of resampled deviations that cut off a share at each end.

    A resample without spread has an infinite deviation. It is kept as the most extreme one.
    """
    known = deviations[~np.isnan(deviations)]
    if not len(known):
        return 0.0, 0.0  # every resample equals the whole
    low = np.quantile(known, tail, method="lower")
    return float(low), float(np.quantile(known, 1 - tail, method="higher"))


def resample(
    combinations: Sequence[ClusterContrast], bootstrap: Bootstrap
) -> list[BootstrapEstimate]:
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
            combination.defined_clusters,
            np.concatenate(resampled[position]),
            np.concatenate(deviations[position]),
        )
        for position, (combination, (value, error)) in enumerate(
            zip(combinations, whole, strict=True)
        )
    ]
