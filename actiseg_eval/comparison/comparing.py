"""Is one method better than another? Differences of figures on the same clips, and their chance."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.validation import escape_unprintable
from actiseg_data.core.workers import start_workers
from actiseg_data.records.split_records import has_rendered_frames
from actiseg_eval.measures.results import sum_tallies
from actiseg_eval.metrics.computing import compute_by_sequence
from actiseg_eval.metrics.definitions import METRICS, MetricSums, Sums
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
from actiseg_eval.resampling.ratios import (
    apply_holm,
    compare_clusters,
    compare_seeds,
    find_seed_interval,
)
from actiseg_eval.scoring.folder_scoring import check_missing, faults_of, measure

SCHEMA = "actiseg/comparison/1"


@dataclass(frozen=True)
class Method:
    """A method to compare. runs: folders of predictions, one for each seed."""

    name: str
    runs: tuple[Path, ...]


@dataclass(frozen=True)
class Standing:
    """How a method does in one figure.

    value: the mean over seeds; seeds: of each. interval: of the mean over seeds (Student's t), None
    of one seed. rank: 1 and the number of methods that are better beyond chance: other ranks do not
    mean that two are told apart, which the pairs say.
    """

    name: str
    value: float | None
    seeds: tuple[float | None, ...]
    interval: tuple[float, float] | None
    rank: int


@dataclass(frozen=True)
class Difference:
    """How much better one method is than another in one figure, in the figure's own direction.

    gain: above 0 where `first` is better. interval: of the gain. share: of resamples in which the
    first is better; over seeds, what Student's t gives. p: of no difference, two-sided; adjusted:
    after Holm, over all pairs. by: what the chance is of: ``seeds``, or the clusters that were
    resampled.
    """

    first: str
    second: str
    gain: float
    interval: tuple[float, float]
    share: float
    p: float
    adjusted: float
    by: str


@dataclass(frozen=True)
class Comparison:
    """Methods held against each other.

    rendered: see `Report`. folders: of each method. cluster, clusters: what was resampled, and how
    many there are. notices: what is printed before the tables. standings, differences: by figure.
    left_out: figures that could not be compared, and why.
    """

    protocol: Protocol
    split: str
    rendered: bool
    method: Bootstrap
    folders: Mapping[str, tuple[str, ...]]
    cluster: str
    clusters: int
    notices: Sequence[str]
    left_out: Mapping[str, str]
    standings: Mapping[str, Sequence[Standing]]
    differences: Mapping[str, Sequence[Difference]]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `SCHEMA`."""
        return {
            "schema": SCHEMA,
            "protocol": self.protocol.name,
            "protocol_version": self.protocol.version,
            "split": self.split,
            "rendered_frames": self.rendered,
            "methods": {name: list(of) for name, of in self.folders.items()},
            "level": self.method.level,
            "resamples": self.method.resamples,
            "cluster": self.cluster,
            "cluster_asked": self.method.cluster,
            "clusters": self.clusters,
            "notices": list(self.notices),
            "left_out": dict(self.left_out),
            "standings": {
                figure: [dict(vars(each)) for each in of] for figure, of in self.standings.items()
            },
            "differences": {
                figure: [dict(vars(each)) for each in of] for figure, of in self.differences.items()
            },
        }


def parse_methods(texts: Sequence[str]) -> list[Method]:
    """Methods as people name them: a folder, or ``name=folder,folder`` for several seeds.

    Raises `InputError` for fewer than two, and for a name that stands there twice.

    >>> [method.name for method in parse_methods(["runs/ours", "elr=a,b,c"])]
    ['ours', 'elr']
    """
    methods = []
    problems = ProblemCollector()
    for text in texts:
        name, equals, folders = text.partition("=")
        if not equals or "/" in name or Path(text).exists():  # a folder with = in its name
            name, runs = Path(text).name or text, [text]
        else:
            runs = folders.split(",")
        if not (name and all(runs)):
            problems.add(
                f"{text!r} lacks a name or a folder", "compare", "write name=folder,folder"
            )
        elif len({os.path.realpath(run) for run in runs}) < len(runs):
            problems.add(f"{text!r} names a folder twice", "compare", "give each seed once")
        methods.append(Method(escape_unprintable(name), tuple(map(Path, runs))))
    names = [method.name for method in methods]
    for name in sorted({name for name in names if names.count(name) > 1}):
        problems.add(f"two methods are called {name!r}", "compare", "write name=folder for each")
    if len(methods) < 2:
        problems.add("there is one method", "compare", "give two or more to compare")
    problems.raise_if_any()
    return methods


def compare(
    truth: GroundTruth,
    methods: Sequence[Method],
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    *,
    measures: Sequence[str] | None = None,
    filtered: bool = True,
    missing: str = "error",
    bootstrap: Bootstrap = DEFAULT_BOOTSTRAP,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Comparison:
    """Score methods on the same clips and hold every two against each other.

    methods: see `parse_methods`; the others as in `actiseg_eval.scoring.folder_scoring.score`. Two methods with
    several seeds each are compared over seeds, by Welch's t. Otherwise videos are resampled, the
    same for both, and the chance of another seed is not in the outcome. Raises `InputError` with the
    faults of all runs, and if there are too few sequences.
    """
    protocol = load_protocol(protocol)
    chosen = choose_comparable_groups(measures, protocol)
    check_missing(missing)
    runs: dict[str, list[MetricSums]] = {method.name: [] for method in methods}
    sequences: list[VideoSequence] = []
    coverages: dict[str, Coverage] = {}
    problems = ProblemCollector()
    with start_workers(workers, __name__) as members:
        for name, folder in ((method.name, run) for method in methods for run in method.runs):
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
                coverages[f"{name} ({escape_unprintable(str(folder))})"] = make_coverage(
                    results, protocol, sum_tallies(results, handled)
                )
                runs[name].append(compute_by_sequence(results, protocol, chosen))
        problems.raise_if_any()
    cluster, names = choose_clusters(sequences, bootstrap)
    if len(set(names)) < MIN_CLUSTERS:
        raise refuse(
            f"has {len(sequences)} sequences, fewer than {MIN_CLUSTERS}",
            truth.root,
            "compare on a larger split",
        )
    first = next(iter(runs.values()))[0]
    standings: dict[str, list[Standing]] = {}
    differences: dict[str, list[Difference]] = {}
    left_out = {}
    for figure in (name for name in METRICS if METRICS[name].better and name in first):
        sums = {
            method: [sum_clusters({figure: run[figure]}, names)[figure] for run in of]
            for method, of in runs.items()
        }
        lacking = [name for name, of in sums.items() if not all(map(is_defined, of))]
        if lacking:
            left_out[figure] = (
                f"fewer than {MIN_CLUSTERS} {cluster}s have it for {', '.join(lacking)}"
            )
            continue
        found = [
            difference(one, other, sums, bootstrap, figure=figure, cluster=cluster)
            for one, other in itertools.combinations(runs, 2)
        ]
        differences[figure] = _adjusted(found)
        standings[figure] = _standings(sums, differences[figure], bootstrap.level, figure)
    return Comparison(
        protocol=protocol,
        split=truth.name,
        rendered=has_rendered_frames(truth.root),
        method=bootstrap,
        folders={
            method.name: tuple(escape_unprintable(str(run)) for run in method.runs)
            for method in methods
        },
        cluster=cluster,
        clusters=len(set(names)),
        notices=notices_of(coverages),
        left_out=left_out,
        standings=standings,
        differences=differences,
    )


def difference(
    one: str,
    other: str,
    sums: Mapping[str, list[Sums]],
    bootstrap: Bootstrap,
    *,
    figure: str,
    cluster: str,
) -> Difference:
    """How much better one method is than another in one figure.

    sums: of each method, over clusters, for each seed. cluster: what is resampled.
    """
    sign, most = _sign(figure), 1 - get_minimum(figure)
    found, by = None, "seeds"
    if len(sums[one]) > 1 and len(sums[other]) > 1:
        seeds = [np.array([sign * run.ratio for run in sums[name]]) for name in (one, other)]
        found = compare_seeds(seeds[0], seeds[1], bootstrap.level)
    if found is None:  # one seed, or seeds that do not differ
        found, by = compare_clusters(sums[one], sums[other], sign, bootstrap, most), f"{cluster}s"
    inside = (max(-most, found.interval[0]), min(most, found.interval[1]))
    return Difference(one, other, found.value, inside, found.share, found.p, found.p, by)


def _sign(figure: str) -> float:
    """1 where higher is better, -1 where lower is."""
    return -1.0 if METRICS[figure].better == "lower" else 1.0


def _adjusted(found: list[Difference]) -> list[Difference]:
    """Differences with p adjusted over all of them, see `apply_holm`."""
    over_all = apply_holm([each.p for each in found])
    return [replace(each, adjusted=p) for each, p in zip(found, over_all, strict=True)]


def _standings(
    sums: Mapping[str, list[Sums]],
    found: list[Difference],
    level: float,
    figure: str,
) -> list[Standing]:
    sign = _sign(figure)
    worse: dict[str, int] = dict.fromkeys(sums, 0)
    for each in found:
        if each.adjusted < 1 - level and each.gain != 0:
            worse[each.second if each.gain > 0 else each.first] += 1
    standings = []
    for name, runs in sums.items():
        values = [run.ratio for run in runs]
        mean = float(np.mean(values))
        interval = find_seed_interval(values, level, get_minimum(figure))
        standings.append(Standing(name, mean, tuple(values), interval, 1 + worse[name]))
    return sorted(standings, key=lambda each: (each.rank, -sign * (each.value or 0)))
