"""Is one method better than another? Differences on the same sequences, and their significance."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import escape_unprintable
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import start_workers
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_eval.comparison.comparison_result import Comparison, Difference, Standing
from actiseg_eval.comparison.methods import Folders, Method, make_methods
from actiseg_eval.comparison.primary_metric import (
    check_equivalence,
    check_seed_deviation,
    choose_primary,
)
from actiseg_eval.metrics.definitions import METRICS, list_directed
from actiseg_eval.metrics.sums import MetricSums
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.protocols import DEFAULT_PROTOCOL, Protocol
from actiseg_eval.resampling.bootstrap import (
    LEVEL,
    MIN_CLUSTERS,
    RESAMPLES,
    Bootstrap,
    choose_clusters,
    is_defined,
    sum_clusters,
)
from actiseg_eval.resampling.contrasts import SEEDS
from actiseg_eval.resampling.gains import apply_holm, compare_means, find_equivalence
from actiseg_eval.resampling.mean_intervals import find_mean_intervals
from actiseg_eval.resampling.run_means import RunMeans, Runs
from actiseg_eval.resampling.run_seeds import find_seeds
from actiseg_eval.scoring.folder_scoring import MeasuredRun, list_run_notices, measure_runs
from actiseg_eval.scoring.scoring_options import make_options, require_bootstrap
from actiseg_eval.scoring.truth_choice import choose_truth


def compare(
    methods: Mapping[str, Folders] | Iterable[Method | Path | str],
    *,
    gt: GroundTruth | Path | str | None = None,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    metrics: Iterable[str] | str | None = None,
    primary: str | None = None,
    filter: bool = True,
    missing: str = "error",
    ci: float = LEVEL,
    resamples: int = RESAMPLES,
    cluster: str = "video",
    seed_deviation: float | None = None,
    equivalence: float | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Comparison:
    """Score methods on the same sequences and compare every two of them.

    Videos vary, and so do seeds: with several seeds, errors cover both. Seeds are paired if the
    folders of both methods end in the same three or more seeds (``_s1``, ``_seed2``). With one run
    each, errors cover videos alone, and the result says nothing about another seed.

    Parameters
    ----------
    methods : mapping of str to path or paths, or iterable of path or Method
        The folder of each method's predictions, or one for each seed. A folder in a list is a
        method with the folder's name.
    gt, split, sequences, protocol, filter, missing, ci, cluster, workers, stage
        See `actiseg_eval.score`. Without `gt`, the predictions of the first method name it.
    metrics : iterable of str or str, optional
        Metric groups, all but ``failures``.
    primary : str, optional
        The metric whose p values are corrected, and by which methods are ranked. By default the
        first of the protocol. All others are descriptive.
    resamples : int
        Resamples for the intervals: 100 to 1,000,000.
    seed_deviation : float, optional
        The standard deviation of the primary metric over seeds, if it is known from elsewhere. It
        counts for methods with a single run.
    equivalence : float, optional
        Test for each pair whether its difference in the primary metric is smaller than this.

    Returns
    -------
    Comparison
        Ranks, gains, intervals and p values for each metric.

    Raises
    ------
    InputError
        With the problems of all runs, and if there are too few sequences.

    Examples
    --------
    ::

        actiseg_eval.compare({"ours": ["run1", "run2"], "elr": "run3"}, gt="dataset_visor")
    """
    bootstrap = require_bootstrap(ci, resamples, cluster)
    methods = make_methods(methods)
    truth = choose_truth(methods[0].runs[0], gt, split, sequences)
    options = make_options(protocol, metrics, filter=filter, missing=missing, comparable=True)
    primary = choose_primary(primary, options)
    deviation = check_seed_deviation(seed_deviation, (len(method.runs) for method in methods))
    margin = check_equivalence(equivalence, bootstrap.level)
    runs = [(method.name, run) for method in methods for run in method.runs]
    problems = ProblemCollector()
    with start_workers(workers, __name__) as pool:
        measured = measure_runs(truth, runs, options, pool, stage, problems)
        problems.raise_if_any()
    cluster, names = choose_clusters(list(measured[-1].sequences), bootstrap)
    if len(set(names)) < MIN_CLUSTERS:
        raise refuse(
            f"has {len(names)} sequences, fewer than {MIN_CLUSTERS}",
            truth.root,
            "compare on a larger split",
        )
    metric_runs = _gather_runs(methods, measured, names)
    standings: dict[str, list[Standing]] = {}
    differences: dict[str, list[Difference]] = {}
    left_out: dict[str, str] = {}
    for metric, by_method in metric_runs.items():
        lacking = [
            name for name, seeds in by_method.items() if not all(map(is_defined, seeds.sums))
        ]
        if lacking:
            few = f"fewer than {MIN_CLUSTERS} {cluster}s have it for {', '.join(lacking)}"
            left_out[metric] = few
            continue
        means = RunMeans(list(by_method.values()), deviation if metric == primary else None)
        is_primary = metric == primary
        pairs = _compare_pairs(
            list(by_method), means, bootstrap, metric, cluster, margin if is_primary else None
        )
        differences[metric] = _adjust(pairs) if is_primary else pairs
        standings[metric] = _rank(
            by_method, means, differences[metric], bootstrap, metric, ranked=is_primary
        )
    return Comparison(
        protocol=options.protocol,
        split=truth.name,
        rendered=has_rendered_frames(truth.root),
        bootstrap=bootstrap,
        folders={
            method.name: tuple(escape_unprintable(str(run)) for run in method.runs)
            for method in methods
        },
        cluster=cluster,
        clusters=len(set(names)),
        primary=primary,
        seeds={method.name: find_seeds(method.runs) for method in methods},
        seed_deviation=deviation,
        equivalence=margin,
        notices=list_run_notices(measured),
        left_out=left_out,
        standings=standings,
        differences=differences,
    )


def _gather_runs(
    methods: Sequence[Method], measured: list[MeasuredRun], names: list[str]
) -> dict[str, dict[str, Runs]]:
    """Return the runs of each method, by metric, as sums over clusters."""
    remaining = iter(measured)
    summed: dict[str, list[MetricSums]] = {
        method.name: [sum_clusters(next(remaining).sums, names) for _ in method.runs]
        for method in methods
    }
    seeds = {method.name: find_seeds(method.runs) for method in methods}
    return {
        metric: {
            method: Runs(tuple(run[metric] for run in runs), seeds[method])
            for method, runs in summed.items()
        }
        for metric in list_directed(next(iter(summed.values()))[0])
    }


def _compare_pairs(
    names: list[str],
    means: RunMeans,
    bootstrap: Bootstrap,
    metric: str,
    cluster: str,
    margin: float | None,
) -> list[Difference]:
    """Return how much better the first of every two methods is than the second."""
    units, most = np.eye(len(names)), 1 - METRICS[metric].least
    differences = []
    for first, second in itertools.combinations(range(len(names)), 2):
        row = get_sign(metric) * (units[first] - units[second])
        gain = compare_means(means, row, bootstrap, most)
        source = f"{cluster}s{SEEDS[gain.seeds]}"
        equivalence = None
        if margin is not None:
            equivalence = find_equivalence(means, row, bootstrap, margin, most)
        differences.append(Difference(names[first], names[second], gain, None, source, equivalence))
    return differences


def get_sign(metric: str) -> float:
    """Return 1 if higher is better, -1 if lower is."""
    return -1.0 if METRICS[metric].better == "lower" else 1.0


def _adjust(pairs: list[Difference]) -> list[Difference]:
    """Return the differences with p values adjusted over all pairs, see `apply_holm`."""
    adjusted = apply_holm([pair.p for pair in pairs])
    return [replace(pair, adjusted=p) for pair, p in zip(pairs, adjusted, strict=True)]


def _rank(
    runs: Mapping[str, Runs],
    means: RunMeans,
    pairs: list[Difference],
    bootstrap: Bootstrap,
    metric: str,
    *,
    ranked: bool,
) -> list[Standing]:
    """Return the methods by rank, if they are ranked, and then the better value first."""
    sign = get_sign(metric)
    better: dict[str, int] = dict.fromkeys(runs, 0)  # how many are significantly better
    for pair in pairs:
        if pair.adjusted is not None and pair.adjusted < 1 - bootstrap.level and pair.gain != 0:
            better[pair.second if pair.gain > 0 else pair.first] += 1
    units = dict(zip(runs, np.eye(len(runs)), strict=True))
    intervals = find_mean_intervals(means, units, bootstrap, METRICS[metric].least)
    standings = [
        Standing(
            name=name,
            value=method_runs.mean,
            seeds=tuple(run.ratio for run in method_runs.sums),
            interval=intervals[name].ends,
            rank=1 + better[name] if ranked else None,
            degrees=intervals[name].degrees,
            unreached=intervals[name].unreached,
        )
        for name, method_runs in runs.items()
    ]
    return sorted(
        standings, key=lambda standing: (standing.rank or 0, -sign * (standing.value or 0))
    )
