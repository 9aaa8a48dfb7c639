"""From the noise of a cell to a recipe of `actiseg_noise`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from actiseg_data.core.errors import refuse
from reference_trainer.bench.plan import Settings

if TYPE_CHECKING:
    from actiseg_data.records.recipe_record import Recipe


def make_cell_recipe(
    noise: Settings, dataset: Path | None, split: str, where: str = "`plan`"
) -> Recipe:
    """Make the recipe of a cell.

    Parameters
    ----------
    noise : mapping of str to value
        Either ``type`` or ``preset``, and settings and parameters by name, as in
        `actiseg_noise.corrupt`.
    dataset : Path or None
        The root that a pool of the dataset's classes is taken from.
    split : str
        The split that gets the noise.
    where : str
        The place of the noise, for messages.

    Raises
    ------
    InputError
        If there is no such type, preset or setting.

    Examples
    --------
    >>> recipe = make_cell_recipe({"type": "boundary", "rate": 1}, None, "train")
    >>> recipe.noises[0].rate
    1.0
    """
    from actiseg_noise.corruption.recipe_choice import choose_recipe

    settings = dict(noise)
    names = [settings.pop(key) for key in ("type", "preset") if key in settings]
    if len(names) != 1 or not isinstance(names[0], str):
        raise refuse("has not one of type and preset", where, "name a type or a preset of noise")
    return choose_recipe(names[0], dataset=dataset, **{**settings, "split": split})


def move_recipe(recipe: Recipe, split: str) -> Recipe:
    """Return a recipe for another split: the same noise, with the same pool of classes."""
    return replace(recipe, split=split)
