"""Contrasts of means over runs, and their errors: over videos and over seeds.

A method is trained with some seeds and scored on some videos. Another seed would give another
score, and so would other videos. The variance of a score therefore has two parts: that over videos
of the mean over seeds, and that over seeds of the mean over videos. Few seeds cannot replace
videos, or the reverse.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.resampling.ratios import ROUNDING, ClusterContrast

MIN_PAIRED = 3
"""Conditions with fewer seeds in common are not paired, for want of degrees of freedom."""

SEEDS = {
    "none": "",
    "own": " and seeds",
    "paired": " and paired seeds",
    "partly": " and partly paired seeds",
    "unpaired": " and unpaired seeds",
    "shared": " and seeds of one side",
    "given": " and seeds as given",
}
"""What an error covers beside the clusters, and how tables name it.

``none``: nothing, as there are single runs, or runs that do not differ. ``own``: the seeds of one
condition. ``paired``, ``partly``, ``unpaired``: those of several conditions, which have the same
seeds, some in common, or fewer than `MIN_PAIRED` in common.
``shared``: some conditions have a single run, and the variance over the seeds of the others stands
for theirs. ``given``: the deviation of single runs was given.
"""


@dataclass(frozen=True)
class Condition:
    """What errors depend on, of the runs of a method under one condition.

    Attributes
    ----------
    values : (S,) float64
        The value of each run.
    influence : (C,) float64
        The influence of each cluster on the mean over runs.
    clusters : int
        The number of clusters in which all runs are defined.
    seeds : tuple of int or None
        The seed of each run. None if they are unknown.
    fixed : bool
        Whether another seed gives the same, as for blank masks.
    """

    values: NDArray[np.float64]
    influence: NDArray[np.float64]
    clusters: int
    seeds: tuple[int, ...] | None = None
    fixed: bool = False


@dataclass(frozen=True)
class Contrast:
    """The estimate of a linear combination of means over runs.

    Attributes
    ----------
    value, error : float
        The value and its standard error.
    degrees : float
        The degrees of freedom of the error.
    seeds : str
        The seeds that the error covers, a key of `SEEDS`.
    """

    value: float
    error: float
    degrees: float
    seeds: str

    @property
    def share(self) -> float:
        """The probability that the value is above 0, as Student's t gives it."""
        from scipy.special import stdtr

        if self.error == 0:
            return float(0.5 + 0.5 * np.sign(self.value))
        return float(stdtr(self.degrees, self.value / self.error))

    @property
    def p(self) -> float:
        """The two-sided p value of Student's t-test of the value 0."""
        return 1.0 if self.value == 0 else 2 * min(self.share, 1 - self.share)

    def find_interval(self, level: float, least: float, most: float) -> tuple[float, float]:
        """Find Student's t interval, within the range of possible values."""
        reach = self.find_quantile(level) * self.error
        return max(least, self.value - reach), min(most, self.value + reach)

    def find_quantile(self, level: float) -> float:
        """Return the two-sided quantile of Student's t for a level of confidence."""
        from scipy.special import stdtrit

        return float(stdtrit(self.degrees, (1 + level) / 2))


@dataclass(frozen=True)
class _SeedGroup:
    """Conditions that have seeds in common.

    Attributes
    ----------
    members : (M,) int64
        The positions of the conditions.
    counts : (M,) int64
        The number of their seeds.
    deviations : (S, M) float64
        The deviation of each seed of the group from the mean of each condition, 0 for seeds that
        a condition lacks.
    lacks : (S, M) bool
        Whether a condition lacks a seed.
    """

    members: NDArray[np.int64]
    counts: NDArray[np.int64]
    deviations: NDArray[np.float64]
    lacks: NDArray[np.bool_]

    def compute_variance(self, coefficients: NDArray[np.float64]) -> float:
        """Compute the variance over seeds of a contrast, (K,).

        The mean of n runs has the variance of a run over n. Two conditions vary together by the
        seeds that both have.
        """
        scale = np.sqrt(self.counts * (self.counts - 1))
        return float(((self.deviations @ (coefficients[self.members] / scale)) ** 2).sum())

    def count_degrees(self, used: NDArray[np.bool_]) -> int:
        """Count the degrees of freedom over seeds of the used conditions, (K,)."""
        return int(self.counts[used[self.members]].min()) - 1

    def is_whole(self, used: NDArray[np.bool_]) -> bool:
        """Whether the used conditions, (K,), have the same seeds."""
        lacks = self.lacks[:, used[self.members]]
        return bool((lacks.all(axis=1) == lacks.any(axis=1)).all())


