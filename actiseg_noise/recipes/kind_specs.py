"""The kinds of noise as data: their algorithms and parameters, and the values that these take."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.names import parse_whole_number
from actiseg_data.records.recipe_record import ACTIVITY, CLASS
from actiseg_noise.recipes.category_values import is_category_list, normalise_categories

OBJECTS = ("positive", "all")
OVERLAPS = ("contest", "reference", "ascending", "background")
SCOPES = ("prompt", "both", "narration")
FLIPS = ("uniform", "near", "far", "supercategory", "matrix")
NAMES = ("class", "sister")
ACTIVITY_CHANGES = ("both", "forget", "mark")
CLASS_CHANGES = ("uniform", "supercategory", "matrix")

MIXED: Mapping[str, tuple[str, ...]] = {"mixed": ("text", "boundary")}
"""Types that put several noises into one recipe, and the kinds of these."""


@dataclass(frozen=True)
class MediumSpec:
    """The settings that the noise of one medium has in a recipe.

    Attributes
    ----------
    choices : tuple of str
        Values of its member in `MEDIUM_MEMBERS`, the default first.
    objects : str
        Default of ``objects``.
    rate : str
        Keyword for the rate of this noise if a recipe has several media.
    is_shared : bool
        Whether a recipe may have a noise of each kind of the medium, and not only one noise.
    """

    choices: tuple[str, ...]
    objects: str
    rate: str
    is_shared: bool = False


MEDIUM_SPECS: Mapping[str, MediumSpec] = {
    "masks": MediumSpec(OVERLAPS, "positive", "boundary_rate"),
    "text": MediumSpec(SCOPES, "all", "text_rate"),
    "labels": MediumSpec((*ACTIVITY_CHANGES, *CLASS_CHANGES), "all", "label_rate", is_shared=True),
}
"""The settings of each medium by its name."""


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
    """

    default: Any
    accepts: Callable[[Any], bool]
    wanted: str
    normalise: Callable[[Any], Any] = normalise_value
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class KindSpec:
    """A kind of noise.

    A kind with the parameter ``kinds`` is a mixture: the key of each item selects one of these.

    Attributes
    ----------
    algorithm : int
        Version of the algorithm. Every change of pixels or text increases it, so that an old recipe
        is refused instead of giving a different result.
    parameters : mapping of str to Parameter
        The parameters by name.
    summary : str
        What the kind does, in a few words.
    medium : str
        What it changes: ``masks``, ``text`` or ``labels``.
    outline : str or None
        The function that draws the noisy outline of an object, by its module and name below
        `actiseg_noise.mask_noise`. It is a text because the command line lists all kinds without
        loading their libraries. None for mixtures, and for text and labels.
    own_choices : tuple of str
        The kind's values of its medium's member, if they are not `MediumSpec.choices`.
    """

    algorithm: int
    parameters: Mapping[str, Parameter]
    summary: str
    medium: str = "masks"
    outline: str | None = None
    own_choices: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The kind's values of its medium's member, the default first."""
        return self.own_choices or MEDIUM_SPECS[self.medium].choices


def is_number(value: Any) -> bool:
    """Return whether a value is a number. Python's booleans are not, as in JSON."""
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _make_range_check(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: is_number(value) and low <= value <= high


def _make_whole_check(low: int, high: int, *, odd: bool = False) -> Callable[[Any], bool]:
    return lambda value: (
        _make_range_check(low, high)(value) and value == int(value) and (value % 2 == 1 or not odd)
    )


def _allow_none(accepts: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or accepts(value)


def _make_subset_check(*known: str) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, (list, tuple))
        and len(value) > 0
        and len(set(map(str, value))) == len(value)
        and all(element in known for element in value)
    )


def _make_choice(*known: str) -> Parameter:
    """Make a parameter with a few values, the default first."""
    return Parameter(
        known[0],
        lambda value: isinstance(value, str) and value in known,
        f"one of {', '.join(known)}",
        choices=known,
    )


def _make_mixture(*kinds: str) -> dict[str, Parameter]:
    return {
        "kinds": Parameter(
            kinds, _make_subset_check(*kinds), f"a list of some of {', '.join(kinds)}"
        )
    }


