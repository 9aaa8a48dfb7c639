"""Where the protocols differ on some predictions: how often each odd case occurs, and what each
protocol makes of the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.mask_folders import FolderSplit
from actiseg_eval.measures.results import SequenceResult
from actiseg_eval.metrics.units import gather_units
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.predictions.prediction_opening import open_predictions
from actiseg_eval.protocols import VOID, Protocol, load_protocol, load_protocols
from actiseg_eval.reporting.score_report import Report
from actiseg_eval.scoring.folder_scoring import (
    Job,
    check_missing,
    score,
    score_sequences,
    scored_sequences,
)


@dataclass(frozen=True)
class Differences:
    """What protocols make of the same predictions.

    cases: how often each case of `Protocol.cases` occurs. outcomes: by protocol, its report, or why
    it refuses.
    """

    protocols: Mapping[str, Protocol]
    cases: Mapping[str, int]
    outcomes: Mapping[str, Report | str]


def compare_protocols(
    truth: GroundTruth,
    predictions: Path,
    *,
    filtered: bool = True,
    missing: str = "error",
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Differences:
    """Score the same predictions under every protocol that can, by counts of pixels and F.

    Parameters as in `actiseg_eval.scoring.folder_scoring.score`. Raises `InputError` where the predictions cannot be
    read.
    """
    known = load_protocols()
    outcomes: dict[str, Report | str] = {}
    sequences = scored_sequences(truth, filtered=filtered)
    everything = replace(
        # Every object of every frame, with nothing taken out.
        load_protocol("vos-benchmark"),
        frames="all",
        counted="every frame",
        extra_ids="matched",
    )
    opened = open_predictions(predictions, truth.sequences)
    job = Job(truth, opened, everything, ("core",), check_missing(missing))
    with stage("looking for cases") as progress:
        cases = _cases(score_sequences(job, sequences, workers, progress))
    for name, protocol in known.items():
        if protocol.needs_labels and isinstance(truth, FolderSplit):
            outcomes[name] = "needs an action list that says what is active"
            continue
        try:
            outcomes[name] = score(
                truth,
                predictions,
                protocol,
                measures=("core", "jf"),
                filtered=filtered,
                missing=missing,
                bootstrap=None,
                workers=workers,
                stage=stage,
            )
        except InputError as refused:
            first, *others = refused.problems
            more = f" (and {len(others)} more)" if others else ""
            outcomes[name] = f"refused: {first.where}: {first.what}{more}"
    return Differences(known, cases, outcomes)


def _cases(results: list[SequenceResult]) -> dict[str, int]:
    units = gather_units(results)
    tally = sum((result.tally for result in results), Counter[str]())
    void = sum(label.object_id == VOID for label in units.labels)
    return {
        "both empty": int((units.union == 0).sum()),
        "truth empty, prediction not": int(((units.truth == 0) & (units.prediction > 0)).sum()),
        "prediction empty, truth not": int(((units.truth > 0) & (units.prediction == 0)).sum()),
        "predicted ids that no object has": tally["frames_with_extra_ids"],
        "first and last frames": sum(min(2, len(of.frames)) for of in results),
        "objects that come late": tally["objects_that_come_late"],
        "void pixels (255)": void,
    }
