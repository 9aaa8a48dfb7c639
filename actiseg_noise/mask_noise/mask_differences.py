"""Differences of index masks as packed runs of changed pixels.

The packed form is a series of whole numbers: height, width, and three for each run of neighbouring
changed pixels with one new value, row by row: the pixels since the end of the last run, the pixels
of the run, the new value. Each number has seven bits in a byte, the lowest first; the highest bit
says that more bytes follow.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.core.errors import InputError, refuse

_LONGEST = 5
"""Most bytes of one number."""


def pack_difference(clean: IndexMask, noisy: IndexMask) -> bytes:
    """Pack the pixels of a mask that differ from the clean mask.

    Parameters
    ----------
    clean, noisy : IndexMask
        Two (H, W) uint8 index masks of one size.

    Returns
    -------
    bytes
        Empty if the masks are equal. Equal differences give equal bytes.

    Examples
    --------
    >>> clean, noisy = np.zeros((2, 4), np.uint8), np.zeros((2, 4), np.uint8)
    >>> noisy[0, 2:] = 7
    >>> pack_difference(clean, noisy).hex(" ")
    '02 04 02 02 07'
    """
    changed = np.flatnonzero(clean != noisy)
    if not len(changed):
        return b""
    values = noisy.ravel()[changed]
    is_start = np.ones(len(changed), bool)
    is_start[1:] = (np.diff(changed) != 1) | (values[1:] != values[:-1])
    first = np.flatnonzero(is_start)
    starts, lengths = changed[first], np.diff(first, append=len(changed))
    gaps = starts - np.concatenate(([0], (starts + lengths)[:-1]))
    runs = np.stack((gaps, lengths, values[first]), axis=1).ravel()
    return _pack_numbers(np.concatenate((clean.shape, runs)))


def apply_difference(clean: IndexMask, packed: bytes, where: str) -> IndexMask:
    """Return the noisy mask of a clean mask and a packed difference.

    Parameters
    ----------
    clean : IndexMask
        (H, W) uint8.
    packed : bytes
        A result of `pack_difference`, from any source.
    where : str
        What the difference belongs to, for messages.

    Returns
    -------
    IndexMask
        A new (H, W) uint8 array.

    Raises
    ------
    InputError
        If the bytes are damaged, or if they are for a mask of another size.

    Examples
    --------
    >>> apply_difference(np.zeros((2, 4), np.uint8), bytes([2, 4, 2, 2, 7]), "example").tolist()
    [[0, 0, 7, 7], [0, 0, 0, 0]]
    """
    noisy: IndexMask = clean.copy()
    if not packed:
        return noisy
    numbers = _unpack_numbers(packed, where)
    if len(numbers) < 5 or len(numbers) % 3 != 2:
        raise _refuse_damage(where)
    if tuple(numbers[:2].tolist()) != clean.shape:
        size = f"{numbers[1]} x {numbers[0]}"
        what = f"the difference is of a mask of {size} pixels, the clean mask has "
        what += f"{clean.shape[1]} x {clean.shape[0]}"
        raise refuse(what, where, "give the clean dataset that the noisy split was made from")
    gaps, lengths, values = numbers[2:].reshape(-1, 3).T
    ends = np.cumsum(gaps + lengths)
    if lengths.min() < 1 or values.max() > 255 or ends[-1] > clean.size:
        raise _refuse_damage(where)
    positions = np.repeat(ends - np.cumsum(lengths), lengths) + np.arange(lengths.sum())
    noisy.ravel()[positions] = np.repeat(values, lengths)
    return noisy


def _pack_numbers(numbers: NDArray[np.int64]) -> bytes:
    """Pack whole numbers below 2**35, seven bits in a byte."""
    shifted = numbers[:, None] >> (7 * np.arange(_LONGEST))
    needed = shifted > 0
    needed[:, 0] = True
    packed = (shifted & 0x7F).astype(np.uint8)
    packed[:, :-1] |= needed[:, 1:].astype(np.uint8) << 7
    return packed[needed].tobytes()


def _unpack_numbers(packed: bytes, where: str) -> NDArray[np.int64]:
    codes = np.frombuffer(packed, np.uint8).astype(np.int64)
    last = np.flatnonzero(codes < 0x80)
    if not len(last) or last[-1] != len(codes) - 1:
        raise _refuse_damage(where)
    sizes = np.diff(last, prepend=-1)
    if sizes.max() > _LONGEST:
        raise _refuse_damage(where)
    starts = last - sizes + 1
    places = np.arange(len(codes)) - np.repeat(starts, sizes)
    numbers: NDArray[np.int64] = np.add.reduceat((codes & 0x7F) << (7 * places), starts)
    return numbers


def _refuse_damage(where: str) -> InputError:
    return refuse("the difference of its mask is damaged", where, "import the noisy split again")
