"""Resample whole videos with keyed draws: frames and actions of a video are not independent.

Masks are never resampled: a metric is a ratio of sums over clusters, so a resample weights a few
sums.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import check_choice, refuse
from actiseg_data.core.keys import make_key
from actiseg_eval.metrics.sums import MetricSums, Sums

LEVEL = 0.95
RESAMPLES = 10_000

MIN_CLUSTERS = 8
"""Fewer clusters than this cannot be resampled."""

_ALGORITHM = 1
_BLOCK_SIZE = 1000
"""Resamples that are drawn at a time, which limits memory."""

CLUSTERS: Mapping[str, Callable[[VideoSequence], str]] = {
    "participant": lambda sequence: re.split(r"[_/]", sequence.video)[0],
    "video": lambda sequence: sequence.video,
    "sequence": lambda sequence: sequence.folder,
}
"""The name of a sequence's cluster for each kind of cluster, the largest kind first."""


@dataclass(frozen=True)
class Bootstrap:
    """How confidence intervals are made.

    Attributes
    ----------
    level : float
        The level of confidence, in (0, 1).
    resamples : int
        100 to 1,000,000.
    cluster : str
        A kind of cluster, see `CLUSTERS`.

    Raises
    ------
    InputError
        If a value is out of range.

    Examples
    --------
    >>> Bootstrap().cluster
    'video'
    """

    level: float = LEVEL
    resamples: int = RESAMPLES
    cluster: str = "video"

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise refuse(f"{self.level} is outside (0, 1)", "`ci`", "give 0.95, for example")
        if not 100 <= self.resamples <= 1_000_000:
            raise refuse(
                f"{self.resamples} is outside [100, 1,000,000]", "`resamples`", "give 10,000"
            )
        check_choice(self.cluster, CLUSTERS, "cluster")

    @property
    def percent(self) -> str:
        """The level of confidence, for tables.

        >>> Bootstrap().percent
        '95 %'
        """
        return f"{100 * self.level:g} %"

    def explain_cluster(self, cluster: str) -> str:
        """Return the end of a line about resampled clusters: why they are not the requested ones.

        >>> Bootstrap().explain_cluster("sequence")
        ' (too few videos)'
        """
        return "" if cluster == self.cluster else f" (too few {self.cluster}s)"


DEFAULT_BOOTSTRAP = Bootstrap()


def choose_clusters(sequences: list[VideoSequence], bootstrap: Bootstrap) -> tuple[str, list[str]]:
    """Choose the clusters to resample.

    If there are too few clusters of the requested kind, the next smaller kind is used. The
    sequences of a plain folder have no videos.

    Parameters
    ----------
    sequences : list of VideoSequence, length S
    bootstrap : Bootstrap

    Returns
    -------
    cluster : str
        The kind of cluster.
    names : list of str, length S
        The cluster of each sequence.
    """
    kinds = list(CLUSTERS)
    kinds = kinds[kinds.index(bootstrap.cluster) :]
    if all(sequence.video == sequence.folder for sequence in sequences):
        kinds = ["sequence"]
    for cluster in kinds:
        names = [CLUSTERS[cluster](sequence) for sequence in sequences]
        if len(set(names)) >= MIN_CLUSTERS:
            break
    return cluster, names


def is_defined(sums: Sums) -> bool:
    """Whether enough clusters contribute to a metric."""
    return sums.denominator is not None and int(np.count_nonzero(sums.denominator)) >= MIN_CLUSTERS


def sum_clusters(sums: MetricSums, names: list[str]) -> MetricSums:
    """Add up the sums of each cluster.

    Clusters are sorted by name, so that the order of sequences does not matter.

    Parameters
    ----------
    sums : MetricSums
        With S groups, the sequences. Counts are left out.
    names : list of str, length S
        The cluster of each sequence.
    """
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    groups = np.array([codes[name] for name in names])

    def sum_up(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(groups, values, len(codes)).astype(np.float64)

    return {
        name: Sums(sum_up(metric.numerator), sum_up(metric.denominator))
        for name, metric in sums.items()
        if metric.denominator is not None
    }


def split_resamples(resamples: int) -> Iterator[tuple[int, int]]:
    """Split resamples into blocks: the number of each block, and its size.

    >>> list(split_resamples(2500))
    [(0, 1000), (1, 1000), (2, 500)]
    """
    for start in range(0, resamples, _BLOCK_SIZE):
        yield start // _BLOCK_SIZE, min(_BLOCK_SIZE, resamples - start)


def draw_weights(block: int, rows: int, clusters: int) -> NDArray[np.float64]:
    """Draw how often each cluster occurs in each resample of a block.

    Parameters
    ----------
    block : int
        The number of the block. Together with the number of clusters it is the key of the draws.
    rows : int
        The number of resamples.
    clusters : int
        The number of clusters.

    Returns
    -------
    (rows, clusters) float64

    Examples
    --------
    >>> draw_weights(0, 3, 4).sum(axis=1).tolist()
    [4.0, 4.0, 4.0]
    """
    size = rows * clusters
    bits = hashlib.shake_256(make_key(0, _ALGORITHM, "bootstrap", block, clusters)).digest(4 * size)
    drawn = (np.frombuffer(bits, "<u4").astype(np.uint64) * np.uint64(clusters)) >> np.uint64(32)
    positions = drawn.astype(np.int64) + np.repeat(np.arange(rows) * clusters, clusters)
    return np.bincount(positions, minlength=size).reshape(rows, clusters).astype(np.float64)
