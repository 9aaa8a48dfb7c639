"""Means over runs of metrics that are ratios of sums over clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.contrasts import Condition, ContrastEstimator
from actiseg_eval.resampling.ratios import Combination, combine


@dataclass(frozen=True)
class Runs:
    """The runs of a method under one condition, such as a noise level.

    Attributes
    ----------
    sums : tuple of Sums
        The sums over clusters of each run.
    seeds : tuple of int or None
        The seed of each run. None if they are unknown.
    fixed : bool
        Whether another seed gives the same, as for blank masks.
    """

    sums: tuple[Sums, ...]
    seeds: tuple[int, ...] | None = None
    fixed: bool = False

    @property
    def mean(self) -> float:
        """The mean over runs; NaN if one is undefined."""
        return float(np.mean([run.ratio for run in self.sums]))

    @property
    def condition(self) -> Condition:
        """What the errors of contrasts depend on."""
        mean = combine((1 / len(self.sums), run) for run in self.sums)
        return Condition(
            values=np.array([run.ratio for run in self.sums]),
            influence=mean.influence,
            clusters=mean.defined_clusters,
            seeds=self.seeds,
            fixed=self.fixed,
        )


class RunMeans(ContrastEstimator):
    """The means over runs of K conditions on the same C clusters, and the errors of contrasts.

    Parameters
    ----------
    conditions : sequence of Runs, length K
        All runs must be defined.
    seed_deviation : float, optional
        See `ContrastEstimator`.

    Attributes
    ----------
    conditions : tuple of Runs
    """

    def __init__(self, conditions: Sequence[Runs], seed_deviation: float | None = None) -> None:
        super().__init__([runs.condition for runs in conditions], seed_deviation)
        self.conditions = tuple(conditions)

    def combine(self, coefficients: NDArray[np.float64]) -> Combination:
        """Return a contrast, (K,), as a combination of ratios, to resample its clusters."""
        return combine(
            (coefficient / len(runs.sums), run)
            for coefficient, runs in zip(coefficients.tolist(), self.conditions, strict=True)
            for run in runs.sums
        )
