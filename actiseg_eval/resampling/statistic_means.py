"""Means over runs of statistics of clusters, such as AUROC, which need not be ratios of sums."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.resampling.contrasts import Condition, ContrastEstimator
from actiseg_eval.resampling.linearised import (
    DivisibleStatistic,
    Linearised,
    Mean,
    WeightRows,
    evaluate_statistic,
)
from actiseg_eval.resampling.ratios import combine


@dataclass(frozen=True)
class StatisticRuns:
    """The runs of a method.

    Attributes
    ----------
    parts : tuple of DivisibleStatistic
        The statistic of each run. All have the same clusters.
    seeds : tuple of int or None
        The seed of each run. None if they are unknown.
    fixed : bool
        Whether another seed gives the same.
    """

    parts: tuple[DivisibleStatistic, ...]
    seeds: tuple[int, ...] | None = None
    fixed: bool = False

    @property
    def condition(self) -> Condition:
        """What the errors of contrasts depend on."""
        mean = Mean(self.parts)
        once = WeightRows(np.ones((1, mean.clusters)))
        return Condition(
            values=np.array([float(once.linearise(part)[0][0]) for part in self.parts]),
            influence=once.linearise(mean)[1][0],
            clusters=mean.defined,
            seeds=self.seeds,
            fixed=self.fixed,
        )


@dataclass(frozen=True, eq=False)
class StatisticContrast:
    """A linear combination of statistics of the same C clusters.

    Attributes
    ----------
    terms : sequence of (float, DivisibleStatistic)
        The coefficient of each statistic, which is not 0.
    """

    terms: Sequence[tuple[float, DivisibleStatistic]]

    @property
    def clusters(self) -> int:
        return self.terms[0][1].clusters

    @property
    def defined(self) -> int:
        return min(statistic.defined for _, statistic in self.terms)

    @property
    def defined_clusters(self) -> int:
        return self.defined

    def linearise(self, rows: WeightRows) -> Linearised:
        known = [(factor, rows.linearise(statistic)) for factor, statistic in self.terms]
        return (
            np.asarray(sum(factor * values for factor, (values, _) in known)),
            np.asarray(sum(factor * influences for factor, (_, influences) in known)),
        )

    def evaluate(
        self, weights: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return evaluate_statistic(self, WeightRows(weights))

    def divide_difference(self) -> NDArray[np.float64]:
        divided = combine((factor, statistic.divide()) for factor, statistic in self.terms)
        return divided.divide_difference()


class StatisticMeans(ContrastEstimator):
    """The means over runs of K methods on the same C clusters, and the errors of contrasts.

    Parameters
    ----------
    methods : sequence of StatisticRuns, length K
        All runs must be defined.
    """

    def __init__(self, methods: Sequence[StatisticRuns]) -> None:
        super().__init__([runs.condition for runs in methods])
        self._methods = tuple(methods)

    def combine(self, coefficients: NDArray[np.float64]) -> StatisticContrast:
        """Return a contrast, (K,), as a combination of statistics, to resample its clusters."""
        return StatisticContrast(
            [
                (coefficient / len(runs.parts), part)
                for coefficient, runs in zip(coefficients.tolist(), self._methods, strict=True)
                if coefficient
                for part in runs.parts
            ]
        )
