"""The outlines of the objects in the sample's catalogue."""

from __future__ import annotations

from functools import cache

import numpy as np

from actiseg_data.make.sample.outlines import (
    CIRCLE,
    Parts,
    Ring,
    SampleOutline,
    make_box,
    make_limb,
    make_oval,
    make_rod,
    make_shape,
)


@cache
def make_outlines() -> dict[str, SampleOutline]:
    """Make every outline by name. Tools are along x: handle left, working end right.

    >>> [len(part) for part in make_outlines()["board"].parts]  # one part: its edge, and a hole
    [2]
    """
    return {
        **_make_dishes(),
        **_make_surfaces(),
        **_make_cutlery(),
        **_make_tools(),
        **_make_bottles(),
        **_make_boxes(),
        **_make_food(),
    }


def _make_dishes() -> dict[str, SampleOutline]:
    """Make the outlines of dishes and cookware."""
    ear = (make_oval(0, 0, 0.1, 0.12), make_oval(0, 0, 0.055, 0.07))
    left_ear = tuple(ring - np.array([0.46, 0]) for ring in ear)
    right_ear = tuple(ring + np.array([0.46, 0]) for ring in ear)
    holes = [make_oval(0.2 * np.cos(a), 0.17 * np.sin(a), 0.045, 0.04) for a in CIRCLE[::7]]
    return {
        "plate": SampleOutline(_make_single(make_oval(0, 0, 0.5, 0.45)), grip=(0.43, 0.12)),
        "lid": SampleOutline(
            _make_variants(make_oval(0, 0, 0.46, 0.41), make_rod((-0.46, 0), (0.46, 0), 0.04, 0.04))
        ),
        "bowl": SampleOutline(
            _make_variants(
                make_oval(0, -0.06, 0.5, 0.36),
                make_shape((-0.49, 0), (0.49, 0), (0.3, 0.37), (-0.3, 0.37)),
                make_oval(0, 0.3, 0.32, 0.14),
            ),
            grip=(-0.44, 0.02),
        ),
        "cup": SampleOutline(
            (
                (make_oval(-0.1, -0.22, 0.36, 0.24),),
                (make_box(-0.46, -0.22, 0.26, 0.2),),
                (make_oval(-0.1, 0.2, 0.36, 0.26),),
                (make_oval(0.28, -0.02, 0.22, 0.23), make_oval(0.29, -0.02, 0.13, 0.14)),
            ),
            grip=(0.36, 0.0),
            tip=(-0.4, -0.3),
        ),
        "glass": SampleOutline(
            _make_variants(
                make_oval(0, -0.36, 0.3, 0.14),
                make_shape((-0.3, -0.36), (0.3, -0.36), (0.22, 0.4), (-0.22, 0.4)),
                make_oval(0, 0.4, 0.22, 0.1),
            ),
            grip=(0.2, 0.1),
            tip=(-0.28, -0.4),
        ),
        "pan": SampleOutline(
            _make_variants(
                make_oval(-0.2, 0, 0.31, 0.28), make_rod((0.08, 0), (0.48, 0), 0.035, 0.045)
            ),
            grip=(0.36, 0),
            tip=(-0.2, 0),
        ),
        "pot": SampleOutline(
            (_make_single(make_oval(0, 0, 0.41, 0.38))[0], left_ear, right_ear), grip=(-0.44, 0.02)
        ),
        "colander": SampleOutline(
            (
                (make_oval(0, 0, 0.42, 0.37), *holes, make_oval(0, 0, 0.045, 0.04)),
                left_ear,
                right_ear,
            ),
            grip=(0.44, 0.02),
        ),
    }


