"""Measure one sequence frame by frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import VOID, IndexMask, check_same_size
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.edge_cases import (
    count_edge_cases,
    find_ids_with_pixels,
    find_object_ids,
    refuse_extra_ids,
)
from actiseg_eval.measures.frame_measurement import FrameMeasurement, FrameMeter
from actiseg_eval.measures.matching import match_proposals
from actiseg_eval.measures.prediction import Prediction, as_prediction
from actiseg_eval.measures.results import SequenceFailures, SequenceResult, find_counted
from actiseg_eval.protocols import Protocol


class SequenceMeter:
    """Measures the frames of one sequence, in any order.

    Parameters
    ----------
    sequence : VideoSequence
    protocol : Protocol
    metric_groups : tuple of str
        Some of `actiseg_eval.protocols.METRIC_GROUPS`.

    Examples
    --------
    >>> from actiseg_data.annotations.sequences import ObjectLabel
    >>> from actiseg_eval.protocols import load_protocol
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> sequence = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take",
    ...                          0, "cup", 13, ("frame_0000000001",), (cup,))
    >>> meter = SequenceMeter(sequence, load_protocol("actionvos"), ("core",))
    >>> meter.add("frame_0000000001", np.array([[1, 1]], np.uint8), np.array([[0, 1]], np.uint8))
    >>> meter.build_result().intersection.tolist()
    [[1]]
    """

    def __init__(
        self, sequence: VideoSequence, protocol: Protocol, metric_groups: tuple[str, ...]
    ) -> None:
        self.sequence, self.protocol = sequence, protocol
        self._frame_meter = FrameMeter(sequence, protocol, metric_groups)
        self._frames: dict[str, FrameMeasurement] = {}

    @property
    def missing(self) -> list[str]:
        """The needed frames that were not added yet."""
        return [frame for frame in self.needed if frame not in self._frames]

    @property
    def needed(self) -> tuple[str, ...]:
        """The frames to add: the scored ones, and the first one if it defines the objects."""
        first = self.sequence.frames[:1]
        if self.protocol.objects == "first frame" and first[0] not in self.scored:
            return first + self.scored
        return self.scored

    @property
    def scored(self) -> tuple[str, ...]:
        """The frames that the protocol scores."""
        return self.protocol.select_frames(self.sequence.frames)

    def add(
        self,
        frame: str,
        truth: IndexMask,
        prediction: Prediction | IndexMask | Mapping[int, BinaryMask],
    ) -> None:
        """Measure a frame of the sequence.

        Parameters
        ----------
        frame : str
        truth : (H, W) uint8
        prediction : Prediction, array or mapping
            See `as_prediction`.

        Raises
        ------
        InputError
            If the two differ in size.
        """
        prediction = as_prediction(prediction, shape=truth.shape)
        where, hint = f"{self.sequence.folder}, {frame}", "give masks of the same size"
        check_same_size(prediction.shape, truth.shape, "the true mask", where, hint)
        is_scored = frame in self.scored
        self._frames[frame] = self._frame_meter.measure(truth, prediction, is_scored=is_scored)

    def build_result(self) -> SequenceResult:
        """Build the result of all frames.

        Raises
        ------
        InputError
            If frames are missing, or if the protocol refuses the predictions.
        """
        if self.missing:
            raise refuse(
                f"has no prediction for {len(self.missing)} of its frames, such as "
                f"{self.missing[0]}",
                self.sequence.folder,
                "give every frame of the sequence to the scorer",
            )
        counts = np.zeros((len(self.scored), 3, 256), np.int64)
        for row, frame in enumerate(self.scored):
            counts[row] = self._frames[frame].counts
        first = self._frames[self.needed[0]].counts if self.needed else counts.sum(axis=0)
        ids = find_object_ids(self.protocol, self.sequence, first, counts)
        void = sum(self._frames[frame].void for frame in self.scored)
        refuse_extra_ids(self.protocol, self.sequence, counts, ids)
        tally = count_edge_cases(self.protocol, first, counts, ids, void)
        build = self._build_matched if self.protocol.matching == "best" else self._build_by_id
        return build(ids, counts, tally)

    def _build_by_id(
        self, ids: tuple[int, ...], counts: NDArray[np.int64], tally: Counter[str]
    ) -> SequenceResult:
        """Build the result in which the prediction for an object is that of its id."""
        truth, prediction, intersection = (counts[:, part][:, list(ids)] for part in range(3))
        values = {name: np.ones(truth.shape) for name in self._frame_meter.value_names}
        for row, frame in enumerate(self.scored):
            for column, object_id in enumerate(ids):
                for name, value in self._frames[frame].values.get(object_id, {}).items():
                    values[name][row, column] = value
        result = SequenceResult(
            sequence=self.sequence,
            ids=ids,
            frames=self.scored,
            areas=counts[:, 0].sum(axis=1),
            truth=truth,
            prediction=prediction,
            intersection=intersection,
            values=values,
            counted=find_counted(self.protocol, truth, prediction),
            true_ids=self._true_ids,
            predicted_ids=find_ids_with_pixels(counts[:, 1]),
            tally=tally,
        )
        if not self._frame_meter.finds_failures:
            return result
        return replace(result, failures=self._join_failures(result))

    def _build_matched(
        self, ids: tuple[int, ...], counts: NDArray[np.int64], tally: Counter[str]
    ) -> SequenceResult:
        """Build the result in which each object has the proposal that fits best."""
        most = max(find_ids_with_pixels(counts[:, 1]), default=0)
        allowed = self.protocol.most_proposals
        # For true masks with void pixels only, `input_checks` has a better message.
        if allowed is not None and most > allowed and self._true_ids != {VOID}:
            raise refuse(
                f"has a proposal numbered {most}; the protocol allows {allowed} proposals",
                self.sequence.folder,
                "keep the best ones, numbered from 1",
            )
        pairs = [self._frames[frame].pairs for frame in self.scored]
        matched = match_proposals(
            [frame_pairs for frame_pairs in pairs if frame_pairs is not None],
            counts,
            ids,
            self._frame_meter.value_names,
            most,
        )
        return SequenceResult(
            sequence=self.sequence,
            ids=ids,
            frames=self.scored,
            areas=counts[:, 0].sum(axis=1),
            truth=matched.truth,
            prediction=matched.prediction,
            intersection=matched.intersection,
            values=matched.values,
            counted=np.ones(matched.truth.shape, bool),
            true_ids=self._true_ids,
            predicted_ids=find_ids_with_pixels(counts[:, 1]),
            tally=tally,
        )

    def _join_failures(self, result: SequenceResult) -> SequenceFailures:
        """Join the failures of all frames; units without a failure are as in the result."""
        mode, confused_with = np.zeros_like(result.truth), np.zeros_like(result.truth)
        prediction, intersection = result.prediction.copy(), result.intersection.copy()
        values = {name: value.copy() for name, value in result.values.items()}
        for row, frame in enumerate(self.scored):
            for column, object_id in enumerate(result.ids):
                failure = self._frames[frame].failures.get(object_id)
                if failure is None:
                    continue
                mode[row, column] = failure.mode
                confused_with[row, column] = failure.confused_with
                prediction[row, column] = failure.prediction
                intersection[row, column] = failure.intersection
                for name, value in failure.values.items():
                    values[name][row, column] = value
        return SequenceFailures(mode, confused_with, prediction, intersection, values)

    @property
    def _true_ids(self) -> frozenset[int]:
        """All ids in the true masks so far, including the void id."""
        frames = self._frames.values()
        known = find_ids_with_pixels(
            np.array([frame.counts[0] for frame in frames]).reshape(-1, 256)
        )
        return known | {VOID} if any(frame.void for frame in frames) else known
