"""Statistics of clusters that need not be ratios of sums: resampled by their influence functions.

For any weights of the clusters, a statistic has a value and the influence of each cluster on it,
which is the derivative of the value by the weight of the cluster. The standard error is the root of
the weighted sum of squared influences (Davison and Hinkley, Bootstrap Methods and their
Application, 1997, 2.7.2), as for the ratios of `actiseg_eval.resampling.ratios`. Means, differences
and shares of statistics are statistics.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap, draw_weights, split_resamples
from actiseg_eval.resampling.ratios import ROUNDING, BootstrapEstimate

_MOST_WEIGHTS = 100_000
"""Weights of clusters that are evaluated at a time, which limits memory."""

Linearised: TypeAlias = "tuple[NDArray[np.float64], NDArray[np.float64]]"
"""Values, (R,), and influences, (R, C), for R rows of weights; NaN if undefined."""


class Statistic(Protocol):
    """A statistic of C clusters.

    Attributes
    ----------
    clusters : int
        The number of clusters, C.
    defined : int
        The number of clusters that have anything to say about it.
    """

    @property
    def clusters(self) -> int: ...

    @property
    def defined(self) -> int: ...

    def linearise(self, rows: WeightRows) -> Linearised:
        """Compute the values, and the influence of each cluster, for rows of weights."""
        ...


class DivisibleStatistic(Statistic, Protocol):
    """A statistic that a ratio of sums over clusters equals to first order."""

    def divide(self) -> Sums:
        """Return sums over clusters, (C,), with the value and the influences for equal weights."""
        ...


class WeightRows:
    """Rows of weights of clusters, (R, C), which remember what was computed for them."""

    def __init__(self, weights: NDArray[np.float64]) -> None:
        self.weights = weights
        self._known: dict[Statistic, Linearised] = {}

    def linearise(self, statistic: Statistic) -> Linearised:
        """Linearise a statistic, or return what is known of it."""
        if statistic not in self._known:
            with np.errstate(divide="ignore", invalid="ignore"):
                self._known[statistic] = statistic.linearise(self)
        return self._known[statistic]


@dataclass(frozen=True, eq=False)
class Ratio:
    """A ratio of two sums over clusters.

    >>> ratio = Ratio(Sums(np.array([1.0, 2.0]), np.array([4.0, 4.0])))
    >>> ratio.linearise(WeightRows(np.array([[1.0, 1.0], [2.0, 0.0]])))[0].tolist()
    [0.375, 0.25]
    """

    sums: Sums

    @property
    def clusters(self) -> int:
        return len(self.sums.numerator)

    @property
    def defined(self) -> int:
        return int(np.count_nonzero(self._denominator))

    @property
    def _denominator(self) -> NDArray[np.float64]:
        return np.zeros(self.clusters) if self.sums.denominator is None else self.sums.denominator

    def linearise(self, rows: WeightRows) -> Linearised:
        totals = rows.weights @ self._denominator
        values = (rows.weights @ self.sums.numerator) / totals
        rests = self.sums.numerator - values[:, None] * self._denominator
        return values, rests / totals[:, None]

    def divide(self) -> Sums:
        return self.sums


@dataclass(frozen=True, eq=False)
class Mean:
    """The mean of statistics of the same clusters, such as those of several seeds."""

    parts: Sequence[Statistic]

    @property
    def clusters(self) -> int:
        return self.parts[0].clusters

    @property
    def defined(self) -> int:
        return min(part.defined for part in self.parts)

    def linearise(self, rows: WeightRows) -> Linearised:
        known = [rows.linearise(part) for part in self.parts]
        return (
            np.asarray(sum(values for values, _ in known)) / len(known),
            np.asarray(sum(influences for _, influences in known)) / len(known),
        )


@dataclass(frozen=True, eq=False)
class RatioDifference:
    """One statistic minus another one of the same clusters."""

    first: Statistic
    second: Statistic

    @property
    def clusters(self) -> int:
        return self.first.clusters

    @property
    def defined(self) -> int:
        return min(self.first.defined, self.second.defined)

    def linearise(self, rows: WeightRows) -> Linearised:
        (first, towards), (second, away) = map(rows.linearise, (self.first, self.second))
        return first - second, towards - away


@dataclass(frozen=True, eq=False)
class Share:
    """One statistic as a share of another one of the same clusters."""

    part: Statistic
    whole: Statistic

    @property
    def clusters(self) -> int:
        return self.part.clusters

    @property
    def defined(self) -> int:
        return min(self.part.defined, self.whole.defined)

    def linearise(self, rows: WeightRows) -> Linearised:
        (part, by_part), (whole, by_whole) = map(rows.linearise, (self.part, self.whole))
        share = part / whole
        return share, (by_part - share[:, None] * by_whole) / whole[:, None]


def resample_statistics(
    statistics: Sequence[Statistic], bootstrap: Bootstrap
) -> list[BootstrapEstimate]:
    """Resample the clusters, in the same way for all statistics; all have the same clusters."""
    if not statistics:
        return []
    clusters = statistics[0].clusters
    once = WeightRows(np.ones((1, clusters)))
    whole = [evaluate_statistic(item, once) for item in statistics]
    resampled: list[list[NDArray[np.float64]]] = [[] for _ in statistics]
    deviations: list[list[NDArray[np.float64]]] = [[] for _ in statistics]
    for rows in _draw_rows(bootstrap, clusters):
        for position, statistic in enumerate(statistics):
            values, errors = evaluate_statistic(statistic, rows)
            resampled[position].append(values)
            with np.errstate(divide="ignore", invalid="ignore"):
                deviations[position].append((values - whole[position][0]) / errors)
    return [
        BootstrapEstimate(
            value=float(values[0]),
            error=float(errors[0]),
            clusters=statistic.defined,
            resampled=np.concatenate(resampled[position]),
            deviations=np.concatenate(deviations[position]),
        )
        for position, (statistic, (values, errors)) in enumerate(
            zip(statistics, whole, strict=True)
        )
    ]


def _draw_rows(bootstrap: Bootstrap, clusters: int) -> Iterator[WeightRows]:
    step = max(1, _MOST_WEIGHTS // clusters)
    for block, size in split_resamples(bootstrap.resamples):
        weights = draw_weights(block, size, clusters)
        for start in range(0, size, step):
            yield WeightRows(weights[start : start + step])


def evaluate_statistic(
    statistic: Statistic, rows: WeightRows
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the values and the standard errors, (R,), for rows of weights."""
    values, influences = rows.linearise(statistic)
    with np.errstate(invalid="ignore"):  # resamples in which a share has no whole
        errors = np.sqrt((rows.weights * influences**2).sum(axis=1))
    return values, np.where(errors < ROUNDING, 0, errors)
