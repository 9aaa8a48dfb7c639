"""The measurements of one sequence that all metrics are computed from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_eval.protocols import Protocol

_F_VALUES = ("f", "f_object")
"""Values that compare boundary pixels; a mask that fills the frame has no boundary."""


@dataclass(frozen=True)
class SequenceFailures:
    """The failures in one sequence, and the measurements of the repaired masks.

    Attributes
    ----------
    mode : (F, K) int64
        The code of each unit's failure mode, see `actiseg_eval.measures.failure_modes.encode_mode`;
        0 for no failure.
    confused_with : (F, K) int64
        The id of the other object that covers most of the mask, else 0.
    prediction, intersection, values
        As in `SequenceResult`, for the repaired masks.
    """

    mode: NDArray[np.int64]
    confused_with: NDArray[np.int64]
    prediction: NDArray[np.int64]
    intersection: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


@dataclass(frozen=True)
class SequenceResult:
    """The measurements of one sequence under one protocol: F scored frames, K objects.

    Attributes
    ----------
    sequence : VideoSequence
    ids : tuple of int, length K
    frames : tuple of str, length F
        The scored frames.
    areas : (F,) int64
        Pixels of each frame.
    truth, prediction, intersection : (F, K) int64
        Pixels of each object in the true mask, in the prediction, and in both.
    values : mapping of str to (F, K) float64
        The computed ones of ``f``, ``f_object``, ``boundary_iou`` and ``boundary_iou_object``, in
        [0, 1], of objects that the protocol averages over.
    counted : (F, K) bool
        Whether the object counts in that frame.
    true_ids : frozenset of int
        All ids in the true masks that were read, including the void id.
    predicted_ids : frozenset of int
        All ids in the predictions of scored frames.
    tally : Counter of str
        The numbers of edge cases.
    failures : SequenceFailures or None
        Only with the metric group ``failures``.
    """

    sequence: VideoSequence
    ids: tuple[int, ...]
    frames: tuple[str, ...]
    areas: NDArray[np.int64]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    intersection: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    counted: NDArray[np.bool_]
    true_ids: frozenset[int]
    predicted_ids: frozenset[int]
    tally: Counter[str]
    failures: SequenceFailures | None = None


def sum_tallies(results: Iterable[SequenceResult], more: Mapping[str, int]) -> Counter[str]:
    """Add up the tallies of all results and further counts."""
    return sum((result.tally for result in results), Counter(more))


def find_counted(
    protocol: Protocol, truth: NDArray[np.int64], prediction: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Return the frames in which each object counts, (F, K), from its pixels, (F, K)."""
    if protocol.counted == "every frame":
        return np.ones(truth.shape, bool)
    return np.asarray(np.logical_or.accumulate((truth > 0) | (prediction > 0), axis=0))


def repair_result(
    result: SequenceResult, protocol: Protocol, modes: Set[int], *, wholly: bool = False
) -> SequenceResult:
    """Return the result without the failures of some modes.

    Parameters
    ----------
    result : SequenceResult
        With failures.
    protocol : Protocol
    modes : set of int
        The codes of the modes.
    wholly : bool
        Whether these units become entirely correct. By default only the failure is repaired, and
        other errors of the unit stay.
    """
    failures = result.failures
    if failures is None:
        raise ValueError("the result has no failures: the metric group was not computed")
    chosen = np.isin(failures.mode, sorted(modes))
    prediction, intersection = failures.prediction, failures.intersection
    values = failures.values
    if wholly:
        # A unit whose repaired mask is blank is correct when blank; other repairs are never blank.
        visible = prediction > 0
        prediction = intersection = np.where(visible, result.truth, 0)
        values = {name: np.where(visible, 1.0, value) for name, value in values.items()}
    prediction = np.where(chosen, prediction, result.prediction)
    return replace(
        result,
        prediction=prediction,
        intersection=np.where(chosen, intersection, result.intersection),
        values={
            name: np.where(chosen, values[name], value) for name, value in result.values.items()
        },
        counted=find_counted(protocol, result.truth, prediction),
    )


def evaluate_blank(
    name: str, truth: NDArray[np.int64], areas: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Evaluate a value of blank predictions.

    It is 1 if there is nothing to predict. A value that compares boundaries is also 1 if the object
    fills the frame, because it has no boundary.

    Parameters
    ----------
    name : str
        A name in `SequenceResult.values`.
    truth : (F, K) int64
        Pixels of the objects.
    areas : (F,) int64
        Pixels of the frames.

    Returns
    -------
    (F, K) float64

    Examples
    --------
    >>> evaluate_blank("f", np.array([[0, 5, 6]]), np.array([6])).tolist()
    [[1.0, 0.0, 1.0]]
    """
    perfect = truth == 0
    if name in _F_VALUES:
        perfect = perfect | (truth == areas[:, None])
    return np.asarray(perfect, np.float64)


def make_blank_result(result: SequenceResult, protocol: Protocol) -> SequenceResult:
    """Return the result of blank predictions."""
    blank = np.zeros_like(result.truth)
    return replace(
        result,
        prediction=blank,
        intersection=blank,
        values={name: evaluate_blank(name, result.truth, result.areas) for name in result.values},
        counted=find_counted(protocol, result.truth, blank),
        failures=None,
    )


def make_true_result(result: SequenceResult, protocol: Protocol) -> SequenceResult:
    """Return the result of predictions that are the true masks of all objects."""
    return replace(
        result,
        prediction=result.truth,
        intersection=result.truth,
        values={name: np.ones_like(value) for name, value in result.values.items()},
        counted=find_counted(protocol, result.truth, result.truth),
        failures=None,
    )
