"""Make and check recipes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.core.errors import Problem, ProblemCollector, check_choice, refuse, suggest
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.records.recipe_record import (
    MEDIUM_MEMBERS,
    Noise,
    Recipe,
    order_noises,
    read_recipe,
)
from actiseg_noise.recipes.kind_parameters import (
    is_number,
    list_reversed_bounds,
    normalise_value,
)
from actiseg_noise.recipes.kind_specs import (
    IMPORTED,
    KIND_SPECS,
    MEDIUM_SPECS,
    MIXED,
    OBJECTS,
    KindSpec,
    list_type_names,
)
from actiseg_noise.recipes.noise_relations import check_relations
from actiseg_noise.recipes.spec_finding import find_kind_spec, find_rate_keyword

_SHARED = ("rate", "exact", "objects")
"""Settings that every noise has."""


def _list_own_settings(medium: str) -> dict[str, str]:
    """List settings for noise in one medium only, and the attributes of `Noise` that they set."""
    return {MEDIUM_MEMBERS[medium]: "choice", find_rate_keyword(medium): "rate"}


def list_settings() -> list[str]:
    """List the settings of noise in a recipe, besides the parameters of its kind."""
    return [*_SHARED, *(name for medium in MEDIUM_SPECS for name in _list_own_settings(medium))]


def make_recipe(
    kind: str,
    rate: float,
    *,
    split: str = "train",
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
    lexicon: Lexicon | None = None,
    **settings: Any,
) -> Recipe:
    """Make a checked recipe for one type of noise.

    A `radius` turns off the calibration to a target IoU. To give both is an error.

    Parameters
    ----------
    kind : str
        One of `KIND_SPECS`, or of `MIXED`.
    rate : float
        Share of the eligible items that get noise, from 0 to 1.
    split : str
        Name of the split.
    seed : int
        Random seed.
    parameters : mapping of str to any, optional
        Parameters of the kind. Those of a mixed type go to whichever of its kinds has them.
    lexicon : Lexicon, optional
        Lexicon for text noise. Default: the installed one.
    **settings
        Either `exact`, `objects`, `overlap`, `scope`, `span`, `change`, `text_rate`,
        `boundary_rate`, `object_rate` or `label_rate`, see `change_noises`, or more parameters of
        the kind.

    Raises
    ------
    InputError
        With everything that is wrong in the recipe.

    Examples
    --------
    >>> make_recipe("dilate", 0.4, radius=4).noises[0].parameters["target_iou"]
    >>> [noise.kind for noise in make_recipe("mixed", 0.4).noises]
    ['text', 'boundary']
    """
    if kind == IMPORTED:
        what = f"{kind!r} is not a type: only actiseg-noise import makes such noise"
        raise refuse(what, "`kind`", f"use one of {', '.join(list_type_names())}")
    noises = tuple(_make_default_noise(name, rate) for name in MIXED.get(kind, (kind,)))
    noises = change_noises(noises, settings, parameters, lexicon=lexicon)
    return check_recipe(Recipe(split, seed, noises))


def _make_default_noise(kind: str, rate: float) -> Noise:
    spec = KIND_SPECS.get(kind, KindSpec(0, {}, ""))
    medium = MEDIUM_SPECS[spec.medium]
    defaults = {name: parameter.default for name, parameter in spec.parameters.items()}
    return Noise(
        kind=kind,
        algorithm=spec.algorithm,
        rate=rate,
        exact=False,
        objects=medium.objects,
        medium=spec.medium,
        choice=spec.choices[0],
        parameters=defaults,
    )


def change_noises(
    noises: tuple[Noise, ...],
    settings: Mapping[str, Any],
    parameters: Mapping[str, Any] | None = None,
    *,
    lexicon: Lexicon | None = None,
) -> tuple[Noise, ...]:
    """Change settings and parameters of noises.

    Parameters
    ----------
    noises : tuple of Noise
        The noises of a recipe.
    settings : mapping of str to any
        New values; None leaves a value as it is. `rate`, `exact` and `objects` are for every noise,
        `overlap` for mask noise, `scope` for text noise, `span` for noise of whole objects,
        `change` for noise in labels. If there are several of these, `boundary_rate` is the rate of
        the mask noise, `text_rate` that of the text noise, `object_rate` that of the noise of whole
        objects, and `label_rate` that of noise in labels. All other names are parameters of a kind.
    parameters : mapping of str to any, optional
        More parameters of a kind. None is a value here. Each goes to the noises with such a
        parameter. `check_recipe` reports unknown ones.
    lexicon : Lexicon, optional
        Lexicon for text noise. Default: the one that the noise names, else the installed one.

    Raises
    ------
    InputError
        With every setting that applies to none of the noises.
    """
    given = {name: value for name, value in settings.items() if value is not None}
    own = {name: value for name, value in given.items() if name not in list_settings()}
    _refuse_without_effect(noises, given)
    chosen = {**(parameters or {}), **own}
    known = {name for noise in noises for name in noise.parameters}
    changed = []
    for position, noise in enumerate(noises):
        applicable = {
            name: value
            for name, value in chosen.items()
            if name in noise.parameters or (name not in known and position == 0)
        }
        values = choose_strength(noise.parameters, applicable)
        if "lexicon" in values and (lexicon is not None or values["lexicon"] is None):
            values["lexicon"] = (lexicon or load_lexicon()).digest
        members = {name: given[name] for name in _SHARED if name in given}
        members |= {
            member: given[name]
            for name, member in _list_own_settings(noise.medium).items()
            if name in given
        }
        changed.append(replace(noise, parameters=values, **members))
    return tuple(changed)


def _refuse_without_effect(noises: tuple[Noise, ...], given: Mapping[str, Any]) -> None:
    """Refuse settings that apply to none of the noises."""
    media = {noise.medium for noise in noises}
    known = {name for noise in noises for name in noise.parameters}
    problems = ProblemCollector()
    for medium in MEDIUM_SPECS:
        for name, member in _list_own_settings(medium).items():
            if name not in given:
                continue
            if member == "rate" and len(media) == 1:
                what = "is for recipes with noise in several media"
                problems.add(what, f"`{name}`", "give `rate` instead")
            elif medium not in media:
                problems.add(
                    f"has no effect, because there is no noise of {medium}",
                    f"`{name}`",
                    "leave it out, or choose a type or preset with such noise",
                )
    if all(noise.kind in KIND_SPECS for noise in noises):
        kinds = " and ".join(repr(noise.kind) for noise in noises)
        settings = list_settings()
        for name in sorted(given.keys() - known - set(settings)):
            problems.add(
                f"{kinds} has no parameter {name!r}{suggest(name, [*known, *settings])}",
                f"`{name}`",
                f"the parameters are {', '.join(sorted(known))}",
            )
    problems.raise_if_any()


def choose_strength(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Merge parameters with their defaults; a given `radius` or `target_iou` turns off the other.

    >>> choose_strength({"target_iou": 0.8, "radius": None}, {"radius": 4})
    {'target_iou': None, 'radius': 4}
    """
    chosen = {**defaults, **given}
    for name, alternative in (("radius", "target_iou"), ("target_iou", "radius")):
        if given.get(name) is not None and alternative in defaults and alternative not in given:
            chosen[alternative] = None
    return chosen


