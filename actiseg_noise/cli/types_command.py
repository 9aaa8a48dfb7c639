"""`types`: list the types of noise and their parameters."""

from __future__ import annotations

import json
from typing import Annotated, Optional

import typer

from actiseg_noise.recipes.kind_specs import (
    KIND_SPECS,
    MEDIUM_SPECS,
    MIXED,
    check_type,
    list_kinds,
    list_own_rates,
)


def list_types(
    name: Annotated[
        Optional[str], typer.Argument(help="A type, to show its parameters.", show_default=False)
    ] = None,
) -> None:
    """List the types of noise, or show one with the parameters that --set changes.

    Example: actiseg-noise types jitter
    """
    if name is None:
        _print_types()
    elif name in MIXED:
        kinds = " and ".join(MIXED[name])
        print(f"{name}: {kinds}; each parameter goes to the kind that has it")
        rates = " ".join(f"--{rate.replace('_', '-')} 0.4" for rate in list_own_rates(name))
        print(f"next: actiseg-noise corrupt --type {name} {rates}")
    else:
        check_type(name, "types")
        _show_kind(name)


def _print_types() -> None:
    for medium in MEDIUM_SPECS:
        print(f"noise in {medium}:")
        for kind in list_kinds(medium):
            print(f"  {kind:16s} {KIND_SPECS[kind].summary}")
    print("noise in both:")
    for kind, parts in MIXED.items():
        print(f"  {kind:16s} {' and '.join(parts)}")
    print("next: actiseg-noise types NAME")


def _show_kind(name: str) -> None:
    spec = KIND_SPECS[name]
    print(f"{name}: {spec.summary}; algorithm {spec.algorithm}")
    for key, parameter in spec.parameters.items():
        print(f"  {key} = {json.dumps(parameter.default)} ({parameter.wanted})")
    print(f"next: actiseg-noise corrupt --type {name} --rate 0.4")
