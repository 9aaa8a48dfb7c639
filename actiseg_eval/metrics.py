"""The figures: from a table of units, for all of them or for each of several groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.series import decay, recall
from actiseg_eval.units import Units

Figures: TypeAlias = dict[str, NDArray[np.float64]]
"""(G,) numbers by key, one for each group; NaN where a figure is undefined."""


@dataclass(frozen=True)
class Metric:
    """A figure. symbol: as the field writes it. better: ``higher``, ``lower``, or None for counts.
    about: what it is, in words."""

    symbol: str
    better: str | None
    about: str


_PR = (0.7, 0.8, 0.9)

METRICS: Mapping[str, Metric] = {
    "p_miou": Metric("p-mIoU", "higher", "mean IoU of active objects"),
    "n_miou": Metric("n-mIoU", "lower", "mean IoU of inactive objects"),
    "p_ciou": Metric("p-cIoU", "higher", "cumulative IoU of active objects"),
    "n_ciou": Metric("n-cIoU", "lower", "cumulative IoU of inactive objects"),
    "giou": Metric("gIoU", "higher", "generalised IoU over samples (GRES; not box GIoU)"),
    "acc": Metric("Acc", "higher", "share of units that are rightly there or not"),
    "tp": Metric("TP", None, "active, visible, predicted"),
    "tn": Metric("TN", None, "rightly not predicted"),
    "fp": Metric("FP", None, "wrongly predicted"),
    "fn": Metric("FN", None, "active, visible, not predicted"),
    "ciou": Metric("cIoU", "higher", "cumulative IoU over samples"),
    "t_acc": Metric("T-acc", "higher", "share of samples with a target that are predicted"),
    "n_acc": Metric("N-acc", "higher", "share of samples without a target that are empty"),
    **{
        f"pr_{round(100 * at)}": Metric(
            f"Pr@{at}", "higher", f"share of samples with a target whose IoU is {at} or more"
        )
        for at in _PR
    },
    "jf": Metric("J&F", "higher", "mean of J and F"),
    "j": Metric("J", "higher", "region similarity: IoU"),
    "j_recall": Metric("J-recall", "higher", "share of frames with J above 0.5"),
    "j_decay": Metric("J-decay", "lower", "J of the first quarter less that of the last"),
    "f": Metric("F", "higher", "boundary F, tolerance 0.008 of the diagonal"),
    "f_recall": Metric("F-recall", "higher", "share of frames with F above 0.5"),
    "f_decay": Metric("F-decay", "lower", "F of the first quarter less that of the last"),
    "f_object": Metric("F-object", "higher", "boundary F, tolerance by the object's size (MOSEv2)"),
    "boundary_iou": Metric("B-IoU", "higher", "boundary IoU, band 0.02 of the diagonal"),
    "boundary_iou_object": Metric("B-IoU-object", "higher", "boundary IoU, band by the object"),
    "n_sequences": Metric("sequences", None, "that have a unit"),
    "n_objects": Metric("objects", None, "that have a unit"),
    "n_units": Metric("units", None, "objects in frames"),
}


def totals(
    groups: NDArray[np.int64], count: int, values: NDArray[np.generic]
) -> NDArray[np.float64]:
    """The sum of the values of each of `count` groups."""
    return np.bincount(groups, weights=values, minlength=count).astype(np.float64)


def _ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    undefined = np.full(len(above), np.nan)
    return np.asarray(np.divide(above, below, out=undefined, where=below > 0))


def actionvos_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """The six figures of ActionVOS and its confusion counts.

    groups: (N) group of each unit, 0 to count - 1. mIoU is the mean IoU of units with a pixel in
    truth or prediction, cIoU the sum of their intersections over that of their unions; gIoU the
    mean over all units of: 1 where truth and prediction are empty; the IoU of active ones; 1 for
    inactive ones that are not predicted, else 0 (ActionVOS, ECCV 2024, and its script).
    """
    union, region = units.union, units.region
    active, seen = units.active, union > 0
    true, predicted = units.truth > 0, units.prediction > 0

    def of(which: NDArray[np.bool_], values: NDArray[np.generic]) -> NDArray[np.float64]:
        return totals(groups, count, np.where(which, values, 0))

    every = np.ones(len(units))
    figures: Figures = {}
    for name, kind in (("p", active & seen), ("n", ~active & seen)):
        figures[f"{name}_miou"] = _ratio(of(kind, region), of(kind, every))
        figures[f"{name}_ciou"] = _ratio(of(kind, units.both), of(kind, union))
    generalised = np.where(active | ~seen, region, ~predicted)
    figures["giou"] = _ratio(totals(groups, count, generalised), totals(groups, count, every))
    figures["tp"] = of(active & true & predicted, predicted)
    figures["fn"] = of(active & true & ~predicted, true)
    figures["fp"] = of(predicted & ~(active & true), predicted)
    figures["tn"] = of(~predicted & ~(active & true), ~predicted)
    right = figures["tp"] + figures["tn"]
    figures["acc"] = _ratio(right, right + figures["fp"] + figures["fn"])
    return figures


def gres_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """The figures of GRES: gIoU and cIoU over samples, and how well targets are told from none.

    Parameters as in `actionvos_figures`. A sample is a unit; those with an empty truth have no
    target (Liu et al., "GRES: generalized referring expression segmentation", CVPR 2023).
    """
    target, predicted = units.truth > 0, units.prediction > 0
    every = np.ones(len(units))

    def of(which: NDArray[np.bool_], values: NDArray[np.generic]) -> NDArray[np.float64]:
        return totals(groups, count, np.where(which, values, 0))

    targets, others = of(target, every), of(~target, every)
    figures = {
        "giou": _ratio(totals(groups, count, units.region), totals(groups, count, every)),
        "ciou": _ratio(totals(groups, count, units.both), totals(groups, count, units.union)),
        "t_acc": _ratio(of(target, predicted), targets),
        "n_acc": _ratio(of(~target, ~predicted), others),
    }
    for at in _PR:
        figures[f"pr_{round(100 * at)}"] = _ratio(of(target, units.region >= at), targets)
    return figures


def mean_of_objects(
    units: Units, values: NDArray[np.float64], groups: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """The mean over objects of the mean over their frames, for each group.

    values: (N). An object counts in a group with those of its units that are in it.
    """
    objects = max(len(units.labels), 1)
    pairs, place = np.unique(groups * objects + units.object, return_inverse=True)
    sizes = np.bincount(place, minlength=len(pairs))
    means = np.bincount(place, values, minlength=len(pairs)) / np.maximum(sizes, 1)
    return _ratio(*(totals(pairs // objects, count, of) for of in (means, np.ones(len(pairs)))))


def object_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """J, and of F and boundary IoU those that were measured, over frames, then objects."""
    measured = {"j": units.region, **units.values}
    figures = {
        name: mean_of_objects(units, values, groups, count) for name, values in measured.items()
    }
    if "f" in figures:
        figures["jf"] = (figures["j"] + figures["f"]) / 2
    return figures


def course_figures(units: Units) -> dict[str, float]:
    """Recall and decay of J and F: of each object over its frames, then the mean over objects."""
    figures = {}
    for name, values in (("j", units.region), ("f", units.values.get("f"))):
        if values is None:
            continue
        order = np.argsort(units.object, kind="stable")
        starts = np.flatnonzero(np.diff(units.object[order], prepend=-1))
        series = np.split(values[order], starts[1:]) if len(order) else []
        for what, statistic in (("recall", recall), ("decay", decay)):
            found = [statistic(each) for each in series]
            figures[f"{name}_{what}"] = float(np.mean(found)) if found else float("nan")
    return figures


def size_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """How many sequences, objects and units each group has."""

    def distinct(of: NDArray[np.int64]) -> NDArray[np.float64]:
        size = int(of.max(initial=0)) + 1
        pairs = np.unique(groups * size + of)
        return np.bincount(pairs // size, minlength=count).astype(float)

    return {
        "n_sequences": distinct(units.sequence),
        "n_objects": distinct(units.object),
        "n_units": np.bincount(groups, minlength=count).astype(float),
    }
