"""The table of all media."""

from __future__ import annotations

from collections.abc import Mapping

from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.media.label_medium import LabelMedium
from actiseg_noise.media.mask_medium import MaskMedium
from actiseg_noise.media.medium import Medium
from actiseg_noise.media.polygon_medium import PolygonMedium
from actiseg_noise.media.text_medium import TextMedium

MEDIA: Mapping[str, type[Medium]] = {
    medium.name: medium for medium in (MaskMedium, PolygonMedium, TextMedium, LabelMedium)
}
"""Every medium by its name, in the order of ``summary.json``, in which their noises also rewrite
lists and companion files."""


def list_media(recipe: Recipe) -> tuple[Medium, ...]:
    """List the noises of a recipe, each with its medium, in the order of `MEDIA`.

    >>> from actiseg_noise.recipes.building import make_recipe
    >>> [medium.name for medium in list_media(make_recipe("mixed", 0.4))]
    ['masks', 'text']
    """
    chosen: list[Medium] = []
    for name, medium in MEDIA.items():
        noises = [noise for noise in recipe.noises if noise.medium in (name, *medium.more)]
        chosen += [medium(recipe, noise) for noise in (noises[:1] if medium.more else noises)]
    return tuple(chosen)


def needs_masks(recipe: Recipe) -> bool:
    """Return whether a clean dataset must have masks to get the noise of a recipe."""
    return any(medium.needs_masks for medium in list_media(recipe))


def needs_lexicon(recipe: Recipe) -> bool:
    """Return whether a lexicon has an effect on the noise of a recipe."""
    return any(medium.needs_lexicon for medium in list_media(recipe))
