"""Tell the choice of objects from their masks: figures of raw scores without the activity gate."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from actiseg_data.annotations.raw_scores import LOGITS_FILE
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import escape_unprintable, format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, start_workers
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_eval.comparison.methods import Folders, Method, make_methods
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.raw_scores.figure_estimation import estimate_figures
from actiseg_eval.raw_scores.raw_score_result import (
    CLEAN,
    FIGURES,
    FROZEN,
    MethodFigures,
    RawScoreReport,
    TunedGate,
)
from actiseg_eval.raw_scores.run_measuring import (
    DEFAULT_N_RATE,
    ScoredRun,
    check_n_rate,
    choose_tuning_truth,
    find_active,
    measure_run,
    refuse_one_class,
    sum_at_gate,
    sum_masks,
    tune_run,
)
from actiseg_eval.raw_scores.run_reading import open_scores, refuse_without_logits
from actiseg_eval.reporting.coverage import list_notices
from actiseg_eval.resampling.bootstrap import (
    LEVEL,
    MIN_CLUSTERS,
    RESAMPLES,
    Bootstrap,
    choose_clusters,
    sum_clusters,
)
from actiseg_eval.resampling.linearised import DivisibleStatistic, Ratio
from actiseg_eval.resampling.rankings import Auroc, AveragePrecision, make_ranking
from actiseg_eval.resampling.run_seeds import find_seeds
from actiseg_eval.scoring.folder_scoring import collect_problems
from actiseg_eval.scoring.scoring_options import ScoringOptions, make_bootstrap, make_options
from actiseg_eval.scoring.truth_choice import choose_truth


def measure_raw_scores(
    methods: Mapping[str, Folders] | Iterable[Method | Path | str],
    *,
    gt: GroundTruth | Path | str | None = None,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
    frozen: Folders | None = None,
    clean: Folders | None = None,
    tuning: Mapping[str, Folders] | Iterable[Method] | None = None,
    tuning_gt: GroundTruth | Path | str | None = None,
    tuning_split: str | None = None,
    n_rate: float = DEFAULT_N_RATE,
    filter: bool = True,
    missing: str = "error",
    ci: float = LEVEL,
    resamples: int = RESAMPLES,
    cluster: str = "video",
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> RawScoreReport:
    """Score methods by their raw scores: their choice of objects apart from their masks.

    Parameters
    ----------
    methods : mapping of str to path or paths, or iterable of path or Method
        The folder of each method's predictions, or one for each seed. Each has ``scores.json``,
        and ``scores.npz`` for figures at other gates than its own.
    gt, split, sequences, filter, missing, ci, resamples, cluster, workers, stage
        See `actiseg_eval.score`. The protocol is ``actionvos``.
    frozen, clean : path or paths, optional
        Predictions of the net that the methods started from, and of the run on clean labels: the
        floor and the ceiling of `FigureValue.kept`. Give both or neither.
    tuning : mapping of str to path or paths, or iterable of Method, optional
        For every method, ``frozen`` and ``clean`` too, its predictions of a tuning split: as many
        folders as the method has, in the same order. They set the gate of each run.
    tuning_gt, tuning_split
        The ground truth of the tuning split, by default as its predictions name it.
    n_rate : float
        The gate of a run is the lowest one from which on its n-rate on the tuning split is at most
        this. In [0, 1].

    Returns
    -------
    RawScoreReport
        The figures `FIGURES` of every method, with intervals over clusters, and over seeds where a
        method has several. Seeds are paired as in `actiseg_eval.compare`.

    Raises
    ------
    InputError
        With the problems of all runs; for methods without tuning predictions; for a floor without a
        ceiling.

    Examples
    --------
    ::

        actiseg_eval.measure_raw_scores(
            {"plain": ["run1", "run2"], "gce": "run3"}, frozen="start", clean="plain_clean"
        )
    """
    bootstrap = make_bootstrap(ci, resamples, cluster)
    named = _name_methods(methods, frozen, clean)
    tuned = None if tuning is None else _match_tuning(named, make_methods(tuning, 1, "tuning"))
    share = check_n_rate(n_rate, tuning_gt, tuning_split, tuned=tuned is not None)
    truth = choose_truth(named[0].runs[0], gt, split, sequences)
    refuse_one_class(truth)
    options = make_options("actionvos", "core", filter=filter, missing=missing)
    problems = ProblemCollector()
    with start_workers(workers, __name__) as pool:
        runs = _measure_methods(
            named, truth, options, pool, stage, problems, needs_logits=tuned is not None
        )
        gates: dict[str, tuple[TunedGate, ...]] = {}
        if tuned is not None:
            with problems.collect():
                first = tuned[0].runs[0]
                tuning_truth = choose_tuning_truth(first, tuning_gt, tuning_split, truth)
                measured = _measure_methods(
                    tuned, tuning_truth, options, pool, stage, problems, needs_logits=True
                )
                gates = {
                    name: tuple(tune_run(run, share) for run in measured[name]) for name in runs
                }
        problems.raise_if_any()
    return _make_report(named, runs, gates, truth, bootstrap, share if gates else None)


def _name_methods(
    methods: Mapping[str, Folders] | Iterable[Method | Path | str],
    frozen: Folders | None,
    clean: Folders | None,
) -> list[Method]:
    """Return all methods, the floor and the ceiling last."""
    if (frozen is None) != (clean is None):
        given, lacking = (CLEAN, FROZEN) if frozen is None else (FROZEN, CLEAN)
        raise refuse(f"`{lacking}` is missing", f"`{given}`", "give both, or neither")
    named = make_methods(methods, least=1)
    if frozen is None or clean is None:
        return named
    for method in named:
        if method.name in (FROZEN, CLEAN):
            what = f"{method.name!r} is the name of a reference"
            raise refuse(what, "`methods`", "give the method another name, or leave it out")
    ends = make_methods({FROZEN: frozen, CLEAN: clean})
    return make_methods([*named, *ends], least=1)


def _match_tuning(methods: Sequence[Method], tuning: Sequence[Method]) -> list[Method]:
    """Return the tuning predictions in the order of the methods; refuse others."""
    known = {method.name: method for method in tuning}
    problems = ProblemCollector()
    for name in sorted(set(known) - {method.name for method in methods}):
        problems.add(f"there is no method {name!r}", "`tuning`", "use the names of the methods")
    for method in methods:
        if method.name not in known:
            what = f"{method.name!r} has no predictions of the tuning split"
            problems.add(what, "`tuning`", "give them for every method, also frozen and clean")
        elif len(known[method.name].runs) != len(method.runs):
            count = count_nouns(len(method.runs), "run")
            what = f"{method.name!r} has {count}, but {len(known[method.name].runs)}"
            hint = "give one folder for each, in the same order"
            problems.add(f"{what} in the tuning split", "`tuning`", hint)
    problems.raise_if_any()
    return [known[method.name] for method in methods]


def _measure_methods(
    methods: Sequence[Method],
    truth: GroundTruth,
    options: ScoringOptions,
    workers: int | WorkerPool,
    stage: StageProgress,
    problems: ProblemCollector,
    *,
    needs_logits: bool = False,
) -> dict[str, list[ScoredRun]]:
    """Measure every run of every method; incomplete if `problems` gets any."""
    runs: dict[str, list[ScoredRun]] = {method.name: [] for method in methods}
    for method in methods:
        for folder in method.runs:
            with collect_problems(folder, truth, problems):
                scores = open_scores(folder)
                if needs_logits:
                    hint = f"add {LOGITS_FILE}, or leave out the tuning predictions"
                    refuse_without_logits(scores, hint)
                runs[method.name].append(measure_run(scores, truth, options, workers, stage))
    problems.raise_if_any()
    return runs


def _list_statistics(
    run: ScoredRun, gate: TunedGate | None, names: list[str], *, ungated: bool
) -> dict[str, DivisibleStatistic]:
    """Return the figures of a run as statistics of clusters, by key."""
    figures = ("p_miou", "p_miou_hand_free")
    sums = sum_masks(run, figures, figures if ungated else ())
    if gate is not None:
        sums |= {f"{name}_tuned": rate for name, rate in sum_at_gate(run, gate.gate).items()}
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    sizes = [len(item.activity) for item in run.activities]
    ranking = make_ranking(
        np.concatenate([item.activity for item in run.activities]),
        np.concatenate([find_active(result) for result in run.results]),
        np.repeat([codes[name] for name in names], sizes).astype(np.int64),
        len(codes),
    )
    ratios = {name: Ratio(ratio) for name, ratio in sum_clusters(sums, names).items()}
    statistics: dict[str, DivisibleStatistic] = {
        "auroc": Auroc(ranking),
        "average_precision": AveragePrecision(ranking),
        **ratios,
    }
    return {name: statistics[name] for name in FIGURES if name in statistics}


def _make_report(
    methods: Sequence[Method],
    runs: Mapping[str, list[ScoredRun]],
    gates: Mapping[str, tuple[TunedGate, ...]],
    truth: GroundTruth,
    bootstrap: Bootstrap | None,
    n_rate: float | None,
) -> RawScoreReport:
    every = [run for seeds in runs.values() for run in seeds]
    left_out = {}
    ungated = all(run.ungated for run in every)
    if not ungated:
        folders = [folder for method in methods for folder in method.runs]
        lacking = [
            str(folder) for folder, run in zip(folders, every, strict=True) if not run.ungated
        ]
        left_out["gate off"] = f"there is no scores.npz in {format_names(lacking)}"
    sequences = [result.sequence for result in every[0].results]
    cluster, names = choose_clusters(sequences, bootstrap or Bootstrap())
    if len(set(names)) < MIN_CLUSTERS and bootstrap is not None:
        left_out["intervals"] = f"there are fewer than {MIN_CLUSTERS} sequences to resample"
        bootstrap = None
    seeds = {
        name: [
            _list_statistics(run, gate, names, ungated=ungated)
            for run, gate in zip(
                method_runs, gates.get(name, [None] * len(method_runs)), strict=True
            )
        ]
        for name, method_runs in runs.items()
    }
    known_seeds = {method.name: find_seeds(method.runs) for method in methods}
    figures, no_gain = estimate_figures(seeds, known_seeds, bootstrap, cluster)
    active = np.concatenate([find_active(result) for result in every[0].results])
    labels = {
        f"{name} ({escape_unprintable(str(folder))})": run.coverage
        for method in methods
        for name, folder, run in zip(
            [method.name] * len(method.runs), method.runs, runs[method.name], strict=True
        )
    }
    return RawScoreReport(
        split=truth.name,
        rendered=has_rendered_frames(truth.root),
        objects=len(active),
        active=int(active.sum()),
        n_rate=n_rate,
        bootstrap=bootstrap,
        cluster=cluster,
        clusters=len(set(names)),
        notices=list_notices(labels),
        left_out=left_out,
        no_gain=no_gain,
        methods=[
            MethodFigures(
                name=method.name,
                folders=tuple(escape_unprintable(str(run)) for run in method.runs),
                gates=gates.get(method.name, ()),
                figures=figures[method.name],
            )
            for method in methods
        ],
    )
