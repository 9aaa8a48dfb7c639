"""From the arguments of `corrupt` to a recipe."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import check_choice, find_nearest, refuse, suggest
from actiseg_data.layouts.opening import choose_split, has_object_masks, has_polygons, open_split
from actiseg_data.records.recipe_record import CLASS, Recipe
from actiseg_noise.label_noise.category_choice import freeze_categories, read_category_matrix
from actiseg_noise.recipes.building import check_recipe, make_recipe
from actiseg_noise.recipes.kind_parameters import FREQUENCY
from actiseg_noise.recipes.kind_specs import list_own_rates, list_type_names
from actiseg_noise.recipes.polygon_recipes import convert_to_polygons
from actiseg_noise.recipes.presets import load_preset, load_presets

POOLS = ("lexicon", "dataset", FREQUENCY)


def choose_recipe(
    noise: str | Recipe,
    *,
    dataset: Path | None = None,
    lexicon: Lexicon | None = None,
    categories: Iterable[Category] | None = None,
    parameters: Mapping[str, Any] | None = None,
    **settings: Any,
) -> Recipe:
    """Make the recipe that a type or preset with settings describes.

    Parameters
    ----------
    noise : str or Recipe
        A type such as ``boundary``, a preset such as ``actiseg-nl/mask-9`` (also with its version:
        ``actiseg-nl/mask-9@1``), or a recipe. A recipe allows the settings `seed` and `split` only.
    dataset : Path, optional
        Root of the clean dataset, for the pool ``dataset``.
    lexicon : Lexicon, optional
        Lexicon for text noise. Default: the installed one.
    categories : iterable of Category, optional
        The categories of the dataset, which become part of a recipe with noise of kind ``class``.
    parameters : mapping of str to any, optional
        Parameters of the kind, in the form of a recipe.
    **settings
        `rate`, `seed`, `split`, the settings of
        `actiseg_noise.recipes.building.make_recipe`, and parameters of the kind. These may have a
        readable form: `protect` as names or ids of classes, `matrix` as the path of a CSV file,
        `pool` as ``lexicon``, ``dataset`` or ``frequency``, `pipeline` as the name of a spaCy
        pipeline. None means that a setting is not given.

    Returns
    -------
    Recipe
        The checked recipe.

    Raises
    ------
    InputError
        If the type or preset, a setting or a value is unknown, or if no rate is given.

    Examples
    --------
    >>> choose_recipe("boundary", rate=0.4, target_iou=0.7).noises[0].parameters["target_iou"]
    0.7
    >>> choose_recipe("actiseg-nl/mask-9", rate=0.4).noises[0].rate
    0.4
    """
    if categories is not None:
        categories = tuple(categories)
        recipe = choose_recipe(
            noise,
            dataset=dataset,
            lexicon=lexicon,
            parameters=parameters,
            **settings | _resolve_categories(noise, settings, categories),
        )
        return freeze_categories(recipe, categories)
    given = {name: value for name, value in settings.items() if value is not None}
    if isinstance(noise, Recipe):
        return _change_recipe(noise, given, parameters)
    if needs_categories(noise, given):
        hint = "give the path of a dataset with categories"
        raise refuse("names categories, and the dataset has none", "`matrix`", hint)
    resolved = _resolve_names(given, lexicon, dataset)
    known = {**(parameters or {}), **resolved}
    options = {name: value for name, value in given.items() if name not in known}
    # A setting that a kind lacks is refused by its own name; None is a value of parameters alone.
    options |= {name: value for name, value in resolved.items() if value is not None}
    types = list_type_names()
    if noise in types:
        _refuse_missing_rate(noise, options)
        rate = options.pop("rate", 0.0)
        return make_recipe(noise, rate, lexicon=lexicon, parameters=known, **options)
    presets = load_presets()
    if noise.partition("@")[0] in presets:
        preset = load_preset(noise, "`noise`")
        return preset.make_recipe(parameters=known, lexicon=lexicon, **options)
    names = [*types, *presets]
    near = find_nearest(noise, names) or types
    raise refuse(
        f"{noise!r} is not a type or preset of noise{suggest(noise, names)}",
        "`noise`",
        f"use for example {', '.join(near)}",
    )


def fit_recipe(
    recipe: Recipe,
    root: Path,
    *,
    split: str | None = None,
    layout: str | None = None,
    objects: str | None = None,
    overlap: str | None = None,
) -> Recipe:
    """Return the recipe of a type or preset as a dataset can have it.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    root : Path
        The dataset. If it has polygons, noise of masks becomes noise of polygons.
    split : str, optional
        The split that the caller named. By default the usual one of the dataset.
    layout : str, optional
        The layout of the dataset. By default it is recognised.
    objects : str, optional
        The choice of objects that the caller named.
    overlap : str, optional
        The rule for overlaps that the caller named.

    Raises
    ------
    InputError
        For a dataset that cannot be opened, or that cannot have the noise.
    """
    if overlap is not None and has_object_masks(root, layout):
        raise refuse(
            "has no effect on a dataset with a mask for each object, where no object covers "
            "another",
            "`overlap`",
            "leave it out",
        )
    if split is None:
        recipe = replace(recipe, split=choose_split(root, None, layout))
    return convert_to_polygons(recipe, objects) if has_polygons(root, layout) else recipe


def _change_recipe(
    recipe: Recipe, given: Mapping[str, Any], parameters: Mapping[str, Any] | None
) -> Recipe:
    changes = {name: given[name] for name in ("seed", "split") if name in given}
    conflicts = [name for name in (*given, *(parameters or {})) if name not in changes]
    if conflicts:
        names = ", ".join(f"`{name}`" for name in conflicts)
        raise refuse(
            f"{names} cannot be given with a recipe",
            "`recipe`",
            "leave out one of them; only `seed` and `split` can be combined with `recipe`",
        )
    return check_recipe(replace(recipe, **changes))


def _refuse_missing_rate(kind: str, given: Mapping[str, Any]) -> None:
    own = list_own_rates(kind)
    if "rate" in given or (own and given.keys() >= set(own)):
        return
    hint = "give `rate`"
    if own:
        hint += f", or both {' and '.join(f'`{name}`' for name in own)}"
    raise refuse("no noise rate given", "`rate`", hint)


def _resolve_categories(
    noise: str | Recipe, settings: Mapping[str, Any], categories: tuple[Category, ...]
) -> dict[str, Any]:
    """Resolve the path of a matrix of noise in categories to weights by their ids."""
    if not needs_categories(noise, settings):
        return {}
    return {"matrix": read_category_matrix(Path(settings["matrix"]), categories)}


def needs_categories(noise: str | Recipe, settings: Mapping[str, Any]) -> bool:
    """Return whether settings name the file of a matrix, which has names of categories."""
    return noise == CLASS and isinstance(settings.get("matrix"), (str, os.PathLike))


def read_dataset_categories(
    dataset: Path, split: str | None, layout: str | None
) -> tuple[Category, ...] | None:
    """Read the categories of a dataset for `choose_recipe`; None if it has none."""
    name = split or choose_split(dataset, None, layout)
    return open_split(dataset, name, masks=False, layout=layout).read_categories() or None


def _resolve_names(
    given: Mapping[str, Any], lexicon: Lexicon | None, dataset: Path | None
) -> dict[str, Any]:
    """Resolve settings with a readable form to parameters of a recipe."""
    from actiseg_noise.text_noise.choices import (
        find_protected_classes,
        list_dataset_classes,
        read_matrix,
    )

    resolved: dict[str, Any] = {}
    matrix, protect, pool = given.get("matrix"), given.get("protect"), given.get("pool")
    if isinstance(matrix, (str, os.PathLike)):
        resolved["matrix"] = read_matrix(Path(matrix), lexicon or load_lexicon())
    if isinstance(protect, Iterable):
        names = [protect] if isinstance(protect, str) else map(str, protect)
        resolved["protect"] = find_protected_classes(names, lexicon or load_lexicon())
    if isinstance(pool, str):
        check_choice(pool, POOLS, "pool")
        if pool == "dataset" and dataset is None:
            raise refuse("the pool 'dataset' needs a dataset", "`pool`", "give `dataset`")
        resolved["pool"] = FREQUENCY if pool == FREQUENCY else None
        if pool == "dataset" and dataset is not None:
            resolved["pool"] = list_dataset_classes(dataset)
    if isinstance(given.get("pipeline"), str):
        from actiseg_noise.text_noise.mentions import identify_pipeline

        resolved["pipeline"] = identify_pipeline(given["pipeline"])
    return resolved
