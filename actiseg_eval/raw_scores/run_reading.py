"""Read the raw scores of a run: activity, masks without a gate, and the gates of every unit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import VOID, IndexMask, check_same_size
from actiseg_data.annotations.raw_scores import (
    LOGITS_FILE,
    SCORES_FILE,
    RawScores,
    open_raw_scores,
)
from actiseg_data.core.errors import Problem, ProblemCollector, refuse
from actiseg_data.core.names import format_name
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_eval.measures.failure_modes import diagnose, encode_mode
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
    modes : (F, K) int64 or None
        At the gate 0, the code of the failure mode of each visible, active object, see
        `actiseg_eval.measures.failure_modes.encode_mode`; 0 for no failure, and for all other
        objects. None if modes were not determined.
    """

    result: SequenceResult
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    modes: NDArray[np.int64] | None = None


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


def refuse_without_logits(scores: RawScores, hint: str) -> None:
    """Raise `InputError` with a hint if no masks can be made from raw scores."""
    if not scores.has_logits:
        raise refuse(f"has no {LOGITS_FILE}, so other gates have no masks", scores.folder, hint)


@dataclass(frozen=True)
class _ReadingJob:
    scores: RawScores
    truth: GroundTruth
    finds_modes: bool


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
    *,
    finds_modes: bool = False,
) -> list[SequenceActivity]:
    """Read the raw scores of the sequences of some results, in their order.

    `finds_modes` says whether to determine failure modes, which takes longer than all else.

    Raises
    ------
    InputError
        With the problems of all sequences: missing, damaged or of other objects, frames or sizes.
    """
    chunks = [results[start : start + _CHUNK] for start in range(0, len(results), _CHUNK)]
    job = _ReadingJob(scores, truth, finds_modes)
    outcomes = run_parallel(_read_chunk, job, chunks, workers, progress)
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
    modes = np.zeros_like(result.truth) if job.finds_modes else None
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
        if modes is not None:
            modes[row] = _find_modes(result, true_mask, ungated.mask)
    masks = replace(
        result, prediction=prediction, intersection=intersection, values={}, failures=None
    )
    return SequenceActivity(activity, UngatedResult(masks, lowest, highest, modes))


def _find_modes(result: SequenceResult, true_mask: IndexMask, mask: IndexMask) -> NDArray[np.int64]:
    """Find the code of the failure mode of each visible, active object in a frame, (K,)."""
    active = {label.object_id for label in result.sequence.objects if label.positive}
    listed = set(result.ids) - {VOID}
    modes = np.zeros(len(result.ids), np.int64)
    for column, object_id in enumerate(result.ids):
        # An object that is not visible has another failure mode, or none.
        if object_id in active and (true_mask == object_id).any():
            failure = diagnose(true_mask, object_id, mask == object_id, listed, active=True)
            modes[column] = 0 if failure is None else encode_mode(failure.mode)
    return modes


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
