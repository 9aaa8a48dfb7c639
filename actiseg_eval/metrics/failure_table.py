"""The failure table: how often each failure mode occurs, and how much of the score it loses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.measures.failure_modes import FAILURE_MODES, decode_mode, encode_mode
from actiseg_eval.measures.results import repair_result
from actiseg_eval.metrics.computing import (
    compute_by_sequence,
    compute_metrics,
    find_averaged,
)
from actiseg_eval.metrics.definitions import METRICS, choose_headline, list_shown
from actiseg_eval.metrics.formulas import generalised_iou
from actiseg_eval.metrics.strata import Division
from actiseg_eval.metrics.sums import MetricSums, Sums, UnitGroups
from actiseg_eval.metrics.units import Units
from actiseg_eval.protocols import Protocol

_MAX_ROWS = 10
"""The most confusions and sequences that the table has."""

_ROUNDING = 1e-12

Gains = Mapping[str, "float | None"]
"""How much each metric would improve, in its own direction; None if it is undefined."""


@dataclass(frozen=True)
class ModeRow:
    """The units with one failure mode.

    Attributes
    ----------
    mode : str
    count : int
        The number of units.
    lost : mapping of str to float or None
        The gain of each metric if all these units were correct.
    recoverable : mapping of str to float or None
        The gain of each metric if only this failure were repaired.
    """

    mode: str
    count: int
    lost: Gains
    recoverable: Gains

    def to_dict(self) -> dict[str, Any]:
        """Return the row as JSON, without the name of the mode."""
        return {
            "count": self.count,
            "lost": dict(self.lost),
            "costs": dict(self.recoverable),
        }


@dataclass(frozen=True)
class Confusion:
    """How often the mask of one object mostly covers another object, both by name."""

    name: str
    confused_with: str
    mode: str
    count: int

    def to_dict(self) -> dict[str, Any]:
        """Return the confusion as JSON."""
        return {
            "name": self.name,
            "lies_on": self.confused_with,
            "mode": self.mode,
            "count": self.count,
        }


@dataclass(frozen=True)
class WorstSequence:
    """A sequence that loses much of the score.

    Attributes
    ----------
    sequence : str
    value : float
        The metric of the sequence.
    lost : float
        Its share of the whole loss.
    failures : int
        The number of units with a failure.
    units : int
        The number of all units.
    mode : str
        The failure mode that loses most.
    """

    sequence: str
    value: float
    lost: float
    failures: int
    units: int
    mode: str


@dataclass(frozen=True)
class FailureTable:
    """The failures of scored predictions.

    Attributes
    ----------
    units : int
        The number of units.
    metric : str
        The metric that ranks the sequences.
    rows : sequence of ModeRow
        One for each mode.
    together : ModeRow
        All modes at once.
    confusions : sequence of Confusion
        The most frequent ones.
    worst : sequence of WorstSequence
        Those that lose most.
    counts_by_division : mapping
        The number of units by division, group and mode.
    """

    units: int
    metric: str
    rows: Sequence[ModeRow]
    together: ModeRow
    confusions: Sequence[Confusion]
    worst: Sequence[WorstSequence]
    counts_by_division: Mapping[str, Mapping[str, Mapping[str, int]]]

    @property
    def shown(self) -> tuple[str, ...]:
        """The metrics whose losses tables show."""
        return list_shown("losses", self.together.lost)

    def to_dict(self) -> dict[str, Any]:
        """Return the table as JSON."""
        return {
            "units": self.units,
            "figure": self.metric,
            "modes": {row.mode: row.to_dict() for row in self.rows},
            "together": self.together.to_dict(),
            "misplaced": [row.to_dict() for row in self.confusions],
            "worst": [dict(vars(row)) for row in self.worst],
            "by": {
                division: {name: dict(counts) for name, counts in groups.items()}
                for division, groups in self.counts_by_division.items()
            },
        }


def make_failure_table(
    units: Units,
    original: Units,
    divisions: Mapping[str, Division],
    protocol: Protocol,
    metric_groups: tuple[str, ...],
) -> FailureTable:
    """Make the failure table of units whose results have failures.

    The loss of a mode is the gain of a metric if all units with this mode, and no others, have
    their true mask, or a blank one if that is correct. What is recoverable is the gain if they have
    their repaired mask. Each object is repaired alone, as if masks could overlap.

    Parameters
    ----------
    units, original : Units
        The scored units, see `gather_scored_units`.
    divisions : mapping of str to Division
        Divisions of the units, see `divide_units`.
    protocol : Protocol
    metric_groups : tuple of str
        The metric groups that were computed.
    """
    sequences = UnitGroups(units.sequence, len(units.results))
    by_sequence = compute_metrics(units, sequences, protocol, metric_groups)
    before = _compute_ratios(by_sequence)
    counts = np.bincount(original.mode, minlength=len(FAILURE_MODES) + 1)

    def compute_gains(codes: set[int], *, wholly: bool) -> Gains:
        if not counts[sorted(codes)].any():
            return {name: None if np.isnan(value) else 0.0 for name, value in before.items()}
        repaired = [
            repair_result(result, protocol, codes, wholly=wholly) for result in units.results
        ]
        after = _compute_ratios(compute_by_sequence(repaired, protocol, metric_groups))
        return {name: _compute_gain(name, before[name], after[name]) for name in before}

    def make_row(mode: str, codes: set[int]) -> ModeRow:
        count = int(counts[sorted(codes)].sum())
        lost, recoverable = (compute_gains(codes, wholly=wholly) for wholly in (True, False))
        return ModeRow(mode, count, lost, recoverable)

    metric = choose_headline(before)
    return FailureTable(
        units=len(original),
        metric=metric,
        rows=[make_row(mode, {encode_mode(mode)}) for mode in FAILURE_MODES],
        together=make_row("all", set(map(encode_mode, FAILURE_MODES))),
        confusions=_count_confusions(original),
        worst=_rank_sequences(units, by_sequence[metric], _compute_loss(units, protocol, metric)),
        counts_by_division={
            division: {
                name: _count_modes(original.mode[groups == group])
                for group, name in enumerate(names)
            }
            for division, (groups, names) in divisions.items()
        },
    )


def _count_modes(codes: NDArray[np.int64]) -> dict[str, int]:
    """Count the units of each mode."""
    modes, counts = np.unique(codes[codes > 0], return_counts=True)
    return {decode_mode(code): n for code, n in zip(modes.tolist(), counts.tolist(), strict=True)}


def _compute_ratios(by_sequence: MetricSums) -> dict[str, float]:
    """Compute every metric that has a better direction, over all sequences."""
    return {name: sums.ratio for name, sums in by_sequence.items() if METRICS[name].better}


def _compute_gain(metric: str, before: float, after: float) -> float | None:
    if np.isnan(before) or np.isnan(after):
        return None
    return before - after if METRICS[metric].better == "lower" else after - before


def _count_confusions(units: Units) -> list[Confusion]:
    names = {
        (sequence, units.labels[position].object_id): units.labels[position].name
        for sequence, position in zip(units.sequence.tolist(), units.object.tolist(), strict=True)
    }
    counts: Counter[tuple[str, str, str]] = Counter()
    for unit in np.flatnonzero(units.confused_with).tolist():
        other_id, label = int(units.confused_with[unit]), units.labels[units.object[unit]]
        other_name = names.get((int(units.sequence[unit]), other_id)) or str(other_id)
        mode = decode_mode(int(units.mode[unit]))
        counts[label.name or str(label.object_id), other_name, mode] += 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(*key, count) for key, count in ranked[:_MAX_ROWS]]


def _compute_loss(units: Units, protocol: Protocol, metric: str) -> NDArray[np.float64]:
    """Compute how far each unit, (N,), is below 1 in gIoU or J&F."""
    if metric == "jf":
        values = (units.region + units.values["f"]) / 2
        return np.where(find_averaged(units, protocol), 1 - values, 0)
    return 1 - (generalised_iou(units) if protocol.metric_set == "actionvos" else units.region)


def _rank_sequences(units: Units, sums: Sums, loss: NDArray[np.float64]) -> list[WorstSequence]:
    """Rank sequences by their loss.

    Parameters
    ----------
    units : Units
    sums : Sums
        The metric of each sequence.
    loss : (N,) float64
        See `_compute_loss`.
    """
    assert sums.denominator is not None, "the metric is a ratio"
    lost = sums.denominator - sums.numerator
    folders = [result.sequence.folder for result in units.results]
    order = sorted(
        np.flatnonzero(lost > _ROUNDING).tolist(),
        key=lambda position: (-lost[position], folders[position]),
    )
    worst = []
    for position in order[:_MAX_ROWS]:
        members = units.sequence == position
        modes = np.bincount(units.mode[members], loss[members], len(FAILURE_MODES) + 1)
        worst.append(
            WorstSequence(
                sequence=folders[position],
                value=float(sums.values[position]),
                lost=float(lost[position] / lost.sum()),
                failures=int(np.count_nonzero(units.mode[members])),
                units=int(members.sum()),
                mode=decode_mode(int(modes[1:].argmax()) + 1),
            )
        )
    return worst
