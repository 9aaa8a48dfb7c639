"""Training weights of noisy masks, derived from what the clean weights say of each object.

ActionVOS weighs the pixels of a frame by 1 to 4: an object of the narration has 2, and 4 within the
box of a touched object; a touched object has 2; an object that takes no part in the frame has 3;
all else has 1. The published maps follow the clean outlines, so a noisy mask needs others: here the
weight of a pixel follows from the object that the noisy mask has there, and from nothing else but
the box, if the box divides the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask
from actiseg_data.core.errors import refuse

REST, NARRATION, HIGHEST = 1, 2, 4
"""Weights: of all that is no object's; of an object of the narration outside and inside a box."""

_MARGIN = 2
"""How far, in pixels, an object must go on beyond the side of a box to be divided by it. The
published boxes leave out the last row and column of the thing that they enclose."""


@dataclass(frozen=True)
class ObjectWeight:
    """The weights of one object in one frame.

    window: rows and columns of the box that divides it. inside, outside: its weights in and out of
    the window.
    """

    window: tuple[slice, slice]
    inside: int
    outside: int


_EVERYWHERE = (slice(None), slice(None))


def weigh_objects(clean: IndexMask, weights: IndexMask) -> dict[int, ObjectWeight]:
    """What a frame's clean weights say of each object that is in sight, by object id.

    clean: pixel = object id. weights: of the same shape, with values 1 to 4; both see
    `as_index_mask`. An object has the weight that most of its pixels have, the lowest of equals. If
    it has both 2 and 4, a box may divide it; then it has one weight inside the box and one outside.

    >>> clean = np.array([[0, 1, 1, 2]], np.uint8)
    >>> found = weigh_objects(clean, np.array([[1, 2, 2, 3]], np.uint8))
    >>> found[1].inside, found[2].inside
    (2, 3)
    """
    clean, weights = as_index_mask(clean, "clean"), as_index_mask(weights, "weights")
    if clean.shape != weights.shape:
        raise refuse(
            f"has the shape {weights.shape}, the mask {clean.shape}", "weights", "give the mask's"
        )
    if weights.size and not REST <= weights.min() <= weights.max() <= HIGHEST:
        raise refuse("holds other values than 1 to 4", "weights", "give training weights")
    found = {}
    counts = _count(clean, weights)
    for object_id in np.flatnonzero(counts.any(axis=1)).tolist():
        if object_id == 0:
            continue
        pixels = counts[object_id]
        window, inside = _EVERYWHERE, pixels
        if pixels[NARRATION - REST] and pixels[HIGHEST - REST]:
            shape = clean == object_id
            window = _find_dividing_box(shape, shape & (weights == HIGHEST))
            inside = _count(shape[window].view(np.uint8), weights[window])[1]
        outside = pixels - inside if (pixels > inside).any() else inside
        found[object_id] = ObjectWeight(
            window, _find_most_frequent(inside), _find_most_frequent(outside)
        )
    return found


def derive_weights(noisy: IndexMask, values: Mapping[int, ObjectWeight]) -> IndexMask:
    """The weights of a noisy mask.

    noisy: pixel = object id, see `as_index_mask`. values: as `weigh_objects` gives them for the
    clean frame. Returns (H, W) uint8 with values 1 to 4; 1 outside all objects.

    >>> values = {1: ObjectWeight((slice(None), slice(0, 2)), 4, 2)}
    >>> derive_weights(np.array([[0, 1, 1, 0]], np.uint8), values).tolist()
    [[1, 4, 2, 1]]
    """
    noisy = as_index_mask(noisy, "noisy")
    table = np.full(256, REST, np.uint8)
    for object_id, value in values.items():
        table[object_id] = value.outside
    weights = table[noisy]
    for object_id, value in values.items():
        if value.inside != value.outside:
            part = weights[value.window]
            part[noisy[value.window] == object_id] = value.inside
    return weights


def _count(ids: IndexMask, weights: IndexMask) -> NDArray[np.intp]:
    """(256, 4): how many pixels of each id have the weights 1 to 4."""
    codes = ids.astype(np.intp)
    codes *= HIGHEST
    codes += weights
    codes -= REST
    return np.bincount(codes.ravel(), minlength=256 * HIGHEST).reshape(256, HIGHEST)


def _find_most_frequent(counts: NDArray[np.intp]) -> int:
    """The weight that most pixels have, the lowest of equals."""
    return int(counts.argmax()) + REST


def _find_dividing_box(shape: NDArray[np.bool_], inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """The window of the box that divides an object, without the sides that do not cut through it.

    shape: the object; inside: its pixels that are in a box. If the object ends at a side of the
    box, this side is the end of the object, or of the touched object; it would show the clean
    outline. So the window reaches to the edge of the frame there.
    """
    rows = _find_cutting_sides(shape, np.flatnonzero(inside.any(axis=1)))
    columns = _find_cutting_sides(shape.T, np.flatnonzero(inside.any(axis=0)))
    return rows, columns


def _find_cutting_sides(shape: NDArray[np.bool_], lines: NDArray[np.intp]) -> slice:
    """From the first to the last of some lines (rows of `shape`), open at each end beyond which the
    shape does not continue.
    """
    first, last = int(lines[0]), int(lines[-1])
    before, behind = first - _MARGIN, last + _MARGIN
    start = first if before >= 0 and (shape[first] & shape[before]).any() else None
    stop = last + 1 if behind < len(shape) and (shape[last] & shape[behind]).any() else None
    return slice(start, stop)
