"""Metrics of groups of units as ratios of two sums, which can be added up over groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Sums:
    """A metric of each of G groups as a ratio of two sums, which can be added up over groups.

    Attributes
    ----------
    numerator : (G,) float64
    denominator : (G,) float64 or None
        None for a count.
    """

    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64] | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """The metric of each group, (G,); NaN if it is undefined."""
        if self.denominator is None:
            return self.numerator
        undefined = np.full(len(self.numerator), np.nan)
        ratio = np.divide(
            self.numerator, self.denominator, out=undefined, where=self.denominator > 0
        )
        return np.asarray(ratio)

    @property
    def ratio(self) -> float:
        """The metric of all groups together; NaN if it is undefined, or for a count."""
        denominator = 0.0 if self.denominator is None else float(self.denominator.sum())
        return float(self.numerator.sum()) / denominator if denominator > 0 else float("nan")


MetricSums: TypeAlias = dict[str, Sums]
"""Sums by metric, each with the same groups."""


@dataclass(frozen=True)
class UnitGroups:
    """The groups of N units.

    Attributes
    ----------
    codes : (N,) int64
        The group of each unit, 0 to `count` - 1.
    count : int
        The number of groups, G.

    Examples
    --------
    >>> groups = UnitGroups(np.array([0, 1, 1]), 2)
    >>> groups.sum(np.array([0.5, 1.0, 2.0])).tolist(), groups.sizes.tolist()
    ([0.5, 3.0], [1.0, 2.0])
    """

    codes: NDArray[np.int64]
    count: int

    @property
    def sizes(self) -> NDArray[np.float64]:
        """The number of units in each group, (G,)."""
        return self.sum(np.ones(len(self.codes)))

    def sum(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        """Sum the values of each group, (G,)."""
        return np.bincount(self.codes, weights=values, minlength=self.count).astype(np.float64)

    def sum_where(
        self, chosen: NDArray[np.bool_], values: NDArray[np.generic] | int = 1
    ) -> NDArray[np.float64]:
        """Sum the values of the chosen units, (N,), in each group; without values, count them."""
        return self.sum(np.where(chosen, values, 0))

    def select(self, chosen: NDArray[np.bool_]) -> UnitGroups:
        """Return the groups of some of the units, by a mask, (N,)."""
        return UnitGroups(self.codes[chosen], self.count)
