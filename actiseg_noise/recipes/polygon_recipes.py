"""Recipes of noise on the polygons of raw annotations."""

from __future__ import annotations

from dataclasses import replace

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.recipes.spec_finding import FILLS, POLYGON_SPECS, POLYGONS


def convert_to_polygons(recipe: Recipe, objects: str | None = None) -> Recipe:
    """Return the recipe that draws the kind of a mask noise on polygons.

    The kind, its parameters, the rate and the seed stay. The algorithm is that of polygons, and
    there is no rule for overlaps: entities keep the order of the file, in which later ones cover
    earlier ones. A recipe of polygons stays as it is.

    Parameters
    ----------
    recipe : Recipe
        A recipe with mask noise, or with polygon noise.
    objects : str, optional
        What the caller asked for. Raw annotations do not say which entities are active, so only
        ``all`` is possible, which is the default here.

    Raises
    ------
    InputError
        If polygons cannot have the noise.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> noise = convert_to_polygons(make_recipe("jitter", 0.4)).polygon_noise
    >>> noise.medium, noise.objects, noise.fill
    ('polygons', 'all', 'even-odd')
    """
    problems = ProblemCollector()
    if objects not in (None, "all"):
        problems.add(
            f"{objects!r} needs labels, and raw annotations do not say which entities are active",
            "`objects`",
            "give all, or prepare the dataset first and corrupt its masks",
        )
    noises = []
    for noise in recipe.noises:
        with problems.collect():
            noises.append(_convert_noise(noise))
    problems.raise_if_any()
    return check_recipe(replace(recipe, noises=tuple(noises)))


def _convert_noise(noise: Noise) -> Noise:
    if noise.medium == POLYGONS:
        return noise
    spec = POLYGON_SPECS.get(noise.kind) if noise.medium == "masks" else None
    if spec is None:
        raise refuse(
            f"the kind {noise.kind!r} does not work on polygons",
            "`noise`",
            f"use one of {', '.join(POLYGON_SPECS)}, or prepare the dataset first",
        )
    return replace(noise, algorithm=spec.algorithm, objects="all", medium=POLYGONS, choice=FILLS[0])


def choose_polygon_noise(recipe: Recipe) -> Noise:
    """Return the polygon noise of a recipe; another recipe raises an `InputError`."""
    noise = recipe.polygon_noise
    if noise is None or len(recipe.noises) > 1:
        raise refuse(
            "is not a recipe of noise on polygons alone",
            "`recipe`",
            f"give a recipe of one of {', '.join(POLYGON_SPECS)} that was made for raw annotations",
        )
    if noise.objects != "all":
        raise refuse(
            f"{noise.objects!r} needs labels, which raw annotations do not have",
            "`objects`",
            "give all",
        )
    return noise
