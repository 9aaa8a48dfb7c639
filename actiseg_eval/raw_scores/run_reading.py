"""Read the raw scores of a run: activity, masks without a gate, and the gates of every unit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import check_same_size
from actiseg_data.annotations.raw_scores import (
    LOGITS_FILE,
    SCORES_FILE,
    RawScores,
    open_raw_scores,
)
from actiseg_data.core.errors import Problem, ProblemCollector, refuse
from actiseg_data.core.names import format_name
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.predictions.ground_truth import GroundTruth, read_true_mask
from actiseg_eval.raw_scores.gates import remove_gates

_CHUNK = 8


@dataclass(frozen=True)
class UngatedResult:
    """What the masks of a sequence of F frames and K objects would be at other activity gates.

    Attributes
    ----------
    result : SequenceResult
        The result of the masks that the gate 0 makes.
    lowest, highest : (F, K) float64
        The gates at which each object is predicted, see `actiseg_eval.raw_scores.gates`.
    """

    result: SequenceResult
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]


@dataclass(frozen=True)
class SequenceActivity:
    """The raw scores of a sequence of K objects.

    Attributes
    ----------
    activity : (K,) float64
        The activity of each object, in the order of `SequenceResult.ids`.
    ungated : UngatedResult or None
        None without logits.
    """

    activity: NDArray[np.float64]
    ungated: UngatedResult | None


def open_scores(folder: Path) -> RawScores:
    """Open the raw scores of a run; raise `InputError` if the folder has none."""
    if not (folder / SCORES_FILE).is_file():
        hint = (
            "give a folder that `actiseg-train predict` wrote, or write the file (docs/scoring.md)"
        )
        raise refuse(f"has no {SCORES_FILE}, the raw scores", folder, hint)
    return open_raw_scores(folder)


def refuse_without_logits(scores: RawScores) -> None:
    """Raise `InputError` if no masks can be made from raw scores."""
    if not scores.has_logits:
        hint = f"add {LOGITS_FILE}, or leave out the tuning predictions"
        raise refuse(f"has no {LOGITS_FILE}, so other gates have no masks", scores.folder, hint)


@dataclass(frozen=True)
class _ReadingJob:
    scores: RawScores
    truth: GroundTruth


@dataclass(frozen=True)
class _ChunkActivities:
    activities: list[SequenceActivity]
    problems: list[Problem]


def read_activities(
    scores: RawScores,
    truth: GroundTruth,
    results: Sequence[SequenceResult],
    workers: int | WorkerPool,
    progress: ProgressCallback | None,
) -> list[SequenceActivity]:
    """Read the raw scores of the sequences of some results, in their order.

    Raises
    ------
    InputError
        With the problems of all sequences: missing, damaged or of other objects, frames or sizes.
    """
    chunks = [results[start : start + _CHUNK] for start in range(0, len(results), _CHUNK)]
    outcomes = run_parallel(_read_chunk, _ReadingJob(scores, truth), chunks, workers, progress)
    problems = ProblemCollector()
    # A damaged archive is one problem, however many sequences it has.
    collected = (problem for outcome in outcomes for problem in outcome.problems)
    problems.collected += dict.fromkeys(collected)
    problems.raise_if_any()
    return [item for outcome in outcomes for item in outcome.activities]


def _read_chunk(job: _ReadingJob, results: Sequence[SequenceResult]) -> _ChunkActivities:
    problems = ProblemCollector()
    activities = []
    for result in results:
        with problems.collect():
            activities.append(_read_sequence(job, result))
    return _ChunkActivities(activities, problems.collected)


def _read_sequence(job: _ReadingJob, result: SequenceResult) -> SequenceActivity:
    folder = result.sequence.folder
    known = job.scores.read_activity(folder)
    _refuse_lacking(job.scores, folder, "object", result.ids, known)
    activity = np.array([known[object_id] for object_id in result.ids], np.float64)
    if not job.scores.has_logits:
        return SequenceActivity(activity, None)
    scores = job.scores.read(folder)
    _refuse_lacking(job.scores, folder, "frame", result.frames, scores.frames)
    rows = {object_id: row for row, object_id in enumerate(scores.objects)}
    columns = np.array([rows[object_id] for object_id in result.ids], np.int64)
    scored = {frame: row for row, frame in enumerate(result.frames)}
    prediction = np.zeros_like(result.truth)
    intersection = np.zeros_like(result.truth)
    lowest = np.full(result.truth.shape, math.inf)
    highest = lowest.copy()
    for frame, ungated in zip(scores.frames, remove_gates(scores), strict=True):
        if frame not in scored:
            continue
        row = scored[frame]
        true_mask = read_true_mask(job.truth, result.sequence, frame)
        where = job.scores.folder / SCORES_FILE
        check_same_size(
            ungated.mask.shape, true_mask.shape, "the true mask", where, "predict again"
        )
        hit = np.where(ungated.mask == true_mask, ungated.mask, 0)
        prediction[row] = np.bincount(ungated.mask.ravel(), minlength=256)[list(result.ids)]
        intersection[row] = np.bincount(hit.ravel(), minlength=256)[list(result.ids)]
        lowest[row], highest[row] = ungated.lowest[columns], ungated.highest[columns]
    masks = replace(
        result, prediction=prediction, intersection=intersection, values={}, failures=None
    )
    return SequenceActivity(activity, UngatedResult(masks, lowest, highest))


def _refuse_lacking(
    scores: RawScores,
    folder: str,
    noun: str,
    wanted: Sequence[object],
    known: Sequence[object] | Mapping[int, float],
) -> None:
    lacking = [str(item) for item in wanted if item not in known]
    if lacking:
        what = f"has no scores of {noun} {', '.join(lacking)} of {format_name(folder)}"
        raise refuse(what, scores.folder / SCORES_FILE, "predict again")
