"""Which objects of which frames get mask noise: keys, eligible objects and selection draws."""

from __future__ import annotations

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import Key, draw_uniform, make_key
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.recipes.spec_finding import has_clip_units

SELECTION = 1
"""Algorithm of the selection. It is separate from the algorithms of the kinds, so that a kind whose
pixels improve still selects the same items."""

PURPOSE = "boundary"
"""The purpose of all draws of mask noise begins with this word, not only those of its kind."""


def list_eligible_objects(sequence: VideoSequence, frame: str, noise: Noise) -> list[ObjectLabel]:
    """Return the objects that a noise may change in a frame, including those out of sight."""
    if noise.parameters.get("first_frame") == "clean" and frame == sequence.frames[0]:
        return []
    return [
        label
        for label in sequence.objects
        if label.model is None and (label.positive or noise.objects == "all")
    ]


def make_item_key(
    seed: int, algorithm: int, purpose: str, sequence: VideoSequence, frame: str, label: ObjectLabel
) -> Key:
    """Make the key of one draw for one object of one frame, from the item's identity alone."""
    return make_key(seed, algorithm, purpose, *sequence.identity, frame, label.identity)


def draw_selection(seed: int, sequence: VideoSequence, frame: str, label: ObjectLabel) -> float:
    """Draw the uniform number in [0, 1) that decides whether an item gets noise.

    The item gets noise if and only if the number is below the rate. The number is the same for all
    kinds of mask noise and for all rates, so a higher rate selects the same items and more.
    """
    return draw_uniform(make_item_key(seed, SELECTION, f"{PURPOSE}.select", sequence, frame, label))


def draw_clip_selection(seed: int, sequence: VideoSequence) -> float:
    """Draw the number that decides whether a sequence gets noise, for kinds that select clips."""
    key = make_key(seed, SELECTION, f"{PURPOSE}.select clip", *sequence.identity)
    return draw_uniform(key)


def draw_outline_selection(
    noise: Noise, seed: int, sequence: VideoSequence, frame: str, label: ObjectLabel
) -> float:
    """Draw the number that selects an object of a frame, for the unit that the kind selects."""
    if has_clip_units(noise):
        return draw_clip_selection(seed, sequence)
    return draw_selection(seed, sequence, frame, label)
