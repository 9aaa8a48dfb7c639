"""The tables of the report of a benchmark."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.raw_scores.record_figures import RECORD_FIGURES
from reference_trainer.bench.bench_report import (
    LEAST_GAIN,
    MARGIN,
    ArmReport,
    BenchReport,
    CellReport,
    Estimate,
    Interval,
    MethodGain,
    MethodRow,
    PrimaryTest,
    ProfileReport,
)
from reference_trainer.bench.plan import CLEAN, FROZEN, PLAIN, Plan

_NOTES = (
    "frozen: the start without further training; clean: plain on clean labels. Intervals are 95 %, "
    "over videos and seeds",
    "kept: (value - frozen) / (clean - frozen), the share of what clean labels teach. Not for "
    "figures in which they gain less than 0.05",
    "gain: the difference to plain on the same noise, paired by seed and video; above 0 is better. "
    "Over tuned plain: the same against plain at its tuned value. None for rows that lack a seed",
    "figures at a tuned gate: the gate comes from noisy tuning labels; that of frozen and clean "
    "from clean ones",
    f"=: the difference is shown to be smaller than {MARGIN:g} (two one-sided tests)",
    "p values are of single tests and descriptive, but for those of the primary family (Holm)",
    "controls, in parentheses, have no part in tests",
)

_MOST_LACKING = 5
"""How many things that the primary family lacks are listed."""

_METER = {
    "noisy_pixels_as_labelled": "changed pixels as labelled",
    "noisy_pixels_as_true": "as true",
    "flipped_iou_noisy_prompt": "IoU under wrong names",
    "flipped_iou_clean_prompt": "under right names",
}


def describe_overview(report: BenchReport) -> Iterator[ReportPart]:
    """Yield the first lines and tables: what was run, and the shares of each method by cell."""
    yield (
        f"{report.plan.about} {count_nouns(report.runs, 'run')}, {report.hours:.1f} processor hours"
    )
    for failure in report.failed:
        yield f"failed: {failure}"
    for name in report.left_out:
        yield f"Arm {name} has no good run of the frozen start, or none on clean labels: not shown"
    for arm in report.arms:
        yield from _describe_arm(report.plan, arm)
    yield from _tabulate_arms(report)


def _tabulate_arms(report: BenchReport) -> Iterator[Table]:
    """Yield a table of each cell that several arms have: the gain of each method in each arm."""
    figure = report.plan.figures[0]
    for cell in report.plan.cells:
        rows_by_arm = {
            arm.name: {name_row(report.plan, row): row for row in own.rows}
            for arm in report.arms
            for own in arm.cells
            if own.cell == cell and figure in arm.gains
        }
        names = [
            name
            for name in dict.fromkeys(name for rows in rows_by_arm.values() for name in rows)
            if sum(name in rows for rows in rows_by_arm.values()) > 1
            and name not in (FROZEN, CLEAN, PLAIN)
        ]
        gains = [
            [name, *(_format_arm_gain(rows.get(name), figure) for rows in rows_by_arm.values())]
            for name in names
        ]
        if gains:
            title = f"{report.plan.get_title(cell)}: gain over plain by arm ({figure})"
            yield Table(title, ["method", *(f"arm {name}" for name in rows_by_arm)], gains)


def _format_arm_gain(row: MethodRow | None, figure: str) -> str:
    if row is None:
        return ""
    value, interval, _ = _format_gain(row.figures[figure].gain)
    return f"{value} {interval}".strip()


def describe_report(report: BenchReport) -> Iterator[ReportPart]:
    """Yield all tables and lines."""
    yield from describe_overview(report)
    if report.plan.primary is not None:
        yield from _describe_family(report)
    for profile in report.profiles:
        yield _describe_profile(report.plan, profile)
    if report.tuning:
        yield _tabulate_tuning(report)
    for arm in report.arms:
        for cell in arm.cells:
            yield from _describe_cell(report.plan, arm, cell)


def _describe_family(report: BenchReport) -> Iterator[ReportPart]:
    """Yield the tests of the primary family, and what they lack."""
    is_tuned = bool(report.plan.methods[PLAIN].knob)
    pairs = "tuned methods against tuned plain" if is_tuned else "methods against plain"
    yield _tabulate_tests(
        f"Primary family, as written down before: {pairs}", report.primary, report
    )
    if report.lacking:
        listed = "; ".join(report.lacking[:_MOST_LACKING])
        more = len(report.lacking) - _MOST_LACKING
        yield f"p values are not corrected yet. {listed}" + (
            f"; and {more} more" if more > 0 else ""
        )
    if report.tuning:
        title = "The same without tuning, against plain as it is (descriptive)"
        yield _tabulate_tests(title, report.untuned, report, corrected=False)


def make_bench_page(report: BenchReport) -> ReportPage:
    """Make the page of a report. Its rows are one for each figure, method, cell and arm."""
    columns = ["arm", "cell", "method", "variant", "control", "figure", "value", "low", "high"]
    columns += ["kept", "kept_low", "kept_high", "gain", "gain_low", "gain_high", "p"]
    columns += ["tuned_gain", "tuned_gain_low", "tuned_gain_high", "tuned_p", "seeds"]
    rows = [
        [
            *(arm.name, cell.cell, row.method, row.variant, str(row.control).lower(), figure),
            *_list_cells(estimate),
        ]
        for arm in report.arms
        for cell in arm.cells
        for row in cell.rows
        for figure, estimate in row.figures.items()
    ]
    return ReportPage(
        title=f"Benchmark {report.plan.name}",
        introduction=f"`actiseg-train bench {report.plan.name}`",
        notices=[],
        parts=list(describe_report(report)),
        notes=_NOTES,
        rows=Table("", columns, rows),
    )


def _list_cells(estimate: Estimate) -> list[str]:
    ends = [
        *(estimate.value, *(estimate.interval or (None, None))),
        *(estimate.kept, *(estimate.kept_interval or (None, None))),
    ]
    for gain in (estimate.gain, estimate.tuned_gain):
        ends += [None] * 4 if gain is None else [gain.value, *gain.interval, gain.p]
    return [*map(format_cell, ends), " ".join(map(format_cell, estimate.seeds))]


def name_row(plan: Plan, row: MethodRow) -> str:
    """Name a method in tables: with its value if it is tuned, in parentheses if it is a control."""
    name = plan.get_title(row.method)
    name += f" {row.variant}" if row.variant else ""
    is_end = row.method in (FROZEN, CLEAN)
    return f"({name})" if row.control and not is_end else name


def _describe_arm(plan: Plan, arm: ArmReport) -> Iterator[ReportPart]:
    frames = ", rendered frames" if arm.rendered else ", photographs"
    figure = next(iter(arm.gains))
    gain, interval = arm.gains[figure]
    frozen = arm.cells[0].rows[0].figures[figure].value if arm.cells else None
    yield (
        f"Arm {arm.name}: {arm.about}{frames}, {count_nouns(arm.videos, 'video')} tested. "
        f"{RECORD_FIGURES[figure].symbol}: frozen {_format(frozen)}, clean labels gain "
        f"{_format_change(gain)}{_format_interval(interval, signed=True)}"
    )
    if not arm.has_gain(figure):
        yield (
            f"Clean labels gain less than {LEAST_GAIN:g} over the frozen start in this arm, or not "
            "beyond chance: it cannot tell methods apart."
        )
    silent = [RECORD_FIGURES[name].symbol for name in arm.gains if not arm.has_gain(name)]
    if silent:
        yield f"Without such a gain, so without shares and tests of equality: {', '.join(silent)}"
    cells = [cell for cell in arm.cells if cell.cell != CLEAN]
    names = dict.fromkeys(name_row(plan, row) for cell in cells for row in cell.rows)
    by_cell = [{name_row(plan, row): row for row in cell.rows} for cell in cells]
    rows = [
        [name, *(_format_share(plan, by_name.get(name), figure) for by_name in by_cell)]
        for name in names
        if name not in (FROZEN, CLEAN)
    ]
    if rows:
        heads = [plan.get_title(cell.cell) for cell in cells]
        title = f"Arm {arm.name}: share of what clean labels teach ({figure}) that is kept"
        yield Table(title, ["method", *heads], rows)


def _format_share(plan: Plan, row: MethodRow | None, figure: str) -> str:
    if row is None:
        return ""
    if row.seeds != plan.seeds:
        return f"{len(row.seeds)} of {count_nouns(len(plan.seeds), 'seed')}"
    estimate = row.figures[figure]
    if estimate.kept is None:
        return "-"
    return f"{estimate.kept:.2f}{_format_interval(estimate.kept_interval, digits=2)}"


def _describe_cell(plan: Plan, arm: ArmReport, cell: CellReport) -> Iterator[ReportPart]:
    labels = "" if cell.labels is None else f"; the labels score {cell.labels:.3f}"
    for figure in arm.gains:
        symbol = RECORD_FIGURES[figure].heading
        estimates = [row.figures[figure] for row in cell.rows]
        has_tuned = any(item.tuned_gain not in (None, item.gain) for item in estimates)
        rows = [_list_row(plan, row, figure, has_tuned=has_tuned) for row in cell.rows]
        columns = ["method", symbol, "95 %", "kept", "95 %", "gain", "95 %", "p"]
        columns += ["over tuned plain", "95 %", "p"] if has_tuned else []
        columns.append("seeds")
        title = f"{arm.name} {plan.get_title(cell.cell)}: {cell.about}{labels}; {symbol}"
        yield Table(title, columns, rows)
    known = [term for term in _METER if any(term in row.meter for row in cell.rows)]
    if known:
        rows = [
            [
                name_row(plan, row),
                *(_format(row.meter.get(term), 3) for term in known),
                "-" if row.seconds is None else f"{row.seconds:.0f}",
            ]
            for row in cell.rows
            if row.seconds is not None
        ]
        columns = ["method", *(_METER[term] for term in known), "training seconds"]
        title = f"{arm.name} {plan.get_title(cell.cell)}: what nets have memorised at the end"
        yield Table(title, columns, rows)
    if cell.modes:
        rows = [
            [
                mode.mode.replace("_", " "),
                _format(mode.clean_share),
                _format(mode.share),
                _format_change(mode.change),
                _format_interval(mode.interval, signed=True).strip(),
            ]
            for mode in cell.modes
        ]
        title = f"{arm.name} {plan.get_title(cell.cell)}: failures of {plan.get_title(PLAIN)}"
        yield Table(title, ["failure", "clean labels", "noisy labels", "change", "95 %"], rows)


def _list_row(plan: Plan, row: MethodRow, figure: str, *, has_tuned: bool) -> list[str]:
    estimate = row.figures[figure]
    return [
        name_row(plan, row),
        _format(estimate.value),
        _format_interval(estimate.interval).strip(),
        _format(estimate.kept, 2),
        _format_interval(estimate.kept_interval, digits=2).strip(),
        *_format_gain(estimate.gain),
        *(_format_gain(estimate.tuned_gain) if has_tuned else ()),
        ", ".join(_format(value, 3) for value in estimate.seeds),
    ]


def _tabulate_tests(
    title: str, tests: tuple[PrimaryTest, ...], report: BenchReport, *, corrected: bool = True
) -> Table:
    rows = [
        [
            f"{report.plan.get_title(test.cell)} ({test.figure})",
            report.plan.get_title(test.method) + (f" {test.variant}" if test.variant else ""),
            *_format_gain(test.gain),
            *([_format_p(test.adjusted)] if corrected else ()),
        ]
        for test in tests
    ]
    columns = ["cell", "method", "gain", "95 %", "p", *(["p (Holm)"] if corrected else ())]
    return Table(title, columns, rows)


def _describe_profile(plan: Plan, profile: ProfileReport) -> str:
    cells = ", ".join(map(plan.get_title, profile.cells))
    methods = "tuned methods" if profile.tuned else "methods as they are"
    changes = [
        f"{plan.get_title(change.first)} is better than {plan.get_title(change.second)} in "
        f"{plan.get_title(change.cell)} and worse in {plan.get_title(change.peer)}"
        for change in profile.changes
    ]
    runs = "" if profile.p_runs is None else f", over runs {_format_p(profile.p_runs)}"
    return (
        f"Profiles of {count_nouns(len(profile.methods), 'method')} over {cells} ({methods}, "
        f"{profile.figure}): interaction {profile.deviation:.4f}, p over videos "
        f"{_format_p(profile.p_videos)}{runs}; the larger one counts. Pairs that change places "
        f"(95 % each): {'; '.join(changes) or 'none'}"
    )


def _tabulate_tuning(report: BenchReport) -> Table:
    rows = [
        [
            report.plan.get_title(value.method),
            value.variant or "as it is",
            _format(value.score),
            "chosen" if value.chosen else "",
        ]
        for value in report.tuning
    ]
    tuning = report.plan.tuning
    figure = "" if tuning is None else f": {tuning.figure}, mean of {', '.join(tuning.cells)}"
    return Table(f"Tuning on noisy labels{figure}", ["method", "value", "score", ""], rows)


def _format_p(p: float | None) -> str:
    """Format a p value.

    >>> _format_p(0.0004), _format_p(0.25)
    ('<0.001', '0.250')
    """
    if p is None:
        return "-"
    return "<0.001" if p < 0.0005 else f"{p:.3f}"


def _format(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _format_change(value: float | None) -> str:
    return "-" if value is None else f"{value:+.4f}"


def _format_gain(gain: MethodGain | None) -> list[str]:
    """Format a gain, its interval and its p value."""
    if gain is None:
        return ["-", "", "-"]
    value = _format_change(gain.value) + (" =" if gain.is_equal else "")
    interval = _format_interval(gain.interval, signed=True).strip()
    return [value, interval, _format_p(gain.p)]


def _format_interval(interval: Interval | None, digits: int = 4, *, signed: bool = False) -> str:
    if interval is None:
        return ""
    sign = "+" if signed else ""
    low, high = (f"{end:{sign}.{digits}f}" for end in interval)
    return f" ({low} to {high})"