def load_recipe(path: PathLike) -> Recipe:
    """Read and check a recipe file."""
    return check_recipe(read_recipe(as_path(path)), str(path))


def is_imported(recipe: Recipe) -> bool:
    """Return whether a recipe is of a noisy split that was imported."""
    return any(noise.kind == IMPORTED for noise in recipe.noises)


def name_type(recipe: Recipe) -> str:
    """Return the type that makes a recipe's kinds.

    >>> name_type(make_recipe("mixed", 0.4))
    'mixed'

    A recipe that no type makes is named after all its kinds.
    """
    kinds = tuple(dict.fromkeys(noise.kind for noise in recipe.noises))
    media = {noise.medium for noise in recipe.noises}
    is_mixed = len(recipe.noises) == 2 and media == {"masks", "text"} and kinds != (IMPORTED,)
    return "mixed" if is_mixed else "-".join(kinds)


def check_recipe(recipe: Recipe, where: str | None = None) -> Recipe:
    """Check a recipe and convert it to its normal form, in which equal recipes have equal digests.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    where : str, optional
        The file that it comes from, as the place of every problem. Without a file, the place is the
        parameter that gives the value.

    Raises
    ------
    InputError
        With everything that is wrong in the recipe.
    """
    problems = ProblemCollector()
    if not recipe.noises:
        problems.add("lists no noise", "`recipe`", "give one under 'noises'")
    places = Counter(noise.place for noise in recipe.noises)
    for place in (place for place, count in places.items() if count > 1):
        medium, _, kind = place.partition(".")
        name = f"the kind {kind!r}" if kind else medium
        problems.add(f"lists several noises of {name}", "`recipe`", "keep one")
    if not 0 <= recipe.seed < 1 << 63:
        problems.add(f"the seed {recipe.seed} is out of range", "`seed`", "use 0 to 2**63 - 1")
    one_rate = len({repr(noise.rate) for noise in recipe.noises}) == 1
    noises = []
    for noise in recipe.noises:
        with problems.collect():
            noises.append(_check_noise(noise, one_rate=one_rate))
    if where is not None:
        problems.collected = [_locate_in_file(problem, where) for problem in problems.collected]
    problems.raise_if_any()
    return replace(recipe, noises=order_noises(noises))


