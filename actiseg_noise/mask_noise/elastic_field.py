"""A smooth random displacement field at the vertices of an outline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import SUBPIXEL
from actiseg_data.core.keys import draw_normals, draw_uniforms
from actiseg_noise.mask_noise.contours import ObjectOutline
from actiseg_noise.mask_noise.noisy_outline import KeyFactory

FloatArray = NDArray[np.float64]

_WAVES = 32  # plane waves that make up one elastic field


@dataclass(frozen=True)
class ElasticField:
    """An outline and its displacements at amplitude 1.

    The field is a sum of plane waves of random direction and phase (a Gaussian random field in the
    limit; Rahimi & Recht, NIPS 2007). The waves are the same for x and y but have independent
    phases, so x and y are uncorrelated. The part of the field that grows or shrinks the object is
    removed, and the field is scaled to RMS 1 along the normals of the outline.

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
        """Move the outline by a level of 1/64 pixel."""
        points = self.outline.points + level / SUBPIXEL * self.field
        return replace(self.outline, points=points)


def draw_elastic_field(
    outline: ObjectOutline, frame: tuple[int, int], length: float, keys: KeyFactory
) -> ElasticField:
    """Draw the field at the vertices of an outline.

    Parameters
    ----------
    outline : ObjectOutline
        The clean outline. What lies beyond the frame does not count as outline of the object.
    frame : (int, int)
        Height and width of the frame.
    length : float
        Correlation length in pixels.
    keys : KeyFactory
        Makes the item's keys.
    """
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
    return ElasticField(outline, np.round(field * scale, 9), swept, steepest)


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
