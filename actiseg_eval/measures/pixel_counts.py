"""Count the pixels of every object in ground truth, prediction and both: the input of all IoUs."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask, check_same_size

PixelCounts: TypeAlias = NDArray[np.int64]
"""(3, 256): pixels of each id in the ground truth, in the prediction, and in both."""


def count_ids(truth: IndexMask, prediction: IndexMask) -> PixelCounts:
    """Count the pixels of every id in two index masks, and of the same id in both.

    Parameters
    ----------
    truth, prediction : (H, W) integers
        See `as_index_mask`.

    Returns
    -------
    (3, 256) int64

    Examples
    --------
    >>> truth, prediction = np.array([[1, 1, 2]], np.uint8), np.array([[1, 0, 2]], np.uint8)
    >>> count_ids(truth, prediction)[:, 1:3].tolist()
    [[2, 1], [1, 1], [1, 1]]
    """
    truth, prediction = _check_masks(truth, prediction)
    true_ids, predicted_ids = truth.ravel(), prediction.ravel()
    if not true_ids.size:
        return np.zeros((3, 256), np.int64)
    # Masks are long runs of the same id: a run in which neither mask changes is counted at once.
    changes = true_ids[1:] != true_ids[:-1]
    changes |= predicted_ids[1:] != predicted_ids[:-1]
    starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
    lengths = np.diff(starts, append=true_ids.size)
    true_runs, predicted_runs = true_ids[starts], predicted_ids[starts]
    counts = (
        np.bincount(true_runs, lengths, 256),
        np.bincount(predicted_runs, lengths, 256),
        np.bincount(true_runs, lengths * (true_runs == predicted_runs), 256),
    )
    return np.stack(counts).astype(np.int64)


def count_pairs(
    truth: IndexMask,
    prediction: IndexMask,
    ids: NDArray[np.int64],
    predicted_ids: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Count the pixels that each pair of a true id and a predicted id shares.

    Parameters
    ----------
    truth, prediction : (H, W) integers
        See `as_index_mask`.
    ids : (K,) int64
        Ids of the ground truth, 1 to 255.
    predicted_ids : (P,) int64
        Ids of the prediction, 1 to 255.

    Returns
    -------
    (K, P) int64

    Examples
    --------
    >>> truth, prediction = np.array([[1, 1, 2]], np.uint8), np.array([[3, 0, 3]], np.uint8)
    >>> count_pairs(truth, prediction, np.array([1, 2]), np.array([3])).tolist()
    [[1], [1]]
    """
    truth, prediction = _check_masks(truth, prediction)
    rows, columns = np.zeros(256, np.int64), np.zeros(256, np.int64)
    rows[ids] = np.arange(1, len(ids) + 1)
    columns[predicted_ids] = np.arange(1, len(predicted_ids) + 1)
    width = len(predicted_ids) + 1
    codes = rows[truth] * width + columns[prediction]
    table = np.bincount(codes.ravel(), minlength=(len(ids) + 1) * width)
    return table.reshape(len(ids) + 1, width)[1:, 1:]


def _check_masks(truth: IndexMask, prediction: IndexMask) -> tuple[IndexMask, IndexMask]:
    truth, prediction = as_index_mask(truth, "truth"), as_index_mask(prediction, "prediction")
    hint = "give masks of the same size"
    check_same_size(prediction.shape, truth.shape, "the true mask", "`prediction`", hint)
    return truth, prediction
