"""Measure one frame: pixel counts, boundary values, failures, and all pairs for matching."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import VOID, IndexMask, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.boundary_measures import (
    boundary_f,
    boundary_iou,
    find_image_distance,
    find_image_tolerance,
    find_object_distance,
    find_object_tolerance,
)
from actiseg_eval.measures.failure_modes import diagnose, encode_mode
from actiseg_eval.measures.pixel_counts import PixelCounts
from actiseg_eval.measures.prediction import Prediction
from actiseg_eval.protocols import (
    BOUNDARY_GROUP,
    CORE_GROUP,
    F_GROUP,
    FAILURE_GROUP,
    Protocol,
)

_PairFunction = Callable[[BinaryMask, BinaryMask], float]

_PAIR_FUNCTIONS: Mapping[str, Mapping[str, _PairFunction]] = {
    CORE_GROUP: {},
    F_GROUP: {"f": lambda truth, mask: boundary_f(truth, mask, find_image_tolerance(truth.shape))},
    BOUNDARY_GROUP: {
        "f_object": lambda truth, mask: boundary_f(truth, mask, find_object_tolerance(truth)),
        "boundary_iou": lambda truth, mask: boundary_iou(
            truth, mask, find_image_distance(truth.shape)
        ),
        "boundary_iou_object": lambda truth, mask: boundary_iou(
            truth, mask, find_object_distance(truth)
        ),
    },
    FAILURE_GROUP: {},
}
"""The functions of a true and a predicted mask by metric group and name."""


def list_pair_values(metric_groups: Iterable[str]) -> tuple[str, ...]:
    """List the values that some metric groups compute for each pair of masks, besides counts."""
    return tuple(name for group in metric_groups for name in _PAIR_FUNCTIONS[group])


@dataclass(frozen=True)
class UnitFailure:
    """The failure of one unit, see `SequenceFailures`."""

    mode: int
    confused_with: int
    prediction: int
    intersection: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class ProposalPairs:
    """All pairs of a true id and a proposal in one frame.

    Attributes
    ----------
    ids : tuple of int, length K
    proposals : tuple of int, length P
    intersection : (K, P) int64
        Pixels that the pair shares.
    values : mapping of str to (K, P) float64
    """

    ids: tuple[int, ...]
    proposals: tuple[int, ...]
    intersection: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class FrameMeasurement:
    """The measurements of one frame.

    Attributes
    ----------
    counts : (3, 256) int64
        See `PixelCounts`.
    void : int
        True pixels of the id `VOID`.
    values : mapping of int to mapping of str to float
        Values by name for each id that has a pixel in ground truth or prediction.
    failures : mapping of int to UnitFailure
        The failures by id.
    pairs : ProposalPairs or None
        Only for protocols that match proposals to objects.
    """

    counts: PixelCounts
    void: int
    values: Mapping[int, Mapping[str, float]]
    failures: Mapping[int, UnitFailure]
    pairs: ProposalPairs | None


class FrameMeter:
    """Measures the frames of one sequence under one protocol."""

    def __init__(
        self, sequence: VideoSequence, protocol: Protocol, metric_groups: tuple[str, ...]
    ) -> None:
        self._protocol = protocol
        self._functions = {
            name: function
            for group in metric_groups
            for name, function in _PAIR_FUNCTIONS[group].items()
        }
        self._finds_failures = FAILURE_GROUP in metric_groups
        self._labels = {label.object_id: label for label in sequence.objects}

    @property
    def value_names(self) -> tuple[str, ...]:
        """The values that are computed for each pair of masks."""
        return tuple(self._functions)

    @property
    def finds_failures(self) -> bool:
        """Whether failure modes are determined."""
        return self._finds_failures

    def measure(
        self, truth: IndexMask, prediction: Prediction, *, is_scored: bool
    ) -> FrameMeasurement:
        """Measure a frame; a frame that is not scored has counts only."""
        is_void = truth == VOID
        void = int(np.count_nonzero(is_void))
        if void and self._protocol.void != "an id":
            truth = np.where(is_void, np.uint8(0), truth)
            if self._protocol.void == "cleared":
                prediction = prediction.clear(is_void)
        if self._protocol.objects == "one foreground":
            truth, prediction = np.asarray(truth > 0, np.uint8), prediction.merge_objects()
        counts = prediction.count_pixels(truth)
        if not is_scored:
            return FrameMeasurement(counts, void, {}, {}, None)
        if self._protocol.matching == "best":
            pairs = self._measure_pairs(counts, truth, prediction)
            return FrameMeasurement(counts, void, {}, {}, pairs)
        values = self._measure_values(counts, truth, prediction)
        failures = self._find_failures(counts, truth, prediction)
        return FrameMeasurement(counts, void, values, failures, None)

    def _measure_values(
        self, counts: PixelCounts, truth: IndexMask, prediction: Prediction
    ) -> dict[int, dict[str, float]]:
        if not self._functions:
            return {}
        return {
            object_id: self._compare(truth == object_id, prediction.get_mask(object_id))
            for object_id in self._list_present(counts)
            if self._is_averaged(object_id)
        }

    def _find_failures(
        self, counts: PixelCounts, truth: IndexMask, prediction: Prediction
    ) -> dict[int, UnitFailure]:
        if not self._finds_failures:
            return {}
        listed = set(self._labels) if self._protocol.needs_labels else set(find_ids(truth))
        failures = {}
        for object_id in self._list_present(counts):
            # Under a protocol that averages over all objects, all objects must be segmented.
            active = self._is_averaged(object_id)
            true_pixels, predicted_pixels, shared_pixels = counts[:, object_id]
            if active and true_pixels == predicted_pixels == shared_pixels:
                continue
            mask = prediction.get_mask(object_id)
            failure = diagnose(truth, object_id, mask, listed - {VOID}, active=active)
            if failure is None:
                continue
            true_mask, repaired = truth == object_id, failure.repaired
            failures[object_id] = UnitFailure(
                mode=encode_mode(failure.mode),
                confused_with=failure.confused_with,
                prediction=int(np.count_nonzero(repaired)),
                intersection=int(np.count_nonzero(true_mask & repaired)),
                values=self._compare(true_mask, repaired) if active else {},
            )
        return failures

    def _measure_pairs(
        self, counts: PixelCounts, truth: IndexMask, prediction: Prediction
    ) -> ProposalPairs:
        ids = np.flatnonzero(counts[0, 1:]) + 1
        proposals = np.array(sorted(prediction.ids), np.int64)
        values = {name: np.zeros((len(ids), len(proposals))) for name in self._functions}
        if values:
            for row, column in np.ndindex(len(ids), len(proposals)):
                masks = truth == ids[row], prediction.get_mask(int(proposals[column]))
                for name, value in self._compare(*masks).items():
                    values[name][row, column] = value
        intersection = prediction.count_pairs(truth, ids, proposals)
        return ProposalPairs(tuple(ids.tolist()), tuple(proposals.tolist()), intersection, values)

    def _compare(self, truth: BinaryMask, mask: BinaryMask) -> dict[str, float]:
        return {name: function(truth, mask) for name, function in self._functions.items()}

    def _list_present(self, counts: PixelCounts) -> list[int]:
        """List the objects that have a pixel in ground truth or prediction."""
        present: list[int] = (np.flatnonzero(counts[:2, 1:].any(axis=0)) + 1).tolist()
        if not self._protocol.needs_labels:
            return present
        return [object_id for object_id in present if object_id in self._labels]

    def _is_averaged(self, object_id: int) -> bool:
        """Whether J and F include this object."""
        return self._protocol.averaged == "all" or self._labels[object_id].positive
