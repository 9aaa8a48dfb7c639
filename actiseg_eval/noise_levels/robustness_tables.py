"""The tables of robustness over noise levels, for the terminal and for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.comparison.comparison_tables import format_interval
from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.noise_levels.label_quality import ChangedItems, LabelQuality
from actiseg_eval.noise_levels.robustness_result import CleanGap, Curve, CurvePoint, Robustness
from actiseg_eval.reporting.score_tables import name_split

_MOST_LEVELS = 5
"""Levels in one table."""


def describe_robustness(
    robustness: Robustness, metrics: Sequence[str] = ()
) -> Iterator[ReportPart]:
    """Yield the tables and lines of some metrics, by default of the main ones."""
    yield from robustness.notices
    for metric in metrics or robustness.main_metrics:
        yield from tabulate_metric(robustness, metric)
    yield from explain_tables(robustness, metrics)


def make_robustness_page(robustness: Robustness, metrics: Sequence[str] = ()) -> ReportPage:
    """Make the page of some metrics, by default of the main ones. Its rows have all metrics."""
    split = name_split(robustness.split, rendered=robustness.rendered)
    shown = tuple(metrics) or robustness.main_metrics
    return ReportPage(
        title=f"Robustness on {split}, protocol `{robustness.protocol.name}`",
        introduction=(
            f"Truth `{robustness.truth}`, baseline `{robustness.baseline}`, {robustness.toolkit}."
        ),
        notices=robustness.notices,
        parts=[table for metric in shown for table in tabulate_metric(robustness, metric)],
        notes=list(explain_tables(robustness, shown)),
        rows=Table("", _ROW_COLUMNS, list(_list_rows(robustness))),
    )


_ROW_COLUMNS = ("metric", "method", "what", "level", "value", "from", "to")


def _list_rows(robustness: Robustness) -> Iterator[list[str]]:
    """Yield a row for each point of a curve, for each summary of it, and for its clean gap."""
    for metric, curves in robustness.curves.items():
        for curve in curves:
            facts: list[tuple[str, float | None, float | None, tuple[float, float] | None]] = [
                ("score", point.level, point.value, point.interval) for point in curve.points
            ]
            facts += [
                ("area", None, curve.area, curve.interval),
                ("retained", None, curve.retained, None),
                ("breaks at", None, curve.breaking_point, None),
            ]
            if curve.clean_gap is not None:
                gap = curve.clean_gap
                facts.append((f"worse than {robustness.baseline}", 0.0, gap.value, gap.interval))
            for what, level, value, interval in facts:
                cells = (level, value, *(interval or (None, None)))
                yield [metric, curve.method, what, *map(format_cell, cells)]


def tabulate_metric(robustness: Robustness, metric: str) -> Iterator[Table]:
    """Yield the tables of a metric: values by level, summaries of the curves, clean gaps."""
    curves = robustness.curves[metric]
    levels = sorted(
        {point.level for curve in curves for point in curve.points}
        | {level for level, quality in robustness.labels.items() if quality.metrics is not None}
    )
    split = name_split(robustness.split, rendered=robustness.rendered)
    title = f"{METRICS[metric].symbol} by level of noise: {split}, {robustness.protocol.name}"
    for start in range(0, len(levels), _MOST_LEVELS):
        part = levels[start : start + _MOST_LEVELS]
        columns = [format_heading(metric), *(f"{level:g}" for level in part)]
        yield Table("" if start else title, columns, list(_list_values(robustness, metric, part)))
    level = [] if robustness.bootstrap is None else [robustness.bootstrap.percent]
    span = "" if robustness.span is None else f" {robustness.span[0]:g} to {robustness.span[1]:g}"
    columns = ["method", f"area{span}", *level, "retained", "breaks at"]
    yield Table("", columns, [_make_curve_row(robustness, curve) for curve in curves])
    gaps = {curve.method: curve.clean_gap for curve in curves if curve.clean_gap}
    if gaps:
        columns = ["method", f"worse than {robustness.baseline} at 0", *level]
        columns += [] if robustness.bootstrap is None else ["p", "Holm"]
        rows = [_make_gap_row(robustness, method, gap) for method, gap in gaps.items()]
        yield Table("", columns, rows)


def _list_values(robustness: Robustness, metric: str, levels: list[float]) -> Iterator[list[str]]:
    """Yield the rows of values: each method, its intervals, its seeds, and the labels."""
    for curve in robustness.curves[metric]:
        by_level = {point.level: point for point in curve.points}
        points = [by_level.get(level) for level in levels]
        yield [curve.method, *(format_value(point.value) if point else "" for point in points)]
        if robustness.bootstrap is not None:
            cells = (_format_ends(point.interval, ".3f") if point else "" for point in points)
            yield [f"  {robustness.bootstrap.percent}", *cells]
        if any(point is not None and len(point.seeds) > 1 for point in points):
            yield ["  seeds", *map(_format_seeds, points)]
    # Without noise in the labels of active objects, inactive ones are blank in the labels.
    is_blank = robustness.protocol.needs_labels and METRICS[metric].inactive
    scored = {
        level: quality
        for level, quality in robustness.labels.items()
        if quality.metrics is not None and not (is_blank and quality.activity is None)
    }
    for split in dict.fromkeys(quality.split for quality in scored.values()):
        values = {
            level: format_value((quality.metrics or {}).get(metric))
            for level, quality in scored.items()
            if quality.split == split
        }
        yield [f"labels ({split})", *(values.get(level, "") for level in levels)]


def _make_curve_row(robustness: Robustness, curve: Curve) -> list[str]:
    breaking = "-" if curve.retained is None else f"> {curve.points[-1].level:g}"
    if curve.breaking_point is not None:
        breaking = f"{curve.breaking_point:.3f}"
    interval = [] if robustness.bootstrap is None else [_format_ends(curve.interval, ".3f")]
    return [
        curve.method,
        format_value(curve.area),
        *interval,
        format_value(curve.retained),
        breaking,
    ]


def _make_gap_row(robustness: Robustness, method: str, gap: CleanGap) -> list[str]:
    row = [method, "-" if gap.value is None else f"{gap.value:+.4f}"]
    if robustness.bootstrap is not None:
        row += [_format_ends(gap.interval, "+.3f"), format_value(gap.p), format_value(gap.adjusted)]
    return row


def explain_tables(robustness: Robustness, metrics: Sequence[str] = ()) -> Iterator[str]:
    """Yield what the tables of some metrics mean, how they were made, and what was left out."""
    metrics = metrics or robustness.main_metrics
    curves = [curve for metric in metrics for curve in robustness.curves[metric]]
    yield from _explain_areas(robustness, metrics)
    yield from _explain_gaps(robustness, curves)
    if robustness.bootstrap is not None:
        few = robustness.bootstrap.explain_cluster(robustness.cluster)
        yield (
            f"intervals: {robustness.clusters} {robustness.cluster}s{few} resampled "
            f"{robustness.bootstrap.resamples:,} times; they do not cover the choice of the seed"
        )
    yield from _explain_labels(robustness)
    for what, why in robustness.left_out.items():
        if what not in METRICS:
            yield f"left out: {what}: {why}"
        elif what in metrics:
            yield f"without intervals: {METRICS[what].symbol}: {why}"


def _explain_areas(robustness: Robustness, metrics: Sequence[str]) -> Iterator[str]:
    if robustness.span is None:
        return
    low, high = robustness.span
    yield (
        f"area: the mean of the metric over levels {low:g} to {high:g} (trapezoidal rule); "
        f"retained: the area as a share of the value at {low:g}"
    )
    if len({tuple(levels) for levels in robustness.folders.values()}) > 1:
        yield "methods differ in levels: areas and shares are over the range that all of them span"
    lost = f"{100 * robustness.drop:g} %"
    yield f"breaks at: the lowest level at which more than {lost} of that value is lost"
    if any(METRICS[metric].better == "lower" for metric in metrics):
        yield "for metrics where lower is better (↓), shares are of 1 minus the metric"


def _explain_gaps(robustness: Robustness, curves: list[Curve]) -> Iterator[str]:
    gaps = [curve.clean_gap for curve in curves if curve.clean_gap is not None]
    if not gaps:
        return
    text = (
        f"worse than {robustness.baseline}: the clean gap, at level 0, above 0 for a worse method "
        "in every metric"
    )
    if robustness.bootstrap is not None:
        text += "; p: of no difference; Holm: over all methods"
    if any(gap.source == "seeds" for gap in gaps):
        text += "; over seeds (Welch's t) if both have several at level 0"
    yield text


def _explain_labels(robustness: Robustness) -> Iterator[str]:
    if any(quality.metrics is not None for quality in robustness.labels.values()):
        masks, inactive = "masks", ""
        if robustness.protocol.needs_labels:
            masks = "masks of active objects"
            inactive = "; inactive objects are blank and count as right"
            if any(quality.activity is not None for quality in robustness.labels.values()):
                inactive = "; objects that a copy labels as inactive are blank"
        yield (
            f"labels: the {masks} in noisy copies, scored with the clean masks of the same split"
            f"{inactive}; this is a reference and not a bound, a robust method can do better"
        )
    for level, quality in robustness.labels.items():
        yield from _describe_labels(level, quality)


def _describe_labels(level: float, quality: LabelQuality) -> Iterator[str]:
    labels = f"labels at {level:g} ({quality.split})"
    if quality.metrics is None:
        yield f"{labels}: text noise alone, the masks are the clean ones: no metrics"
    if quality.rate is not None and quality.rate != level:
        yield f"{labels}: the rate in the copy's recipe is {quality.rate:g}"
    if quality.activity is not None:
        yield (
            f"{labels}: {_format_share(quality.activity)} objects are labelled as active and are "
            "not, or the reverse"
        )
    if quality.flipped is not None and quality.renamed is not None:
        yield (
            f"{labels}: {_format_share(quality.flipped)} names flipped to another class, "
            f"{_format_share(quality.renamed)} of the rest renamed within their class"
        )


def _format_seeds(point: CurvePoint | None) -> str:
    """Format up to three seeds one by one, and more as their number and range."""
    if point is None:
        return ""
    known = [seed for seed in point.seeds if seed is not None]
    if len(point.seeds) <= 3 or len(known) < len(point.seeds):
        return ", ".join(map(format_value, point.seeds))
    return f"{len(point.seeds)}: {min(known):.4f} to {max(known):.4f}"


def _format_share(changed: ChangedItems) -> str:
    percent = f" ({100 * changed.selected / changed.items:.1f} %)" if changed.items else ""
    return f"{changed.selected} of {changed.items}{percent}"


def _format_ends(interval: tuple[float, float] | None, form: str) -> str:
    return "-" if interval is None else format_interval(interval, form)
