"""Place the names of objects in an image: near their objects, without overlaps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels; right and bottom are exclusive."""

_REACH = (0.0, 0.7, 1.1, 1.6, 2.2, 3.0, 4.0)
"""Distances from the anchor at which a caption is tried, in heights of the caption."""

_DIRECTIONS = 16

_OVERLAP = 40.0
"""Distance in pixels that a caption moves to avoid covering one pixel of another caption. It grows
with the square root of the covered pixels."""

_HIDING = 60.0
"""Distance in pixels that a caption moves to avoid hiding a whole object."""


@dataclass(frozen=True)
class Caption:
    """A text to be placed.

    Attributes
    ----------
    size : (int, int)
        Width and height in pixels.
    anchor : (int, int)
        x and y of the point that it should be close to.
    subject : Box
        Box around the object that it names.
    """

    size: tuple[int, int]
    anchor: tuple[int, int]
    subject: Box


def place_captions(captions: Sequence[Caption], image_size: tuple[int, int]) -> list[Box]:
    """Return a box for each caption: in the image, near its anchor, clear of earlier captions.

    A caption is placed on a large object, and next to an object that it would hide. Captions
    overlap only if no free position was found. A caption larger than the image starts at the
    image's edge.

    Parameters
    ----------
    captions : sequence of Caption
        The captions, the most important first; they are placed in this order.
    image_size : (int, int)
        Width and height of the image.

    Examples
    --------
    >>> large = Caption((20, 10), (30, 30), (0, 0, 60, 60))
    >>> place_captions([large, large], (60, 60))
    [(20, 25, 40, 35), (20, 14, 40, 24)]
    """
    placed: list[Box] = []
    subjects = [caption.subject for caption in captions]
    for caption in captions:
        penalised = [
            (_compute_penalty(box, caption, placed, subjects), box)
            for box in _list_boxes(caption, image_size)
        ]
        placed.append(min(penalised)[1])
    return placed


def measure_overlap(first: Box, second: Box) -> int:
    """Count the pixels that two boxes share.

    Examples
    --------
    >>> measure_overlap((0, 0, 4, 4), (2, 3, 9, 9))
    2
    """
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    return max(wide, 0) * max(high, 0)


def _list_boxes(caption: Caption, image_size: tuple[int, int]) -> list[Box]:
    """Return boxes around the anchor, moved into the image; the box centred on it comes first."""
    (wide, high), (x, y) = caption.size, caption.anchor
    boxes = []
    for reach in _REACH:
        for direction in range(_DIRECTIONS if reach else 1):
            turn = 2 * math.pi * direction / _DIRECTIONS
            # An ellipse, because a wide caption must move further sideways to clear the anchor.
            left = round(x + reach * math.cos(turn) * (high + wide / 2) - wide / 2)
            top = round(y + reach * math.sin(turn) * high - high / 2)
            left = max(min(left, image_size[0] - wide), 0)
            top = max(min(top, image_size[1] - high), 0)
            boxes.append((left, top, left + wide, top + high))
    return boxes


def _compute_penalty(box: Box, caption: Caption, placed: list[Box], subjects: list[Box]) -> float:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    far = math.hypot(x - caption.anchor[0], y - caption.anchor[1])
    taken = sum(measure_overlap(box, earlier) for earlier in placed)
    hidden = sum(
        measure_overlap(box, subject) / max(measure_overlap(subject, subject), 1)
        for subject in subjects
    )
    return round(far + _OVERLAP * math.sqrt(taken) + _HIDING * hidden, 6)
