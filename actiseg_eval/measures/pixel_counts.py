"""Pixels of every object in truth, prediction and both: all that measures of regions need."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask

Counts: TypeAlias = NDArray[np.int64]
"""(3, 256) pixels of each id in truth, in prediction, and in both at once."""


def id_counts(truth: IndexMask, prediction: IndexMask) -> Counts:
    """Pixels of every id in two index masks, and of the same id in both.

    truth, prediction: of the same shape, see `as_index_mask`. From these alone all IoUs of
    the frame follow.

    >>> truth, prediction = np.array([[1, 1, 2]], np.uint8), np.array([[1, 0, 2]], np.uint8)
    >>> id_counts(truth, prediction)[:, 1:3].tolist()
    [[2, 1], [1, 1], [1, 1]]
    """
    truth, prediction = _both(truth, prediction)
    if truth.shape != prediction.shape:
        raise ValueError(f"masks of {truth.shape} and {prediction.shape} pixels do not compare")
    one, other = truth.ravel(), prediction.ravel()
    if not one.size:
        return np.zeros((3, 256), np.int64)
    # Masks are long runs of one id: where neither changes, a whole run is counted at once.
    changes = one[1:] != one[:-1]
    changes |= other[1:] != other[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    lengths = np.diff(starts, append=one.size)
    ids, others = one[starts], other[starts]
    found = (
        np.bincount(ids, lengths, 256),
        np.bincount(others, lengths, 256),
        np.bincount(ids, lengths * (ids == others), 256),
    )
    return np.stack(found).astype(np.int64)


def pair_counts(
    truth: IndexMask, prediction: IndexMask, ids: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Pixels that each pair of an id of the truth and one of the prediction shares.

    ids: (K,) of the truth; others: (P,) of the prediction; all from 1 to 255. Returns (K, P).

    >>> truth, prediction = np.array([[1, 1, 2]], np.uint8), np.array([[3, 0, 3]], np.uint8)
    >>> pair_counts(truth, prediction, np.array([1, 2]), np.array([3])).tolist()
    [[1], [1]]
    """
    truth, prediction = _both(truth, prediction)
    rows, columns = np.zeros(256, np.int64), np.zeros(256, np.int64)
    rows[ids] = np.arange(1, len(ids) + 1)
    columns[others] = np.arange(1, len(others) + 1)
    width = len(others) + 1
    codes = rows[truth] * width + columns[prediction]
    table = np.bincount(codes.ravel(), minlength=(len(ids) + 1) * width)
    return table.reshape(len(ids) + 1, width)[1:, 1:]


def _both(truth: IndexMask, prediction: IndexMask) -> tuple[IndexMask, IndexMask]:
    return as_index_mask(truth, "truth"), as_index_mask(prediction, "prediction")
