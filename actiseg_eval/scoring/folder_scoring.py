"""Score folders of predictions: one for a report, or several to compare."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.arguments import refuse_type
from actiseg_data.core.errors import InputError, Interruption, ProblemCollector, refuse
from actiseg_data.core.files import as_path
from actiseg_data.core.names import escape_unprintable
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, start_workers
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import LEDGER_FILE, LedgerRow, read_ledger
from actiseg_data.records.prediction_note import read_predictions_note
from actiseg_eval.measures.results import SequenceResult, make_blank_result, sum_tallies
from actiseg_eval.metrics.computing import compute_by_sequence
from actiseg_eval.metrics.sums import MetricSums
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.predictions.object_tracks import TrackTruth, open_track_predictions
from actiseg_eval.predictions.prediction_checks import RESPELLED
from actiseg_eval.predictions.prediction_formats import Predictions
from actiseg_eval.predictions.prediction_opening import (
    find_predictions_note,
    open_predictions,
)
from actiseg_eval.protocols import DEFAULT_PROTOCOL, Protocol
from actiseg_eval.reporting.coverage import Coverage, list_notices, make_coverage
from actiseg_eval.reporting.report_building import ScoredPredictions, make_report
from actiseg_eval.reporting.score_report import Report
from actiseg_eval.resampling.bootstrap import LEVEL, RESAMPLES
from actiseg_eval.scoring.input_checks import refuse_unlabelled, refuse_unscored
from actiseg_eval.scoring.scoring_options import ScoringOptions, make_bootstrap, make_options
from actiseg_eval.scoring.sequence_scoring import ScoringJob, score_sequences
from actiseg_eval.scoring.truth_choice import choose_truth


def score(
    predictions: Path | str,
    *,
    gt: GroundTruth | Path | str | None = None,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    metrics: Iterable[str] | str | None = None,
    filter: bool = True,
    missing: str = "error",
    strata: Iterable[LedgerRow] | Path | str | None = None,
    ci: float = LEVEL,
    resamples: int = RESAMPLES,
    cluster: str = "video",
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Report:
    """Score a folder of predicted masks. The parameters are the flags of `actiseg-eval score`.

    Parameters
    ----------
    predictions : path
        A folder of masks or a JSON file, see docs/scoring.md.
    gt : path or GroundTruth, optional
        The root of the ground truth, or an opened split. By default the dataset that
        ``predictions.json`` names, else ``$ACTISEG_DATASET``, ``./dataset_visor`` or
        ``./actiseg_sample``.
    split : str, optional
        The split of the root. By default as ``predictions.json`` says, else ``val_human``.
    sequences : path or iterable of str, optional
        A text file with the sequences to score, one on each line; or a list of them.
    protocol : str or Protocol
        The rules of the score.
    metrics : iterable of str or str, optional
        Metric groups: ``core``, ``jf``, ``boundary``, ``failures`` or ``all``. By default those of
        the protocol.
    filter : bool
        Whether to leave out the sequences that people flagged, as the public script does.
    missing : {"error", "empty"}
        Whether to refuse predictions with missing masks, or to score these as blank.
    strata : path or iterable of LedgerRow, optional
        The ledger of a noisy split, for metrics by kind and strength of noise.
    ci : float
        The level of the confidence intervals, in (0, 1).
    resamples : int
        Resamples for the intervals: 100 to 1,000,000, or 0 for no intervals.
    cluster : {"video", "participant", "sequence"}
        What is resampled.
    workers : int
        Processes. The result does not depend on it.
    stage : callable
        Shows the progress of each step; see `actiseg_data.core.progress`.

    Returns
    -------
    Report
        Metrics, intervals, strata and more.

    Raises
    ------
    InputError
        With every missing, damaged, mis-sized, truecolour or blended mask; if the predictions name
        another dataset; if the protocol scores no frame; or if the predictions cannot belong to
        this ground truth, because not one predicted pixel of a sequence has the id of an object, or
        because palettes show ids in the colours of others.

    Examples
    --------
    With a dataset, ``score("preds", gt="dataset_visor").metrics["giou"]``. With plain folders:

    >>> import tempfile
    >>> import numpy as np
    >>> from actiseg_data.annotations.masks import write_index_mask
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, width in (("truth", 4), ("preds", 3)):
    ...         mask = np.repeat([[1] * width + [0] * (6 - width)], 6, axis=0).astype(np.uint8)
    ...         write_index_mask(Path(folder, name, "take cup", "0001.png"), mask)
    ...     predictions, truth = Path(folder, "preds"), Path(folder, "truth")
    ...     report = score(predictions, gt=truth, protocol="davis-unsupervised")
    >>> report.metrics["j"]
    0.75
    """
    predictions = as_path(predictions, "predictions")
    bootstrap = make_bootstrap(ci, resamples, cluster)
    truth = choose_truth(predictions, gt, split, sequences)
    options = make_options(protocol, metrics, filter=filter, missing=missing)
    rows = None if strata is None else _list_rows(strata)
    with start_workers(workers, __name__) as pool:
        if workers > 1:
            load_lexicon()  # for the report, while the workers start
        results, handled = measure_folder(truth, predictions, options, pool, stage)
    scored = ScoredPredictions(
        truth, str(predictions), results, options.protocol, options.metric_groups, handled
    )
    return make_report(scored, rows, bootstrap)


def _list_rows(strata: Iterable[LedgerRow] | Path | str) -> list[LedgerRow]:
    """Return the rows of a ledger, after checking that they are rows."""
    if isinstance(strata, (str, os.PathLike)):
        path = Path(strata)
        if path.is_dir():
            raise refuse("is a folder", path, f"give a ledger, such as {path / LEDGER_FILE}")
        return list(read_ledger(path))
    rows = list(strata) if isinstance(strata, Iterable) else [strata]
    for row in rows:
        if not isinstance(row, LedgerRow):
            raise refuse_type(row, "a ledger or a row of one", "strata")
    return rows


@dataclass(frozen=True)
class MeasuredRun:
    """One of several folders of predictions, measured.

    Attributes
    ----------
    sums : dict of str to Sums
        Every metric of each sequence, as sums that can be added up.
    sequences : tuple of VideoSequence
        The sequences, in the order of the sums.
    name : str
        The label and the folder, for messages.
    coverage : Coverage
        How much was scored.
    blank : dict of str to Sums
        The sums of blank masks instead of the predictions.
    """

    sums: MetricSums
    sequences: tuple[VideoSequence, ...]
    name: str
    coverage: Coverage
    blank: MetricSums


def measure_runs(
    truth: GroundTruth,
    runs: Iterable[tuple[str, Path]],
    options: ScoringOptions,
    workers: int | WorkerPool,
    stage: StageProgress,
    problems: ProblemCollector,
) -> list[MeasuredRun]:
    """Measure several folders of predictions of the same split.

    Parameters
    ----------
    truth : GroundTruth
        The ground truth.
    runs : iterable of (str, Path)
        A label and the folder of each run.
    options : ScoringOptions
        What to measure.
    workers : int or WorkerPool
        The processes that all runs share.
    stage : callable
        Shows the progress of each run.
    problems : ProblemCollector
        Gets the problems of every run.

    Returns
    -------
    list of MeasuredRun
        As many as there are runs if `problems` is empty, else fewer.
    """
    measured = []
    for label, folder in runs:
        with collect_problems(folder, truth, problems):
            results, handled = measure_folder(truth, folder, options, workers, stage)
            coverage = make_coverage(results, options.protocol, sum_tallies(results, handled))
            blank = [make_blank_result(result, options.protocol) for result in results]
            measured.append(
                MeasuredRun(
                    sums=compute_by_sequence(results, options.protocol, options.metric_groups),
                    sequences=tuple(result.sequence for result in results),
                    name=f"{label} ({escape_unprintable(str(folder))})",
                    coverage=coverage,
                    blank=compute_by_sequence(blank, options.protocol, options.metric_groups),
                )
            )
    return measured


def list_run_notices(runs: Sequence[MeasuredRun]) -> tuple[str, ...]:
    """Return the lines to print before the tables of several runs on one split."""
    notices = list_notices({run.name: run.coverage for run in runs})
    known: dict[bytes, str] = {}
    copies = []
    for run in runs:
        parts = [part for sums in run.sums.values() for part in (sums.numerator, sums.denominator)]
        content = b"".join(part.tobytes() for part in parts if part is not None)
        original = known.setdefault(content, run.name)
        if original != run.name and not run.coverage.is_blank:
            copies.append(
                f"{run.name} has the scores of {original} in every sequence. Is it a copy?"
            )
    return (*notices, *copies)


def measure_folder(
    truth: GroundTruth,
    predictions: Path,
    options: ScoringOptions,
    workers: int | WorkerPool,
    stage: StageProgress,
) -> tuple[list[SequenceResult], Counter[str]]:
    """Return the results of all sequences, and counts of special cases elsewhere."""
    sequences = select_sequences(truth, filter=options.filter)
    refuse_unlabelled(truth, options.protocol)
    refuse_unscored(sequences, truth, options.protocol)
    _refuse_other_dataset(predictions, truth)
    opened = _open_predictions(predictions, truth)
    with stage("scoring") as progress:
        results = score_sequences(ScoringJob(truth, opened, options), sequences, workers, progress)
    tally = opened.tally + Counter(sequences_filtered=len(truth.sequences) - len(sequences))
    tally[RESPELLED] += len(truth.spellings)
    return results, +tally


@contextmanager
def collect_problems(
    folder: Path, truth: GroundTruth, problems: ProblemCollector
) -> Iterator[None]:
    """Collect the problems of one run of several, with its folder in front of unclear places."""
    try:
        yield
    except Interruption:
        raise
    except InputError as error:
        for problem in error.problems:
            is_clear = any(str(path) in problem.where for path in (folder, truth.root))
            where = problem.where if is_clear else f"{folder}: {problem.where}"
            problems.collected.append(replace(problem, where=where))


def select_sequences(truth: GroundTruth, *, filter: bool) -> tuple[VideoSequence, ...]:
    """Return the sequences to score, without those that people flagged if `filter` is true."""
    sequences = tuple(
        sequence for sequence in truth.sequences if not (filter and is_flagged(sequence))
    )
    if not sequences:
        raise refuse("every sequence is flagged", truth.root, "turn off `filter` to score them")
    return sequences


def is_flagged(sequence: VideoSequence) -> bool:
    """Whether people flagged a sequence as redundant, missing or other."""
    return sequence.redundant or sequence.missing or sequence.flagged_other


def _refuse_other_dataset(predictions: Path, truth: GroundTruth) -> None:
    path = find_predictions_note(predictions)
    if path is None:
        return
    note = read_predictions_note(path)
    if note.dataset_fingerprint != truth.fingerprint:
        raise refuse(
            f"the predictions are not of the list {truth.name!r}, but of the split {note.split!r} "
            f"of {note.dataset}",
            path,
            "give that dataset as `gt` and its `split`, or predict this one",
        )


def _open_predictions(path: Path, truth: GroundTruth) -> Predictions:
    """Open the predictions. If they fit another split of the root, the error names it."""
    if isinstance(truth, TrackTruth):
        return open_track_predictions(path, truth)
    try:
        return open_predictions(path, truth.sequences)
    except InputError as error:
        problem, *more = error.problems
        if more or not truth.has_action_lists:
            raise
        fitting = _find_fitting_split(path, truth.root)
        if fitting is None:
            raise
        raise refuse(problem.what, path, f"set `split` to {fitting}, which fits") from None


def _find_fitting_split(path: Path, root: Path) -> str | None:
    """Return the split with the most predicted sequences, and among equals the smallest one.

    None if no split of the root has any predicted sequence.
    """
    fits: dict[str, tuple[int, int]] = {}
    for name in list_splits(root):
        with suppress(InputError):
            sequences = open_split(root, name, masks=False).sequences
            opened = open_predictions(path, sequences)
            predicted = sum(
                not opened.list_missing(sequence, sequence.frames[0]) for sequence in sequences
            )
            fits[name] = (predicted, -len(sequences))
    return max(fits, key=lambda name: fits[name]) if fits else None
