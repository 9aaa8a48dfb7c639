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
    """N units of M objects in S sequences, sequence by sequence, frame by frame.

    sequence, frame, object: (N) positions in `results`, in that sequence's frames, and in `labels`.
    labels: (M) objects; of ids that no list names, with an empty name. active: (N) whether the
    object takes part. truth, prediction, both: (N) pixels. values: (N) numbers in [0, 1] by name,
    see `SequenceResult`. counted: (N) whether the unit counts. mode, lies_on: (N) what went wrong,
    see `Repairs`; 0 where nothing did or nobody looked.
    """

    results: Sequence[SequenceResult]
    labels: Sequence[ObjectLabel]
    sequence: NDArray[np.int64]
    frame: NDArray[np.int64]
    object: NDArray[np.int64]
    active: NDArray[np.bool_]
    truth: NDArray[np.int64]
    prediction: NDArray[np.int64]
    both: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]
    counted: NDArray[np.bool_]
    mode: NDArray[np.int64]
    lies_on: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def union(self) -> NDArray[np.int64]:
        return self.truth + self.prediction - self.both

    @property
    def region(self) -> NDArray[np.float64]:
        """J: the IoU of each unit, 1 where truth and prediction are empty."""
        union = self.union
        return np.where(union > 0, self.both / np.maximum(union, 1), 1.0)

    def without_inactive_truth(self) -> Units:
        """The same with the truth of inactive objects emptied: their prompts have no target."""
        return replace(self, truth=self.truth * self.active, both=self.both * self.active)

    def chosen(self, which: NDArray[np.bool_]) -> Units:
        """Some of the units."""
        arrays = [of.name for of in fields(self) if of.name not in ("results", "labels", "values")]
        return replace(
            self,
            values={name: value[which] for name, value in self.values.items()},
            **{name: getattr(self, name)[which] for name in arrays},
        )


def no_units(values: Iterable[str]) -> Units:
    """A table without a unit. values: names of what was measured."""
    empty, numbers = np.zeros(0, bool), np.zeros(0, np.int64)
    return Units(
        results=[],
        labels=[],
        sequence=numbers,
        frame=numbers,
        object=numbers,
        active=empty,
        truth=numbers,
        prediction=numbers,
        both=numbers,
        values={name: np.zeros(0) for name in values},
        counted=empty,
        mode=numbers,
        lies_on=numbers,
    )


def gather_units(results: Sequence[SequenceResult]) -> Units:
    """The results as one table."""
    labels: list[ObjectLabel] = []
    columns: list[tuple[NDArray[np.int64], ...]] = []
    for position, result in enumerate(results):
        known = {label.object_id: label for label in result.sequence.objects}
        rows, columns_ = np.indices(result.truth.shape)
        columns.append(
            (
                np.full(rows.size, position, np.int64),
                rows.ravel().astype(np.int64),
                columns_.ravel().astype(np.int64) + len(labels),
            )
        )
        labels += [known.get(at) or _unknown(at) for at in result.ids]
    active = np.array([label.positive for label in labels], bool)
    sequence, frame, object_ = (
        np.concatenate([of[part] for of in columns] or [np.zeros(0, np.int64)]) for part in range(3)
    )

    def joined(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(of, name).ravel() for of in results] or [np.zeros(0)])

    def of_repairs(name: str) -> NDArray[np.int64]:
        of = [
            np.zeros(of.truth.size) if of.repairs is None else getattr(of.repairs, name).ravel()
            for of in results
        ]
        return np.concatenate(of or [np.zeros(0)]).astype(np.int64)

    names = results[0].values if results else {}
    return Units(
        results=results,
        labels=labels,
        sequence=sequence,
        frame=frame,
        object=object_,
        active=active[object_] if labels else np.zeros(0, bool),
        truth=joined("truth").astype(np.int64),
        prediction=joined("prediction").astype(np.int64),
        both=joined("both").astype(np.int64),
        values={
            name: np.concatenate([of.values[name].ravel() for of in results]) for name in names
        },
        counted=joined("counted").astype(bool),
        mode=of_repairs("mode"),
        lies_on=of_repairs("lies_on"),
    )


def _unknown(object_id: int) -> ObjectLabel:
    """The label of an object that only masks tell of."""
    return ObjectLabel(object_id, "", -1, positive=True, handbox=False, narration=False)
