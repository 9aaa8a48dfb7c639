"""From the results of all sequences to the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from actiseg_data import __version__
from actiseg_data.lexicon import load_lexicon
from actiseg_data.records import LedgerRow, has_rendered_frames
from actiseg_data.untrusted import printable
from actiseg_eval.bootstrap import FEWEST, Bootstrap, make_intervals
from actiseg_eval.meter import SequenceResult
from actiseg_eval.metrics import (
    METRICS,
    Figures,
    actionvos_figures,
    course_figures,
    gres_figures,
    object_figures,
    size_figures,
)
from actiseg_eval.protocols import Protocol
from actiseg_eval.report import Report, Stratum
from actiseg_eval.strata import divisions
from actiseg_eval.truth import NOVEL, Truth, novel_sequences
from actiseg_eval.units import Units, gather_units


def make_report(
    truth: Truth,
    predictions: str,
    results: list[SequenceResult],
    protocol: Protocol,
    measures: tuple[str, ...],
    handled: Counter[str] | None = None,
    ledger: Iterable[LedgerRow] | None = None,
    bootstrap: Bootstrap | None = None,
) -> Report:
    """The report of some results.

    predictions: what to call them. handled: counts of what was odd outside of the results. ledger,
    bootstrap: see `actiseg_eval.scoring.score`.
    """
    units, known = _units(results, protocol)
    tally = sum((result.tally for result in results), Counter(handled))
    novel = novel_sequences(truth)
    left_out = {}
    if novel is None:
        left_out["strata by action"] = f"the dataset has no list {NOVEL}, which tells novel actions"
    together = np.zeros(len(units), np.int64)
    whole = all_figures(units, together, 1, protocol, measures)
    figures = {name: float(sums.values[0]) for name, sums in whole.items()}
    intervals = None
    if bootstrap is not None and results:
        each = all_figures(units, units.sequence, len(results), protocol, measures)
        sequences = [result.sequence for result in results]
        figure = "giou" if "giou" in each else "j"
        intervals = make_intervals(sequences, each, bootstrap, figure)
        if intervals is None:
            left_out["intervals"] = f"there are fewer than {FEWEST} sequences to resample"
    strata: dict[str, list[Stratum]] = {}
    for by, (groups, names) in divisions(known, load_lexicon(), novel, ledger).items():
        of = _figures(units, groups, len(names), protocol, measures)
        columns = {key: sums.values.tolist() for key, sums in of.items()}
        strata[by] = [
            Stratum(name, _plain({key: values[at] for key, values in columns.items()}))
            for at, name in enumerate(names)
            if columns["n_units"][at]
        ]
    return Report(
        protocol=protocol,
        measures=measures,
        truth=str(truth.root),
        split=truth.name,
        predictions=printable(predictions),
        rendered=has_rendered_frames(truth.root),
        figures=_plain(figures),
        intervals=intervals,
        strata=strata,
        handled={name: count for name, count in sorted(tally.items()) if count},
        left_out=left_out,
        toolkit=f"actiseg {__version__}",
    )


def figures_by_sequence(
    results: list[SequenceResult], protocol: Protocol, measures: tuple[str, ...]
) -> Figures:
    """Every figure of each sequence, as sums that can be added up."""
    units, _ = _units(results, protocol)
    return all_figures(units, units.sequence, len(results), protocol, measures)


def _units(results: list[SequenceResult], protocol: Protocol) -> tuple[Units, Units]:
    """The units that are scored, as the protocol takes their truth, and as they are."""
    known = gather_units(results)
    if protocol.figures == "j-and-f":
        known = known.chosen(known.counted)
    if protocol.inactive == "without a target":
        return known.without_inactive_truth(), known
    return known, known


def _figures(
    units: Units,
    groups: NDArray[np.int64],
    count: int,
    protocol: Protocol,
    measures: tuple[str, ...],
) -> Figures:
    figures: Figures = {}
    if "core" in measures and protocol.figures == "actionvos":
        figures |= actionvos_figures(units, groups, count)
    elif "core" in measures and protocol.figures == "gres":
        figures |= gres_figures(units, groups, count)
    if protocol.figures == "j-and-f" or measures != ("core",):
        which = _averaged(units, protocol)
        figures |= object_figures(units.chosen(which), groups[which], count)
    return figures | size_figures(units, groups, count)


def all_figures(
    units: Units,
    groups: NDArray[np.int64],
    count: int,
    protocol: Protocol,
    measures: tuple[str, ...],
) -> Figures:
    """Every figure of groups that hold whole objects: recall and decay, too."""
    figures = _figures(units, groups, count, protocol, measures)
    if protocol.figures == "j-and-f" or "jf" in measures:
        which = _averaged(units, protocol)
        figures |= course_figures(units.chosen(which), groups[which], count)
    return figures


def _averaged(units: Units, protocol: Protocol) -> NDArray[np.bool_]:
    """Which units J and F are over."""
    return units.counted & units.active if protocol.averaged == "active" else units.counted


def _plain(figures: Mapping[str, float]) -> dict[str, float | int | None]:
    """Figures as JSON has them, in their order; None for NaN."""
    return {
        name: None if value != value else value if METRICS[name].better else int(value)
        for name in METRICS
        if (value := figures.get(name)) is not None
    }
