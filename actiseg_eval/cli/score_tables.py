"""What the commands print: the field's tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from actiseg_data.terminal.console import print_note, print_table
from actiseg_eval.comparison.comparing import Comparison
from actiseg_eval.comparison.protocol_differences import Differences
from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.metrics.failure_table import FailureTable
from actiseg_eval.metrics.metric_cards import MetricCard
from actiseg_eval.noise_levels.robustness_report import Robustness
from actiseg_eval.protocols import Protocol
from actiseg_eval.reporting.score_report import (
    LONG,
    PROFILE_TITLE,
    Report,
    Stratum,
    split_text,
)
from actiseg_eval.resampling.intervals import Intervals

_FEW_GROUPS = 8
"""Divisions with more groups are for documents, not for the terminal."""

_FEW_COLUMNS = 7


def print_report(report: Report) -> None:
    """The main table, one for each division with few groups, and what was odd."""
    figures, names = report.figures, report.shown
    of = split_text(report.split, rendered=report.rendered)
    title = f"{of}, protocol {report.protocol.name} {report.protocol.version}"
    for notice in report.notices:
        print_note(notice)
    _print_figures(title, "", report.whole, names)
    print_note(report.reference)
    if report.intervals is not None:
        print_note(_told(report.intervals))
    counts = [name for name in METRICS if METRICS[name].count and name in figures]
    print_note(", ".join(f"{METRICS[name].symbol} {figures[name]}" for name in counts))
    long = []
    for by, strata in report.strata.items():
        if len(strata) > _FEW_GROUPS or by in LONG:
            long.append(by)
        elif len(strata) > 1:
            kept = tuple(name for name in names if any(name in of.figures for of in strata))
            _print_figures(f"by {by}", by, strata, (*kept, "n_units"))
    if report.failures is not None:
        _print_failures(report, report.failures)
    print_note("fractions; ↑ higher is better, ↓ lower is better, - undefined")
    if long:
        print_note(f"by {', '.join(long)}: see --json or --csv")
    handled = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in report.handled.items())
    if handled:
        print_note(f"handled: {handled}")
    for what, why in report.left_out.items():
        print_note(f"left out: {what}: {why}")


def _print_failures(report: Report, failures: FailureTable) -> None:
    if report.profile:
        sizes = report.strata["size"]
        _print_figures(PROFILE_TITLE, "", [*report.whole, *sizes], report.profile)
    for title, (heads, *rows) in failures.make_tables().items():
        print_table(title, heads, rows)
    print_note(
        "a unit has one mode. lost: what the figure would gain if these units were right; recoverable: "
        "if their mode alone were"
    )


def _told(intervals: Intervals) -> str:
    """How the intervals were made."""
    symbol = METRICS[intervals.metric].symbol
    text = (
        f"intervals: {intervals.clusters} {intervals.cluster}s resampled "
        f"{intervals.method.resamples:,} times"
    )
    if intervals.cluster != intervals.method.cluster:
        text += f" (too few {intervals.method.cluster}s)"
    width = intervals.sequence_width.get(intervals.metric)
    if intervals.cluster != "sequence" and width is not None:
        text += f"; of {symbol}, sequences would give {width:.2f} times the width"
    if intervals.correlation is not None:
        text += (
            f"; correlation of {symbol} between sequences of a {intervals.method.cluster} "
            f"{intervals.correlation:.2f}"
        )
    return text


def _print_figures(title: str, by: str, strata: Sequence[Stratum], names: tuple[str, ...]) -> None:
    """Tables of at most `_FEW_COLUMNS` figures, so that none has to be folded."""
    for start in range(0, len(names), _FEW_COLUMNS):
        part = names[start : start + _FEW_COLUMNS]
        rows = [
            [stratum.name, *(format_value(stratum.figures.get(name)) for name in part)]
            for stratum in strata
        ]
        print_table(title if not start else "", [by, *map(format_heading, part)], rows)


def print_comparison(found: Comparison, wanted: Sequence[str] = ()) -> None:
    """Standings and differences of some figures, by default of all."""
    level = f"{100 * found.method.level:g} %"
    for notice in found.notices:
        print_note(notice)
    for figure, why in found.left_out.items():
        if figure in wanted:
            print_note(f"left out: {METRICS[figure].symbol}: {why}")
    for figure in found.standings:
        if wanted and figure not in wanted:
            continue
        rows = []
        for each in found.standings[figure]:
            interval = "-" if each.interval is None else _ends(each.interval, ".4f")
            seeds = ", ".join(map(format_value, each.seeds)) if len(each.seeds) > 1 else "-"
            rows.append([each.name, str(each.rank), format_value(each.value), interval, seeds])
        columns = ["method", "rank", format_heading(figure), f"{level} over seeds", "seeds"]
        of = split_text(found.split, rendered=found.rendered)
        print_table(f"{METRICS[figure].symbol}, {of}, {found.protocol.name}", columns, rows)
        rows = [
            [
                f"{each.first} against {each.second}",
                f"{each.gain:+.4f}",
                _ends(each.interval, "+.4f"),
                f"{each.share:.3f}",
                f"{each.p:.4f}",
                f"{each.adjusted:.4f}",
                each.by,
            ]
            for each in found.differences[figure]
        ]
        columns = ["first against second", "gain", level, "share better", "p", "Holm", "over"]
        print_table("", columns, rows)
    print_note(
        "gain: how much better the first is, whichever way is better, with its interval; share "
        "better: of resamples; p: of no difference (methods swapped at random); Holm: over all "
        "pairs. rank: 1 and the number of methods that are better beyond chance, after Holm"
    )
    asked = "" if found.cluster == found.method.cluster else f" (too few {found.method.cluster}s)"
    print_note(f"resampled: {found.clusters} {found.cluster}s{asked}")
    for figure, why in found.left_out.items():
        if figure not in wanted:
            print_note(f"left out: {METRICS[figure].symbol}: {why}")


def print_robustness(found: Robustness, shown: Sequence[str] = ()) -> None:
    """Values and curves of some figures, by default of the first."""
    for notice in found.notices:
        print_note(notice)
    for figure in shown or found.shown:
        for table in found.tables(figure):
            print_table(table.title, table.columns, table.rows)
    for note in found.notes(shown):
        print_note(note)


def _ends(interval: tuple[float, float], form: str) -> str:
    return f"{interval[0]:{form}} to {interval[1]:{form}}"


def print_cards(cards: Sequence[MetricCard]) -> None:
    """What there is to know of some figures."""
    for card in cards:
        print_note(f"{card.metric}: {format_heading(card.metric)}: {METRICS[card.metric].about}")
        for head, text in card.list_entries():
            print_note(f"  {head}: {text}")


def print_figures() -> None:
    """A line for each figure."""
    for name, metric in METRICS.items():
        print_note(f"{name}: {format_heading(name)}: {metric.about}")
    print_note("next: actiseg-eval metrics FIGURE, which says what it may be and what it hides")


def print_protocols(protocols: Mapping[str, Protocol]) -> None:
    """All protocols side by side, case by case."""
    for protocol in protocols.values():
        print_note(f"{protocol.name} {protocol.version}: {protocol.summary}")
        print_note(f"  source: {protocol.source}")
    for case in next(iter(protocols.values())).cases:
        print_note(f"{case}:")
        _print_rules(protocols, case)


def _print_rules(protocols: Mapping[str, Protocol], case: str) -> None:
    """What becomes of a case, and under which protocols."""
    rules: dict[str, list[str]] = {}
    for protocol in protocols.values():
        rules.setdefault(protocol.cases[case], []).append(protocol.name)
    for rule, names in rules.items():
        print_note(f"  {', '.join(names)}: {rule}")


def print_differences(found: Differences) -> None:
    """How often each case occurs, with what each protocol makes of it; then the figures."""
    print_note("on these predictions:")
    for case, count in found.cases.items():
        if count:
            print_note(f"{case}: {count} times")
            _print_rules(found.protocols, case)
        else:
            print_note(f"{case}: none, so no difference")
    rows = []
    for name, outcome in found.outcomes.items():
        if isinstance(outcome, str):
            print_note(f"  {name}: {outcome}")
            continue
        keys = ("jf", "j", "f", "giou", "n_objects")
        rows.append([name, *(format_value(outcome.figures.get(key)) for key in keys)])
    print_table("what each gives", ["protocol", "J&F ↑", "J ↑", "F ↑", "gIoU ↑", "objects"], rows)
