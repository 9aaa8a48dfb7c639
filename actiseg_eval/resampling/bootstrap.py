"""Drawing whole videos anew, by keys: frames and actions of one are not independent.

Never masks: a figure is a ratio of sums over clusters, so a resample is a weighing of a few sums.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.keys import make_key
from actiseg_eval.metrics.definitions import Figures, Sums

LEVEL = 0.95
RESAMPLES = 10_000

FEWEST = 8
"""Clusters below this number are too few to be resampled."""

_ALGORITHM = 1
_ROWS = 1000
"""Resamples that are drawn at a time: memory stays flat."""

CLUSTERS: Mapping[str, Callable[[VideoSequence], str]] = {
    "video": lambda sequence: sequence.video,
    "participant": lambda sequence: re.split(r"[_/]", sequence.video)[0],
    "sequence": lambda sequence: sequence.folder,
}
"""What is resampled together, as a name for each sequence."""


@dataclass(frozen=True)
class Bootstrap:
    """How intervals are made. level: of confidence. resamples: how many. cluster: see `CLUSTERS`.

    Raises `InputError` for values that make no sense.

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


def clusters_of(sequences: list[VideoSequence], method: Bootstrap) -> tuple[str, list[str]]:
    """What is resampled, and the name of each sequence's cluster: the next smaller thing, where
    there are too few of what was asked for. A plain folder's sequences are no videos.
    """
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


def least_of(figure: str) -> float:
    """The least that a figure can be; none is above 1."""
    return -1.0 if figure.endswith("decay") else 0.0


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
    bits = hashlib.shake_256(make_key(0, _ALGORITHM, "bootstrap", block, clusters)).digest(4 * size)
    drawn = (np.frombuffer(bits, "<u4").astype(np.uint64) * np.uint64(clusters)) >> np.uint64(32)
    places = drawn.astype(np.int64) + np.repeat(np.arange(rows) * clusters, clusters)
    return np.bincount(places, minlength=size).reshape(rows, clusters).astype(np.float64)
