"""COCO's run-length encoding of binary masks, decoded with a check of every bound.

pycocotools is not used because its decoder does not check that the runs fill the mask, and returns
memory that it did not write. Files with masks are untrusted input. The tests compare the two.

The runs of a mask are alternately outside and inside it, down each column. They begin with a run
outside, which may have no pixel.
"""

from __future__ import annotations

import numpy as np

from actiseg_data.annotations.polygons import EMPTY_PATCH, BoolArray, IntArray, Patch

_BITS = 5
"""Bits of a run in one character."""
_LAST_BIT = 1 << (_BITS - 1)
_MORE = 1 << _BITS
"""Set in all but the last character of a run."""
_FIRST_CODE = 48

_MAX_CHARACTERS = 7
"""The most characters of one run: a run of pixels has at most 32 bits."""


def decode_rle(counts: str | list[int], height: int, width: int) -> BoolArray:
    """Decode the runs of a mask.

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
    return paint_runs(parse_runs(counts, height, width), height).to_image((height, width))


def parse_runs(counts: str | list[int], height: int, width: int) -> IntArray:
    """Parse the runs of a mask as `decode_rle` does, without painting them.

    Returns
    -------
    (N,) int64
        The lengths of the runs.

    Examples
    --------
    >>> parse_runs("121", 2, 2).tolist()
    [1, 2, 1]
    """
    pixels = height * width
    if isinstance(counts, str):
        # No run but the first is empty, so a longer text is damaged. Sums stay below 2**63.
        if len(counts) > _MAX_CHARACTERS * (pixels + 2):
            raise ValueError("the compressed runs are damaged")
        runs = _decompress_runs(counts)
    else:
        try:
            runs = np.array(counts, np.int64).reshape(len(counts))
        except OverflowError:
            runs = np.zeros(0, np.int64)
    if not len(runs) or runs.min() < 0 or runs.max() > pixels or int(runs.sum()) != pixels:
        raise ValueError(f"the runs do not fill a mask of {width} x {height} pixels")
    return runs


def _decompress_runs(text: str) -> IntArray:
    """Decompress the runs of a string.

    Each character has 5 bits of a run, the lowest first. Bit 6 is set in all but the last character
    of a run. From the fourth run on, the string has differences to the run two positions before.
    """
    try:
        codes = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - _FIRST_CODE
    except UnicodeEncodeError:
        raise ValueError("the compressed runs are damaged") from None
    if not len(codes):
        return codes
    if codes.min() < 0 or codes.max() > 63:
        raise ValueError("the compressed runs are damaged")
    last = np.flatnonzero(codes < _MORE)
    if not len(last) or last[-1] != len(codes) - 1:
        raise ValueError("the compressed runs end too early")
    first = np.concatenate([[0], last[:-1] + 1])
    lengths = last - first + 1
    if lengths.max() > _MAX_CHARACTERS:
        raise ValueError("the compressed runs are damaged")
    position = np.arange(len(codes)) - np.repeat(first, lengths)
    values: IntArray = np.add.reduceat((codes & (_MORE - 1)) << (_BITS * position), first)
    values -= np.where(codes[last] & _LAST_BIT, np.int64(1) << (_BITS * lengths), 0)
    for chain in (values[1::2], values[2::2]):
        np.cumsum(chain, out=chain)
    return values


def compress_runs(runs: IntArray) -> str:
    """Compress runs to COCO's string, as pycocotools does.

    >>> compress_runs(np.array([1, 2, 1]))
    '121'
    """
    left = runs.astype(np.int64)
    left[3:] -= runs[1:-2]
    codes = np.zeros((len(left), _MAX_CHARACTERS), np.uint8)
    lengths = np.zeros(len(left), np.int64)
    for column in range(_MAX_CHARACTERS):
        digits = left & (_MORE - 1)
        left >>= _BITS
        has_more = left != np.where(digits & _LAST_BIT, -1, 0)
        codes[:, column] = digits + np.where(has_more, _MORE, 0) + _FIRST_CODE
        lengths[(lengths == 0) & ~has_more] = column + 1
        if lengths.all():
            break
    return codes[np.arange(_MAX_CHARACTERS) < lengths[:, None]].tobytes().decode("ascii")


def find_runs(mask: BoolArray) -> IntArray:
    """Find the runs of a mask, (H, W) bool.

    >>> find_runs(np.array([[False, True], [True, False]])).tolist()
    [1, 2, 1]
    """
    height, width = mask.shape
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(columns):
        return np.array([height * width])
    first, last = int(columns[0]), int(columns[-1])
    padded = np.zeros((last - first + 1, height + 2), bool)
    padded[:, 1:-1] = mask[:, first : last + 1].T
    turns = np.flatnonzero(padded[:, 1:] != padded[:, :-1])
    column, row = np.divmod(turns, height + 1)
    turns = (column + first) * height + row
    # A run that reaches the end of a column goes on if the next column begins inside.
    goes_on = np.flatnonzero(turns[1:-1:2] == turns[2::2])
    turns = np.delete(turns, np.concatenate([2 * goes_on + 1, 2 * goes_on + 2]))
    end = [] if turns[-1] == height * width else [height * width]
    bounds: IntArray = np.concatenate([[0], turns, end]).astype(np.int64)
    return bounds[1:] - bounds[:-1]


def paint_runs(runs: IntArray, height: int) -> Patch:
    """Paint the runs of a mask of some height: the columns from the first to the last with a pixel.

    >>> paint_runs(np.array([3, 1, 2]), 2).window
    (slice(0, 2, None), slice(1, 2, None))
    """
    turns = np.cumsum(runs)[: len(runs) // 2 * 2].reshape(-1, 2)
    return paint_turns(turns[turns[:, 0] < turns[:, 1]].ravel(), height)


def paint_turns(turns: IntArray, height: int) -> Patch:
    """Paint a mask of some height from the positions where its inside begins and ends, by turns.

    Parameters
    ----------
    turns : (2 N,) int64
        Positions of pixels, counted down each column, in order.
    height : int
        Of the mask.

    Returns
    -------
    Patch
        The columns from the first to the last turn.
    """
    if not len(turns) or turns[0] == turns[-1]:
        return EMPTY_PATCH
    left, right = int(turns[0]) // height, (int(turns[-1]) - 1) // height + 1
    runs = np.diff(turns, prepend=left * height, append=right * height)
    inside = np.arange(len(runs)) % 2 == 1
    return Patch(0, left, np.repeat(inside, runs).reshape(right - left, height).T)
