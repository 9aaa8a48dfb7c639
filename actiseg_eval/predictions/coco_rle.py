"""COCO's run-length encoding of binary masks, decoded with every bound checked.

Not by pycocotools: its decoder trusts the runs and writes past the mask where they are too long,
and predictions are anybody's files. The tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from actiseg_eval.measures.bits import BinaryMask

_LONGEST = 7
"""Characters of one run: more than 32 bits are no run of pixels."""


def decode_rle(counts: str | list[int], height: int, width: int) -> BinaryMask:
    """A mask from its runs: alternately pixels outside and inside it, down each column.

    counts: COCO's compressed string, or the plain list. Returns (height, width) bool. Raises
    `ValueError` where the runs are damaged or do not fill the mask exactly.

    >>> decode_rle([1, 2, 1], 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    >>> decode_rle("121", 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    runs = list(_runs(counts) if isinstance(counts, str) else counts)
    if not all(0 <= run <= height * width for run in runs) or sum(runs) != height * width:
        raise ValueError(f"runs that do not fill a mask of {width} x {height} pixels")
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(width, height).T)


def _runs(text: str) -> Iterable[int]:
    """The runs of a compressed string: 5 bits a character, lowest first, bit 6 set on all but the
    last; from the fourth run on, differences to the run before the last.
    """
    found: list[int] = []
    value = bits = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or bits >= 5 * _LONGEST:
            raise ValueError("the compressed runs are damaged")
        value |= (code & 0x1F) << bits
        bits += 5
        if not code & 0x20:
            if code & 0x10:
                value -= 1 << bits
            found.append(value + found[-2] if len(found) > 2 else value)
            value = bits = 0
    if bits:
        raise ValueError("the compressed runs end too early")
    return found
