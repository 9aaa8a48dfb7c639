"""Elastic jitter: a smooth random displacement field that moves an outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from actiseg_data.annotations.polygons import SUBPIXEL, Patch
from actiseg_noise.mask_noise.calibration import Strength, draw_at_strength
from actiseg_noise.mask_noise.contours import (
    ObjectMask,
    draw,
    estimate_shift,
    has_outline,
    trace,
)
from actiseg_noise.mask_noise.elastic_field import ElasticField, draw_elastic_field
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

_LENGTHENINGS = 3
_LARGEST_STEP = 1000
"""Most vertices that become one. `trace` extends the frame by so many pixels, and an object that
almost fills its frame would take any number."""
_FOLD_STEPS = 12  # how often the limit is lowered by a tenth until no ring crosses


def jitter(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Move an outline by a smooth random displacement field, as a hurried annotator would.

    See `actiseg_noise.mask_noise.elastic_field.ElasticField` for the field.

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``target_iou`` or ``radius``: the strength. ``correlation_length``: in pixels, or None for
        ``correlation_ratio`` times the given or expected amplitude, but at least
        ``correlation_least`` pixels. In that case it is increased by half, up to three times, if
        the outline would fold before it meets the target. ``fold_margin``: bound of the field's
        gradient at the outline, which caps the amplitude; below 1 the map is locally one-to-one.
        The cap is lowered further until the outline does not cross itself.
    keys : KeyFactory
        Makes the item's keys.
    """
    if not has_outline(clean):
        return NoisyOutline(clean.patch, 1.0, "short", {"radius": 0.0})
    strength = Strength.from_parameters(parameters)
    amplitude = strength.radius
    if amplitude is None:
        target = strength.target_iou or 1
        # An outline of length P that moves by d loses and gains P |d| / 2 pixels each on average;
        # the RMS of a normal d is 1.25 times its mean size.
        amplitude = 1.25 * 2 * (1 - target) / (1 + target) * estimate_shift(clean)
    given = parameters["correlation_length"]
    length = given or max(
        parameters["correlation_ratio"] * amplitude, parameters["correlation_least"]
    )
    for _ in range(1 if given else 1 + _LENGTHENINGS):
        # Enough vertices for the field, and enough to keep the shape of the outline.
        step = round(min(length / 12, amplitude / 2, _LARGEST_STEP))
        elastic = draw_elastic_field(trace(clean, max(step, 1)), clean.frame, length, keys)
        drawn = _draw_unfolded(elastic, clean, strength, parameters["fold_margin"])
        if drawn.status != "fold":
            break
        length *= 1.5
    return replace(drawn, details={**drawn.details, "correlation_length": round(length, 6)})


def _draw_unfolded(
    elastic: ElasticField, clean: ObjectMask, strength: Strength, margin: float
) -> NoisyOutline:
    """Draw at the amplitude that the strength needs, below the limit at which the field folds.

    As long as the outline crosses itself, the limit is lowered to nine tenths of the amplitude.
    """

    def draw_level(level: int) -> Patch:
        return draw(elastic.move(level), clean.frame)

    # Half of the pixels that the outline sweeps over are lost, the other half are gained.
    target = strength.target_iou or 1
    guess = round(2 * (1 - target) / (1 + target) * clean.area / elastic.swept, 6)
    limit = int(margin / elastic.steepest * SUBPIXEL)
    for _ in range(_FOLD_STEPS):
        drawn = draw_at_strength(draw_level, clean, strength, guess, limit, at_limit="fold")
        level = round(drawn.details["radius"] * SUBPIXEL)
        if elastic.move(level).is_valid:
            return drawn
        limit = level * 9 // 10
    return draw_at_strength(draw_level, clean, strength, guess, 0, at_limit="fold")
