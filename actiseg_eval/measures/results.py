"""What all figures need of one sequence: counts and values of each object in each frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_eval.protocols import Protocol


@dataclass(frozen=True)
class Repairs:
    """What went wrong in one sequence, and what the masks would be with that mended.

    mode: (F, K) code of the mode, see `actiseg_eval.measures.failure_modes.code_of`, 0 where nothing is wrong.
    lies_on: (F, K) id of the other object that the mask lies on, else 0. prediction, both, values:
    as in `SequenceResult`, of the repaired masks.
    """

    mode: NDArray[np.int64]
    lies_on: NDArray[np.int64]
    prediction: NDArray[np.int64]
    both: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


_OF_BOUNDARIES = ("f", "f_object")
"""Values that compare boundaries, which a mask that fills the frame does not have."""


@dataclass(frozen=True)
class SequenceResult:
    """What all figures need of one sequence, under one protocol.

    ids: (K) objects. frames: (F) scored ones. areas: (F) pixels of the frame. truth, prediction,
    both: (F, K) pixels. values: (F, K) numbers in [0, 1] by name: ``f``, ``f_object``,
    ``boundary_iou``, ``boundary_iou_object``, as far as they were measured, of objects that the
    protocol averages. counted: (F, K) whether the object counts in that frame. true_ids: all ids in
    the true masks that were read, including the void one. predicted_ids: all ids in the predictions
    of scored frames. tally: counts of what was odd. repairs: of ``failures`` alone.
    """

    sequence: VideoSequence
    ids: tuple[int, ...]
    frames: tuple[str, ...]
    areas: NDArray[np.int64]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    both: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    counted: NDArray[np.bool_]
    true_ids: frozenset[int]
    predicted_ids: frozenset[int]
    tally: Counter[str]
    repairs: Repairs | None = None


def total_tally(results: Iterable[SequenceResult], more: Mapping[str, int]) -> Counter[str]:
    """The counts of all results, see `SequenceResult.tally`. more: counts from elsewhere."""
    return sum((result.tally for result in results), Counter(more))


def counted_in(
    protocol: Protocol, truth: NDArray[np.int64], prediction: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """(F, K) the frames in which each object counts. truth, prediction: (F, K) pixels."""
    if protocol.counted == "every frame":
        return np.ones(truth.shape, bool)
    return np.asarray(np.logical_or.accumulate((truth > 0) | (prediction > 0), axis=0))


def mended(
    result: SequenceResult, protocol: Protocol, modes: Set[int], *, wholly: bool = False
) -> SequenceResult:
    """The result as if what went wrong in some modes had not.

    modes: codes. wholly: whether everything about these units is right, not their mode alone.
    """
    repairs = result.repairs
    if repairs is None:
        raise ValueError("what went wrong was not measured")
    which = np.isin(repairs.mode, sorted(modes))
    prediction, both = repairs.prediction, repairs.both
    values = repairs.values
    if wholly:
        # A unit whose repair is blank is right when it is blank: no other repair is.
        shown = prediction > 0
        prediction = both = np.where(shown, result.truth, 0)
        values = {name: np.where(shown, 1.0, of) for name, of in values.items()}
    prediction = np.where(which, prediction, result.prediction)
    return replace(
        result,
        prediction=prediction,
        both=np.where(which, both, result.both),
        values={name: np.where(which, values[name], of) for name, of in result.values.items()},
        counted=counted_in(protocol, result.truth, prediction),
    )


def blank_value(
    name: str, truth: NDArray[np.int64], areas: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(F, K) a value, see `SequenceResult`, of blank predictions.

    truth: (F, K) pixels of objects. areas: (F) of frames. It is 1 if there is nothing to predict. A
    value that compares boundaries is also 1 if the object fills the frame and so has no boundary.

    >>> blank_value("f", np.array([[0, 5, 6]]), np.array([6])).tolist()
    [[1.0, 0.0, 1.0]]
    """
    nothing = truth == 0
    if name in _OF_BOUNDARIES:
        nothing = nothing | (truth == areas[:, None])
    return np.asarray(nothing, np.float64)


def blank_result(result: SequenceResult, protocol: Protocol) -> SequenceResult:
    """The result as if nothing had been predicted."""
    nothing = np.zeros_like(result.truth)
    return replace(
        result,
        prediction=nothing,
        both=nothing,
        values={name: blank_value(name, result.truth, result.areas) for name in result.values},
        counted=counted_in(protocol, result.truth, nothing),
        repairs=None,
    )


def true_result(result: SequenceResult, protocol: Protocol) -> SequenceResult:
    """The result as if the true masks of all objects had been predicted."""
    return replace(
        result,
        prediction=result.truth,
        both=result.truth,
        values={name: np.ones_like(of) for name, of in result.values.items()},
        counted=counted_in(protocol, result.truth, result.truth),
        repairs=None,
    )
