"""Dilation and erosion: an outline moved by an equal distance everywhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import shapely

from actiseg_data.polygons import SUBPIXEL, Patch
from actiseg_noise.boundary.calibrate import Strength, settle
from actiseg_noise.boundary.contours import Clean, Geometry, draw, iou, trace, typical_shift
from actiseg_noise.boundary.drawn import Drawn, Keyed

_ARC = 4  # segments that round off a quarter turn of a grown or shrunk outline


def dilate(clean: Clean, parameters: Mapping[str, Any], keyed: Keyed) -> Drawn:
    """Grow an object by an equal distance everywhere (Minkowski sum with a disc)."""
    strength, shape = Strength.of(parameters), trace(clean)

    def at(level: int) -> Patch:
        return _offset(shape, level, clean)

    guess = typical_shift(clean) * (1 / (strength.target_iou or 1) - 1)
    limit = SUBPIXEL * max(clean.frame)
    return settle(at, clean, strength, guess, limit, at_limit="short")


def erode(clean: Clean, parameters: Mapping[str, Any], keyed: Keyed) -> Drawn:
    """Shrink an object by an equal distance everywhere (Minkowski difference with a disc).

    parameters: ``minimum_area`` (pixels) and ``minimum_share`` (of the clean area): the object
    keeps at least the larger of the two, so that a thin one does not vanish.
    """
    strength, shape = Strength.of(parameters), trace(clean)
    least = max(parameters["minimum_area"], parameters["minimum_share"] * clean.area)

    def at(level: int) -> Patch:
        return _offset(shape, -level, clean)

    def remains(level: int) -> bool:
        return bool(at(level).mask.sum() >= least)

    guess = typical_shift(clean) * (1 - (strength.target_iou or 1))
    drawn = settle(at, clean, strength, guess, SUBPIXEL * max(clean.frame), at_limit="minimum")
    if drawn.patch.mask.sum() >= min(least, clean.area):
        return drawn
    level = _largest(remains, round(drawn.details["radius"] * SUBPIXEL))
    patch = at(level)
    return Drawn(patch, iou(clean.patch, patch), "minimum", {"radius": level / SUBPIXEL})


def _offset(shape: Geometry, level: int, clean: Clean) -> Patch:
    if not level:
        return clean.patch
    return draw(shapely.buffer(shape, level / SUBPIXEL, quad_segs=_ARC), clean.frame)


def _largest(holds: Callable[[int], bool], wanted: int) -> int:
    """The largest level below `wanted` at which a property holds that is lost once and for all."""
    low, high = 0, wanted
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low
