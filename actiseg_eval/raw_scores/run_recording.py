"""Record runs, and join the records of folds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from actiseg_data.annotations.raw_scores import LOGITS_FILE
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import as_path
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import ignore_progress
from actiseg_data.core.workers import WorkerPool, start_workers
from actiseg_data.records.rendered_note import has_rendered_frames
from actiseg_eval.measures.failure_modes import encode_mode
from actiseg_eval.metrics.sums import MetricSums, Sums
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.raw_scores.raw_score_result import TunedGate
from actiseg_eval.raw_scores.record_figures import (
    CURVE_GATES,
    GATED,
    MODES,
    UNGATED,
    list_sums,
    name_rate,
    name_share,
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
from actiseg_eval.raw_scores.run_record import ClusterActivity, RunRecord
from actiseg_eval.resampling.bootstrap import CLUSTERS, sum_clusters
from actiseg_eval.scoring.folder_scoring import collect_problems
from actiseg_eval.scoring.scoring_options import make_options
from actiseg_eval.scoring.truth_choice import choose_truth


def record_run(
    predictions: Path | str,
    *,
    gt: GroundTruth | Path | str | None = None,
    split: str | None = None,
    tuning: Path | str | None = None,
    tuning_gt: GroundTruth | Path | str | None = None,
    tuning_split: str | None = None,
    n_rate: float = DEFAULT_N_RATE,
    workers: int = 1,
) -> RunRecord:
    """Record the figures of a run, so that neither predictions nor dataset are needed later.

    Parameters
    ----------
    predictions : path
        A folder of predictions with ``scores.json`` and ``scores.npz``.
    gt, split, workers
        See `actiseg_eval.score`. The protocol is ``actionvos``.
    tuning : path, optional
        The predictions of a tuning split, which set the gate of ``p_rate_tuned`` and
        ``n_rate_tuned``.
    tuning_gt, tuning_split, n_rate
        See `actiseg_eval.measure_raw_scores`.

    Returns
    -------
    RunRecord
        The figures `RECORD_FIGURES` as sums of each video.

    Raises
    ------
    InputError
        With the problems of both folders.

    Examples
    --------
    ::

        record = actiseg_eval.record_run("run1", tuning="tune1")
        Path("run1.json").write_text(json.dumps(record.to_dict()))
    """
    folder = as_path(predictions, "predictions")
    tuning_folder = None if tuning is None else as_path(tuning, "tuning")
    share = check_n_rate(n_rate, tuning_gt, tuning_split, tuned=tuning_folder is not None)
    truth = choose_truth(folder, gt, split)
    refuse_one_class(truth)
    problems = ProblemCollector()
    gate: TunedGate | None = None
    with start_workers(workers, __name__) as pool:
        with collect_problems(folder, truth, problems):
            run = _measure(folder, truth, pool, finds_modes=True)
        if tuning_folder is not None:
            with problems.collect():
                tuning_truth = choose_tuning_truth(tuning_folder, tuning_gt, tuning_split, truth)
                with collect_problems(tuning_folder, tuning_truth, problems):
                    gate = tune_run(_measure(tuning_folder, tuning_truth, pool), share)
        problems.raise_if_any()
    names = [CLUSTERS["video"](result.sequence) for result in run.results]
    return RunRecord(
        split=truth.name,
        rendered=has_rendered_frames(truth.root),
        dataset_fingerprint=truth.fingerprint,
        clusters=tuple(sorted(set(names))),
        n_rate=None if gate is None else share,
        gates=() if gate is None else (gate,),
        activity=_gather_activity(run, names),
        sums=sum_clusters(_sum_figures(run, gate), names),
    )


def join_records(records: Iterable[RunRecord]) -> RunRecord:
    """Join the records of disjoint videos, such as the folds of one seed, as if they were one run.

    Activity is ranked over the objects of all records. The order of the records has no effect.

    Parameters
    ----------
    records : iterable of RunRecord

    Raises
    ------
    InputError
        If there is no record, if two have a video in common, or if they have different figures.

    Examples
    --------
    ::

        seed = actiseg_eval.join_records([fold1, fold2, fold3])
    """
    ordered = sorted(records, key=lambda record: record.clusters)
    if not ordered:
        raise refuse("there is no record", "`records`", "give the record of each fold")
    if len(ordered) == 1:
        return ordered[0]
    first = ordered[0]
    problems = ProblemCollector()
    counts = Counter(name for record in ordered for name in record.clusters)
    shared = sorted(name for name, count in counts.items() if count > 1)
    if shared:
        what = f"{count_nouns(len(shared), 'video')} are in several records: {format_names(shared)}"
        problems.add(what, "`records`", "give records of different videos")
    if any((record.figures, record.n_rate) != (first.figures, first.n_rate) for record in ordered):
        hint = "record all of them with tuning predictions and the same `n_rate`, or none"
        problems.add("the records have different figures", "`records`", hint)
    problems.raise_if_any()
    names = [name for record in ordered for name in record.clusters]
    activity = [item for record in ordered for item in record.activity]
    order = sorted(range(len(names)), key=names.__getitem__)
    return RunRecord(
        split=", ".join(dict.fromkeys(record.split for record in ordered)),
        rendered=any(record.rendered for record in ordered),
        dataset_fingerprint=digest_json([record.dataset_fingerprint for record in ordered]),
        clusters=tuple(names[position] for position in order),
        n_rate=first.n_rate,
        gates=tuple(gate for record in ordered for gate in record.gates),
        activity=tuple(activity[position] for position in order),
        sums={
            figure: _join_sums([record.sums[figure] for record in ordered], order)
            for figure in first.sums
        },
    )


def _join_sums(parts: list[Sums], order: list[int]) -> Sums:
    """Join the clusters of ratios, and put them in order."""
    above = [sums.numerator for sums in parts]
    below = [sums.denominator for sums in parts if sums.denominator is not None]
    return Sums(np.concatenate(above)[order], np.concatenate(below)[order])


def _measure(
    folder: Path, truth: GroundTruth, pool: int | WorkerPool, *, finds_modes: bool = False
) -> ScoredRun:
    scores = open_scores(folder)
    hint = f"add {LOGITS_FILE}: a record has figures at all gates"
    refuse_without_logits(scores, hint)
    options = make_options("actionvos", "core", filter=True, missing="error")
    return measure_run(scores, truth, options, pool, ignore_progress, finds_modes=finds_modes)


def _gather_activity(run: ScoredRun, names: list[str]) -> tuple[ClusterActivity, ...]:
    """Gather the activity of each cluster, by the name of the cluster of each sequence."""
    scores: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in names}
    for name, result, item in zip(names, run.results, run.activities, strict=True):
        active = find_active(result)
        for members, part in zip((active, ~active), scores[name], strict=True):
            part += item.activity[members].tolist()
    return tuple(
        ClusterActivity(*(tuple(sorted(part)) for part in scores[name])) for name in sorted(scores)
    )


def _sum_figures(run: ScoredRun, gate: TunedGate | None) -> MetricSums:
    """Return all figures but those of activity as sums of each sequence, in the order of keys."""
    sums = sum_masks(run, GATED, UNGATED) | _count_modes(run)
    for step in CURVE_GATES:
        sums |= {name_rate(name, step): rate for name, rate in sum_at_gate(run, step).items()}
    if gate is not None:
        sums |= {f"{name}_tuned": rate for name, rate in sum_at_gate(run, gate.gate).items()}
    return {name: sums[name] for name in list_sums(tuned=gate is not None)}


def _count_modes(run: ScoredRun) -> MetricSums:
    """Return the share of each failure mode as sums of each sequence."""
    counts = np.zeros((len(MODES), len(run.ungated)))
    visible = np.zeros(len(run.ungated))
    for position, ungated in enumerate(run.ungated):
        result, modes = ungated.result, ungated.modes
        assert modes is not None, "the run was measured with modes"
        visible[position] = np.count_nonzero((result.truth > 0) & find_active(result))
        for row, mode in enumerate(MODES):
            counts[row, position] = np.count_nonzero(modes == encode_mode(mode))
    return {name_share(mode): Sums(counts[row], visible) for row, mode in enumerate(MODES)}
