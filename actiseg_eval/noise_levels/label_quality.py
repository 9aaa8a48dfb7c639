"""How good the labels of a noisy copy are: its active objects, scored with the clean ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import escape_unprintable
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.split import Split
from actiseg_data.records.recipe_record import ACTIVITY, RECIPE_FILE, read_recipe
from actiseg_data.records.split_documents import SUMMARY_FILE, read_summary
from actiseg_eval.measures.prediction import Prediction
from actiseg_eval.metrics.computing import compute_by_sequence, make_metric_values
from actiseg_eval.metrics.definitions import list_directed
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_folders import FolderPredictions
from actiseg_eval.predictions.prediction_formats import Predictions
from actiseg_eval.predictions.prediction_opening import open_predictions
from actiseg_eval.protocols import DEFAULT_PROTOCOL, Protocol
from actiseg_eval.scoring.folder_scoring import select_sequences
from actiseg_eval.scoring.scoring_options import ScoringOptions, make_options
from actiseg_eval.scoring.sequence_scoring import ScoringJob, score_sequences


@dataclass(frozen=True)
class ChangedItems:
    """How many items text noise, or noise in the labels of active objects, changed.

    Attributes
    ----------
    selected, items : int
        The changed items, and all items.
    """

    selected: int
    items: int


@dataclass(frozen=True)
class LabelQuality:
    """How good the labels of a noisy copy are.

    Attributes
    ----------
    copy : str
        The folder of the copy.
    split : str
        The split of the labels.
    sequences : int
        How many sequences were scored.
    rate : float or None
        The rate of mask noise. None without mask noise.
    metrics : mapping of str to float or None
        By key. None without noise in masks and in labels of active objects: the labels that are
        scored are then the clean ones.
    flipped : ChangedItems or None
        Names of another class. None without text noise.
    renamed : ChangedItems or None
        Of the remaining names, those that were replaced within their class. None without text
        noise.
    activity : ChangedItems or None
        Objects that are active in the copy and were not, or the reverse. None without such noise.
    """

    copy: str
    split: str
    sequences: int
    rate: float | None
    metrics: Mapping[str, float | None] | None
    flipped: ChangedItems | None
    renamed: ChangedItems | None
    activity: ChangedItems | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the label quality as JSON."""
        return {
            "copy": self.copy,
            "split": self.split,
            "sequences": self.sequences,
            "rate": self.rate,
            "figures": None if self.metrics is None else dict(self.metrics),
            "flipped": None if self.flipped is None else dict(vars(self.flipped)),
            "renamed": None if self.renamed is None else dict(vars(self.renamed)),
            "activity": None if self.activity is None else dict(vars(self.activity)),
        }


@dataclass(frozen=True)
class _ActiveLabels(FolderPredictions):
    """The masks of a copy without inactive objects: what a model is trained to predict.

    Attributes
    ----------
    active : mapping of str to frozenset of int
        The ids of the objects that the copy labels as active, by sequence folder.
    """

    active: Mapping[str, frozenset[int]]

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        prediction = super().read(sequence, frame, shape, colours)
        return prediction.keep(self.active[sequence.folder])


def measure_labels(
    copy: Path | str,
    clean: Path | str,
    options: ScoringOptions | None = None,
    *,
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> LabelQuality:
    """Score the masks of a noisy copy with the clean masks of its split as ground truth.

    If the protocol distinguishes active from inactive objects, inactive objects are blanked first,
    because a model is to predict only the active ones. The scores are a reference and not a bound:
    a robust model can do better than its labels.

    Parameters
    ----------
    copy : path
        A noisy split that ``actiseg-noise corrupt`` made.
    clean : path
        The ActionVOS root that the copy was made from.
    options : ScoringOptions, optional
        What to measure, by default the metrics of the default protocol. Missing masks are always an
        error.
    workers : int or WorkerPool
        Processes.
    stage : callable
        Shows the progress.

    Raises
    ------
    InputError
        If the copy is of another dataset, lacks masks, or has no recipe or summary.

    Examples
    --------
    ::

        measure_labels("dataset_visor_boundary_r0.4_s0", "dataset_visor").metrics["giou"]
    """
    copy, clean = Path(copy), Path(clean)
    if options is None:
        options = make_options(
            DEFAULT_PROTOCOL, None, filter=True, missing="error", comparable=True
        )
    summary_path = copy / SUMMARY_FILE
    recipe, summary = read_recipe(copy / RECIPE_FILE), read_summary(summary_path)
    record = Cursor(summary, str(summary_path))
    truth = _open_clean_split(copy, clean, recipe.split, record)
    metrics = None
    sequences = select_sequences(truth, filter=options.filter)
    if recipe.changes_masks or recipe.activity_noise is not None:
        labels = _open_labels(copy, truth, options.protocol)
        job = ScoringJob(truth, labels, replace(options, missing="error"))
        with stage("scoring labels") as progress:
            results = score_sequences(job, sequences, workers, progress)
        sums = compute_by_sequence(results, options.protocol, options.metric_groups)
        metrics = make_metric_values({name: sums[name].ratio for name in list_directed(sums)})
    text = record["text"] if recipe.text_noise is not None else None
    return LabelQuality(
        copy=escape_unprintable(str(copy)),
        split=recipe.split,
        sequences=len(sequences),
        rate=None if recipe.mask_noise is None else recipe.mask_noise.rate,
        metrics=metrics,
        flipped=None if text is None else _read_changes(text["flips"]),
        renamed=None if text is None else _read_changes(text["substitutions"]),
        activity=None
        if recipe.activity_noise is None
        else _read_changes(record["labels"][ACTIVITY]),
    )


def _open_clean_split(copy: Path, clean: Path, name: str, summary: Cursor) -> Split:
    """Open the clean split, with only the sequences of the copy."""
    truth = open_split(clean, name)
    if summary["dataset_fingerprint"].as_text() != truth.fingerprint:
        raise refuse(
            f"is a noisy copy of another list than {name!r} of {clean}",
            copy,
            "give the dataset that it was made from as `gt`, or leave the copy out",
        )
    copied = {sequence.folder for sequence in open_split(copy, name).sequences}
    kept = tuple(sequence for sequence in truth.sequences if sequence.folder in copied)
    return replace(truth, sequences=kept)


def _open_labels(copy: Path, truth: Split, protocol: Protocol) -> Predictions:
    """Open the masks of a copy as predictions, without inactive objects if the protocol says so."""
    opened = open_predictions(copy, truth.sequences)
    problems = ProblemCollector()
    for sequence in truth.sequences:
        for frame in sequence.frames:
            for path in opened.list_missing(sequence, frame):
                problems.add("is missing", path, "make the copy again, or leave it out")
    problems.raise_if_any()
    if protocol.needs_labels and isinstance(opened, FolderPredictions):
        active = {
            sequence.folder: frozenset(
                label.object_id for label in sequence.objects if label.positive
            )
            for sequence in open_split(copy, truth.name).sequences
        }
        return _ActiveLabels(opened.place, opened.tally, opened.extra, opened.folders, active)
    return opened


def _read_changes(cursor: Cursor) -> ChangedItems:
    return ChangedItems(cursor["selected"].as_integer(), cursor["items"].as_integer())
