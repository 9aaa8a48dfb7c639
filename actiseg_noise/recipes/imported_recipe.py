"""The recipe of a noisy split that was imported."""

from __future__ import annotations

from collections.abc import Mapping

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.records.difference_record import Differences
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.recipes.kind_specs import IMPORTED, IMPORTED_SPECS


def make_imported_recipe(
    split: str, rates: Mapping[str, float], differences: Differences, lexicon: Lexicon
) -> Recipe:
    """Make the recipe of a noisy split that was imported.

    Parameters
    ----------
    split : str
        Name of the split.
    rates : mapping of str to float
        The measured rate of noise in each medium that has noise.
    differences : Differences
        The differences from the clean split.
    lexicon : Lexicon
        For the senses of names.
    """
    noises = []
    for medium, rate in rates.items():
        spec = IMPORTED_SPECS[medium]
        known = {"differences": differences.digest(medium), "lexicon": lexicon.digest}
        noise = Noise(
            kind=IMPORTED,
            algorithm=spec.algorithm,
            rate=rate,
            exact=False,
            objects="all",
            medium=medium,
            choice=spec.choices[0],
            parameters={name: known[name] for name in spec.parameters},
        )
        noises.append(noise)
    return check_recipe(Recipe(split, 0, tuple(noises)))
