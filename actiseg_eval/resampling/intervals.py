"""Confidence intervals of metrics, and the correlation of sequences in the same cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.metrics.sums import MetricSums
from actiseg_eval.resampling.bootstrap import (
    CLUSTERS,
    MIN_CLUSTERS,
    Bootstrap,
    choose_clusters,
    is_defined,
    sum_clusters,
)
from actiseg_eval.resampling.ratios import combine, resample

_WIDTH_DRAWS = 1_000_000
"""The most draws of sequences for an interval of which only the width is reported."""


@dataclass(frozen=True)
class Intervals:
    """Confidence intervals of metrics.

    Attributes
    ----------
    bootstrap : Bootstrap
        How the intervals were requested.
    cluster : str
        The kind of cluster that was resampled; smaller than requested if there were too few.
    clusters : int
        The number of clusters.
    bounds : mapping of str to (float, float) or None
        The ends of the interval by metric; None if the metric is undefined.
    unreached : mapping of str to tuple of str
        The ends, ``low`` and ``high``, that no resample reaches, by metric; without metrics that
        have no such end.
    sequence_width : mapping of str to float or None
        By metric, the width of the interval from resampled sequences as a share of the width of the
        interval.
    metric : str
        The metric of `correlation`.
    correlation : float or None
        The intra-class correlation of sequences in the requested kind of cluster; None if no
        cluster has two sequences.
    """

    bootstrap: Bootstrap
    cluster: str
    clusters: int
    bounds: Mapping[str, tuple[float, float] | None]
    unreached: Mapping[str, tuple[str, ...]]
    sequence_width: Mapping[str, float | None]
    metric: str
    correlation: float | None

    def to_dict(self) -> dict[str, Any]:
        """Return how the intervals were made as JSON, without the bounds."""
        return {
            "level": self.bootstrap.level,
            "resamples": self.bootstrap.resamples,
            "cluster": self.cluster,
            "cluster_asked": self.bootstrap.cluster,
            "clusters": self.clusters,
            "unreached": {metric: list(ends) for metric, ends in self.unreached.items()},
            "sequence_width": dict(self.sequence_width),
            "figure": self.metric,
            "correlation": self.correlation,
        }


def make_intervals(
    sequences: list[VideoSequence], sums: MetricSums, bootstrap: Bootstrap, metric: str
) -> Intervals | None:
    """Make confidence intervals from the sums of each sequence.

    Parameters
    ----------
    sequences : list of VideoSequence, length S
    sums : MetricSums
        With S groups.
    bootstrap : Bootstrap
    metric : str
        The metric whose correlation is computed.

    Returns
    -------
    Intervals or None
        None if there are too few sequences.
    """
    cluster, names = choose_clusters(sequences, bootstrap)
    if len(set(names)) < MIN_CLUSTERS:
        return None
    ratios = {name: ratio for name, ratio in sums.items() if ratio.denominator is not None}
    bounds, unreached = _find_bounds(sum_clusters(ratios, names), bootstrap)
    sequence_bounds = bounds
    if cluster != "sequence":
        most = max(1000, _WIDTH_DRAWS // len(sequences))
        fewer = replace(bootstrap, resamples=min(bootstrap.resamples, most))
        sequence_bounds, _ = _find_bounds(ratios, fewer)
    requested_names = [CLUSTERS[bootstrap.cluster](sequence) for sequence in sequences]
    return Intervals(
        bootstrap=bootstrap,
        cluster=cluster,
        clusters=len(set(names)),
        bounds=bounds,
        unreached=unreached,
        sequence_width={
            name: _compare_widths(sequence_bounds[name], bounds[name]) for name in bounds
        },
        metric=metric,
        correlation=intraclass_correlation(ratios[metric].values, requested_names),
    )


def _find_bounds(
    sums: MetricSums, bootstrap: Bootstrap
) -> tuple[dict[str, tuple[float, float] | None], dict[str, tuple[str, ...]]]:
    """Find the interval of each metric, and its ends that no resample reaches.

    An interval is None if the metric is undefined in too many clusters.
    """
    defined = {
        name: combine([(1.0, metric)]) for name, metric in sums.items() if is_defined(metric)
    }
    estimates = resample(list(defined.values()), bootstrap)
    bounds: dict[str, tuple[float, float] | None] = dict.fromkeys(sums)
    unreached = {}
    for name, estimate in zip(defined, estimates, strict=True):
        ends = estimate.find_interval(bootstrap.level, METRICS[name].least, 1.0)
        bounds[name] = ends
        if beyond := estimate.find_unreached(ends):
            unreached[name] = beyond
    return bounds, unreached


def intraclass_correlation(values: NDArray[np.float64], names: list[str]) -> float | None:
    """Return the intra-class correlation of a one-way layout: how similar values of a cluster are.

    Parameters
    ----------
    values : (S,) float64
        NaN if undefined.
    names : list of str, length S
        The cluster of each value.

    Returns
    -------
    float or None
        None if no cluster has two values, or if all values are equal (Donner, "A review of
        inference procedures for the intraclass correlation coefficient in the one-way random
        effects model", 1986).

    Examples
    --------
    >>> intraclass_correlation(np.array([1.0, 1.0, 0.0, 0.0]), ["a", "a", "b", "b"])
    1.0
    """
    known = ~np.isnan(values)
    values = values[known]
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    groups = np.array([codes[name] for name, keep in zip(names, known, strict=True) if keep], int)
    sizes = np.bincount(groups, minlength=len(codes)).astype(float)
    nonempty_sizes = sizes[sizes > 0]
    count, total = len(nonempty_sizes), len(values)
    if count < 2 or total == count:
        return None
    means = np.bincount(groups, values, len(codes)) / np.maximum(sizes, 1)
    within = float(((values - means[groups]) ** 2).sum()) / (total - count)
    between = float((sizes * (means - values.mean()) ** 2).sum()) / (count - 1)
    size = (total - float((nonempty_sizes**2).sum()) / total) / (count - 1)
    whole = between + (size - 1) * within
    # With equal values, only rounding errors are left.
    return (between - within) / whole if whole > 1e-20 * float(values.mean()) ** 2 else None


def _compare_widths(
    interval: tuple[float, float] | None, reference: tuple[float, float] | None
) -> float | None:
    """Return the width of an interval as a share of the width of a reference."""
    if interval is None or reference is None or reference[1] == reference[0]:
        return None
    return (interval[1] - interval[0]) / (reference[1] - reference[0])
