"""An object whose box is redrawn nearby."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.keys import draw_uniforms
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou, trim
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline


def relocate(clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory) -> NoisyOutline:
    """Redraw the box of an object, and stretch the object into the new box.

    The box grows by ``growth`` of its width and height on each side. Two corners are drawn
    uniformly in the grown box, on whole pixels, and cut to the frame. If they leave no pixel, the
    new box has half the size and the centre of the old one. The object is resampled to the new box
    by its nearest pixels.

    This is the *localisation* noise of UNA, with growth 0.5, for masks; UNA redraws boxes alone.

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``growth`` of the box on each side, as a share of its size.
    keys : KeyFactory
        Makes the item's keys.

    Returns
    -------
    NoisyOutline
        With the ``box`` for the ledger: left, top, right and bottom, the last two exclusive.

    Examples
    --------
    >>> square = ObjectMask(Patch(4, 4, np.ones((8, 8), bool)), (20, 20))
    >>> relocate(square, {"growth": 0.5}, lambda purpose: b"x" * 32).details
    {'box': [2, 1, 5, 14]}
    """
    rows, columns = clean.patch.window
    numbers = draw_uniforms(keys("relocate.corners"), 4)
    growth = parameters["growth"]
    top, bottom = _draw_side(rows, clean.frame[0], numbers[:2], growth)
    left, right = _draw_side(columns, clean.frame[1], numbers[2:], growth)
    if bottom <= top or right <= left:
        top, bottom = _halve(rows)
        left, right = _halve(columns)
    sources = [
        (2 * np.arange(new) + 1) * old // (2 * new)
        for new, old in zip((bottom - top, right - left), clean.patch.mask.shape, strict=True)
    ]
    patch = trim(Patch(top, left, clean.patch.mask[np.ix_(*sources)]))
    details = {"box": [left, top, right, bottom]}
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", details)


def _draw_side(
    extent: slice, limit: int, numbers: np.ndarray[Any, np.dtype[np.float64]], growth: float
) -> tuple[int, int]:
    """Draw the first and the end pixel of a side in its grown extent, cut to the frame."""
    size = extent.stop - extent.start
    start = extent.start - growth * size
    ends = sorted(math.floor(start + number * (1 + 2 * growth) * size + 0.5) for number in numbers)
    return max(ends[0], 0), min(ends[1], limit)


def _halve(extent: slice) -> tuple[int, int]:
    """Return the middle half of a side, at least one pixel."""
    size = extent.stop - extent.start
    half = max(size // 2, 1)
    start = extent.start + (size - half) // 2
    return start, start + half