_STRENGTH = {
    "target_iou": Parameter(
        0.8, _allow_none(_make_range_check(0.05, 1.0)), "an IoU from 0.05 to 1, or null"
    ),
    "radius": Parameter(
        None, _allow_none(_make_range_check(0.0, 500.0)), "pixels from 0 to 500, or null"
    ),
}
_EROSION = {
    "minimum_area": Parameter(16, _make_range_check(1, 1 << 20), "pixels, at least 1"),
    "minimum_share": Parameter(0.1, _make_range_check(0.0, 1.0), "a share from 0 to 1"),
}
_JITTER = {
    "correlation_length": Parameter(
        None, _allow_none(_make_range_check(1.0, 2000.0)), "pixels from 1 to 2000, or null"
    ),
    "correlation_ratio": Parameter(6.0, _make_range_check(1.0, 100.0), "a ratio from 1 to 100"),
    "correlation_least": Parameter(6.0, _make_range_check(1.0, 2000.0), "pixels from 1 to 2000"),
    "fold_margin": Parameter(0.95, _make_range_check(0.05, 0.99), "a share from 0.05 to 0.99"),
}
_FIRST_FRAME = {"first_frame": _make_choice("noisy", "clean")}
_SCALE = {
    "size": Parameter(3, _make_whole_check(1, 99, odd=True), "an odd number of pixels, 1 to 99")
}
_LOCALISE = {"sigma": Parameter(2.0, _make_range_check(0.0, 100.0), "pixels from 0 to 100")}
_APPROXIMATE = {"tolerance": Parameter(5.0, _make_range_check(0.0, 500.0), "pixels from 0 to 500")}


def _is_id(value: Any) -> bool:
    return is_number(value) and value == int(value) and 0 <= value < 1 << 31


