"""Training weights of noisy masks, derived from the clean weights of each object.

ActionVOS weighs the pixels of a frame by 1 to 4. An object of the narration has weight 2, and 4
within the box of a touched object; a touched object has 2; an object that takes no part in the
frame has 3; all other pixels have 1. The published maps follow the clean outlines, so a noisy mask
needs its own map. In it, the weight of a pixel depends only on the object that the noisy mask has
at this pixel, and on the box if the box divides the object.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask, check_same_size
from actiseg_data.core.errors import refuse

REST, NARRATION, HIGHEST = 1, 2, 4
"""Weights of the background, and of an object of the narration outside and inside a box."""

_MARGIN = 2
"""Pixels that an object must extend beyond the side of a box to be divided by it. The published
boxes omit the last row and column of the object that they enclose."""


@dataclass(frozen=True)
class ObjectWeight:
    """The weights of one object in one frame.

    Attributes
    ----------
    window : (slice, slice)
        Rows and columns of the box that divides the object.
    inside, outside : int
        Weights of the object inside and outside of the window.
    """

    window: tuple[slice, slice]
    inside: int
    outside: int


_EVERYWHERE = (slice(None), slice(None))


def weigh_objects(clean: IndexMask, weights: IndexMask) -> dict[int, ObjectWeight]:
    """Derive the weights of each visible object from a frame's clean weights.

    An object has the weight of most of its pixels, the lowest of equals. If it has both 2 and 4, a
    box may divide it; then it has one weight inside the box and one outside.

    Parameters
    ----------
    clean : IndexMask
        (H, W) array of integers, pixel = object id; see `as_index_mask`.
    weights : IndexMask
        (H, W) array of integers from 1 to 4.

    Returns
    -------
    dict of int to ObjectWeight
        By object id.

    Raises
    ------
    InputError
        If the shapes differ, or if `weights` has values outside 1 to 4.

    Examples
    --------
    >>> clean = np.array([[0, 1, 1, 2]], np.uint8)
    >>> by_object = weigh_objects(clean, np.array([[1, 2, 2, 3]], np.uint8))
    >>> by_object[1].inside, by_object[2].inside
    (2, 3)
    """
    clean, weights = as_index_mask(clean, "clean"), as_index_mask(weights, "weights")
    hint = "give weights of the mask's size"
    check_same_size(weights.shape, clean.shape, "the mask", "`weights`", hint)
    if weights.size and not REST <= weights.min() <= weights.max() <= HIGHEST:
        raise refuse("has values outside 1 to 4", "`weights`", "give training weights")
    by_object = {}
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
        by_object[object_id] = ObjectWeight(
            window, _find_most_frequent(inside), _find_most_frequent(outside)
        )
    return by_object


def derive_weights(noisy: IndexMask, values: Mapping[int, ObjectWeight]) -> IndexMask:
    """Derive the weights of a noisy mask.

    Parameters
    ----------
    noisy : IndexMask
        (H, W) array of integers, pixel = object id; see `as_index_mask`.
    values : mapping of int to ObjectWeight
        Weights of the clean frame's objects, from `weigh_objects`.

    Returns
    -------
    (H, W) uint8
        Values 1 to 4; 1 outside of all objects.

    Examples
    --------
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
    """Count the pixels of each id that have the weights 1 to 4, (256, 4)."""
    codes = ids.astype(np.intp)
    codes *= HIGHEST
    codes += weights
    codes -= REST
    return np.bincount(codes.ravel(), minlength=256 * HIGHEST).reshape(256, HIGHEST)


def _find_most_frequent(counts: NDArray[np.intp]) -> int:
    """Return the weight that most pixels have, the lowest of equals."""
    return int(counts.argmax()) + REST


def _find_dividing_box(shape: NDArray[np.bool_], inside: NDArray[np.bool_]) -> tuple[slice, slice]:
    """Return the window of the box that divides an object, without sides that do not cut it.

    `shape` is the object, `inside` its pixels within a box. If the object ends at a side of the
    box, this side is the end of the object or of the touched object, and would reveal the clean
    outline. The window therefore extends to the edge of the frame on this side.
    """
    rows = _find_cutting_sides(shape, np.flatnonzero(inside.any(axis=1)))
    columns = _find_cutting_sides(shape.T, np.flatnonzero(inside.any(axis=0)))
    return rows, columns


def _find_cutting_sides(shape: NDArray[np.bool_], lines: NDArray[np.intp]) -> slice:
    """Return the range of lines (rows of `shape`), open at each end at which the shape ends."""
    first, last = int(lines[0]), int(lines[-1])
    before, behind = first - _MARGIN, last + _MARGIN
    start = first if before >= 0 and (shape[first] & shape[before]).any() else None
    stop = last + 1 if behind < len(shape) and (shape[last] & shape[behind]).any() else None
    return slice(start, stop)
