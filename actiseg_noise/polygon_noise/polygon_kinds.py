"""Dilation, erosion and jitter of the polygons of one entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, Protocol

import numpy as np

from actiseg_data.annotations.polygons import SUBPIXEL, BoolArray
from actiseg_noise.mask_noise.calibration import Strength, find_level
from actiseg_noise.mask_noise.contours import ObjectOutline
from actiseg_noise.mask_noise.elastic_field import ElasticField, draw_elastic_field
from actiseg_noise.mask_noise.noisy_outline import KeyFactory
from actiseg_noise.polygon_noise.image_border import extend_region, measure_visible_outline
from actiseg_noise.polygon_noise.lattice_polygons import simplify_region
from actiseg_noise.polygon_noise.noisy_polygons import (
    NoisyPolygons,
    correct_status,
    finish_region,
    keep_clean,
)
from actiseg_noise.polygon_noise.polygon_regions import (
    EntityRegion,
    FloatArray,
    Region,
    clip,
    keep_areas,
    list_parts,
    measure_area,
    measure_iou,
    repair,
)

LEAST_AREA = 1.0
"""Pixels in the image that an entity must cover to get noise."""

_SIMPLIFICATION = 4
"""Lattice steps by which an outline may move before it is offset. Offsets of dense outlines are
slow."""

_ROUNDING = 8
"""Edges of a quarter circle around a corner that grows."""

_LENGTHENINGS = 3
_FOLD_STEPS = 12  # how often the limit is lowered by a tenth until no ring crosses
_MOST_STEPS = 2_000  # most pieces of an outline


class PolygonKind(Protocol):
    """A function that draws the noisy polygons of one entity.

    Its arguments are the clean region, its polygons, the parameters of the noise as the recipe has
    them, and the factory of the item's keys.
    """

    def __call__(
        self,
        clean: EntityRegion,
        sources: tuple[FloatArray, ...],
        parameters: Mapping[str, Any],
        keys: KeyFactory,
    ) -> NoisyPolygons: ...


def dilate_polygons(
    clean: EntityRegion,
    sources: tuple[FloatArray, ...],
    parameters: Mapping[str, Any],
    keys: KeyFactory,
) -> NoisyPolygons:
    """Grow an entity by the same distance everywhere (Minkowski sum with a disc)."""
    strength = Strength.from_parameters(parameters)
    offset = _Offset(clean, outward=True)
    if not offset.has_outline:
        return keep_clean()
    target = strength.target_iou or 1
    guess = offset.shift * (1 / target - 1)
    limit = SUBPIXEL * max(clean.size)
    level, status = find_level(offset.measure_iou, strength, guess, limit, at_limit="short")
    noisy = finish_region(clean, sources, offset.draw(level), level, status)
    return replace(noisy, status=correct_status(noisy, strength))


def erode_polygons(
    clean: EntityRegion,
    sources: tuple[FloatArray, ...],
    parameters: Mapping[str, Any],
    keys: KeyFactory,
) -> NoisyPolygons:
    """Shrink an entity by the same distance everywhere (Minkowski difference with a disc).

    The entity keeps at least ``minimum_area`` pixels and the share ``minimum_share`` of its clean
    area.
    """
    strength = Strength.from_parameters(parameters)
    offset = _Offset(clean, outward=False)
    if not offset.has_outline:
        return keep_clean()
    least = max(parameters["minimum_area"], parameters["minimum_share"] * clean.area)
    target = strength.target_iou or 1
    limit = SUBPIXEL * max(clean.size)
    if strength.radius is not None:
        limit = _find_last(
            lambda level: offset.measure(level) >= least, round(strength.radius * SUBPIXEL)
        )
    elif target * clean.area < least:
        limit = _find_last(lambda level: offset.measure(level) >= least, limit)
    guess = offset.shift * (1 - target)
    level, status = find_level(offset.measure_iou, strength, guess, limit, at_limit="minimum")
    noisy = finish_region(clean, sources, offset.draw(level), level, status)
    return replace(noisy, status=correct_status(noisy, strength))


def _find_last(holds: Callable[[int], bool], limit: int) -> int:
    """Return the last level from 0 to `limit` at which a condition holds that ends once.

    >>> _find_last(lambda level: level < 7, 100)
    6
    """
    if holds(limit):
        return limit
    low, high = 0, limit
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


class _Offset:
    """A region whose outline moves by equal distances."""

    def __init__(self, clean: EntityRegion, *, outward: bool) -> None:
        self._clean = clean
        self._sign = 1 if outward else -1
        self._extended = extend_region(clean)
        simplified = simplify_region(self._extended, _SIMPLIFICATION)
        self._simplified = self._extended if simplified is None else simplified
        self._length = measure_visible_outline(self._extended, clean.size)
        self.draw = cache(self._draw)

    @property
    def has_outline(self) -> bool:
        """Whether the image shows a part of the outline."""
        return self._length > 0

    @property
    def shift(self) -> float:
        """Area over length of the outline, in pixels: the scale of first guesses."""
        return self._clean.area / self._length

    def _draw(self, level: int) -> Region:
        if level == 0:
            return self._clean.visible
        distance = self._sign * level / SUBPIXEL
        moved = self._simplified.buffer(distance, quad_segs=_ROUNDING)
        if self._sign < 0:  # beside the border, the region was continued over what is not clean
            return keep_areas(moved.intersection(self._clean.visible))
        return clip(keep_areas(moved), self._clean.size)

    def measure(self, level: int) -> float:
        """Return the area at a level of 1/64 pixel."""
        return measure_area(self.draw(level))

    def measure_iou(self, level: int) -> float:
        """Return the IoU at a level: one region contains the other."""
        ratio = self.measure(level) / self._clean.area
        return round(min(1 / ratio if self._sign > 0 else ratio, 1.0), 9)


def jitter_polygons(
    clean: EntityRegion,
    sources: tuple[FloatArray, ...],
    parameters: Mapping[str, Any],
    keys: KeyFactory,
) -> NoisyPolygons:
    """Move the outline of an entity by a smooth random displacement field.

    The field is that of `actiseg_noise.mask_noise.jitter.jitter`, taken at the vertices of the
    polygons. Long edges are divided first. The parameters mean the same, in pixels of the
    annotation.
    """
    strength = Strength.from_parameters(parameters)
    extended = extend_region(clean)
    length = measure_visible_outline(extended, clean.size)
    if length == 0:
        return keep_clean()
    amplitude = strength.radius
    if amplitude is None:
        target = strength.target_iou or 1
        amplitude = 1.25 * 2 * (1 - target) / (1 + target) * clean.area / length
    given = parameters["correlation_length"]
    correlation = given or max(
        parameters["correlation_ratio"] * amplitude, parameters["correlation_least"]
    )
    for _ in range(1 if given else 1 + _LENGTHENINGS):
        step = max(min(correlation / 12, amplitude / 2), 1.0, length / _MOST_STEPS)
        outline = _trace_region(extended, step, clean.size)
        elastic = draw_elastic_field(outline, clean.size, correlation, keys)
        level, status = _find_unfolded(elastic, clean, strength, parameters["fold_margin"])
        if status != "fold":
            break
        correlation *= 1.5
    noisy = finish_region(clean, sources, _fill_outline(elastic.move(level)), level, status)
    details = {**noisy.details, "correlation_length": round(correlation, 6)}
    return replace(noisy, status=correct_status(noisy, strength), details=details)


def _find_unfolded(
    elastic: ElasticField, clean: EntityRegion, strength: Strength, margin: float
) -> tuple[int, str]:
    """Find the level that the strength needs, below the limit at which the outline folds.

    As long as the outline crosses itself, the limit is lowered to nine tenths of the level.
    """

    @cache
    def measure(level: int) -> float:
        if level == 0:
            return 1.0
        return measure_iou(clean.visible, clip(_fill_outline(elastic.move(level)), clean.size))

    # Half of the area that the outline sweeps over is lost, the other half is gained.
    target = strength.target_iou or 1
    guess = round(2 * (1 - target) / (1 + target) * clean.area / elastic.swept, 6)
    limit = int(margin / elastic.steepest * SUBPIXEL)
    for _ in range(_FOLD_STEPS):
        level, status = find_level(measure, strength, guess, limit, at_limit="fold")
        if elastic.move(level).is_valid:
            return level, status
        limit = level * 9 // 10
    return find_level(measure, strength, guess, 0, at_limit="fold")


def _trace_region(region: Region, step: float, size: tuple[int, int]) -> ObjectOutline:
    """Return the rings of a region with their edges divided into pieces of at most `step` pixels.

    Edges that lead far beyond the image stay whole.
    """
    from shapely.geometry.polygon import orient

    rings: list[FloatArray] = []
    parts = []
    for part in list_parts(region):
        oriented = orient(part)
        first = len(rings)
        for ring in (oriented.exterior, *oriented.interiors):
            rings.append(_divide_edges(np.asarray(ring.coords)[:, :2], step, size))
        parts.append(tuple(range(first, len(rings))))
    stops = np.cumsum([len(ring) for ring in rings]).tolist()
    return ObjectOutline(np.concatenate(rings), tuple(stops), tuple(parts))


def _divide_edges(ring: FloatArray, step: float, size: tuple[int, int]) -> FloatArray:
    """Divide the edges of a closed ring; its last point, which repeats the first, is left out."""
    start, run = ring[:-1], np.diff(ring, axis=0)
    far = max(size) / 2
    outside = (ring < -far) | (ring > np.array(size[::-1]) + far)
    beyond: BoolArray = outside[:, 0] | outside[:, 1]
    length = np.round(np.sqrt((run**2).sum(axis=1)), 6)
    pieces = np.maximum(np.ceil(length / step), 1).astype(np.int64)
    pieces[beyond[:-1] | beyond[1:]] = 1
    edge = np.repeat(np.arange(len(start)), pieces)
    first = np.repeat(np.cumsum(pieces) - pieces, pieces)
    share = (np.arange(len(edge)) - first) / pieces[edge]
    points: FloatArray = start[edge] + share[:, None] * run[edge]
    return points


def _fill_outline(outline: ObjectOutline) -> Region:
    """Return the region of an outline; one that crosses itself is filled even-odd."""
    import shapely

    rings = outline.rings
    region = shapely.MultiPolygon(
        [
            shapely.Polygon(rings[outer], [rings[i] for i in holes])
            for outer, *holes in outline.parts
        ]
    )
    return region if region.is_valid else repair(region)


POLYGON_KINDS: Mapping[str, PolygonKind] = {
    "dilate": dilate_polygons,
    "erode": erode_polygons,
    "jitter": jitter_polygons,
}
"""The function of each kind of polygon noise that is not a mixture."""
