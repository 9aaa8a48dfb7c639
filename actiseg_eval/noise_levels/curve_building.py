"""Build the curves of one metric over noise levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.comparison.comparing import get_sign
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.noise_levels.curves import compute_mean_weights
from actiseg_eval.noise_levels.robustness_result import BaselineGap, Curve, CurvePoint
from actiseg_eval.noise_levels.shares import Shares, compute_shares, find_share_intervals
from actiseg_eval.resampling.bootstrap import Bootstrap, is_defined
from actiseg_eval.resampling.contrasts import SEEDS
from actiseg_eval.resampling.gains import apply_holm, compare_means
from actiseg_eval.resampling.mean_intervals import MeanInterval, find_mean_intervals
from actiseg_eval.resampling.run_means import RunMeans, Runs

LevelRuns: TypeAlias = Mapping[float, Runs]
"""The runs of a method, by level."""

_Name: TypeAlias = tuple[str, "float | str"]
"""A method and a level, or one of the texts below."""

_AREA, _FLOOR = "area", ("", "floor")


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
        The method that others are compared with.
    primary : str
        The metric whose p values are corrected.
    seed_deviation : float or None
        The standard deviation of the primary metric over seeds, for single runs.
    """

    span: tuple[float, float] | None
    drop: float
    bootstrap: Bootstrap | None
    cluster: str
    baseline: str
    primary: str
    seed_deviation: float | None = None

    def build(
        self, metric: str, methods: Mapping[str, LevelRuns], floor: Runs | None
    ) -> list[Curve]:
        """Return the curve of each method.

        Parameters
        ----------
        metric : str
            The key of the metric.
        methods : mapping of str to mapping of float to Runs
            The runs by method and level.
        floor : Runs or None
            The runs that shares are above. None for no shares.
        """
        runs: dict[_Name, Runs] = {
            (method, level): level_runs
            for method, levels in methods.items()
            for level, level_runs in levels.items()
        }
        if floor is not None:
            runs[_FLOOR] = floor
        estimator = _Estimator(self, metric, runs)
        rows = {name: estimator.make_row({name: 1.0}) for name in runs if name != _FLOOR}
        areas = {
            method: estimator.make_row(self._weigh_levels(method, levels))
            for method, levels in methods.items()
            if self.span is not None
        }
        intervals = estimator.find_intervals(
            {**rows, **{(method, _AREA): row for method, row in areas.items()}}
        )
        gains, gaps = self._compare_with_baseline(metric, methods, estimator, areas)
        curves = []
        for method, levels in methods.items():
            points = [
                CurvePoint(
                    level=level,
                    value=_omit_nan(level_runs.mean),
                    interval=_get_ends(intervals.get((method, level))),
                    seeds=tuple(_omit_nan(run.ratio) for run in level_runs.sums),
                    unreached=_get_unreached(intervals.get((method, level))),
                )
                for level, level_runs in levels.items()
            ]
            area = estimator.evaluate(areas[method]) if method in areas else None
            area_interval = intervals.get((method, _AREA))
            curves.append(
                Curve(
                    method=method,
                    points=points,
                    area=area,
                    interval=_get_ends(area_interval),
                    unreached=_get_unreached(area_interval),
                    source=self._name_source(area_interval),
                    degrees=None if area_interval is None else area_interval.degrees,
                    shares=self._compute_shares(method, levels, estimator, areas, area),
                    area_gain=gains.get(method),
                    clean_gap=gaps.get(method),
                )
            )
        return curves

    def _weigh_levels(self, method: str, levels: LevelRuns) -> dict[_Name, float]:
        """Return the weights of the levels in the mean over the range."""
        low, high = self.span or (0.0, 0.0)
        weights = compute_mean_weights(tuple(levels), low, high).tolist()
        return {(method, level): weight for level, weight in zip(levels, weights, strict=True)}

    def _name_source(self, interval: MeanInterval | None) -> str | None:
        return None if interval is None else f"{self.cluster}s{SEEDS[interval.seeds]}"

    def _compute_shares(
        self,
        method: str,
        levels: LevelRuns,
        estimator: _Estimator,
        areas: Mapping[str, NDArray[np.float64]],
        area: float | None,
    ) -> Shares:
        """Compute what a method keeps of its score above the floor."""
        floor = estimator.runs.get(_FLOOR)
        if floor is None or area is None or self.span is None or np.isnan(floor.mean):
            return Shares()
        low = self.span[0]
        values = [level_runs.mean for level_runs in levels.values()]
        shares = compute_shares(list(levels), values, area, floor.mean, low, self.drop)
        row = areas[method]
        names: list[_Name] = [(method, level) for level in levels]
        if shares.retained is None or not estimator.can_estimate([*names, _FLOOR]):
            return shares
        retained, breaking = estimator.find_share_intervals(names, list(levels), row, low)
        return replace(shares, retained_interval=retained, breaking_interval=breaking)

    def _compare_with_baseline(
        self,
        metric: str,
        methods: Mapping[str, LevelRuns],
        estimator: _Estimator,
        areas: Mapping[str, NDArray[np.float64]],
    ) -> tuple[dict[str, BaselineGap], dict[str, BaselineGap]]:
        """Return the gain in area and the clean gap of each method, where there are such."""
        sign = get_sign(metric)
        compared = [method for method in methods if method != self.baseline]
        gains, gaps = {}, {}
        for method in compared:
            if areas:
                difference = areas[method] - areas[self.baseline]
                gains[method] = estimator.compare(sign * difference, self.cluster)
            if 0.0 in methods[method] and 0.0 in methods[self.baseline]:
                pair: dict[_Name, float] = {(self.baseline, 0.0): sign, (method, 0.0): -sign}
                gaps[method] = estimator.compare(estimator.make_row(pair), self.cluster)
        if metric == self.primary:
            gathered_gaps = [*gains.values(), *gaps.values()]
            tested = [gap for gap in gathered_gaps if gap.test is not None]
            adjusted = apply_holm([gap.p for gap in tested if gap.p is not None])
            by_gap = {id(gap): p for gap, p in zip(tested, adjusted, strict=True)}
            for gathered in (gains, gaps):
                for method, gap in gathered.items():
                    gathered[method] = replace(gap, adjusted=by_gap.get(id(gap)))
        return gains, gaps


