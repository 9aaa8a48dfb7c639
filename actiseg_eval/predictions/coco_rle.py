"""Decode COCO's run-length encoding of binary masks, with a check of every bound.

pycocotools is not used because its decoder does not check that the runs fill the mask, and returns
memory that it did not write. Files of predictions are untrusted input. The tests compare the two
decoders.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from actiseg_eval.measures.bits import BinaryMask

_MAX_CHARACTERS = 7
"""The most characters of one run: a run of pixels has at most 32 bits."""


def decode_rle(counts: str | list[int], height: int, width: int) -> BinaryMask:
    """Decode the runs of a mask, alternately outside and inside it, down each column.

    Parameters
    ----------
    counts : str or list of int
        COCO's compressed string, or the plain list.
    height, width : int
        The size of the mask in pixels.

    Returns
    -------
    (height, width) bool

    Raises
    ------
    ValueError
        If the runs are damaged, or do not fill the mask exactly.

    Examples
    --------
    >>> decode_rle([1, 2, 1], 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    >>> decode_rle("121", 2, 2).astype(int).tolist()
    [[0, 1], [1, 0]]
    """
    runs = list(_decode_runs(counts) if isinstance(counts, str) else counts)
    if not all(0 <= run <= height * width for run in runs) or sum(runs) != height * width:
        raise ValueError(f"the runs do not fill a mask of {width} x {height} pixels")
    inside = np.arange(len(runs)) % 2 == 1
    return np.ascontiguousarray(np.repeat(inside, runs).reshape(width, height).T)


def _decode_runs(text: str) -> Iterable[int]:
    """Decompress the runs of a string.

    Each character has 5 bits of a run, the lowest first. Bit 6 is set in all but the last character
    of a run. From the fourth run on, the string has differences to the run two positions before.
    """
    runs: list[int] = []
    value = bits = 0
    for character in text:
        code = ord(character) - 48
        if not 0 <= code < 64 or bits >= 5 * _MAX_CHARACTERS:
            raise ValueError("the compressed runs are damaged")
        value |= (code & 0x1F) << bits
        bits += 5
        if not code & 0x20:
            if code & 0x10:
                value -= 1 << bits
            runs.append(value + runs[-2] if len(runs) > 2 else value)
            value = bits = 0
    if bits:
        raise ValueError("the compressed runs end too early")
    return runs
