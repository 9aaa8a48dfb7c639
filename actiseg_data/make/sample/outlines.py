"""Outlines of kitchen objects and hands, and their rasterisation.

An outline is a tuple of parts, a part a tuple of rings, a ring an (N, 2) float64 array of x, y.
Rings of one part are filled even-odd, so a nested ring is a hole; parts are united. Outlines are
about one unit long around the origin, y downward; a `Pose` places them in the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import SUBPIXEL, BoolArray, IntArray, Patch, fill_sampled

Ring: TypeAlias = NDArray[np.float64]
Part: TypeAlias = tuple[Ring, ...]
Parts: TypeAlias = tuple[Part, ...]
Point: TypeAlias = tuple[float, float]

CIRCLE = np.arange(40) * (2 * np.pi / 40)


@dataclass(frozen=True)
class SampleOutline:
    """An outline. `grip` is where a hand takes it, `tip` the end that works or pours."""

    parts: Parts
    grip: Point = (0.0, 0.0)
    tip: Point = (0.0, 0.0)


@dataclass(frozen=True)
class Pose:
    """The pose of an outline: its origin in pixels, pixels per unit, degrees clockwise.

    >>> Pose(x=10, y=20, size=4).put((0.5, -1))
    (12.0, 16.0)
    """

    x: float
    y: float
    size: float
    angle: float = 0.0

    def put(self, point: Point) -> Point:
        """Return a point of the outline, in pixels."""
        x, y = self.place_ring(np.array([point]))[0]
        return float(x), float(y)

    def place_ring(self, ring: Ring) -> Ring:
        """Return a ring of the outline, in pixels: (N, 2) float64."""
        return ring @ _make_rotation(self.angle) * self.size + (self.x, self.y)

    def place_parts(self, parts: Parts) -> Parts:
        """Return all parts of an outline, in pixels."""
        return tuple(tuple(self.place_ring(ring) for ring in part) for part in parts)


def _make_rotation(angle: float) -> NDArray[np.float64]:
    turn = np.deg2rad(angle)
    return np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])


def move_parts(parts: Parts, change: Callable[[Ring], Ring]) -> Parts:
    """Apply a function of rings to every ring."""
    return tuple(tuple(change(ring) for ring in part) for part in parts)


def rasterise(parts: Parts, shape: tuple[int, int]) -> Patch:
    """Rasterise a placed outline, as a patch cut to an image of shape (H, W).

    Vertices are rounded to 1e-9 and then to the 1/64-pixel lattice, so that no mathematical library
    can change a pixel.

    >>> int(rasterise(((make_box(1, 1, 4, 3),),), (5, 5)).mask.sum())
    6
    """
    lattice = [[snap(ring) for ring in part] for part in parts]
    corners = np.concatenate([ring for part in lattice for ring in part])
    left, top = np.clip(corners.min(axis=0) // SUBPIXEL, 0, shape[::-1])
    right, bottom = np.clip(-(-corners.max(axis=0) // SUBPIXEL), 0, shape[::-1])
    window = int(top), int(left), int(bottom), int(right)
    mask: BoolArray = np.zeros((window[2] - window[0], window[3] - window[1]), bool)
    if mask.size:
        for part in lattice:
            mask |= fill_sampled(part, window)
    return Patch(window[0], window[1], mask)


def snap(ring: Ring) -> IntArray:
    """Convert a ring to units of 1/64 pixel: (N, 2) int64.

    >>> snap(np.array([[0.5, 1.0]])).tolist()
    [[32, 64]]
    """
    return np.round(np.round(ring, 9) * SUBPIXEL).astype(np.int64)


def make_box(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> Ring:
    """Make a rectangle with rounded corners.

    >>> make_box(0, 0, 2, 1).tolist()
    [[0.0, 0.0], [2.0, 0.0], [2.0, 1.0], [0.0, 1.0]]
    """
    if not radius:
        return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], np.float64)
    arc = np.arange(5) * (np.pi / 8)
    corners = (
        (right - radius, bottom - radius, 0),
        (left + radius, bottom - radius, 1),
        (left + radius, top + radius, 2),
        (right - radius, top + radius, 3),
    )
    return np.concatenate(
        [
            np.stack([x + radius * np.cos(arc + turn), y + radius * np.sin(arc + turn)], axis=1)
            for x, y, quarter in corners
            for turn in (quarter * np.pi / 2,)
        ]
    )


def make_oval(
    x: float, y: float, wide: float, high: float, waves: float = 0.0, bumps: int = 3
) -> Ring:
    """Make an ellipse of half-axes `wide` and `high`; `waves` makes it lumpy."""
    swell = 1 + waves * np.sin(bumps * CIRCLE + 0.7)
    return np.stack([x + wide * swell * np.cos(CIRCLE), y + high * swell * np.sin(CIRCLE)], axis=1)


def make_rod(start: Point, end: Point, first: float, last: float) -> Ring:
    """Make a straight limb with round ends of the given radii."""
    a, b = np.array(start), np.array(end)
    along = (b - a) / np.hypot(*(b - a))
    arc = np.arange(9)[:, None] * (np.pi / 8) - np.pi / 2
    side = np.array([-along[1], along[0]])
    cap_b = b + last * (np.cos(arc) * along + np.sin(arc) * side)
    cap_a = a - first * (np.cos(arc) * along + np.sin(arc) * side)
    return np.concatenate([cap_b, cap_a])


def make_limb(points: Iterable[Point], radius: float) -> Parts:
    """Make a bent limb: rods from point to point."""
    chain = list(points)
    return tuple((make_rod(a, b, radius, radius),) for a, b in pairwise(chain))


def make_shape(*points: Point) -> Ring:
    """Make a polygon."""
    return np.array(points, np.float64)
