"""Where the protocols differ on some predictions: how often each case occurs, and the outcomes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.annotations.masks import VOID
from actiseg_data.core.errors import InputError
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.tables import Table
from actiseg_eval.measures.results import SequenceResult, sum_tallies
from actiseg_eval.metrics.definitions import format_heading, format_value
from actiseg_eval.metrics.units import gather_units
from actiseg_eval.predictions.ground_truth import GroundTruth
from actiseg_eval.predictions.prediction_opening import open_predictions
from actiseg_eval.protocols import (
    CORE_GROUP,
    F_GROUP,
    Protocol,
    load_protocol,
    load_protocols,
)
from actiseg_eval.reporting.score_report import Report
from actiseg_eval.scoring.folder_scoring import score, select_sequences
from actiseg_eval.scoring.scoring_options import ScoringOptions, check_missing
from actiseg_eval.scoring.sequence_scoring import ScoringJob, score_sequences
from actiseg_eval.scoring.truth_choice import choose_truth

_SHOWN = ("jf", "j", "f", "giou", "n_objects")
"""What the public tools for all of these protocols report."""


@dataclass(frozen=True)
class ProtocolComparison:
    """The outcomes of all protocols on the same predictions.

    Attributes
    ----------
    protocols : mapping of str to Protocol
        All protocols by name.
    cases : mapping of str to int
        How often each case of `Protocol.cases` occurs.
    outcomes : mapping of str to Report or str
        By protocol, its report, or why it refuses the predictions.
    """

    protocols: Mapping[str, Protocol]
    cases: Mapping[str, int]
    outcomes: Mapping[str, Report | str]


def compare_protocols(
    predictions: Path | str,
    *,
    gt: GroundTruth | Path | str | None = None,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
    filter: bool = True,
    missing: str = "error",
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> ProtocolComparison:
    """Score the same predictions under every protocol that can, by pixel counts and F.

    The parameters are those of `actiseg_eval.score`.

    Raises
    ------
    InputError
        If the predictions cannot be read.
    """
    known = load_protocols()
    outcomes: dict[str, Report | str] = {}
    truth = choose_truth(predictions, gt, split, sequences)
    chosen = select_sequences(truth, filter=filter)
    everything = replace(
        # Every object of every frame, with nothing taken out.
        load_protocol("vos-benchmark"),
        frames="all",
        counted="every frame",
        extra_ids="matched",
    )
    opened = open_predictions(Path(predictions), truth.sequences)
    options = ScoringOptions(everything, (CORE_GROUP,), filter, check_missing(missing))
    with stage("looking for cases") as progress:
        results = score_sequences(ScoringJob(truth, opened, options), chosen, workers, progress)
    for name, protocol in known.items():
        if protocol.needs_labels and not truth.has_labels:
            outcomes[name] = "needs an action list with active objects"
            continue
        try:
            outcomes[name] = score(
                predictions,
                gt=truth,
                protocol=protocol,
                metrics=(CORE_GROUP, F_GROUP),
                filter=filter,
                missing=missing,
                resamples=0,
                workers=workers,
                stage=stage,
            )
        except InputError as error:
            problem, *rest = error.problems
            more = f" (and {len(rest)} more)" if rest else ""
            outcomes[name] = f"refused: {problem.where}: {problem.what}{more}"
    return ProtocolComparison(known, _count_cases(results), outcomes)


def _count_cases(results: list[SequenceResult]) -> dict[str, int]:
    units = gather_units(results)
    tally = sum_tallies(results, {})
    void = sum(label.object_id == VOID for label in units.labels)
    return {
        "both empty": int((units.union == 0).sum()),
        "truth empty, prediction not": int(((units.truth == 0) & (units.prediction > 0)).sum()),
        "prediction empty, truth not": int(((units.truth > 0) & (units.prediction == 0)).sum()),
        "predicted ids that no object has": tally["frames_with_extra_ids"],
        "first and last frames": sum(min(2, len(result.frames)) for result in results),
        "objects that come late": tally["objects_that_come_late"],
        "void pixels (255)": void,
    }


def describe_protocols(protocols: Mapping[str, Protocol]) -> Iterator[str]:
    """Yield all protocols, then each case with what the protocols do."""
    for protocol in protocols.values():
        yield f"{protocol.name} {protocol.version}: {protocol.summary}"
        yield f"  source: {protocol.source}"
    for case in next(iter(protocols.values())).cases:
        yield f"{case}:"
        yield from _describe_case(protocols, case)


def describe_protocol_comparison(comparison: ProtocolComparison) -> Iterator[Table | str]:
    """Yield how often each case occurs and what the protocols do, then their metrics."""
    yield "on these predictions:"
    for case, count in comparison.cases.items():
        if count:
            yield f"{case}: {count} times"
            yield from _describe_case(comparison.protocols, case)
        else:
            yield f"{case}: none, so no difference"
    rows = []
    for name, outcome in comparison.outcomes.items():
        if isinstance(outcome, str):
            yield f"  {name}: {outcome}"
        else:
            rows.append([name, *(format_value(outcome.metrics.get(key)) for key in _SHOWN)])
    heads = ["protocol", *map(format_heading, _SHOWN)]
    yield Table("the metrics under each protocol", heads, rows)


def _describe_case(protocols: Mapping[str, Protocol], case: str) -> Iterator[str]:
    """Yield what becomes of a case, and under which protocols."""
    rules: dict[str, list[str]] = {}
    for protocol in protocols.values():
        rules.setdefault(protocol.cases[case], []).append(protocol.name)
    for rule, names in rules.items():
        yield f"  {', '.join(names)}: {rule}"
