"""Every figure that a protocol is about, of all units or of each of several groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.measures.meter import measured_values
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.metrics.definitions import (
    METRICS,
    Figures,
    actionvos_figures,
    course_figures,
    gres_figures,
    late_figures,
    object_figures,
    size_figures,
)
from actiseg_eval.metrics.units import Units, gather_units, no_units
from actiseg_eval.protocols import Protocol


def figures_by_sequence(
    results: list[SequenceResult], protocol: Protocol, measures: tuple[str, ...]
) -> Figures:
    """Every figure of each sequence, as sums that can be added up."""
    units, _ = scored_units(results, protocol)
    return all_figures(units, units.sequence, len(results), protocol, measures)


PlainFigures: TypeAlias = "Mapping[str, float | int | None]"
"""Figures by key: counts as whole numbers, undefined ones None."""


def plain_figures(figures: Mapping[str, float]) -> PlainFigures:
    """Figures as documents have them, in their order. figures: by key, NaN if undefined."""
    return {
        name: None if value != value else int(value) if METRICS[name].count else value
        for name in METRICS
        if (value := figures.get(name)) is not None
    }


def whole_figures(
    results: list[SequenceResult], protocol: Protocol, measures: tuple[str, ...]
) -> PlainFigures:
    """Every figure of all sequences together."""
    units, _ = scored_units(results, protocol)
    together = np.zeros(len(units), np.int64)
    whole = all_figures(units, together, 1, protocol, measures)
    return plain_figures({name: float(sums.values[0]) for name, sums in whole.items()})


def figure_names(protocol: Protocol, measures: tuple[str, ...]) -> list[str]:
    """The figures that have a direction, as far as they are measured.

    >>> from actiseg_eval.protocols import load_protocol
    >>> figure_names(load_protocol("davis"), ("core",))
    ['j', 'j_recall', 'j_decay']
    """
    units = no_units(measured_values(measures))
    found = all_figures(units, units.sequence, 1, protocol, measures)
    return [name for name, metric in METRICS.items() if metric.better and name in found]


def scored_units(results: list[SequenceResult], protocol: Protocol) -> tuple[Units, Units]:
    """The units that are scored, as the protocol takes their truth, and as they are."""
    known = gather_units(results)
    if protocol.scores_every_object:
        known = known.chosen(known.counted)
    if protocol.inactive == "without a target":
        return known.without_inactive_truth(), known
    return known, known


def group_figures(
    units: Units,
    groups: NDArray[np.int64],
    count: int,
    protocol: Protocol,
    measures: tuple[str, ...],
) -> Figures:
    """Every figure of any groups of units: all but those of the course over frames.

    groups: (N) group of each unit, 0 to count - 1.
    """
    figures: Figures = {}
    if "core" in measures and protocol.figures == "actionvos":
        figures |= actionvos_figures(units, groups, count)
    elif "core" in measures and protocol.figures == "gres":
        figures |= gres_figures(units, groups, count)
    if protocol.scores_every_object or measures != ("core",):
        which = averaged(units, protocol)
        figures |= object_figures(units.chosen(which), groups[which], count)
    return figures | size_figures(units, groups, count)


def all_figures(
    units: Units,
    groups: NDArray[np.int64],
    count: int,
    protocol: Protocol,
    measures: tuple[str, ...],
) -> Figures:
    """Every figure of groups that hold whole objects: including those of their course over
    frames.
    """
    figures = group_figures(units, groups, count, protocol, measures)
    if protocol.scores_every_object or "jf" in measures:
        which = averaged(units, protocol)
        figures |= course_figures(units.chosen(which), groups[which], count)
    if protocol.figures == "j-and-late-j":
        figures |= late_figures(units, groups, count)
    return figures


def averaged(units: Units, protocol: Protocol) -> NDArray[np.bool_]:
    """Which units J and F are over."""
    return units.counted & units.active if protocol.averaged == "active" else units.counted
