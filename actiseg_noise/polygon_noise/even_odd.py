"""The even-odd area of rings that cross themselves or one another, by its definition.

GEOS repairs polygons in its own ways, which differ from even-odd filling where edges coincide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_MOST_CROSSINGS = 20_000
"""Crossings of edges beyond which rings count as without area: their faces are too many. A real
entity has a few."""

_SAMPLES = 200  # edges whose crossings are counted, to estimate those of all
_CHUNK = 1 << 22  # pairs of points and edges that are compared at once


def select_odd_faces(rings: Sequence[FloatArray]) -> Any:
    """Return the union of all faces between rings that an odd number of rings goes around.

    Parameters
    ----------
    rings : sequence of ndarray
        (N, 2) float64 x, y; no ring repeats its first vertex.

    Returns
    -------
    Polygon or MultiPolygon or GeometryCollection
        A valid geometry of shapely, without area if the rings are too tangled.

    Examples
    --------
    >>> square = np.array([[0, 0], [4, 0], [4, 4], [0, 4]], float)
    >>> select_odd_faces([square, square + 2]).area
    24.0
    """
    import shapely

    start = np.concatenate(rings)
    end = np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    is_edge = (start != end).any(axis=1)
    start, end = start[is_edge], end[is_edge]
    if not len(start):
        return shapely.MultiPolygon()
    edges = shapely.linestrings(np.stack([start, end], axis=1))
    if _estimate_crossings(edges) > _MOST_CROSSINGS:
        return shapely.MultiPolygon()
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(edges)]))
    inner = shapely.get_coordinates(shapely.point_on_surface(faces))
    return shapely.union_all(faces[_count_crossed(inner, start, end) % 2 == 1])


def _estimate_crossings(edges: Any) -> float:
    """Estimate how often edges meet, besides the ends that neighbours share."""
    import shapely

    sample = edges[np.linspace(0, len(edges) - 1, min(len(edges), _SAMPLES)).astype(int)]
    met = shapely.STRtree(edges).query(sample, predicate="intersects").shape[1]
    return float(met / len(sample) - 3) * len(edges) / 2


def _count_crossed(points: FloatArray, start: FloatArray, end: FloatArray) -> NDArray[np.int64]:
    """Count the edges that a ray from each point to the right crosses, (P,)."""
    counts = np.zeros(len(points), np.int64)
    step = max(_CHUNK // len(start), 1)
    for first in range(0, len(points), step):
        x, y = points[first : first + step, :, None].transpose(1, 0, 2)
        spans = (start[:, 1] <= y) != (end[:, 1] <= y)
        with np.errstate(divide="ignore", invalid="ignore"):
            crossing = start[:, 0] + (y - start[:, 1]) * (end - start)[:, 0] / (end - start)[:, 1]
        counts[first : first + step] = (spans & (crossing > x)).sum(axis=1)
    return counts
