"""Build the report from the results of all sequences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from actiseg_data import __version__
from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.names import escape_unprintable
from actiseg_data.records.ledger_record import LedgerRow
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_eval.measures.results import SequenceResult, sum_tallies
from actiseg_eval.metrics.computing import (
    compute_groups,
    compute_metrics,
    gather_scored_units,
    make_metric_values,
    summarise_units,
)
from actiseg_eval.metrics.failure_table import make_failure_table
from actiseg_eval.metrics.strata import Division, count_unmatched_rows, divide_units
from actiseg_eval.metrics.sums import UnitGroups
from actiseg_eval.metrics.units import Units
from actiseg_eval.predictions.ground_truth import NOVEL, GroundTruth, find_novel_sequences
from actiseg_eval.protocols import FAILURE_GROUP, Protocol
from actiseg_eval.reporting.coverage import make_coverage
from actiseg_eval.reporting.score_report import LONG_DIVISIONS, Report, Stratum
from actiseg_eval.reporting.trivial_masks import make_references
from actiseg_eval.resampling.bootstrap import MIN_CLUSTERS, Bootstrap
from actiseg_eval.resampling.intervals import Intervals, make_intervals


@dataclass(frozen=True)
class ScoredPredictions:
    """The results of all sequences, and what they are results of.

    Attributes
    ----------
    truth : GroundTruth
        The ground truth.
    name : str
        The name of the predictions in the report.
    results : list of SequenceResult
        The results of all sequences.
    protocol : Protocol
        The protocol that they were measured under.
    metric_groups : tuple of str
        The metric groups that were measured.
    handled : Counter
        Counts of special cases outside of the results.
    """

    truth: GroundTruth
    name: str
    results: list[SequenceResult]
    protocol: Protocol
    metric_groups: tuple[str, ...]
    handled: Counter[str] = field(default_factory=Counter)


def make_report(
    scored: ScoredPredictions,
    ledger: Iterable[LedgerRow] | None = None,
    bootstrap: Bootstrap | None = None,
) -> Report:
    """Build the report of some results.

    Parameters
    ----------
    scored : ScoredPredictions
        The results.
    ledger : iterable of LedgerRow, optional
        The ledger of a noisy split, to divide units by their noise.
    bootstrap : Bootstrap, optional
        How to make confidence intervals. None for no intervals.
    """
    truth, results = scored.truth, scored.results
    protocol, metric_groups = scored.protocol, scored.metric_groups
    units, known = gather_scored_units(results, protocol)
    tally = sum_tallies(results, scored.handled)
    novel = find_novel_sequences(truth)
    left_out = {}
    if novel is None and truth.has_action_lists:
        left_out["strata by action"] = f"the dataset has no list {NOVEL} of novel actions"
    intervals = None
    if bootstrap is not None and results:
        intervals = _resample(scored, units, bootstrap)
        if intervals is None:
            left_out["intervals"] = f"there are fewer than {MIN_CLUSTERS} sequences to resample"
    rows = None if ledger is None else list(ledger)
    divided = divide_units(known, load_lexicon(), novel, rows)
    if rows is not None:
        tally["ledger_rows_not_scored"] = count_unmatched_rows(known, rows)
    failures = None
    if FAILURE_GROUP in metric_groups:
        short = {name: part for name, part in divided.items() if name not in LONG_DIVISIONS}
        failures = make_failure_table(units, known, short, protocol, metric_groups)
    return Report(
        protocol=protocol,
        metric_groups=metric_groups,
        truth=str(truth.root),
        split=truth.name,
        predictions=escape_unprintable(scored.name),
        rendered=has_rendered_frames(truth.root),
        coverage=make_coverage(results, protocol, tally),
        metrics=summarise_units(units, protocol, metric_groups),
        references=make_references(results, protocol, metric_groups),
        resampled_intervals=intervals,
        strata=_make_strata(units, divided, protocol, metric_groups),
        failures=failures,
        handled={name: count for name, count in sorted(tally.items()) if count},
        left_out=left_out,
        toolkit=f"actiseg {__version__}",
    )


def _resample(scored: ScoredPredictions, units: Units, bootstrap: Bootstrap) -> Intervals | None:
    """Return the intervals of all metrics, None if there are too few sequences."""
    by_sequence = UnitGroups(units.sequence, len(scored.results))
    sums = compute_metrics(units, by_sequence, scored.protocol, scored.metric_groups)
    sequences = [result.sequence for result in scored.results]
    return make_intervals(sequences, sums, bootstrap, "giou" if "giou" in sums else "j")


def _make_strata(
    units: Units,
    divided: Mapping[str, Division],
    protocol: Protocol,
    metric_groups: tuple[str, ...],
) -> dict[str, list[Stratum]]:
    """Return the metrics of every group that has a unit, by division."""
    strata: dict[str, list[Stratum]] = {}
    for division, (groups, names) in divided.items():
        sums = compute_groups(units, UnitGroups(groups, len(names)), protocol, metric_groups)
        columns = {key: ratios.values.tolist() for key, ratios in sums.items()}
        strata[division] = [
            Stratum(name, make_metric_values({key: values[row] for key, values in columns.items()}))
            for row, name in enumerate(names)
            if columns["n_units"][row]
        ]
    return strata
