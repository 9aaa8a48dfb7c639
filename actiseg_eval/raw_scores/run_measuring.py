"""Measure a folder of predictions with raw scores: at its own gate, and at all others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.raw_scores import RawScores
from actiseg_data.core.arguments import check_number
from actiseg_data.core.errors import refuse
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.workers import WorkerPool
from actiseg_eval.measures.results import SequenceResult, sum_tallies
from actiseg_eval.metrics.computing import compute_by_sequence
from actiseg_eval.metrics.sums import MetricSums, Sums
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.raw_scores.gates import find_gate
from actiseg_eval.raw_scores.raw_score_result import TunedGate
from actiseg_eval.raw_scores.run_reading import SequenceActivity, UngatedResult, read_activities
from actiseg_eval.reporting.coverage import Coverage, make_coverage
from actiseg_eval.scoring.folder_scoring import measure_folder
from actiseg_eval.scoring.scoring_options import ScoringOptions, make_options
from actiseg_eval.scoring.truth_choice import choose_truth

DEFAULT_N_RATE = 0.1

_SCORED = "raw scores"


@dataclass(frozen=True)
class ScoredRun:
    """A folder of predictions, measured at its own gate and at all others.

    Attributes
    ----------
    results : list of SequenceResult
        Of the masks in the folder.
    activities : list of SequenceActivity
        The raw scores of the same sequences.
    coverage : Coverage
        How much was scored.
    """

    results: list[SequenceResult]
    activities: list[SequenceActivity]
    coverage: Coverage

    @property
    def ungated(self) -> list[UngatedResult]:
        """What each sequence's masks are at other gates; empty without logits."""
        return [item.ungated for item in self.activities if item.ungated is not None]


def measure_run(
    scores: RawScores,
    truth: GroundTruth,
    options: ScoringOptions,
    workers: int | WorkerPool,
    stage: StageProgress,
    *,
    finds_modes: bool = False,
) -> ScoredRun:
    """Measure a folder of predictions.

    Parameters
    ----------
    scores : RawScores
        The raw scores in the folder.
    truth : GroundTruth
    options : ScoringOptions
        The protocol is ``actionvos``.
    workers : int or WorkerPool
    stage : callable
        Shows the progress of each step.
    finds_modes : bool
        Whether to determine the failure modes of the masks without the gate.

    Raises
    ------
    InputError
        With the problems of all masks; then with those of all raw scores.
    """
    results, handled = measure_folder(truth, scores.folder, options, workers, stage)
    with stage(_SCORED) as progress:
        activities = read_activities(
            scores, truth, results, workers, progress, finds_modes=finds_modes
        )
    coverage = make_coverage(results, options.protocol, sum_tallies(results, handled))
    return ScoredRun(results, activities, coverage)


def refuse_one_class(truth: GroundTruth) -> None:
    """Raise `InputError` if no object is active, so that every figure is undefined."""
    if not any(label.positive for item in truth.sequences for label in item.objects):
        what = f"no object of the split {truth.name!r} is active"
        raise refuse(what, truth.root, "score a split with labels of active objects")


def check_n_rate(
    n_rate: float,
    tuning_gt: GroundTruth | Path | str | None,
    tuning_split: str | None,
    *,
    tuned: bool,
) -> float:
    """Return the largest n-rate on the tuning split.

    Raises
    ------
    InputError
        If it is outside [0, 1], or if a parameter has no effect because nothing is tuned.
    """
    share = check_number(n_rate, "n_rate")
    if not 0 <= share <= 1:
        raise refuse(f"{share} is outside [0, 1]", "`n_rate`", "give a share such as 0.1")
    given = {"tuning_gt": tuning_gt, "tuning_split": tuning_split}
    idle = [f"`{name}`" for name, value in given.items() if value is not None]
    if not tuned and (idle or share != DEFAULT_N_RATE):
        where = ", ".join(idle or ["`n_rate`"])
        raise refuse("has no effect without `tuning`", where, "give `tuning`, or leave it out")
    return share


def choose_tuning_truth(
    predictions: Path,
    gt: GroundTruth | Path | str | None,
    split: str | None,
    truth: GroundTruth,
) -> GroundTruth:
    """Open the ground truth of tuning predictions, see `choose_truth`.

    Raises
    ------
    InputError
        Also if gates would be set on sequences that are scored.
    """
    tuning = choose_truth(predictions, gt, split)
    scored = {item.folder for item in truth.sequences}
    shared = [item.folder for item in tuning.sequences if item.folder in scored]
    if shared:
        count = f"{len(shared)} of its {count_nouns(len(tuning.sequences), 'sequence')}"
        what = f"the tuning split has {count} in common with the scored one: {format_names(shared)}"
        raise refuse(what, "`tuning`", "set gates on other sequences than those that are scored")
    return tuning


def tune_run(run: ScoredRun, share: float) -> TunedGate:
    """Find the gate of a run, with a largest n-rate, from its predictions of the tuning split."""
    lowest, highest = [], []
    for ungated in run.ungated:
        counted = (ungated.result.truth > 0) & ~find_active(ungated.result)
        lowest.append(ungated.lowest[counted])
        highest.append(ungated.highest[counted])
    if not sum(map(len, lowest)):
        what = "has no visible inactive object, so no n-rate sets a gate"
        raise refuse(what, "`tuning`", "use a split with inactive objects")
    return TunedGate(*find_gate(np.concatenate(lowest), np.concatenate(highest), share))


def find_active(result: SequenceResult) -> NDArray[np.bool_]:
    """Return which objects of a sequence are active, (K,)."""
    active = {label.object_id: label.positive for label in result.sequence.objects}
    return np.array([active[object_id] for object_id in result.ids], bool)


def sum_masks(run: ScoredRun, figures: Sequence[str], ungated: Sequence[str]) -> MetricSums:
    """Sum figures of the masks in the folder, and of those without the gate, in each sequence.

    Parameters
    ----------
    run : ScoredRun
    figures, ungated : sequence of str
        Metrics of the group ``core``. The keys of those without the gate end in ``_ungated``.
    """
    options = make_options("actionvos", "core", filter=True, missing="error")
    known = compute_by_sequence(run.results, options.protocol, options.metric_groups)
    sums = {name: known[name] for name in figures}
    if ungated:
        masks = [item.result for item in run.ungated]
        free = compute_by_sequence(masks, options.protocol, options.metric_groups)
        sums |= {f"{name}_ungated": free[name] for name in ungated}
    return sums


def sum_at_gate(run: ScoredRun, gate: float) -> MetricSums:
    """Return ``p_rate`` and ``n_rate`` at a gate, as sums of each sequence."""
    counts = {name: np.zeros((2, len(run.ungated))) for name in ("p_rate", "n_rate")}
    for position, ungated in enumerate(run.ungated):
        predicted = (ungated.lowest < gate) & (gate <= ungated.highest)
        visible, active = ungated.result.truth > 0, find_active(ungated.result)
        for name, members in (("p_rate", visible & active), ("n_rate", visible & ~active)):
            counts[name][:, position] = (members & predicted).sum(), members.sum()
    return {name: Sums(count[0], count[1]) for name, count in counts.items()}
