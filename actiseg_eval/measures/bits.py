"""Binary masks with 64 pixels per word: shifting and combining them takes a 64th of the steps.

F dilates each boundary by a disc, and boundary IoU needs wide erosions. With OpenCV's dilation,
erosion or distance transform, these would take most of the time of a scoring run.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import as_binary_mask

BinaryMask: TypeAlias = NDArray[np.bool_]
"""(H, W) bool."""

Words: TypeAlias = NDArray[np.uint64]
"""(H, ceil(W / 64)): bit i of word (y, n) is the pixel in row y and column 64 n + i."""

_BIT_COUNTS = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)


def pack(mask: BinaryMask) -> Words:
    """Pack a mask, (H, W), into words; bits beyond its last column are 0.

    >>> pack(np.array([[True, False], [True, True]])).tolist()
    [[1], [3]]
    """
    mask = as_binary_mask(mask)
    height, width = mask.shape
    octets = np.zeros((height, 8 * -(-width // 64)), np.uint8)
    octets[:, : -(-width // 8)] = np.packbits(mask, axis=1, bitorder="little")
    return octets.view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, width: int) -> BinaryMask:
    """Unpack words into a mask with a number of columns.

    >>> unpack(pack(np.eye(3, dtype=bool)), 3).tolist() == np.eye(3, dtype=bool).tolist()
    True
    """
    octets = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=width, bitorder="little").view(bool)


def count_set(words: Words) -> int:
    """Count the pixels that are set.

    >>> count_set(pack(np.eye(70, dtype=bool)))
    70
    """
    if hasattr(np, "bitwise_count"):  # from NumPy 2.0
        return int(np.bitwise_count(words).sum(dtype=np.int64))
    return int(_BIT_COUNTS[np.ascontiguousarray(words).view(np.uint16)].sum(dtype=np.int64))


def shift_left(words: Words, columns: int = 1) -> Words:
    """Shift a mask to the left by 1 to 63 columns."""
    moved: Words = words >> np.uint64(columns)
    moved[:, :-1] |= words[:, 1:] << np.uint64(64 - columns)
    return moved


def shift_right(words: Words, columns: int = 1) -> Words:
    """Shift a mask to the right by 1 to 63 columns."""
    moved: Words = words << np.uint64(columns)
    moved[:, 1:] |= words[:, :-1] >> np.uint64(64 - columns)
    return moved


def find_boundary(words: Words, width: int) -> Words:
    """Find the boundary of a mask with a number of columns, see `draw_boundary`."""
    not_last = pack(np.arange(words.shape[1] * 64)[None] < width - 1)
    shifted = shift_left(words)
    boundary = (words ^ shifted) & not_last
    boundary[:-1] |= words[:-1] ^ words[1:]
    boundary[:-1] |= (words[:-1] ^ shifted[1:]) & not_last
    return boundary


def dilate_words(words: Words, radius: float) -> Words:
    """Dilate a mask by a disc: set all pixels at most `radius` pixels away from a set one.

    >>> point = np.zeros((5, 5), bool); point[2, 2] = True
    >>> count_set(dilate_words(pack(point), 1)), count_set(dilate_words(pack(point), 1.5))
    (5, 9)
    """
    wide, reach = words, 0
    dilated = np.zeros_like(words)
    # Rows and columns need the same slack. Otherwise a radius just below a whole number would reach
    # farther along a row than along a column.
    square = radius * radius + 1e-9
    # From the narrowest rows of the disc to the widest.
    for row in range(math.floor(math.sqrt(square)), -1, -1):
        wanted = math.floor(math.sqrt(square - row * row))
        while reach < wanted:
            # A longer step would leave a gap, because pixels that leave the image are lost.
            step = min(wanted - reach, reach + 1, 63)
            wide = wide | shift_left(wide, step) | shift_right(wide, step)
            reach += step
        if row:
            dilated[row:] |= wide[:-row]
            dilated[:-row] |= wide[row:]
        else:
            dilated |= wide
    return dilated


def erode_words(words: Words, distance: int) -> Words:
    """Erode a mask by a square of `distance` rows and columns to each side.

    Pixels outside the image are outside the mask.

    >>> square = pack(np.ones((5, 5), bool))
    >>> count_set(erode_words(square, 1)), count_set(erode_words(square, 2))
    (9, 1)
    """
    eroded = words
    reach = 0
    while reach < distance:
        step = min(distance - reach, 2 * reach + 1, 63)
        eroded = eroded & shift_left(eroded, step) & shift_right(eroded, step)
        reach += step
    reach = 0
    while reach < distance:
        step = min(distance - reach, 2 * reach + 1)
        vertical = np.zeros_like(eroded)
        if 2 * step < len(vertical):
            vertical[step:-step] = eroded[: -2 * step] & eroded[2 * step :]
        eroded = eroded & vertical
        reach += step
    return eroded
