"""Score predictions against the truth: a whole folder, or frame by frame in a training loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import (
    IndexMask,
    as_index_mask,
    find_ids,
    read_coloured_mask,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import (
    InputError,
    Interruption,
    Problem,
    ProblemCollector,
    refuse,
    suggest,
)
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import Progress, WorkerPool, run_parallel, start_workers
from actiseg_data.layouts.actionvos import Split, list_splits, open_split
from actiseg_data.layouts.davis import find_list_names
from actiseg_data.layouts.mask_folders import FolderSplit
from actiseg_data.records.split_records import LedgerRow, read_predictions_note
from actiseg_eval.measures.meter import SequenceMeter
from actiseg_eval.measures.prediction import Prediction, as_prediction, make_blank_prediction
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.predictions.ground_truth import GroundTruth, open_truth
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_checks import RESPELLED, refuse_blended, refuse_size
from actiseg_eval.predictions.prediction_opening import (
    Predictions,
    find_predictions_note,
    open_predictions,
)
from actiseg_eval.protocols import (
    DEFAULT_PROTOCOL,
    Protocol,
    choose_metric_groups,
    load_protocol,
)
from actiseg_eval.reporting.report_building import make_report
from actiseg_eval.reporting.score_report import Report
from actiseg_eval.resampling.bootstrap import DEFAULT_BOOTSTRAP, Bootstrap
from actiseg_eval.scoring.input_checks import check_results, refuse_unscored

MISSING = ("error", "empty")


class Scorer:
    """Scores frame by frame, as they come, in any order.

    truth: see `open_truth`, for names and labels; sequences are scored that were begun. protocol:
    or its name. measures: some of `METRIC_GROUPS`, by default the protocol's. filtered: pass over
    sequences that people flagged, as `score` does; they are counted. Raises `InputError` where the
    truth has no labels that the protocol needs.

    ::

        scorer = Scorer(open_split(Path("dataset_visor"), "val_human"))
        for sequence, frame, prediction in model.predictions():
            scorer.update(sequence, frame, prediction)
        print(scorer.report())
    """

    def __init__(
        self,
        truth: GroundTruth,
        protocol: Protocol | str = DEFAULT_PROTOCOL,
        measures: Iterable[str] | None = None,
        *,
        filtered: bool = True,
    ) -> None:
        self.truth = truth
        self.protocol = load_protocol(protocol)
        self.measures = choose_metric_groups(measures, self.protocol)
        _refuse_unlabelled(truth, self.protocol)
        self._sequences = {sequence.folder: sequence for sequence in truth.sequences}
        self._filtered = filtered
        self._passed: set[str] = set()
        self._meters: dict[str, SequenceMeter] = {}

    def update(
        self,
        sequence: str,
        frame: str,
        prediction: Any,
        truth: IndexMask | None = None,
    ) -> None:
        """Take in the prediction of one frame; given again, a frame's last prediction counts.

        sequence: its folder. prediction: (H, W) object ids, see `as_index_mask`; or (H, W) masks by
        object id, see `as_binary_mask`, an empty mapping for nothing. truth: like the ids, by
        default read from the dataset. Raises `InputError` for a sequence or frame that there is not,
        another size, other values.
        """
        known = self._sequences.get(sequence)
        if known is None:
            what = f"there is no sequence {sequence!r}{suggest(str(sequence), self._sequences)}"
            raise refuse(what, self.truth.root, "use the names of the split")
        if frame not in known.frames:
            what = f"there is no frame {frame!r}; frames are called {known.frames[0]!r}"
            raise refuse(what, sequence, "use the names of the split, without endings")
        if self._filtered and _flagged(known):
            self._passed.add(sequence)
            return
        place = f"{sequence}, {frame}"
        if truth is None:
            truth = read_index_mask(self.truth.mask_path(known, frame))
        else:
            truth = as_index_mask(truth, f"truth of {place}")
        plain = as_prediction(prediction, f"prediction of {place}", truth.shape)
        refuse_size(plain.shape, truth.shape, place)
        refuse_blended(plain, _known_ids(known, truth), place)
        meter = self._meters.setdefault(
            sequence, SequenceMeter(known, self.protocol, self.measures)
        )
        meter.add(frame, truth, plain)

    def report(self, bootstrap: Bootstrap | None = DEFAULT_BOOTSTRAP) -> Report:
        """The report of all sequences that were begun.

        bootstrap: see `score`. Raises `InputError` where frames are missing, and as `score` does for
        predictions that cannot be of this truth.
        """
        problems = ProblemCollector()
        results = []
        for meter in self._meters.values():
            with problems.collect():
                results.append(meter.build_result())
        if results:
            refuse_unscored([result.sequence for result in results], self.truth, self.protocol)
        check_results(results, self.truth, self.protocol, "predictions", problems)
        problems.raise_if_any()
        handled = Counter(
            sequences_filtered=len(self._passed),
            sequences_not_given=len(self._sequences) - len(self._passed) - len(self._meters),
        )
        return make_report(
            self.truth,
            "as they came",
            results,
            self.protocol,
            self.measures,
            handled,
            bootstrap=bootstrap,
        )


@dataclass(frozen=True)
class Job:
    """What scoring needs to know beside the sequences."""

    truth: GroundTruth
    predictions: Predictions
    protocol: Protocol
    measures: tuple[str, ...]
    missing: str


def score(
    truth: GroundTruth | Path,
    predictions: Path,
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    *,
    split: str | None = None,
    sequences: Path | str | None = None,
    measures: Iterable[str] | None = None,
    filtered: bool = True,
    missing: str = "error",
    ledger: Iterable[LedgerRow] | None = None,
    bootstrap: Bootstrap | None = DEFAULT_BOOTSTRAP,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Report:
    """Score a folder of predictions.

    truth: a root, or what `open_truth` made of it. predictions: see
    `actiseg_eval.predictions.prediction_folders.open_predictions`. protocol: or its name. split, sequences: of a root, see
    `actiseg_eval.predictions.ground_truth.open_truth`. measures: some of `METRIC_GROUPS`, by default the protocol's.
    filtered: leave out sequences that people flagged as redundant, missing or other, as the public
    script does. missing: ``error`` refuses predictions that lack frames, ``empty`` takes them for
    blank. ledger: rows of a noisy split, to divide units by their noise. bootstrap: how intervals
    are made, None for none.

    Every file is looked at before anything is told: raises `InputError` with all that are missing,
    damaged, of another size, truecolour or blended, and where the predictions say that they are of
    another dataset; if no frame is scored under the protocol; and if the predictions cannot belong
    to this truth: not one predicted pixel of a sequence has the id of an object, or palettes show
    ids in the colours of others.

    ::

        print(score(Path("dataset_visor"), Path("preds")))
    """
    predictions = Path(predictions)
    if not isinstance(truth, (Split, FolderSplit)):
        truth = open_truth(Path(truth), split, sequences)
    protocol = load_protocol(protocol)
    chosen = choose_metric_groups(measures, protocol)
    with start_workers(workers, __name__) as members:
        if workers > 1:
            load_lexicon()  # for the report, while the workers start
        results, handled = measure(
            truth,
            predictions,
            protocol,
            chosen,
            filtered=filtered,
            missing=missing,
            workers=members,
            stage=stage,
        )
    return make_report(
        truth, str(predictions), results, protocol, chosen, handled, ledger, bootstrap
    )


def measure(
    truth: GroundTruth,
    predictions: Path,
    protocol: Protocol,
    measures: tuple[str, ...],
    *,
    filtered: bool,
    missing: str,
    workers: int | WorkerPool,
    stage: StageProgress,
) -> tuple[list[SequenceResult], Counter[str]]:
    """The results of all sequences, and counts of what was odd outside of them.

    Parameters, and what is refused, as in `score`.
    """
    check_missing(missing)
    sequences = scored_sequences(truth, filtered=filtered)
    _refuse_unlabelled(truth, protocol)
    refuse_unscored(sequences, truth, protocol)
    _refuse_other_dataset(predictions, truth)
    opened = _open_predictions(predictions, truth)
    job = Job(truth, opened, protocol, measures, missing)
    with stage("scoring") as progress:
        results = score_sequences(job, sequences, workers, progress)
    tally = opened.tally + Counter(sequences_filtered=len(truth.sequences) - len(sequences))
    if isinstance(truth, Split):
        tally[RESPELLED] += len(truth.spellings)
    return results, +tally


@contextmanager
def faults_of(folder: Path, truth: GroundTruth, problems: ProblemCollector) -> Iterator[None]:
    """Keep the problems of one run of several, and add its folder if they do not name it."""
    try:
        yield
    except Interruption:
        raise
    except InputError as refused:
        for problem in refused.problems:
            known = any(str(path) in problem.where for path in (folder, truth.root))
            where = problem.where if known else f"{folder}: {problem.where}"
            problems.collected.append(replace(problem, where=where))


def scored_sequences(truth: GroundTruth, *, filtered: bool) -> tuple[VideoSequence, ...]:
    """The sequences to score: without those that people flagged, if `filtered`."""
    sequences = tuple(of for of in truth.sequences if not (filtered and _flagged(of)))
    if not sequences:
        raise refuse(
            "has no sequence that is not flagged", truth.root, "give --no-filter to score them"
        )
    return sequences


def check_missing(missing: str) -> str:
    """A way to take missing masks; raises `InputError` for an unknown one."""
    if missing not in MISSING:
        raise refuse(f"{missing!r} is unknown", "--missing", f"use one of {', '.join(MISSING)}")
    return missing


def _refuse_unlabelled(truth: GroundTruth, protocol: Protocol) -> None:
    if protocol.needs_labels and isinstance(truth, FolderSplit):
        raise refuse(
            f"has no action list that says what is active, which {protocol.name!r} needs",
            truth.root,
            "give an ActionVOS root, or another --protocol, such as vos-benchmark",
        )


def _known_ids(sequence: VideoSequence, truth: IndexMask) -> Set[int]:
    """The ids of objects: the list's, or, without one, those in sight."""
    return sequence.object_ids or set(find_ids(truth))


