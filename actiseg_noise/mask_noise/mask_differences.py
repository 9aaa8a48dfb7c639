"""Differences of index masks as packed runs of changed pixels.

A run is a series of neighbouring changed pixels of one row with one new value. Runs of one value
that lie below each other in neighbouring rows form a strip, because the start and the end of a run
are mostly near those of the run above. The packed form has three parts:

- whole numbers: height, width, the number of strips, and for each strip the rows since the first
  row of the strip before, the column and the number of pixels of its first run, the new value, and
  the number of further runs;
- for each further run, strip by strip, half a byte, the low half first: the position in `_STEPS` of
  the steps by which start and end move from the run above, or 15;
- for each 15, two whole numbers: the two steps, as 2 n for n >= 0 and as -2 n - 1 for n < 0.

Each whole number has seven bits in a byte, the lowest first; the highest bit says that more bytes
follow.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.core.errors import InputError, refuse

_Numbers = NDArray[np.int64]

_LONGEST = 5
"""Most bytes of one number."""

_STEPS: _Numbers = np.array(
    [(start, end) for start in (-1, 0, 1) for end in (-1, 0, 1)]
    + [(-2, -2), (-2, -1), (-1, -2), (1, 2), (2, 1), (2, 2)]
)
"""The most common steps of start and end; the other steps have the code `_OTHER`."""

_OTHER = 15
_HEAD, _FIELDS = 3, 5
"""How many numbers come before the strips, and how many each strip has."""


class _Runs(NamedTuple):
    """Runs of changed pixels: the row, the first column, the column after the last, the value."""

    rows: _Numbers
    starts: _Numbers
    ends: _Numbers
    values: _Numbers

    def take(self, order: NDArray[np.intp]) -> _Runs:
        return _Runs(*(column[order] for column in self))


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
    >>> noisy[0, 2:] = noisy[1, 1:] = 7
    >>> pack_difference(clean, noisy).hex(" ")
    '02 04 01 00 02 02 07 01 01'
    """
    runs = _find_runs(clean, noisy)
    if not len(runs.rows):
        return b""
    runs, is_first = _join_strips(runs)
    first = np.flatnonzero(is_first)
    counts = np.diff(first, append=len(is_first)) - 1
    gaps = np.diff(runs.rows[first], prepend=0)
    lengths = (runs.ends - runs.starts)[first]
    strips = np.stack((gaps, runs.starts[first], lengths, runs.values[first], counts), axis=1)
    further = np.flatnonzero(~is_first)
    steps = np.stack([np.diff(ends, prepend=0)[further] for ends in (runs.starts, runs.ends)], 1)
    equal = (steps[:, None] == _STEPS).all(axis=2)
    codes = np.where(equal.any(axis=1), equal.argmax(axis=1), _OTHER)
    long_steps = steps[codes == _OTHER].ravel()
    halves = np.append(codes, 0)[: len(codes) + len(codes) % 2].reshape(-1, 2)
    return b"".join(
        (
            _pack_numbers(np.array([*clean.shape, len(first), *strips.ravel()], np.int64)),
            (halves[:, 0] | halves[:, 1] << 4).astype(np.uint8).tobytes(),
            _pack_numbers(np.where(long_steps < 0, -2 * long_steps - 1, 2 * long_steps)),
        )
    )


def _find_runs(clean: IndexMask, noisy: IndexMask) -> _Runs:
    """Find the runs of changed pixels, by row, value and column."""
    changed = np.flatnonzero(clean != noisy)
    values = noisy.ravel()[changed].astype(np.int64)
    rows, columns = np.divmod(changed, clean.shape[1])
    is_start = np.ones(len(changed), bool)
    is_start[1:] = (np.diff(changed) != 1) | (values[1:] != values[:-1]) | (columns[1:] == 0)
    first = np.flatnonzero(is_start)
    lengths = np.diff(first, append=len(changed))
    runs = _Runs(rows[first], columns[first], columns[first] + lengths, values[first])
    return runs.take(np.lexsort((runs.starts, runs.values, runs.rows)))


