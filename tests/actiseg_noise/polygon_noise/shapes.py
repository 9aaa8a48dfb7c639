"""Shapes as an annotator draws them, and their areas by counting sample points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import SUBPIXEL, fill_sampled
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.polygon_noise.entity_noise import EntityIdentity, EntityNoise, corrupt_entity
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.polygon_recipes import convert_to_polygons

SIZE = (300, 400)
ITEM = EntityIdentity("P01_01", "P01_01_frame_0000000010", "cup")
Polygon = np.ndarray


def blob(x: float, y: float, size: float, points: int = 18, lobes: int = 3) -> Polygon:
    angle = 2 * np.pi * np.arange(points) / points
    radius = size * (1 + 0.25 * np.sin(lobes * angle))
    return np.stack([x + radius * np.cos(angle), y + radius * np.sin(angle)], axis=1)


def rectangle(left: float, top: float, right: float, bottom: float) -> Polygon:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


def make_noise(kind: str = "jitter", rate: float = 1.0, **settings: Any) -> Noise:
    noise = convert_to_polygons(make_recipe(kind, rate, **settings)).polygon_noise
    assert noise is not None
    return noise


def corrupt(
    *polygons: Polygon,
    kind: str = "jitter",
    seed: int = 0,
    item: EntityIdentity = ITEM,
    size: tuple[int, int] = SIZE,
    **settings: Any,
) -> EntityNoise:
    return corrupt_entity(polygons, size, make_noise(kind, **settings), seed, item)


def rasterise(
    polygons: Sequence[Polygon], size: tuple[int, int] = SIZE, zoom: int = 2
) -> np.ndarray:
    """The image at `zoom` samples per pixel and axis, even-odd."""
    rings = [np.rint(polygon * SUBPIXEL * zoom).astype(np.int64) for polygon in polygons]
    return fill_sampled(rings, (0, 0, size[0] * zoom, size[1] * zoom))


def count_iou(first: Sequence[Polygon], second: Sequence[Polygon], **more: Any) -> float:
    one, two = rasterise(first, **more), rasterise(second, **more)
    return float((one & two).sum() / (one | two).sum())
