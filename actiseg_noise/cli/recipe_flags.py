"""From the flags of `corrupt` to a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from actiseg_data.core.errors import refuse

if TYPE_CHECKING:
    from actiseg_data.annotations.lexicon import Lexicon
    from actiseg_data.records.split_records import Recipe


@dataclass(frozen=True)
class NoiseFlags:
    """What was given of the flags on noise; those that were not given are None.

    values: of the recipe itself (``kind``, ``preset``, ``rate``, ``objects``, ...). parameters: of
    the kind. settings: ``key=value`` texts. protect, matrix, pool, pipeline: see `resolved`.
    """

    values: Mapping[str, Any]
    parameters: Mapping[str, Any]
    settings: tuple[str, ...]
    protect: tuple[str, ...]
    matrix: Path | None
    pool: str | None
    pipeline: str | None

    @property
    def given(self) -> list[str]:
        """Names of the flags that were given."""
        one = {"matrix": self.matrix, "pool": self.pool, "pipeline": self.pipeline}
        many = {"set": self.settings, "protect": self.protect}
        single = {**self.values, **self.parameters, **one}
        names = [name for name, value in single.items() if value is not None]
        names += [name for name, value in many.items() if value]
        return ["--" + {"kind": "type"}.get(name, name).replace("_", "-") for name in names]


def recipe_of(
    flags: NoiseFlags, file: Path | None, lexicon: Lexicon | None, root: Path | None
) -> Recipe:
    """The recipe that flags, or a recipe file, ask for.

    lexicon: the one given, None for the installed one. root: the dataset, for ``--pool dataset``.
    """
    from actiseg_noise.corruption.recipe_choice import choose_recipe
    from actiseg_noise.recipes.building import load_recipe, name_type
    from actiseg_noise.recipes.kind_specs import KIND_SPECS, MIXED
    from actiseg_noise.recipes.presets import load_preset

    if file is not None:
        changed = [name for name in flags.given if name not in ("--seed", "--split")]
        if changed:
            raise refuse(
                f"{', '.join(changed)} cannot be given with a recipe file",
                "--recipe",
                "leave out one of them; only --seed and --split go with --recipe",
            )
        return choose_recipe(
            load_recipe(file), seed=flags.values["seed"], split=flags.values["split"]
        )
    values = {name: value for name, value in flags.values.items() if value is not None}
    parameters = _parameters(flags)
    preset, kind = values.pop("preset", None), values.pop("kind", None)
    if preset is not None:
        known = name_type(load_preset(preset).make_recipe())
        if kind not in (None, known):
            raise refuse(f"{preset} is of type {known}", "--type", "leave it out")
    elif kind is None:
        known = ", ".join([*KIND_SPECS, *MIXED])
        raise refuse(
            "what noise to make is not said",
            "corrupt",
            f"give --type ({known}) and --rate, or --preset NAME, or --recipe FILE",
        )
    return choose_recipe(
        preset or kind,
        dataset=root,
        lexicon=lexicon,
        parameters=parameters,
        matrix=flags.matrix,
        protect=flags.protect or None,
        pool=flags.pool,
        pipeline=flags.pipeline,
        **values,
    )


def print_changes(file: Path, recipe: Recipe) -> None:
    """Say in what a recipe departs from the file that it was read from, if it does."""
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
        print(f"another recipe than {file}: {', '.join(changes)}")


def _parameters(flags: NoiseFlags) -> dict[str, Any]:
    """Collect the parameters of the kind that flags and ``--set`` give."""
    from actiseg_noise.recipes.building import parse_setting

    parameters = {name: value for name, value in flags.parameters.items() if value is not None}
    for name, value in map(parse_setting, flags.settings):
        if name in parameters:
            raise refuse(f"{name} is given twice", "--set", "give it once")
        parameters[name] = value
    return parameters
