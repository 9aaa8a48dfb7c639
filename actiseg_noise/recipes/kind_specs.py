"""The kinds of noise as data: their algorithms and parameters, and the values that these take."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from actiseg_data.core.errors import refuse, suggest
from actiseg_data.records.recipe_record import ACTIVITY, CLASS, EXCHANGE
from actiseg_noise.recipes.category_values import is_category_list, normalise_categories
from actiseg_noise.recipes.kind_parameters import (
    APPROXIMATE,
    DIFFERENCES,
    EROSION,
    FIRST_FRAME,
    FLIP,
    JITTER,
    LOCALISE,
    MATRIX,
    MIX,
    PROTECT,
    RUNS,
    SCALE,
    STRENGTH,
    SUBSTITUTE,
    WORDS,
    Parameter,
    allow_none,
    make_choice,
    make_mixture,
    make_range_check,
    make_switch,
    make_whole_check,
)

OBJECTS = ("positive", "all")
OVERLAPS = ("contest", "reference", "ascending", "background")
SCOPES = ("prompt", "both", "narration", "nouns")
SPANS = ("clip", "frame")
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
    """

    choices: tuple[str, ...]
    objects: str
    rate: str


MEDIUM_SPECS: Mapping[str, MediumSpec] = {
    "masks": MediumSpec(OVERLAPS, "positive", "boundary_rate"),
    "text": MediumSpec(SCOPES, "all", "text_rate"),
    "objects": MediumSpec(SPANS, "positive", "object_rate"),
    "labels": MediumSpec((*ACTIVITY_CHANGES, *CLASS_CHANGES), "all", "label_rate"),
}
"""The settings of each medium by its name."""


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
        What it changes: ``masks``, ``text``, ``objects`` or ``labels``.
    outline : str or None
        The function that draws the noisy outline of an object, by its module and name below
        `actiseg_noise.mask_noise`. It is a text because the command line lists all kinds without
        loading their libraries. None for mixtures, and for other media.
    whole_clips : bool
        Whether a draw selects all eligible objects of a sequence together.
    own_choices : tuple of str
        The kind's values of its medium's member, if they are not `MediumSpec.choices`.
    """

    algorithm: int
    parameters: Mapping[str, Parameter]
    summary: str
    medium: str = "masks"
    outline: str | None = None
    whole_clips: bool = False
    own_choices: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        """The kind's values of its medium's member, the default first."""
        return self.own_choices or MEDIUM_SPECS[self.medium].choices


_MORPHOLOGY: dict[str, Parameter] = {
    "operation": make_choice("dilate", "erode", "close", "open"),
    "element": make_choice("square", "ellipse"),
    "size": Parameter(9, make_whole_check(1, 99, odd=True), "an odd number of pixels, 1 to 99"),
    "iterations": Parameter(1, make_whole_check(1, 10), "a whole number from 1 to 10"),
} | FIRST_FRAME

KIND_SPECS: Mapping[str, KindSpec] = {
    "dilate": KindSpec(
        2, STRENGTH, "objects grow by an equal distance everywhere", outline="dilate_erode.dilate"
    ),
    "erode": KindSpec(
        2,
        STRENGTH | EROSION,
        "objects shrink by an equal distance everywhere",
        outline="dilate_erode.erode",
    ),
    "jitter": KindSpec(
        2,
        STRENGTH | JITTER,
        "outlines wobble smoothly, as if drawn in a hurry",
        outline="jitter.jitter",
    ),
    "boundary": KindSpec(
        2,
        STRENGTH | EROSION | JITTER | make_mixture("dilate", "erode", "jitter"),
        "dilate, erode or jitter for each item",
    ),
    "morphology": KindSpec(
        1,
        _MORPHOLOGY,
        "a fixed kernel, independent of the object's size",
        outline="morphology.apply_morphology",
    ),
    "scaled-morphology": KindSpec(
        1,
        _MORPHOLOGY
        | {
            "reference_width": Parameter(
                854, make_whole_check(1, 100_000), "the width in pixels that the size is for"
            )
        },
        "a kernel in proportion to the frame's width",
        outline="morphology.apply_scaled_morphology",
    ),
    "random-contour": KindSpec(
        1,
        {
            "rounds": Parameter(30, make_whole_check(0, 500), "a whole number from 0 to 500"),
            "share": Parameter(0.5, make_range_check(0.0, 1.0), "a share from 0 to 1"),
            "smoothing": Parameter(3.0, make_range_check(0.5, 50.0), "pixels from 0.5 to 50"),
        }
        | FIRST_FRAME,
        "the outline spreads at random and is smoothed",
        outline="random_contour.add_random_contour",
    ),
    "scale": KindSpec(
        1, SCALE, "a square kernel grows or shrinks the object", outline="morphology.scale"
    ),
    "localise": KindSpec(
        1, LOCALISE, "every vertex of the outline is moved", outline="vertices.localise"
    ),
    "approximate": KindSpec(
        1, APPROXIMATE, "the outline is drawn with few vertices", outline="vertices.approximate"
    ),
    "spatial": KindSpec(
        1,
        SCALE | LOCALISE | APPROXIMATE | make_mixture("scale", "localise", "approximate"),
        "one of scale, localise and approximate for each item",
    ),
    "markov": KindSpec(
        1,
        {
            "steps": Parameter(180, make_whole_check(0, 2000), "a whole number from 0 to 2000"),
            "outward": Parameter(0.8, make_range_check(0.0, 1.0), "a probability from 0 to 1"),
            "flip": Parameter(0.05, make_range_check(0.0, 1.0), "a probability from 0 to 1"),
            "speckle": Parameter(0.2, make_range_check(0.0, 1.0), "a probability from 0 to 1"),
        },
        "a biased random walk of the outline, pixel by pixel",
        outline="markov.walk_outline",
    ),
    "relocate": KindSpec(
        1,
        {"growth": Parameter(0.5, make_range_check(0.0, 10.0), "a ratio from 0 to 10")},
        "the object's box is redrawn nearby, and the object is stretched into it",
        outline="relocate.relocate",
    ),
    "runs": KindSpec(
        1,
        RUNS,
        "dilate, erode, affine or polygon for each run of frames, in whole clips",
        outline="run_changes.change_run",
        whole_clips=True,
    ),
    "missing": KindSpec(1, {}, "objects are left out", medium="objects"),
    "merge": KindSpec(
        1, {}, "objects are drawn under the id of another object of the clip", medium="objects"
    ),
    "swap": KindSpec(1, {}, "two objects of a clip trade their labels", medium="objects"),
    "ghost": KindSpec(
        1,
        {"shape": make_choice("copy", "ellipse", "box")},
        "objects are drawn where there are none",
        medium="objects",
    ),
    "category": KindSpec(3, FLIP | WORDS, "prompts name an object of another class", medium="text"),
    "within-category": KindSpec(
        3, SUBSTITUTE | WORDS, "prompts use another name for the same class", medium="text"
    ),
    "text": KindSpec(
        3,
        MIX | FLIP | SUBSTITUTE | WORDS,
        "flips and substitutions, a share of each",
        medium="text",
    ),
    EXCHANGE: KindSpec(
        1,
        {name: WORDS[name] for name in ("protect", "lexicon", "pipeline")},
        "two objects of a clip trade their names",
        medium="text",
        own_choices=("prompt", "both"),
    ),
    CLASS: KindSpec(
        1,
        {
            "own": make_switch(),
            **MATRIX,
            "categories": Parameter(
                None,
                allow_none(is_category_list),
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
        PROTECT,
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
        {"differences": DIFFERENCES} | more,
        "the differences of a noisy split from another generator",
        medium=medium,
        own_choices=choices,
    )
    for medium, more, choices in (
        ("masks", {}, ("none",)),
        ("text", {"lexicon": WORDS["lexicon"]}, ("prompt",)),
    )
}
"""The kind `IMPORTED` by medium. It has no rule for overlaps: masks show their result alone."""


def list_kinds(medium: str) -> list[str]:
    """List the kinds of noise in a medium.

    >>> list_kinds("text")
    ['category', 'within-category', 'text', 'exchange']
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
