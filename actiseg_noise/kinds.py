"""The kinds of noise as data: their algorithms, their parameters and what these may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

OBJECTS = ("positive", "all")
OVERLAPS = ("contest", "reference", "ascending", "background")


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kind: its default, which values it takes, in code and in words."""

    default: Any
    accepts: Callable[[Any], bool]
    wanted: str


@dataclass(frozen=True)
class KindSpec:
    """A kind of noise: its current algorithm and its parameters.

    The algorithm is raised by every change of pixels, so that an old recipe is never run to another
    result: it is refused instead. A kind with the parameter ``kinds`` is a mixture: each item gets
    one of these kinds, drawn by its key.
    """

    algorithm: int
    parameters: Mapping[str, Parameter]
    summary: str


def is_number(value: Any) -> bool:
    """Whether a value is a number, which in JSON a truth value is not."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: is_number(value) and low <= value <= high


def _whole(low: int, high: int, *, odd: bool = False) -> Callable[[Any], bool]:
    return lambda value: (
        _between(low, high)(value) and value == int(value) and (value % 2 == 1 or not odd)
    )


def _or_none(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or accepts(value)


def _one_of(*known: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in known


def _some_of(*known: str) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and len(set(map(str, value))) == len(value)
        and all(element in known for element in value)
    )


def _choice(default: str, *others: str) -> Parameter:
    known = (default, *others)
    return Parameter(default, _one_of(*known), f"one of {', '.join(known)}")


def _mixture(*kinds: str) -> dict[str, Parameter]:
    return {"kinds": Parameter(kinds, _some_of(*kinds), f"a list of some of {', '.join(kinds)}")}


_STRENGTH = {
    "target_iou": Parameter(0.8, _or_none(_between(0.05, 1.0)), "an IoU from 0.05 to 1, or null"),
    "radius": Parameter(None, _or_none(_between(0.0, 500.0)), "pixels from 0 to 500, or null"),
}
_EROSION = {
    "minimum_area": Parameter(16, _between(1, 1 << 20), "pixels, at least 1"),
    "minimum_share": Parameter(0.1, _between(0.0, 1.0), "a share from 0 to 1"),
}
_JITTER = {
    "correlation_length": Parameter(
        None, _or_none(_between(1.0, 2000.0)), "pixels from 1 to 2000, or null"
    ),
    "correlation_ratio": Parameter(6.0, _between(1.0, 100.0), "a ratio from 1 to 100"),
    "correlation_least": Parameter(6.0, _between(1.0, 2000.0), "pixels from 1 to 2000"),
    "fold_margin": Parameter(0.95, _between(0.05, 0.99), "a share from 0.05 to 0.99"),
}
_FIRST_FRAME = {"first_frame": _choice("noisy", "clean")}
_SCALE = {"size": Parameter(3, _whole(1, 99, odd=True), "an odd number of pixels, 1 to 99")}
_LOCALISE = {"sigma": Parameter(2.0, _between(0.0, 100.0), "pixels from 0 to 100")}
_APPROXIMATE = {"tolerance": Parameter(5.0, _between(0.0, 500.0), "pixels from 0 to 500")}

KIND_SPECS: Mapping[str, KindSpec] = {
    "dilate": KindSpec(2, _STRENGTH, "objects grow by an equal distance everywhere"),
    "erode": KindSpec(2, _STRENGTH | _EROSION, "objects shrink by an equal distance everywhere"),
    "jitter": KindSpec(2, _STRENGTH | _JITTER, "outlines wobble smoothly, as a hurried hand draws"),
    "boundary": KindSpec(
        2,
        _STRENGTH | _EROSION | _JITTER | _mixture("dilate", "erode", "jitter"),
        "one of the three for each item",
    ),
    "morphology": KindSpec(
        1,
        {
            "operation": _choice("dilate", "erode", "close", "open"),
            "element": _choice("square", "ellipse"),
            "size": Parameter(9, _whole(1, 99, odd=True), "an odd number of pixels, 1 to 99"),
            "iterations": Parameter(1, _whole(1, 10), "a whole number from 1 to 10"),
        }
        | _FIRST_FRAME,
        "a fixed kernel, whatever the object's size",
    ),
    "random-contour": KindSpec(
        1,
        {
            "rounds": Parameter(30, _whole(0, 500), "a whole number from 0 to 500"),
            "share": Parameter(0.5, _between(0.0, 1.0), "a share from 0 to 1"),
            "smoothing": Parameter(3.0, _between(0.5, 50.0), "pixels from 0.5 to 50"),
        }
        | _FIRST_FRAME,
        "the outline spreads by chance and is smoothed",
    ),
    "scale": KindSpec(1, _SCALE, "a square kernel grows or shrinks the object"),
    "localise": KindSpec(1, _LOCALISE, "every vertex of the outline is misplaced"),
    "approximate": KindSpec(1, _APPROXIMATE, "the outline is drawn with few vertices"),
    "spatial": KindSpec(
        1,
        _SCALE | _LOCALISE | _APPROXIMATE | _mixture("scale", "localise", "approximate"),
        "one of scale, localise and approximate for each item",
    ),
    "markov": KindSpec(
        1,
        {
            "steps": Parameter(180, _whole(0, 2000), "a whole number from 0 to 2000"),
            "outward": Parameter(0.8, _between(0.0, 1.0), "a probability from 0 to 1"),
            "flip": Parameter(0.05, _between(0.0, 1.0), "a probability from 0 to 1"),
            "speckle": Parameter(0.2, _between(0.0, 1.0), "a probability from 0 to 1"),
        },
        "a biased random walk of the outline, pixel by pixel",
    ),
}
