"""All results in one table: a unit is an object in a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.sequences import ObjectLabel
from actiseg_eval.measures.results import SequenceResult


@dataclass(frozen=True)
class Units:
    """N units of M objects in S sequences, ordered by sequence and frame.

    Attributes
    ----------
    results : sequence of SequenceResult, length S
    labels : sequence of ObjectLabel, length M
        With an empty name for ids that no list has.
    sequence, frame, object : (N,) int64
        Positions in `results`, in the frames of that sequence, and in `labels`.
    active : (N,) bool
        Whether the object takes part in the action.
    truth, prediction, intersection : (N,) int64
        Pixels in the true mask, in the prediction, and in both.
    values : mapping of str to (N,) float64
        Numbers in [0, 1], see `SequenceResult`.
    counted : (N,) bool
        Whether the unit counts.
    mode, confused_with : (N,) int64
        The failure, see `SequenceFailures`; 0 if there is none, or if failures were not determined.
    """

    results: Sequence[SequenceResult]
    labels: Sequence[ObjectLabel]
    sequence: NDArray[np.int64]
    frame: NDArray[np.int64]
    object: NDArray[np.int64]
    active: NDArray[np.bool_]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    intersection: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    counted: NDArray[np.bool_]
    mode: NDArray[np.int64]
    confused_with: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def union(self) -> NDArray[np.int64]:
        """Pixels in the true mask, the prediction or both, (N,)."""
        return self.truth + self.prediction - self.intersection

    @property
    def region(self) -> NDArray[np.float64]:
        """J: the IoU of each unit, (N,); 1 if true mask and prediction are empty."""
        union = self.union
        return np.where(union > 0, self.intersection / np.maximum(union, 1), 1.0)

    def clear_inactive_truth(self) -> Units:
        """Empty the true masks of inactive objects, whose prompts have no target."""
        return replace(
            self, truth=self.truth * self.active, intersection=self.intersection * self.active
        )

    def select(self, chosen: NDArray[np.bool_]) -> Units:
        """Return some of the units, by a mask, (N,)."""
        no_arrays = ("results", "labels", "values")
        arrays = [field.name for field in fields(self) if field.name not in no_arrays]
        return replace(
            self,
            values={name: value[chosen] for name, value in self.values.items()},
            **{name: getattr(self, name)[chosen] for name in arrays},
        )


def make_empty_units(values: Iterable[str]) -> Units:
    """Make a table without units, with values of some names."""
    booleans, numbers = np.zeros(0, bool), np.zeros(0, np.int64)
    return Units(
        results=[],
        labels=[],
        sequence=numbers,
        frame=numbers,
        object=numbers,
        active=booleans,
        truth=numbers,
        prediction=numbers,
        intersection=numbers,
        values={name: np.zeros(0) for name in values},
        counted=booleans,
        mode=numbers,
        confused_with=numbers,
    )


def gather_units(results: Sequence[SequenceResult]) -> Units:
    """Gather the units of all results in one table."""
    if not results:
        return make_empty_units(())
    labels: list[ObjectLabel] = []
    sequences: list[NDArray[np.int64]] = []
    frames: list[NDArray[np.int64]] = []
    objects: list[NDArray[np.int64]] = []
    for position, result in enumerate(results):
        known = {label.object_id: label for label in result.sequence.objects}
        rows, columns = np.indices(result.truth.shape)
        sequences.append(np.full(rows.size, position, np.int64))
        frames.append(rows.ravel().astype(np.int64))
        objects.append(columns.ravel().astype(np.int64) + len(labels))
        labels += [known.get(number) or _make_unknown_label(number) for number in result.ids]
    active = np.array([label.positive for label in labels], bool)
    object_ = np.concatenate(objects)

    def join(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(result, name).ravel() for result in results])

    def join_failures(name: str) -> NDArray[np.int64]:
        parts = [
            np.zeros(result.truth.size, np.int64)
            if result.failures is None
            else getattr(result.failures, name).ravel()
            for result in results
        ]
        return np.concatenate(parts)

    return Units(
        results=results,
        labels=labels,
        sequence=np.concatenate(sequences),
        frame=np.concatenate(frames),
        object=object_,
        active=active[object_] if labels else np.zeros(0, bool),
        truth=join("truth"),
        prediction=join("prediction"),
        intersection=join("intersection"),
        values={
            name: np.concatenate([result.values[name].ravel() for result in results])
            for name in results[0].values
        },
        counted=join("counted").astype(bool),
        mode=join_failures("mode"),
        confused_with=join_failures("confused_with"),
    )


def _make_unknown_label(object_id: int) -> ObjectLabel:
    """Make the label of an object that no list has."""
    return ObjectLabel(object_id, "", -1, positive=True, handbox=False, narration=False)