class ContrastEstimator(ABC):
    """Estimate contrasts of K conditions on the same C clusters.

    Parameters
    ----------
    conditions : sequence of Condition, length K
        All runs must be defined.
    seed_deviation : float, optional
        The standard deviation over seeds of conditions with a single run, if it is known.

    Attributes
    ----------
    values : (K,) float64
        The mean of each condition.
    """

    def __init__(
        self, conditions: Sequence[Condition], seed_deviation: float | None = None
    ) -> None:
        self.values = np.array([float(condition.values.mean()) for condition in conditions])
        self._seed_deviation = seed_deviation
        self._influence = np.stack([condition.influence for condition in conditions])
        self._clusters = np.array([condition.clusters for condition in conditions])
        self._groups = _group_by_seeds(conditions)
        self._free = np.array([not condition.fixed for condition in conditions])
        self._single = self._free & np.array(
            [len(condition.values) == 1 for condition in conditions]
        )

    def estimate(
        self, coefficients: NDArray[np.float64], scope: NDArray[np.bool_] | None = None
    ) -> Contrast:
        """Estimate a contrast over clusters and seeds.

        With independent variances V_i of f_i degrees of freedom each, the sum of the V_i has about
        (sum V_i)^2 / sum (V_i^2 / f_i) degrees (Satterthwaite, "An approximate distribution of
        estimates of variance components", 1946).

        Parameters
        ----------
        coefficients : (K,) float64
        scope : (K,) bool, optional
            The conditions whose seeds stand for those of single runs. By default those of the
            contrast. Contrasts with the same scope have consistent variances.
        """
        used = coefficients != 0
        clusters = int(self._clusters[used].min())
        over_clusters = float(((coefficients @ self._influence) ** 2).sum())
        parts = [(over_clusters * clusters / (clusters - 1), float(clusters - 1))]
        over_seeds, seeds = self._divide_seeds(coefficients, used if scope is None else scope)
        parts += over_seeds
        total = sum(variance for variance, _ in parts)
        error = total**0.5
        if error < ROUNDING:
            return Contrast(self._sum(coefficients), 0.0, clusters - 1.0, seeds)
        degrees = total**2 / sum(variance**2 / degrees for variance, degrees in parts)
        return Contrast(self._sum(coefficients), error, degrees, seeds)

    @abstractmethod
    def combine(self, coefficients: NDArray[np.float64]) -> ClusterContrast:
        """Return a contrast, (K,), as a function of the weights of clusters, to resample them."""

    def _sum(self, coefficients: NDArray[np.float64]) -> float:
        return float(coefficients[coefficients != 0] @ self.values[coefficients != 0])

    def _divide_seeds(
        self, coefficients: NDArray[np.float64], scope: NDArray[np.bool_]
    ) -> tuple[list[tuple[float, float]], str]:
        """Return the variances over seeds with their degrees of freedom, and what they cover."""
        used = scope & self._free
        groups = [group for group in self._groups if used[group.members].any()]
        parts = [
            (group.compute_variance(coefficients), float(group.count_degrees(used)))
            for group in groups
        ]
        weight = float((coefficients[self._single] ** 2).sum())
        if weight and self._seed_deviation is not None:
            return [*parts, (weight * self._seed_deviation**2, float("inf"))], "given"
        total = sum(variance for variance, _ in parts)
        if weight and groups:  # a single part, because all of it varies with the same deviations
            one_run, degrees = self._pool(groups, used)
            total += weight * one_run
            parts = [(total, degrees)]
        if total < ROUNDING**2:
            return [], "none"
        if weight:
            return parts, "shared"
        if np.count_nonzero(used) == 1:
            return parts, "own"
        if len(groups) > 1:
            return parts, "unpaired"
        return parts, "paired" if groups[0].is_whole(used) else "partly"

    @staticmethod
    def _pool(groups: list[_SeedGroup], used: NDArray[np.bool_]) -> tuple[float, float]:
        """Return the variance of one run over seeds, pooled, and its degrees of freedom."""
        squares = degrees = 0.0
        for group in groups:
            chosen = used[group.members]
            squares += float((group.deviations[:, chosen] ** 2).sum())
            degrees += int((group.counts[chosen] - 1).sum())
        return squares / degrees, float(sum(group.count_degrees(used) for group in groups))


def _group_by_seeds(conditions: Sequence[Condition]) -> list[_SeedGroup]:
    """Group the conditions with several runs: those that have enough seeds in common together."""
    groups: list[list[int]] = []
    for position, condition in enumerate(conditions):
        if len(condition.values) > 1 and not condition.fixed:
            seeds = set(condition.seeds or ())
            joined = [
                group
                for group in groups
                if any(len(seeds & set(conditions[k].seeds or ())) >= MIN_PAIRED for k in group)
            ]
            groups = [group for group in groups if group not in joined]
            groups.append(sorted([position, *(k for group in joined for k in group)]))
    return [_make_group(conditions, group) for group in sorted(groups)]


def _make_group(conditions: Sequence[Condition], members: list[int]) -> _SeedGroup:
    """Gather the deviations of conditions by seed. A condition without seeds is alone."""
    columns = []
    for position in members:
        condition = conditions[position]
        seeds = range(len(condition.values)) if condition.seeds is None else condition.seeds
        deviations = (condition.values - condition.values.mean()).tolist()
        columns.append(dict(zip(seeds, deviations, strict=True)))
    every = sorted(set().union(*columns))
    return _SeedGroup(
        members=np.array(members),
        counts=np.array([len(column) for column in columns]),
        deviations=np.array([[column.get(seed, 0.0) for column in columns] for seed in every]),
        lacks=np.array([[seed not in column for column in columns] for seed in every]),
    )
