"""Building and checking recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from actiseg_data.errors import Problems, Refused, refuse
from actiseg_data.records import Noise, Recipe, read_recipe
from actiseg_data.untrusted import parse_json
from actiseg_noise.kinds import KIND_SPECS, OBJECTS, OVERLAPS, KindSpec, is_number


def make_recipe(
    kind: str,
    rate: float,
    *,
    split: str = "train",
    seed: int = 0,
    exact: bool = False,
    objects: str = "positive",
    overlap: str = "contest",
    parameters: Mapping[str, Any] | None = None,
) -> Recipe:
    """A checked recipe of one noise; `parameters` stand over the kind's defaults.

    Giving a ``radius`` switches the calibration to a target IoU off, unless both are given, which
    is refused.

    >>> make_recipe("dilate", 0.4, parameters={"radius": 4}).noises[0].parameters["target_iou"]
    """
    spec = KIND_SPECS.get(kind, KindSpec(0, {}, ""))
    defaults = {name: parameter.default for name, parameter in spec.parameters.items()}
    chosen = with_strength(defaults, parameters or {})
    noise = Noise(kind, spec.algorithm, rate, exact, objects, overlap, chosen)
    return check_recipe(Recipe(split, seed, (noise,)), "recipe")


def with_strength(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters over their defaults, where one measure of strength puts the other out of force.

    >>> with_strength({"target_iou": 0.8, "radius": None}, {"radius": 4})
    {'target_iou': None, 'radius': 4}
    """
    chosen = {**defaults, **given}
    for name, other in (("radius", "target_iou"), ("target_iou", "radius")):
        if given.get(name) is not None and other in defaults and other not in given:
            chosen[other] = None
    return chosen


def load_recipe(path: Path) -> Recipe:
    """Read and check a recipe file."""
    return check_recipe(read_recipe(path), str(path))


def check_recipe(recipe: Recipe, where: str) -> Recipe:
    """Return the recipe in its plain form, or raise `Refused` with everything that is wrong in it.

    The plain form has numbers as floats, zero without a sign and lists as lists, so that equal
    recipes digest equally.
    """
    problems = Problems()
    if not recipe.noises:
        problems.add("lists no noise", where, "give one under 'noises'")
    if len(recipe.noises) > 1:
        problems.add("lists several noises for masks", where, "keep one; run again for another")
    if not 0 <= recipe.seed < 1 << 63:
        problems.add(f"the seed {recipe.seed} is out of range", where, "use 0 to 2**63 - 1")
    noises = []
    for noise in recipe.noises:
        with problems.caught():
            noises.append(_check_noise(noise, where))
    problems.raise_if_any()
    return replace(recipe, noises=tuple(noises))


def _check_noise(noise: Noise, where: str) -> Noise:
    from actiseg_noise import __version__

    spec = KIND_SPECS.get(noise.kind)
    if spec is None:
        known = ", ".join(KIND_SPECS)
        raise refuse(
            f"the kind {noise.kind!r} is unknown to actiseg {__version__}",
            where,
            f"use one of {known}, or a newer release of actiseg",
        )
    if noise.algorithm != spec.algorithm:
        raise refuse(
            f"algorithm {noise.algorithm} of {noise.kind!r} is unknown to actiseg {__version__}, "
            f"which knows {spec.algorithm}",
            where,
            "use the release that wrote the recipe (see 'toolkit' in its summary.json)",
        )
    problems = Problems()
    if not (is_number(noise.rate) and 0 <= noise.rate <= 1):
        problems.add(f"the rate {noise.rate} is outside [0, 1]", where, "give a share such as 0.4")
    for value, known_values, name in (
        (noise.objects, OBJECTS, "objects"),
        (noise.overlap, OVERLAPS, "overlap"),
    ):
        if value not in known_values:
            problems.add(
                f"{name} {value!r} is unknown", where, f"use one of {', '.join(known_values)}"
            )
    problems.found += _parameter_problems(noise, spec, where)
    problems.raise_if_any()
    plain = {name: _plain(noise.parameters[name]) for name in spec.parameters}
    return replace(noise, rate=_plain(noise.rate), parameters=plain)


def _parameter_problems(noise: Noise, spec: KindSpec, where: str) -> list[Any]:
    problems = Problems()
    for name in noise.parameters:
        if name not in spec.parameters:
            problems.add(
                f"{noise.kind!r} has no parameter {name!r}",
                where,
                f"its parameters are {', '.join(spec.parameters)}",
            )
    for name, parameter in spec.parameters.items():
        if name not in noise.parameters:
            problems.add(f"the parameter {name!r} is missing", where, f"give {parameter.wanted}")
        elif not parameter.accepts(noise.parameters[name]):
            problems.add(f"{name} is {noise.parameters[name]!r}", where, f"give {parameter.wanted}")
    strengths = [name for name in ("target_iou", "radius") if name in spec.parameters]
    if strengths and sum(noise.parameters.get(name) is not None for name in strengths) != 1:
        problems.add(
            "exactly one of target_iou and radius must be given",
            where,
            "give --target-iou or --radius; in a file, set the other to null",
        )
    return problems.found


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    return float(value) + 0.0 if is_number(value) else value  # -0.0 + 0.0 is 0.0


def parse_setting(text: str) -> tuple[str, Any]:
    """A ``key=value`` of the command line; the value is JSON where it can be, else a text.

    >>> parse_setting("radius=4")
    ('radius', 4)
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise refuse(f"{text!r} is no key=value", "--set", "write for example --set radius=4")
    try:
        return name, parse_json(value.encode("utf-8", "surrogatepass"), "--set")
    except Refused:
        return name, value
