"""Elastic jitter: an outline moved by a smooth random displacement field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from actiseg_data.keys import bells, uniforms
from actiseg_data.polygons import SUBPIXEL, Patch
from actiseg_noise.boundary.calibrate import Strength, settle
from actiseg_noise.boundary.contours import Clean, Geometry, draw, trace, typical_shift
from actiseg_noise.boundary.drawn import Drawn, Keyed

FloatArray = NDArray[np.float64]

_WAVES = 32  # plane waves that make up one elastic field
_LENGTHENINGS = 3
_FOLD_STEPS = 12  # how often the fold limit is lowered by a tenth until the outline is simple


def jitter(clean: Clean, parameters: Mapping[str, Any], keyed: Keyed) -> Drawn:
    """Move an outline by a smooth random displacement field, as a hurried hand would.

    The field is a sum of plane waves of random direction and phase (a Gaussian random field in the
    limit; Rahimi & Recht, NIPS 2007). Its mean along the outline's normals is taken out, so that it
    neither grows nor shrinks the object, and it is scaled to RMS 1 there.

    parameters: ``correlation_length`` in pixels, or None for ``correlation_ratio`` times the
    amplitude that is asked for or expected, but not less than ``correlation_least`` pixels, and
    then half as long again, up to three times, where the outline would fold before the target is
    reached. ``fold_margin``: the amplitude is capped where the field's gradient at the outline
    reaches it; below 1 the map is locally one-to-one. It is lowered further until the outline
    crosses itself nowhere.
    """
    strength = Strength.of(parameters)
    amplitude = strength.radius
    if amplitude is None:
        target = strength.target_iou or 1
        # Moving an outline of length P by d takes and adds P |d| / 2 pixels each on average; the
        # RMS of a bell-shaped d is 1.25 times its mean size.
        amplitude = 1.25 * 2 * (1 - target) / (1 + target) * typical_shift(clean)
    shape = trace(clean)
    given = parameters["correlation_length"]
    length = given or max(
        parameters["correlation_ratio"] * amplitude, parameters["correlation_least"]
    )
    for _ in range(1 if given else 1 + _LENGTHENINGS):
        dense = shapely.segmentize(shape, max(1.0, length / 6))
        elastic = _elastic(dense, clean.frame, length, keyed)
        limit = elastic.fold_limit(parameters["fold_margin"])
        drawn = settle(
            lambda level, elastic=elastic: elastic.draw(level, clean.frame),  # type: ignore[misc]
            clean,
            strength,
            amplitude,
            limit,
            at_limit="fold",
        )
        if drawn.status != "fold":
            break
        length *= 1.5
    return replace(drawn, details={**drawn.details, "correlation_length": round(length, 6)})


@dataclass(frozen=True)
class _Elastic:
    """An outline and its displacements at amplitude 1.

    field: (N, 2) float64, of the vertices of `shape` in shapely's order. steepest: largest spectral
    norm of the field's gradient at any vertex.
    """

    shape: Geometry
    field: FloatArray
    steepest: float

    def moved(self, level: int) -> Geometry:
        offset = level / SUBPIXEL * self.field
        return shapely.transform(self.shape, lambda points: points + offset)

    def draw(self, level: int, frame: tuple[int, int]) -> Patch:
        return draw(self.moved(level), frame)

    def fold_limit(self, margin: float) -> int:
        """The largest level found at which the outline is valid: no ring or part crosses itself or
        another; 0 if there is none."""
        limit = int(margin / self.steepest * SUBPIXEL)
        for _ in range(_FOLD_STEPS):
            if shapely.is_valid(self.moved(limit)):
                return limit
            limit = limit * 9 // 10
        return 0


def _elastic(shape: Geometry, frame: tuple[int, int], length: float, keyed: Keyed) -> _Elastic:
    """Draw the field at the vertices of an outline. length: correlation length in pixels."""
    waves = bells(keyed("jitter.waves"), 4 * _WAVES).reshape(2, _WAVES, 2) / length
    phases = 2 * np.pi * uniforms(keyed("jitter.phases"), 2 * _WAVES).reshape(2, _WAVES)
    points = shapely.get_coordinates(shape)
    angles = np.einsum("nd,cwd->ncw", points, waves) + phases
    field = np.cos(angles).sum(axis=2)
    gradient = -np.einsum("ncw,cwd->ncd", np.sin(angles), waves)
    normals, weights = _normals(shape)
    height, width = frame
    seen = (points >= 0).all(axis=1) & (points <= (width, height)).all(axis=1)
    weights = weights * seen  # what lies beyond the frame has no say in mean and scale
    field -= _growth(points, field, normals, weights)
    along = (field * normals).sum(axis=1)
    rms = float(np.sqrt((weights * along**2).sum() / max(weights.sum(), 1e-9)))
    scale = 1 / max(rms, 1e-6)
    steepest = round(float(_spectral_norms(gradient).max()) * scale, 9)
    return _Elastic(shape, np.round(field * scale, 9), steepest)


def _growth(
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


def _spectral_norms(matrices: FloatArray) -> FloatArray:
    """(N,) largest singular values of (N, 2, 2) matrices."""
    squares = (matrices**2).sum(axis=(1, 2))
    determinants = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
    spread = np.sqrt(np.maximum(squares**2 - 4 * determinants**2, 0))
    norms: FloatArray = np.sqrt((squares + spread) / 2)
    return norms


def _normals(shape: Geometry) -> tuple[FloatArray, FloatArray]:
    """Unit normals (N, 2) at all vertices, a ring's last being its first again, and the length (N,)
    of outline that each stands for."""
    normals, weights = [], []
    for part in shapely.get_parts(shape):
        for ring in shapely.get_rings(part):
            open_ring = shapely.get_coordinates(ring)[:-1]
            chord = np.roll(open_ring, -1, axis=0) - np.roll(open_ring, 1, axis=0)
            size = np.hypot(chord[:, 0], chord[:, 1])
            unit = np.stack([chord[:, 1], -chord[:, 0]], 1) / np.maximum(size, 1e-9)[:, None]
            normals += [unit, unit[:1]]
            weights += [size / 2, np.zeros(1)]
    return np.concatenate(normals), np.concatenate(weights)
