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
    from actiseg_noise.corruption.request import type_of
    from actiseg_noise.recipes.building import check_recipe, load_recipe, make_recipe
    from actiseg_noise.recipes.kind_specs import KIND_SPECS, MIXED
    from actiseg_noise.recipes.presets import load_preset

    if file is not None:
        others = [name for name in flags.given if name not in ("--seed", "--split")]
        if others:
            raise refuse(
                f"{', '.join(others)} cannot be given with a recipe file",
                "--recipe",
                "leave out one of them; only --seed and --split go with --recipe",
            )
        given = {name: flags.values.get(name) for name in ("seed", "split")}
        changes = {name: value for name, value in given.items() if value is not None}
        return check_recipe(replace(load_recipe(file), **changes), str(file))
    values = {name: value for name, value in flags.values.items() if value is not None}
    parameters = _parameters(flags, lexicon, root)
    if "preset" in values:
        preset = load_preset(values.pop("preset"))
        of = type_of(preset.recipe())
        if values.pop("kind", of) != of:
            raise refuse(f"{preset.name} is of type {of}", "--type", "leave it out")
        return preset.recipe(parameters=parameters, lexicon=lexicon, **values)
    rates = {"rate", "text_rate", "boundary_rate"} & values.keys()
    enough = "rate" in rates or (values.get("kind") in MIXED and len(rates) == 2)
    if "kind" in values and not enough:
        known_rates = (
            "--rate"
            if values["kind"] not in MIXED
            else ("--rate, or both --text-rate and --boundary-rate")
        )
        raise refuse("how much noise to make is not said", "corrupt", f"give {known_rates}")
    if "kind" not in values:
        known = ", ".join([*KIND_SPECS, *MIXED])
        raise refuse(
            "what noise to make is not said",
            "corrupt",
            f"give --type ({known}) and --rate, or --preset NAME, or --recipe FILE",
        )
    rate = values.pop("rate", 0.0)
    return make_recipe(values.pop("kind"), rate, parameters=parameters, lexicon=lexicon, **values)


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


def _parameters(flags: NoiseFlags, lexicon: Lexicon | None, root: Path | None) -> dict[str, Any]:
    """The kind's parameters: those that name files or things are resolved here."""
    from actiseg_noise.recipes.building import parse_setting

    parameters = {name: value for name, value in flags.parameters.items() if value is not None}
    for name, value in map(parse_setting, flags.settings):
        if name in parameters:
            raise refuse(f"{name} is given twice", "--set", "give it once")
        parameters[name] = value
    if flags.matrix is not None or flags.protect:
        from actiseg_data.annotations.lexicon import load_lexicon
        from actiseg_noise.text_noise.choices import find_protected_classes, read_matrix

        known = lexicon or load_lexicon()
        if flags.matrix is not None:
            parameters["matrix"] = read_matrix(flags.matrix, known)
        if flags.protect:
            parameters["protect"] = find_protected_classes(flags.protect, known)
    if flags.pool not in (None, "lexicon", "dataset"):
        raise refuse(f"the pool {flags.pool!r} is unknown", "--pool", "use lexicon or dataset")
    if flags.pool == "dataset" and root is not None:
        from actiseg_noise.text_noise.choices import list_dataset_classes

        parameters["pool"] = list_dataset_classes(root)
    if flags.pipeline is not None:
        from actiseg_noise.text_noise.mentions import identify_pipeline

        parameters["pipeline"] = identify_pipeline(flags.pipeline)
    return parameters