def _join_strips(runs: _Runs) -> tuple[_Runs, NDArray[np.bool_]]:
    """Order runs by strip, and say which are the first of their strip.

    A run continues the strip of the first run above it that has its value, shares a column with it,
    and is not continued by an earlier run.
    """
    count, width = len(runs.rows), int(runs.ends.max()) + 1
    lines = (runs.rows * 256 + runs.values) * width
    # Ends ascend within a line: the first run that ends behind the start of the run above it.
    below = np.searchsorted(lines + runs.ends, lines + 256 * width + runs.starts, side="right")
    known = np.minimum(below, count - 1)
    touches = lines[known] + runs.starts[known] < lines + 256 * width + runs.ends
    touches &= (below < count) & (lines[known] == lines + 256 * width)
    above = np.flatnonzero(touches)
    continued, chosen = np.unique(below[above], return_index=True)
    roots = np.arange(count)
    roots[continued] = above[chosen]
    is_first = roots == np.arange(count)
    while not is_first[roots].all():
        roots = roots[roots]
    order = np.lexsort((runs.rows, roots))
    return runs.take(order), is_first[order]


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
    >>> packed = bytes([2, 4, 1, 0, 2, 2, 7, 1, 1])
    >>> apply_difference(np.zeros((2, 4), np.uint8), packed, "example").tolist()
    [[0, 0, 7, 7], [0, 7, 7, 7]]
    """
    noisy: IndexMask = clean.copy()
    if not packed:
        return noisy
    height, width, runs = _unpack_runs(packed, where)
    if (height, width) != clean.shape:
        what = f"the difference is of a mask of {width} x {height} pixels, the clean mask has "
        what += f"{clean.shape[1]} x {clean.shape[0]}"
        raise refuse(what, where, "give the clean dataset that the noisy split was made from")
    lengths = runs.ends - runs.starts
    inside = (runs.rows < height) & (runs.starts >= 0) & (runs.ends <= width) & (lengths > 0)
    if not inside.all() or runs.values.max() > 255 or lengths.sum() > clean.size:
        raise _refuse_damage(where)
    starts = runs.rows * width + runs.starts - (np.cumsum(lengths) - lengths)
    positions = np.repeat(starts, lengths) + np.arange(lengths.sum())
    is_new = np.zeros(clean.size, bool)
    is_new[positions] = True
    if np.count_nonzero(is_new) != len(positions):
        raise _refuse_damage(where)
    noisy.ravel()[positions] = np.repeat(runs.values, lengths)
    return noisy


def _unpack_runs(packed: bytes, where: str) -> tuple[int, int, _Runs]:
    """Unpack height, width and runs, and check no more than that the bytes are whole."""
    data = np.frombuffer(packed, np.uint8)
    last = np.flatnonzero(data < 0x80)
    if len(last) < _HEAD:
        raise _refuse_damage(where)
    height, width, count = _unpack_numbers(data[: last[_HEAD - 1] + 1], where).tolist()
    if not 1 <= count <= (len(last) - _HEAD) // _FIELDS:
        raise _refuse_damage(where)
    begin = int(last[_HEAD + _FIELDS * count - 1]) + 1
    strips = _unpack_numbers(data[:begin], where)[_HEAD:].reshape(-1, _FIELDS)
    gaps, columns, lengths, values, further = strips.T
    total = int(further.sum())
    end = begin + (total + 1) // 2
    if end > len(data):
        raise _refuse_damage(where)
    halves = data[begin:end]
    codes = np.stack((halves & 15, halves >> 4), axis=1).ravel()
    long_steps = _unpack_numbers(data[end:], where)
    is_other = codes[:total] == _OTHER
    if codes[total:].any() or len(long_steps) != 2 * np.count_nonzero(is_other):
        raise _refuse_damage(where)
    steps = _STEPS[np.where(is_other, 0, codes[:total])]
    steps[is_other] = np.where(long_steps % 2, -(long_steps + 1) // 2, long_steps // 2).reshape(
        -1, 2
    )

    strip = np.repeat(np.arange(count), further + 1)
    first = np.cumsum(further + 1) - further - 1
    moves = np.zeros((len(strip), 2), np.int64)
    moves[np.delete(np.arange(len(strip)), first)] = steps
    moved = np.cumsum(moves, axis=0)
    moved -= moved[first][strip]
    rows = np.cumsum(gaps)[strip] + np.arange(len(strip)) - first[strip]
    starts = columns[strip] + moved[:, 0]
    ends = (columns + lengths)[strip] + moved[:, 1]
    return height, width, _Runs(rows, starts, ends, values[strip])


def _pack_numbers(numbers: _Numbers) -> bytes:
    """Pack whole numbers below 2**35, seven bits in a byte."""
    shifted = numbers[:, None] >> (7 * np.arange(_LONGEST))
    needed = shifted > 0
    needed[:, 0] = True
    packed = (shifted & 0x7F).astype(np.uint8)
    packed[:, :-1] |= needed[:, 1:].astype(np.uint8) << 7
    return packed[needed].tobytes()


def _unpack_numbers(data: NDArray[np.uint8], where: str) -> _Numbers:
    if not len(data):
        return np.zeros(0, np.int64)
    codes = data.astype(np.int64)
    last = np.flatnonzero(codes < 0x80)
    if not len(last) or last[-1] != len(codes) - 1:
        raise _refuse_damage(where)
    sizes = np.diff(last, prepend=-1)
    if sizes.max() > _LONGEST:
        raise _refuse_damage(where)
    starts = last - sizes + 1
    places = np.arange(len(codes)) - np.repeat(starts, sizes)
    numbers: _Numbers = np.add.reduceat((codes & 0x7F) << (7 * places), starts)
    return numbers


def _refuse_damage(where: str) -> InputError:
    return refuse("the difference of its mask is damaged", where, "import the noisy split again")
