"""The kinds of boundary noise: dilation, erosion and elastic jitter of one object's outline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from actiseg_data.keys import Key, bells, uniforms
from actiseg_data.polygons import SUBPIXEL, Patch
from actiseg_noise.boundary.calibrate import TOLERANCE, calibrate
from actiseg_noise.boundary.contours import (
    Clean,
    Geometry,
    draw,
    iou,
    rings_of,
    to_lattice,
    trace,
)

_ARC = 4  # segments that round off a quarter turn of a grown or shrunk outline
_WAVES = 32  # plane waves that make up one elastic field
_LENGTHENINGS = 3
_FOLD_STEPS = 12  # how often the fold limit is lowered by a tenth until no outline crosses itself


@dataclass(frozen=True)
class Strength:
    """How strong a noise is: exactly one of the two is given.

    target_iou: IoU(clean, drawn) that each object is calibrated to, in (0, 1].
    radius: pixels of the mask; for jitter the RMS displacement along the normal. >= 0.
    """

    target_iou: float | None = None
    radius: float | None = None


@dataclass(frozen=True)
class Drawn:
    """A noisy outline before overlaps are settled.

    patch: its pixels. radius: pixels it was moved by (RMS for jitter). iou: with the clean object.
    status: ``met`` (target within 0.02), ``short`` (the pixel grid or the frame has no closer),
    ``minimum`` (the erosion was stopped at the least area), ``fold`` (the jitter was stopped before
    the outline would cross itself), ``fixed`` (a radius was asked for, and drawn).
    details: further figures for the ledger.
    """

    patch: Patch
    radius: float
    iou: float
    status: str
    details: dict[str, float]


class Kind(Protocol):
    """Draws the noisy outline of one object. draw_key: the item's key for what is random in it."""

    def __call__(
        self, clean: Clean, strength: Strength, parameters: Mapping[str, Any], draw_key: Key
    ) -> Drawn: ...


def dilate(clean: Clean, strength: Strength, parameters: Mapping[str, Any], draw_key: Key) -> Drawn:
    """Grow an object by an equal distance everywhere (Minkowski sum with a disc)."""
    shape = trace(clean)

    def at(level: int) -> Patch:
        return _offset(shape, level, clean)

    guess = _typical_shift(clean) * (1 / (strength.target_iou or 1) - 1)
    limit = SUBPIXEL * max(clean.frame)
    return _settle(at, clean, strength, guess, limit, at_limit="short")


def erode(clean: Clean, strength: Strength, parameters: Mapping[str, Any], draw_key: Key) -> Drawn:
    """Shrink an object by an equal distance everywhere (Minkowski difference with a disc).

    parameters: ``minimum_area`` (pixels) and ``minimum_share`` (of the clean area): the object
    keeps at least the larger of the two, so that a thin one does not vanish.
    """
    shape = trace(clean)
    least = max(parameters["minimum_area"], parameters["minimum_share"] * clean.area)

    def at(level: int) -> Patch:
        return _offset(shape, -level, clean)

    def remains(level: int) -> bool:
        return bool(at(level).mask.sum() >= least)

    guess = _typical_shift(clean) * (1 - (strength.target_iou or 1))
    drawn = _settle(at, clean, strength, guess, SUBPIXEL * max(clean.frame), at_limit="minimum")
    if drawn.patch.mask.sum() >= min(least, clean.area):
        return drawn
    level = _largest(remains, round(drawn.radius * SUBPIXEL))
    return Drawn(at(level), level / SUBPIXEL, iou(clean.patch, at(level)), "minimum", {})


