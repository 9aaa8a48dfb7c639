"""Dilation and erosion: an outline that moves by the same distance everywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import SUBPIXEL, IntArray, Patch
from actiseg_noise.mask_noise.calibration import Strength, find_closest_level
from actiseg_noise.mask_noise.contours import ObjectMask, crop_with_context, estimate_shift, trim
from actiseg_noise.mask_noise.distance import Distances, measure_edge_distances
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

_RIM = 5
"""Pixels of context beyond those that a growth can reach: distances are means over boxes."""


def dilate(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Grow an object by the same distance everywhere (Minkowski sum with a disc).

    The object gains a pixel if the distance between the pixel and the object's edge
    (`measure_edge_distances`) is at most the radius. All radii are tried, so the IoU is as close to
    the target as the pixel grid allows.
    """
    strength, area = Strength.from_parameters(parameters), clean.area
    target = strength.target_iou or 1
    furthest = max(clean.frame)
    # An outline of length P that grows by d gains P d pixels, and a few more at its corners.
    reach = strength.radius or 1.1 * estimate_shift(clean) * (1 / target - 1)
    while True:
        margin = min(math.ceil(reach), furthest)
        around = crop_with_context(clean, margin + _RIM)
        levels = measure_edge_distances(around.mask)
        levels[clean.patch.locate_in(around)][clean.patch.mask] = 0
        whole = around.mask.shape == clean.frame
        ious = area / (area + _count_passed(levels, SUBPIXEL * (furthest if whole else margin)))
        if whole or strength.radius is not None or ious[-1] <= target:
            break
        reach = 2 * margin
    level, status = find_closest_level(ious, strength, at_limit="short")
    patch = trim(Patch(around.top, around.left, levels <= level))
    return NoisyOutline(patch, float(ious[level]), status, {"radius": level / SUBPIXEL})


def erode(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Shrink an object by the same distance everywhere (Minkowski difference with a disc).

    The object loses a pixel if the distance between the pixel and the object's edge
    (`measure_edge_distances`) is at most the radius. All radii are tried, so the IoU is as close to
    the target as the pixel grid allows. The object keeps at least ``minimum_area`` pixels and the
    share ``minimum_share`` of its clean area, so that a thin object does not vanish.
    """
    strength, area = Strength.from_parameters(parameters), clean.area
    least = max(parameters["minimum_area"], parameters["minimum_share"] * area)
    around = crop_with_context(clean, _RIM)
    levels = measure_edge_distances(~around.mask)[clean.patch.locate_in(around)] * clean.patch.mask
    lost = _count_passed(levels, min(int(levels.max()), SUBPIXEL * max(clean.frame)))
    limit = max(int(np.searchsorted(lost, area - least, "right")) - 1, 0)
    ious = (area - lost[: limit + 1]) / area
    level, status = find_closest_level(ious, strength, at_limit="minimum")
    patch = trim(Patch(clean.patch.top, clean.patch.left, levels > level))
    return NoisyOutline(patch, float(ious[level]), status, {"radius": level / SUBPIXEL})


def _count_passed(levels: Distances, limit: int) -> IntArray:
    """Count the pixels that an outline has passed after each 1/64 pixel, (limit + 1,).

    `levels` has the level at which the outline passes a pixel, or 0 if it never does.
    """
    passed = levels[(levels > 0) & (levels <= limit)]
    counts: IntArray = np.cumsum(np.bincount(passed, minlength=limit + 1))
    return counts
