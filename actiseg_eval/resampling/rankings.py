"""How well scores rank positive items before negative ones: AUROC and average precision."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.linearised import Linearised, WeightRows

_Array: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True, eq=False)
class Ranking:
    """M scored items in C clusters, in ascending order of their scores.

    Make one with `make_ranking`.

    Attributes
    ----------
    positive : (M,) bool
        Whether each item should rank high.
    groups : (M,) int64
        The position of each item's score among the different scores, 0 for the lowest.
    cluster : (M,) int64
        The cluster of each item.
    clusters : int
    """

    positive: NDArray[np.bool_]
    groups: NDArray[np.int64]
    cluster: NDArray[np.int64]
    clusters: int

    @property
    def defined(self) -> int:
        """The number of clusters with an item."""
        return len(np.unique(self.cluster))

    def weigh_items(self, rows: WeightRows) -> tuple[_Array, _Array]:
        """Return the weights of positive and of negative items, (R, M) each."""
        weights = rows.weights[:, self.cluster]
        return weights * self.positive, weights * ~self.positive

    def sum_below(self, values: _Array) -> _Array:
        """Sum values, (R, M), over the items with a lower score than each item, (R, M)."""
        sums = np.concatenate([np.zeros((len(values), 1)), values.cumsum(axis=1)], axis=1)
        return sums[:, np.searchsorted(self.groups, self.groups, "left")]

    def sum_up_to(self, values: _Array) -> _Array:
        """Sum values, (R, M), over the items whose score is no higher than each item's, (R, M)."""
        sums = values.cumsum(axis=1)
        return sums[:, np.searchsorted(self.groups, self.groups, "right") - 1]

    def sum_clusters(self, values: _Array) -> _Array:
        """Sum values of items, (R, M), in each cluster, (R, C)."""
        members = np.zeros((len(self.cluster), self.clusters))
        members[np.arange(len(self.cluster)), self.cluster] = 1
        return np.asarray(values @ members)


def make_ranking(
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
    cluster: NDArray[np.int64],
    clusters: int,
) -> Ranking:
    """Sort items by their scores.

    Parameters
    ----------
    scores : (M,) float64
        Larger for items that should be positive.
    positive : (M,) bool
    cluster : (M,) int64
        The cluster of each item, 0 to `clusters` - 1.
    clusters : int
    """
    order = np.argsort(scores, kind="stable")
    _, groups = np.unique(scores, return_inverse=True)
    return Ranking(
        positive[order], groups.ravel()[order].astype(np.int64), cluster[order], clusters
    )


@dataclass(frozen=True, eq=False)
class _RankingStatistic(ABC):
    """A statistic of a ranking, with the clusters that it is resampled over."""

    ranking: Ranking

    @property
    def clusters(self) -> int:
        return self.ranking.clusters

    @property
    def defined(self) -> int:
        return self.ranking.defined

    @abstractmethod
    def linearise(self, rows: WeightRows) -> Linearised:
        """Compute the values, and the influence of each cluster, for rows of weights."""

    def divide(self) -> Sums:
        """Return sums over clusters, (C,), with the value and the influences for equal weights.

        The weight of a cluster is the mean of its shares of positive and of negative items. A sum
        of half of the pairs of each cluster would also have the value, but half of the influences.
        """
        rows = WeightRows(np.ones((1, self.clusters)))
        values, influences = rows.linearise(self)
        parts = (self.ranking.sum_clusters(part)[0] for part in self.ranking.weigh_items(rows))
        positive, negative = (part / part.sum() for part in parts)
        weights = (positive + negative) / 2
        return Sums(influences[0] + values[0] * weights, weights)


@dataclass(frozen=True, eq=False)
class Auroc(_RankingStatistic):
    """The area under the ROC curve.

    It is the chance that a positive item has a higher score than a negative one, where equal
    scores count as one half (Hanley and McNeil, "The meaning and use of the area under a receiver
    operating characteristic (ROC) curve", 1982).

    Examples
    --------
    >>> scores, positive = np.array([0.1, 0.4, 0.4, 0.8]), np.array([False, False, True, True])
    >>> find_ranking_value(Auroc, scores, positive)
    0.875
    """

    def linearise(self, rows: WeightRows) -> Linearised:
        ranking = self.ranking
        positive, negative = ranking.weigh_items(rows)
        both = [part.sum(axis=1, keepdims=True) for part in (positive, negative)]
        pairs = both[0] * both[1]
        beaten = (ranking.sum_below(negative) + ranking.sum_up_to(negative)) / 2
        value = (positive * beaten).sum(axis=1, keepdims=True) / pairs
        lost = both[0] - (ranking.sum_below(positive) + ranking.sum_up_to(positive)) / 2
        gains = np.where(
            ranking.positive, beaten / pairs - value / both[0], lost / pairs - value / both[1]
        )
        return value[:, 0], ranking.sum_clusters(gains)


@dataclass(frozen=True, eq=False)
class AveragePrecision(_RankingStatistic):
    """Average precision: the mean over positive items of the precision at their score.

    The precision at a score is the share of positive items among all items with at least that
    score. Nothing is interpolated (as in scikit-learn's ``average_precision_score``).

    Examples
    --------
    >>> scores, positive = np.array([0.1, 0.4, 0.6, 0.8]), np.array([False, True, False, True])
    >>> round(find_ranking_value(AveragePrecision, scores, positive), 4)
    0.8333
    """

    def linearise(self, rows: WeightRows) -> Linearised:
        ranking = self.ranking
        positive, negative = ranking.weigh_items(rows)
        total = positive.sum(axis=1, keepdims=True)
        true = total - ranking.sum_below(positive)
        selected = true + negative.sum(axis=1, keepdims=True) - ranking.sum_below(negative)
        # An item with the weight 0 may have nothing at or above its score.
        precision = np.divide(true, selected, out=np.zeros_like(true), where=selected > 0)
        inverse = np.divide(1.0, selected, out=np.zeros_like(true), where=selected > 0)
        value = (positive * precision).sum(axis=1, keepdims=True) / total
        # One more item changes the precision at its own score and at all lower ones.
        slope = ranking.sum_up_to(positive * inverse)
        loss = ranking.sum_up_to(positive * precision * inverse)
        gains = (ranking.positive * (precision + slope - value) - loss) / total
        return value[:, 0], ranking.sum_clusters(gains)


def find_ranking_value(
    statistic: type[Auroc] | type[AveragePrecision],
    scores: NDArray[np.float64],
    positive: NDArray[np.bool_],
) -> float:
    """Compute a statistic of scores, (M,), of positive and negative items; NaN if undefined."""
    cluster = np.zeros(len(scores), np.int64)
    ranking = make_ranking(scores, np.asarray(positive, bool), cluster, 1)
    rows = WeightRows(np.ones((1, 1)))
    return float(rows.linearise(statistic(ranking))[0][0])
