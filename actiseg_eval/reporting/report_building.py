"""From the results of all sequences to the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from actiseg_data import __version__
from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.validation import escape_unprintable
from actiseg_data.records.split_records import LedgerRow, has_rendered_frames
from actiseg_eval.measures.results import SequenceResult, sum_tallies
from actiseg_eval.metrics.computing import (
    compute_groups,
    compute_metrics,
    compute_overall,
    gather_scored_units,
    make_metric_values,
)
from actiseg_eval.metrics.failure_table import make_failure_table
from actiseg_eval.metrics.strata import count_unmatched_rows, divide_units
from actiseg_eval.predictions.ground_truth import NOVEL, GroundTruth, find_novel_sequences
from actiseg_eval.protocols import Protocol
from actiseg_eval.reporting.coverage import make_coverage
from actiseg_eval.reporting.score_report import LONG, Report, Stratum
from actiseg_eval.reporting.trivial_masks import make_references
from actiseg_eval.resampling.bootstrap import MIN_CLUSTERS, Bootstrap
from actiseg_eval.resampling.intervals import make_intervals


def make_report(
    truth: GroundTruth,
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
    bootstrap: see `actiseg_eval.scoring.folder_scoring.score`.
    """
    units, known = gather_scored_units(results, protocol)
    tally = sum_tallies(results, handled or {})
    novel = find_novel_sequences(truth)
    left_out = {}
    if novel is None:
        left_out["strata by action"] = f"the dataset has no list {NOVEL}, which tells novel actions"
    intervals = None
    if bootstrap is not None and results:
        each = compute_metrics(units, units.sequence, len(results), protocol, measures)
        sequences = [result.sequence for result in results]
        figure = "giou" if "giou" in each else "j"
        intervals = make_intervals(sequences, each, bootstrap, figure)
        if intervals is None:
            left_out["intervals"] = f"there are fewer than {MIN_CLUSTERS} sequences to resample"
    strata: dict[str, list[Stratum]] = {}
    rows = None if ledger is None else list(ledger)
    divided = divide_units(known, load_lexicon(), novel, rows)
    if rows is not None:
        tally["ledger_rows_not_scored"] = count_unmatched_rows(known, rows)
    for by, (groups, names) in divided.items():
        of = compute_groups(units, groups, len(names), protocol, measures)
        columns = {key: sums.values.tolist() for key, sums in of.items()}
        strata[by] = [
            Stratum(name, make_metric_values({key: values[at] for key, values in columns.items()}))
            for at, name in enumerate(names)
            if columns["n_units"][at]
        ]
    failures = None
    if "failures" in measures:
        short = {by: of for by, of in divided.items() if by not in LONG}
        failures = make_failure_table(results, short, protocol, measures)
    return Report(
        protocol=protocol,
        measures=measures,
        truth=str(truth.root),
        split=truth.name,
        predictions=escape_unprintable(predictions),
        rendered=has_rendered_frames(truth.root),
        coverage=make_coverage(results, protocol, tally),
        figures=compute_overall(results, protocol, measures),
        references=make_references(results, protocol, measures),
        intervals=intervals,
        strata=strata,
        failures=failures,
        handled={name: count for name, count in sorted(tally.items()) if count},
        left_out=left_out,
        toolkit=f"actiseg {__version__}",
    )
