"""Options of `corrupt` that describe the noise, and the recipe that they make."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.core.documents import parse_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_noise.cli.kind_flags import LABEL_PANEL, MASK_PANEL, OBJECT_PANEL, TEXT_PANEL
from actiseg_noise.recipes.kind_specs import OVERLAPS, check_type, list_type_names

if TYPE_CHECKING:
    from actiseg_data.annotations.lexicon import Lexicon
    from actiseg_data.records.recipe_record import Recipe


@dataclass(frozen=True)
class RecipeOptions:
    """Options that choose a recipe and change its settings; an option not given is None."""

    kind: Annotated[
        Optional[str],
        typer.Option(
            "--type",
            help="Type of noise, such as boundary or text (actiseg-noise types lists all).",
        ),
    ] = None
    preset: Annotated[
        Optional[str],
        typer.Option(
            help="A named recipe (actiseg-noise presets lists all), also with its version: "
            "NAME@1. Flags override it."
        ),
    ] = None
    recipe: Annotated[
        Optional[Path],
        typer.Option(help="A recipe.json. Only --seed and --split override its values."),
    ] = None
    rate: Annotated[
        Optional[float], typer.Option(help="Share of eligible objects that get noise, from 0 to 1.")
    ] = None
    seed: Annotated[Optional[int], typer.Option(help="Random seed. Default: 0.")] = None
    split: Annotated[
        Optional[str],
        typer.Option(help="Action list to copy. Default: train, or that of the layout."),
    ] = None
    objects: Annotated[
        Optional[str],
        typer.Option(
            help="Eligible objects: positive or all. Default: that of the preset, else positive "
            "for masks and whole objects, and all for text."
        ),
    ] = None
    exact: Annotated[
        bool,
        typer.Option("--exact", help="Select exactly the share --rate of the split, by hash rank."),
    ] = False
    setting: Annotated[
        Optional[list[str]],
        typer.Option(
            "--set", metavar="KEY=VALUE", help="Set a parameter of the type (repeatable)."
        ),
    ] = None
    overlap: Annotated[
        Optional[str],
        typer.Option(
            help=f"Rule for contested pixels: {', '.join(OVERLAPS[:-1])} or {OVERLAPS[-1]}. "
            f"Default: {OVERLAPS[0]}.",
            rich_help_panel=MASK_PANEL,
        ),
    ] = None
    boundary_rate: Annotated[
        Optional[float],
        typer.Option(help="Rate of mask noise (mixed only).", rich_help_panel=MASK_PANEL),
    ] = None
    span: Annotated[
        Optional[str],
        typer.Option(
            help="What one draw is for: clip (an object changes in all its frames) or frame. "
            "Default: clip.",
            rich_help_panel=OBJECT_PANEL,
        ),
    ] = None
    object_rate: Annotated[
        Optional[float],
        typer.Option(
            help="Rate of noise of whole objects (recipes with noise in several media only).",
            rich_help_panel=OBJECT_PANEL,
        ),
    ] = None
    text_rate: Annotated[
        Optional[float],
        typer.Option(help="Rate of text noise (mixed only).", rich_help_panel=TEXT_PANEL),
    ] = None
    scope: Annotated[
        Optional[str],
        typer.Option(
            help="Text to change: prompt (the object's name, or the noun that a referring "
            "expression is about), both (also its mention in the prompt's narration), narration "
            "(only the sequence's narration) or nouns (each noun of a referring expression). "
            "Default: prompt.",
            rich_help_panel=TEXT_PANEL,
        ),
    ] = None
    matrix: Annotated[
        Optional[Path],
        typer.Option(
            help="CSV of weights for --flip matrix or --change matrix: a row for each clean class, "
            "a column for each new class.",
            rich_help_panel=TEXT_PANEL,
        ),
    ] = None
    pool: Annotated[
        Optional[str],
        typer.Option(
            help="Classes to flip to: those of the lexicon, those of the dataset, or those of the "
            "split, each as often as it has objects (frequency). Default: lexicon.",
            rich_help_panel=TEXT_PANEL,
        ),
    ] = None
    protect: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="NAME",
            help="Class whose objects keep their names, and whose names no other object gets "
            "(repeatable), such as 'left hand'.",
            rich_help_panel=TEXT_PANEL,
        ),
    ] = None
    pipeline: Annotated[
        Optional[str],
        typer.Option(
            help="Installed spaCy pipeline for narrations, such as en_core_web_sm. Default: blank.",
            rich_help_panel=TEXT_PANEL,
        ),
    ] = None
    lexicon: Annotated[
        Optional[Path],
        typer.Option(
            help="A lexicon file (actiseg-noise lexicon build). Default: the lexicon of "
            "EPIC-KITCHENS.",
            rich_help_panel=TEXT_PANEL,
        ),
    ] = None

    change: Annotated[
        Optional[str],
        typer.Option(
            help="How labels change. Activity: both, forget (only active objects) or mark (only "
            "inactive ones). Class: uniform, supercategory or matrix. Default: the first.",
            rich_help_panel=LABEL_PANEL,
        ),
    ] = None
    label_rate: Annotated[
        Optional[float],
        typer.Option(
            help="Rate of noise in labels (presets with other noise only).",
            rich_help_panel=LABEL_PANEL,
        ),
    ] = None

    def list_given(self) -> Iterator[str]:
        """List the flags on noise that were given, without ``--recipe`` and ``--lexicon``."""
        for name, value in vars(self).items():
            if _is_given(value) and name not in ("recipe", "lexicon"):
                yield _spell(name)


_FLAGS = {"kind": "--type", "setting": "--set"}
_SPECIAL = ("kind", "preset", "recipe", "setting", "lexicon")
"""Options that `choose_recipe` does not take under the same name, as it takes all others."""


def make_recipe_from_options(
    options: RecipeOptions,
    parameters: Mapping[str, Any],
    lexicon: Lexicon | None,
    dataset: Path | None,
    layout: str | None = None,
) -> Recipe:
    """Make the recipe that the options describe.

    Parameters
    ----------
    options : RecipeOptions
        The options on noise.
    parameters : mapping of str to any
        Parameters of the kind that have a flag; None if a flag was not given.
    lexicon : Lexicon or None
        The lexicon of ``--lexicon``; None for the installed one.
    dataset : Path or None
        The clean dataset, for ``--pool dataset`` and for the categories of ``--matrix``.
    layout : str or None
        The layout of the dataset.

    Returns
    -------
    Recipe

    Raises
    ------
    InputError
        With everything that is wrong with the options.
    """
    from actiseg_noise.corruption.recipe_choice import (
        choose_recipe,
        needs_categories,
        read_dataset_categories,
    )
    from actiseg_noise.recipes.building import load_recipe

    given = {name: value for name, value in parameters.items() if _is_given(value)}
    if options.recipe is not None:
        _refuse_with_recipe([*options.list_given(), *map(_spell, given)])
        recipe = load_recipe(options.recipe)
        return choose_recipe(recipe, seed=options.seed, split=options.split)
    settings = {name: value for name, value in vars(options).items() if name not in _SPECIAL}
    changed = _parse_settings(options.setting or (), given)
    noise, categories = _choose_noise(options), None
    if dataset is not None and needs_categories(noise, settings):
        categories = read_dataset_categories(dataset, options.split, layout)
    try:
        return choose_recipe(
            noise,
            dataset=dataset,
            lexicon=lexicon,
            categories=categories,
            parameters=changed,
            **{name: value for name, value in settings.items() if _is_given(value)},
            **given,
        )
    except InputError as error:
        places = {f"`{name}`": "--set" for name in ("parameters", *changed)}
        raise InputError(
            replace(problem, where=places.get(problem.where, problem.where))
            for problem in error.problems
        ) from None


def _is_given(value: Any) -> bool:
    """Return whether an option was given; a rate of 0 was."""
    return value is not None and value is not False and value != []


def _spell(name: str) -> str:
    return _FLAGS.get(name) or f"--{name.replace('_', '-')}"


def _refuse_with_recipe(flags: list[str]) -> None:
    conflicts = [flag for flag in flags if flag not in ("--seed", "--split")]
    if conflicts:
        raise refuse(
            f"{', '.join(conflicts)} cannot be given with a recipe file",
            "--recipe",
            "leave out one of them; only --seed and --split can be combined with --recipe",
        )


def _choose_noise(options: RecipeOptions) -> str:
    """Choose the type or the preset; both may be given if they agree."""
    from actiseg_noise.recipes.building import name_type
    from actiseg_noise.recipes.presets import load_preset

    if options.kind is not None:
        check_type(options.kind, "--type")
    if options.preset is not None:
        preset_type = name_type(load_preset(options.preset).make_recipe())
        if options.kind not in (None, preset_type):
            raise refuse(f"{options.preset} is of type {preset_type}", "--type", "leave it out")
        return options.preset
    if options.kind is None:
        types = ", ".join(list_type_names())
        hint = f"give --type ({types}) and --rate, or --preset NAME, or --recipe FILE"
        raise refuse("no type of noise given", "corrupt", hint)
    return options.kind


def _parse_settings(settings: Iterable[str], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parse the ``KEY=VALUE`` of ``--set``; a parameter must not be given twice."""
    parsed: dict[str, Any] = {}
    for name, value in map(parse_setting, settings):
        if name in given or name in parsed:
            raise refuse(f"{name} is given twice", "--set", "give it once")
        parsed[name] = value
    return parsed


def parse_setting(text: str) -> tuple[str, Any]:
    """Parse a ``KEY=VALUE``. A value that is not JSON is a string.

    >>> parse_setting("radius=4"), parse_setting("flip=near")
    (('radius', 4), ('flip', 'near'))
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise refuse(
            f"{text!r} does not have the form KEY=VALUE", "--set", "write for example radius=4"
        )
    try:
        return name, parse_json(value.encode("utf-8", "surrogatepass"), "--set")
    except InputError:
        return name, value


def print_changes(file: Path, recipe: Recipe) -> None:
    """Print the differences between a recipe and the file that it was read from."""
    from actiseg_noise.recipes.building import load_recipe

    known = load_recipe(file)
    changes = [
        f"{name} {new} instead of {old}"
        for name, old, new in (
            ("seed", known.seed, recipe.seed),
            ("split", known.split, recipe.split),
        )
        if old != new
    ]
    if changes:
        print(f"changed from {file}: {', '.join(changes)}")
