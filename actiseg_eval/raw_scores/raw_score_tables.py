"""The tables of the figures of raw scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.comparison.comparison_tables import explain_ends, format_interval
from actiseg_eval.metrics.definitions import format_value
from actiseg_eval.raw_scores.raw_score_result import (
    FIGURES,
    FigureValue,
    MethodFigures,
    RawScoreReport,
)
from actiseg_eval.reporting.score_tables import name_split

_NOTE = (
    "AUROC, AP: of the activity of objects. gate off: the masks of the activity threshold 0. "
    "hand-free: without hands. kept: (value - frozen) / (clean - frozen), - if clean labels do not "
    "gain over the frozen start beyond chance. ↑ higher is better, ↓ lower is better, - undefined"
)

_MOST_COLUMNS = 4
"""Figures in one table of all methods. Wider tables would be folded."""


def describe_raw_scores(report: RawScoreReport) -> Iterator[ReportPart]:
    """Yield the tables and lines of a report in the order of the terminal."""
    yield from report.notices
    yield from _tabulate(report)
    yield from _describe(report)
    yield _NOTE


def make_raw_score_page(report: RawScoreReport) -> ReportPage:
    """Make the page of a report. Its rows are one for each figure of each method."""
    columns = ["figure", "method", "value", "low", "high", "kept", "kept_low", "kept_high"]
    columns += ["over", "kept_over", "unreached", "kept_unreached"]
    rows = [
        [figure, method.name, *_list_cells(method.figures[figure])]
        for figure in report.figures
        for method in report.methods
    ]
    return ReportPage(
        title=f"{name_split(report.split, rendered=report.rendered)}, raw scores",
        introduction="; ".join(
            f"{method.name}: {', '.join(f'`{folder}`' for folder in method.folders)}"
            for method in report.methods
        ),
        notices=report.notices,
        parts=[*_tabulate(report), *_describe(report)],
        notes=(_NOTE,),
        rows=Table("", columns, rows),
    )


def _list_cells(value: FigureValue) -> list[str]:
    low, high = value.interval or (None, None)
    kept_low, kept_high = value.kept_interval or (None, None)
    cells = (value.value, low, high, value.kept, kept_low, kept_high)
    sources = [value.over or "", value.kept_over or ""]
    unreached = [" ".join(value.unreached), " ".join(value.kept_unreached)]
    return [*(format_cell(cell) for cell in cells), *sources, *unreached]


def _tabulate(report: RawScoreReport) -> Iterator[Table]:
    split = name_split(report.split, rendered=report.rendered)
    has_kept = any(value.kept is not None for value in report.methods[0].figures.values())
    title = f"{split}: {report.active} of {report.objects} objects are active"
    for start in range(0, len(report.figures), _MOST_COLUMNS):
        names = report.figures[start : start + _MOST_COLUMNS]
        overview = [
            [method.name, *(format_value(method.figures[name].value) for name in names)]
            for method in report.methods
        ]
        columns = ["method", *(FIGURES[name].heading for name in names)]
        yield Table("" if start else title, columns, overview)
    if report.bootstrap is None and not has_kept:
        return
    for figure in report.figures:
        level = "" if report.bootstrap is None else report.bootstrap.percent
        columns = ["method", FIGURES[figure].heading]
        columns += [level] if level else []
        if has_kept:
            columns += ["kept", *([level] if level else [])]
        has_seeds = any(len(method.folders) > 1 for method in report.methods)
        columns += ["seeds", "over"] * has_seeds
        rows = []
        for method in report.methods:
            value = method.figures[figure]
            row = [method.name, format_value(value.value)]
            if level:
                row.append(_format_interval(value.interval, ".4f", value.unreached))
            if has_kept:
                row.append("-" if value.kept is None else f"{value.kept:.3f}")
                if level:
                    row.append(_format_interval(value.kept_interval, ".3f", value.kept_unreached))
            row += [", ".join(map(format_value, value.seeds)), _name_over(value)] * has_seeds
            rows.append(row)
        yield Table(FIGURES[figure].about, columns, rows)


def _name_over(value: FigureValue) -> str:
    """Name what the intervals of a figure cover, and that of the share if it is another.

    >>> _name_over(FigureValue(0.5, (0.4, 0.6), 0.1, (0, 0.2), (), "videos", "videos and seeds"))
    'videos; kept: videos and seeds'
    """
    if value.kept_over in (None, value.over) or value.over is None:
        return value.over or "-"
    return f"{value.over}; kept: {value.kept_over}"


def _format_interval(
    interval: tuple[float, float] | None, form: str, unreached: Sequence[str]
) -> str:
    return "-" if interval is None else format_interval(interval, form, unreached)


def _describe(report: RawScoreReport) -> Iterator[str]:
    if report.n_rate is not None:
        gates = "; ".join(map(_describe_gates, report.methods))
        yield f"gates with an n-rate of at most {report.n_rate:g} on the tuning split: {gates}"
    if report.bootstrap is not None:
        unit, why = report.cluster, report.bootstrap.explain_cluster(report.cluster)
        yield (
            f"intervals over {unit}s alone: {report.clusters} {unit}s resampled "
            f"{report.bootstrap.resamples:,} times{why}; they do not cover another seed"
        )
        values = [value for method in report.methods for value in method.figures.values()]
        unreached = any(value.unreached or value.kept_unreached for value in values)
        yield from explain_ends(unreached=unreached, widened=False)
        if any(len(method.folders) > 1 for method in report.methods):
            yield (
                f"intervals over {unit}s and seeds: Student's t, as in compare; those of "
                "kept by Fieller's theorem"
            )
        unsure = [
            f"{FIGURES[name].symbol} of {method.name}"
            for name in report.figures
            for method in report.methods
            if method.figures[name].kept is not None and method.figures[name].kept_interval is None
        ]
        if unsure:
            yield (
                "no interval of kept, as the gain of clean labels is too uncertain for one: "
                f"{', '.join(unsure)}"
            )
    if report.no_gain:
        gains = (f"{FIGURES[name].symbol} {gain:+.4f}" for name, gain in report.no_gain.items())
        yield (
            "clean labels do not gain over the frozen start beyond chance, so nothing can be kept: "
            f"{', '.join(gains)}"
        )
    for what, why in report.left_out.items():
        yield f"left out: {what}: {why}"


def _describe_gates(method: MethodFigures) -> str:
    gates = ", ".join(f"{gate.gate:.4f} (n-rate {gate.n_rate:.4f})" for gate in method.gates)
    return f"{method.name} {gates}"
