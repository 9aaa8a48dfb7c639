"""Values, intervals and shares of the figures of raw scores.

Errors cover videos and seeds as in `actiseg_eval.compare`: Student's t with several seeds, and a
bootstrap-t interval over the clusters with single runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_eval.raw_scores.raw_score_result import CLEAN, FIGURES, FROZEN, FigureValue
from actiseg_eval.resampling.bootstrap import MIN_CLUSTERS, Bootstrap
from actiseg_eval.resampling.contrasts import SEEDS
from actiseg_eval.resampling.linearised import (
    DivisibleStatistic,
    Mean,
    RatioDifference,
    Share,
    Statistic,
    WeightRows,
    resample_statistics,
)
from actiseg_eval.resampling.quotients import find_quotient_interval
from actiseg_eval.resampling.statistic_means import StatisticMeans, StatisticRuns

Seeds = tuple[int, ...] | None
"""The seeds of the runs of a method; None if they are unknown."""


@dataclass(frozen=True)
class ShareEnds:
    """The names of the methods that shares are of.

    Attributes
    ----------
    frozen : str
        The floor, with the share 0.
    clean : str
        The ceiling, with the share 1.
    """

    frozen: str
    clean: str


@dataclass(frozen=True)
class Bounds:
    """An interval.

    Attributes
    ----------
    ends : (float, float)
    seeds : str or None
        The seeds that it covers, a key of `SEEDS`; None if it has no error.
    unreached : tuple of str
        The ends, ``low`` and ``high``, that no resample reaches.
    """

    ends: tuple[float, float]
    seeds: str | None
    unreached: tuple[str, ...] = ()


def estimate_figures(
    runs: Mapping[str, Sequence[Mapping[str, DivisibleStatistic]]],
    seeds: Mapping[str, Seeds],
    bootstrap: Bootstrap | None,
    cluster: str,
) -> tuple[dict[str, dict[str, FigureValue]], dict[str, float]]:
    """Estimate the figures of every method. `FROZEN` and `CLEAN` are the ends of shares.

    Parameters
    ----------
    runs : mapping of str to sequence of mapping of str to DivisibleStatistic
        By method, the figures of each run. All runs have the same figures and the same clusters.
    seeds : mapping of str to tuple of int or None
        By method, the seed of each run.
    bootstrap : Bootstrap or None
        How to make intervals; None for no intervals.
    cluster : str
        The kind of cluster.

    Returns
    -------
    figures : dict of str to dict of str to FigureValue
        By method and figure.
    no_gain : dict of str to float
        By figure, the gain of clean labels over the frozen start, where it is not above chance.
    """
    figures: dict[str, dict[str, FigureValue]] = {name: {} for name in runs}
    no_gain = {}
    ends = ShareEnds(FROZEN, CLEAN) if FROZEN in runs and CLEAN in runs else None
    for figure in next(iter(runs.values()))[0]:
        parts = {name: [run[figure] for run in method_runs] for name, method_runs in runs.items()}
        estimator = FigureEstimator(parts, seeds, bootstrap, ends)
        sign = FIGURES[figure].sign
        if estimator.gain is not None and not estimator.is_gain(sign):
            no_gain[figure] = estimator.gain
        for name in parts:
            figures[name][figure] = estimator.build_value(name, sign, cluster)
    return figures, no_gain


def _name_source(bounds: Bounds | None, cluster: str) -> str | None:
    """Name what an interval covers."""
    return None if bounds is None or bounds.seeds is None else f"{cluster}s{SEEDS[bounds.seeds]}"


class FigureEstimator:
    """One figure of all methods.

    Parameters
    ----------
    parts : mapping of str to sequence of DivisibleStatistic
        By method, the figure of each run.
    seeds : mapping of str to tuple of int or None
        By method, the seed of each run.
    bootstrap : Bootstrap or None
        How to make intervals; None for no intervals.
    ends : ShareEnds or None
        The floor and the ceiling of shares; None for no shares.

    Attributes
    ----------
    values : dict of str to float or None
        The mean over seeds by method; None if it is undefined.
    bounds : dict of (str, str) to Bounds
        By what it is of (``value``, ``gain`` or ``kept``), and of which method. Without resamples,
        and without what too few clusters have.
    means : StatisticMeans or None
        The means of the methods that have intervals; None if none has.
    rows : dict of str to (K,) float64
        By method that has an interval, its coefficients in contrasts of `means`.
    """

    def __init__(
        self,
        parts: Mapping[str, Sequence[DivisibleStatistic]],
        seeds: Mapping[str, Seeds],
        bootstrap: Bootstrap | None,
        ends: ShareEnds | None,
    ) -> None:
        self._parts = parts
        self._ends = ends
        self._means = {name: Mean(method_runs) for name, method_runs in parts.items()}
        self.values = {name: _evaluate(mean) for name, mean in self._means.items()}
        self.bounds: dict[tuple[str, str], Bounds] = {}
        self.means: StatisticMeans | None = None
        self.rows: dict[str, NDArray[np.float64]] = {}
        able = [
            name
            for name, mean in self._means.items()
            if mean.defined >= MIN_CLUSTERS and self.values[name] is not None
        ]
        if bootstrap is None or not able:
            return
        frozen = None if ends is None else ends.frozen
        self.means = StatisticMeans(
            [
                # A single frozen net is the same start for all seeds.
                StatisticRuns(
                    tuple(parts[name]),
                    seeds[name],
                    fixed=name == frozen and len(parts[name]) == 1,
                )
                for name in able
            ]
        )
        self.rows = dict(zip(able, np.eye(len(able)), strict=True))
        self._find_bounds(self.means, bootstrap)

    @property
    def gain(self) -> float | None:
        """The gain of clean labels over the frozen start; None if it is undefined."""
        if self._ends is None:
            return None
        clean, frozen = self.values[self._ends.clean], self.values[self._ends.frozen]
        return None if clean is None or frozen is None else clean - frozen

    def is_gain(self, sign: float) -> bool:
        """Whether clean labels are better than the frozen start, beyond chance if that is known.

        `sign` is 1 if higher values are better, else -1.
        """
        if self.gain is None:
            return False
        bounds = self.gain_bounds
        return (self.gain * sign if bounds is None else min(sign * end for end in bounds.ends)) > 0

    @property
    def gain_bounds(self) -> Bounds | None:
        """The interval of `gain`; None if it has none."""
        return None if self._ends is None else self.bounds.get(("gain", self._ends.clean))

    def build_value(self, name: str, sign: float, cluster: str) -> FigureValue:
        """Build the result of a method. `sign` is as in `is_gain`, `cluster` a kind of cluster."""
        bounds = self.bounds.get(("value", name))
        kept, kept_bounds = None, None
        if self.is_gain(sign):
            kept, kept_bounds = self._compute_kept(name), self.bounds.get(("kept", name))
        return FigureValue(
            value=self.values[name],
            interval=None if bounds is None else bounds.ends,
            kept=kept,
            kept_interval=None if kept_bounds is None else kept_bounds.ends,
            seeds=tuple(map(_evaluate, self._parts[name])),
            over=_name_source(bounds, cluster),
            kept_over=_name_source(kept_bounds, cluster),
            unreached=() if bounds is None else bounds.unreached,
            kept_unreached=() if kept_bounds is None else kept_bounds.unreached,
        )

    def _compute_kept(self, name: str) -> float | None:
        """Compute the share of the gain of clean labels that a method has."""
        if self._ends is None or not self.gain:
            return None
        value, frozen = self.values[name], self.values[self._ends.frozen]
        return None if value is None or frozen is None else (value - frozen) / self.gain

    def _find_bounds(self, means: StatisticMeans, bootstrap: Bootstrap) -> None:
        """Find all intervals. Those of single runs have the same resamples."""
        resampled: dict[tuple[str, str], tuple[Statistic, float, float]] = {}
        for name, row in self.rows.items():
            contrast = means.estimate(row)
            if contrast.seeds == "none":
                resampled["value", name] = self._means[name], 0.0, 1.0
            else:
                interval = contrast.find_interval(bootstrap.level, 0.0, 1.0)
                self.bounds["value", name] = Bounds(interval, contrast.seeds)
        ends = self._ends
        if ends is not None and ends.clean in self.rows and ends.frozen in self.rows:
            self._find_gain(ends, means, bootstrap, resampled)
        estimates = resample_statistics([item for item, _, _ in resampled.values()], bootstrap)
        for (key, (_, least, most)), estimate in zip(resampled.items(), estimates, strict=True):
            interval = estimate.find_interval(bootstrap.level, least, most)
            self.bounds[key] = Bounds(interval, "none", estimate.find_unreached(interval))

    def _find_gain(
        self,
        ends: ShareEnds,
        means: StatisticMeans,
        bootstrap: Bootstrap,
        resampled: dict[tuple[str, str], tuple[Statistic, float, float]],
    ) -> None:
        """Find the intervals of the gain and of its shares, or add them to what is resampled."""
        whole = self.rows[ends.clean] - self.rows[ends.frozen]
        gain = RatioDifference(self._means[ends.clean], self._means[ends.frozen])
        contrast = means.estimate(whole)
        if contrast.seeds == "none":
            resampled["gain", ends.clean] = gain, -1.0, 1.0
        else:
            interval = contrast.find_interval(bootstrap.level, -1.0, 1.0)
            self.bounds["gain", ends.clean] = Bounds(interval, contrast.seeds)
        if not self.gain:
            return
        limit = 1 / abs(self.gain)  # a difference is at most 1
        for name in self.rows:
            if name in (ends.frozen, ends.clean):  # 0 and 1 by definition
                share = float(name == ends.clean)
                self.bounds["kept", name] = Bounds((share, share), None)
                continue
            part = self.rows[name] - self.rows[ends.frozen]
            scope = (part != 0) | (whole != 0)
            seeds = means.estimate(part - 0.5 * whole, scope).seeds
            if seeds == "none":
                above = RatioDifference(self._means[name], self._means[ends.frozen])
                resampled["kept", name] = Share(above, gain), -limit, limit
            elif quotient := find_quotient_interval(means, part, whole, bootstrap.level):
                self.bounds["kept", name] = Bounds(quotient, seeds)


def _evaluate(statistic: Statistic) -> float | None:
    """Return the value over all clusters; None if it is undefined."""
    value = float(WeightRows(np.ones((1, statistic.clusters))).linearise(statistic)[0][0])
    return value if np.isfinite(value) else None
