"""The tables of a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from actiseg_data.core.tables import ReportPage, ReportPart, Table, format_cell
from actiseg_eval.comparison.comparison_result import Comparison, Difference
from actiseg_eval.metrics.definitions import METRICS, format_heading, format_value
from actiseg_eval.reporting.score_tables import name_split
from actiseg_eval.resampling.contrasts import MIN_PAIRED

_NOTE = (
    "gain: how much better the first method is, for every metric above 0 if it is better, with its "
    "interval; share better: of resamples, or by Student's t; p: of no difference; df: degrees of "
    "freedom; over: what varies. rank: 1 plus the number of significantly better methods, after "
    "Holm"
)

UNREACHED = "*"
"""The mark of an end of an interval that no resample reaches."""

_UNREACHED_NOTE = f"{UNREACHED}: no resample reaches this end; it is how far unseen videos could be"
_WIDENED_NOTE = (
    "(widened): few videos differ, so that p is not small although the resamples exclude 0; the "
    "interval is extended to 0"
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
    yield from _explain_comparison(comparison, metrics)
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
        notes=[*_explain_comparison(comparison, metrics), *left_out],
        rows=Table("", _ROW_COLUMNS, list(_list_rows(comparison))),
    )


_ROW_COLUMNS = (
    *("metric", "method", "against", "value", "from", "to", "rank", "p", "holm", "over"),
    *("df", "widened", "unreached", "equal"),
)


def _list_rows(comparison: Comparison) -> Iterator[list[str]]:
    """Yield a row for the score of each method, and for the gain of each pair of methods."""
    for metric in comparison.standings:
        for standing in comparison.standings[metric]:
            numbers = map(format_cell, (standing.value, *standing.interval, standing.rank))
            ends = " ".join(standing.unreached)
            degrees = format_cell(standing.degrees)
            yield [metric, standing.name, "", *numbers, "", "", "", degrees, "", ends, ""]
        for pair in comparison.differences[metric]:
            numbers = map(format_cell, (pair.gain, *pair.interval, None, pair.p, pair.adjusted))
            widened = "yes" if pair.test.widened else ""
            ends = " ".join(pair.test.unreached)
            degrees = format_cell(pair.test.degrees)
            equal = _format_equivalence(pair)
            about = [pair.source, degrees, widened, ends, equal]
            yield [metric, pair.first, pair.second, *numbers, *about]


def _format_equivalence(pair: Difference) -> str:
    if pair.equivalence is None:
        return ""
    return "yes" if pair.equivalence.is_shown else "no"


def _explain_comparison(comparison: Comparison, metrics: Sequence[str]) -> Iterator[str]:
    """Yield what the tables of some metrics mean, and how they were made."""
    shown = [metric for metric in comparison.standings if not metrics or metric in metrics]
    pairs = [pair for metric in shown for pair in comparison.differences[metric]]
    standings = [standing for metric in shown for standing in comparison.standings[metric]]
    yield _NOTE
    yield from explain_ends(
        unreached=any(standing.unreached for standing in standings)
        or any(pair.test.unreached for pair in pairs),
        widened=any(pair.test.widened for pair in pairs),
    )
    yield explain_primary(comparison.primary, "all pairs")
    if comparison.primary in comparison.standings:
        yield from explain_power(
            comparison.least_p, comparison.clusters, comparison.cluster, comparison.bootstrap.level
        )
    if comparison.equivalence is not None and comparison.primary in shown:
        yield _explain_equivalence(comparison.equivalence, comparison.bootstrap.level)
    yield _describe_resampling(comparison)
    yield from _explain_seeds(comparison, pairs)


def _explain_equivalence(margin: float, level: float) -> str:
    """Return a line about the tests of equivalence.

    >>> _explain_equivalence(0.02, 0.95).partition(" (")[0]
    'equal within 0.02: the 90 % interval of the gain lies between -0.02 and 0.02'
    """
    return (
        f"equal within {margin:g}: the {100 * (2 * level - 1):g} % interval of the gain lies "
        f"between -{margin:g} and {margin:g} (two one-sided tests at {100 * (1 - level):g} %, not "
        "corrected for several pairs). no: it is not shown; the methods need not differ"
    )


def explain_ends(*, unreached: bool, widened: bool) -> Iterator[str]:
    """Yield what the marks at the ends of intervals mean."""
    if unreached:
        yield _UNREACHED_NOTE
    if widened:
        yield _WIDENED_NOTE


def explain_primary(primary: str, over: str) -> str:
    """Return a line about the primary metric.

    >>> explain_primary("j", "all pairs").partition(". ")[0]
    'Holm: over all pairs in the primary metric, J'
    """
    return (
        f"Holm: over {over} in the primary metric, {METRICS[primary].symbol}. All other metrics "
        "are descriptive: their p is not corrected, and they decide no rank"
    )


def explain_power(least_p: float, clusters: int, cluster: str, level: float) -> Iterator[str]:
    """Yield that nothing can be significant, if it is so.

    Parameters
    ----------
    least_p : float
        The least p value after Holm's correction.
    clusters, cluster : int, str
        How many there are, and of which kind.
    level : float
        The level of confidence.
    """
    if least_p >= 1 - level:
        yield (
            f"no difference can be significant with {clusters} {cluster}s: the least possible p "
            f"is {least_p:.3g} after Holm; compare fewer methods, or score more {cluster}s"
        )


def _explain_seeds(comparison: Comparison, pairs: Sequence[Difference]) -> Iterator[str]:
    """Yield which seeds there are, and what errors say about other ones."""
    covered = {pair.test.seeds for pair in pairs}
    known = "; ".join(
        f"{name} {', '.join(map(str, seeds))}" if seeds else f"{name} unknown"
        for name, seeds in comparison.seeds.items()
    )
    if "paired" in covered:
        yield f"paired seeds: runs of the same seed are compared (seeds: {known})"
    if "partly" in covered:
        yield f"partly paired seeds: runs of the same seed are compared (seeds: {known})"
    if "unpaired" in covered:
        yield (
            f"unpaired seeds: the seeds differ, are fewer than {MIN_PAIRED}, or no folder's name "
            f"ends in one, such as _s1 (seeds: {known})"
        )
    yield from explain_missing_seeds(covered, comparison.cluster, comparison.seed_deviation)


def explain_missing_seeds(
    covered: Collection[str], cluster: str, deviation: float | None
) -> Iterator[str]:
    """Yield what stands for the seeds of single runs.

    Parameters
    ----------
    covered : collection of str
        The seeds that errors cover, keys of `actiseg_eval.resampling.contrasts.SEEDS`.
    cluster : str
        The kind of cluster.
    deviation : float or None
        The given standard deviation over seeds.
    """
    if "shared" in covered:
        yield (
            "seeds of one side: the other side has a single run, for which the same variance "
            "over seeds is taken"
        )
    if "given" in covered:
        yield f"seeds as given: a single run has a standard deviation of {deviation} over seeds"
    if "none" in covered:
        yield (
            f"{cluster}s alone: there are single runs, or runs that do not differ. p is of these "
            "runs, not of the methods; another seed may reverse the difference"
        )


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
        interval = format_interval(standing.interval, ".4f", standing.unreached)
        seeds = ", ".join(map(format_value, standing.seeds)) if len(standing.seeds) > 1 else "-"
        value = format_value(standing.value)
        rank = format_value(standing.rank)
        rows.append([standing.name, rank, value, interval, f"{standing.degrees:.1f}", seeds])
    return Table(
        f"{METRICS[metric].symbol}, {split}, {comparison.protocol.name}",
        [
            "method",
            "rank",
            format_heading(metric),
            comparison.bootstrap.percent,
            "df",
            "seeds",
        ],
        rows,
    )


def _tabulate_differences(comparison: Comparison, metric: str) -> Table:
    rows = [
        [
            f"{pair.first} against {pair.second}",
            f"{pair.gain:+.4f}",
            format_interval(pair.interval, "+.4f", pair.test.unreached, widened=pair.test.widened),
            f"{pair.share:.3f}",
            f"{pair.p:.4f}",
            format_value(pair.adjusted),
            f"{pair.test.degrees:.1f}",
            pair.source,
        ]
        for pair in comparison.differences[metric]
    ]
    level = comparison.bootstrap.percent
    columns = ["first against second", "gain", level, "share better", "p", "Holm", "df", "over"]
    if any(pair.equivalence for pair in comparison.differences[metric]):
        columns.append(f"equal within {comparison.equivalence:g}")
        for row, pair in zip(rows, comparison.differences[metric], strict=True):
            row.append(_format_equivalence(pair))
    return Table("", columns, rows)


def format_interval(
    interval: tuple[float, float],
    form: str,
    unreached: Sequence[str] = (),
    *,
    widened: bool = False,
) -> str:
    """Format the ends of an interval.

    Parameters
    ----------
    interval : (float, float)
    form : str
        The format of a number.
    unreached : sequence of str
        The ends, ``low`` and ``high``, that no resample reaches.
    widened : bool
        Whether the interval was extended to 0.

    Examples
    --------
    >>> format_interval((0.25, 0.5), ".3f", ["high"])
    '0.250 to 0.500*'
    """
    low, high = (
        f"{end:{form}}{UNREACHED if name in unreached else ''}"
        for name, end in zip(("low", "high"), interval, strict=True)
    )
    return f"{low} to {high}{' (widened)' if widened else ''}"
