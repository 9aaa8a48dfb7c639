"""Which noises a recipe may have together, and their order in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from actiseg_data.records.recipe_record import Noise
from actiseg_noise.recipes.kind_specs import IMPORTED, KIND_SPECS, MEDIUM_SPECS

_FIRST = ("text", "masks")
"""The media that come first. All others follow in the order of `MEDIUM_SPECS`."""


def find_crowded(noises: Iterable[Noise]) -> Iterator[str]:
    """Find media, or kinds of shared media, of which a recipe has several noises."""
    counts = Counter(
        f"the kind {noise.kind!r}" if MEDIUM_SPECS[noise.medium].is_shared else noise.medium
        for noise in noises
    )
    return (what for what, count in counts.items() if count > 1)


def order_noises(noises: Iterable[Noise]) -> tuple[Noise, ...]:
    """Bring noises into one order, so that equal noise has an equal digest.

    The noises of an import keep their order.
    """
    noises = tuple(noises)
    if any(noise.kind == IMPORTED for noise in noises):
        return noises
    media = list(dict.fromkeys([*_FIRST, *MEDIUM_SPECS]))
    kinds = list(KIND_SPECS)
    return tuple(
        sorted(noises, key=lambda noise: (media.index(noise.medium), kinds.index(noise.kind)))
    )
