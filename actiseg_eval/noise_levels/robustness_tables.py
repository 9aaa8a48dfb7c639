"""The tables of robustness over noise levels, for the terminal and for files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.comparison.comparison_tables import (
    explain_ends,
    explain_missing_seeds,
    explain_power,
    explain_primary,
    format_interval,
)
from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.noise_levels.label_quality import ChangedItems, LabelQuality
from actiseg_eval.noise_levels.robustness_result import (
    BaselineGap,
    Curve,
    CurvePoint,
    Robustness,
)
from actiseg_eval.reporting.score_tables import name_split
from actiseg_eval.resampling.contrasts import MIN_PAIRED

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


_ROW_COLUMNS = ("metric", "method", "what", "level", "value", "from", "to", "p", "holm")


def _list_rows(robustness: Robustness) -> Iterator[list[str]]:
    """Yield a row for each point of a curve, each summary of it, and each gap to the baseline."""
    for metric, curves in robustness.curves.items():
        for curve in curves:
            for point in curve.points:
                cells = _fill_cells(point.level, point.value, point.interval)
                yield [metric, curve.method, "score", *cells, "", ""]
            shares = curve.shares
            for what, value, interval in (
                ("area", curve.area, curve.interval),
                ("retained", shares.retained, shares.retained_interval),
                ("breaks at", shares.breaking_point, shares.breaking_interval),
            ):
                cells = _fill_cells(None, value, interval)
                yield [metric, curve.method, what, *cells, "", ""]
            for what, level, gap in (
                (f"area above {robustness.baseline}", None, curve.area_gain),
                (f"worse than {robustness.baseline}", 0.0, curve.clean_gap),
            ):
                if gap is not None:
                    cells = _fill_cells(level, gap.value, gap.interval)
                    tested = map(format_cell, (gap.p, gap.adjusted))
                    yield [metric, curve.method, what, *cells, *tested]


def _fill_cells(
    level: float | None,
    value: float | None,
    interval: tuple[float, float | None] | None,
) -> Iterator[str]:
    """Fill the cells of a level, a value and the ends of its interval."""
    return map(format_cell, (level, value, *(interval or (None, None))))


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
    columns = ["method", f"area{span}", *level, *(["df"] if level else [])]
    yield Table("", columns, [_make_area_row(robustness, curve) for curve in curves])
    if any(curve.shares.retained is not None for curve in curves):
        columns = ["method", f"retained above {robustness.floor}", *level, "breaks at", *level]
        yield Table("", columns, [_make_share_row(robustness, curve) for curve in curves])
    tested = [*level, "p", "Holm", "df", "over"] if level else []
    gains = {curve.method: curve.area_gain for curve in curves if curve.area_gain}
    if gains:
        columns = ["method", f"area better than {robustness.baseline}", *tested]
        yield Table("", columns, [_make_gap_row(robustness, *gap) for gap in gains.items()])
    gaps = {curve.method: curve.clean_gap for curve in curves if curve.clean_gap}
    if gaps:
        columns = ["method", f"worse than {robustness.baseline} at 0", *tested]
        yield Table("", columns, [_make_gap_row(robustness, *gap) for gap in gaps.items()])


def _list_values(robustness: Robustness, metric: str, levels: list[float]) -> Iterator[list[str]]:
    """Yield the rows of values: each method, its intervals, its seeds, and the labels."""
    for curve in robustness.curves[metric]:
        by_level = {point.level: point for point in curve.points}
        points = [by_level.get(level) for level in levels]
        yield [curve.method, *(format_value(point.value) if point else "" for point in points)]
        if robustness.bootstrap is not None:
            cells = (
                _format_ends(point.interval, ".3f", point.unreached) if point else ""
                for point in points
            )
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


def _make_area_row(robustness: Robustness, curve: Curve) -> list[str]:
    row = [curve.method, format_value(curve.area)]
    if robustness.bootstrap is not None:
        row.append(_format_ends(curve.interval, ".3f", curve.unreached))
        row.append("-" if curve.degrees is None else f"{curve.degrees:.1f}")
    return row


def _make_share_row(robustness: Robustness, curve: Curve) -> list[str]:
    shares, most = curve.shares, curve.points[-1].level
    breaking = "-" if shares.retained is None else _format_level(shares.breaking_point, most)
    row = [curve.method, format_value(shares.retained)]
    if robustness.bootstrap is None:
        return [*row, breaking]
    if shares.breaking_interval is None:
        ends = "-"
    else:
        ends = " to ".join(_format_level(end, most) for end in shares.breaking_interval)
    return [*row, _format_ends(shares.retained_interval, ".3f"), breaking, ends]


def _format_level(level: float | None, most: float) -> str:
    """Format a breaking point, None if it is above the levels."""
    return f"> {most:g}" if level is None else f"{level:.3f}"


def _make_gap_row(robustness: Robustness, method: str, gap: BaselineGap) -> list[str]:
    row = [method, "-" if gap.value is None else f"{gap.value:+.4f}"]
    if robustness.bootstrap is None:
        return row
    if gap.test is None:
        return [*row, "-", "-", "-", "-", "-"]
    test = gap.test
    ends = format_interval(test.interval, "+.3f", test.unreached, widened=test.widened)
    tested = [format_value(test.p), format_value(gap.adjusted), f"{test.degrees:.1f}"]
    return [*row, ends, *tested, gap.source or "-"]


def explain_tables(robustness: Robustness, metrics: Sequence[str] = ()) -> Iterator[str]:
    """Yield what the tables of some metrics mean, how they were made, and what was left out."""
    metrics = metrics or robustness.main_metrics
    curves = [curve for metric in metrics for curve in robustness.curves[metric]]
    yield from _explain_areas(robustness)
    yield from _explain_shares(robustness, metrics)
    yield from _explain_gaps(robustness, curves)
    if robustness.bootstrap is not None:
        yield from _explain_intervals(robustness, curves)
    yield from _explain_labels(robustness)
    for what, why in robustness.left_out.items():
        if what not in METRICS:
            yield f"left out: {what}: {why}"
        elif what in metrics:
            yield f"without intervals: {METRICS[what].symbol}: {why}"


def _explain_areas(robustness: Robustness) -> Iterator[str]:
    if robustness.span is None:
        return
    low, high = robustness.span
    yield f"area: the mean of the metric over levels {low:g} to {high:g} (trapezoidal rule)"
    if len({tuple(levels) for levels in robustness.folders.values()}) > 1:
        yield "methods differ in levels: areas and shares are over the range that all of them span"


def _explain_shares(robustness: Robustness, metrics: Sequence[str]) -> Iterator[str]:
    """Yield what shares are of, and which metrics and methods have none."""
    if robustness.span is None:
        return
    low = robustness.span[0]
    floor = "the masks of the frozen net" if robustness.floor == "frozen" else "blank masks"
    shown = [metric for metric in metrics if metric not in robustness.without_shares]
    if any(
        curve.shares.retained is not None for name in shown for curve in robustness.curves[name]
    ):
        floors = ", ".join(
            f"{METRICS[metric].symbol} {format_value(robustness.floors[metric])}"
            for metric in shown
        )
        yield (
            f"retained: the area as a share of the value at {low:g}, both above {floor} "
            f"({floors}); breaks at: the lowest level at which more than "
            f"{100 * robustness.drop:g} % of that is lost"
        )
    for metric in shown if robustness.bootstrap else ():
        by_method = {curve.method: curve.shares for curve in robustness.curves[metric]}
        unsure = [
            method
            for method, shares in by_method.items()
            if shares.retained is not None and shares.retained_interval is None
        ]
        if unsure:
            yield (
                f"no intervals of shares of {METRICS[metric].symbol} for {', '.join(unsure)}: at "
                f"{low:g} not significantly above {floor}, or in too few {robustness.cluster}s"
            )
    for metric in shown:
        lacking = [
            curve.method for curve in robustness.curves[metric] if curve.shares.retained is None
        ]
        if lacking:
            yield (
                f"no shares of {METRICS[metric].symbol}: at {low:g}, {', '.join(lacking)} "
                f"{'is' if len(lacking) == 1 else 'are'} not above {floor}"
            )
    for metric in metrics:
        if metric in robustness.without_shares:
            why = robustness.without_shares[metric]
            yield f"no shares of {METRICS[metric].symbol}: {why}"


def _explain_gaps(robustness: Robustness, curves: list[Curve]) -> Iterator[str]:
    baseline = robustness.baseline
    if any(curve.area_gain is not None for curve in curves):
        yield (
            f"area better than {baseline}: how much better the area is, above 0 for a more robust "
            "method in every metric"
        )
    if any(curve.clean_gap is not None for curve in curves):
        yield (
            f"worse than {baseline}: the clean gap, at level 0, above 0 for a worse method in "
            "every metric"
        )


def _explain_intervals(robustness: Robustness, curves: list[Curve]) -> Iterator[str]:
    """Yield what intervals and p values cover."""
    bootstrap = robustness.bootstrap
    if bootstrap is None:
        return
    gaps = [gap for curve in curves for gap in (curve.area_gain, curve.clean_gap) if gap]
    tests = [gap.test for gap in gaps if gap.test is not None]
    points = [point for curve in curves for point in curve.points]
    few = bootstrap.explain_cluster(robustness.cluster)
    yield (
        f"intervals: {robustness.clusters} {robustness.cluster}s{few} resampled "
        f"{bootstrap.resamples:,} times; where there are several seeds, Student's t over "
        f"{robustness.cluster}s and seeds; df: degrees of freedom"
    )
    yield from explain_ends(
        unreached=any(point.unreached for point in points)
        or any(curve.unreached for curve in curves)
        or any(test.unreached for test in tests),
        widened=any(test.widened for test in tests),
    )
    if tests:
        yield explain_primary(robustness.primary, "all differences of areas and clean gaps")
        yield from explain_power(
            robustness.least_p, robustness.clusters, robustness.cluster, bootstrap.level
        )
    covered = {test.seeds for test in tests}
    if "paired" in covered:
        yield "paired seeds: runs of the same seed are compared"
    if "partly" in covered:
        yield "partly paired seeds: runs of the same seed are compared, where both have it"
    if "unpaired" in covered:
        yield (
            f"unpaired seeds: the seeds differ, are fewer than {MIN_PAIRED}, or no folder's name "
            "ends in one, such as _s1"
        )
    yield from explain_missing_seeds(covered, robustness.cluster, robustness.seed_deviation)


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
            f"{labels}: {_format_share(quality.flipped)} names flipped, "
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


def _format_ends(
    interval: tuple[float, float] | None, form: str, unreached: Sequence[str] = ()
) -> str:
    return "-" if interval is None else format_interval(interval, form, unreached)
