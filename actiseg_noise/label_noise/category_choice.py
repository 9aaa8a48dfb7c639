"""The categories of a dataset in a recipe, and a confusion matrix with their names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, replace
from pathlib import Path

from actiseg_data.annotations.categories import Category, parse_categories
from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.names import format_names, parse_whole_number
from actiseg_data.records.recipe_record import CLASS, Noise, Recipe
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.text_noise.choices import read_weight_table


def freeze_categories(recipe: Recipe, categories: Iterable[Category]) -> Recipe:
    """Put the categories of a dataset into a recipe whose noise of kind ``class`` has none.

    Other recipes stay as they are.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    categories : iterable of Category
        The categories of the dataset, in any order.

    Raises
    ------
    InputError
        If the categories are faulty: two with one id, or one without a name. If the recipe has
        categories that the dataset lacks.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> recipe = freeze_categories(make_recipe("class", 0.2), [Category(1, "cat", "animal")])
    >>> recipe.noises[0].parameters["categories"]
    [{'id': 1, 'name': 'cat', 'supercategory': 'animal'}]
    """
    known = tuple(categories)
    listed = [asdict(category) for category in known]

    def freeze(noise: Noise) -> Noise:
        if noise.kind != CLASS or not known:
            return noise
        if noise.parameters["categories"] is not None:
            _refuse_other_categories(parse_categories(noise.parameters["categories"]), known)
            return noise
        return replace(noise, parameters={**noise.parameters, "categories": listed})

    return check_recipe(replace(recipe, noises=tuple(map(freeze, recipe.noises))))


def _refuse_other_categories(wanted: Iterable[Category], known: Iterable[Category]) -> None:
    """Refuse categories of a recipe that the dataset does not have under the same ids."""
    names = {category.id: category.name for category in known}
    unknown = [entry for entry in wanted if names.get(entry.id) != entry.name]
    if unknown:
        listed = format_names([f"{entry.id} ({entry.name})" for entry in unknown], 8)
        what = f"has {len(unknown)} categories that the dataset lacks: {listed}"
        hint = "give the dataset that it was made for, or set categories to null in the recipe"
        raise refuse(what, "`recipe`", hint)


def read_category_matrix(path: Path, categories: Iterable[Category]) -> dict[str, dict[str, float]]:
    """Read a confusion matrix with categories of a dataset from a CSV table.

    Parameters
    ----------
    path : Path
        The table, see `actiseg_noise.text_noise.choices.read_weight_table`.
    categories : iterable of Category
        The categories of the dataset. A name that several have is refused: their ids must be given.

    Raises
    ------
    InputError
        With every invalid row and column.
    """
    known = {category.id: category.name for category in categories}
    by_name: dict[str, list[int]] = {}
    for number, name in known.items():
        by_name.setdefault(name.casefold(), []).append(number)

    def find(text: str, where: str) -> int:
        number = parse_whole_number(text.strip())
        if number is not None and number in known:
            return number
        matches = by_name.get(text.strip().casefold(), [])
        if len(matches) == 1:
            return matches[0]
        what = "a name of several categories" if matches else "not a category of the dataset"
        near = "" if matches else suggest(text, known.values())
        raise refuse(f"{text[:40]!r} is {what}{near}", where, "use an id or a name of the dataset")

    return read_weight_table(path, find)
