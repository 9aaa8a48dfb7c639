"""Compute all metrics of a protocol, for all units or for each of several groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.measures.frame_measurement import list_pair_values
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.metrics.definitions import METRICS, Formula, list_formulas
from actiseg_eval.metrics.sums import MetricSums, UnitGroups
from actiseg_eval.metrics.units import Units, gather_units, make_empty_units
from actiseg_eval.protocols import METRIC_GROUPS, Protocol

MetricValues: TypeAlias = "Mapping[str, float | int | None]"
"""Metrics by key: counts as whole numbers, undefined ones as None."""


def compute_by_sequence(
    results: list[SequenceResult], protocol: Protocol, metric_groups: tuple[str, ...]
) -> MetricSums:
    """Compute every metric of each sequence, as sums that can be added up."""
    units, _ = gather_scored_units(results, protocol)
    return compute_metrics(units, UnitGroups(units.sequence, len(results)), protocol, metric_groups)


def compute_overall(
    results: list[SequenceResult], protocol: Protocol, metric_groups: tuple[str, ...]
) -> MetricValues:
    """Compute every metric of all sequences together."""
    units, _ = gather_scored_units(results, protocol)
    return summarise_units(units, protocol, metric_groups)


def summarise_units(
    units: Units, protocol: Protocol, metric_groups: tuple[str, ...]
) -> MetricValues:
    """Compute every metric of all units together."""
    same_group = UnitGroups(np.zeros(len(units), np.int64), 1)
    overall = compute_metrics(units, same_group, protocol, metric_groups)
    return make_metric_values({name: float(sums.values[0]) for name, sums in overall.items()})


def make_metric_values(metrics: Mapping[str, float]) -> MetricValues:
    """Convert metrics by key, NaN if undefined, to the form and order of documents."""
    return {
        name: None if value != value else int(value) if METRICS[name].count else value
        for name in METRICS
        if (value := metrics.get(name)) is not None
    }


def list_metrics(protocol: Protocol, metric_groups: tuple[str, ...]) -> list[str]:
    """List the metrics of a protocol that some metric groups have.

    Examples
    --------
    >>> from actiseg_eval.protocols import load_protocol
    >>> list_metrics(load_protocol("davis"), ("core",))
    ['j', 'j_recall', 'j_decay', 'n_sequences', 'n_objects', 'n_units']
    """
    units = make_empty_units(list_pair_values(metric_groups))
    return list(compute_metrics(units, UnitGroups(units.sequence, 1), protocol, metric_groups))


def list_computed_groups(protocol: Protocol) -> dict[str, str]:
    """List the metrics of a protocol, each with the first of `METRIC_GROUPS` that has it.

    Examples
    --------
    >>> from actiseg_eval.protocols import load_protocol
    >>> [list_computed_groups(load_protocol(name))["j"] for name in ("davis", "actionvos")]
    ['core', 'jf']
    """
    groups: dict[str, str] = {}
    for group in METRIC_GROUPS:
        for metric in list_metrics(protocol, (group,)):
            groups.setdefault(metric, group)
    return groups


def gather_scored_units(results: list[SequenceResult], protocol: Protocol) -> tuple[Units, Units]:
    """Return the scored units twice: with the ground truth of the protocol, and unchanged."""
    units = gather_units(results)
    if protocol.scores_every_object:
        units = units.select(units.counted)
    if protocol.inactive == "without a target":
        return units.clear_inactive_truth(), units
    return units, units


def compute_groups(
    units: Units, groups: UnitGroups, protocol: Protocol, metric_groups: tuple[str, ...]
) -> MetricSums:
    """Compute the metrics of any groups of units: all but those over the frames of an object.

    Parameters
    ----------
    units : Units
        N units.
    groups : UnitGroups
        The groups of the N units.
    protocol : Protocol
    metric_groups : tuple of str
        The metric groups that are computed.
    """
    formulas = [formula for formula in list_formulas() if not formula.whole_objects]
    return _evaluate(formulas, units, groups, protocol, metric_groups)


def compute_metrics(
    units: Units, groups: UnitGroups, protocol: Protocol, metric_groups: tuple[str, ...]
) -> MetricSums:
    """Compute every metric of groups that have all units of their objects.

    Parameters as in `compute_groups`.
    """
    return _evaluate(list_formulas(), units, groups, protocol, metric_groups)


def _evaluate(
    formulas: Iterable[Formula],
    units: Units,
    groups: UnitGroups,
    protocol: Protocol,
    metric_groups: tuple[str, ...],
) -> MetricSums:
    """Evaluate the formulas that the protocol and the metric groups have."""
    wanted = [formula for formula in formulas if formula.is_computed(protocol, metric_groups)]
    averaged = units, groups
    if any(formula.averaged for formula in wanted):
        chosen = find_averaged(units, protocol)
        averaged = units.select(chosen), groups.select(chosen)
    sums: MetricSums = {}
    for formula in wanted:
        sums |= formula.compute(*(averaged if formula.averaged else (units, groups)))
    unknown = sorted(set(sums) - set(METRICS))
    if unknown:
        raise LookupError(f"METRICS has no entry for {', '.join(unknown)}")
    return sums


def find_averaged(units: Units, protocol: Protocol) -> NDArray[np.bool_]:
    """Return which units, (N,), J and F are averaged over."""
    return units.counted & units.active if protocol.averaged == "active" else units.counted