_TOGETHER = 8
"""Sequences that a worker gets at a time: most take less time than a message."""


def score_sequences(
    job: Job,
    sequences: Sequence[VideoSequence],
    workers: int | WorkerPool,
    progress: Progress | None,
) -> list[SequenceResult]:
    """Read and measure sequences; `InputError` with the faults of all."""
    parts = [sequences[at : at + _TOGETHER] for at in range(0, len(sequences), _TOGETHER)]
    outcomes = run_parallel(_score_part, job, parts, workers, progress)
    results = [result for outcome in outcomes for result in outcome.results]
    problems = ProblemCollector()
    problems.collected += [problem for outcome in outcomes for problem in outcome.problems]
    check_results(results, job.truth, job.protocol, job.predictions.place, problems)
    problems.raise_if_any()
    return results


@dataclass(frozen=True)
class _Outcome:
    """Results of some sequences, and what is wrong with the others."""

    results: list[SequenceResult]
    problems: list[Problem]


def _score_part(job: Job, sequences: Sequence[VideoSequence]) -> _Outcome:
    problems = ProblemCollector()
    results = []
    for sequence in sequences:
        with problems.collect():
            results.append(_score_sequence(job, sequence))
    return _Outcome(results, problems.collected)


def _flagged(sequence: VideoSequence) -> bool:
    return sequence.redundant or sequence.missing or sequence.other


