"""Intervals of figures by resampling whole videos: frames and actions of one are not independent.

Never masks: a figure is a ratio of sums over clusters, so a resample is a weighing of a few sums.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.errors import refuse
from actiseg_data.keys import key
from actiseg_data.sequences import Sequence
from actiseg_eval.metrics import Figures, Sums

LEVEL = 0.95
RESAMPLES = 10_000

FEWEST = 8
"""Clusters below this number are too few to be resampled."""

_FOR_WIDTH = 5_000_000
"""Draws of sequences, of which the width alone is told: fewer resamples of very many sequences."""

_ALGORITHM = 1
_ROWS = 1000
"""Resamples that are drawn at a time: memory stays flat."""

CLUSTERS: Mapping[str, Callable[[Sequence], str]] = {
    "video": lambda sequence: sequence.video,
    "participant": lambda sequence: re.split(r"[_/]", sequence.video)[0],
    "sequence": lambda sequence: sequence.folder,
}
"""What is resampled together, as a name for each sequence."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made. level: of confidence. resamples: how many. cluster: see `CLUSTERS`.

    Raises `Refused` for values that make no sense.

    >>> Bootstrap().cluster
    'video'
    """

    level: float = LEVEL
    resamples: int = RESAMPLES
    cluster: str = "video"

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise refuse(f"the level {self.level} is no share", "--ci", "give 0.95, for example")
        if not 100 <= self.resamples <= 1_000_000:
            raise refuse(
                f"{self.resamples} resamples are no number to work with",
                "--resamples",
                "give 100 to 1,000,000",
            )
        if self.cluster not in CLUSTERS:
            known = ", ".join(CLUSTERS)
            raise refuse(f"{self.cluster!r} is unknown", "--cluster", f"use one of {known}")


STANDARD = Bootstrap()


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
    sequences: list[Sequence], sums: Figures, method: Bootstrap, figure: str
) -> Intervals | None:
    """Intervals from the sums of each sequence; None where there are too few sequences.

    sequences: (S). sums: by figure, of (S) groups. figure: whose correlation is told.
    """
    chosen, names = clusters_of(sequences, method)
    if len(set(names)) < FEWEST:
        return None
    ratios = {name: of for name, of in sums.items() if of.below is not None}
    bounds = _bounds(clustered(ratios, names), len(set(names)), method)
    alone = bounds
    if chosen != "sequence":
        most = max(1000, _FOR_WIDTH // len(sequences))
        few = replace(method, resamples=min(method.resamples, most))
        alone = _bounds(ratios, len(sequences), few)
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


def clusters_of(sequences: list[Sequence], method: Bootstrap) -> tuple[str, list[str]]:
    """What is resampled, and the name of each sequence's cluster: the next smaller thing, where
    there are too few of what was asked for. A plain folder's sequences are no videos."""
    order = ["participant", "video", "sequence"]
    order = order[order.index(method.cluster) :]
    if all(each.video == each.folder for each in sequences):
        order = ["sequence"]
    for cluster in order:
        names = [CLUSTERS[cluster](each) for each in sequences]
        if len(set(names)) >= FEWEST:
            break
    return cluster, names


def is_defined(sums: Sums) -> bool:
    """Whether enough clusters have something for a figure."""
    return sums.below is not None and int(np.count_nonzero(sums.below)) >= FEWEST