def _is_id_list(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(map(_is_id, value))


def _normalise_ids(value: Any) -> Any:
    return None if value is None else sorted(set(map(int, value)))


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
        and all(_make_range_check(0, 1e12)(weight) for weight in weights.values())
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


def _make_switch() -> Parameter:
    return Parameter(False, lambda value: isinstance(value, bool), "true or false")


_PROTECT = {"protect": Parameter([], _is_id_list, "a list of class ids", _normalise_ids)}
_MATRIX = {
    "matrix": Parameter(
        None,
        _allow_none(_is_matrix),
        "rows of non-negative weights by class id, none on the diagonal, or null",
        _normalise_matrix,
    )
}
_WORDS = {
    "allow_collisions": _make_switch(),
    **_PROTECT,
    "lexicon": Parameter(None, _is_digest, "the digest of a lexicon"),
    "pipeline": Parameter(
        "blank",
        lambda value: isinstance(value, str) and 0 < len(value) <= 100,
        "blank, or a spaCy pipeline with its version",
    ),
}
_DIFFERENCES = Parameter(None, _is_digest, "the digest of differences")
_FLIP = {
    "flip": _make_choice(*FLIPS),
    **_MATRIX,
    "pool": Parameter(
        None,
        _allow_none(lambda value: _is_id_list(value) and len(value) > 0),
        "a list of class ids, or null for all of the lexicon",
        _normalise_ids,
    ),
}
_SUBSTITUTE = {"names": _make_choice(*NAMES)}
_MIX = {"mix": Parameter(0.5, _make_range_check(0.0, 1.0), "a share from 0 to 1")}

KIND_SPECS: Mapping[str, KindSpec] = {
    "dilate": KindSpec(
        2, _STRENGTH, "objects grow by an equal distance everywhere", outline="dilate_erode.dilate"
    ),
    "erode": KindSpec(
        2,
        _STRENGTH | _EROSION,
        "objects shrink by an equal distance everywhere",
        outline="dilate_erode.erode",
    ),
    "jitter": KindSpec(
        2,
        _STRENGTH | _JITTER,
        "outlines wobble smoothly, as if drawn in a hurry",
        outline="jitter.jitter",
    ),
    "boundary": KindSpec(
        2,
        _STRENGTH | _EROSION | _JITTER | _make_mixture("dilate", "erode", "jitter"),
        "dilate, erode or jitter for each item",
    ),
    "morphology": KindSpec(
        1,
        {
            "operation": _make_choice("dilate", "erode", "close", "open"),
            "element": _make_choice("square", "ellipse"),
            "size": Parameter(
                9, _make_whole_check(1, 99, odd=True), "an odd number of pixels, 1 to 99"
            ),
            "iterations": Parameter(1, _make_whole_check(1, 10), "a whole number from 1 to 10"),
        }
        | _FIRST_FRAME,
        "a fixed kernel, independent of the object's size",
        outline="morphology.apply_morphology",
    ),
    "random-contour": KindSpec(
        1,
        {
            "rounds": Parameter(30, _make_whole_check(0, 500), "a whole number from 0 to 500"),
            "share": Parameter(0.5, _make_range_check(0.0, 1.0), "a share from 0 to 1"),
            "smoothing": Parameter(3.0, _make_range_check(0.5, 50.0), "pixels from 0.5 to 50"),
        }
        | _FIRST_FRAME,
        "the outline spreads at random and is smoothed",
        outline="random_contour.add_random_contour",
    ),
    "scale": KindSpec(
        1, _SCALE, "a square kernel grows or shrinks the object", outline="morphology.scale"
    ),
    "localise": KindSpec(
        1, _LOCALISE, "every vertex of the outline is moved", outline="vertices.localise"
    ),
    "approximate": KindSpec(
        1, _APPROXIMATE, "the outline is drawn with few vertices", outline="vertices.approximate"
    ),
    "spatial": KindSpec(
        1,
        _SCALE | _LOCALISE | _APPROXIMATE | _make_mixture("scale", "localise", "approximate"),
        "one of scale, localise and approximate for each item",
    ),
    "markov": KindSpec(
        1,
        {
            "steps": Parameter(180, _make_whole_check(0, 2000), "a whole number from 0 to 2000"),
            "outward": Parameter(0.8, _make_range_check(0.0, 1.0), "a probability from 0 to 1"),
            "flip": Parameter(0.05, _make_range_check(0.0, 1.0), "a probability from 0 to 1"),
            "speckle": Parameter(0.2, _make_range_check(0.0, 1.0), "a probability from 0 to 1"),
        },
        "a biased random walk of the outline, pixel by pixel",
        outline="markov.walk_outline",
    ),
    "category": KindSpec(
        2, _FLIP | _WORDS, "prompts name an object of another class", medium="text"
    ),
    "within-category": KindSpec(
        2, _SUBSTITUTE | _WORDS, "prompts use another name for the same class", medium="text"
    ),
    "text": KindSpec(
        2,
        _MIX | _FLIP | _SUBSTITUTE | _WORDS,
        "flips and substitutions, a share of each",
        medium="text",
    ),
    CLASS: KindSpec(
        1,
        {
            "own": _make_switch(),
            **_MATRIX,
            "categories": Parameter(
                None,
                _allow_none(is_category_list),
                "a list of categories, each with id, name and supercategory, or null",
                normalise_categories,
            ),
        },
        "objects get another category of their dataset",
        medium="labels",
        own_choices=CLASS_CHANGES,
    ),
    ACTIVITY: KindSpec(
        1,
        _PROTECT,
        "active objects are labelled as inactive, and inactive ones as active",
        medium="labels",
        own_choices=ACTIVITY_CHANGES,
    ),
}
"""Every kind of noise by its name."""

IMPORTED = "imported"
"""The kind of a noisy split from another generator. Only an import makes it, so it is not in
`KIND_SPECS`. Its noise is in the split's document of differences."""

IMPORTED_SPECS: Mapping[str, KindSpec] = {
    medium: KindSpec(
        1,
        {"differences": _DIFFERENCES} | more,
        "the differences of a noisy split from another generator",
        medium=medium,
        own_choices=choices,
    )
    for medium, more, choices in (
        ("masks", {}, ("none",)),
        ("text", {"lexicon": _WORDS["lexicon"]}, ("prompt",)),
    )
}
"""The kind `IMPORTED` by medium. It has no rule for overlaps: masks show their result alone."""


def find_kind_spec(kind: str, medium: str) -> KindSpec | None:
    """Return the specification of a noise in a recipe, or None if its kind is unknown."""
    return IMPORTED_SPECS.get(medium) if kind == IMPORTED else KIND_SPECS.get(kind)


def list_kinds(medium: str) -> list[str]:
    """List the kinds of noise in a medium.

    >>> list_kinds("text")
    ['category', 'within-category', 'text']
    """
    return [name for name, spec in KIND_SPECS.items() if spec.medium == medium]


def list_type_names() -> list[str]:
    """List what `make_recipe` takes as a type: every kind, and `MIXED`."""
    return [*KIND_SPECS, *MIXED]


def list_own_rates(name: str) -> list[str]:
    """List the keywords for the rate of each noise of a mixed type; empty for a kind.

    >>> list_own_rates("mixed"), list_own_rates("boundary")
    (['text_rate', 'boundary_rate'], [])
    """
    return [MEDIUM_SPECS[KIND_SPECS[kind].medium].rate for kind in MIXED.get(name, ())]


def check_type(name: str, where: str) -> None:
    """Raise an `InputError` for an unknown type of noise."""
    known = list_type_names()
    if name not in known:
        what = f"there is no type {name!r}{suggest(name, known)}"
        raise refuse(what, where, f"use one of {', '.join(known)}")