def jitter(clean: Clean, strength: Strength, parameters: Mapping[str, Any], draw_key: Key) -> Drawn:
    """Move an outline by a smooth random displacement field, as a hurried hand would.

    The field is a sum of plane waves of random direction and phase (a Gaussian random field in the
    limit; Rahimi & Recht, NIPS 2007): zero mean, correlation length as in the parameters, scaled to
    RMS 1 along the outline's normals. parameters: ``correlation_length`` in pixels, or None for
    ``correlation_ratio`` times the amplitude that is asked for or expected, but not less than
    ``correlation_least`` pixels, and then half as long again, up to three times, where the outline
    would fold before the target is reached. ``fold_margin``: the amplitude is capped where the
    field's gradient at the outline reaches it; below 1 the map is locally one-to-one, so the
    outline cannot fold.
    """
    amplitude = strength.radius
    if amplitude is None:
        target = strength.target_iou or 1
        # Moving an outline of length P by d takes and adds P |d| / 2 pixels each on average; the
        # RMS of a bell-shaped d is 1.25 times its mean size.
        amplitude = 1.25 * 2 * (1 - target) / (1 + target) * _typical_shift(clean)
    shape = trace(clean)
    given = parameters["correlation_length"]
    length = given or max(
        parameters["correlation_ratio"] * amplitude, parameters["correlation_least"]
    )
    for _ in range(1 if given else 1 + _LENGTHENINGS):
        rings = rings_of(shapely.segmentize(shape, max(1.0, length / 6)))
        elastic = _Elastic(rings, *_elastic_field(rings, length, draw_key))
        limit = elastic.fold_limit(parameters["fold_margin"])
        drawn = _settle(
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
    return replace(drawn, details={"correlation_length": round(length, 6)})


@dataclass(frozen=True)
class _Elastic:
    """Rings and their displacements at amplitude 1; steepest: largest gradient of the field."""

    rings: list[NDArray[np.float64]]
    field: list[NDArray[np.float64]]
    steepest: float

    def moved(self, level: int) -> list[NDArray[np.float64]]:
        return [p + level / SUBPIXEL * u for p, u in zip(self.rings, self.field, strict=True)]

    def draw(self, level: int, frame: tuple[int, int]) -> Patch:
        return draw([to_lattice(ring) for ring in self.moved(level)], frame)

    def fold_limit(self, margin: float) -> int:
        """The largest level at which no outline folds or crosses itself."""
        limit = int(margin / self.steepest * SUBPIXEL)
        for _ in range(_FOLD_STEPS):
            if not crosses_itself(self.moved(limit)):
                break
            limit = limit * 9 // 10
        return limit


KINDS: dict[str, Kind] = {"dilate": dilate, "erode": erode, "jitter": jitter}


def crosses_itself(rings: list[NDArray[np.float64]]) -> bool:
    """Whether any of the closed rings crosses or touches itself."""
    return not all(shapely.is_simple(shapely.LinearRing(ring)) for ring in rings)


def _offset(shape: Geometry, level: int, clean: Clean) -> Patch:
    if not level:
        return clean.patch
    moved = shapely.buffer(shape, level / SUBPIXEL, quad_segs=_ARC)
    return draw([to_lattice(ring) for ring in rings_of(moved)], clean.frame)


def _typical_shift(clean: Clean) -> float:
    """Area over perimeter in pixels, from pixel counts alone: the scale of first guesses.

    The frame's border is no part of the perimeter.
    """
    rows, columns = clean.patch.window
    cells = np.pad(clean.patch.mask, 1)
    across, along = cells[1:] != cells[:-1], cells[:, 1:] != cells[:, :-1]
    sides = int(across.sum()) + int(along.sum())
    for cut, edge in (
        (rows.start == 0, across[0]),
        (rows.stop == clean.frame[0], across[-1]),
        (columns.start == 0, along[:, 0]),
        (columns.stop == clean.frame[1], along[:, -1]),
    ):
        sides -= int(edge.sum()) if cut else 0
    return clean.area / (0.8 * max(sides, 1))  # stair-steps make a slant look 1.27 times as long


def _largest(holds: Callable[[int], bool], wanted: int) -> int:
    """The largest level below `wanted` at which a property holds that is lost once and for all."""
    low, high = 0, wanted
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if holds(middle) else (low, middle)
    return low


def _settle(
    at: Callable[[int], Patch],
    clean: Clean,
    strength: Strength,
    guess: float,
    limit: int,
    at_limit: str,
) -> Drawn:
    """Draw at the asked strength, or as near to it as `limit` (a level) allows."""
    patches: dict[int, Patch] = {0: clean.patch}

    def iou_at(level: int) -> float:
        if level not in patches:
            patches[level] = at(level)
        return iou(clean.patch, patches[level])

    if strength.radius is not None:
        asked = round(strength.radius * SUBPIXEL)
        level = min(asked, limit)
        status = "fixed" if level == asked else at_limit
    else:
        target = 1.0 if strength.target_iou is None else strength.target_iou
        level = calibrate(iou_at, target, round(guess * SUBPIXEL), limit)
        if abs(iou_at(level) - target) <= TOLERANCE:
            status = "met"
        else:
            status = at_limit if iou_at(limit) > target else "short"
    value = iou_at(level)
    return Drawn(patches[level], level / SUBPIXEL, value, status, {})


def _elastic_field(
    rings: list[NDArray[np.float64]], length: float, draw_key: Key
) -> tuple[list[NDArray[np.float64]], float]:
    """Displacements (N, 2) of each ring's vertices, RMS 1 along the normals, and the largest
    spectral norm of the field's gradient at any vertex."""
    waves = bells(draw_key, 4 * _WAVES).reshape(2, _WAVES, 2) / length
    phases = 2 * np.pi * uniforms(draw_key, _WAVES * 2).reshape(2, _WAVES)
    points = np.concatenate(rings)
    angles = np.einsum("nd,cwd->ncw", points, waves) + phases
    field = np.cos(angles).sum(axis=2)  # (N, 2)
    gradient = -np.einsum("ncw,cwd->ncd", np.sin(angles), waves)  # (N, 2, 2)
    normals, weights = _normals(rings)
    along = (field * normals).sum(axis=1)
    rms = float(np.sqrt((weights * along**2).sum() / weights.sum()))
    scale = 1 / max(rms, 1e-6)
    steepest = float(np.linalg.norm(gradient, ord=2, axis=(1, 2)).max()) * scale
    field = np.round(field * scale, 9)
    return np.split(field, np.cumsum([len(ring) for ring in rings])[:-1]), steepest


def _normals(
    rings: list[NDArray[np.float64]],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Unit normals (N, 2) at all vertices, and the length (N,) of outline that each stands for."""
    normals, weights = [], []
    for ring in rings:
        chord = np.roll(ring, -1, axis=0) - np.roll(ring, 1, axis=0)
        size = np.hypot(chord[:, 0], chord[:, 1])
        normals.append(np.stack([chord[:, 1], -chord[:, 0]], 1) / np.maximum(size, 1e-9)[:, None])
        weights.append(size / 2)
    return np.concatenate(normals), np.concatenate(weights)