def clustered(sums: Figures, names: list[str]) -> Figures:
    """Sums of clusters, sorted by name, so that the order of sequences does not matter."""
    place = {name: at for at, name in enumerate(sorted(set(names)))}
    groups = np.array([place[name] for name in names])

    def joined(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(groups, values, len(place)).astype(np.float64)

    return {
        name: Sums(joined(of.above), joined(of.below))
        for name, of in sums.items()
        if of.below is not None
    }


def _bounds(
    sums: Figures, clusters: int, method: Bootstrap
) -> dict[str, tuple[float, float] | None]:
    """Bootstrap-t intervals of ratios.

    A ratio R = sum(a) / sum(b) has the standard error sqrt(sum((a - R b)^2)) / sum(b). Its
    deviation in that unit is resampled, because percentiles of the ratio itself are too narrow for
    a few clusters (Davison and Hinkley, Bootstrap Methods and their Application, 1997, 2.4).
    """
    columns = {
        name: np.stack([a, b, a * a, a * b, b * b])
        for name, (a, b) in ((name, (of.above, of.below)) for name, of in sums.items())
        if b is not None
    }
    whole = {
        name: _ratio_and_error(column.sum(axis=1)[:, None]) for name, column in columns.items()
    }
    deviations: dict[str, list[NDArray[np.float64]]] = {name: [] for name in columns}
    for block, rows in resample_blocks(method.resamples):
        weights = resample_weights(block, rows, clusters)
        for name, column in columns.items():
            ratio, error = _ratio_and_error((weights @ column.T).T)
            with np.errstate(divide="ignore", invalid="ignore"):
                deviations[name].append((ratio - whole[name][0]) / error)
    found: dict[str, tuple[float, float] | None] = dict.fromkeys(columns)
    for name, (ratio, error) in whole.items():
        if is_defined(sums[name]):
            having = int(np.count_nonzero(columns[name][1]))
            drawn = np.concatenate(deviations[name])
            found[name] = interval_of(
                float(ratio[0]), float(error[0]), drawn, method.level, least_of(name), having
            )
    return found


def interval_of(
    ratio: float,
    error: float,
    deviations: NDArray[np.float64],
    level: float,
    least: float,
    clusters: int,
) -> tuple[float, float]:
    """The bootstrap-t interval of a figure, or of a mean of figures, within what it can be.

    deviations: (R) resampled ones, in standard errors. least: the figure can be. clusters: how many
    have it.

    Where few clusters differ from the others, many resamples hold none of these, so they have no
    spread and deviate infinitely, which tells nothing. So no end is further than Student's t puts
    it and what clusters that nobody saw could add, which are less than ``1 - tail ** (1 /
    clusters)`` of all, or one would have been seen. Where all are equal, that alone is left.
    """
    from scipy.special import stdtrit

    tail = (1 - level) / 2
    reach, unseen = float(stdtrit(clusters - 1, 1 - tail)) * error, 1 - tail ** (1 / clusters)
    furthest = ratio - reach - unseen * (ratio - least), ratio + reach + unseen * (1 - ratio)
    if error == 0:
        return furthest
    low, high = ends_of(deviations, level)
    return (
        max(least, ratio - high * error, furthest[0]),
        min(1.0, ratio - low * error, furthest[1]),
    )


def ends_of(deviations: NDArray[np.float64], level: float) -> tuple[float, float]:
    """The quantiles of resampled deviations that enclose a share of them.

    A resample without spread deviates infinitely: it stays, as the most extreme there is.
    """
    known = deviations[~np.isnan(deviations)]
    if not len(known):
        return 0.0, 0.0  # every resample is as the whole
    tail = (1 - level) / 2
    low = np.quantile(known, tail, method="lower")
    return float(low), float(np.quantile(known, 1 - tail, method="higher"))


def least_of(figure: str) -> float:
    """The least that a figure can be; none is above 1."""
    return -1.0 if figure.endswith("decay") else 0.0


def _ratio_and_error(
    sums: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ratios and their standard errors. sums: (5, R) of a, b, a a, a b, b b."""
    a, b, aa, ab, bb = sums
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = a / b
        spread = np.maximum(aa - 2 * ratio * ab + ratio * ratio * bb, 0)
        # What is left of equal terms is rounding, no spread.
        spread[spread < 1e-12 * aa] = 0
        return ratio, np.sqrt(spread) / b


def resample_blocks(resamples: int) -> Iterator[tuple[int, int]]:
    """The number of each block of resamples, and how many it has.

    >>> list(resample_blocks(2500))
    [(0, 1000), (1, 1000), (2, 500)]
    """
    for start in range(0, resamples, _ROWS):
        yield start // _ROWS, min(_ROWS, resamples - start)


def resample_weights(block: int, rows: int, clusters: int) -> NDArray[np.float64]:
    """How often each cluster is drawn in each of some resamples: (rows, clusters).

    block: number of this block of resamples, which with the number of clusters is the key of its
    draws.

    >>> resample_weights(0, 3, 4).sum(axis=1).tolist()
    [4.0, 4.0, 4.0]
    """
    size = rows * clusters
    bits = hashlib.shake_256(key(0, _ALGORITHM, "bootstrap", block, clusters)).digest(4 * size)
    drawn = (np.frombuffer(bits, "<u4").astype(np.uint64) * np.uint64(clusters)) >> np.uint64(32)
    places = drawn.astype(np.int64) + np.repeat(np.arange(rows) * clusters, clusters)
    return np.bincount(places, minlength=size).reshape(rows, clusters).astype(np.float64)


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
