"""`presets`: list the named recipes."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from actiseg_noise.recipes.presets import Preset


def list_presets(
    name: Annotated[
        Optional[str],
        typer.Argument(help="A preset, to show its source and recipe.", show_default=False),
    ] = None,
) -> None:
    """List the presets, or show one with its source, recipe and differences from the original.

    Example: actiseg-noise presets smart/de-EAD
    """
    from actiseg_noise.recipes.presets import load_preset, load_presets

    if name is None:
        _print_presets(load_presets().values())
        print("next: actiseg-noise presets NAME, or actiseg-noise corrupt --preset NAME")
        return
    _show_preset(load_preset(name, "NAME"))
    print(f"next: actiseg-noise corrupt --preset {name}")


def _print_presets(known: Iterable[Preset]) -> None:
    family = None
    for preset in known:
        if preset.source is not family:
            family = preset.source
            print(f"{family.title} ({family.paper})")
        print(f"  {preset.name:22s} {preset.summary}")


def _show_preset(preset: Preset) -> None:
    from actiseg_data.records.recipe_record import MEDIUM_MEMBERS

    source = preset.source
    print(f"{preset.name}: {preset.summary}")
    print(f"source: {source.title}; {source.paper}; {source.code}; licence: {source.licence}")
    for line in source.differences:
        print(f"differs: {line}")
    for noise in preset.noises:
        rule = f"{MEDIUM_MEMBERS[noise.medium]} {noise.choice}"
        settings = f"rate {noise.rate:g}, objects {noise.objects}, {rule}"
        print(f"type {noise.kind}, algorithm {noise.algorithm}, {settings}")
        for name, value in noise.parameters.items():
            print(f"  {name} = {json.dumps(value)}")
