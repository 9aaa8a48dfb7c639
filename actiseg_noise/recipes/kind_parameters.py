"""The parameters of the kinds of noise: their defaults and allowed values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from actiseg_data.core.names import parse_whole_number

FLIPS = ("uniform", "near", "far", "supercategory", "matrix", "sister")
NAMES = ("class", "wordnet")


def normalise_value(value: Any) -> Any:
    """Convert a value to its normal form, so that equal recipes have equal digests.

    Numbers become floats, zero loses its sign, and sequences become lists.

    >>> normalise_value((1, -0.0))
    [1.0, 0.0]
    """
    if isinstance(value, (list, tuple)):
        return [normalise_value(element) for element in value]
    return float(value) + 0.0 if is_number(value) else value  # -0.0 + 0.0 is 0.0


@dataclass(frozen=True)
class Parameter:
    """One parameter of a kind.

    Attributes
    ----------
    default : any
        The default value.
    accepts : callable
        Whether a value is allowed.
    wanted : str
        The allowed values in words, for messages.
    normalise : callable
        Converts a value to its normal form.
    choices : tuple of str
        All allowed values, if these are a few names.
    former : mapping of str to (str, str)
        Names that earlier releases allowed, each with the reason why not and what to do.
    """

    default: Any
    accepts: Callable[[Any], bool]
    wanted: str
    normalise: Callable[[Any], Any] = normalise_value
    choices: tuple[str, ...] = ()
    former: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def is_number(value: Any) -> bool:
    """Return whether a value is a number. Python's booleans are not, as in JSON."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def make_range_check(low: float, high: float) -> Callable[[Any], bool]:
    """Make a check that a value is a number between two bounds, both allowed."""
    return lambda value: is_number(value) and low <= value <= high


def make_whole_check(low: int, high: int, *, odd: bool = False) -> Callable[[Any], bool]:
    """Make a check that a value is a whole number, or an odd one, between two bounds."""
    return lambda value: (
        make_range_check(low, high)(value) and value == int(value) and (value % 2 == 1 or not odd)
    )


def allow_none(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    """Make a check that allows None as well."""
    return lambda value: value is None or accepts(value)


def _make_subset_check(*known: str) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and len(set(map(str, value))) == len(value)
        and all(element in known for element in value)
    )


def make_choice(*known: str) -> Parameter:
    """Make a parameter with a few values, the default first."""
    return Parameter(
        known[0],
        lambda value: isinstance(value, str) and value in known,
        f"one of {', '.join(known)}",
        choices=known,
    )


def make_mixture(*kinds: str) -> dict[str, Parameter]:
    """Make the parameter of a mixture of kinds: which of these it has."""
    return {
        "kinds": Parameter(
            kinds, _make_subset_check(*kinds), f"a list of some of {', '.join(kinds)}"
        )
    }


STRENGTH = {
    "target_iou": Parameter(
        0.8, allow_none(make_range_check(0.05, 1.0)), "an IoU from 0.05 to 1, or null"
    ),
    "radius": Parameter(
        None, allow_none(make_range_check(0.0, 500.0)), "pixels from 0 to 500, or null"
    ),
}
EROSION = {
    "minimum_area": Parameter(16, make_range_check(1, 1 << 20), "pixels, at least 1"),
    "minimum_share": Parameter(0.1, make_range_check(0.0, 1.0), "a share from 0 to 1"),
}
JITTER = {
    "correlation_length": Parameter(
        None, allow_none(make_range_check(1.0, 2000.0)), "pixels from 1 to 2000, or null"
    ),
    "correlation_ratio": Parameter(6.0, make_range_check(1.0, 100.0), "a ratio from 1 to 100"),
    "correlation_least": Parameter(6.0, make_range_check(1.0, 2000.0), "pixels from 1 to 2000"),
    "fold_margin": Parameter(0.95, make_range_check(0.05, 0.99), "a share from 0.05 to 0.99"),
}
FIRST_FRAME = {"first_frame": make_choice("noisy", "clean")}
SCALE = {
    "size": Parameter(3, make_whole_check(1, 99, odd=True), "an odd number of pixels, 1 to 99")
}
LOCALISE = {"sigma": Parameter(2.0, make_range_check(0.0, 100.0), "pixels from 0 to 100")}
APPROXIMATE = {"tolerance": Parameter(5.0, make_range_check(0.0, 500.0), "pixels from 0 to 500")}
RUN_CHANGES = ("dilate", "erode", "affine", "polygon")
"""What the kind ``runs`` does to an object in a run of frames."""

