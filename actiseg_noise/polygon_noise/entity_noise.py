"""The noise of one entity: its identity, its draws and its noisy polygons."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.polygon_noise.noisy_polygons import NoisyPolygons, keep_clean
from actiseg_noise.polygon_noise.polygon_kinds import LEAST_AREA, POLYGON_KINDS
from actiseg_noise.polygon_noise.polygon_regions import FloatArray, build_entity_region

_SELECTION = 1
"""Algorithm of the selection, separate from those of the kinds."""

_PURPOSE = "polygons"
"""The purpose of all draws of polygon noise begins with this word."""


@dataclass(frozen=True)
class EntityIdentity:
    """What an entity is recognised by, in any file that has it.

    Attributes
    ----------
    video, frame, name : str
        The video, the frame, and the name of the entity, which is unique in the frame.
    """

    video: str
    frame: str
    name: str

    def make_key(self, seed: int, algorithm: int, purpose: str) -> Key:
        """Make the key of one draw about the entity."""
        purpose = f"{_PURPOSE}.{purpose}"
        return make_key(seed, algorithm, purpose, self.video, self.frame, self.name)


def draw_entity_selection(seed: int, entity: EntityIdentity) -> float:
    """Draw the uniform number in [0, 1) that decides whether an entity gets noise.

    It gets noise if the number is below the rate. The number is the same for all kinds.
    """
    return draw_uniform(entity.make_key(seed, _SELECTION, "select"))


@dataclass(frozen=True)
class EntityNoise:
    """The noise of one entity.

    Attributes
    ----------
    kind : str
        The kind that was drawn.
    noisy : NoisyPolygons
        Its noisy polygons.
    area : float
        Pixels of the clean entity in the image.
    was_crossing : bool
        Whether the clean polygons crossed themselves or one another.
    """

    kind: str
    noisy: NoisyPolygons
    area: float
    was_crossing: bool


def corrupt_entity(
    polygons: tuple[FloatArray, ...],
    size: tuple[int, int],
    noise: Noise,
    seed: int,
    entity: EntityIdentity,
) -> EntityNoise:
    """Draw the noise of one entity.

    Parameters
    ----------
    polygons : tuple of ndarray
        Its clean polygons, (N, 2) float64 x, y, N >= 3.
    size : (int, int)
        Height and width of the image.
    noise : Noise
        A checked noise of polygons.
    seed : int
        Seed of the recipe.
    entity : EntityIdentity
        What the draws depend on.
    """
    kind = noise.kind
    if "kinds" in noise.parameters:  # a mixture
        kinds = noise.parameters["kinds"]
        kind = kinds[draw_integer(entity.make_key(seed, noise.algorithm, "kind"), len(kinds))]
    clean = build_entity_region(polygons, size)
    if clean.area < LEAST_AREA:
        return EntityNoise(kind, keep_clean(), clean.area, clean.is_repaired)

    def make(purpose: str) -> Key:
        return entity.make_key(seed, noise.algorithm, purpose)

    noisy = POLYGON_KINDS[kind](clean, polygons, noise.parameters, make)
    return EntityNoise(kind, noisy, clean.area, clean.is_repaired)
