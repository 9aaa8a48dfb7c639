"""The table of failures: how often each mode occurs, and what it costs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from typing import Any

import numpy as np

from actiseg_eval.figures import figures_by_sequence
from actiseg_eval.metrics import METRICS
from actiseg_eval.modes import MODES
from actiseg_eval.protocols import Protocol
from actiseg_eval.results import SequenceResult, mended
from actiseg_eval.strata import Division
from actiseg_eval.units import Units

_MOST = 10
"""Substitutions and sequences that are named."""


@dataclass(frozen=True)
class ModeRow:
    """A mode. count: units that have it. costs: by figure, how much better it would be, in its own
    direction, were this mode alone mended; None where it is undefined."""

    mode: str
    count: int
    costs: Mapping[str, float | None]


@dataclass(frozen=True)
class Substitution:
    """How often the mask of one object lies on another; both by name."""

    name: str
    lies_on: str
    count: int


@dataclass(frozen=True)
class WorstSequence:
    """A sequence where much goes wrong.

    value: its own figure. lost: its share of all that is missing to 1. failures: units that have a
    mode, of `units`. mode: the commonest.
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
    together: the costs of all modes at once. substitutions, worst: the foremost ones. by: units of
    each mode, by division, group and mode.
    """

    units: int
    figure: str
    rows: Listing[ModeRow]
    together: Mapping[str, float | None]
    substitutions: Listing[Substitution]
    worst: Listing[WorstSequence]
    by: Mapping[str, Mapping[str, Mapping[str, int]]]

    @property
    def shown(self) -> tuple[str, ...]:
        """The figures whose costs tables show."""
        return tuple(name for name in ("giou", "jf") if name in self.together)

    def tables(self) -> dict[str, list[list[str]]]:
        """What people read, as rows of text by title, the first row of each its heads."""
        heads = ["mode", "units", *(f"cost in {METRICS[name].symbol}" for name in self.shown)]
        rows = [
            [MODES[row.mode].symbol, str(row.count), *self._costs(row.costs)] for row in self.rows
        ]
        every = sum(row.count for row in self.rows)
        found = {
            f"what went wrong in {self.units} units, and what it costs": [
                heads,
                *rows,
                ["all at once", str(every), *self._costs(self.together)],
            ]
        }
        if self.substitutions:
            found["identity substitutions"] = [
                ["mask of", "lies on", "units"],
                *([each.name, each.lies_on, str(each.count)] for each in self.substitutions),
            ]
        if self.worst:
            found["worst sequences"] = [
                ["sequence", METRICS[self.figure].symbol, "of all loss", "failures", "mostly"],
                *(
                    [
                        each.sequence,
                        f"{each.value:.4f}",
                        f"{100 * each.lost:.1f} %",
                        f"{each.failures} of {each.units}",
                        MODES[each.mode].symbol if each.mode else "-",
                    ]
                    for each in self.worst
                ),
            ]
        return found

    def _costs(self, costs: Mapping[str, float | None]) -> list[str]:
        return ["-" if (cost := costs[name]) is None else f"{cost:.4f}" for name in self.shown]

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "units": self.units,
            "figure": self.figure,
            "modes": {
                row.mode: {"count": row.count, "costs": dict(row.costs)} for row in self.rows
            },
            "together": dict(self.together),
            "substitutions": [dict(vars(each)) for each in self.substitutions],
            "worst": [dict(vars(each)) for each in self.worst],
            "by": {
                by: {name: dict(of) for name, of in groups.items()}
                for by, groups in self.by.items()
            },
        }


def make_failures(
    results: list[SequenceResult],
    units: Units,
    divisions: Mapping[str, Division],
    protocol: Protocol,
    measures: tuple[str, ...],
) -> FailureTable:
    """The table of some results that were measured with ``failures``.

    units: of the results. divisions: of these units. A mode's cost is the gain of a figure where
    every unit of that mode, and no other, gets its repaired mask, each object on its own, as if
    masks could overlap.
    """
    before = _values(results, protocol, measures)

    def costs(modes: set[int]) -> dict[str, float | None]:
        after = _values([mended(of, protocol, modes) for of in results], protocol, measures)
        return {name: _gain(name, before[name], after[name]) for name in before}

    names, places = list(MODES), range(1, len(MODES) + 1)
    codes = units.mode
    counts = np.bincount(codes, minlength=len(MODES) + 1)
    figure = "giou" if "giou" in before else "jf"
    return FailureTable(
        units=len(units),
        figure=figure,
        rows=[ModeRow(names[at - 1], int(counts[at]), costs({at})) for at in places],
        together=costs(set(places)),
        substitutions=_substitutions(units),
        worst=_worst(results, units, protocol, measures, figure),
        by={
            by: {
                group: {
                    names[mode - 1]: int(n)
                    for mode, n in enumerate(np.bincount(codes[groups == at], minlength=9))
                    if mode and n
                }
                for at, group in enumerate(of)
            }
            for by, (groups, of) in divisions.items()
        },
    )


def _values(
    results: list[SequenceResult], protocol: Protocol, measures: tuple[str, ...]
) -> dict[str, float]:
    sums = figures_by_sequence(results, protocol, measures)
    return {
        name: float(of.above.sum() / of.below.sum()) if of.below.sum() > 0 else float("nan")
        for name, of in sums.items()
        if of.below is not None
    }


def _gain(figure: str, before: float, after: float) -> float | None:
    if np.isnan(before) or np.isnan(after):
        return None
    return before - after if METRICS[figure].better == "lower" else after - before


def _substitutions(units: Units) -> list[Substitution]:
    names = {
        (sequence, units.labels[at].object_id): units.labels[at].name
        for sequence, at in zip(units.sequence.tolist(), units.object.tolist(), strict=True)
    }
    pairs: Counter[tuple[str, str]] = Counter()
    for at in np.flatnonzero(units.lies_on).tolist():
        other = int(units.lies_on[at])
        own = units.labels[units.object[at]]
        pairs[
            own.name or str(own.object_id),
            names.get((int(units.sequence[at]), other)) or str(other),
        ] += 1
    ranked = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))
    return [Substitution(one, other, n) for (one, other), n in ranked[:_MOST]]


def _worst(
    results: list[SequenceResult],
    units: Units,
    protocol: Protocol,
    measures: tuple[str, ...],
    figure: str,
) -> list[WorstSequence]:
    """Sequences with the lowest figure; of equal ones those that lose more first."""
    sums = figures_by_sequence(results, protocol, measures)[figure]
    assert sums.below is not None, "ranked by a share"
    lost = sums.below - sums.above
    total = float(lost.sum())
    values = sums.values
    order = sorted(
        np.flatnonzero((sums.below > 0) & (lost > 1e-12)).tolist(),
        key=lambda at: (values[at], -lost[at], results[at].sequence.folder),
    )
    found = []
    for at in order[:_MOST]:
        codes = units.mode[units.sequence == at]
        counts = np.bincount(codes[codes > 0], minlength=len(MODES) + 1)
        found.append(
            WorstSequence(
                sequence=results[at].sequence.folder,
                value=float(values[at]),
                lost=float(lost[at]) / total,
                failures=int(counts.sum()),
                units=len(codes),
                mode=list(MODES)[int(counts.argmax()) - 1],
            )
        )
    return found
