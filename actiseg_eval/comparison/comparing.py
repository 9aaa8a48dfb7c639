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
from actiseg_eval.metrics.definitions import METRICS, list_directed
from actiseg_eval.metrics.sums import MetricSums, Sums
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.protocols import DEFAULT_PROTOCOL, Protocol
from actiseg_eval.reporting.coverage import list_notices
from actiseg_eval.resampling.bootstrap import (
    LEVEL,
    MIN_CLUSTERS,
    RESAMPLES,
    Bootstrap,
    choose_clusters,
    is_defined,
    sum_clusters,
)
from actiseg_eval.resampling.ratios import (
    apply_holm,
    compare_clusters,
    compare_seeds,
    find_seed_interval,
)
from actiseg_eval.scoring.folder_scoring import MeasuredRun, measure_runs
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
    filter: bool = True,
    missing: str = "error",
    ci: float = LEVEL,
    resamples: int = RESAMPLES,
    cluster: str = "video",
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Comparison:
    """Score methods on the same sequences and compare every two of them.

    Two methods with several seeds each are compared over seeds, by Welch's t. Otherwise videos are
    resampled, the same ones for both methods, and the result says nothing about another seed.

    Parameters
    ----------
    methods : mapping of str to path or paths, or iterable of path or Method
        The folder of each method's predictions, or one for each seed. A folder in a list is a
        method with the folder's name.
    gt, split, sequences, protocol, filter, missing, ci, cluster, workers, stage
        See `actiseg_eval.score`. Without `gt`, the predictions of the first method name it.
    metrics : iterable of str or str, optional
        Metric groups, all but ``failures``.
    resamples : int
        Resamples for the intervals: 100 to 1,000,000.

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
    standings, differences, left_out = _compare_metrics(
        _sum_by_method(methods, measured, names), bootstrap, cluster
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
        notices=list_notices({run.name: run.coverage for run in measured}),
        left_out=left_out,
        standings=standings,
        differences=differences,
    )


def _sum_by_method(
    methods: Sequence[Method], measured: list[MeasuredRun], names: list[str]
) -> dict[str, list[MetricSums]]:
    """Return the sums over clusters of every run, by method."""
    runs = iter(measured)
    return {
        method.name: [sum_clusters(next(runs).sums, names) for _ in method.runs]
        for method in methods
    }


def _compare_metrics(
    runs: Mapping[str, list[MetricSums]], bootstrap: Bootstrap, cluster: str
) -> tuple[dict[str, list[Standing]], dict[str, list[Difference]], dict[str, str]]:
    """Return standings and differences by metric, and why metrics were left out."""
    known = next(iter(runs.values()))[0]
    standings: dict[str, list[Standing]] = {}
    differences: dict[str, list[Difference]] = {}
    left_out = {}
    for metric in list_directed(known):
        sums = {method: [run[metric] for run in seeds] for method, seeds in runs.items()}
        lacking = [name for name, seeds in sums.items() if not all(map(is_defined, seeds))]
        if lacking:
            left_out[metric] = (
                f"fewer than {MIN_CLUSTERS} {cluster}s have it for {', '.join(lacking)}"
            )
            continue
        pairs = [
            compare_pair(first, second, sums, bootstrap, metric=metric, cluster=cluster)
            for first, second in itertools.combinations(runs, 2)
        ]
        differences[metric] = _adjust(pairs)
        standings[metric] = _rank(sums, differences[metric], bootstrap.level, metric)
    return standings, differences, left_out


def compare_pair(
    first: str,
    second: str,
    sums: Mapping[str, list[Sums]],
    bootstrap: Bootstrap,
    *,
    metric: str,
    cluster: str,
) -> Difference:
    """Return how much better one method is than another in one metric.

    Parameters
    ----------
    first, second : str
        The names of the methods.
    sums : mapping of str to list of Sums
        The sums over clusters of each seed, by method.
    bootstrap : Bootstrap
        How to resample.
    metric : str
        The key of the metric.
    cluster : str
        What is resampled, such as ``video``.
    """
    sign, largest = get_sign(metric), 1 - METRICS[metric].least
    gain, source = None, "seeds"
    if len(sums[first]) > 1 and len(sums[second]) > 1:
        seeds = [np.array([sign * run.ratio for run in sums[name]]) for name in (first, second)]
        gain = compare_seeds(seeds[0], seeds[1], bootstrap.level)
    if gain is None:  # one seed, or seeds that do not differ
        gain = compare_clusters(sums[first], sums[second], sign, bootstrap, largest)
        source = f"{cluster}s"
    inside = (max(-largest, gain.interval[0]), min(largest, gain.interval[1]))
    return Difference(first, second, gain.value, inside, gain.share, gain.p, gain.p, source)


def get_sign(metric: str) -> float:
    """Return 1 if higher is better, -1 if lower is."""
    return -1.0 if METRICS[metric].better == "lower" else 1.0


def _adjust(pairs: list[Difference]) -> list[Difference]:
    """Return the differences with p values adjusted over all pairs, see `apply_holm`."""
    adjusted = apply_holm([pair.p for pair in pairs])
    return [replace(pair, adjusted=p) for pair, p in zip(pairs, adjusted, strict=True)]


def _rank(
    sums: Mapping[str, list[Sums]], pairs: list[Difference], level: float, metric: str
) -> list[Standing]:
    """Return the methods by rank, and within a rank the better value first."""
    sign = get_sign(metric)
    better: dict[str, int] = dict.fromkeys(sums, 0)  # how many are significantly better
    for pair in pairs:
        if pair.adjusted < 1 - level and pair.gain != 0:
            better[pair.second if pair.gain > 0 else pair.first] += 1
    standings = []
    for name, runs in sums.items():
        values = [run.ratio for run in runs]
        mean = float(np.mean(values))
        interval = find_seed_interval(values, level, METRICS[metric].least)
        standings.append(Standing(name, mean, tuple(values), interval, 1 + better[name]))
    return sorted(standings, key=lambda standing: (standing.rank, -sign * (standing.value or 0)))
