"""The formulas of metrics: each computes some metrics of several groups from a table of units."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.metrics.frame_series import Series, decay, late_mean, recall
from actiseg_eval.metrics.sums import MetricSums, Sums, UnitGroups
from actiseg_eval.metrics.units import Units

THRESHOLDS = (0.7, 0.8, 0.9)
"""The least IoU of each metric Pr@IoU."""

HAND_CLASSES = frozenset({11, 300, 301})
"""The classes of EPIC-KITCHENS-100 and VISOR that are hands: hand, left hand, right hand."""


def compute_actionvos_metrics(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute the six metrics of ActionVOS, p-mIoU without hands, and the confusion counts.

    mIoU is the mean IoU of units with a pixel in ground truth or prediction. cIoU is the sum of
    their intersections over the sum of their unions. gIoU is the mean over all units of: 1 if
    ground truth and prediction are empty; the IoU of active objects; 1 for inactive objects that
    are not predicted, else 0 (ActionVOS, ECCV 2024, and its script).
    """
    union, region, active = units.union, units.region, units.active
    nonempty = union > 0
    true, predicted = units.truth > 0, units.prediction > 0
    sums: MetricSums = {}
    for name, members in (("p", active & nonempty), ("n", ~active & nonempty)):
        sums[f"{name}_miou"] = Sums(groups.sum_where(members, region), groups.sum_where(members))
        sums[f"{name}_ciou"] = Sums(
            groups.sum_where(members, units.intersection), groups.sum_where(members, union)
        )
    things = active & nonempty & ~find_hands(units)
    sums["p_miou_hand_free"] = Sums(groups.sum_where(things, region), groups.sum_where(things))
    sums["giou"] = Sums(groups.sum(generalised_iou(units)), groups.sizes)
    cases = {
        "tp": groups.sum_where(active & true & predicted),
        "fn": groups.sum_where(active & true & ~predicted),
        "fp": groups.sum_where(predicted & ~(active & true)),
        "tn": groups.sum_where(~predicted & ~(active & true)),
    }
    sums["acc"] = Sums(cases["tp"] + cases["tn"], groups.sizes)
    return sums | {name: Sums(cases[name]) for name in cases}


def find_hands(units: Units) -> NDArray[np.bool_]:
    """Return which units, (N,), are of hands, by the class of the object."""
    hands = np.array([label.class_id in HAND_CLASSES for label in units.labels], bool)
    return hands[units.object] if len(hands) else np.zeros(len(units), bool)


def generalised_iou(units: Units) -> NDArray[np.float64]:
    """Return what each unit adds to gIoU, (N,), see `compute_actionvos_metrics`."""
    is_compared = units.active | (units.union == 0)
    return np.where(is_compared, units.region, units.prediction == 0).astype(np.float64)


def compute_profile(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute the shares of visible objects that are predicted, and the mean IoU of those.

    If no mask is predicted for an object that is not visible, p-mIoU is p-rate times p-quality, and
    n-mIoU is n-rate times n-quality.
    """
    sums: MetricSums = {}
    for name, members in (("p", units.active), ("n", ~units.active)):
        visible = members & (units.truth > 0)
        predicted = visible & (units.prediction > 0)
        total = groups.sum_where(predicted)
        sums[f"{name}_rate"] = Sums(total, groups.sum_where(visible))
        sums[f"{name}_quality"] = Sums(groups.sum_where(predicted, units.region), total)
    return sums


def compute_gres_metrics(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute the metrics of GRES: gIoU, cIoU, and accuracies with and without a target.

    A sample is a unit. A sample with an empty true mask has no target (Liu et al., "GRES:
    generalized referring expression segmentation", CVPR 2023).
    """
    target, predicted = units.truth > 0, units.prediction > 0
    targets = groups.sum_where(target)
    sums = {
        "giou": Sums(groups.sum(units.region), groups.sizes),
        "ciou": Sums(groups.sum(units.intersection), groups.sum(units.union)),
        "t_acc": Sums(groups.sum_where(target & predicted), targets),
        "n_acc": Sums(groups.sum_where(~target & ~predicted), groups.sum_where(~target)),
    }
    for threshold in THRESHOLDS:
        precise = groups.sum_where(target & (units.region >= threshold))
        sums[f"pr_{round(100 * threshold)}"] = Sums(precise, targets)
    return sums


def average_objects(units: Units, values: NDArray[np.float64], groups: UnitGroups) -> Sums:
    """Average values, (N,), over the frames of each object, and then over objects, for each group.

    An object counts in a group with those of its units that are in the group.
    """
    objects = max(len(units.labels), 1)
    pairs, position = np.unique(groups.codes * objects + units.object, return_inverse=True)
    sizes = np.bincount(position, minlength=len(pairs))
    means = np.bincount(position, values, minlength=len(pairs)) / np.maximum(sizes, 1)
    object_groups = UnitGroups(pairs // objects, groups.count)
    return Sums(object_groups.sum(means), object_groups.sizes)


def compute_object_metrics(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute J, and F and boundary IoU as far as available: means over frames, then objects."""
    available = {"j": units.region, **units.values}
    sums = {name: average_objects(units, values, groups) for name, values in available.items()}
    if "f" in sums:
        mean = (sums["j"].numerator + sums["f"].numerator) / 2
        sums["jf"] = Sums(mean, sums["j"].denominator)
    return sums


def compute_temporal_metrics(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute recall and decay of J and F: for each object over its frames, then the mean.

    All units of an object must be in one group.
    """
    sums = {}
    for name, values in (("j", units.region), ("f", units.values.get("f"))):
        if values is not None:
            for suffix, statistic in (("recall", recall), ("decay", decay)):
                sums[f"{name}_{suffix}"] = _average_series(units, values, groups, statistic)
    return sums


def compute_late_metrics(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute J over the last quarter of each object's frames, then the mean over objects.

    All units of an object must be in one group.
    """
    return {"j_tr": _average_series(units, units.region, groups, late_mean)}


def _average_series(
    units: Units,
    values: NDArray[np.float64],
    groups: UnitGroups,
    statistic: Callable[[Series], float],
) -> Sums:
    """Average over objects a statistic of the values in their frames."""
    order = np.argsort(units.object, kind="stable")
    starts = np.flatnonzero(np.diff(units.object[order], prepend=-1))
    all_series = np.split(values[order], starts[1:]) if len(order) else []
    statistics = np.array([statistic(series) for series in all_series])
    series_groups = UnitGroups(groups.codes[order][starts], groups.count)
    return Sums(series_groups.sum(statistics), series_groups.sizes)


def count_sizes(units: Units, groups: UnitGroups) -> MetricSums:
    """Count the sequences, objects and units of each group."""

    def count_distinct(positions: NDArray[np.int64]) -> Sums:
        size = int(positions.max(initial=0)) + 1
        pairs = np.unique(groups.codes * size + positions)
        return Sums(UnitGroups(pairs // size, groups.count).sizes)

    return {
        "n_sequences": count_distinct(units.sequence),
        "n_objects": count_distinct(units.object),
        "n_units": Sums(groups.sizes),
    }
