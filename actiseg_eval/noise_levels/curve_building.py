"""Build the curves of one metric over noise levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from actiseg_eval.comparison.comparing import compare_pair, get_sign
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.noise_levels.curves import (
    compute_level_weights,
    compute_mean_weights,
    find_breaking_point,
    orient_score,
)
from actiseg_eval.noise_levels.robustness_result import CleanGap, Curve, CurvePoint
from actiseg_eval.resampling.bootstrap import Bootstrap, is_defined
from actiseg_eval.resampling.ratios import apply_holm, combine, make_mean_terms, resample

LevelSums: TypeAlias = Mapping[float, list[Sums]]
"""The sums of a metric over clusters for each seed, by level."""

_Terms: TypeAlias = list[tuple[float, Sums]]


def are_defined(runs: Iterable[Sums]) -> bool:
    """Whether enough clusters have the metric in every run."""
    return all(map(is_defined, runs))


@dataclass(frozen=True)
class CurveBuilder:
    """Build the curves of a metric.

    Attributes
    ----------
    span : (float, float) or None
        The range of levels of the areas.
    drop : float
        The share of a score that is lost at the breaking point.
    bootstrap : Bootstrap or None
        How to make intervals. None for no intervals.
    cluster : str
        What is resampled.
    baseline : str
        The method that others are compared with on clean data.
    """

    span: tuple[float, float] | None
    drop: float
    bootstrap: Bootstrap | None
    cluster: str
    baseline: str

    def build(self, metric: str, sums: Mapping[str, LevelSums]) -> list[Curve]:
        """Return the curve of each method.

        Parameters
        ----------
        metric : str
            The key of the metric.
        sums : mapping of str to mapping of float to list of Sums
            The sums of the metric by method and level, of each seed.
        """
        means = {
            (method, level): make_mean_terms(runs)
            for method, levels in sums.items()
            for level, runs in levels.items()
        }
        areas = {method: self._list_area_terms(levels) for method, levels in sums.items()}
        intervals = self._compute_intervals(metric, {**means, **areas})
        gaps = self._compute_clean_gaps(metric, sums)
        curves = []
        for method, levels in sums.items():
            points = [
                CurvePoint(
                    level=level,
                    value=_omit_nan(_evaluate(means[method, level])),
                    interval=intervals.get((method, level)),
                    seeds=tuple(_omit_nan(run.ratio) for run in runs),
                )
                for level, runs in levels.items()
            ]
            area = _omit_nan(_evaluate(areas[method]))
            retained, breaking_point = self._compute_retention(metric, points, area)
            curves.append(
                Curve(
                    method=method,
                    points=points,
                    area=area,
                    interval=intervals.get(method),
                    retained=retained,
                    breaking_point=breaking_point,
                    clean_gap=gaps.get(method),
                )
            )
        return curves

    def _list_area_terms(self, levels: LevelSums) -> _Terms:
        """Return the terms of the mean over the range, none without a range."""
        if self.span is None:
            return []
        weights = compute_mean_weights(tuple(levels), *self.span)
        return [
            term
            for weight, runs in zip(weights.tolist(), levels.values(), strict=True)
            if weight
            for term in make_mean_terms(runs, weight)
        ]

    def _compute_intervals(
        self, metric: str, terms: Mapping[Any, _Terms]
    ) -> dict[Any, tuple[float, float]]:
        """Return the intervals of the combinations that enough clusters have."""
        if self.bootstrap is None:
            return {}
        able = {
            name: parts
            for name, parts in terms.items()
            if parts and are_defined(run for _, run in parts)
        }
        estimates = resample([combine(parts) for parts in able.values()], self.bootstrap)
        level, least = self.bootstrap.level, METRICS[metric].least
        return {
            name: estimate.find_interval(level, least, 1.0)
            for name, estimate in zip(able, estimates, strict=True)
        }

    def _compute_retention(
        self, metric: str, points: list[CurvePoint], area: float | None
    ) -> tuple[float | None, float | None]:
        """Return the share that is retained, and the breaking point."""
        better = METRICS[metric].better
        values = [point.value for point in points if point.value is not None]
        if self.span is None or area is None or len(values) < len(points):
            return None, None
        levels = [point.level for point in points]
        scores = [orient_score(value, better) for value in values]
        low = self.span[0]
        whole = float((compute_level_weights(levels, np.array([low])) @ scores)[0])
        if whole <= 0:
            return None, None
        retained = orient_score(area, better) / whole
        return retained, find_breaking_point(levels, scores, self.drop, low)

    def _compute_clean_gaps(
        self, metric: str, sums: Mapping[str, LevelSums]
    ) -> dict[str, CleanGap]:
        """Return the gap of each method with a clean run, if the baseline has one."""
        clean = {method: levels[0.0] for method, levels in sums.items() if 0.0 in levels}
        if self.baseline not in clean:
            return {}
        gaps = {
            method: self._compute_clean_gap(metric, method, clean)
            for method in clean
            if method != self.baseline
        }
        tested = {method: gap.p for method, gap in gaps.items() if gap.p is not None}
        for method, p in zip(tested, apply_holm(list(tested.values())), strict=True):
            gaps[method] = replace(gaps[method], adjusted=p)
        return gaps

    def _compute_clean_gap(
        self, metric: str, method: str, clean: Mapping[str, list[Sums]]
    ) -> CleanGap:
        pair = {name: clean[name] for name in (self.baseline, method)}
        if self.bootstrap is None or not all(map(are_defined, pair.values())):
            reference, value = (_evaluate(make_mean_terms(runs)) for runs in pair.values())
            gap = get_sign(metric) * (reference - value)
            return CleanGap(_omit_nan(gap), None, None, None, None)
        difference = compare_pair(
            self.baseline, method, pair, self.bootstrap, metric=metric, cluster=self.cluster
        )
        return CleanGap(difference.gain, difference.interval, difference.p, None, difference.source)


def _evaluate(terms: _Terms) -> float:
    """Return the value of a combination: NaN if it is empty, or if a ratio is undefined."""
    return sum(weight * run.ratio for weight, run in terms) if terms else float("nan")


def _omit_nan(value: float) -> float | None:
    return None if value != value else value
