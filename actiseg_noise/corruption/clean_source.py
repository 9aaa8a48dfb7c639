"""Open the clean split that noise is made from, and complete the recipe with what it has."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.layouts.dataset_opening import open_dataset
from actiseg_data.layouts.document_search import find_document
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.opening import locate_split, open_split
from actiseg_data.layouts.sequence_record import DatasetForm
from actiseg_data.layouts.split import Split
from actiseg_data.make.prepare.noisy_annotations import describe_noise_of_files
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe
from actiseg_noise.label_noise.category_choice import freeze_categories
from actiseg_noise.media.registry import needs_masks
from actiseg_noise.text_noise.choices import freeze_frequencies


def open_clean_split(
    dataset: Path, recipe: Recipe, *, layout: str | None = None, form: DatasetForm | None = None
) -> Split:
    """Open the split that a recipe names.

    Parameters
    ----------
    dataset : Path
        Root of the clean dataset.
    recipe : Recipe
        A checked recipe.
    layout : str, optional
        The layout of the dataset. By default it is recognised.
    form : DatasetForm, optional
        Where a dataset without action lists keeps its files. By default the layout says it.

    Raises
    ------
    InputError
        For a dataset that is already noisy, or that cannot be opened.
    """
    if (locate_split(dataset)[0] / RECIPE_FILE).is_file():
        raise refuse(
            f"is already a noisy split ({RECIPE_FILE})",
            dataset,
            "give the clean dataset; the type mixed makes mask noise and text noise at once",
        )
    if form is None:
        split = open_split(dataset, recipe.split, masks=needs_masks(recipe), layout=layout)
    else:
        split = open_dataset(dataset, form, recipe.split)
    _refuse_noisy_documents(split)
    return split


def freeze_recipe(recipe: Recipe, split: Split) -> Recipe:
    """Put into a recipe what its noise takes from the clean split: categories and frequencies.

    Raises
    ------
    InputError
        If the recipe has categories that the split lacks.
    """
    if recipe.class_noise is not None:
        recipe = freeze_categories(recipe, split.read_categories())
    return freeze_frequencies(recipe, split.sequences)


def _refuse_noisy_documents(split: Split) -> None:
    """Refuse documents with masks that a noisy copy around their folder lists."""
    if isinstance(split, DocumentSplit):
        files = [find_document(split.root, name) for name in split.form.mask_documents]
        stated = describe_noise_of_files(files)
        if stated is not None:
            hint = "give the clean dataset"
            raise refuse(f"is a part of a noisy copy: {stated}", split.root, hint)
