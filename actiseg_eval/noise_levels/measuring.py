"""How do methods stand noise? Their figures over levels of it, on the same clips."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from actiseg_data import __version__
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.validation import escape_unprintable
from actiseg_data.core.workers import start_workers
from actiseg_data.layouts.actionvos import Split
from actiseg_data.records.split_records import has_rendered_frames
from actiseg_eval.comparison.comparing import difference
from actiseg_eval.measures.results import sum_tallies
from actiseg_eval.metrics.computing import compute_by_sequence
from actiseg_eval.metrics.definitions import METRICS, MetricSums, Sums
from actiseg_eval.noise_levels.curves import (
    breaking_point,
    common_range,
    goodness,
    level_weights,
    mean_weights,
)
from actiseg_eval.noise_levels.label_quality import LabelQuality, label_quality
from actiseg_eval.noise_levels.robustness_report import Curve, Point, Price, Robustness
from actiseg_eval.noise_levels.runs import Runs
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.protocols import (
    DEFAULT_PROTOCOL,
    Protocol,
    choose_comparable_groups,
    load_protocol,
)
from actiseg_eval.reporting.coverage import Coverage, make_coverage, notices_of
from actiseg_eval.resampling.bootstrap import (
    DEFAULT_BOOTSTRAP,
    MIN_CLUSTERS,
    Bootstrap,
    choose_clusters,
    get_minimum,
    is_defined,
    sum_clusters,
)
from actiseg_eval.resampling.ratios import apply_holm, combine, make_mean_terms, resample
from actiseg_eval.scoring.folder_scoring import check_missing, faults_of, measure

DROP = 0.1

_Levels: TypeAlias = Mapping[float, list[Sums]]
"""A figure's sums over clusters of each seed, by level."""

_Terms: TypeAlias = list[tuple[float, Sums]]


