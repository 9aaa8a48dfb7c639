"""The kinds of noise as data: their algorithms, their parameters and what these may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.core.names import parse_whole_number

OBJECTS = ("positive", "all")
OVERLAPS = ("contest", "reference", "ascending", "background")
SCOPES = ("prompt", "both", "narration")
FLIPS = ("uniform", "near", "far", "supercategory", "matrix")
NAMES = ("class", "sister")

MIXED: Mapping[str, tuple[str, ...]] = {"mixed": ("text", "boundary")}
"""Types that are several noises in one recipe: the kinds of each."""


def plain(value: Any) -> Any:
    """A value in the one form that a recipe has it in: numbers as floats, zero without a sign,
    lists as lists, so that equal recipes digest equally.

    >>> plain((1, -0.0))
    [1.0, 0.0]
    """
    if isinstance(value, (list, tuple)):
        return [plain(element) for element in value]
    return float(value) + 0.0 if is_number(value) else value  # -0.0 + 0.0 is 0.0


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kind: its default, which values it takes, in code and in words, and the
    one form in which a recipe has them.
    """

    default: Any
    accepts: Callable[[Any], bool]
    wanted: str
    plain: Callable[[Any], Any] = plain


@dataclass(frozen=True)
class KindSpec:
    """A kind of noise: its current algorithm and its parameters.

    The algorithm is raised by every change of pixels or words, so that an old recipe is never run
    to another result: it is refused instead. A kind with the parameter ``kinds`` is a mixture: each
    item gets one of these kinds, drawn by its key. medium: what the kind changes, ``masks`` or
    ``text``.
    """

    algorithm: int
    parameters: Mapping[str, Parameter]
    summary: str
    medium: str = "masks"


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


def _is_id(value: Any) -> bool:
    return is_number(value) and value == int(value) and 0 <= value < 1 << 31


def _ids(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_id, value))


def _plain_ids(value: Any) -> Any:
    return None if value is None else sorted(set(map(int, value)))


def _id_text(text: str) -> bool:
    number = parse_whole_number(text)
    return number is not None and text == str(number)


def _matrix(value: Any) -> bool:
    """Whether a value says where each class is flipped to: rows of weights by class id, at least
    one above 0 in each, none on the diagonal.
    """
    return isinstance(value, Mapping) and all(
        _id_text(row)
        and isinstance(weights, Mapping)
        and all(_id_text(to) and to != row for to in weights)
        and all(_between(0, 1e12)(weight) for weight in weights.values())
        and any(weights.values())
        for row, weights in value.items()
    )


def _plain_matrix(value: Any) -> Any:
    if value is None:
        return None
    return {
        row: {to: float(value[row][to]) for to in sorted(value[row], key=int) if value[row][to]}
        for row in sorted(value, key=int)
    }


def _digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")


_WORDS = {
    "allow_collisions": Parameter(False, lambda value: isinstance(value, bool), "true or false"),
    "protect": Parameter([], _ids, "a list of class ids", _plain_ids),
    "lexicon": Parameter(None, _digest, "the digest of a lexicon"),
    "pipeline": Parameter(
        "blank",
        lambda value: isinstance(value, str) and 0 < len(value) <= 100,
        "blank, or a spaCy pipeline with its version",
    ),
}
_FLIP = {
    "flip": _choice(*FLIPS),
    "matrix": Parameter(
        None,
        _or_none(_matrix),
        "rows of weights of 0 and more by class id, none on the diagonal, or null",
        _plain_matrix,
    ),
    "pool": Parameter(
        None,
        _or_none(lambda value: _ids(value) and len(value) > 0),
        "a list of class ids, or null for all of the lexicon",
        _plain_ids,
    ),
}
_SUBSTITUTE = {"names": _choice(*NAMES)}
_MIX = {"mix": Parameter(0.5, _between(0.0, 1.0), "a share from 0 to 1")}

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
    "category": KindSpec(2, _FLIP | _WORDS, "prompts name a thing of another class", medium="text"),
    "within-category": KindSpec(
        2, _SUBSTITUTE | _WORDS, "prompts use another name for the same class", medium="text"
    ),
    "text": KindSpec(
        2, _MIX | _FLIP | _SUBSTITUTE | _WORDS, "both, a share of each", medium="text"
    ),
}
