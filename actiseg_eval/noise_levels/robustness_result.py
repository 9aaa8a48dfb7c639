"""The result of scoring over noise levels, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.metrics.definitions import METRICS, choose_headline, list_shown
from actiseg_eval.noise_levels.label_quality import LabelQuality
from actiseg_eval.protocols import Protocol
from actiseg_eval.resampling.bootstrap import Bootstrap

SCHEMA = "actiseg/robustness/1"


@dataclass(frozen=True)
class CurvePoint:
    """A metric at one noise level.

    Attributes
    ----------
    level : float
        The noise level.
    value : float or None
        The mean over seeds. None if it is undefined.
    interval : (float, float) or None
        The interval of the mean, over videos. None if too few videos have the metric.
    seeds : tuple of float or None
        The value of each seed.
    """

    level: float
    value: float | None
    interval: tuple[float, float] | None
    seeds: tuple[float | None, ...]


@dataclass(frozen=True)
class CleanGap:
    """How much worse than the baseline a method is on clean data.

    Attributes
    ----------
    value : float or None
        Above 0 if the method is worse, also for metrics where lower is better.
    interval, p, adjusted, source
        See `actiseg_eval.comparison.comparison_result.Difference`. None if nothing was resampled or
        too few videos have the metric.
    """

    value: float | None
    interval: tuple[float, float] | None
    p: float | None
    adjusted: float | None
    source: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the gap as JSON."""
        fields = dict(vars(self))
        fields["by"] = fields.pop("source")
        return fields


@dataclass(frozen=True)
class Curve:
    """A metric of one method over noise levels.

    Attributes
    ----------
    method : str
        The name of the method.
    points : sequence of CurvePoint
        By ascending level.
    area, interval : float or None, (float, float) or None
        The mean over the levels that all methods share, and its interval.
    retained : float or None
        The area as a share of the value at the lower end of that range, see
        `actiseg_eval.noise_levels.curves.orient_score`.
    breaking_point : float or None
        The level at which more than the chosen share of that value is lost. None if it is not lost,
        or if `retained` is None.
    clean_gap : CleanGap or None
        None for the baseline, and if one of the two has no level 0.
    """

    method: str
    points: Sequence[CurvePoint]
    area: float | None
    interval: tuple[float, float] | None
    retained: float | None
    breaking_point: float | None
    clean_gap: CleanGap | None

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON."""
        return {
            "method": self.method,
            "points": [dict(vars(point)) for point in self.points],
            "area": self.area,
            "interval": self.interval,
            "retained": self.retained,
            "breaks_at": self.breaking_point,
            "price": None if self.clean_gap is None else self.clean_gap.to_dict(),
        }


@dataclass(frozen=True, repr=False)
class Robustness:
    """Metrics of methods over noise levels.

    Attributes
    ----------
    protocol : Protocol
        The rules of the scores.
    metric_groups : tuple of str
        The metric groups that were computed.
    truth, split : str
        The ground truth and its split.
    rendered : bool
        Whether the frames of the dataset are rendered, not photographs.
    baseline : str
        The method that others are compared with on clean data.
    drop : float
        The share of a score that is lost at the breaking point.
    bootstrap : Bootstrap or None
        How intervals were made. None for no intervals.
    cluster, clusters : str, int
        What was resampled, and how many there are.
    folders : mapping of str to mapping of float to tuple of str
        The folders of each method, by level.
    span : (float, float) or None
        The range of levels that all methods share, None if there is none.
    curves : mapping of str to sequence of Curve
        By metric, in the order of the methods.
    labels : mapping of float to LabelQuality
        How good the labels of the noisy copies are, by level.
    notices : sequence of str
        Lines to print before the tables.
    left_out : mapping of str to str
        What could not be computed, and why.
    toolkit : str
        Name and version of this package.
    """

    protocol: Protocol
    metric_groups: tuple[str, ...]
    truth: str
    split: str
    rendered: bool
    baseline: str
    drop: float
    bootstrap: Bootstrap | None
    cluster: str
    clusters: int
    folders: Mapping[str, Mapping[float, tuple[str, ...]]]
    span: tuple[float, float] | None
    curves: Mapping[str, Sequence[Curve]]
    labels: Mapping[float, LabelQuality]
    notices: Sequence[str]
    left_out: Mapping[str, str]
    toolkit: str

    def __repr__(self) -> str:
        return (
            f"<Robustness of {', '.join(self.folders)}: protocol {self.protocol.name}, split "
            f"{self.split}, {len(self.curves)} metrics>"
        )

    @property
    def main_metrics(self) -> tuple[str, ...]:
        """The metrics that tables show by default, the headline metric first."""
        shown = list_shown("curves", self.curves)
        if not shown:
            return tuple(self.curves)[:3]
        return tuple(dict.fromkeys([choose_headline(shown), *shown]))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "measures": list(self.metric_groups),
            "truth": self.truth,
            "split": self.split,
            "rendered_frames": self.rendered,
            "baseline": self.baseline,
            "drop": self.drop,
            "confidence": self.bootstrap.level if self.bootstrap else None,
            "resamples": self.bootstrap.resamples if self.bootstrap else None,
            "cluster": self.cluster if self.bootstrap else None,
            "cluster_asked": self.bootstrap.cluster if self.bootstrap else None,
            "clusters": self.clusters,
            "methods": {
                name: [{"level": level, "runs": list(runs)} for level, runs in levels.items()]
                for name, levels in self.folders.items()
            },
            "range": None if self.span is None else list(self.span),
            "better": {metric: METRICS[metric].better for metric in self.curves},
            "figures": {
                metric: [curve.to_dict() for curve in curves]
                for metric, curves in self.curves.items()
            },
            "labels": [
                {"level": level, **quality.to_dict()} for level, quality in self.labels.items()
            ],
            "notices": list(self.notices),
            "left_out": dict(self.left_out),
            "toolkit": self.toolkit,
        }
