"""The result of scoring over noise levels, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from actiseg_eval.metrics.definitions import METRICS, choose_headline, list_shown
from actiseg_eval.noise_levels.label_quality import LabelQuality
from actiseg_eval.noise_levels.shares import Shares
from actiseg_eval.protocols import Protocol
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.gains import Gain, find_least_p

SCHEMA = "actiseg/robustness/2"


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
        The interval of the mean: over videos, and over seeds if there are several. None if too few
        videos have the metric.
    seeds : tuple of float or None
        The value of each seed.
    unreached : tuple of str
        The ends of the interval, ``low`` and ``high``, that no resample reaches.
    """

    level: float
    value: float | None
    interval: tuple[float, float] | None
    seeds: tuple[float | None, ...]
    unreached: tuple[str, ...] = ()


@dataclass(frozen=True)
class BaselineGap:
    """The difference between a method and the baseline.

    Attributes
    ----------
    value : float or None
        In the direction that is better, whatever the metric.
    test : Gain or None
        Its interval and p value. None if nothing was resampled or too few videos have the metric.
    adjusted : float or None
        The p value after Holm's correction. None for metrics that are not the primary one.
    source : str or None
        What varies: the clusters, such as ``videos``, and seeds, if the error covers them.
    """

    value: float | None
    test: Gain | None = None
    adjusted: float | None = None
    source: str | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The confidence interval, if there is one."""
        return None if self.test is None else self.test.interval

    @property
    def p(self) -> float | None:
        """The two-sided p value of no difference, if there is one."""
        return None if self.test is None else self.test.p

    def to_dict(self) -> dict[str, Any]:
        """Return the gap as JSON."""
        test = self.test
        return {
            "value": self.value,
            "interval": self.interval,
            "p": self.p,
            "adjusted": self.adjusted,
            "by": self.source,
            "degrees": None if test is None else test.degrees,
            "seeds": None if test is None else test.seeds,
            "widened": None if test is None else test.widened,
            "unreached": None if test is None else test.unreached,
        }


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
    unreached, source, degrees : tuple of str, str or None, float or None
        Of that interval: the ends that no resample reaches, what varies, and the degrees of
        freedom.
    shares : Shares
        What the method keeps of its score above the floor.
    area_gain : BaselineGap or None
        How much better than the baseline's the area is. None for the baseline.
    clean_gap : BaselineGap or None
        How much worse than the baseline the method is on clean data. None for the baseline, and if
        one of the two has no level 0.
    """

    method: str
    points: Sequence[CurvePoint]
    area: float | None
    interval: tuple[float, float] | None
    unreached: tuple[str, ...]
    source: str | None
    degrees: float | None
    shares: Shares
    area_gain: BaselineGap | None
    clean_gap: BaselineGap | None

    def to_dict(self) -> dict[str, Any]:
        """Return the curve as JSON."""
        return {
            "method": self.method,
            "points": [dict(vars(point)) for point in self.points],
            "area": self.area,
            "interval": self.interval,
            "unreached": self.unreached,
            "by": self.source,
            "degrees": self.degrees,
            "retained": self.shares.retained,
            "retained_interval": self.shares.retained_interval,
            "breaks_at": self.shares.breaking_point,
            "breaks_at_interval": self.shares.breaking_interval,
            "area_gain": None if self.area_gain is None else self.area_gain.to_dict(),
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
        The method that others are compared with.
    primary : str
        The metric whose p values are corrected. The others are descriptive.
    seed_deviation : float or None
        The given standard deviation of the primary metric over seeds.
    floor : str
        What shares are above: ``blank`` masks, or predictions of a ``frozen`` net.
    floors : mapping of str to float or None
        The score of the floor, by metric.
    without_shares : mapping of str to str
        The metrics without shares, and why.
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
    primary: str
    seed_deviation: float | None
    floor: str
    floors: Mapping[str, float | None]
    without_shares: Mapping[str, str]
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

    @property
    def least_p(self) -> float:
        """The least p value of a test in the primary metric, after Holm's correction."""
        tests = sum(
            gap is not None
            for curve in self.curves[self.primary]
            for gap in (curve.area_gain, curve.clean_gap)
        )
        resamples = self.bootstrap.resamples if self.bootstrap else 0
        return min(1.0, tests * find_least_p(self.clusters, resamples))

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
            "primary": self.primary,
            "seed_deviation": self.seed_deviation,
            "floor": self.floor,
            "floors": dict(self.floors),
            "without_shares": dict(self.without_shares),
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
