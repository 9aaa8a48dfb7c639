"""Regions that the image's border cuts: they continue beyond it.

The border is no edge of an object. Noise must not move it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

from actiseg_noise.polygon_noise.polygon_regions import (
    EntityRegion,
    FloatArray,
    Region,
    keep_areas,
    list_parts,
    make_box,
)

_NEAR_BORDER = 2.0
"""An edge that runs within this many pixels of the border counts as cut by it, because annotators
often stop a pixel short."""


def extend_region(clean: EntityRegion) -> Region:
    """Continue a region straight beyond the image's border wherever it reaches the border.

    It is continued by the larger side of the image.

    >>> from actiseg_noise.polygon_noise.polygon_regions import build_entity_region
    >>> square = np.array([[0, 10], [20, 10], [20, 20], [0, 20]], float)
    >>> extend_region(build_entity_region([square], (50, 100))).bounds
    (-100.0, 10.0, 20.0, 20.0)
    """
    import shapely

    parts = list_parts(clean.visible)
    strips = [strip for part in parts for strip in _list_strips(part, clean.size)]
    if not strips:
        return clean.visible
    return keep_areas(shapely.union_all([clean.visible, *strips]))


def _list_strips(part: Any, size: tuple[int, int]) -> Iterator[Region]:
    """Iterate over the areas between a part's edges near the border and a far line beyond it."""
    height, width = size
    far = float(max(size))
    ring = np.asarray(part.exterior.coords)
    low, high = ring <= _NEAR_BORDER, ring >= np.array([width, height]) - _NEAR_BORDER
    for axis, end in ((0, width), (1, height)):
        for near, beyond in ((low[:, axis], -far), (high[:, axis], end + far)):
            for number in np.flatnonzero(near[:-1] & near[1:]).tolist():
                edge = ring[number : number + 2]
                if edge[0, 1 - axis] != edge[1, 1 - axis]:
                    yield _make_strip(edge, axis, beyond)
    for is_right, is_bottom in product((False, True), repeat=2):
        across = high[:, 0] if is_right else low[:, 0]
        if (across & (high[:, 1] if is_bottom else low[:, 1])).any():
            left, right = (width - _NEAR_BORDER, width + far) if is_right else (-far, _NEAR_BORDER)
            top, bottom = (
                (height - _NEAR_BORDER, height + far) if is_bottom else (-far, _NEAR_BORDER)
            )
            yield make_box(left, top, right, bottom)


def _make_strip(edge: FloatArray, axis: int, beyond: float) -> Region:
    """Return the area between an edge and its projection on the line `beyond`."""
    import shapely

    projected = edge[::-1].copy()
    projected[:, axis] = beyond
    return shapely.Polygon(np.concatenate([edge, projected]))


def measure_visible_outline(extended: Region, size: tuple[int, int]) -> float:
    """Return the length of a region's outline in the image, without what the border cuts.

    >>> measure_visible_outline(make_box(-100, 10, 20, 20), (50, 100))
    50.0
    """
    height, width = size
    return float(round(extended.boundary.intersection(make_box(0, 0, width, height)).length, 6))
