"""The figures: from a table of units, for all of them or for each of several groups."""

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
    """A figure of each of G groups as a ratio of two sums, which can be added up over groups.

    above, below: (G,). below is None for a count.
    """

    above: NDArray[np.float64]
    below: NDArray[np.float64] | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """(G,) the figure; NaN where it is undefined."""
        if self.below is None:
            return self.above
        undefined = np.full(len(self.above), np.nan)
        ratio = np.divide(self.above, self.below, out=undefined, where=self.below > 0)
        return np.asarray(ratio)


Figures: TypeAlias = dict[str, Sums]
"""Figures by key, each of every group."""


@dataclass(frozen=True)
class Metric:
    """A figure. symbol: as the field writes it. better: ``higher``, ``lower``, or None for neither.
    about: what it is, in words. count: whether it is a whole number of things.
    """

    symbol: str
    better: str | None
    about: str
    count: bool = False


_PR = (0.7, 0.8, 0.9)

METRICS: Mapping[str, Metric] = {
    "p_miou": Metric("p-mIoU", "higher", "mean IoU of active objects"),
    "n_miou": Metric("n-mIoU", "lower", "mean IoU of inactive objects"),
    "p_ciou": Metric("p-cIoU", "higher", "cumulative IoU of active objects"),
    "n_ciou": Metric("n-cIoU", "lower", "cumulative IoU of inactive objects"),
    "giou": Metric("gIoU", "higher", "generalised IoU over samples (GRES; not box GIoU)"),
    "acc": Metric("Acc", "higher", "share of units that are rightly there or not"),
    "tp": Metric("TP", None, "active, visible, predicted", count=True),
    "tn": Metric("TN", None, "rightly not predicted", count=True),
    "fp": Metric("FP", None, "wrongly predicted", count=True),
    "fn": Metric("FN", None, "active, visible, not predicted", count=True),
    "p_rate": Metric("p-rate", "higher", "share of active objects in sight that are predicted"),
    "p_quality": Metric("p-quality", "higher", "mean IoU of active objects where predicted"),
    "n_rate": Metric("n-rate", "lower", "share of inactive objects in sight that are predicted"),
    "n_quality": Metric("n-quality", None, "mean IoU of inactive objects where predicted"),
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
    "j_tr": Metric("J_tr", "higher", "J over the last quarter of the frames (VOST)"),
    "f": Metric("F", "higher", "boundary F, tolerance 0.008 of the diagonal"),
    "f_recall": Metric("F-recall", "higher", "share of frames with F above 0.5"),
    "f_decay": Metric("F-decay", "lower", "F of the first quarter less that of the last"),
    "f_object": Metric("F-object", "higher", "boundary F, tolerance by the object's size (MOSEv2)"),
    "boundary_iou": Metric("B-IoU", "higher", "boundary IoU, band 0.02 of the diagonal"),
    "boundary_iou_object": Metric("B-IoU-object", "higher", "boundary IoU, band by the object"),
    "n_sequences": Metric("sequences", None, "that have a unit", count=True),
    "n_objects": Metric("objects", None, "that have a unit", count=True),
    "n_units": Metric("units", None, "objects in frames", count=True),
}


_HEADLINES = ("giou", "jf", "j")


def headline(figures: Iterable[str]) -> str:
    """The headline metric of a score: the first of gIoU, J&F and J that is available.

    >>> headline(["j", "f", "jf"])
    'jf'
    """
    known = set(figures)
    return next(name for name in _HEADLINES if name in known)


def totals(
    groups: NDArray[np.int64], count: int, values: NDArray[np.generic]
) -> NDArray[np.float64]:
    """The sum of the values of each of `count` groups."""
    return np.bincount(groups, weights=values, minlength=count).astype(np.float64)


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
        figures[f"{name}_miou"] = Sums(of(kind, region), of(kind, every))
        figures[f"{name}_ciou"] = Sums(of(kind, units.both), of(kind, union))
    generalised = generalised_iou(units)
    figures["giou"] = Sums(totals(groups, count, generalised), totals(groups, count, every))
    cases = {
        "tp": of(active & true & predicted, predicted),
        "fn": of(active & true & ~predicted, true),
        "fp": of(predicted & ~(active & true), predicted),
        "tn": of(~predicted & ~(active & true), ~predicted),
    }
    figures["acc"] = Sums(cases["tp"] + cases["tn"], totals(groups, count, every))
    figures |= {name: Sums(cases[name]) for name in cases}
    return figures | profile_figures(units, groups, count)


