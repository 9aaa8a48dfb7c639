"""The specifications of all noises that a recipe may have, also of those that no type makes."""

from __future__ import annotations

from collections.abc import Mapping

from actiseg_data.records.recipe_record import Noise
from actiseg_noise.recipes.kind_specs import (
    IMPORTED,
    IMPORTED_SPECS,
    KIND_SPECS,
    MEDIUM_SPECS,
    KindSpec,
)

POLYGONS = "polygons"
"""The medium of noise on the polygons of raw annotations. Its kinds are those of masks whose
outlines move smoothly, but other functions draw them, with algorithms of their own. Datasets of
masks do not have it, so it is not in `MEDIUM_SPECS`."""

FILLS = ("even-odd",)
"""How several polygons of one entity count together: a nested one is a hole."""

POLYGON_SPECS: Mapping[str, KindSpec] = {
    kind: KindSpec(
        1, KIND_SPECS[kind].parameters, KIND_SPECS[kind].summary, medium=POLYGONS, own_choices=FILLS
    )
    for kind in ("dilate", "erode", "jitter", "boundary")
}
"""The kinds of polygon noise by name."""


def find_rate_keyword(medium: str) -> str:
    """Return the keyword for the rate of noise in a medium, if a recipe has several."""
    return MEDIUM_SPECS[medium].rate if medium in MEDIUM_SPECS else "rate"


def find_kind_spec(kind: str, medium: str) -> KindSpec | None:
    """Return the specification of a noise in a recipe, or None if its kind is unknown."""
    if medium == POLYGONS:
        return POLYGON_SPECS.get(kind)
    return IMPORTED_SPECS.get(medium) if kind == IMPORTED else KIND_SPECS.get(kind)


def has_clip_units(noise: Noise) -> bool:
    """Return whether a draw of a noise selects objects in all frames of a sequence together."""
    spec = find_kind_spec(noise.kind, noise.medium)
    return noise.span == "clip" or (spec is not None and spec.whole_clips)
