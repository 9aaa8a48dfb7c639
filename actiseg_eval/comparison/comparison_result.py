"""The result of a comparison, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.protocols import Protocol
from actiseg_eval.resampling.bootstrap import Bootstrap

SCHEMA = "actiseg/comparison/1"


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
    interval : (float, float) or None
        Student's t interval of the mean over seeds. None for a single seed.
    rank : int
        1 plus the number of methods that are significantly better. Two methods with different ranks
        may not differ significantly from each other, see `Difference`.
    """

    name: str
    value: float | None
    seeds: tuple[float | None, ...]
    interval: tuple[float, float] | None
    rank: int


@dataclass(frozen=True)
class Difference:
    """How much better one method is than another in one metric.

    Attributes
    ----------
    first, second : str
        The names of the methods.
    gain : float
        Above 0 if `first` is better, also for metrics where lower is better.
    interval : (float, float)
        The confidence interval of the gain.
    share : float
        The share of resamples in which the first is better. Over seeds, as Student's t gives it.
    p : float
        The two-sided p value of no difference.
    adjusted : float
        The p value after Holm's correction over all pairs.
    source : str
        What varies: ``seeds``, or the clusters that were resampled, such as ``videos``.
    """

    first: str
    second: str
    gain: float
    interval: tuple[float, float]
    share: float
    p: float
    adjusted: float
    source: str

    def to_dict(self) -> dict[str, Any]:
        """Return the difference as JSON."""
        fields = dict(vars(self))
        fields["by"] = fields.pop("source")
        return fields


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
    notices: Sequence[str]
    left_out: Mapping[str, str]
    standings: Mapping[str, Sequence[Standing]]
    differences: Mapping[str, Sequence[Difference]]

    def __repr__(self) -> str:
        return (
            f"<Comparison of {', '.join(self.folders)}: protocol {self.protocol.name}, split "
            f"{self.split}, {len(self.standings)} metrics>"
        )

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
