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
from actiseg_eval.resampling.contrasts import SEEDS, Condition, ContrastEstimator
from actiseg_eval.resampling.linearised import (
    Mean,
    RatioDifference,
    Share,
    Statistic,
    WeightRows,
    resample_statistics,
)
from actiseg_eval.resampling.quotients import find_quotient_interval

Seeds = tuple[int, ...] | None
"""The seeds of the runs of a method; None if they are unknown."""


@dataclass(frozen=True)
class _Bounds:
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
    runs: Mapping[str, Sequence[Mapping[str, Statistic]]],
    seeds: Mapping[str, Seeds],
    bootstrap: Bootstrap | None,
    cluster: str,
) -> tuple[dict[str, dict[str, FigureValue]], dict[str, float]]:
    """Estimate the figures of every method.

    Parameters
    ----------
    runs : mapping of str to sequence of mapping of str to Statistic
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
    for figure in next(iter(runs.values()))[0]:
        parts = {name: [run[figure] for run in method_runs] for name, method_runs in runs.items()}
        estimator = _FigureEstimator(parts, seeds, bootstrap)
        has_ends = CLEAN in parts and FROZEN in parts
        is_gain = has_ends and estimator.is_gain(FIGURES[figure].sign)
        if has_ends and not is_gain and estimator.gain is not None:
            no_gain[figure] = estimator.gain
        for name in parts:
            bounds = estimator.bounds.get(("value", name))
            kept_bounds = estimator.bounds.get(("kept", name)) if is_gain else None
            figures[name][figure] = FigureValue(
                value=estimator.values[name],
                interval=None if bounds is None else bounds.ends,
                kept=estimator.compute_kept(name) if is_gain else None,
                kept_interval=None if kept_bounds is None else kept_bounds.ends,
                seeds=tuple(map(_evaluate, parts[name])),
                over=_name_source(bounds, cluster),
                kept_over=_name_source(kept_bounds, cluster),
                unreached=() if bounds is None else bounds.unreached,
                kept_unreached=() if kept_bounds is None else kept_bounds.unreached,
            )
    return figures, no_gain


def _name_source(bounds: _Bounds | None, cluster: str) -> str | None:
    """Name what an interval covers."""
    return None if bounds is None or bounds.seeds is None else f"{cluster}s{SEEDS[bounds.seeds]}"


class _FigureEstimator:
    """One figure of all methods.

    Attributes
    ----------
    values : dict of str to float or None
        The mean over seeds by method; None if it is undefined.
    bounds : dict of (str, str) to _Bounds
        By what it is of (``value``, ``gain`` or ``kept``), and of which method. Without resamples,
        and without what too few clusters have.
    """

    def __init__(
        self,
        parts: Mapping[str, Sequence[Statistic]],
        seeds: Mapping[str, Seeds],
        bootstrap: Bootstrap | None,
    ) -> None:
        self._means = {name: Mean(method_runs) for name, method_runs in parts.items()}
        self.values = {name: _evaluate(mean) for name, mean in self._means.items()}
        self.bounds: dict[tuple[str, str], _Bounds] = {}
        self._bootstrap = bootstrap
        able = [
            name
            for name, mean in self._means.items()
            if mean.defined >= MIN_CLUSTERS and self.values[name] is not None
        ]
        if bootstrap is None or not able:
            return
        # A single frozen net is the same start for all seeds.
        conditions = [
            _make_condition(parts[name], seeds[name], fixed=name == FROZEN) for name in able
        ]
        self._contrasts = ContrastEstimator(conditions)
        self._rows = dict(zip(able, np.eye(len(able)), strict=True))
        self._find_bounds(bootstrap)

    @property
    def gain(self) -> float | None:
        """The gain of clean labels over the frozen start; None if it is undefined."""
        clean, frozen = self.values[CLEAN], self.values[FROZEN]
        return None if clean is None or frozen is None else clean - frozen

    def is_gain(self, sign: float) -> bool:
        """Whether clean labels are better than the frozen start, beyond chance if that is known.

        `sign` is 1 if higher values are better, else -1.
        """
        if self.gain is None:
            return False
        bounds = self.bounds.get(("gain", CLEAN))
        return (self.gain * sign if bounds is None else min(sign * end for end in bounds.ends)) > 0

    def compute_kept(self, name: str) -> float | None:
        """Compute the share of the gain of clean labels that a method has."""
        value, frozen = self.values[name], self.values[FROZEN]
        if value is None or frozen is None or not self.gain:
            return None
        return (value - frozen) / self.gain

    def _find_bounds(self, bootstrap: Bootstrap) -> None:
        """Find all intervals. Those of single runs have the same resamples."""
        resampled: dict[tuple[str, str], tuple[Statistic, float, float]] = {}
        for name, row in self._rows.items():
            contrast = self._contrasts.estimate(row)
            if contrast.seeds == "none":
                resampled["value", name] = self._means[name], 0.0, 1.0
            else:
                ends = contrast.find_interval(bootstrap.level, 0.0, 1.0)
                self.bounds["value", name] = _Bounds(ends, contrast.seeds)
        if CLEAN in self._rows and FROZEN in self._rows:
            whole = self._rows[CLEAN] - self._rows[FROZEN]
            contrast = self._contrasts.estimate(whole)
            gain = RatioDifference(self._means[CLEAN], self._means[FROZEN])
            if contrast.seeds == "none":
                resampled["gain", CLEAN] = gain, -1.0, 1.0
            else:
                ends = contrast.find_interval(bootstrap.level, -1.0, 1.0)
                self.bounds["gain", CLEAN] = _Bounds(ends, contrast.seeds)
            if self.gain:
                for name in self._rows:
                    self._find_kept(name, whole, gain, bootstrap, resampled)
        estimates = resample_statistics([item for item, _, _ in resampled.values()], bootstrap)
        for (key, (_, least, most)), estimate in zip(resampled.items(), estimates, strict=True):
            ends = estimate.find_interval(bootstrap.level, least, most)
            self.bounds[key] = _Bounds(ends, "none", estimate.find_unreached(ends))

    def _find_kept(
        self,
        name: str,
        whole: NDArray[np.float64],
        gain: Statistic,
        bootstrap: Bootstrap,
        resampled: dict[tuple[str, str], tuple[Statistic, float, float]],
    ) -> None:
        """Find the interval of a share of the gain, or add it to what is resampled."""
        if name in (FROZEN, CLEAN):  # 0 and 1 by definition
            share = float(name == CLEAN)
            self.bounds["kept", name] = _Bounds((share, share), None)
            return
        part = self._rows[name] - self._rows[FROZEN]
        scope = (part != 0) | (whole != 0)
        seeds = self._contrasts.estimate(part - 0.5 * whole, scope).seeds
        if seeds == "none":
            assert self.gain, "callers check"
            limit = 1 / abs(self.gain)  # a difference is at most 1
            share_of = Share(RatioDifference(self._means[name], self._means[FROZEN]), gain)
            resampled["kept", name] = share_of, -limit, limit
            return
        ends = find_quotient_interval(self._contrasts, part, whole, bootstrap.level)
        if ends is not None:
            self.bounds["kept", name] = _Bounds(ends, seeds)


def _make_condition(parts: Sequence[Statistic], seeds: Seeds, *, fixed: bool) -> Condition:
    """Return what errors depend on; a single run is fixed if that is said."""
    mean = Mean(parts)
    rows = WeightRows(np.ones((1, mean.clusters)))
    return Condition(
        values=np.array([float(rows.linearise(part)[0][0]) for part in parts]),
        influence=rows.linearise(mean)[1][0],
        clusters=mean.defined,
        seeds=seeds,
        fixed=fixed and len(parts) == 1,
    )


def _evaluate(statistic: Statistic) -> float | None:
    """Return the value over all clusters; None if it is undefined."""
    value = float(WeightRows(np.ones((1, statistic.clusters))).linearise(statistic)[0][0])
    return value if np.isfinite(value) else None
