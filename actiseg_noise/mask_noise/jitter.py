"""Elastic jitter: an outline moved by a smooth random displacement field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import SUBPIXEL, Patch
from actiseg_data.core.keys import draw_normals, draw_uniforms
from actiseg_noise.mask_noise.calibration import Strength, draw_at_strength
from actiseg_noise.mask_noise.contours import ObjectMask, ObjectOutline, draw, estimate_shift, trace
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

FloatArray = NDArray[np.float64]

_WAVES = 32  # plane waves that make up one elastic field
_LENGTHENINGS = 3
_FOLD_STEPS = 12  # how often the fold limit is lowered by a tenth until the outline is simple


def jitter(clean: ObjectMask, parameters: Mapping[str, Any], keyed: KeyFactory) -> NoisyOutline:
    """Move an outline by a smooth random displacement field, as a hurried hand would.

    The field is a sum of plane waves of random direction and phase (a Gaussian random field in the
    limit; Rahimi & Recht, NIPS 2007), the same waves for x and y but at phases of their own, so
    that neither tells of the other. Its mean along the outline's normals is taken out, so that it
    neither grows nor shrinks the object, and it is scaled to RMS 1 there.

    parameters: ``correlation_length`` in pixels, or None for ``correlation_ratio`` times the
    amplitude that is asked for or expected, but not less than ``correlation_least`` pixels, and
    then half as long again, up to three times, where the outline would fold before the target is
    reached. ``fold_margin``: the amplitude is capped where the field's gradient at the outline
    reaches it; below 1 the map is locally one-to-one. It is lowered further until the outline that
    is drawn crosses itself nowhere.
    """
    strength = Strength.of(parameters)
    amplitude = strength.radius
    if amplitude is None:
        target = strength.target_iou or 1
        # Moving an outline of length P by d takes and adds P |d| / 2 pixels each on average; the
        # RMS of a bell-shaped d is 1.25 times its mean size.
        amplitude = 1.25 * 2 * (1 - target) / (1 + target) * estimate_shift(clean)
    given = parameters["correlation_length"]
    length = given or max(
        parameters["correlation_ratio"] * amplitude, parameters["correlation_least"]
    )
    for _ in range(1 if given else 1 + _LENGTHENINGS):
        # As many vertices as the field needs, and as keep the outline's own shape.
        step = round(min(length / 12, amplitude / 2))
        elastic = _draw_field(trace(clean, max(step, 1)), clean.frame, length, keyed)
        drawn = _draw_unfolded(elastic, clean, strength, parameters["fold_margin"])
        if drawn.status != "fold":
            break
        length *= 1.5
    return replace(drawn, details={**drawn.details, "correlation_length": round(length, 6)})


@dataclass(frozen=True)
class _ElasticField:
    """An outline and its displacements at amplitude 1.

    field: (N, 2) float64, of the outline's points. swept: pixels that the outline sweeps over.
    steepest: largest spectral norm of the field's gradient at any point.
    """

    outline: ObjectOutline
    field: FloatArray
    swept: float
    steepest: float

    def moved(self, level: int) -> ObjectOutline:
        points = self.outline.points + level / SUBPIXEL * self.field
        return replace(self.outline, points=points)


def _draw_unfolded(
    elastic: _ElasticField, clean: ObjectMask, strength: Strength, margin: float
) -> NoisyOutline:
    """Settle the amplitude below the limit at which the field folds, lowered by a tenth of what was
    drawn as long as the outline crosses itself.
    """

    def at(level: int) -> Patch:
        return draw(elastic.moved(level), clean.frame)

    # Half of what the outline sweeps over is lost, the other half won.
    target = strength.target_iou or 1
    guess = round(2 * (1 - target) / (1 + target) * clean.area / elastic.swept, 6)
    limit = int(margin / elastic.steepest * SUBPIXEL)
    for _ in range(_FOLD_STEPS):
        drawn = draw_at_strength(at, clean, strength, guess, limit, at_limit="fold")
        level = round(drawn.details["radius"] * SUBPIXEL)
        if elastic.moved(level).is_valid:
            return drawn
        limit = level * 9 // 10
    return draw_at_strength(at, clean, strength, guess, 0, at_limit="fold")


def _draw_field(
    outline: ObjectOutline, frame: tuple[int, int], length: float, keyed: KeyFactory
) -> _ElasticField:
    """Draw the field at the vertices of an outline. length: correlation length in pixels."""
    waves = draw_normals(keyed("jitter.waves"), 2 * _WAVES).reshape(_WAVES, 2) / length
    phases = 2 * np.pi * draw_uniforms(keyed("jitter.phases"), 2 * _WAVES).reshape(_WAVES, 2)
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
    """(N, 2): the part of a field by which it grows or shrinks the object.

    The smallest field made of shifts and a uniform scaling that moves as much area across the
    outline as the given one; where the frame cuts nothing off, shifts move none.
    """
    total = max(float(weights.sum()), 1e-9)
    centred = points - (weights[:, None] * points).sum(axis=0) / total
    size = np.sqrt((weights * (centred**2).sum(axis=1)).sum() / total)
    basis = [np.broadcast_to(axis, points.shape) for axis in np.eye(2)]
    basis.append(centred / max(float(size), 1e-9))

    def flux(vectors: FloatArray) -> float:
        return float((weights * (vectors * normals).sum(axis=1)).sum())

    shares = [flux(vectors) for vectors in basis]
    ratio = flux(field) / max(sum(share**2 for share in shares), 1e-9)
    parts = [share * vectors for share, vectors in zip(shares, basis, strict=True)]
    growth: FloatArray = ratio * np.sum(parts, axis=0)
    return growth


def _compute_spectral_norms(matrices: FloatArray) -> FloatArray:
    """(N,) largest singular values of (N, 2, 2) matrices."""
    squares = (matrices**2).sum(axis=(1, 2))
    determinants = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
    spread = np.sqrt(np.maximum(squares**2 - 4 * determinants**2, 0))
    norms: FloatArray = np.sqrt((squares + spread) / 2)
    return norms


def _compute_normals(
    outline: ObjectOutline, frame: tuple[int, int]
) -> tuple[FloatArray, FloatArray]:
    """Unit normals (N, 2) at all vertices, and the length (N,) of outline that each stands for.

    What lies beyond the frame is no outline of the object: normals are 0 there.
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
