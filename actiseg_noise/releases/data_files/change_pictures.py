"""Small pictures of one object before and after the noise, drawn from its masks alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations import png
from actiseg_data.annotations.masks import IndexMask

PANEL_WIDTH, PANEL_HEIGHT = 158, 118
"""Size of each of the two panels, in pixels."""

_GAP = 4
_MARGIN = 0.35
"""Surroundings shown on each side of an object, relative to its size."""

_LEAST = 48
"""Smallest height of what is shown, in pixels of the mask: tiny objects keep their surroundings."""

_OUTSIDE, _OTHER, _KEPT, _GAINED, _LOST, _OUTLINE, _PAPER = range(7)
COLOURS = {
    "background": (24, 24, 27),
    "other objects": (92, 92, 100),
    "the object": (226, 226, 230),
    "gained by the noise": (255, 145, 0),
    "lost by the noise": (50, 150, 255),
    "clean outline": (12, 12, 14),
    "between the panels": (255, 255, 255),
}
"""Colours of a picture, in the order of its palette. Colour-blind readers can distinguish them."""

_PALETTE = bytes(value for colour in COLOURS.values() for value in colour).ljust(768, b"\0")


@dataclass(frozen=True)
class Window:
    """The part of a frame that a picture shows.

    Attributes
    ----------
    rows, columns : ndarray
        The row and the column of the mask for each one of a panel; -1 outside the frame.
    """

    rows: NDArray[np.int64]
    columns: NDArray[np.int64]

    def cut(self, mask: IndexMask) -> IndexMask:
        """Cut the window out of a mask; 0 outside the frame."""
        shown: IndexMask = mask[np.ix_(self.rows, self.columns)]
        shown[self.rows < 0] = 0
        shown[:, self.columns < 0] = 0
        return shown


def draw_change(clean: IndexMask, noisy: IndexMask, object_id: int) -> bytes:
    """Draw an object before and after the noise, side by side, as a PNG 320 pixels wide.

    Both panels show the object and its surroundings. In the right one, pixels that the noise added
    or removed have colours of their own, and a dark line is the clean outline inside the object.

    Parameters
    ----------
    clean, noisy : ndarray
        (H, W) uint8, the masks of one frame. At least one of them has the object.
    object_id : int
        The object.
    """
    return encode_picture(draw_panels(clean, noisy, object_id, (PANEL_HEIGHT, PANEL_WIDTH)))


def draw_panels(
    clean: IndexMask, noisy: IndexMask, object_id: int, size: tuple[int, int]
) -> NDArray[np.uint8]:
    """Draw the two panels, each with a height and a width of `size`; see `draw_change`.

    Returns
    -------
    ndarray
        (height, 2 · width + 4) uint8, positions in `COLOURS`.
    """
    window = _choose_window((clean == object_id) | (noisy == object_id), size)
    before, after = window.cut(clean), window.cut(noisy)
    left = np.where(before > 0, _OTHER, _OUTSIDE).astype(np.uint8)
    left[before == object_id] = _KEPT
    right = np.where(after > 0, _OTHER, _OUTSIDE).astype(np.uint8)
    was, now = before == object_id, after == object_id
    right[now & was] = _KEPT
    right[now & ~was] = _GAINED
    right[was & ~now] = _LOST
    if (was != now).any():
        right[_find_outline(was) & now] = _OUTLINE  # elsewhere, the lost pixels show it
    gap = np.full((size[0], _GAP), _PAPER, np.uint8)
    return np.concatenate([left, gap, right], axis=1)


def encode_picture(panels: NDArray[np.uint8]) -> bytes:
    """Encode positions in `COLOURS` as a PNG."""
    return png.encode(panels, _PALETTE)


def colour_panels(panels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Convert positions in `COLOURS` to (H, W, 3) RGB."""
    return np.frombuffer(_PALETTE, np.uint8).reshape(256, 3)[panels]


def _choose_window(member: NDArray[np.bool_], size: tuple[int, int]) -> Window:
    """Choose a window around an object with the aspect ratio of a panel, inside the frame."""
    height, width = member.shape
    rows, columns = np.flatnonzero(member.any(axis=1)), np.flatnonzero(member.any(axis=0))
    ratio = size[1] / size[0]
    extent = max(len(range(rows[0], rows[-1] + 1)), (columns[-1] + 1 - columns[0]) / ratio)
    shown = max(extent * (1 + 2 * _MARGIN), _LEAST)
    shown = min(shown, max(height, width / ratio))
    return Window(
        _place_samples((rows[0] + rows[-1] + 1) / 2, shown, size[0], height),
        _place_samples((columns[0] + columns[-1] + 1) / 2, shown * ratio, size[1], width),
    )


def _place_samples(centre: float, shown: float, count: int, length: int) -> NDArray[np.int64]:
    """Place the samples of one axis, shifted so that as little as possible is outside the frame."""
    spare = length - shown
    start = min(max(centre - shown / 2, 0), spare) if spare >= 0 else spare / 2
    samples = np.floor(start + (np.arange(count) + 0.5) * shown / count).astype(np.int64)
    samples[(samples < 0) | (samples >= length)] = -1
    return samples


def _find_outline(member: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Find the pixels of an object that touch its outside."""
    padded = np.pad(member, 1, mode="edge")
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    return member & ~inner
