"""Regions whose vertices are on a lattice, and their polygons.

The lattice hides the last bits of what different releases of GEOS compute.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from actiseg_data.annotations.polygons import IntArray
from actiseg_noise.mask_noise.simplify import simplify_ring
from actiseg_noise.polygon_noise.polygon_regions import (
    FloatArray,
    Region,
    clip,
    keep_areas,
    list_parts,
    list_rings,
    repair,
)

LATTICE = 16
"""Steps per pixel of the vertices that are written."""

MOST_POINTS = 5_000
"""Most vertices of a noisy entity: half of what `actiseg_data.layouts.visor_json` reads."""

_FINEST, _COARSEST = 2, 256  # lattice steps by which thinning may move an outline


def snap_region(region: Region, size: tuple[int, int]) -> tuple[Region, bool]:
    """Cut a region to the image, and snap its vertices to the lattice.

    Vertices that change the outline by an eighth of a pixel or less are left out.

    Returns
    -------
    snapped : Region
        A valid region, possibly empty.
    is_repaired : bool
        Whether rings crossed after they were snapped, so that they were taken apart.
    """
    import shapely

    clipped = clip(region, size)
    snapped = simplify_region(clipped, _FINEST)
    is_repaired = snapped is None
    if snapped is None:
        crossing = shapely.transform(clipped, lambda points: _to_lattice(points) / LATTICE)
        snapped = keep_areas(shapely.set_precision(repair(crossing), 1 / LATTICE))
        snapped = clip(snapped, size)
    tolerance = 2 * _FINEST
    while shapely.get_num_coordinates(snapped) > MOST_POINTS and tolerance <= _COARSEST:
        snapped = simplify_region(clipped, tolerance) or snapped
        tolerance *= 2
    return snapped, is_repaired


def simplify_region(region: Region, tolerance: int) -> Region | None:
    """Snap the vertices of a region, and leave out those that its outline hardly needs.

    Rings without area are left out. Simplification is our own: that of GEOS has changed.

    Parameters
    ----------
    region : Region
        A valid region.
    tolerance : int
        Lattice steps by which the outline may move.

    Returns
    -------
    Region or None
        None if rings cross afterwards.
    """
    import shapely

    parts = []
    for part in list_parts(region):
        outer, *holes = (simplify_ring(_to_lattice(ring), tolerance) for ring in list_rings(part))
        if len(outer):
            kept = [hole / LATTICE for hole in holes if len(hole)]
            parts.append(shapely.Polygon(outer / LATTICE, kept))
    simplified = shapely.MultiPolygon(parts)
    return simplified if simplified.is_valid else None


def _to_lattice(points: FloatArray) -> IntArray:
    # Rounded to 1e-6 first, so that the last bits do not decide which way a half goes.
    steps: IntArray = np.rint(np.round(points, 6) * LATTICE).astype(np.int64)
    return steps


def list_polygons(region: Region, sources: Sequence[FloatArray]) -> list[FloatArray]:
    """List the rings of a region, outer ones and holes, as polygons of their own.

    Parameters
    ----------
    region : Region
        A valid region.
    sources : sequence of ndarray
        The clean polygons, (N, 2) float64. A ring takes the place of the one that it shares the
        largest part with.

    Returns
    -------
    list of ndarray
        (N, 2) float64, N >= 3, without repeated vertices. Filled even-odd, they give the region.
    """
    rings = [ring for part in list_parts(region) for ring in list_rings(part)]
    listed = []
    for points in rings:
        distinct = points[(points != np.roll(points, 1, axis=0)).any(axis=1)]
        if len(distinct) >= 3:
            listed.append(distinct)
    places = _find_places(listed, sources)
    order = sorted(range(len(listed)), key=lambda number: (places[number], listed[number].tolist()))
    return [listed[number] for number in order]


def _find_places(rings: Sequence[FloatArray], sources: Sequence[FloatArray]) -> list[int]:
    """Find, for each ring, the position of the clean polygon that it is most like."""
    import shapely

    if len(sources) == 1:
        return [0] * len(rings)
    solids = shapely.polygons([shapely.linearrings(ring) for ring in rings])
    cleans = [shapely.Polygon(source) for source in sources]
    cleans = [clean if clean.is_valid else repair(clean) for clean in cleans]
    areas = shapely.area(cleans)
    places = []
    for solid in solids:
        shared = shapely.area(shapely.intersection(solid, cleans))
        likeness = np.round(shared / np.maximum(areas + solid.area - shared, 1e-9), 6)
        near = likeness if likeness.any() else -np.round(shapely.distance(solid, cleans), 6)
        places.append(int(np.argmax(near)))
    return places
