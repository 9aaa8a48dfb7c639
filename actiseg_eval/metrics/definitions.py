"""The metrics: computed from a table of units, for all units or for each of several groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.metrics.frame_series import Series, decay, late_mean, recall
from actiseg_eval.metrics.units import Units


@dataclass(frozen=True)
class Sums:
    """A metric of each of G groups as a ratio of two sums, which can be added up over groups.

    Attributes
    ----------
    numerator : (G,) float64
    denominator : (G,) float64 or None
        None for a count.
    """

    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64] | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """The metric of each group, (G,); NaN if it is undefined."""
        if self.denominator is None:
            return self.numerator
        undefined = np.full(len(self.numerator), np.nan)
        ratio = np.divide(
            self.numerator, self.denominator, out=undefined, where=self.denominator > 0
        )
        return np.asarray(ratio)

    @property
    def ratio(self) -> float:
        """The metric of all groups together; NaN if it is undefined, or for a count."""
        denominator = 0.0 if self.denominator is None else float(self.denominator.sum())
        return float(self.numerator.sum()) / denominator if denominator > 0 else float("nan")


MetricSums: TypeAlias = dict[str, Sums]
"""Sums by metric, each with the same groups."""


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
    count : bool
        Whether the metric is a whole number.
    """

    symbol: str
    better: str | None
    about: str
    count: bool = False


_THRESHOLDS = (0.7, 0.8, 0.9)

METRICS: Mapping[str, Metric] = {
    "p_miou": Metric("p-mIoU", "higher", "mean IoU of active objects"),
    "n_miou": Metric("n-mIoU", "lower", "mean IoU of inactive objects"),
    "p_ciou": Metric("p-cIoU", "higher", "cumulative IoU of active objects"),
    "n_ciou": Metric("n-cIoU", "lower", "cumulative IoU of inactive objects"),
    "giou": Metric("gIoU", "higher", "generalised IoU over samples (GRES; not box GIoU)"),
    "acc": Metric("Acc", "higher", "share of units whose presence is predicted correctly"),
    "tp": Metric("TP", None, "active, visible, predicted", count=True),
    "tn": Metric("TN", None, "correctly not predicted", count=True),
    "fp": Metric("FP", None, "incorrectly predicted", count=True),
    "fn": Metric("FN", None, "active, visible, not predicted", count=True),
    "p_rate": Metric("p-rate", "higher", "share of visible active objects that are predicted"),
    "p_quality": Metric("p-quality", "higher", "mean IoU of predicted active objects"),
    "n_rate": Metric("n-rate", "lower", "share of visible inactive objects that are predicted"),
    "n_quality": Metric("n-quality", None, "mean IoU of predicted inactive objects"),
    "ciou": Metric("cIoU", "higher", "cumulative IoU over samples"),
    "t_acc": Metric("T-acc", "higher", "share of samples with a target that are predicted"),
    "n_acc": Metric(
        "N-acc", "higher", "share of samples without a target whose prediction is empty"
    ),
    **{
        f"pr_{round(100 * threshold)}": Metric(
            f"Pr@{threshold}",
            "higher",
            f"share of samples with a target whose IoU is at least {threshold}",
        )
        for threshold in _THRESHOLDS
    },
    "jf": Metric("J&F", "higher", "mean of J and F"),
    "j": Metric("J", "higher", "region similarity: IoU"),
    "j_recall": Metric("J-recall", "higher", "share of frames with J above 0.5"),
    "j_decay": Metric("J-decay", "lower", "J of the first quarter minus J of the last"),
    "j_tr": Metric("J_tr", "higher", "J over the last quarter of the frames (VOST)"),
    "f": Metric("F", "higher", "boundary F, tolerance 0.008 of the diagonal"),
    "f_recall": Metric("F-recall", "higher", "share of frames with F above 0.5"),
    "f_decay": Metric("F-decay", "lower", "F of the first quarter minus F of the last"),
    "f_object": Metric("F-object", "higher", "boundary F, tolerance by the object's size (MOSEv2)"),
    "boundary_iou": Metric("B-IoU", "higher", "boundary IoU, band 0.02 of the diagonal"),
    "boundary_iou_object": Metric(
        "B-IoU-object", "higher", "boundary IoU, band by the object's size"
    ),
    "n_sequences": Metric("sequences", None, "sequences with units", count=True),
    "n_objects": Metric("objects", None, "objects with units", count=True),
    "n_units": Metric("units", None, "objects in frames", count=True),
}
"""All metrics by key, in the order in which tables show them."""

