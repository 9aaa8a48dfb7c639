"""All metrics: what each is called, how it is computed, and where it is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from actiseg_eval.metrics.formulas import (
    THRESHOLDS,
    compute_actionvos_metrics,
    compute_gres_metrics,
    compute_late_metrics,
    compute_object_metrics,
    compute_profile,
    compute_temporal_metrics,
    count_sizes,
)
from actiseg_eval.metrics.sums import MetricSums, UnitGroups
from actiseg_eval.metrics.units import Units
from actiseg_eval.protocols import BOUNDARY_GROUP, CORE_GROUP, F_GROUP, J_SETS, Protocol

MetricFunction: TypeAlias = Callable[[Units, UnitGroups], MetricSums]
"""Computes one or more metrics, by key, of groups of units."""


@dataclass(frozen=True)
class Formula:
    """A function that computes metrics, and when they are computed.

    Attributes
    ----------
    compute : callable
        See `MetricFunction`.
    metric_groups : tuple of str
        The metric groups that have the metrics. Empty for all groups.
    metric_sets : tuple of str
        The metric sets of protocols that have them, see `Protocol`. Empty for all sets.
    always_in : tuple of str
        The metric sets that have them whatever the metric groups are.
    averaged : bool
        Whether only those units count that J and F are averaged over.
    whole_objects : bool
        Whether all units of an object must be in one group, because the metric is about the frames
        of an object.
    """

    compute: MetricFunction
    metric_groups: tuple[str, ...] = ()
    metric_sets: tuple[str, ...] = ()
    always_in: tuple[str, ...] = ()
    averaged: bool = False
    whole_objects: bool = False

    def is_computed(self, protocol: Protocol, metric_groups: tuple[str, ...]) -> bool:
        """Whether a protocol has the metrics, given the metric groups that are computed."""
        if protocol.metric_set in self.always_in:
            return True
        if self.metric_sets and protocol.metric_set not in self.metric_sets:
            return False
        return not self.metric_groups or not set(self.metric_groups).isdisjoint(metric_groups)


@dataclass(frozen=True)
class Metric:
    """A metric.

    Attributes
    ----------
    symbol : str
        The name in publications.
    better : str or None
        ``higher``, ``lower``, or None for neither.
    about : str
        The meaning in a few words.
    formulas : tuple of Formula
        What computes it. A protocol has at most one of them.
    tables : tuple of str
        The tables that show it by default: ``main``; ``profile``, the foreground-background
        profile; ``curves`` over noise levels; ``losses`` by failure mode. Counts have a line
        instead of a table.
    count : bool
        Whether the metric is a whole number.
    headline : bool
        Whether it can stand for the whole score, see `choose_headline`.
    inactive : bool
        Whether it is about objects that should not be predicted.
    least : float
        The smallest possible value; the largest is 1.
    rewards_blank : bool
        Whether blank masks score well by definition: where there is nothing to predict, or because
        they never get worse. A share of such a score says little.
    """

    symbol: str
    better: str | None
    about: str
    formulas: tuple[Formula, ...]
    tables: tuple[str, ...] = ("main",)
    count: bool = False
    headline: bool = False
    inactive: bool = False
    least: float = 0.0
    rewards_blank: bool = False


_ACTIONVOS = (Formula(compute_actionvos_metrics, (CORE_GROUP,), ("actionvos",)),)
_PROFILE = (Formula(compute_profile, (CORE_GROUP,), ("actionvos",)),)
_GRES = (Formula(compute_gres_metrics, (CORE_GROUP,), ("gres",)),)
_OBJECTS = (
    Formula(compute_object_metrics, (F_GROUP, BOUNDARY_GROUP), always_in=J_SETS, averaged=True),
)
_TEMPORAL = (
    Formula(
        compute_temporal_metrics, (F_GROUP,), always_in=J_SETS, averaged=True, whole_objects=True
    ),
)
_LATE = (Formula(compute_late_metrics, metric_sets=("j-and-late-j",), whole_objects=True),)
_SIZES = (Formula(count_sizes),)

METRICS: Mapping[str, Metric] = {
    "p_miou": Metric(
        "p-mIoU",
        "higher",
        "mean IoU of active objects",
        _ACTIONVOS,
        tables=("main", "profile", "curves"),
    ),
    "n_miou": Metric(
        "n-mIoU",
        "lower",
        "mean IoU of inactive objects",
        _ACTIONVOS,
        tables=("main", "profile", "curves"),
        inactive=True,
        rewards_blank=True,
    ),
    "p_ciou": Metric("p-cIoU", "higher", "cumulative IoU of active objects", _ACTIONVOS),
    "n_ciou": Metric(
        "n-cIoU",
        "lower",
        "cumulative IoU of inactive objects",
        _ACTIONVOS,
        inactive=True,
        rewards_blank=True,
    ),
    "p_miou_hand_free": Metric(
        "p-mIoU hand-free",
        "higher",
        "mean IoU of active objects other than hands",
        _ACTIONVOS,
        tables=("main", "curves"),
    ),
    "giou": Metric(
        "gIoU",
        "higher",
        "generalised IoU over samples (GRES; not box GIoU)",
        (*_ACTIONVOS, *_GRES),
        tables=("main", "curves", "losses"),
        headline=True,
        rewards_blank=True,
    ),
    "acc": Metric(
        "Acc",
        "higher",
        "share of units whose presence is predicted correctly",
        _ACTIONVOS,
        rewards_blank=True,
    ),
    "tp": Metric("TP", None, "active, visible, predicted", _ACTIONVOS, count=True),
    "tn": Metric("TN", None, "correctly not predicted", _ACTIONVOS, count=True),
    "fp": Metric("FP", None, "incorrectly predicted", _ACTIONVOS, count=True),
    "fn": Metric("FN", None, "active, visible, not predicted", _ACTIONVOS, count=True),
    "p_rate": Metric(
        "p-rate",
        "higher",
        "share of visible active objects that are predicted",
        _PROFILE,
        tables=("profile",),
    ),
    "p_quality": Metric(
        "p-quality",
        "higher",
        "mean IoU of predicted active objects",
        _PROFILE,
        tables=("profile",),
    ),
    "n_rate": Metric(
        "n-rate",
        "lower",
        "share of visible inactive objects that are predicted",
        _PROFILE,
        tables=("profile",),
        inactive=True,
        rewards_blank=True,
    ),
    "n_quality": Metric(
        "n-quality",
        None,
        "mean IoU of predicted inactive objects",
        _PROFILE,
        tables=("profile",),
        inactive=True,
    ),
    "ciou": Metric(
        "cIoU", "higher", "cumulative IoU over samples", _GRES, tables=("main", "curves")
    ),
    "t_acc": Metric("T-acc", "higher", "share of samples with a target that are predicted", _GRES),
    "n_acc": Metric(
        "N-acc",
        "higher",
        "share of samples without a target whose prediction is empty",
        _GRES,
        inactive=True,
        rewards_blank=True,
    ),
    **{
        f"pr_{round(100 * threshold)}": Metric(
            f"Pr@{threshold}",
            "higher",
            f"share of samples with a target whose IoU is at least {threshold}",
            _GRES,
        )
        for threshold in THRESHOLDS
    },
    "jf": Metric(
        "J&F",
        "higher",
        "mean of J and F",
        _OBJECTS,
        tables=("main", "curves", "losses"),
        headline=True,
    ),
    "j": Metric(
        "J",
        "higher",
        "region similarity: IoU",
        _OBJECTS,
        tables=("main", "curves"),
        headline=True,
    ),
    "j_recall": Metric("J-recall", "higher", "share of frames with J above 0.5", _TEMPORAL),
    "j_decay": Metric(
        "J-decay",
        "lower",
        "J of the first quarter minus J of the last",
        _TEMPORAL,
        least=-1.0,
        rewards_blank=True,
    ),
    "j_tr": Metric("J_tr", "higher", "J over the last quarter of the frames (VOST)", _LATE),
    "f": Metric(
        "F",
        "higher",
        "boundary F, tolerance 0.008 of the diagonal",
        _OBJECTS,
        tables=("main", "curves"),
    ),
    "f_recall": Metric("F-recall", "higher", "share of frames with F above 0.5", _TEMPORAL),
    "f_decay": Metric(
        "F-decay",
        "lower",
        "F of the first quarter minus F of the last",
        _TEMPORAL,
        least=-1.0,
        rewards_blank=True,
    ),
    "f_object": Metric(
        "F-object", "higher", "boundary F, tolerance by the object's size (MOSEv2)", _OBJECTS
    ),
    "boundary_iou": Metric("B-IoU", "higher", "boundary IoU, band 0.02 of the diagonal", _OBJECTS),
    "boundary_iou_object": Metric(
        "B-IoU-object", "higher", "boundary IoU, band by the object's size", _OBJECTS
    ),
    "n_sequences": Metric("sequences", None, "sequences with units", _SIZES, count=True),
    "n_objects": Metric("objects", None, "objects with units", _SIZES, count=True),
    "n_units": Metric("units", None, "objects in frames", _SIZES, count=True),
}
"""All metrics by key, in the order in which tables show them."""

_LEADING: Mapping[str, tuple[str, ...]] = {"j-and-late-j": ("j", "j_tr", "j_recall", "j_decay")}
"""The metrics that main tables show first, by metric set, if this is not the order of `METRICS`."""

_ARROWS = {"higher": "↑", "lower": "↓", None: ""}


def list_formulas() -> tuple[Formula, ...]:
    """List the formulas of all metrics, in the order of `METRICS`."""
    return tuple(
        dict.fromkeys(formula for metric in METRICS.values() for formula in metric.formulas)
    )


def list_directed(available: Iterable[str]) -> list[str]:
    """List the available metrics that have a better direction, in the order of `METRICS`.

    >>> list_directed(["n_units", "f", "jf"])
    ['jf', 'f']
    """
    known = set(available)
    return [name for name, metric in METRICS.items() if metric.better and name in known]


def list_shown(table: str, available: Iterable[str]) -> tuple[str, ...]:
    """List the available metrics that a kind of table shows, in the order of `METRICS`.

    >>> list_shown("losses", ["j", "f", "jf"])
    ('jf',)
    """
    known = set(available)
    return tuple(
        name
        for name, metric in METRICS.items()
        if table in metric.tables and not metric.count and name in known
    )


def list_main_metrics(metric_set: str, available: Iterable[str]) -> tuple[str, ...]:
    """List the available metrics of the main tables, in the order of the published tables.

    >>> list_main_metrics("j-and-late-j", ["jf", "j", "j_tr", "n_units"])
    ('j', 'j_tr', 'jf')
    """
    shown = list_shown("main", available)
    leading = [name for name in _LEADING.get(metric_set, ()) if name in shown]
    return tuple(dict.fromkeys([*leading, *shown]))


def list_profile(available: Iterable[str]) -> tuple[str, ...]:
    """List the metrics of the foreground-background profile: first of active objects, then others.

    The profile shows the parts of mIoU that come from the choice of objects and from the masks.

    >>> list_profile(METRICS)
    ('p_miou', 'p_rate', 'p_quality', 'n_miou', 'n_rate', 'n_quality')
    """
    return tuple(sorted(list_shown("profile", available), key=lambda name: METRICS[name].inactive))


def choose_headline(metrics: Iterable[str]) -> str:
    """Return the headline metric of a score: the first available one of gIoU, J&F and J.

    >>> choose_headline(["j", "f", "jf"])
    'jf'
    """
    known = set(metrics)
    return next(name for name, metric in METRICS.items() if metric.headline and name in known)


def format_heading(name: str) -> str:
    """Return a metric's symbol, with an arrow toward better values.

    >>> format_heading("n_miou")
    'n-mIoU ↓'
    """
    metric = METRICS[name]
    return f"{metric.symbol} {_ARROWS[metric.better]}".rstrip()


def format_value(value: float | int | None) -> str:
    """Format a metric for tables: shares with four decimals, a dash if undefined.

    >>> format_value(0.66111), format_value(3), format_value(None)
    ('0.6611', '3', '-')
    """
    if value is None:
        return "-"
    return str(value) if isinstance(value, int) else f"{value:.4f}"
