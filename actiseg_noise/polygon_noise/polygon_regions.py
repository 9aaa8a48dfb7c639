"""The region that the polygons of one entity cover, and back to polygons.

All polygons of an entity count together, even-odd: a nested polygon is a hole, overlapping parts
cancel. This is how ActionVOS fills VISOR's polygons.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_noise.polygon_noise.even_odd import select_odd_faces

FloatArray = NDArray[np.float64]

Region: TypeAlias = Any
"""A valid polygon, or a collection of polygons, of shapely, which has no types."""

_AREA_DIGITS = 6


@dataclass(frozen=True)
class EntityRegion:
    """The region of one entity.

    Attributes
    ----------
    visible : Region
        What the polygons cover of the image.
    size : (int, int)
        Height and width of the image.
    is_repaired : bool
        Whether a polygon crosses itself or another one, so that the region had to be computed.
    """

    visible: Region
    size: tuple[int, int]
    is_repaired: bool

    @property
    def area(self) -> float:
        """The area in the image, in pixels."""
        return measure_area(self.visible)


def build_entity_region(polygons: Sequence[FloatArray], size: tuple[int, int]) -> EntityRegion:
    """Build the region of the polygons of one entity.

    Parameters
    ----------
    polygons : sequence of ndarray
        (N, 2) float64 x, y, N >= 3.
    size : (int, int)
        Height and width of the image.

    Examples
    --------
    >>> outer = np.array([[0, 0], [8, 0], [8, 8], [0, 8]], float)
    >>> build_entity_region([outer, outer / 2 + 2], (100, 100)).area
    48.0
    """
    import shapely

    region = _nest_polygons([shapely.Polygon(polygon) for polygon in polygons])
    is_repaired = region is None
    if region is None:
        region = fill_even_odd(polygons)
    return EntityRegion(clip(region, size), size, is_repaired)


def _nest_polygons(polygons: Sequence[Region]) -> Region | None:
    """Make outer rings and holes of polygons; None if any of them crosses itself or another."""
    import shapely

    if len(polygons) == 1:
        return polygons[0] if polygons[0].is_valid else None
    if not all(polygon.is_valid for polygon in polygons):
        return None
    starts = np.array([polygon.exterior.coords[0] for polygon in polygons])
    within = np.array([shapely.contains_xy(polygon, starts) for polygon in polygons])
    np.fill_diagonal(within, False)
    depth = within.sum(axis=0)
    holes: dict[int, list[Any]] = {
        number: [] for number in range(len(polygons)) if depth[number] % 2 == 0
    }
    for number in np.flatnonzero(depth % 2 == 1).tolist():
        around = np.flatnonzero(within[:, number] & (depth == depth[number] - 1)).tolist()
        if len(around) != 1:
            return None
        holes[around[0]].append(polygons[number].exterior)
    parts = [shapely.Polygon(polygons[outer].exterior, inner) for outer, inner in holes.items()]
    region = shapely.MultiPolygon(parts)
    return region if region.is_valid else None


def repair(region: Region) -> Region:
    """Return the even-odd area of polygons that cross themselves or one another."""
    return fill_even_odd([ring for part in list_parts(region) for ring in list_rings(part)])


def fill_even_odd(rings: Sequence[FloatArray]) -> Region:
    """Return the even-odd area of rings, see `select_odd_faces`."""
    return keep_areas(select_odd_faces(rings))


def keep_areas(region: Region) -> Region:
    """Leave points and lines out of what an operation has returned."""
    import shapely

    return shapely.MultiPolygon(list(list_parts(region)))


def list_parts(region: Region) -> Iterator[Any]:
    """Iterate over the polygons, with their holes, of any collection."""
    if region.geom_type == "Polygon":
        if not region.is_empty:
            yield region
    else:
        for part in getattr(region, "geoms", ()):
            yield from list_parts(part)


def list_rings(part: Any) -> list[FloatArray]:
    """List the outer ring and the holes of a polygon, (N, 2) float64 without a repeated end."""
    return [np.asarray(ring.coords)[:-1, :2] for ring in (part.exterior, *part.interiors)]


def make_box(left: float, top: float, right: float, bottom: float) -> Region:
    """Return a rectangle."""
    import shapely

    return shapely.box(left, top, right, bottom)


def clip(region: Region, size: tuple[int, int]) -> Region:
    """Cut a region to the image."""
    height, width = size
    left, top, right, bottom = region.bounds if not region.is_empty else (0, 0, 0, 0)
    if left >= 0 and top >= 0 and right <= width and bottom <= height:
        return region
    return keep_areas(region.intersection(make_box(0, 0, width, height)))


def measure_area(region: Region) -> float:
    """Return an area, rounded so that it is the same with every release of GEOS."""
    return float(round(region.area, _AREA_DIGITS))


def measure_iou(first: Region, second: Region) -> float:
    """Return the intersection over union of two valid regions, 1 if both have no area.

    >>> measure_iou(make_box(0, 0, 4, 4), make_box(0, 0, 4, 2))
    0.5
    """
    shared = first.intersection(second).area
    union = first.area + second.area - shared
    return float(round(min(shared / union, 1.0), 9)) if union > 0 else 1.0
