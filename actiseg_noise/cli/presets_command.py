"""`presets`: list the named recipes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.errors import refuse

if TYPE_CHECKING:
    from actiseg_noise.recipes.presets import Preset


def list_presets(
    name: Annotated[
        Optional[str],
        typer.Argument(help="A preset, to show its source and recipe.", show_default=False),
    ] = None,
    noisy: Annotated[
        Optional[Path],
        typer.Option(
            "--of",
            help="A noisy split or a recipe.json: print the published recipe that it has. Exit "
            "with 1 if it has none.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List the presets, or show one with its source, recipe and differences from the original.

    Example: actiseg-noise presets smart/de-EAD
    or: actiseg-noise presets --of actiseg_sample_boundary_r0.4_s0
    """
    from actiseg_noise.recipes.presets import load_preset, load_presets

    if noisy is not None:
        if name is not None:
            raise refuse("a preset and --of were given", "presets", "leave out one of them")
        _name_published(noisy)
    elif name is None:
        _print_presets(load_presets().values())
        print("next: actiseg-noise presets NAME, or actiseg-noise corrupt --preset NAME")
    else:
        preset = load_preset(name, "NAME")
        _show_preset(preset)
        print(f"next: actiseg-noise corrupt --preset {preset.name}@{preset.version}")


def _name_published(noisy: Path) -> None:
    """Print the published recipe of a noisy split or recipe file."""
    from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
    from actiseg_noise.recipes.building import check_recipe
    from actiseg_noise.recipes.published import load_index

    file = noisy / RECIPE_FILE if noisy.is_dir() else noisy
    recipe, index = read_recipe(file), load_index()
    # A recipe of an older release is found as it is; this release may not be able to check it.
    published = index.find_recipe(recipe) or index.find_recipe(check_recipe(recipe, str(file)))
    run = f"split {recipe.split}, seed {recipe.seed}; recipe {recipe.digest}"
    if published is None:
        print(f"no published recipe: {run}")
        raise typer.Exit(1)
    print(f"{published.title}: {run}")
    print(f"next: actiseg-noise presets {published.name}")


def _print_presets(known: Iterable[Preset]) -> None:
    family = None
    for preset in known:
        if preset.source is not family:
            family = preset.source
            print(f"{family.title} ({family.paper})")
        print(f"  {preset.name:22s} {preset.summary}")


def _show_preset(preset: Preset) -> None:
    from actiseg_data.records.recipe_record import MEDIUM_MEMBERS
    from actiseg_noise.recipes.published import digest_noises

    source = preset.source
    print(f"{preset.name}: {preset.summary}")
    print(f"version {preset.version}, digest {digest_noises(preset.make_recipe().noises)}")
    print(f"source: {source.title}; {source.paper}; {source.code}; licence: {source.licence}")
    for line in source.differences:
        print(f"differs: {line}")
    for noise in preset.noises:
        rule = f"{MEDIUM_MEMBERS[noise.medium]} {noise.choice}"
        settings = f"rate {noise.rate:g}, objects {noise.objects}, {rule}"
        print(f"type {noise.kind}, algorithm {noise.algorithm}, {settings}")
        for name, value in noise.parameters.items():
            print(f"  {name} = {json.dumps(value)}")
