"""Inspection of a noisy split that this toolkit made: realised rates, IoU, shifts and text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.expression_documents import find_expressions
from actiseg_data.records.recipe_record import (
    ACTIVITY,
    CLASS,
    RECIPE_FILE,
    Recipe,
    refuse_noisy_source,
)
from actiseg_noise.measurement.activity_changes import ActivityStatistics, measure_activity
from actiseg_noise.measurement.category_changes import (
    CategoryStatistics,
    list_category_items,
    measure_categories,
)
from actiseg_noise.measurement.expression_audit import NO_NOUN, measure_expressions
from actiseg_noise.measurement.mask_inspection import (
    InspectionTask,
    MaskInspection,
    inspect_masks,
)
from actiseg_noise.measurement.medium_result import MediumResult
from actiseg_noise.measurement.text_changes import TextStatistics, measure_text
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.activity_items import list_activity
from actiseg_noise.split.noisy_split import as_lexicon, open_noisy_split
from actiseg_noise.split.text_items import read_noisy_list, read_text_items

INSPECTION_SCHEMA = "actiseg/inspection/2"


@dataclass(frozen=True, repr=False)
class Inspection:
    """The realised noise of a split. In a notebook, it is shown as tables.

    Attributes
    ----------
    recipe : Recipe
        The recipe that the split was made by.
    sequences, frames : int
        How many were inspected.
    masks : MaskInspection or None
        None if the recipe has no mask noise.
    text : TextStatistics or None
        None if the recipe has no text noise.
    activity : ActivityStatistics or None
        None if the recipe has no noise in the labels of active objects.
    categories : CategoryStatistics or None
        None if the recipe has no noise in categories.
    left_out : mapping of str to str
        Metrics that could not be measured, and why. They are None.
    """

    recipe: Recipe
    sequences: int
    frames: int
    masks: MaskInspection | None
    text: TextStatistics | None
    activity: ActivityStatistics | None
    categories: CategoryStatistics | None
    left_out: Mapping[str, str]

    def __repr__(self) -> str:
        kinds = " and ".join(noise.kind for noise in self.recipe.noises)
        return (
            f"<Inspection of {kinds} noise: {count_nouns(self.sequences, 'sequence')}, "
            f"{count_nouns(self.frames, 'frame')}>"
        )

    def _repr_html_(self) -> str:
        from actiseg_data.core.tables import render_report_html
        from actiseg_noise.measurement.inspection_report import describe_inspection

        return render_report_html(describe_inspection(self))

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document, of schema `INSPECTION_SCHEMA`."""
        return {
            "schema": INSPECTION_SCHEMA,
            "recipe": self.recipe.to_dict(),
            "recipe_digest": self.recipe.digest,
            "sequences": self.sequences,
            "frames": self.frames,
            "masks": None if self.masks is None else self.masks.to_dict(),
            "text": None if self.text is None else self.text.to_dict(),
            "activity": None if self.activity is None else self.activity.to_dict(),
            "categories": None if self.categories is None else self.categories.to_dict(),
            "left_out": dict(self.left_out),
        }


def inspect(
    out: PathLike,
    source: PathLike | None = None,
    *,
    only: str | Iterable[str] | None = None,
    lexicon: Lexicon | PathLike | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> Inspection:
    """Measure the noise of a split that `actiseg_noise.corrupt` made.

    Whether the files match the recipe and the ledger is checked by `actiseg_noise.verify`.

    Parameters
    ----------
    out : str or Path
        The noisy split.
    source : str or Path, optional
        The clean dataset. Default: the place that the split's summary names. Without it, mask
        metrics come from the ledger, and those that need clean masks are left out.
    only : str or iterable of str, optional
        Sequence folders to inspect. Default: all.
    lexicon : Lexicon, str or Path, optional
        For names, supercategories and similarities of classes. Default: the lexicon in the split,
        or else the installed one.
    workers : int
        Number of processes. The result does not depend on it.
    stage : StageProgress
        Shows progress.

    Returns
    -------
    Inspection

    Raises
    ------
    InputError
        If files are missing or faulty, or if the masks do not fit the source.

    Examples
    --------
    ::

        inspect("dataset_visor_boundary_r0.4_s0").to_dict()["masks"]["all"]["shift"]["mean"]
    """
    if source is not None:
        refuse_noisy_source(as_path(source, "source"))
    split = open_noisy_split(as_path(out, "out"), source)
    sequences = split.noisy.select(only)
    known = as_lexicon(lexicon) or split.lexicon or load_lexicon()
    task = InspectionTask(split, sequences, known, workers, stage)
    results = {
        medium: measure(task)
        for medium, (has_noise, measure) in _INSPECTORS.items()
        if has_noise(split.recipe)
    }
    nothing: MediumResult[Any] = MediumResult()
    return Inspection(
        recipe=split.recipe,
        sequences=len(sequences),
        frames=sum(len(sequence.frames) for sequence in sequences),
        masks=results.get("masks", nothing).value,
        text=results.get("text", nothing).value,
        activity=results.get(ACTIVITY, nothing).value,
        categories=results.get(CLASS, nothing).value,
        left_out={
            name: reason for result in results.values() for name, reason in result.left_out.items()
        },
    )


def _inspect_text(task: InspectionTask) -> MediumResult[TextStatistics]:
    noise = task.split.recipe.text_noise
    if noise is not None and noise.scope == "narration":
        reason = "only narrations changed: the ledger lists them, and an audit counts them"
        return MediumResult(left_out={"text": reason})
    if find_expressions(task.split.noisy) is not None:
        recipe = check_recipe(task.split.recipe, RECIPE_FILE)
        own = task.split.lexicon or load_lexicon()
        measured = measure_expressions(task.split.noisy, recipe, own, task.sequences)
        statistics = measured.summarise(task.lexicon)
        return MediumResult(statistics, {} if statistics is not None else {"text": NO_NOUN})
    folders = {sequence.folder for sequence in task.sequences}
    lists = task.split.noisy.root / IMAGE_SETS
    items = read_text_items(lists, task.split.recipe.split, None)
    selected = [item for item in items if item.sequence in folders]
    return MediumResult(measure_text(selected, task.lexicon, None))


def _inspect_activity(task: InspectionTask) -> MediumResult[ActivityStatistics]:
    folders = {sequence.folder for sequence in task.sequences}
    name = f"{task.split.recipe.split}.json"
    listed = read_noisy_list(task.split.noisy.root / IMAGE_SETS / name)
    items = [item for item in list_activity(listed) if item.sequence in folders]
    return MediumResult(measure_activity(items, task.lexicon))


def _inspect_classes(task: InspectionTask) -> MediumResult[CategoryStatistics]:
    split = task.split
    items = list_category_items(split.noisy, split.recipe, task.sequences)
    return MediumResult(measure_categories(items) if items else None)


_INSPECTORS: Mapping[
    str, tuple[Callable[[Recipe], bool], Callable[[InspectionTask], MediumResult[Any]]]
] = {
    "masks": (lambda recipe: recipe.changes_masks, inspect_masks),
    "text": (lambda recipe: recipe.text_noise is not None, _inspect_text),
    ACTIVITY: (lambda recipe: recipe.activity_noise is not None, _inspect_activity),
    CLASS: (lambda recipe: recipe.class_noise is not None, _inspect_classes),
}
"""Whether a recipe has noise to inspect, and what inspects it, by member of `Inspection`."""