RUNS = {
    "shortest": Parameter(3, make_whole_check(1, 1000), "a whole number from 1 to 1000"),
    "longest": Parameter(6, make_whole_check(1, 1000), "a whole number from 1 to 1000"),
    "radius_least": Parameter(40, make_whole_check(0, 500), "whole pixels from 0 to 500"),
    "radius_most": Parameter(50, make_whole_check(0, 500), "whole pixels from 0 to 500"),
    "reference_height": Parameter(
        None,
        allow_none(make_range_check(1, 100_000)),
        "the height in pixels of the frames that the radius is for, or null for any",
    ),
    "rotation": Parameter(30.0, make_range_check(0.0, 180.0), "degrees from 0 to 180"),
    "translation": Parameter(0.2, make_range_check(0.0, 1.0), "a share of the height, 0 to 1"),
    "rescaling": Parameter(0.2, make_range_check(0.0, 0.9), "a share from 0 to 0.9"),
    "points_least": Parameter(4, make_whole_check(3, 1000), "a whole number from 3 to 1000"),
    "points_most": Parameter(8, make_whole_check(3, 1000), "a whole number from 3 to 1000"),
    "shift": Parameter(0.2, make_range_check(0.0, 1.0), "a share of the object's box, 0 to 1"),
    "changes": make_mixture(*RUN_CHANGES)["kinds"],
}
_BOUNDS = (
    ("shortest", "longest"),
    ("radius_least", "radius_most"),
    ("points_least", "points_most"),
)


def list_reversed_bounds(parameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """List the parameters of which the least value exceeds the greatest."""
    return [
        (low, high)
        for low, high in _BOUNDS
        if is_number(parameters.get(low))
        and is_number(parameters.get(high))
        and parameters[low] > parameters[high]
    ]


def _is_id(value: Any) -> bool:
    return is_number(value) and value == int(value) and 0 <= value < 1 << 31


def _is_id_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_id, value))


def _normalise_ids(value: Any) -> Any:
    return None if value is None else sorted(set(map(int, value)))


FREQUENCY = "frequency"
"""The pool of all classes of a dataset's split, each as often as it has objects. A recipe for a
dataset has the frequencies themselves instead."""


def _is_pool(value: Any) -> bool:
    if isinstance(value, Mapping):
        counts = value.values()
        return (
            bool(value)
            and all(map(_is_id_text, value))
            and all(
                is_number(count) and count == int(count) and 0 < count < 1 << 31 for count in counts
            )
        )
    return value == FREQUENCY or (_is_id_list(value) and len(value) > 0)


def _normalise_pool(value: Any) -> Any:
    """Return a pool with its classes in the order of their ids."""
    if isinstance(value, Mapping):
        return {key: int(value[key]) for key in sorted(value, key=int)}
    return value if isinstance(value, str) else _normalise_ids(value)


def _is_id_text(text: str) -> bool:
    number = parse_whole_number(text)
    return number is not None and text == str(number)


def _is_matrix(value: Any) -> bool:
    """Return whether a value is a matrix of flips: rows of weights by class id.

    Each row needs a weight above 0, and none on the diagonal.
    """
    return isinstance(value, Mapping) and all(
        _is_id_text(row)
        and isinstance(weights, Mapping)
        and all(_is_id_text(to) and to != row for to in weights)
        and all(make_range_check(0, 1e12)(weight) for weight in weights.values())
        and any(weights.values())
        for row, weights in value.items()
    )


def _normalise_matrix(value: Any) -> Any:
    if value is None:
        return None
    return {
        row: {to: float(value[row][to]) for to in sorted(value[row], key=int) if value[row][to]}
        for row in sorted(value, key=int)
    }


def _is_digest(value: Any) -> bool:
    return isinstance(value, str) and len(value) == 32 and set(value) <= set("0123456789abcdef")


def make_switch() -> Parameter:
    """Make a parameter that is true or false, by default false."""
    return Parameter(False, lambda value: isinstance(value, bool), "true or false")


PROTECT = {"protect": Parameter([], _is_id_list, "a list of class ids", _normalise_ids)}
MATRIX = {
    "matrix": Parameter(
        None,
        allow_none(_is_matrix),
        "rows of non-negative weights by class id, none on the diagonal, or null",
        _normalise_matrix,
    )
}
WORDS = {
    "allow_collisions": make_switch(),
    **PROTECT,
    "lexicon": Parameter(None, _is_digest, "the digest of a lexicon"),
    "pipeline": Parameter(
        "blank",
        lambda value: isinstance(value, str) and 0 < len(value) <= 100,
        "blank, or a spaCy pipeline with its version",
    ),
}
DIFFERENCES = Parameter(None, _is_digest, "the digest of differences")
FLIP = {
    "flip": make_choice(*FLIPS),
    **MATRIX,
    "pool": Parameter(
        None,
        allow_none(_is_pool),
        "a list of class ids, their frequencies by id, frequency for those of the dataset, or null "
        "for all of the lexicon",
        _normalise_pool,
    ),
}
SUBSTITUTE = {
    "names": replace(
        make_choice(*NAMES),
        former={
            "sister": (
                "'sister' is no longer a choice: sister terms name other things, so they are flips",
                "set `flip` to sister, for the type category or text",
            )
        },
    )
}
MIX = {"mix": Parameter(0.5, make_range_check(0.0, 1.0), "a share from 0 to 1")}
