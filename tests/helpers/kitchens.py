"""Small roots whose objects have real names and classes of EPIC-KITCHENS-100."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from tests.helpers.roots import clip, make_root

THINGS = (
    "cup",
    "knife",
    "carrot",
    "chopping board",
    "right hand",
    "left hand",
    "bread knife",
    "salt container",
    "celery",
    "tap",
)

NARRATIONS = (
    ("take cup", "take", "cup", 13),
    ("cut two carrots", "cut", "carrot", 41),
    ("put a knife on chopping board", "put", "knife", 4),
    ("Wash Knife", "wash", "knife", 4),
    ("", "look", "knife", 4),
    ("coupe la carotte", "cut", "carrot", 41),
)


def label(object_id: int, name: str, *, positive: bool = True) -> ObjectLabel:
    (class_id,) = load_lexicon().find_classes(name)
    return ObjectLabel(object_id, name, class_id, positive, positive, positive)


def kitchen_clip(number: int, **changes: Any) -> VideoSequence:
    """A sequence with four to six things, not always the same."""
    names = sorted({THINGS[(number * step) % len(THINGS)] for step in (1, 2, 3, 4, 6)} | {"tap"})
    objects = tuple(label(at, name, positive=bool(at % 3)) for at, name in enumerate(names, 1))
    narration, verb, noun, noun_class = NARRATIONS[number % len(NARRATIONS)]
    fields = {"narration": narration, "verb": verb, "noun": noun, "noun_class": noun_class}
    return clip(number, objects=objects, **(fields | changes))


def make_kitchen(root: Path, count: int = 12, **changes: Any) -> Path:
    return make_root(root, [kitchen_clip(number, **changes) for number in range(1, count + 1)])


def renamed(sequence: VideoSequence, old: str, new: str) -> VideoSequence:
    """The sequence with an object called otherwise."""
    return replace(
        sequence,
        objects=tuple(
            replace(each, name=new) if each.name == old else each for each in sequence.objects
        ),
    )
