"""Elastic jitter: a smooth random displacement field that moves an outline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import SUBPIXEL, Patch
from actiseg_data.core.keys import draw_normals, draw_uniforms
from actiseg_noise.mask_noise.calibration import Strength, draw_at_strength
from actiseg_noise.mask_noise.contours import (
    ObjectMask,
    ObjectOutline,
    draw,
    estimate_shift,
    has_outline,
    trace,
)
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

FloatArray = NDArray[np.float64]

_WAVES = 32  # plane waves that make up one elastic field
_LENGTHENINGS = 3
_LARGEST_STEP = 1000
"""Most vertices that become one. `trace` extends the frame by so many pixels, and an object that
almost fills its frame would take any number."""
_FOLD_STEPS = 12  # how often the limit is lowered by a tenth until no ring crosses


def jitter(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Move an outline by a smooth random displacement field, as a hurried annotator would.

    The field is a sum of plane waves of random direction and phase (a Gaussian random field in the
    limit; Rahimi & Recht, NIPS 2007). The waves are the same for x and y but have independent
    phases, so x and y are uncorrelated. The part of the field that grows or shrinks the object is
    removed, and the field is scaled to RMS 1 along the normals of the outline.

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
        elastic = _draw_field(trace(clean, max(step, 1)), clean.frame, length, keys)
        drawn = _draw_unfolded(elastic, clean, strength, parameters["fold_margin"])
        if drawn.status != "fold":
            break
        length *= 1.5
    return replace(drawn, details={**drawn.details, "correlation_length": round(length, 6)})


@dataclass(frozen=True)
class _ElasticField:
    """An outline and its displacements at amplitude 1.

    Attributes
    ----------
    outline : ObjectOutline
        The clean outline.
    field : (N, 2) float64
        Displacement of each point of the outline.
    swept : float
        Pixels that the outline sweeps over.
    steepest : float
        Largest spectral norm of the field's gradient at any point.
    """

    outline: ObjectOutline
    field: FloatArray
    swept: float
    steepest: float

    def move(self, level: int) -> ObjectOutline:
        points = self.outline.points + level / SUBPIXEL * self.field
        return replace(self.outline, points=points)


def _draw_unfolded(
    elastic: _ElasticField, clean: ObjectMask, strength: Strength, margin: float
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


def _draw_field(
    outline: ObjectOutline, frame: tuple[int, int], length: float, keys: KeyFactory
) -> _ElasticField:
    """Draw the field at the vertices of an outline, with a correlation length in pixels."""
    waves = draw_normals(keys("jitter.waves"), 2 * _WAVES).reshape(_WAVES, 2) / length
    phases = 2 * np.pi * draw_uniforms(keys("jitter.phases"), 2 * _WAVES).reshape(_WAVES, 2)
    points = outline.points
    angles = points @ waves.T
    turns = np.concatenate([np.cos(angles), np.sin(angles)], axis=1)
    # The sum of cos(angle + phase), and of its derivative, for x and y with phases of their own.
    cosines, sines = np.cos(phases), np.sin(phases)
    field = turns @ np.concatenate([cosines, -sines])
    slopes = np.concatenate([-sines, -cosines])[:, :, None] * np.tile(waves, (2, 1))[:, None, :]
    gradient = np.tensordot(turns, slopes, 1)
    normals, weights = _compute_normals(outline, frame)
    field -= _compute_growth(points, field, normals, weights)
    along = (field * normals).sum(axis=1)
    rms = float(np.sqrt((weights * along**2).sum() / max(weights.sum(), 1e-9)))
    scale = 1 / max(rms, 1e-6)
    steepest = round(float(_compute_spectral_norms(gradient).max()) * scale, 9)
    swept = round(max(float((weights * abs(along)).sum()) * scale, 1.0), 9)
    return _ElasticField(outline, np.round(field * scale, 9), swept, steepest)


def _compute_growth(
    points: FloatArray, field: FloatArray, normals: FloatArray, weights: FloatArray
) -> FloatArray:
    """Compute the part of a field that grows or shrinks the object, (N, 2).

    It is the smallest field of shifts and a uniform scaling that moves as much area across the
    outline as the given field. Shifts move no area unless the frame cuts the object.
    """
    total = max(float(weights.sum()), 1e-9)
    centred = points - (weights[:, None] * points).sum(axis=0) / total
    size = np.sqrt((weights * (centred**2).sum(axis=1)).sum() / total)
    basis = [np.broadcast_to(axis, points.shape) for axis in np.eye(2)]
    basis.append(centred / max(float(size), 1e-9))

    def measure_flux(vectors: FloatArray) -> float:
        return float((weights * (vectors * normals).sum(axis=1)).sum())

    shares = [measure_flux(vectors) for vectors in basis]
    ratio = measure_flux(field) / max(sum(share**2 for share in shares), 1e-9)
    parts = [share * vectors for share, vectors in zip(shares, basis, strict=True)]
    growth: FloatArray = ratio * np.sum(parts, axis=0)
    return growth


def _compute_spectral_norms(matrices: FloatArray) -> FloatArray:
    """Compute the largest singular values (N,) of (N, 2, 2) matrices."""
    squares = (matrices**2).sum(axis=(1, 2))
    determinants = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
    spread = np.sqrt(np.maximum(squares**2 - 4 * determinants**2, 0))
    norms: FloatArray = np.sqrt((squares + spread) / 2)
    return norms


def _compute_normals(
    outline: ObjectOutline, frame: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Compute unit normals (N, 2) at all vertices, and the length (N,) of outline at each.

    Both are 0 beyond the frame, because that part is not an outline of the object.
    """
    height, width = frame
    points = outline.points
    following = np.arange(1, len(points) + 1)
    starts = np.array((0, *outline.stops[:-1]))
    following[np.array(outline.stops) - 1] = starts
    inside = (points >= 0) & (points <= (width, height))
    seen = inside[:, 0] & inside[:, 1]
    edges = (points[following] - points) * (seen & seen[following])[:, None]
    chord = edges.copy()
    chord[following] += edges
    size = np.hypot(chord[:, 0], chord[:, 1])
    normals = np.stack([chord[:, 1], -chord[:, 0]], 1) / np.maximum(size, 1e-9)[:, None]
    return normals, size / 2