PROFILE = ("p_miou", "p_rate", "p_quality", "n_miou", "n_rate", "n_quality")
"""The foreground-background profile: the parts of mIoU that come from the choice of objects and
from the masks."""

_HEADLINES = ("giou", "jf", "j")

_ARROWS = {"higher": "↑", "lower": "↓", None: ""}


def choose_headline(metrics: Iterable[str]) -> str:
    """Return the headline metric of a score: the first available one of gIoU, J&F and J.

    >>> choose_headline(["j", "f", "jf"])
    'jf'
    """
    known = set(metrics)
    return next(name for name in _HEADLINES if name in known)


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


def sum_groups(
    groups: NDArray[np.int64], count: int, values: NDArray[np.generic]
) -> NDArray[np.float64]:
    """Sum the values of each of `count` groups."""
    return np.bincount(groups, weights=values, minlength=count).astype(np.float64)


def compute_actionvos_metrics(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Compute the six metrics of ActionVOS and its confusion counts.

    mIoU is the mean IoU of units with a pixel in ground truth or prediction. cIoU is the sum of
    their intersections over the sum of their unions. gIoU is the mean over all units of: 1 if
    ground truth and prediction are empty; the IoU of active objects; 1 for inactive objects that
    are not predicted, else 0 (ActionVOS, ECCV 2024, and its script).

    Parameters
    ----------
    units : Units
        A table of N units.
    groups : (N,) int64
        The group of each unit, 0 to count - 1.
    count : int
        The number of groups.
    """
    union, region, active = units.union, units.region, units.active
    nonempty = union > 0
    true, predicted = units.truth > 0, units.prediction > 0

    def sum_where(chosen: NDArray[np.bool_], values: NDArray[np.generic]) -> NDArray[np.float64]:
        return sum_groups(groups, count, np.where(chosen, values, 0))

    ones = np.ones(len(units))
    sums: MetricSums = {}
    for name, members in (("p", active & nonempty), ("n", ~active & nonempty)):
        sums[f"{name}_miou"] = Sums(sum_where(members, region), sum_where(members, ones))
        sums[f"{name}_ciou"] = Sums(
            sum_where(members, units.intersection), sum_where(members, union)
        )
    generalised = generalised_iou(units)
    sums["giou"] = Sums(sum_groups(groups, count, generalised), sum_groups(groups, count, ones))
    cases = {
        "tp": sum_where(active & true & predicted, predicted),
        "fn": sum_where(active & true & ~predicted, true),
        "fp": sum_where(predicted & ~(active & true), predicted),
        "tn": sum_where(~predicted & ~(active & true), ~predicted),
    }
    sums["acc"] = Sums(cases["tp"] + cases["tn"], sum_groups(groups, count, ones))
    sums |= {name: Sums(cases[name]) for name in cases}
    return sums | compute_profile(units, groups, count)


def generalised_iou(units: Units) -> NDArray[np.float64]:
    """Return what each unit adds to gIoU, (N,), see `compute_actionvos_metrics`."""
    is_compared = units.active | (units.union == 0)
    return np.where(is_compared, units.region, units.prediction == 0).astype(np.float64)


def compute_profile(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Compute the shares of visible objects that are predicted, and the mean IoU of those.

    If no mask is predicted for an object that is not visible, p-mIoU is p-rate times p-quality, and
    n-mIoU is n-rate times n-quality. Parameters as in `compute_actionvos_metrics`.
    """
    sums: MetricSums = {}
    for name, members in (("p", units.active), ("n", ~units.active)):
        visible = members & (units.truth > 0)
        predicted = visible & (units.prediction > 0)
        total = sum_groups(groups, count, predicted)
        sums[f"{name}_rate"] = Sums(total, sum_groups(groups, count, visible))
        quality = sum_groups(groups, count, np.where(predicted, units.region, 0))
        sums[f"{name}_quality"] = Sums(quality, total)
    return sums


def compute_gres_metrics(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Compute the metrics of GRES: gIoU, cIoU, and accuracies with and without a target.

    A sample is a unit. A sample with an empty true mask has no target (Liu et al., "GRES:
    generalized referring expression segmentation", CVPR 2023). Parameters as in
    `compute_actionvos_metrics`.
    """
    target, predicted = units.truth > 0, units.prediction > 0
    ones = np.ones(len(units))

    def sum_where(chosen: NDArray[np.bool_], values: NDArray[np.generic]) -> NDArray[np.float64]:
        return sum_groups(groups, count, np.where(chosen, values, 0))

    targets, no_targets = sum_where(target, ones), sum_where(~target, ones)
    sums = {
        "giou": Sums(sum_groups(groups, count, units.region), sum_groups(groups, count, ones)),
        "ciou": Sums(
            sum_groups(groups, count, units.intersection), sum_groups(groups, count, units.union)
        ),
        "t_acc": Sums(sum_where(target, predicted), targets),
        "n_acc": Sums(sum_where(~target, ~predicted), no_targets),
    }
    for threshold in _THRESHOLDS:
        precise = sum_where(target, units.region >= threshold)
        sums[f"pr_{round(100 * threshold)}"] = Sums(precise, targets)
    return sums


def average_objects(
    units: Units, values: NDArray[np.float64], groups: NDArray[np.int64], count: int
) -> Sums:
    """Average values, (N,), over the frames of each object, and then over objects, for each group.

    An object counts in a group with those of its units that are in the group.
    """
    objects = max(len(units.labels), 1)
    pairs, position = np.unique(groups * objects + units.object, return_inverse=True)
    sizes = np.bincount(position, minlength=len(pairs))
    means = np.bincount(position, values, minlength=len(pairs)) / np.maximum(sizes, 1)
    pair_groups = pairs // objects
    return Sums(
        sum_groups(pair_groups, count, means), sum_groups(pair_groups, count, np.ones(len(pairs)))
    )


def compute_object_metrics(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Compute J, and F and boundary IoU as far as available: means over frames, then objects."""
    available = {"j": units.region, **units.values}
    sums = {
        name: average_objects(units, values, groups, count) for name, values in available.items()
    }
    if "f" in sums:
        mean = (sums["j"].numerator + sums["f"].numerator) / 2
        sums["jf"] = Sums(mean, sums["j"].denominator)
    return sums


def compute_temporal_metrics(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Compute recall and decay of J and F: for each object over its frames, then the mean.

    All units of an object must be in one group.
    """
    sums = {}
    for name, values in (("j", units.region), ("f", units.values.get("f"))):
        if values is not None:
            for suffix, statistic in (("recall", recall), ("decay", decay)):
                sums[f"{name}_{suffix}"] = _average_series(units, values, groups, count, statistic)
    return sums


def compute_late_metrics(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Compute J over the last quarter of each object's frames, then the mean over objects.

    All units of an object must be in one group.
    """
    return {"j_tr": _average_series(units, units.region, groups, count, late_mean)}


def _average_series(
    units: Units,
    values: NDArray[np.float64],
    groups: NDArray[np.int64],
    count: int,
    statistic: Callable[[Series], float],
) -> Sums:
    """Average over objects a statistic of the values in their frames."""
    order = np.argsort(units.object, kind="stable")
    starts = np.flatnonzero(np.diff(units.object[order], prepend=-1))
    all_series = np.split(values[order], starts[1:]) if len(order) else []
    series_groups = groups[order][starts]
    statistics = np.array([statistic(series) for series in all_series])
    sizes = sum_groups(series_groups, count, np.ones(len(all_series)))
    return Sums(sum_groups(series_groups, count, statistics), sizes)


def count_sizes(units: Units, groups: NDArray[np.int64], count: int) -> MetricSums:
    """Count the sequences, objects and units of each group."""

    def count_distinct(positions: NDArray[np.int64]) -> Sums:
        size = int(positions.max(initial=0)) + 1
        pairs = np.unique(groups * size + positions)
        return Sums(sum_groups(pairs // size, count, np.ones(len(pairs))))

    return {
        "n_sequences": count_distinct(units.sequence),
        "n_objects": count_distinct(units.object),
        "n_units": Sums(sum_groups(groups, count, np.ones(len(groups)))),
    }
