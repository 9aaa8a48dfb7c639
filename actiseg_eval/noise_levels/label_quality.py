"""How good the labels of a noisy copy are: its own masks, scored against the clean ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.validation import Cursor, escape_unprintable
from actiseg_data.core.workers import WorkerPool
from actiseg_data.layouts.actionvos import Split, open_split
from actiseg_data.records.split_records import RECIPE_FILE, SUMMARY_FILE, read_recipe, read_summary
from actiseg_eval.measures.prediction import Prediction
from actiseg_eval.metrics.computing import compute_by_sequence
from actiseg_eval.metrics.definitions import METRICS
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_folders import FolderPredictions
from actiseg_eval.predictions.prediction_opening import Predictions, open_predictions
from actiseg_eval.protocols import (
    DEFAULT_PROTOCOL,
    Protocol,
    choose_comparable_groups,
    load_protocol,
)
from actiseg_eval.scoring.folder_scoring import (
    Job,
    score_sequences,
    scored_sequences,
)


@dataclass(frozen=True)
class Share:
    """selected: how many of `items` were changed."""

    selected: int
    items: int


@dataclass(frozen=True)
class LabelQuality:
    """How good the labels of a noisy copy are.

    copy: its folder. split: whose labels they are. sequences: how many were scored. rate: of the
    noise on masks, None where there is none. figures: by key, None where the masks are the clean
    ones, since noise on words alone leaves them. flipped, renamed: names of another class, and of
    the others those that have another name of their class, None where there is no noise on words.
    """

    copy: str
    split: str
    sequences: int
    rate: float | None
    figures: Mapping[str, float | None] | None
    flipped: Share | None
    renamed: Share | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        names = {"flipped": self.flipped, "renamed": self.renamed}
        return {
            **vars(self),
            "figures": None if self.figures is None else dict(self.figures),
            **{name: None if of is None else dict(vars(of)) for name, of in names.items()},
        }


@dataclass(frozen=True)
class _ActiveLabels(FolderPredictions):
    """The masks of a copy without inactive objects: what a learner is to predict."""

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        prediction = super().read(sequence, frame, shape, colours)
        active = [of.object_id for of in sequence.objects if of.positive]
        return prediction.keep(active)


def label_quality(
    copy: Path,
    clean: Path,
    protocol: Protocol | str = DEFAULT_PROTOCOL,
    *,
    measures: Iterable[str] | None = None,
    filtered: bool = True,
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> LabelQuality:
    """Score the masks of a noisy copy against the clean ones of the split that it is of.

    copy: what ``actiseg-noise corrupt`` made. clean: the ActionVOS root that it was made from; the
    others as in `actiseg_eval.scoring.folder_scoring.score`. Where the protocol tells active objects from inactive
    ones, those that are inactive are blanked first: a learner is to predict the others alone. It is
    a reference, no bound: a robust learner can do better than its labels.

    Raises `InputError` where the copy is of another dataset, lacks masks, or has no records.

    ::

        label_quality(Path("dataset_visor_boundary_r0.4_s0"), Path("dataset_visor")).figures["giou"]
    """
    protocol = load_protocol(protocol)
    chosen = choose_comparable_groups(measures, protocol)
    recipe, summary = read_recipe(copy / RECIPE_FILE), read_summary(copy / SUMMARY_FILE)
    truth = _truth_of(copy, clean, recipe.split, Cursor(summary, str(copy / SUMMARY_FILE)))
    noise, figures = recipe.mask_noise, None
    sequences = scored_sequences(truth, filtered=filtered)
    if noise is not None:
        job = Job(truth, _labels(copy, truth, protocol), protocol, chosen, "error")
        with stage("scoring labels") as progress:
            results = score_sequences(job, sequences, workers, progress)
        sums = compute_by_sequence(results, protocol, chosen)
        values = {name: sums[name].ratio for name in METRICS if name in sums}
        figures = {
            name: None if value != value else value
            for name, value in values.items()
            if METRICS[name].better
        }
    words = recipe.text_noise is not None
    told = Cursor(summary, str(copy / SUMMARY_FILE))
    return LabelQuality(
        copy=escape_unprintable(str(copy)),
        split=recipe.split,
        sequences=len(sequences),
        rate=None if noise is None else noise.rate,
        figures=figures,
        flipped=_share(told["text"]["flips"]) if words else None,
        renamed=_share(told["text"]["substitutions"]) if words else None,
    )


def _truth_of(copy: Path, clean: Path, name: str, summary: Cursor) -> Split:
    """The clean split, cut to the sequences of a copy; `InputError` where the copy is of another."""
    truth = open_split(clean, name)
    if summary["dataset_fingerprint"].text() != truth.fingerprint:
        raise refuse(
            f"is a noisy copy of another list than {name!r} of {clean}",
            copy,
            "give the dataset that it was made from as --gt, or leave the copy out",
        )
    there = {sequence.folder for sequence in open_split(copy, name).sequences}
    kept = tuple(of for of in truth.sequences if of.folder in there)
    return replace(truth, sequences=kept)


def _labels(copy: Path, truth: Split, protocol: Protocol) -> Predictions:
    opened = open_predictions(copy, truth.sequences)
    problems = ProblemCollector()
    for sequence in truth.sequences:
        for frame in sequence.frames:
            for path in opened.list_missing(sequence, frame):
                problems.add("is missing", path, "make the copy again, or leave it out")
    problems.raise_if_any()
    if protocol.needs_labels and isinstance(opened, FolderPredictions):
        return _ActiveLabels(opened.root, opened.places, opened.tally)
    return opened


def _share(cursor: Cursor) -> Share:
    return Share(cursor["selected"].integer(), cursor["items"].integer())
