"""Measure how robust methods are to noise: their metrics by noise level, on the same sequences."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from actiseg_data import __version__
from actiseg_data.core.arguments import check_number, check_string, refuse_type
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import as_path
from actiseg_data.core.names import escape_unprintable
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, start_workers
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_eval.comparison.primary_metric import check_seed_deviation, choose_primary
from actiseg_eval.metrics.definitions import METRICS, list_directed
from actiseg_eval.noise_levels.curve_building import CurveBuilder, are_defined
from actiseg_eval.noise_levels.curves import find_common_range
from actiseg_eval.noise_levels.label_quality import LabelQuality, measure_labels
from actiseg_eval.noise_levels.noise_runs import NoiseRuns
from actiseg_eval.noise_levels.robustness_result import Curve, Robustness
from actiseg_eval.noise_levels.runs import read_runs
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.protocols import DEFAULT_PROTOCOL, Protocol
from actiseg_eval.resampling.bootstrap import (
    DEFAULT_BOOTSTRAP,
    LEVEL,
    MIN_CLUSTERS,
    RESAMPLES,
    choose_clusters,
    sum_clusters,
)
from actiseg_eval.resampling.run_means import Runs
from actiseg_eval.resampling.run_seeds import find_seeds
from actiseg_eval.scoring.folder_scoring import (
    MeasuredRun,
    collect_problems,
    list_run_notices,
    measure_runs,
)
from actiseg_eval.scoring.scoring_options import ScoringOptions, make_bootstrap, make_options
from actiseg_eval.scoring.truth_choice import choose_truth

DROP = 0.1


def robustness(
    runs: NoiseRuns | Path | str,
    *,
    gt: GroundTruth | Path | str | None = None,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    metrics: Iterable[str] | str | None = None,
    baseline: str | None = None,
    frozen: Iterable[Path | str] | Path | str | None = None,
    primary: str | None = None,
    drop: float = DROP,
    filter: bool = True,
    missing: str = "error",
    ci: float = LEVEL,
    resamples: int = RESAMPLES,
    cluster: str = "video",
    seed_deviation: float | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Robustness:
    """Score methods at every noise level.

    Parameters
    ----------
    runs : path or NoiseRuns
        A YAML file or a folder of runs, see `actiseg_eval.noise_levels.runs.read_runs`.
    gt, split, sequences
        See `actiseg_eval.score`. By default as the YAML file says, else as the predictions of the
        first run say.
    protocol, filter, missing, ci, resamples, cluster, workers, stage
        See `actiseg_eval.score`.
    metrics : iterable of str or str, optional
        Metric groups, all but ``failures``.
    baseline : str, optional
        The method that others are compared with. By default as the YAML file says, else the method
        ``plain``, else the first.
    frozen : path or iterable of path, optional
        Predictions of the net that all methods start from, one for each seed. Shares are above its
        score. By default as the YAML file says, else above the score of blank masks.
    primary, seed_deviation
        See `actiseg_eval.compare`.
    drop : float
        The share of a score above the floor, in (0, 1), that is lost at the breaking point.

    Returns
    -------
    Robustness
        Curves over noise levels, for each metric.

    Raises
    ------
    InputError
        With the problems of all runs.

    Examples
    --------
    ::

        result = actiseg_eval.robustness("runs.yaml", gt="dataset_visor")
        [(curve.method, curve.area) for curve in result.curves["giou"]]
    """
    drop = check_number(drop, "drop")
    if baseline is not None:
        check_string(baseline, "baseline")
    runs = runs if isinstance(runs, NoiseRuns) else read_runs(as_path(runs, "runs"), baseline)
    if frozen is not None:
        runs = replace(runs, frozen=_list_folders(frozen))
    _refuse_repeated_seeds(runs.frozen)
    truth = choose_truth_of_runs(runs, gt, split, sequences)
    options = make_options(protocol, metrics, filter=filter, missing=missing, comparable=True)
    primary = choose_primary(primary, options)
    seeds = (len(folders) for levels in runs.methods.values() for folders in levels.values())
    deviation = check_seed_deviation(seed_deviation, seeds)
    bootstrap = make_bootstrap(ci, resamples, cluster)
    if not 0 < drop < 1:
        raise refuse(f"{drop:g} is not between 0 and 1", "`drop`", "give 0.1, for example")
    with start_workers(workers, __name__) as pool:
        measured, labels = _measure_all(truth, runs, options, pool, stage)
    unit, names = choose_clusters(list(measured[-1].sequences), bootstrap or DEFAULT_BOOTSTRAP)
    left_out: dict[str, str] = {}
    if bootstrap is not None and len(set(names)) < MIN_CLUSTERS:
        left_out["intervals"] = f"there are fewer than {MIN_CLUSTERS} sequences to resample"
        bootstrap = None
    span = find_common_range(tuple(levels) for levels in runs.methods.values())
    if span is None:
        left_out["areas"] = "the levels of the methods share no range"
    builder = CurveBuilder(span, drop, bootstrap, unit, runs.baseline, primary, deviation)
    gathered = _gather_runs(runs, measured, names)
    floors = _gather_floors(runs, measured, names)
    without_shares = _explain_without_shares(floors, runs)
    curves = _build_curves(
        gathered,
        {metric: floor for metric, floor in floors.items() if metric not in without_shares},
        builder,
        left_out,
    )
    return Robustness(
        protocol=options.protocol,
        metric_groups=options.metric_groups,
        truth=escape_unprintable(str(truth.root)),
        split=truth.name,
        rendered=has_rendered_frames(truth.root),
        baseline=runs.baseline,
        primary=primary,
        seed_deviation=deviation,
        floor=_name_floor(runs),
        floors={
            metric: None if np.isnan(floor.mean) else floor.mean for metric, floor in floors.items()
        },
        without_shares=without_shares,
        drop=drop,
        bootstrap=bootstrap,
        cluster=unit,
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
        notices=list_run_notices(measured),
        left_out=left_out,
        toolkit=f"actiseg {__version__}",
    )


def _list_folders(frozen: Iterable[Path | str] | Path | str) -> tuple[Path, ...]:
    given = [frozen] if isinstance(frozen, (str, os.PathLike)) else frozen
    if not isinstance(given, Iterable):
        raise refuse_type(given, "a path, or several", "frozen")
    return tuple(as_path(folder, "frozen") for folder in given)


def _refuse_repeated_seeds(frozen: Sequence[Path]) -> None:
    """Raise `InputError` if a folder counts as two seeds, which would then not vary."""
    places = [os.path.realpath(folder) for folder in frozen]
    problems = ProblemCollector()
    for number, folder in enumerate(frozen):
        if places[number] in places[:number]:
            problems.add("is named twice", folder, "give each seed of `frozen` once")
    problems.raise_if_any()


def _name_floor(runs: NoiseRuns) -> str:
    return "frozen" if runs.frozen else "blank"


def _build_curves(
    gathered: Mapping[str, Mapping[str, Mapping[float, Runs]]],
    floors: Mapping[str, Runs],
    builder: CurveBuilder,
    left_out: dict[str, str],
) -> dict[str, list[Curve]]:
    """Return the curves of every metric. Metrics without intervals are added to `left_out`."""
    curves: dict[str, list[Curve]] = {}
    for metric, methods in gathered.items():
        curves[metric] = builder.build(metric, methods, floors.get(metric))
        few = [
            name
            for name, levels in methods.items()
            if not all(are_defined(runs.sums) for runs in levels.values())
        ]
        if few and builder.bootstrap is not None:
            unit = builder.cluster
            left_out[metric] = f"fewer than {MIN_CLUSTERS} {unit}s have it for {', '.join(few)}"
    return curves


def _explain_without_shares(floors: Mapping[str, Runs], runs: NoiseRuns) -> dict[str, str]:
    """Return why some metrics have no shares."""
    reasons = {}
    for metric, floor in floors.items():
        if METRICS[metric].rewards_blank:
            reasons[metric] = "blank masks score well in it, whatever the noise"
        elif np.isnan(floor.mean):
            reasons[metric] = f"{_name_floor(runs)} masks have no value"
    return reasons


def choose_truth_of_runs(
    runs: NoiseRuns,
    gt: GroundTruth | Path | str | None,
    split: str | None,
    sequences: Iterable[str] | Path | str | None,
) -> GroundTruth:
    """Open the ground truth that is named, else the one that the runs name."""
    return choose_truth(
        runs.folders[0],
        runs.truth if gt is None else gt,
        runs.split if split is None else split,
        runs.sequences if sequences is None else sequences,
    )


def _measure_all(
    truth: GroundTruth,
    runs: NoiseRuns,
    options: ScoringOptions,
    workers: int | WorkerPool,
    stage: StageProgress,
) -> tuple[list[MeasuredRun], dict[float, LabelQuality]]:
    """Measure every run and the labels of every noisy copy."""
    problems = ProblemCollector()
    named = [(f"{method} at {level:g}", folder) for method, level, folder in runs.list_runs()]
    named += [("frozen", folder) for folder in runs.frozen]
    measured = measure_runs(truth, named, options, workers, stage, problems)
    labels: dict[float, LabelQuality] = {}
    for level, copy in runs.labels.items():
        with collect_problems(copy, truth, problems):
            clean = _get_root_of_labels(truth)
            labels[level] = measure_labels(copy, clean, options, workers=workers, stage=stage)
    problems.raise_if_any()
    return measured, labels


def _get_root_of_labels(truth: GroundTruth) -> Path:
    if not truth.has_action_lists:
        raise refuse(
            "has no action lists, so no copy of it can have noisy labels",
            truth.root,
            "give the ActionVOS root as `gt`, or leave labels out",
        )
    return truth.root


def _gather_runs(
    runs: NoiseRuns, measured: list[MeasuredRun], names: list[str]
) -> dict[str, dict[str, dict[float, Runs]]]:
    """Return the runs of each metric as sums over clusters, by method and level."""
    remaining = iter(measured)
    summed = {
        method: {
            level: [sum_clusters(next(remaining).sums, names) for _ in folders]
            for level, folders in levels.items()
        }
        for method, levels in runs.methods.items()
    }
    return {
        metric: {
            method: {
                level: Runs(
                    tuple(run[metric] for run in summed[method][level]), find_seeds(folders)
                )
                for level, folders in levels.items()
            }
            for method, levels in runs.methods.items()
        }
        for metric in list_directed(sum_clusters(measured[0].sums, names))
    }


def _gather_floors(
    runs: NoiseRuns, measured: list[MeasuredRun], names: list[str]
) -> dict[str, Runs]:
    """Return what shares are above, by metric: the frozen net, else blank masks."""
    of_frozen = measured[len(measured) - len(runs.frozen) :]
    sums = [sum_clusters(frozen_run.sums, names) for frozen_run in of_frozen]
    if not sums:
        sums = [sum_clusters(measured[0].blank, names)]
    return {
        metric: Runs(
            tuple(run[metric] for run in sums), find_seeds(runs.frozen), fixed=len(sums) == 1
        )
        for metric in list_directed(sums[0])
    }
