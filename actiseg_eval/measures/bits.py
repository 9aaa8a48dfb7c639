"""Binary masks with 64 columns to a word: what moves and joins masks takes a 64th of the steps.

Written here because F needs two discs drawn around each boundary, and boundary IoU wide erosions:
by OpenCV's dilation, erosion or distance transform that is most of the time of a scoring.
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

_COUNTS = np.array([number.bit_count() for number in range(1 << 16)], np.uint8)


def pack(mask: BinaryMask) -> Words:
    """A mask as words; columns beyond its last are 0.

    >>> pack(np.array([[True, False], [True, True]])).tolist()
    [[1], [3]]
    """
    mask = as_binary_mask(mask)
    height, width = mask.shape
    octets = np.zeros((height, 8 * -(-width // 64)), np.uint8)
    octets[:, : -(-width // 8)] = np.packbits(mask, axis=1, bitorder="little")
    return octets.view("<u8").astype(np.uint64, copy=False)


def unpack(words: Words, width: int) -> BinaryMask:
    """The mask that words are of. width: its columns.

    >>> unpack(pack(np.eye(3, dtype=bool)), 3).tolist() == np.eye(3, dtype=bool).tolist()
    True
    """
    octets = np.ascontiguousarray(words.astype("<u8", copy=False)).view(np.uint8)
    return np.unpackbits(octets, axis=1, count=width, bitorder="little").view(bool)


def count(words: Words) -> int:
    """How many pixels are set.

    >>> count(pack(np.eye(70, dtype=bool)))
    70
    """
    if hasattr(np, "bitwise_count"):  # from NumPy 2.0
        return int(np.bitwise_count(words).sum(dtype=np.int64))
    return int(_COUNTS[np.ascontiguousarray(words).view(np.uint16)].sum(dtype=np.int64))


def left(words: Words, by: int = 1) -> Words:
    """Each pixel takes the value of the one so many columns right of it, 1 to 63."""
    moved: Words = words >> np.uint64(by)
    moved[:, :-1] |= words[:, 1:] << np.uint64(64 - by)
    return moved


def right(words: Words, by: int = 1) -> Words:
    """Each pixel takes the value of the one so many columns left of it, 1 to 63."""
    moved: Words = words << np.uint64(by)
    moved[:, 1:] |= words[:, :-1] >> np.uint64(64 - by)
    return moved


def edges(words: Words, width: int) -> Words:
    """The boundary of a mask, see `actiseg_eval.measures.boundary_measures.boundary_map`. width: its columns."""
    inner = pack(np.arange(words.shape[1] * 64)[None] < width - 1)
    beside = left(words)
    found = (words ^ beside) & inner
    found[:-1] |= words[:-1] ^ words[1:]
    found[:-1] |= (words[:-1] ^ beside[1:]) & inner
    return found


def near(words: Words, radius: float) -> Words:
    """The pixels whose distance to a set one is at most the radius.

    >>> point = np.zeros((5, 5), bool); point[2, 2] = True
    >>> count(near(pack(point), 1)), count(near(pack(point), 1.5))
    (5, 9)
    """
    wide, reach = words, 0
    found = np.zeros_like(words)
    # With the same slack for rows as for columns, or a radius just below a whole number would reach
    # farther along a row than along a column.
    square = radius * radius + 1e-9
    # From the disc's rim to its middle, where its rows are widest.
    for across in range(math.floor(math.sqrt(square)), -1, -1):
        wanted = math.floor(math.sqrt(square - across * across))
        while reach < wanted:
            # No further, or a gap would be left: what moves out of the image is lost.
            step = min(wanted - reach, reach + 1, 63)
            wide = wide | left(wide, step) | right(wide, step)
            reach += step
        if across:
            found[across:] |= wide[:-across]
            found[:-across] |= wide[across:]
        else:
            found |= wide
    return found


def inner(words: Words, distance: int) -> Words:
    """The pixels of a mask whose whole square neighbourhood is in it: so many rows and columns to
    each side. What lies outside the image is outside the mask.

    >>> count(inner(pack(np.ones((5, 5), bool)), 1)), count(inner(pack(np.ones((5, 5), bool)), 2))
    (9, 1)
    """
    left_over = words
    reach = 0
    while reach < distance:
        step = min(distance - reach, 2 * reach + 1, 63)
        left_over = left_over & left(left_over, step) & right(left_over, step)
        reach += step
    reach = 0
    while reach < distance:
        step = min(distance - reach, 2 * reach + 1)
        both = np.zeros_like(left_over)
        if 2 * step < len(both):
            both[step:-step] = left_over[: -2 * step] & left_over[2 * step :]
        left_over = left_over & both
        reach += step
    return left_over
