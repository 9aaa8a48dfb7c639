"""The table of failures: how often each mode occurs, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.measures.failure_modes import MODES, code_of, mode_of
from actiseg_eval.measures.results import SequenceResult, mended
from actiseg_eval.metrics.computing import averaged, figures_by_sequence, scored_units
from actiseg_eval.metrics.definitions import METRICS, Figures, Sums, generalised_iou
from actiseg_eval.metrics.strata import Division
from actiseg_eval.metrics.units import Units
from actiseg_eval.protocols import Protocol
from actiseg_eval.resampling.ratios import ratio_of

_MOST = 10
"""Masks on other objects and sequences that are named."""

Gains = Mapping[str, "float | None"]
"""How much better each figure would be, in its own direction; None where it is undefined."""


@dataclass(frozen=True)
class ModeRow:
    """A mode. count: units that have it. lost: what figures would gain were all of these units
    right. costs: what they would gain were this mode alone mended.
    """

    mode: str
    count: int
    lost: Gains
    costs: Gains


@dataclass(frozen=True)
class Misplaced:
    """How often the mask of one object lies on another, by name, and in which mode that is."""

    name: str
    lies_on: str
    mode: str
    count: int


@dataclass(frozen=True)
class WorstSequence:
    """A sequence where much is lost.

    value: its own figure. lost: its share of all that is missing to 1. failures: units that have a
    mode, of `units`. mode: the one that loses most.
    """

    sequence: str
    value: float
    lost: float
    failures: int
    units: int
    mode: str


@dataclass(frozen=True)
class FailureTable:
    """What went wrong in a scoring.

    units: how many were judged. figure: the one that sequences are ranked by. rows: by mode.
    together: of all modes at once. misplaced, worst: the foremost ones. by: units of each mode, by
    division, group and mode.
    """

    units: int
    figure: str
    rows: Sequence[ModeRow]
    together: ModeRow
    misplaced: Sequence[Misplaced]
    worst: Sequence[WorstSequence]
    by: Mapping[str, Mapping[str, Mapping[str, int]]]

    @property
    def shown(self) -> tuple[str, ...]:
        """The figures whose losses tables show."""
        return tuple(name for name in ("giou", "jf") if name in self.together.lost)

    def tables(self) -> dict[str, list[list[str]]]:
        """What people read, as rows of text by title, the first row of each its heads."""
        heads = ["mode", "units"]
        for name in self.shown:
            heads += [f"{METRICS[name].symbol} lost", "mended"]
        rows = [self._cells(MODES[row.mode].symbol, row) for row in self.rows]
        found = {
            f"what went wrong in {self.units} units": [
                heads,
                *rows,
                self._cells("all at once", self.together),
            ]
        }
        if self.misplaced:
            found["masks that lie on another object"] = [
                ["mask of", "lies on", "mode", "units"],
                *(
                    [each.name, each.lies_on, MODES[each.mode].symbol, str(each.count)]
                    for each in self.misplaced
                ),
            ]
        if self.worst:
            found["sequences that lose most"] = [
                ["sequence", METRICS[self.figure].symbol, "of all loss", "failures", "mostly"],
                *(
                    [
                        each.sequence,
                        f"{each.value:.4f}",
                        f"{100 * each.lost:.1f} %",
                        f"{each.failures} of {each.units}",
                        MODES[each.mode].symbol,
                    ]
                    for each in self.worst
                ),
            ]
        return found

    def _cells(self, symbol: str, row: ModeRow) -> list[str]:
        gains = [of[name] for name in self.shown for of in (row.lost, row.costs)]
        return [symbol, str(row.count), *("-" if of is None else f"{of:.4f}" for of in gains)]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "units": self.units,
            "figure": self.figure,
            "modes": {row.mode: _document(row) for row in self.rows},
            "together": _document(self.together),
            "misplaced": [dict(vars(each)) for each in self.misplaced],
            "worst": [dict(vars(each)) for each in self.worst],
            "by": {
                by: {name: dict(counts) for name, counts in groups.items()}
                for by, groups in self.by.items()
            },
        }


def _document(row: ModeRow) -> dict[str, Any]:
    return {"count": row.count, "lost": dict(row.lost), "costs": dict(row.costs)}


def make_failures(
    results: list[SequenceResult],
    divisions: Mapping[str, Division],
    protocol: Protocol,
    measures: tuple[str, ...],
) -> FailureTable:
    """The table of some results that were measured with ``failures``.

    divisions: of their units. A mode's cost is the gain of a figure where every unit of that mode,
    and no other, gets its repaired mask, each object on its own, as if masks could overlap; what is
    lost is the gain where they get the true mask, or none, as is right.
    """
    units, known = scored_units(results, protocol)
    by_sequence = figures_by_sequence(results, protocol, measures)
    before = _values(by_sequence)
    counts = np.bincount(known.mode, minlength=len(MODES) + 1)

    def gains(codes: set[int], *, wholly: bool) -> Gains:
        if not counts[sorted(codes)].any():
            return {name: None if np.isnan(value) else 0.0 for name, value in before.items()}
        after = [mended(of, protocol, codes, wholly=wholly) for of in results]
        values = _values(figures_by_sequence(after, protocol, measures))
        return {name: _gain(name, before[name], values[name]) for name in before}

    def row(mode: str, codes: set[int]) -> ModeRow:
        count = int(counts[sorted(codes)].sum())
        return ModeRow(mode, count, gains(codes, wholly=True), gains(codes, wholly=False))

    figure = "giou" if "giou" in before else "jf"
    return FailureTable(
        units=len(known),
        figure=figure,
        rows=[row(mode, {code_of(mode)}) for mode in MODES],
        together=row("all", set(map(code_of, MODES))),
        misplaced=_misplaced(known),
        worst=_worst(units, by_sequence[figure], _loss(units, protocol, figure)),
        by={
            by: {group: _counts(known.mode[groups == at]) for at, group in enumerate(names)}
            for by, (groups, names) in divisions.items()
        },
    )


def _counts(codes: NDArray[np.int64]) -> dict[str, int]:
    """How many units have each mode."""
    found, counts = np.unique(codes[codes > 0], return_counts=True)
    return {mode_of(code): n for code, n in zip(found.tolist(), counts.tolist(), strict=True)}


def _values(sums: Figures) -> dict[str, float]:
    """Every figure that has a direction, of all sequences. sums: of each."""
    return {name: ratio_of(of) for name, of in sums.items() if METRICS[name].better}


def _gain(figure: str, before: float, after: float) -> float | None:
    if np.isnan(before) or np.isnan(after):
        return None
    return before - after if METRICS[figure].better == "lower" else after - before


def _misplaced(units: Units) -> list[Misplaced]:
    names = {
        (sequence, units.labels[at].object_id): units.labels[at].name
        for sequence, at in zip(units.sequence.tolist(), units.object.tolist(), strict=True)
    }
    found: Counter[tuple[str, str, str]] = Counter()
    for at in np.flatnonzero(units.lies_on).tolist():
        other, own = int(units.lies_on[at]), units.labels[units.object[at]]
        name = names.get((int(units.sequence[at]), other)) or str(other)
        found[own.name or str(own.object_id), name, mode_of(int(units.mode[at]))] += 1
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return [Misplaced(*names, count) for names, count in ranked[:_MOST]]


def _loss(units: Units, protocol: Protocol, figure: str) -> NDArray[np.float64]:
    """(N) what each unit lacks to 1 in gIoU or J&F."""
    if figure == "jf":
        values = (units.region + units.values["f"]) / 2
        return np.where(averaged(units, protocol), 1 - values, 0)
    return 1 - (generalised_iou(units) if protocol.figures == "actionvos" else units.region)


def _worst(units: Units, sums: Sums, loss: NDArray[np.float64]) -> list[WorstSequence]:
    """sums: of the figure, by sequence. loss: see `_loss`."""
    assert sums.below is not None, "ranked by a share"
    lost, folders = sums.below - sums.above, [of.sequence.folder for of in units.results]
    order = sorted(np.flatnonzero(lost > 1e-12).tolist(), key=lambda at: (-lost[at], folders[at]))
    found = []
    for at in order[:_MOST]:
        here = units.sequence == at
        modes = np.bincount(units.mode[here], loss[here], len(MODES) + 1)
        found.append(
            WorstSequence(
                sequence=folders[at],
                value=float(sums.values[at]),
                lost=float(lost[at] / lost.sum()),
                failures=int(np.count_nonzero(units.mode[here])),
                units=int(here.sum()),
                mode=mode_of(int(modes[1:].argmax()) + 1),
            )
        )
    return found