def _locate_in_file(problem: Problem, where: str) -> Problem:
    """Make a file the place of a problem, whose text then names the key."""
    key = problem.where.strip("`")
    named = key in problem.what or key in ("parameters", "recipe")
    return replace(problem, where=where, what=problem.what if named else f"{key} {problem.what}")


def _check_noise(noise: Noise, *, one_rate: bool) -> Noise:
    """Check a noise; with `one_rate`, its rate is that of the whole recipe."""
    from actiseg_data import __version__

    spec = find_kind_spec(noise.kind, noise.medium)
    if spec is None:
        known = list_type_names()
        raise refuse(
            f"the kind {noise.kind!r} is unknown to actiseg {__version__}"
            f"{suggest(noise.kind, known)}",
            "`kind`",
            f"use one of {', '.join(known)}, or a newer release of actiseg",
        )
    if noise.algorithm != spec.algorithm:
        raise refuse(
            f"algorithm {noise.algorithm} of {noise.kind!r} is unknown to actiseg {__version__}, "
            f"which knows {spec.algorithm}",
            "`recipe`",
            "use the release that wrote the recipe (see 'toolkit' in its summary.json)",
        )
    problems = ProblemCollector()
    member = MEDIUM_MEMBERS[noise.medium]
    if noise.medium != spec.medium:
        problems.add(
            f"{noise.kind!r} must have {MEDIUM_MEMBERS[spec.medium]!r}",
            "`recipe`",
            "correct the file",
        )
    if not (is_number(noise.rate) and 0 <= noise.rate <= 1):
        where = "`rate`" if one_rate else f"`{find_rate_keyword(noise.medium)}`"
        problems.add(f"the rate {noise.rate} is outside [0, 1]", where, "give a share such as 0.4")
    with problems.collect():
        check_choice(noise.objects, OBJECTS, "objects")
    with problems.collect():
        check_choice(noise.choice, spec.choices, member)
    _check_parameters(noise, spec, problems)
    check_relations(noise, problems)
    problems.raise_if_any()
    parameters = {
        name: parameter.normalise(noise.parameters[name])
        for name, parameter in spec.parameters.items()
    }
    return replace(noise, rate=normalise_value(noise.rate), parameters=parameters)


def _check_parameters(noise: Noise, spec: KindSpec, problems: ProblemCollector) -> None:
    given = noise.parameters
    for name in given:
        if name not in spec.parameters:
            problems.add(
                f"{noise.kind!r} has no parameter {name!r}{suggest(name, spec.parameters)}",
                "`parameters`",
                f"its parameters are {', '.join(spec.parameters)}",
            )
    for name, parameter in spec.parameters.items():
        if name not in given:
            what = f"the parameter {name!r} is missing"
            problems.add(what, f"`{name}`", f"give {parameter.wanted}")
        elif isinstance(given[name], str) and given[name] in parameter.former:
            what, hint = parameter.former[given[name]]
            problems.add(what, f"`{name}`", hint)
        elif parameter.choices and isinstance(given[name], str):
            with problems.collect():
                check_choice(given[name], parameter.choices, name)
        elif not parameter.accepts(given[name]):
            problems.add(f"{name} is {given[name]!r}", f"`{name}`", f"give {parameter.wanted}")
    for low, high in list_reversed_bounds(given):
        problems.add(f"{low} is greater than {high}", f"`{low}`", "exchange the values")