class _Estimator:
    """Estimate contrasts of the conditions of one metric, as far as they are defined."""

    def __init__(self, builder: CurveBuilder, metric: str, runs: dict[_Name, Runs]) -> None:
        self.runs = runs
        self._builder = builder
        self._least = METRICS[metric].least
        self._names = list(runs)
        self._defined = np.array([are_defined(condition.sums) for condition in runs.values()])
        self._values = np.array([condition.mean for condition in runs.values()])
        deviation = builder.seed_deviation if metric == builder.primary else None
        known = [
            condition for condition, able in zip(runs.values(), self._defined, strict=True) if able
        ]
        self._means = RunMeans(known, deviation) if known else None

    def make_row(self, coefficients: Mapping[_Name, float]) -> NDArray[np.float64]:
        """Return the coefficients, (K,), of a contrast of all K conditions."""
        return np.array([coefficients.get(name, 0.0) for name in self._names])

    def evaluate(self, row: NDArray[np.float64]) -> float | None:
        """Return the value of a contrast; None if one of its conditions has none."""
        used = row != 0
        return _omit_nan(float(row[used] @ self._values[used]))

    def can_estimate(self, names: Iterable[_Name]) -> bool:
        """Whether intervals are wanted, and enough clusters have the metric in all conditions."""
        positions = [self._names.index(name) for name in names]
        return self._builder.bootstrap is not None and bool(self._defined[positions].all())

    def find_intervals(
        self, rows: Mapping[_Name, NDArray[np.float64]]
    ) -> dict[_Name, MeanInterval]:
        """Find the intervals of the contrasts that enough clusters have."""
        if self._builder.bootstrap is None or self._means is None:
            return {}
        able = {name: row[self._defined] for name, row in rows.items() if self._has_all(row)}
        return find_mean_intervals(self._means, able, self._builder.bootstrap, self._least)

    def find_share_intervals(
        self, names: list[_Name], levels: list[float], area: NDArray[np.float64], low: float
    ) -> tuple[tuple[float, float] | None, tuple[float, float | None] | None]:
        """Find the intervals of shares, see `find_share_intervals` of `shares`."""
        if self._means is None or self._builder.bootstrap is None:
            return None, None
        known = [name for name, able in zip(self._names, self._defined, strict=True) if able]
        return find_share_intervals(
            self._means,
            np.array([known.index(name) for name in names]),
            levels,
            area[self._defined],
            known.index(_FLOOR),
            low,
            self._builder.drop,
            self._builder.bootstrap.level,
        )

    def compare(self, row: NDArray[np.float64], cluster: str) -> BaselineGap:
        """Test a difference, if enough clusters have the metric."""
        bootstrap = self._builder.bootstrap
        if bootstrap is None or self._means is None or not self._has_all(row):
            return BaselineGap(self.evaluate(row))
        gain = compare_means(self._means, row[self._defined], bootstrap, 1 - self._least)
        return BaselineGap(gain.value, gain, None, f"{cluster}s{SEEDS[gain.seeds]}")

    def _has_all(self, row: NDArray[np.float64]) -> bool:
        return bool(self._defined[row != 0].all())


def _get_ends(interval: MeanInterval | None) -> tuple[float, float] | None:
    return None if interval is None else interval.ends


def _get_unreached(interval: MeanInterval | None) -> tuple[str, ...]:
    return () if interval is None else interval.unreached


def _omit_nan(value: float) -> float | None:
    return None if value != value else value
