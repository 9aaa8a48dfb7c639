"""The tables of a report: for the terminal and for files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.measures.failure_modes import FAILURE_MODES
from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.metrics.failure_table import FailureTable, ModeRow
from actiseg_eval.reporting.score_report import LONG_DIVISIONS, Report, Stratum
from actiseg_eval.resampling.intervals import Intervals

PROFILE_TITLE = "foreground and background: how many objects are predicted, and how well"

_FAILURES_NOTE = (
    "a unit has one mode. lost: the gain in the metric if all units with this mode were right; "
    "recoverable: the gain if only this error were fixed"
)

_MOST_GROUPS = 8
"""Divisions with more groups are not printed on a terminal."""

_MOST_COLUMNS = 7
"""Metrics in one table of a terminal. Wider tables would be folded."""


def name_split(split: str, *, rendered: bool) -> str:
    """Return the name of a split for the title of a table.

    >>> name_split("val_human", rendered=True)
    'val_human (rendered frames)'
    """
    return f"{split} (rendered frames)" if rendered else split


def describe_report(report: Report) -> Iterator[ReportPart]:
    """Yield the tables and lines of a report in the order of the terminal.

    A division gets a table if it has 2 to 8 groups. Lines name the others, the counts, and what was
    left out.
    """
    yield from report.notices
    split = name_split(report.split, rendered=report.rendered)
    title = f"{split}, protocol {report.protocol.name} {report.protocol.version}"
    yield from _tabulate(title, "", report.overall, report.main_metrics)
    yield report.reference_note
    if report.resampled_intervals is not None:
        yield _describe_intervals(report.resampled_intervals)
        yield from _list_unreached(report.resampled_intervals, report.main_metrics)
    counts = [name for name in METRICS if METRICS[name].count and name in report.metrics]
    yield ", ".join(f"{METRICS[name].symbol} {report.metrics[name]}" for name in counts)
    long = []
    for division, strata in report.strata.items():
        if len(strata) > _MOST_GROUPS or division in LONG_DIVISIONS:
            long.append(division)
        elif len(strata) > 1:
            kept = (
                name
                for name in report.main_metrics
                if any(name in stratum.metrics for stratum in strata)
            )
            yield from _tabulate(f"by {division}", division, strata, (*kept, "n_units"))
    if report.failures is not None:
        if report.profile:
            rows = [*report.overall, *report.strata["size"]]
            yield from _tabulate(PROFILE_TITLE, "", rows, report.profile)
        yield from tabulate_failures(report.failures)
        yield _FAILURES_NOTE
    yield "fractions; ↑ higher is better, ↓ lower is better, - undefined"
    if long:
        yield f"by {', '.join(long)}: see `json` or `csv`"
    handled = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in report.handled.items())
    if handled:
        yield f"handled: {handled}"
    for what, why in report.left_out.items():
        yield f"left out: {what}: {why}"


def tabulate_failures(failures: FailureTable) -> Iterator[Table]:
    """Yield the tables of failure modes, of confused objects, and of the worst sequences."""
    columns = ["mode", "units"]
    for name in failures.shown:
        columns += [f"{METRICS[name].symbol} lost", "recoverable"]
    rows = [_make_mode_row(failures, row) for row in (*failures.rows, failures.together)]
    yield Table(f"failures of {count_nouns(failures.units, 'unit')}", columns, rows)
    if failures.confusions:
        yield Table(
            "masks that cover another object",
            ["mask of", "covers", "mode", "units"],
            [
                [row.name, row.confused_with, FAILURE_MODES[row.mode].symbol, str(row.count)]
                for row in failures.confusions
            ],
        )
    if failures.worst:
        yield Table(
            "sequences that lose most",
            ["sequence", METRICS[failures.metric].symbol, "of all loss", "failures", "mostly"],
            [
                [
                    row.sequence,
                    format_value(row.value),
                    f"{100 * row.lost:.1f} %",
                    f"{row.failures} of {row.units}",
                    FAILURE_MODES[row.mode].symbol,
                ]
                for row in failures.worst
            ],
        )


def _make_mode_row(failures: FailureTable, row: ModeRow) -> list[str]:
    symbol = "all at once" if row is failures.together else FAILURE_MODES[row.mode].symbol
    gains = [kind[name] for name in failures.shown for kind in (row.lost, row.recoverable)]
    return [symbol, str(row.count), *map(format_value, gains)]


def _describe_intervals(intervals: Intervals) -> str:
    """Return a line that says how the intervals were made."""
    symbol = METRICS[intervals.metric].symbol
    text = (
        f"intervals: {intervals.clusters} {intervals.cluster}s resampled "
        f"{intervals.bootstrap.resamples:,} times"
    )
    text += intervals.bootstrap.explain_cluster(intervals.cluster)
    width = intervals.sequence_width.get(intervals.metric)
    if intervals.cluster != "sequence" and width is not None:
        text += f"; resampled sequences would give {width:.2f} times the width for {symbol}"
    if intervals.correlation is not None:
        text += (
            f"; correlation of {symbol} between sequences of a {intervals.bootstrap.cluster} "
            f"{intervals.correlation:.2f}"
        )
    return text


def _list_unreached(intervals: Intervals, metrics: Collection[str]) -> Iterator[str]:
    """Yield a line about the ends of intervals that no resample reaches."""
    named = [
        f"{METRICS[metric].symbol} ({', '.join(ends)})"
        for metric, ends in intervals.unreached.items()
        if metric in metrics
    ]
    if named:
        yield (
            f"ends that no resample reaches: {', '.join(named)}; that far it could be because of "
            f"{intervals.cluster}s unlike those seen"
        )


def _tabulate(
    title: str, division: str, strata: Sequence[Stratum], names: tuple[str, ...]
) -> Iterator[Table]:
    """Yield tables of at most `_MOST_COLUMNS` metrics each, the title on the first."""
    for start in range(0, len(names), _MOST_COLUMNS):
        part = names[start : start + _MOST_COLUMNS]
        yield _make_table("" if start else title, division, strata, part)


def _make_table(
    title: str, division: str, strata: Sequence[Stratum], names: Sequence[str]
) -> Table:
    rows = [
        [stratum.name, *(format_value(stratum.metrics.get(name)) for name in names)]
        for stratum in strata
    ]
    return Table(title, [division, *map(format_heading, names)], rows)


def make_score_page(report: Report) -> ReportPage:
    """Make the page of a report, without the tables of `LONG_DIVISIONS`.

    Its rows are those of `Report.list_rows`. Undefined metrics are empty cells.
    """
    split = name_split(report.split, rendered=report.rendered)
    names = (*report.main_metrics, "n_units")
    parts: list[ReportPart] = [_make_table("", "", report.overall, names), report.reference_note]
    parts += [
        _make_table(f"By {division}", division, strata, names)
        for division, strata in report.strata.items()
        if division not in LONG_DIVISIONS
    ]
    if report.failures is not None:
        if report.profile:
            profile = (*report.profile, "n_units")
            parts.append(_make_table(PROFILE_TITLE, "", report.overall, profile))
        parts += [
            replace(table, title=table.title.capitalize())
            for table in tabulate_failures(report.failures)
        ]
    rows = [[format_cell(value) for value in row.values()] for row in report.list_rows()]
    return ReportPage(
        title=f"{split}, protocol `{report.protocol.name}` {report.protocol.version}",
        introduction=(
            f"Predictions `{report.predictions}`, truth `{report.truth}`, {report.toolkit}."
        ),
        notices=report.notices,
        parts=parts,
        notes=(),
        rows=Table("", ["by", "name", *report.metrics, "rendered_frames"], rows),
    )
