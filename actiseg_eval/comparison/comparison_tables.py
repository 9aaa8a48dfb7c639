"""The tables of a comparison."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.comparison.comparison_result import Comparison
from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.reporting.score_tables import name_split

_NOTE = (
    "gain: how much better the first method is, for every metric above 0 if it is better, with its "
    "interval; share better: of resamples; p: of no difference (methods swapped at random); Holm: "
    "over all pairs. rank: 1 plus the number of significantly better methods, after Holm"
)


def describe_comparison(
    comparison: Comparison, metrics: Sequence[str] = ()
) -> Iterator[ReportPart]:
    """Yield the tables and lines of some metrics, by default of all."""
    yield from comparison.notices
    left_out = {
        metric: f"left out: {METRICS[metric].symbol}: {why}"
        for metric, why in comparison.left_out.items()
    }
    yield from (line for metric, line in left_out.items() if metric in metrics)
    yield from _tabulate_metrics(comparison, metrics)
    yield _NOTE
    yield _describe_resampling(comparison)
    yield from (line for metric, line in left_out.items() if metric not in metrics)


def make_comparison_page(comparison: Comparison, metrics: Sequence[str] = ()) -> ReportPage:
    """Make the page of some metrics, by default of all. Its rows have all metrics."""
    split = name_split(comparison.split, rendered=comparison.rendered)
    left_out = (
        f"left out: {METRICS[metric].symbol}: {why}" for metric, why in comparison.left_out.items()
    )
    folders = (f"{name} `{'`, `'.join(runs)}`" for name, runs in comparison.folders.items())
    return ReportPage(
        title=f"Comparison on {split}, protocol `{comparison.protocol.name}`",
        introduction=f"Methods: {'; '.join(folders)}.",
        notices=comparison.notices,
        parts=list(_tabulate_metrics(comparison, metrics)),
        notes=[_NOTE, _describe_resampling(comparison), *left_out],
        rows=Table("", _ROW_COLUMNS, list(_list_rows(comparison))),
    )


_ROW_COLUMNS = ("metric", "method", "against", "value", "from", "to", "rank", "p", "holm", "over")


def _list_rows(comparison: Comparison) -> Iterator[list[str]]:
    """Yield a row for the score of each method, and for the gain of each pair of methods."""
    for metric in comparison.standings:
        for standing in comparison.standings[metric]:
            interval = standing.interval or (None, None)
            numbers = map(format_cell, (standing.value, *interval, standing.rank))
            yield [metric, standing.name, "", *numbers, "", "", ""]
        for pair in comparison.differences[metric]:
            numbers = map(format_cell, (pair.gain, *pair.interval, None, pair.p, pair.adjusted))
            yield [metric, pair.first, pair.second, *numbers, pair.source]


def _describe_resampling(comparison: Comparison) -> str:
    few = comparison.bootstrap.explain_cluster(comparison.cluster)
    return f"resampled: {comparison.clusters} {comparison.cluster}s{few}"


def _tabulate_metrics(comparison: Comparison, metrics: Sequence[str]) -> Iterator[Table]:
    for metric in comparison.standings:
        if not metrics or metric in metrics:
            yield _tabulate_standings(comparison, metric)
            yield _tabulate_differences(comparison, metric)


def _tabulate_standings(comparison: Comparison, metric: str) -> Table:
    split = name_split(comparison.split, rendered=comparison.rendered)
    rows = []
    for standing in comparison.standings[metric]:
        interval = "-" if standing.interval is None else format_interval(standing.interval, ".4f")
        seeds = ", ".join(map(format_value, standing.seeds)) if len(standing.seeds) > 1 else "-"
        value = format_value(standing.value)
        rows.append([standing.name, str(standing.rank), value, interval, seeds])
    return Table(
        f"{METRICS[metric].symbol}, {split}, {comparison.protocol.name}",
        [
            "method",
            "rank",
            format_heading(metric),
            f"{comparison.bootstrap.percent} over seeds",
            "seeds",
        ],
        rows,
    )


def _tabulate_differences(comparison: Comparison, metric: str) -> Table:
    rows = [
        [
            f"{pair.first} against {pair.second}",
            f"{pair.gain:+.4f}",
            format_interval(pair.interval, "+.4f"),
            f"{pair.share:.3f}",
            f"{pair.p:.4f}",
            f"{pair.adjusted:.4f}",
            pair.source,
        ]
        for pair in comparison.differences[metric]
    ]
    level = comparison.bootstrap.percent
    return Table(
        "", ["first against second", "gain", level, "share better", "p", "Holm", "over"], rows
    )


def format_interval(interval: tuple[float, float], form: str) -> str:
    """Format the ends of an interval.

    >>> format_interval((0.25, 0.5), ".3f")
    '0.250 to 0.500'
    """
    return f"{interval[0]:{form}} to {interval[1]:{form}}"
