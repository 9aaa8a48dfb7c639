"""The result of a comparison, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.protocols import Protocol
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.gains import Equivalence, Gain, find_least_p

SCHEMA = "actiseg/comparison/2"


@dataclass(frozen=True)
class Standing:
    """The score of a method in one metric.

    Attributes
    ----------
    name : str
        The name of the method.
    value : float or None
        The mean over seeds.
    seeds : tuple of float or None
        The value of each seed.
    interval : (float, float)
        The interval of the mean: over videos, and over seeds if there are several.
    rank : int or None
        1 plus the number of methods that are significantly better. Two methods with different ranks
        may not differ significantly from each other, see `Difference`. None for metrics that are
        not the primary one.
    degrees : float
        The degrees of freedom of the error.
    unreached : tuple of str
        The ends of the interval, ``low`` and ``high``, that no resample reaches.
    """

    name: str
    value: float | None
    seeds: tuple[float | None, ...]
    interval: tuple[float, float]
    rank: int | None
    degrees: float
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True)
class Difference:
    """How much better one method is than another in one metric.

    Attributes
    ----------
    first, second : str
        The names of the methods.
    test : Gain
        The gain, which is above 0 if `first` is better, also for metrics where lower is better.
    adjusted : float or None
        The p value after Holm's correction over all pairs. None for metrics that are not the
        primary one.
    source : str
        What varies: the clusters, such as ``videos``, and seeds, if the error covers them.
    equivalence : Equivalence or None
        Whether the methods are shown to differ by less than a margin. None for metrics that are not
        the primary one, and without a margin.
    """

    first: str
    second: str
    test: Gain
    adjusted: float | None
    source: str
    equivalence: Equivalence | None = None

    @property
    def gain(self) -> float:
        """Above 0 if the first method is better."""
        return self.test.value

    @property
    def interval(self) -> tuple[float, float]:
        """The confidence interval of the gain."""
        return self.test.interval

    @property
    def share(self) -> float:
        """The share of resamples in which the first is better, see `Gain`."""
        return self.test.share

    @property
    def p(self) -> float:
        """The two-sided p value of no difference."""
        return self.test.p

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON."""
        return {
            "first": self.first,
            "second": self.second,
            "gain": self.gain,
            "interval": self.interval,
            "share": self.share,
            "p": self.p,
            "adjusted": self.adjusted,
            "by": self.source,
            "degrees": self.test.degrees,
            "seeds": self.test.seeds,
            "widened": self.test.widened,
            "unreached": self.test.unreached,
            "equivalence": self.equivalence
            and {**vars(self.equivalence), "shown": self.equivalence.is_shown},
        }


@dataclass(frozen=True, repr=False)
class Comparison:
    """Methods, compared on the same sequences.

    Attributes
    ----------
    protocol : Protocol
        The rules of the scores.
    split : str
        The split that was scored.
    rendered : bool
        Whether the frames of the dataset are rendered, not photographs.
    bootstrap : Bootstrap
        How intervals were made.
    folders : mapping of str to tuple of str
        The folders of each method.
    cluster, clusters : str, int
        What was resampled, and how many there are.
    primary : str
        The metric whose p values are corrected. The others are descriptive.
    seeds : mapping of str to tuple of int or None
        The seeds that the names of a method's folders end in. None if one has none.
    seed_deviation : float or None
        The given standard deviation of the primary metric over seeds.
    equivalence : float or None
        The margin of tests of equivalence in the primary metric.
    notices : sequence of str
        Lines to print before the tables.
    left_out : mapping of str to str
        Metrics that could not be compared, and why.
    standings : mapping of str to sequence of Standing
        The methods by rank, for each metric.
    differences : mapping of str to sequence of Difference
        Every pair of methods, for each metric.
    """

    protocol: Protocol
    split: str
    rendered: bool
    bootstrap: Bootstrap
    folders: Mapping[str, tuple[str, ...]]
    cluster: str
    clusters: int
    primary: str
    seeds: Mapping[str, tuple[int, ...] | None]
    seed_deviation: float | None
    equivalence: float | None
    notices: Sequence[str]
    left_out: Mapping[str, str]
    standings: Mapping[str, Sequence[Standing]]
    differences: Mapping[str, Sequence[Difference]]

    def __repr__(self) -> str:
        return (
            f"<Comparison of {', '.join(self.folders)}: protocol {self.protocol.name}, split "
            f"{self.split}, {len(self.standings)} metrics>"
        )

    @property
    def least_p(self) -> float:
        """The least p value that any pair can have, after Holm's correction."""
        pairs = len(self.folders) * (len(self.folders) - 1) // 2
        return min(1.0, pairs * find_least_p(self.clusters, self.bootstrap.resamples))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "split": self.split,
            "rendered_frames": self.rendered,
            "methods": {name: list(runs) for name, runs in self.folders.items()},
            "level": self.bootstrap.level,
            "resamples": self.bootstrap.resamples,
            "cluster": self.cluster,
            "cluster_asked": self.bootstrap.cluster,
            "clusters": self.clusters,
            "primary": self.primary,
            "seeds": {name: seeds and list(seeds) for name, seeds in self.seeds.items()},
            "seed_deviation": self.seed_deviation,
            "equivalence": self.equivalence,
            "least_p": self.least_p,
            "notices": list(self.notices),
            "left_out": dict(self.left_out),
            "standings": {
                metric: [dict(vars(standing)) for standing in standings]
                for metric, standings in self.standings.items()
            },
            "differences": {
                metric: [difference.to_dict() for difference in differences]
                for metric, differences in self.differences.items()
            },
        }