def _refuse_other_dataset(predictions: Path, truth: GroundTruth) -> None:
    path = find_predictions_note(predictions)
    if path is None:
        return
    note = read_predictions_note(path)
    if note.dataset_fingerprint != truth.fingerprint:
        raise refuse(
            f"the predictions are of another list than {truth.name!r}: of the split {note.split!r} "
            f"of {note.dataset}",
            path,
            "give that dataset as --gt and its --split, or predict this one",
        )


def _open_predictions(path: Path, truth: GroundTruth) -> Predictions:
    """The predictions; where they are of another split of the root, the refusal names it."""
    try:
        return open_predictions(path, truth.sequences)
    except InputError as refused:
        (problem, *others) = refused.problems
        fitting = None if others or isinstance(truth, FolderSplit) else _fitting(path, truth.root)
        if fitting is None:
            raise
        raise refuse(problem.what, path, f"give --split {fitting}, which it fits") from None


def _fitting(path: Path, root: Path) -> str | None:
    """The split of a root that some predictions fit best: with the most of its sequences there, and
    the fewest lacking. None where none has any.
    """
    found: dict[str, tuple[int, int]] = {}
    for name in list_splits(root):
        with suppress(InputError):
            sequences = open_split(root, name, masks=False).sequences
            opened = open_predictions(path, sequences)
            there = sum(not opened.list_missing(of, of.frames[0]) for of in sequences)
            found[name] = (there, -len(sequences))
    return max(found, key=lambda name: found[name]) if found else None