def measure_robustness(
    truth: GroundTruth,
    runs: Runs,
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    *,
    measures: Iterable[str] | None = None,
    drop: float = DROP,
    filtered: bool = True,
    missing: str = "error",
    bootstrap: Bootstrap | None = DEFAULT_BOOTSTRAP,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Robustness:
    """Score methods at every level of noise.

    runs: see `actiseg_eval.noise_levels.runs.read_runs`. drop: the share of a figure, in (0, 1), whose loss
    breaks a method. The others as in `actiseg_eval.scoring.folder_scoring.score`. Raises `InputError` with the faults
    of all runs.
    """
    protocol = load_protocol(protocol)
    chosen = choose_comparable_groups(measures, protocol)
    check_missing(missing)
    if not 0 < drop < 1:
        raise refuse(f"{drop:g} is no share between 0 and 1", "--drop", "give 0.1, for example")
    problems = ProblemCollector()
    sequences: list[VideoSequence] = []
    found: dict[str, dict[float, list[MetricSums]]] = {}
    labels: dict[float, LabelQuality] = {}
    coverages: dict[str, Coverage] = {}
    with start_workers(workers, __name__) as members:
        for method, level, folder in runs.each:
            with faults_of(folder, truth, problems):
                results, handled = measure(
                    truth,
                    folder,
                    protocol,
                    chosen,
                    filtered=filtered,
                    missing=missing,
                    workers=members,
                    stage=stage,
                )
                sequences = [result.sequence for result in results]
                coverages[f"{method} at {level:g} ({escape_unprintable(str(folder))})"] = (
                    make_coverage(results, protocol, sum_tallies(results, handled))
                )
                of_run = compute_by_sequence(results, protocol, chosen)
                found.setdefault(method, {}).setdefault(level, []).append(of_run)
        for level, copy in runs.labels.items():
            with faults_of(copy, truth, problems):
                labels[level] = label_quality(
                    copy,
                    _root_of_labels(truth),
                    protocol,
                    measures=chosen,
                    filtered=filtered,
                    workers=members,
                    stage=stage,
                )
        problems.raise_if_any()
    cluster, names = choose_clusters(sequences, bootstrap or DEFAULT_BOOTSTRAP)
    left_out: dict[str, str] = {}
    if bootstrap is not None and len(set(names)) < MIN_CLUSTERS:
        left_out["intervals"] = f"there are fewer than {MIN_CLUSTERS} sequences to resample"
        bootstrap = None
    span = common_range(tuple(levels) for levels in runs.methods.values())
    if span is None:
        left_out["areas"] = "the levels of the methods share no range"
    by_cluster = {
        method: {level: [sum_clusters(run, names) for run in of] for level, of in levels.items()}
        for method, levels in found.items()
    }
    first = next(iter(next(iter(by_cluster.values())).values()))[0]
    curves = {}
    for figure in (name for name in METRICS if METRICS[name].better and name in first):
        sums = {
            method: {level: [run[figure] for run in of] for level, of in levels.items()}
            for method, levels in by_cluster.items()
        }
        curves[figure] = _Curves(figure, span, drop, bootstrap, cluster).of(sums, runs.baseline)
        few = [name for name, of in sums.items() if not all(map(_is_defined, of.values()))]
        if few and bootstrap is not None:
            left_out[figure] = f"fewer than {MIN_CLUSTERS} {cluster}s have it for {', '.join(few)}"
    return Robustness(
        protocol=protocol,
        measures=chosen,
        truth=escape_unprintable(str(truth.root)),
        split=truth.name,
        rendered=has_rendered_frames(truth.root),
        baseline=runs.baseline,
        drop=drop,
        method=bootstrap,
        cluster=cluster,
        clusters=len(set(names)),
        folders={
            method: {
                level: tuple(escape_unprintable(str(folder)) for folder in folders)
                for level, folders in levels.items()
            }
            for method, levels in runs.methods.items()
        },
        span=span,
        curves=curves,
        labels=labels,
        notices=notices_of(coverages),
        left_out=left_out,
        toolkit=f"actiseg {__version__}",
    )


def _root_of_labels(truth: GroundTruth) -> Path:
    if not isinstance(truth, Split):
        raise refuse(
            "has no action lists, so no copy of it can have noisy labels",
            truth.root,
            "give the ActionVOS root as --gt, or leave labels out",
        )
    return truth.root


def _is_defined(runs: Iterable[Sums]) -> bool:
    return all(map(is_defined, runs))


@dataclass(frozen=True)
class _Curves:
    """How the curves of one figure are made. span: the range of areas. bootstrap: None for no
    intervals. cluster: what is resampled.
    """

    figure: str
    span: tuple[float, float] | None
    drop: float
    bootstrap: Bootstrap | None
    cluster: str

    def of(self, sums: Mapping[str, _Levels], baseline: str) -> list[Curve]:
        """The curve of each method."""
        means = {
            (method, level): make_mean_terms(runs)
            for method, levels in sums.items()
            for level, runs in levels.items()
        }
        areas = {method: self._area(levels) for method, levels in sums.items()}
        intervals = self._intervals({**means, **areas})
        prices = self._prices(sums, baseline)
        curves = []
        for method, levels in sums.items():
            points = [
                Point(
                    level=level,
                    value=_known(_value(means[method, level])),
                    interval=intervals.get((method, level)),
                    seeds=tuple(_known(run.ratio) for run in runs),
                )
                for level, runs in levels.items()
            ]
            area = _known(_value(areas[method]))
            retained, breaks_at = self._shares(points, area)
            price = prices.get(method)
            curves.append(
                Curve(method, points, area, intervals.get(method), retained, breaks_at, price)
            )
        return curves

    def _area(self, levels: _Levels) -> _Terms:
        """The terms of the mean over the range; none where there is no range."""
        if self.span is None:
            return []
        weights = mean_weights(tuple(levels), *self.span)
        return [
            term
            for by, runs in zip(weights.tolist(), levels.values(), strict=True)
            if by
            for term in make_mean_terms(runs, by)
        ]

    def _intervals(self, terms: Mapping[Any, _Terms]) -> dict[Any, tuple[float, float]]:
        """The intervals of those combinations that enough clusters have."""
        if self.bootstrap is None:
            return {}
        able = {name: of for name, of in terms.items() if of and _is_defined(run for _, run in of)}
        found = resample([combine(of) for of in able.values()], self.bootstrap)
        level, least = self.bootstrap.level, get_minimum(self.figure)
        return {
            name: of.find_interval(level, least, 1.0) for name, of in zip(able, found, strict=True)
        }

    def _shares(self, points: list[Point], area: float | None) -> tuple[float | None, float | None]:
        """What is retained, and where the curve breaks."""
        better = METRICS[self.figure].better
        values = [point.value for point in points if point.value is not None]
        if self.span is None or area is None or len(values) < len(points):
            return None, None
        levels = [point.level for point in points]
        good = [goodness(value, better) for value in values]
        low = self.span[0]
        first = float((level_weights(levels, np.array([low])) @ good)[0])
        if first <= 0:
            return None, None
        return goodness(area, better) / first, breaking_point(levels, good, self.drop, low)

    def _prices(self, sums: Mapping[str, _Levels], baseline: str) -> dict[str, Price]:
        """The price of each method that has a clean run, if the baseline has one."""
        clean = {method: levels[0.0] for method, levels in sums.items() if 0.0 in levels}
        prices: dict[str, Price] = {}
        sign = -1.0 if METRICS[self.figure].better == "lower" else 1.0
        for method in clean if baseline in clean else ():
            if method == baseline:
                continue
            pair = {name: clean[name] for name in (baseline, method)}
            if self.bootstrap is None or not all(map(_is_defined, pair.values())):
                one, other = (_value(make_mean_terms(runs)) for runs in pair.values())
                prices[method] = Price(_known(sign * (one - other)), None, None, None, None)
                continue
            found = difference(
                baseline, method, pair, self.bootstrap, figure=self.figure, cluster=self.cluster
            )
            prices[method] = Price(found.gain, found.interval, found.p, None, found.by)
        tested = {method: price.p for method, price in prices.items() if price.p is not None}
        for method, p in zip(tested, apply_holm(list(tested.values())), strict=True):
            prices[method] = replace(prices[method], adjusted=p)
        return prices


def _value(terms: _Terms) -> float:
    """NaN where one of the figures is undefined, or there is none."""
    return sum(by * run.ratio for by, run in terms) if terms else float("nan")


def _known(value: float) -> float | None:
    return None if value != value else value
