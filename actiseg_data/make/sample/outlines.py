"""Outlines of kitchen objects and hands, and their rasterisation.

An outline is a tuple of parts, a part a tuple of rings, a ring an (N, 2) float64 array of x, y.
Rings of one part are filled even-odd, so a nested ring is a hole; parts are united. Outlines are
about one unit long around the origin, y downward; a `Pose` places them in the image.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import SUBPIXEL, BoolArray, IntArray, Patch, fill_sampled

Ring: TypeAlias = NDArray[np.float64]
Part: TypeAlias = tuple[Ring, ...]
Parts: TypeAlias = tuple[Part, ...]
Point: TypeAlias = tuple[float, float]

_TURN = np.arange(40) * (2 * np.pi / 40)


@dataclass(frozen=True)
class ObjectOutline:
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
    swell = 1 + waves * np.sin(bumps * _TURN + 0.7)
    return np.stack([x + wide * swell * np.cos(_TURN), y + high * swell * np.sin(_TURN)], axis=1)


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


def _make_single(*rings: Ring) -> Parts:
    return (rings,)


def _make_variants(*rings: Ring) -> Parts:
    return tuple((ring,) for ring in rings)


@cache
def make_outlines() -> dict[str, ObjectOutline]:
    """Make every outline by name. Tools are along x: handle left, working end right.

    >>> [len(part) for part in make_outlines()["board"].parts]  # one part: its edge, and a hole
    [2]
    """
    ear = (make_oval(0, 0, 0.1, 0.12), make_oval(0, 0, 0.055, 0.07))
    left_ear = tuple(ring - np.array([0.46, 0]) for ring in ear)
    right_ear = tuple(ring + np.array([0.46, 0]) for ring in ear)
    holes = [make_oval(0.2 * np.cos(a), 0.17 * np.sin(a), 0.045, 0.04) for a in _TURN[::7]]
    blade = make_shape(
        (-0.1, -0.04), (0.3, -0.05), (0.44, -0.03), (0.5, 0.02), (0.4, 0.06), (-0.1, 0.06)
    )
    saw = make_shape((-0.15, -0.03), (0.46, -0.04), (0.5, 0.0), (0.48, 0.04), (-0.15, 0.045))
    handle = make_rod((-0.47, 0), (-0.1, 0), 0.035, 0.035)
    stem = make_rod((-0.47, 0), (0.25, 0), 0.03, 0.018)
    tines = [
        make_rod((0.24, y), (0.48, y * 1.1), 0.014, 0.012) for y in (-0.075, -0.025, 0.025, 0.075)
    ]
    wires = [
        (make_oval(0.27, 0, 0.23, high), make_oval(0.27, 0, 0.21, high - 0.022))
        for high in (0.15, 0.085)
    ]
    return {
        "plate": ObjectOutline(_make_single(make_oval(0, 0, 0.5, 0.45)), grip=(0.43, 0.12)),
        "lid": ObjectOutline(
            _make_variants(make_oval(0, 0, 0.46, 0.41), make_rod((-0.46, 0), (0.46, 0), 0.04, 0.04))
        ),
        "bowl": ObjectOutline(
            _make_variants(
                make_oval(0, -0.06, 0.5, 0.36),
                make_shape((-0.49, 0), (0.49, 0), (0.3, 0.37), (-0.3, 0.37)),
                make_oval(0, 0.3, 0.32, 0.14),
            ),
            grip=(-0.44, 0.02),
        ),
        "cup": ObjectOutline(
            (
                (make_oval(-0.1, -0.22, 0.36, 0.24),),
                (make_box(-0.46, -0.22, 0.26, 0.2),),
                (make_oval(-0.1, 0.2, 0.36, 0.26),),
                (make_oval(0.28, -0.02, 0.22, 0.23), make_oval(0.29, -0.02, 0.13, 0.14)),
            ),
            grip=(0.36, 0.0),
            tip=(-0.4, -0.3),
        ),
        "glass": ObjectOutline(
            _make_variants(
                make_oval(0, -0.36, 0.3, 0.14),
                make_shape((-0.3, -0.36), (0.3, -0.36), (0.22, 0.4), (-0.22, 0.4)),
                make_oval(0, 0.4, 0.22, 0.1),
            ),
            grip=(0.2, 0.1),
            tip=(-0.28, -0.4),
        ),
        "pan": ObjectOutline(
            _make_variants(
                make_oval(-0.2, 0, 0.31, 0.28), make_rod((0.08, 0), (0.48, 0), 0.035, 0.045)
            ),
            grip=(0.36, 0),
            tip=(-0.2, 0),
        ),
        "pot": ObjectOutline(
            (_make_single(make_oval(0, 0, 0.41, 0.38))[0], left_ear, right_ear), grip=(-0.44, 0.02)
        ),
        "colander": ObjectOutline(
            (
                (make_oval(0, 0, 0.42, 0.37), *holes, make_oval(0, 0, 0.045, 0.04)),
                left_ear,
                right_ear,
            ),
            grip=(0.44, 0.02),
        ),
        "board": ObjectOutline(
            _make_single(
                make_box(-0.5, -0.33, 0.5, 0.33, 0.05), make_box(0.4, -0.1, 0.45, 0.1, 0.024)
            ),
            grip=(0.44, 0.2),
        ),
        "tray": ObjectOutline(
            _make_single(make_box(-0.5, -0.34, 0.5, 0.34, 0.09)), grip=(0.46, 0.1)
        ),
        "sink": ObjectOutline(_make_single(make_box(-0.5, -0.33, 0.5, 0.33, 0.1))),
        "hob": ObjectOutline(_make_single(make_box(-0.5, -0.32, 0.5, 0.32, 0.03))),
        "knife": ObjectOutline(_make_variants(blade, handle), grip=(-0.3, 0), tip=(0.36, 0.03)),
        "bread knife": ObjectOutline(
            _make_variants(saw, handle), grip=(-0.32, 0), tip=(0.34, 0.02)
        ),
        "spoon": ObjectOutline(
            _make_variants(stem, make_oval(0.36, 0, 0.15, 0.1)), grip=(-0.25, 0), tip=(0.4, 0)
        ),
        "ladle": ObjectOutline(
            _make_variants(stem, make_oval(0.37, 0.03, 0.14, 0.14)), grip=(-0.3, 0), tip=(0.4, 0)
        ),
        "fork": ObjectOutline(
            _make_variants(
                make_rod((-0.47, 0), (0.14, 0), 0.032, 0.018), make_oval(0.19, 0, 0.1, 0.09), *tines
            ),
            grip=(-0.28, 0),
            tip=(0.46, 0),
        ),
        "spatula": ObjectOutline(
            (
                (make_rod((-0.47, 0), (0.15, 0), 0.034, 0.02),),
                (
                    make_box(0.14, -0.11, 0.5, 0.11, 0.03),
                    *(make_box(0.22, y - 0.016, 0.43, y + 0.016) for y in (-0.055, 0, 0.055)),
                ),
            ),
            grip=(-0.3, 0),
            tip=(0.44, 0),
        ),
        "whisk": ObjectOutline(
            (*_make_variants(handle, make_rod((-0.1, 0), (0.1, 0), 0.03, 0.02)), *wires),
            (-0.3, 0),
            (0.42, 0),
        ),
        "peeler": ObjectOutline(
            (
                (make_rod((-0.45, 0), (0.1, 0), 0.085, 0.06),),
                *make_limb([(0.1, 0), (0.22, -0.2), (0.42, -0.2)], 0.04),
                *make_limb([(0.1, 0), (0.22, 0.2), (0.42, 0.2)], 0.04),
                (make_box(0.34, -0.2, 0.42, 0.2),),
            ),
            grip=(-0.25, 0),
            tip=(0.42, 0),
        ),
        "scissors": ObjectOutline(
            (
                (make_oval(-0.32, -0.14, 0.17, 0.11), make_oval(-0.32, -0.14, 0.11, 0.06)),
                (make_oval(-0.32, 0.14, 0.17, 0.11), make_oval(-0.32, 0.14, 0.11, 0.06)),
                (make_rod((-0.2, -0.1), (0.48, 0.09), 0.035, 0.012),),
                (make_rod((-0.2, 0.1), (0.48, -0.09), 0.035, 0.012),),
            )
        ),
        "bottle": ObjectOutline(
            _make_variants(
                make_box(-0.15, -0.14, 0.15, 0.5, 0.05),
                make_shape((-0.15, -0.08), (-0.055, -0.28), (0.055, -0.28), (0.15, -0.08)),
                make_box(-0.055, -0.46, 0.055, -0.25),
                make_box(-0.065, -0.5, 0.065, -0.4, 0.02),
            ),
            grip=(0.02, 0.14),
            tip=(0.0, -0.5),
        ),
        "squeezer": ObjectOutline(
            _make_variants(
                make_shape(
                    (-0.21, -0.22),
                    (0.21, -0.22),
                    (0.15, 0.1),
                    (0.22, 0.5),
                    (-0.22, 0.5),
                    (-0.15, 0.1),
                ),
                make_shape((-0.21, -0.21), (-0.06, -0.36), (0.06, -0.36), (0.21, -0.21)),
                make_box(-0.05, -0.5, 0.05, -0.34, 0.02),
            ),
            grip=(0.02, 0.1),
            tip=(0.0, -0.5),
        ),
        "jar": ObjectOutline(
            _make_variants(
                make_box(-0.36, -0.3, 0.36, 0.5, 0.12), make_box(-0.32, -0.5, 0.32, -0.27, 0.06)
            ),
            grip=(0.0, 0.1),
            tip=(0.0, -0.45),
        ),
        "can": ObjectOutline(
            _make_variants(
                make_oval(0, -0.38, 0.34, 0.12),
                make_box(-0.34, -0.38, 0.34, 0.4),
                make_oval(0, 0.4, 0.34, 0.1),
            ),
            grip=(0.2, 0.05),
            tip=(0, -0.45),
        ),
        "box": ObjectOutline(
            _make_single(
                make_shape(
                    (-0.45, -0.3),
                    (0.3, -0.38),
                    (0.5, -0.18),
                    (0.5, 0.3),
                    (-0.25, 0.4),
                    (-0.45, 0.2),
                )
            ),
            grip=(0.4, 0.1),
            tip=(0.0, -0.3),
        ),
        "carton": ObjectOutline(
            _make_single(
                make_shape(
                    (-0.3, -0.44),
                    (0.2, -0.5),
                    (0.34, -0.38),
                    (0.34, 0.42),
                    (-0.16, 0.5),
                    (-0.3, 0.38),
                )
            ),
            grip=(0.25, 0.1),
            tip=(0.0, -0.45),
        ),
        "tub": ObjectOutline(
            _make_variants(
                make_box(-0.5, -0.36, 0.5, 0.02, 0.1),
                make_shape((-0.46, -0.1), (0.46, -0.1), (0.38, 0.36), (-0.38, 0.36)),
            ),
            grip=(-0.42, 0.05),
            tip=(0.1, -0.3),
        ),
        "cloth": ObjectOutline(
            _make_single(
                make_shape(
                    (-0.48, -0.3),
                    (-0.2, -0.36),
                    (0.05, -0.29),
                    (0.3, -0.37),
                    (0.5, -0.27),
                    (0.44, 0.0),
                    (0.49, 0.28),
                    (0.2, 0.35),
                    (-0.04, 0.28),
                    (-0.3, 0.38),
                    (-0.5, 0.25),
                    (-0.43, 0.02),
                )
            ),
            grip=(0.1, 0.05),
        ),
        "sponge": ObjectOutline(
            _make_single(make_box(-0.5, -0.32, 0.5, 0.32, 0.12)), grip=(0.1, 0.1), tip=(-0.3, -0.1)
        ),
        "tap": ObjectOutline(
            (
                (make_box(-0.16, 0.36, 0.16, 0.5, 0.04),),
                *make_limb([(0, 0.4), (0, -0.28), (0.08, -0.4), (0.2, -0.44)], 0.065),
                *make_limb([(0.2, -0.44), (0.32, -0.4), (0.38, -0.28), (0.38, -0.06)], 0.06),
                (make_rod((0, 0.26), (-0.3, 0.14), 0.05, 0.055),),
            ),
            grip=(-0.28, 0.15),
            tip=(0.38, 0.1),
        ),
        "carrot": ObjectOutline(
            _make_variants(
                make_rod((-0.26, 0), (0.46, 0), 0.12, 0.03),
                make_rod((-0.32, 0), (-0.5, -0.07), 0.025, 0.015),
                make_rod((-0.32, 0), (-0.5, 0.06), 0.025, 0.015),
            ),
            grip=(-0.42, 0.06),
            tip=(0.15, 0),
        ),
        "courgette": ObjectOutline(
            _make_variants(
                make_rod((-0.36, 0), (0.4, 0.02), 0.1, 0.1),
                make_rod((0.4, 0.02), (0.52, 0.0), 0.04, 0.045),
            ),
            grip=(-0.46, 0.06),
            tip=(0.18, 0),
        ),
        "tomato": ObjectOutline(
            _make_single(make_oval(0, 0, 0.5, 0.47, 0.03, 5)), grip=(-0.5, 0.22), tip=(0.12, 0)
        ),
        "onion": ObjectOutline(
            _make_variants(
                make_oval(0.05, 0, 0.42, 0.44),
                make_shape((-0.25, -0.2), (-0.58, -0.04), (-0.25, 0.2)),
            ),
            grip=(-0.5, 0.22),
            tip=(0.15, 0),
        ),
        "apple": ObjectOutline(
            _make_variants(
                make_oval(0, 0.03, 0.48, 0.45, 0.04, 2),
                make_rod((0, -0.4), (0.08, -0.62), 0.05, 0.04),
            ),
            grip=(-0.5, 0.22),
        ),
        "potato": ObjectOutline(
            _make_single(make_oval(0, 0, 0.5, 0.36, 0.07, 3)), grip=(-0.5, 0.18), tip=(0.15, 0)
        ),
        "lemon": ObjectOutline(
            _make_variants(make_oval(0, 0, 0.42, 0.34), make_rod((-0.46, 0), (0.48, 0), 0.06, 0.05))
        ),
        "egg": ObjectOutline(_make_single(make_oval(0, 0, 0.5, 0.38, 0.05, 1))),
    }
