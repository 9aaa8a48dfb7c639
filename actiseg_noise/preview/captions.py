"""Where the names of objects go in a picture: near their objects, apart from one another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are the first outside."""

_REACH = (0.0, 0.7, 1.1, 1.6, 2.2, 3.0, 4.0)
"""How far from the anchor a caption is tried, in heights of the caption."""

_DIRECTIONS = 16

_OVERLAP = 40.0
"""How far in pixels a caption is moved rather than cover one pixel of another; grows as the root of
the pixels."""

_HIDING = 60.0
"""How far in pixels a caption is moved rather than hide a whole object."""


@dataclass(frozen=True)
class Caption:
    """A text to be placed: its (width, height) in pixels, the (x, y) that it should be near, and
    the box around the object that it names.
    """

    size: tuple[int, int]
    anchor: tuple[int, int]
    subject: Box


def place_captions(captions: Sequence[Caption], picture: tuple[int, int]) -> list[Box]:
    """A place for each caption: inside the picture, near its anchor, clear of those before it.

    captions: the most important first, for it is placed first. picture: (width, height). A caption
    lies on its object where that is large, beside it where it would hide it. Captions overlap only
    where every place that is tried is taken; one that is larger than the picture begins at its
    edge.

    >>> large = Caption((20, 10), (30, 30), (0, 0, 60, 60))
    >>> place_captions([large, large], (60, 60))
    [(20, 25, 40, 35), (20, 14, 40, 24)]
    """
    placed: list[Box] = []
    subjects = [caption.subject for caption in captions]
    for caption in captions:
        penalised = [
            (_compute_penalty(box, caption, placed, subjects), box)
            for box in _list_boxes(caption, picture)
        ]
        placed.append(min(penalised)[1])
    return placed


def measure_overlap(one: Box, other: Box) -> int:
    """The pixels that two boxes share.

    >>> overlap((0, 0, 4, 4), (2, 3, 9, 9))
    2
    """
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0) * max(high, 0)


def _list_boxes(caption: Caption, picture: tuple[int, int]) -> list[Box]:
    """Boxes around the anchor, the one centred on it first, pushed into the picture."""
    (wide, high), (x, y) = caption.size, caption.anchor
    boxes = []
    for reach in _REACH:
        for direction in range(_DIRECTIONS if reach else 1):
            turn = 2 * math.pi * direction / _DIRECTIONS
            # An ellipse: a caption is wide, and beside the anchor it has to go further to be clear.
            left = round(x + reach * math.cos(turn) * (high + wide / 2) - wide / 2)
            top = round(y + reach * math.sin(turn) * high - high / 2)
            left = max(min(left, picture[0] - wide), 0)
            top = max(min(top, picture[1] - high), 0)
            boxes.append((left, top, left + wide, top + high))
    return boxes


def _compute_penalty(box: Box, caption: Caption, placed: list[Box], subjects: list[Box]) -> float:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    far = math.hypot(x - caption.anchor[0], y - caption.anchor[1])
    taken = sum(measure_overlap(box, other) for other in placed)
    hidden = sum(
        measure_overlap(box, subject) / max(measure_overlap(subject, subject), 1)
        for subject in subjects
    )
    return round(far + _OVERLAP * math.sqrt(taken) + _HIDING * hidden, 6)
