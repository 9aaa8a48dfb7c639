"""Building and checking recipes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.validation import parse_json
from actiseg_data.records.split_records import Noise, Recipe, read_recipe
from actiseg_noise.recipes.kind_specs import (
    KIND_SPECS,
    MIXED,
    OBJECTS,
    OVERLAPS,
    SCOPES,
    KindSpec,
    is_number,
    plain,
)


def make_recipe(
    kind: str,
    rate: float,
    *,
    split: str = "train",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    lexicon: Lexicon | None = None,
    **changes: Any,
) -> Recipe:
    """A checked recipe of one type of noise, or of a mixed one.

    kind: one of `KIND_SPECS`, or of `MIXED`. rate: share of the eligible items, in [0, 1].
    parameters: stand over the kind's defaults; those of a mixed type go to whichever of its kinds
    has them. lexicon: for text noise, by default the one that is installed. changes: see
    `with_changes`.

    Giving a ``radius`` switches the calibration to a target IoU off, unless both are given, which
    is refused.

    >>> make_recipe("dilate", 0.4, parameters={"radius": 4}).noises[0].parameters["target_iou"]
    >>> [noise.kind for noise in make_recipe("mixed", 0.4).noises]
    ['text', 'boundary']
    """
    noises = tuple(_default_noise(name, rate) for name in MIXED.get(kind, (kind,)))
    noises = with_changes(noises, parameters or {}, lexicon=lexicon, **changes)
    return check_recipe(Recipe(split, seed, noises), "recipe")


def _default_noise(kind: str, rate: float) -> Noise:
    spec = KIND_SPECS.get(kind, KindSpec(0, {}, ""))
    defaults = {name: parameter.default for name, parameter in spec.parameters.items()}
    if spec.medium == "text":
        return Noise(kind, spec.algorithm, rate, False, "all", None, "prompt", defaults)
    return Noise(kind, spec.algorithm, rate, False, "positive", "contest", None, defaults)


def with_changes(
    noises: tuple[Noise, ...],
    parameters: Mapping[str, Any],
    *,
    lexicon: Lexicon | None = None,
    rate: float | None = None,
    text_rate: float | None = None,
    boundary_rate: float | None = None,
    exact: bool | None = None,
    objects: str | None = None,
    overlap: str | None = None,
    scope: str | None = None,
) -> tuple[Noise, ...]:
    """Noises with other values. None leaves a value as it is.

    parameters: each goes to the noises whose kind has it, all others to the first, where the check
    of the recipe finds them. lexicon: the one that text noise is drawn from; where a noise
    names none and none is given, the installed one. rate, exact, objects: of all noises. text_rate,
    boundary_rate: of the text noise and of that on masks, where there are both. overlap: of mask
    noise; scope: of text noise. Raises `InputError` where a change could be meant for no noise.
    """
    shared = {"rate": rate, "exact": exact, "objects": objects}
    of_medium = {
        "masks": {"boundary_rate": boundary_rate, "overlap": overlap},
        "text": {"text_rate": text_rate, "scope": scope},
    }
    problems = ProblemCollector()
    there = {noise.medium for noise in noises}
    for medium, of in of_medium.items():
        given = {name.replace("_", "-") for name, value in of.items() if value is not None}
        rates = {name for name in given if name.endswith("-rate") and len(there) == 1}
        if rates:
            problems.add(
                f"{rates.pop()} is for noise on words and masks both", "recipe", "give the rate"
            )
        elif given and medium not in there:
            problems.add(
                f"there is no noise of {medium} that {' and '.join(given)} could be meant for",
                "recipe",
                "leave it out, or choose a type or preset with such noise",
            )
    problems.raise_if_any()
    known = {name for noise in noises for name in noise.parameters}
    changed = []
    for position, noise in enumerate(noises):
        mine = {
            name: value
            for name, value in parameters.items()
            if name in noise.parameters or (name not in known and position == 0)
        }
        chosen = with_strength(noise.parameters, mine)
        if noise.medium == "text" and (lexicon is not None or chosen.get("lexicon") is None):
            chosen["lexicon"] = (lexicon or load_lexicon()).digest
        values: dict[str, Any] = {}
        for name, value in (*shared.items(), *of_medium[noise.medium].items()):
            if value is not None:
                values["rate" if name.endswith("rate") else name] = value
        changed.append(replace(noise, parameters=chosen, **values))
    return tuple(changed)


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
    """Return the recipe in its plain form, or raise `InputError` with everything that is wrong in it.

    In the plain form (see `actiseg_noise.recipes.kind_specs.plain`) equal recipes digest equally.
    """
    problems = ProblemCollector()
    if not recipe.noises:
        problems.add("lists no noise", where, "give one under 'noises'")
    for medium in ("masks", "text"):
        if sum(noise.medium == medium for noise in recipe.noises) > 1:
            problems.add(f"lists several noises of {medium}", where, "keep one")
    if not 0 <= recipe.seed < 1 << 63:
        problems.add(f"the seed {recipe.seed} is out of range", where, "use 0 to 2**63 - 1")
    noises = []
    for noise in recipe.noises:
        with problems.collect():
            noises.append(_check_noise(noise, where))
    problems.raise_if_any()
    return replace(recipe, noises=tuple(noises))


def _check_noise(noise: Noise, where: str) -> Noise:
    from actiseg_data import __version__

    spec = KIND_SPECS.get(noise.kind)
    if spec is None:
        known = ", ".join([*KIND_SPECS, *MIXED])
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
    problems = ProblemCollector()
    if noise.medium != spec.medium:
        wanted = "'scope'" if spec.medium == "text" else "'overlap'"
        problems.add(f"{noise.kind!r} must have {wanted}", where, "correct the file")
    if not (is_number(noise.rate) and 0 <= noise.rate <= 1):
        problems.add(f"the rate {noise.rate} is outside [0, 1]", where, "give a share such as 0.4")
    for value, known_values, name in (
        (noise.objects, OBJECTS, "objects"),
        (noise.overlap, OVERLAPS, "overlap"),
        (noise.scope, SCOPES, "scope"),
    ):
        if value is not None and value not in known_values:
            problems.add(
                f"{name} {value!r} is unknown", where, f"use one of {', '.join(known_values)}"
            )
    problems.collected += _parameter_problems(noise, spec, where)
    problems.raise_if_any()
    parameters = {name: of.plain(noise.parameters[name]) for name, of in spec.parameters.items()}
    return replace(noise, rate=plain(noise.rate), parameters=parameters)


def _parameter_problems(noise: Noise, spec: KindSpec, where: str) -> list[Any]:
    problems = ProblemCollector()
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
    given = noise.parameters
    if "matrix" in spec.parameters and (given.get("flip") == "matrix") != bool(given.get("matrix")):
        problems.add(
            "a matrix and the flip 'matrix' go together",
            where,
            "give --flip matrix with --matrix FILE, or neither",
        )
    if noise.scope == "narration" and noise.objects != "all":
        problems.add(
            "objects have no effect on the scope 'narration', which is of sequences",
            where,
            "leave --objects out",
        )
    if noise.scope == "prompt" and given.get("pipeline", "blank") != "blank":
        problems.add(
            "a language pipeline has no effect on the scope 'prompt'",
            where,
            "leave it out, or give --scope both or narration",
        )
    return problems.collected


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
    except InputError:
        return name, value
