"""Hands with fingers and forearm, in their ways of holding objects.

A right hand is seen from above, fingers up, one unit from wrist to fingertip; the left hand mirrors
it. The origin is the point that the hand holds.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from actiseg_data.make.sample.outlines import (
    Parts,
    Point,
    Pose,
    make_limb,
    make_oval,
    make_rod,
    make_shape,
    move_parts,
)


@dataclass(frozen=True)
class Hold:
    """A hand in two layers: `under` is painted before the object that it holds, `over` after it."""

    under: Parts
    over: Parts


_FINGERS = {
    "fist": (
        (-0.2, 0.1, -0.2, -0.1),
        (-0.07, 0.05, -0.09, -0.16),
        (0.07, 0.06, 0.05, -0.15),
        (0.2, 0.12, 0.18, -0.07),
    ),
    "wrap": (
        (-0.14, 0.1, -0.32, -0.24),
        (-0.05, 0.06, -0.2, -0.32),
        (0.06, 0.08, -0.04, -0.33),
    ),
    "pinch": (
        (-0.06, 0.12, -0.06, -0.3),
        (0.07, 0.12, 0.06, -0.28),
        (0.19, 0.18, 0.16, -0.2),
    ),
    "flat": (
        (-0.17, 0.1, -0.25, -0.36),
        (-0.06, 0.06, -0.1, -0.46),
        (0.07, 0.08, 0.08, -0.44),
        (0.18, 0.14, 0.24, -0.32),
    ),
}
"""The fingers of each hold: x and y of the knuckle and of the tip."""


@cache
def list_holds() -> dict[str, Hold]:
    """List the holds: ``fist`` on a handle, ``wrap`` on a body, ``pinch`` on a rim, ``flat``."""
    return {
        "fist": Hold(
            under=(),
            over=(
                *_make_forearm(0.5),
                *_make_fingers("fist"),
                (make_rod((-0.2, 0.3), (-0.33, 0.02), 0.1, 0.07),),
            ),
        ),
        "wrap": Hold(
            under=(
                *_make_forearm(0.52),
                *_make_fingers("wrap"),
            ),
            over=(
                (make_rod((0.2, 0.2), (0.1, -0.18), 0.08, 0.06),),
                *make_limb([(-0.18, 0.4), (-0.3, 0.18), (-0.22, 0.02)], 0.075),
            ),
        ),
        "pinch": Hold(
            under=(
                *_make_forearm(0.55),
                *_make_fingers("pinch"),
            ),
            over=(
                (make_rod((-0.16, 0.34), (-0.2, 0.1), 0.1, 0.075),),
                (make_rod((-0.2, 0.1), (-0.1, -0.14), 0.075, 0.055),),
            ),
        ),
        "flat": Hold(
            under=(),
            over=(
                *_make_forearm(0.45),
                *_make_fingers("flat"),
                *make_limb([(-0.16, 0.36), (-0.36, 0.2), (-0.45, 0.0)], 0.07),
            ),
        ),
    }


def _make_forearm(wrist: float) -> Parts:
    palm = make_oval(0, wrist - 0.22, 0.28, 0.27)
    arm = make_shape(
        (-0.2, wrist - 0.1),
        (0.2, wrist - 0.1),
        (0.17, wrist + 0.15),
        (0.24, wrist + 0.8),
        (0.36, wrist + 5.0),
        (-0.36, wrist + 5.0),
        (-0.24, wrist + 0.8),
        (-0.17, wrist + 0.15),
    )
    return (palm,), (arm,)


def _make_fingers(hold: str) -> Parts:
    return tuple((make_rod((a, b), (c, d), 0.085, 0.066),) for a, b, c, d in _FINGERS[hold])


def make_hand(hold: str, left: bool, position: Point, angle: float, size: float) -> Hold:
    """Make a hand that holds a point, in pixels.

    Parameters
    ----------
    hold : str
        A name of `list_holds`.
    left : bool
        Whether it is the left hand.
    position : tuple of float
        The point that it holds.
    angle : float
        Direction of the fingers, in degrees clockwise from up.
    size : float
        Pixels from wrist to fingertip.

    Examples
    --------
    >>> grip = make_hand("wrap", left=True, position=(100, 90), angle=30, size=66)
    >>> len(grip.under), len(grip.over)
    (5, 3)
    """
    template = list_holds()[hold]
    pose = Pose(*position, size, angle)
    side = np.array([-1.0, 1.0]) if left else np.array([1.0, 1.0])
    under, over = (
        pose.place_parts(move_parts(parts, lambda ring: ring * side))
        for parts in (template.under, template.over)
    )
    return Hold(under, over)