def _score_sequence(job: Job, sequence: VideoSequence) -> SequenceResult:
    """Read and measure one sequence; `InputError` with all of its faults."""
    meter = SequenceMeter(sequence, job.protocol, job.measures)
    paths = dict(zip(sequence.frames, job.truth.mask_paths(sequence), strict=True))
    problems = ProblemCollector()
    lacking = {frame: job.predictions.list_missing(sequence, frame) for frame in meter.scored}
    missing = sum(map(len, lacking.values()))
    if missing and job.missing == "error":
        _add_missing(job, sequence, lacking, problems)
    shape: tuple[int, ...] | None = None
    respelled = 0
    for frame in meter.needed:
        with problems.collect():
            path = paths[frame]
            respelled += path.name != f"{frame}.png"
            truth, palette = read_coloured_mask(path)
            shape = shape or truth.shape
            if truth.shape != shape:
                raise refuse(
                    f"has {truth.shape[1]} x {truth.shape[0]} pixels, other true masks of the "
                    f"sequence {shape[1]} x {shape[0]}",
                    path,
                    "restore the dataset",
                )
            prediction: Prediction = make_blank_prediction(truth.shape)
            if frame in lacking:
                known = _known_ids(sequence, truth)
                colours = TrueColours(palette, known, job.protocol.has_free_ids)
                prediction = job.predictions.read(sequence, frame, truth.shape, colours)
                refuse_blended(prediction, known, job.predictions.name_place(sequence, frame))
            meter.add(frame, truth, prediction)
    problems.raise_if_any()
    try:
        result = meter.build_result()
    except InputError as refused:
        raise InputError(
            replace(problem, where=f"{job.predictions.place}: {problem.where}")
            for problem in refused.problems
        ) from None
    result.tally["missing_masks"] = missing
    result.tally[RESPELLED] = respelled
    return result


def _add_missing(
    job: Job,
    sequence: VideoSequence,
    lacking: Mapping[str, Sequence[str]],
    problems: ProblemCollector,
) -> None:
    """A problem for each missing file, or one for a sequence of which there is none.

    The cure never suggests to score sequences of a plain folder as blank: that would spoil the
    mean.
    """
    hint = "predict it, or give --missing empty"
    if all(lacking.values()) and all(len(paths) == 1 for paths in lacking.values()):
        first = next(iter(lacking.values()))[0]
        near = job.predictions.describe_similar(sequence)
        what = f"no frame of {sequence.folder} was predicted{near}"
        if isinstance(job.truth, FolderSplit) and not job.truth.listed:
            lists = find_list_names(job.truth.root)
            split = f" or --split (there is {', '.join(lists)})" if lists else ""
            hint = f"list the sequences to score with --sequences FILE{split}, or predict it"
        if near:
            hint = "if it is the same clip, rename it; else predict it"
        problems.add(what, first, hint)
        return
    for path in (path for paths in lacking.values() for path in paths):
        problems.add("is missing", path, hint)
