"""Read and measure the masks of every sequence, in several processes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from actiseg_data.annotations.masks import (
    IndexMask,
    check_same_size,
    find_ids,
    read_coloured_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, Problem, ProblemCollector
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_eval.measures.meter import SequenceMeter
from actiseg_eval.measures.prediction import Prediction, make_blank_prediction
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.predictions.object_tracks import TrackTruth
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_checks import RESPELLED, refuse_blended
from actiseg_eval.predictions.prediction_formats import Predictions
from actiseg_eval.scoring.input_checks import check_results
from actiseg_eval.scoring.scoring_options import ScoringOptions

_CHUNK = 8
"""Sequences that a worker gets at a time. Most sequences take less time than a message."""


@dataclass(frozen=True)
class ScoringJob:
    """What every process needs to know to measure sequences."""

    truth: GroundTruth
    predictions: Predictions
    options: ScoringOptions


@dataclass(frozen=True)
class _Outcome:
    """The results of some sequences, and the problems of the others."""

    results: list[SequenceResult]
    problems: list[Problem]


def score_sequences(
    job: ScoringJob,
    sequences: Sequence[VideoSequence],
    workers: int | WorkerPool,
    progress: ProgressCallback | None,
) -> list[SequenceResult]:
    """Read and measure sequences.

    Raises
    ------
    InputError
        With the problems of all sequences.
    """
    chunks = [sequences[start : start + _CHUNK] for start in range(0, len(sequences), _CHUNK)]
    outcomes = run_parallel(_score_chunk, job, chunks, workers, progress)
    results = [result for outcome in outcomes for result in outcome.results]
    problems = ProblemCollector()
    problems.collected += [problem for outcome in outcomes for problem in outcome.problems]
    check_results(results, job.truth, job.options.protocol, job.predictions.place, problems)
    problems.raise_if_any()
    return results


def find_known_ids(sequence: VideoSequence, truth: IndexMask) -> Set[int]:
    """Return the ids of the list's objects, or without a list the ids in the true mask."""
    return sequence.object_ids or set(find_ids(truth))


def _score_chunk(job: ScoringJob, sequences: Sequence[VideoSequence]) -> _Outcome:
    problems = ProblemCollector()
    results = []
    for sequence in sequences:
        with problems.collect():
            results.append(_score_sequence(job, sequence))
    return _Outcome(results, problems.collected)


def _score_sequence(job: ScoringJob, sequence: VideoSequence) -> SequenceResult:
    """Read and measure one sequence. Raise `InputError` with all of its problems."""
    meter = SequenceMeter(sequence, job.options.protocol, job.options.metric_groups)
    paths = dict(zip(sequence.frames, job.truth.find_masks(sequence), strict=True))
    problems = ProblemCollector()
    lacking = {frame: job.predictions.list_missing(sequence, frame) for frame in meter.scored}
    missing = sum(map(len, lacking.values()))
    if missing and job.options.missing == "error":
        _add_missing(job, sequence, lacking, problems)
    shape: tuple[int, ...] | None = None
    respelled = 0
    for frame in meter.needed:
        with problems.collect():
            path = paths[frame]
            respelled += path.suffix.lower() == ".png" and path.name != f"{frame}.png"
            truth, palette = (
                (job.truth.read_mask(sequence, frame), b"")
                if isinstance(job.truth, TrackTruth)
                else read_coloured_mask(path)
            )
            shape = shape or truth.shape
            check_same_size(
                truth.shape, shape, "the sequence's first mask", path, "restore the dataset"
            )
            prediction: Prediction = make_blank_prediction(truth.shape)
            if frame in lacking:
                known = find_known_ids(sequence, truth)
                colours = TrueColours(palette, known, job.options.protocol.has_free_ids)
                prediction = job.predictions.read(sequence, frame, truth.shape, colours)
                refuse_blended(prediction, known, job.predictions.name_place(sequence, frame))
            meter.add(frame, truth, prediction)
    problems.raise_if_any()
    try:
        result = meter.build_result()
    except InputError as error:
        raise InputError(
            replace(problem, where=f"{job.predictions.place}: {problem.where}")
            for problem in error.problems
        ) from None
    result.tally["missing_masks"] = missing
    result.tally[RESPELLED] = respelled
    return result


def _add_missing(
    job: ScoringJob,
    sequence: VideoSequence,
    lacking: Mapping[str, Sequence[str]],
    problems: ProblemCollector,
) -> None:
    """Add a problem for each missing file, or one for a sequence without any file.

    The hint never suggests to score whole sequences of a plain folder as blank, because that would
    spoil the mean.
    """
    hint = "predict it, or set `missing` to empty"
    if all(lacking.values()) and all(len(paths) == 1 for paths in lacking.values()):
        first = next(iter(lacking.values()))[0]
        similar = job.predictions.describe_similar(sequence)
        what = f"no frame of {sequence.folder} was predicted{similar}"
        if not job.truth.listed:
            lists = job.truth.list_names
            split = f", or choose a list with `split` ({', '.join(lists)})" if lists else ""
            hint = f"give a file of the sequences to score as `sequences`{split}; or predict it"
        if similar:
            hint = "rename it if it is the same sequence, else predict it"
        problems.add(what, first, hint)
        return
    for path in (path for paths in lacking.values() for path in paths):
        problems.add("is missing", path, hint)
