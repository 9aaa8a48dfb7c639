"""The prediction for one frame: an index mask, or one mask per object, which may overlap."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_binary_mask, as_index_mask, find_ids
from actiseg_data.core.errors import refuse
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.pixel_counts import PixelCounts, count_ids, count_pairs


class Prediction(ABC):
    """The masks that a method predicts for the objects of one frame.

    Every true mask that a method takes must have the shape of the prediction.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""

    @property
    @abstractmethod
    def ids(self) -> set[int]:
        """The ids that have at least one pixel."""

    @abstractmethod
    def get_mask(self, object_id: int) -> BinaryMask:
        """Return the (H, W) mask of one id, blank for an unknown id."""

    @abstractmethod
    def clear(self, pixels: BinaryMask) -> Prediction:
        """Return the prediction with some pixels, (H, W), set to background."""

    @abstractmethod
    def keep(self, ids: Iterable[int]) -> Prediction:
        """Return the prediction with the masks of some ids only."""

    @abstractmethod
    def merge_objects(self) -> Prediction:
        """Return a prediction in which all pixels with an id belong to a single object, id 1."""

    @abstractmethod
    def count_pixels(self, truth: IndexMask) -> PixelCounts:
        """Count the pixels of each id, see `count_ids`."""

    @abstractmethod
    def count_pairs(
        self, truth: IndexMask, ids: NDArray[np.int64], predicted_ids: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        """Count the pixels that each pair of ids shares, see `count_pairs`."""


@dataclass(frozen=True)
class IndexPrediction(Prediction):
    """A prediction as an index mask: every pixel belongs to one object at most.

    Attributes
    ----------
    index : (H, W) uint8
        The object id of each pixel, 0 for background.

    Examples
    --------
    >>> prediction = IndexPrediction(np.array([[0, 7, 255]], np.uint8))
    >>> prediction.get_mask(7).tolist(), prediction.merge_objects().index.tolist()
    ([[False, True, False]], [[0, 1, 1]])
    """

    index: IndexMask

    @property
    def shape(self) -> tuple[int, ...]:
        return self.index.shape

    @property
    def ids(self) -> set[int]:
        return set(find_ids(self.index))

    def get_mask(self, object_id: int) -> BinaryMask:
        return np.asarray(self.index == object_id)

    def clear(self, pixels: BinaryMask) -> IndexPrediction:
        return IndexPrediction(np.where(pixels, np.uint8(0), self.index))

    def keep(self, ids: Iterable[int]) -> IndexPrediction:
        kept = np.zeros(256, np.uint8)
        positions = list(ids)
        kept[positions] = positions
        return IndexPrediction(kept[self.index])

    def merge_objects(self) -> IndexPrediction:
        return IndexPrediction(np.asarray(self.index > 0, np.uint8))

    def count_pixels(self, truth: IndexMask) -> PixelCounts:
        return count_ids(truth, self.index)

    def count_pairs(
        self, truth: IndexMask, ids: NDArray[np.int64], predicted_ids: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        return count_pairs(truth, self.index, ids, predicted_ids)


@dataclass(frozen=True)
class LayeredPrediction(Prediction):
    """A prediction as one binary mask per object; masks may overlap.

    Attributes
    ----------
    layers : mapping of int to (H, W) bool
        The masks by object id, 1 to 255.
    frame_shape : tuple of int
        Rows and columns of the frame.

    Examples
    --------
    >>> prediction = LayeredPrediction({1: np.array([[True, True, True]])}, (1, 3))
    >>> prediction.count_pixels(np.array([[1, 1, 2]], np.uint8))[:, 1].tolist()
    [2, 3, 2]
    """

    layers: Mapping[int, BinaryMask]
    frame_shape: tuple[int, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.frame_shape

    @property
    def ids(self) -> set[int]:
        return {object_id for object_id, layer in self.layers.items() if layer.any()}

    def get_mask(self, object_id: int) -> BinaryMask:
        layer = self.layers.get(object_id)
        return np.zeros(self.shape, bool) if layer is None else layer

    def clear(self, pixels: BinaryMask) -> LayeredPrediction:
        cleared = {object_id: layer & ~pixels for object_id, layer in self.layers.items()}
        return LayeredPrediction(cleared, self.shape)

    def keep(self, ids: Iterable[int]) -> LayeredPrediction:
        kept = {object_id: self.layers[object_id] for object_id in ids if object_id in self.layers}
        return LayeredPrediction(kept, self.shape)

    def merge_objects(self) -> IndexPrediction:
        index = np.zeros(self.shape, np.uint8)
        for layer in self.layers.values():
            index |= layer
        return IndexPrediction(index)

    def count_pixels(self, truth: IndexMask) -> PixelCounts:
        counts = np.zeros((3, 256), np.int64)
        counts[0] = np.bincount(truth.ravel(), minlength=256)
        for object_id, layer in self.layers.items():
            counts[1, object_id] = np.count_nonzero(layer)
            counts[2, object_id] = np.count_nonzero(layer & (truth == object_id))
        return counts

    def count_pairs(
        self, truth: IndexMask, ids: NDArray[np.int64], predicted_ids: NDArray[np.int64]
    ) -> NDArray[np.int64]:
        columns = [
            np.bincount(truth[self.get_mask(predicted_id)], minlength=256)[ids]
            for predicted_id in predicted_ids.tolist()
        ]
        return np.stack(columns, axis=1) if columns else np.zeros((len(ids), 0), np.int64)


def make_blank_prediction(shape: tuple[int, ...]) -> IndexPrediction:
    """Make a prediction of background only, for a frame with a shape."""
    return IndexPrediction(np.zeros(shape, np.uint8))


def as_prediction(
    masks: Any, name: str = "prediction", shape: tuple[int, ...] | None = None
) -> Prediction:
    """Convert the masks that a caller passes for a frame.

    Parameters
    ----------
    masks : array_like or mapping
        An index mask, see `as_index_mask`; or binary masks by object id, 1 to 255, all of the same
        shape, see `as_binary_mask`. An empty mapping is a blank prediction.
    name : str
        The caller's name for the masks, for error messages.
    shape : tuple of int, optional
        Rows and columns of the frame, which an empty mapping needs.

    Raises
    ------
    InputError
        If the masks have another form, or if an empty mapping comes without a shape.
    """
    if isinstance(masks, Prediction):
        return masks
    if not isinstance(masks, Mapping):
        return IndexPrediction(as_index_mask(masks, name))
    layers = {}
    for object_id, layer in masks.items():
        if not isinstance(object_id, (int, np.integer)) or not 1 <= object_id <= 255:
            raise refuse(
                f"{object_id!r} is not an object id", name, "give masks by ids from 1 to 255"
            )
        layers[int(object_id)] = as_binary_mask(layer, f"{name} of object {object_id}")
    shapes = {layer.shape for layer in layers.values()}
    if len(shapes) > 1:
        raise refuse("the masks of a frame differ in size", name, "give masks of the frame's size")
    if not layers:
        if shape is None:
            raise refuse("has no mask", name, "give at least one mask")
        return make_blank_prediction(shape)
    return LayeredPrediction(layers, shapes.pop())
