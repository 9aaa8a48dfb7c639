"""Intervals of figures by resampling videos, and how alike the sequences of one are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_eval.metrics.definitions import Figures
from actiseg_eval.resampling.bootstrap import (
    CLUSTERS,
    FEWEST,
    Bootstrap,
    clustered,
    clusters_of,
    is_defined,
    least_of,
)
from actiseg_eval.resampling.ratios import combine, resample

_FOR_WIDTH = 1_000_000
"""Draws of sequences, of which the width alone is told: fewer resamples of many sequences."""


@dataclass(frozen=True)
class Intervals:
    """Intervals of figures.

    method: how they were made. cluster: what was resampled, which is not what was asked for where
    there are too few of it. clusters: how many. bounds: by figure, None where it is undefined.
    sequence_width: by figure, how wide the interval would be if sequences were resampled, as a
    share of its width. correlation: of `figure` between sequences of one cluster of those
    that were asked for (intra-class correlation); None where none has two sequences.
    """

    method: Bootstrap
    cluster: str
    clusters: int
    bounds: Mapping[str, tuple[float, float] | None]
    sequence_width: Mapping[str, float | None]
    figure: str
    correlation: float | None

    def to_dict(self) -> dict[str, Any]:
        """How they were made, as JSON; the bounds stand for themselves."""
        return {
            "level": self.method.level,
            "resamples": self.method.resamples,
            "cluster": self.cluster,
            "cluster_asked": self.method.cluster,
            "clusters": self.clusters,
            "sequence_width": dict(self.sequence_width),
            "figure": self.figure,
            "correlation": self.correlation,
        }


def make_intervals(
    sequences: list[VideoSequence], sums: Figures, method: Bootstrap, figure: str
) -> Intervals | None:
    """Intervals from the sums of each sequence; None where there are too few sequences.

    sequences: (S). sums: by figure, of (S) groups. figure: whose correlation is told.
    """
    chosen, names = clusters_of(sequences, method)
    if len(set(names)) < FEWEST:
        return None
    ratios = {name: of for name, of in sums.items() if of.below is not None}
    bounds = _bounds(clustered(ratios, names), method)
    alone = bounds
    if chosen != "sequence":
        most = max(1000, _FOR_WIDTH // len(sequences))
        few = replace(method, resamples=min(method.resamples, most))
        alone = _bounds(ratios, few)
    return Intervals(
        method=method,
        cluster=chosen,
        clusters=len(set(names)),
        bounds=bounds,
        sequence_width={name: _share(alone[name], bounds[name]) for name in bounds},
        figure=figure,
        correlation=correlation(
            ratios[figure].values, [CLUSTERS[method.cluster](each) for each in sequences]
        ),
    )


def _bounds(sums: Figures, method: Bootstrap) -> dict[str, tuple[float, float] | None]:
    """The intervals of ratios; None where too few clusters have them."""
    able = {name: combine([(1.0, of)]) for name, of in sums.items() if is_defined(of)}
    found = resample(list(able.values()), method)
    bounds: dict[str, tuple[float, float] | None] = dict.fromkeys(sums)
    for name, each in zip(able, found, strict=True):
        bounds[name] = each.interval(method.level, least_of(name), 1.0)
    return bounds


def correlation(values: NDArray[np.float64], names: list[str]) -> float | None:
    """How alike the values of one cluster are: the intra-class correlation of a one-way layout.

    values: (S), NaN for none. names: (S) of their clusters. None where that cannot be told: no
    cluster has two values, or all values are equal (Donner, "A review of inference procedures for
    the intraclass correlation coefficient in the one-way random effects model", 1986).

    >>> correlation(np.array([1.0, 1.0, 0.0, 0.0]), ["a", "a", "b", "b"])
    1.0
    """
    known = ~np.isnan(values)
    values = values[known]
    place = {name: at for at, name in enumerate(sorted(set(names)))}
    groups = np.array([place[name] for name, there in zip(names, known, strict=True) if there], int)
    sizes = np.bincount(groups, minlength=len(place)).astype(float)
    sizes_there = sizes[sizes > 0]
    count, total = len(sizes_there), len(values)
    if count < 2 or total == count:
        return None
    means = np.bincount(groups, values, len(place)) / np.maximum(sizes, 1)
    within = float(((values - means[groups]) ** 2).sum()) / (total - count)
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (count - 1)
    size = (total - float((sizes_there**2).sum()) / total) / (count - 1)
    whole = between + (size - 1) * within
    # What is left of equal values is rounding.
    return (between - within) / whole if whole > 1e-20 * float(values.mean()) ** 2 else None


def _share(one: tuple[float, float] | None, other: tuple[float, float] | None) -> float | None:
    if one is None or other is None or other[1] == other[0]:
        return None
    return (one[1] - one[0]) / (other[1] - other[0])
