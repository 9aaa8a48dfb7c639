"""What was predicted for one frame: an index mask, or a mask of each object, which may overlap."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_binary_mask, as_index_mask, find_ids
from actiseg_data.core.errors import refuse
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.pixel_counts import Counts, id_counts, pair_counts

Layers: TypeAlias = Mapping[int, BinaryMask]
"""Masks by object id, 1 to 255, all of one shape; none is not a frame."""

Prediction: TypeAlias = "IndexMask | Layers"


def as_prediction(given: Any, name: str = "prediction") -> Prediction:
    """What a caller gives as a prediction, in its plain form.

    given: object ids, see `as_index_mask`; or masks by object id, 1 to 255, of one shape, see
    `as_binary_mask`. name: of the caller's parameter, for the message. Raises `InputError` for
    anything else.
    """
    if not isinstance(given, Mapping):
        return as_index_mask(given, name)
    layers = {}
    for object_id, layer in given.items():
        if not isinstance(object_id, (int, np.integer)) or not 1 <= object_id <= 255:
            raise refuse(f"{object_id!r} is no object id", name, "give masks by ids from 1 to 255")
        layers[int(object_id)] = as_binary_mask(layer, f"{name} of object {object_id}")
    if len({mask.shape for mask in layers.values()}) > 1:
        raise refuse("the masks of a frame differ in size", name, "give masks of the frame's size")
    return layers


def shape_of(prediction: Prediction) -> tuple[int, ...]:
    """Rows and columns."""
    if isinstance(prediction, Mapping):
        return next(iter(prediction.values())).shape
    return prediction.shape


def ids_of(prediction: Prediction) -> set[int]:
    """The ids that have a pixel."""
    if isinstance(prediction, Mapping):
        return {at for at, mask in prediction.items() if mask.any()}
    return set(find_ids(prediction))


def mask_of(prediction: Prediction, object_id: int) -> BinaryMask:
    """The mask of one id."""
    if isinstance(prediction, Mapping):
        found = prediction.get(object_id)
        return np.zeros(shape_of(prediction), bool) if found is None else found
    return np.asarray(prediction == object_id)


def without(prediction: Prediction, pixels: BinaryMask) -> Prediction:
    """The prediction with some pixels cleared."""
    if isinstance(prediction, Mapping):
        return {at: mask & ~pixels for at, mask in prediction.items()}
    return np.where(pixels, np.uint8(0), prediction)


def foreground_of(prediction: Prediction) -> IndexMask:
    """(H, W) 1 for pixels with any id, else 0.

    >>> foreground_of(np.array([[0, 7, 255]], np.uint8)).tolist()
    [[0, 1, 1]]
    """
    if isinstance(prediction, Mapping):
        return np.asarray(np.any(list(prediction.values()), axis=0), np.uint8)
    return np.asarray(prediction > 0, np.uint8)


def counts_of(truth: IndexMask, prediction: Prediction) -> Counts:
    """See `actiseg_eval.measures.pixel_counts.id_counts`.

    >>> truth = np.array([[1, 1, 2]], np.uint8)
    >>> counts_of(truth, {1: np.array([[True, True, True]])})[:, 1].tolist()
    [2, 3, 2]
    """
    if not isinstance(prediction, Mapping):
        return id_counts(truth, prediction)
    counts = np.zeros((3, 256), np.int64)
    counts[0] = np.bincount(truth.ravel(), minlength=256)
    for object_id, mask in prediction.items():
        counts[1, object_id] = np.count_nonzero(mask)
        counts[2, object_id] = np.count_nonzero(mask & (truth == object_id))
    return counts


def shared_pixels(
    truth: IndexMask, prediction: Prediction, ids: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.int64]:
    """See `actiseg_eval.measures.pixel_counts.pair_counts`."""
    if not isinstance(prediction, Mapping):
        return pair_counts(truth, prediction, ids, others)
    columns = [
        np.bincount(truth[mask_of(prediction, int(other))], minlength=256)[ids] for other in others
    ]
    return np.stack(columns, axis=1) if columns else np.zeros((len(ids), 0), np.int64)