def generalised_iou(units: Units) -> NDArray[np.float64]:
    """(N) what each unit adds to gIoU: 1 where truth and prediction are empty; the IoU of an active
    object; 1 for an inactive one that is not predicted, else 0.
    """
    either = units.active | (units.union == 0)
    return np.where(either, units.region, units.prediction == 0).astype(np.float64)


PROFILE = ("p_miou", "p_rate", "p_quality", "n_miou", "n_rate", "n_quality")
"""The foreground-background profile: how much of mIoU is choice, how much the masks."""


def profile_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """Of active and of inactive objects in sight: how many are predicted, and how well those.

    Parameters as in `actionvos_figures`. Where no mask is predicted of an object out of sight,
    p-mIoU is p-rate times p-quality, and n-mIoU is n-rate times n-quality.
    """
    figures: Figures = {}
    for name, kind in (("p", units.active), ("n", ~units.active)):
        seen = kind & (units.truth > 0)
        found = seen & (units.prediction > 0)
        held = totals(groups, count, found)
        figures[f"{name}_rate"] = Sums(held, totals(groups, count, seen))
        quality = totals(groups, count, np.where(found, units.region, 0))
        figures[f"{name}_quality"] = Sums(quality, held)
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
        "giou": Sums(totals(groups, count, units.region), totals(groups, count, every)),
        "ciou": Sums(totals(groups, count, units.both), totals(groups, count, units.union)),
        "t_acc": Sums(of(target, predicted), targets),
        "n_acc": Sums(of(~target, ~predicted), others),
    }
    for at in _PR:
        figures[f"pr_{round(100 * at)}"] = Sums(of(target, units.region >= at), targets)
    return figures


def mean_of_objects(
    units: Units, values: NDArray[np.float64], groups: NDArray[np.int64], count: int
) -> Sums:
    """The mean over objects of the mean over their frames, for each group.

    values: (N). An object counts in a group with those of its units that are in it.
    """
    objects = max(len(units.labels), 1)
    pairs, place = np.unique(groups * objects + units.object, return_inverse=True)
    sizes = np.bincount(place, minlength=len(pairs))
    means = np.bincount(place, values, minlength=len(pairs)) / np.maximum(sizes, 1)
    return Sums(*(totals(pairs // objects, count, of) for of in (means, np.ones(len(pairs)))))


def object_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """J, and of F and boundary IoU those that were measured, over frames, then objects."""
    measured = {"j": units.region, **units.values}
    figures = {
        name: mean_of_objects(units, values, groups, count) for name, values in measured.items()
    }
    if "f" in figures:
        both = (figures["j"].above + figures["f"].above) / 2
        figures["jf"] = Sums(both, figures["j"].below)
    return figures


def course_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """Recall and decay of J and F: of each object over its frames, then the mean over objects.

    groups: whole objects must be in one.
    """
    figures = {}
    for name, values in (("j", units.region), ("f", units.values.get("f"))):
        if values is not None:
            for what, statistic in (("recall", recall), ("decay", decay)):
                of_objects = _over_frames(units, values, groups, count, statistic)
                figures[f"{name}_{what}"] = of_objects
    return figures


def late_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """J over the last quarter of each object's frames, then the mean over objects.

    groups: as in `course_figures`.
    """
    return {"j_tr": _over_frames(units, units.region, groups, count, late_mean)}


def _over_frames(
    units: Units,
    values: NDArray[np.float64],
    groups: NDArray[np.int64],
    count: int,
    statistic: Callable[[Series], float],
) -> Sums:
    """The mean over objects of a statistic of the values in their frames."""
    order = np.argsort(units.object, kind="stable")
    starts = np.flatnonzero(np.diff(units.object[order], prepend=-1))
    series = np.split(values[order], starts[1:]) if len(order) else []
    of_series = groups[order][starts]
    found = np.array([statistic(each) for each in series])
    sizes = totals(of_series, count, np.ones(len(series)))
    return Sums(totals(of_series, count, found), sizes)


def size_figures(units: Units, groups: NDArray[np.int64], count: int) -> Figures:
    """How many sequences, objects and units each group has."""

    def distinct(of: NDArray[np.int64]) -> Sums:
        size = int(of.max(initial=0)) + 1
        pairs = np.unique(groups * size + of)
        return Sums(totals(pairs // size, count, np.ones(len(pairs))))

    return {
        "n_sequences": distinct(units.sequence),
        "n_objects": distinct(units.object),
        "n_units": Sums(totals(groups, count, np.ones(len(groups)))),
    }