def _make_surfaces() -> dict[str, SampleOutline]:
    """Make the outlines of surfaces, cloths and the sponge."""
    return {
        "board": SampleOutline(
            _make_single(
                make_box(-0.5, -0.33, 0.5, 0.33, 0.05), make_box(0.4, -0.1, 0.45, 0.1, 0.024)
            ),
            grip=(0.44, 0.2),
        ),
        "tray": SampleOutline(
            _make_single(make_box(-0.5, -0.34, 0.5, 0.34, 0.09)), grip=(0.46, 0.1)
        ),
        "sink": SampleOutline(_make_single(make_box(-0.5, -0.33, 0.5, 0.33, 0.1))),
        "hob": SampleOutline(_make_single(make_box(-0.5, -0.32, 0.5, 0.32, 0.03))),
        "cloth": SampleOutline(
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
        "sponge": SampleOutline(
            _make_single(make_box(-0.5, -0.32, 0.5, 0.32, 0.12)), grip=(0.1, 0.1), tip=(-0.3, -0.1)
        ),
    }


def _make_cutlery() -> dict[str, SampleOutline]:
    """Make the outlines of cutlery; handle left, working end right."""
    blade = make_shape(
        (-0.1, -0.04), (0.3, -0.05), (0.44, -0.03), (0.5, 0.02), (0.4, 0.06), (-0.1, 0.06)
    )
    saw = make_shape((-0.15, -0.03), (0.46, -0.04), (0.5, 0.0), (0.48, 0.04), (-0.15, 0.045))
    stem = make_rod((-0.47, 0), (0.25, 0), 0.03, 0.018)
    tines = [
        make_rod((0.24, y), (0.48, y * 1.1), 0.014, 0.012) for y in (-0.075, -0.025, 0.025, 0.075)
    ]
    return {
        "knife": SampleOutline(
            _make_variants(blade, _make_handle()), grip=(-0.3, 0), tip=(0.36, 0.03)
        ),
        "bread knife": SampleOutline(
            _make_variants(saw, _make_handle()), grip=(-0.32, 0), tip=(0.34, 0.02)
        ),
        "spoon": SampleOutline(
            _make_variants(stem, make_oval(0.36, 0, 0.15, 0.1)), grip=(-0.25, 0), tip=(0.4, 0)
        ),
        "ladle": SampleOutline(
            _make_variants(stem, make_oval(0.37, 0.03, 0.14, 0.14)), grip=(-0.3, 0), tip=(0.4, 0)
        ),
        "fork": SampleOutline(
            _make_variants(
                make_rod((-0.47, 0), (0.14, 0), 0.032, 0.018), make_oval(0.19, 0, 0.1, 0.09), *tines
            ),
            grip=(-0.28, 0),
            tip=(0.46, 0),
        ),
    }


def _make_tools() -> dict[str, SampleOutline]:
    """Make the outlines of other tools; handle left, working end right."""
    wires = [
        (make_oval(0.27, 0, 0.23, high), make_oval(0.27, 0, 0.21, high - 0.022))
        for high in (0.15, 0.085)
    ]
    return {
        "spatula": SampleOutline(
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
        "whisk": SampleOutline(
            (*_make_variants(_make_handle(), make_rod((-0.1, 0), (0.1, 0), 0.03, 0.02)), *wires),
            (-0.3, 0),
            (0.42, 0),
        ),
        "peeler": SampleOutline(
            (
                (make_rod((-0.45, 0), (0.1, 0), 0.085, 0.06),),
                *make_limb([(0.1, 0), (0.22, -0.2), (0.42, -0.2)], 0.04),
                *make_limb([(0.1, 0), (0.22, 0.2), (0.42, 0.2)], 0.04),
                (make_box(0.34, -0.2, 0.42, 0.2),),
            ),
            grip=(-0.25, 0),
            tip=(0.42, 0),
        ),
        "scissors": SampleOutline(
            (
                (make_oval(-0.32, -0.14, 0.17, 0.11), make_oval(-0.32, -0.14, 0.11, 0.06)),
                (make_oval(-0.32, 0.14, 0.17, 0.11), make_oval(-0.32, 0.14, 0.11, 0.06)),
                (make_rod((-0.2, -0.1), (0.48, 0.09), 0.035, 0.012),),
                (make_rod((-0.2, 0.1), (0.48, -0.09), 0.035, 0.012),),
            )
        ),
        "tap": SampleOutline(
            (
                (make_box(-0.16, 0.36, 0.16, 0.5, 0.04),),
                *make_limb([(0, 0.4), (0, -0.28), (0.08, -0.4), (0.2, -0.44)], 0.065),
                *make_limb([(0.2, -0.44), (0.32, -0.4), (0.38, -0.28), (0.38, -0.06)], 0.06),
                (make_rod((0, 0.26), (-0.3, 0.14), 0.05, 0.055),),
            ),
            grip=(-0.28, 0.15),
            tip=(0.38, 0.1),
        ),
    }


def _make_bottles() -> dict[str, SampleOutline]:
    """Make the outlines of round containers."""
    return {
        "bottle": SampleOutline(
            _make_variants(
                make_box(-0.15, -0.14, 0.15, 0.5, 0.05),
                make_shape((-0.15, -0.08), (-0.055, -0.28), (0.055, -0.28), (0.15, -0.08)),
                make_box(-0.055, -0.46, 0.055, -0.25),
                make_box(-0.065, -0.5, 0.065, -0.4, 0.02),
            ),
            grip=(0.02, 0.14),
            tip=(0.0, -0.5),
        ),
        "squeezer": SampleOutline(
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
        "jar": SampleOutline(
            _make_variants(
                make_box(-0.36, -0.3, 0.36, 0.5, 0.12), make_box(-0.32, -0.5, 0.32, -0.27, 0.06)
            ),
            grip=(0.0, 0.1),
            tip=(0.0, -0.45),
        ),
        "can": SampleOutline(
            _make_variants(
                make_oval(0, -0.38, 0.34, 0.12),
                make_box(-0.34, -0.38, 0.34, 0.4),
                make_oval(0, 0.4, 0.34, 0.1),
            ),
            grip=(0.2, 0.05),
            tip=(0, -0.45),
        ),
    }


def _make_boxes() -> dict[str, SampleOutline]:
    """Make the outlines of containers with corners."""
    return {
        "box": SampleOutline(
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
        "carton": SampleOutline(
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
        "tub": SampleOutline(
            _make_variants(
                make_box(-0.5, -0.36, 0.5, 0.02, 0.1),
                make_shape((-0.46, -0.1), (0.46, -0.1), (0.38, 0.36), (-0.38, 0.36)),
            ),
            grip=(-0.42, 0.05),
            tip=(0.1, -0.3),
        ),
    }


def _make_food() -> dict[str, SampleOutline]:
    """Make the outlines of food."""
    return {
        "carrot": SampleOutline(
            _make_variants(
                make_rod((-0.26, 0), (0.46, 0), 0.12, 0.03),
                make_rod((-0.32, 0), (-0.5, -0.07), 0.025, 0.015),
                make_rod((-0.32, 0), (-0.5, 0.06), 0.025, 0.015),
            ),
            grip=(-0.42, 0.06),
            tip=(0.15, 0),
        ),
        "courgette": SampleOutline(
            _make_variants(
                make_rod((-0.36, 0), (0.4, 0.02), 0.1, 0.1),
                make_rod((0.4, 0.02), (0.52, 0.0), 0.04, 0.045),
            ),
            grip=(-0.46, 0.06),
            tip=(0.18, 0),
        ),
        "tomato": SampleOutline(
            _make_single(make_oval(0, 0, 0.5, 0.47, 0.03, 5)), grip=(-0.5, 0.22), tip=(0.12, 0)
        ),
        "onion": SampleOutline(
            _make_variants(
                make_oval(0.05, 0, 0.42, 0.44),
                make_shape((-0.25, -0.2), (-0.58, -0.04), (-0.25, 0.2)),
            ),
            grip=(-0.5, 0.22),
            tip=(0.15, 0),
        ),
        "apple": SampleOutline(
            _make_variants(
                make_oval(0, 0.03, 0.48, 0.45, 0.04, 2),
                make_rod((0, -0.4), (0.08, -0.62), 0.05, 0.04),
            ),
            grip=(-0.5, 0.22),
        ),
        "potato": SampleOutline(
            _make_single(make_oval(0, 0, 0.5, 0.36, 0.07, 3)), grip=(-0.5, 0.18), tip=(0.15, 0)
        ),
        "lemon": SampleOutline(
            _make_variants(make_oval(0, 0, 0.42, 0.34), make_rod((-0.46, 0), (0.48, 0), 0.06, 0.05))
        ),
        "egg": SampleOutline(_make_single(make_oval(0, 0, 0.5, 0.38, 0.05, 1))),
    }


def _make_handle() -> Ring:
    return make_rod((-0.47, 0), (-0.1, 0), 0.035, 0.035)


def _make_single(*rings: Ring) -> Parts:
    return (rings,)


def _make_variants(*rings: Ring) -> Parts:
    return tuple((ring,) for ring in rings)
