"""Small pictures of one object's mask before and after noise, without photographs."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from actiseg_data.annotations.masks import IndexMask

PANEL = (160, 120)
"""Width and height of each of the two panels, in pixels."""

_MARGIN = 0.25
"""How much of its size is shown around an object on each side."""

_BACKGROUND, _OTHERS, _OBJECT, _ADDED, _REMOVED, _DIVIDER = range(6)
_COLOURS = (
    (246, 246, 246),  # background
    (205, 205, 205),  # other objects
    (38, 110, 172),  # the object
    (240, 160, 40),  # pixels that noise added
    (196, 60, 70),  # pixels that noise removed
    (120, 120, 120),  # between the panels
)


def draw_change(clean: IndexMask, noisy: IndexMask, object_id: int) -> bytes:
    """Draw an object before noise (left) and after it (right), enlarged.

    On the right, pixels that noise added to the object are orange, and pixels that it removed red.

    Parameters
    ----------
    clean, noisy : ndarray
        (H, W) uint8 index masks of one frame.
    object_id : int
        The object. It must be in one of the masks.

    Returns
    -------
    bytes
        A PNG of 321 x 120 pixels.

    Examples
    --------
    >>> mask = np.zeros((48, 64), np.uint8)
    >>> mask[10:20, 10:30] = 1
    >>> Image.open(io.BytesIO(draw_change(mask, mask, 1))).size
    (321, 120)
    """
    rows, columns = _choose_window((clean == object_id) | (noisy == object_id))
    before, after = clean[np.ix_(rows, columns)], noisy[np.ix_(rows, columns)]
    left, right = _paint(before, object_id), _paint(after, object_id)
    was, is_now = before == object_id, after == object_id
    right[is_now & ~was] = _ADDED
    right[was & ~is_now] = _REMOVED
    divider = np.full((PANEL[1], 1), _DIVIDER, np.uint8)
    image = Image.fromarray(np.hstack([left, divider, right]))
    image.putpalette([value for colour in _COLOURS for value in colour])
    return encode_png(image)


def encode_binary_mask(member: NDArray[np.bool_]) -> bytes:
    """Encode the mask of one object as a PNG of 1 bit.

    Parameters
    ----------
    member : ndarray
        (H, W) bool, true inside the object.
    """
    return encode_png(Image.fromarray(member))


def encode_png(image: Image.Image) -> bytes:
    """Encode an image as a PNG without metadata."""
    stream = io.BytesIO()
    image.save(stream, "PNG", bits=4 if image.mode == "P" else None)
    return stream.getvalue()


def _paint(mask: IndexMask, object_id: int) -> NDArray[np.uint8]:
    panel = np.where(mask == 0, _BACKGROUND, _OTHERS).astype(np.uint8)
    panel[mask == object_id] = _OBJECT
    return panel


def _choose_window(member: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Choose the rows and columns to show: the surroundings of an object, in a panel's shape.

    The window stays in the image where that is possible. One panel pixel shows the nearest pixel.
    """
    height, width = member.shape
    inside_rows, inside_columns = np.flatnonzero(member.any(1)), np.flatnonzero(member.any(0))
    tall = (inside_rows[-1] - inside_rows[0] + 1) * (1 + 2 * _MARGIN)
    wide = (inside_columns[-1] - inside_columns[0] + 1) * (1 + 2 * _MARGIN)
    scale = min(
        max(tall / PANEL[1], wide / PANEL[0], 0.1), max(height / PANEL[1], width / PANEL[0])
    )
    rows = _place_samples((inside_rows[0] + inside_rows[-1] + 1) / 2, scale, PANEL[1], height)
    columns = _place_samples(
        (inside_columns[0] + inside_columns[-1] + 1) / 2, scale, PANEL[0], width
    )
    return rows, columns


def _place_samples(centre: float, scale: float, count: int, size: int) -> NDArray[np.intp]:
    """Place `count` samples of a line of `size` pixels, `scale` apart and around a centre."""
    length = scale * count
    begin = min(max(centre - length / 2, 0), max(size - length, 0))
    samples = np.floor(begin + scale * (np.arange(count) + 0.5)).astype(np.intp)
    return np.clip(samples, 0, size - 1)
