"""One sequence, frame by frame, to what all figures need of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.boundary_measures import (
    boundary_f,
    boundary_iou,
    image_distance,
    image_tolerance,
    object_distance,
    object_tolerance,
)
from actiseg_eval.measures.failure_modes import code_of, diagnose
from actiseg_eval.measures.pixel_counts import Counts
from actiseg_eval.measures.prediction import (
    Prediction,
    counts_of,
    foreground_of,
    ids_of,
    mask_of,
    shape_of,
    shared_pixels,
    without,
)
from actiseg_eval.measures.results import Repairs, SequenceResult, blank_value, counted_in
from actiseg_eval.protocols import VOID, Protocol

MEASURES = ("core", "jf", "boundary", "failures")
"""What can be measured: by counts of pixels alone; boundary F; boundary IoU and F by object; what
went wrong."""

_Value = Callable[[BinaryMask, BinaryMask], float]

_VALUES: Mapping[str, Mapping[str, _Value]] = {
    "core": {},
    "jf": {"f": lambda truth, mask: boundary_f(truth, mask, image_tolerance(truth.shape))},
    "boundary": {
        "f_object": lambda truth, mask: boundary_f(truth, mask, object_tolerance(truth)),
        "boundary_iou": lambda truth, mask: boundary_iou(truth, mask, image_distance(truth.shape)),
        "boundary_iou_object": lambda truth, mask: boundary_iou(
            truth, mask, object_distance(truth)
        ),
    },
    "failures": {},
}


@dataclass(frozen=True)
class _Repair:
    """One unit of `Repairs`."""

    mode: int
    lies_on: int
    prediction: int
    both: int
    values: Mapping[str, float]


@dataclass(frozen=True)
class _Frame:
    """counts: see `Counts`. void: true pixels of the id `VOID`. values: of each id with a pixel in
    truth or prediction, by name. repairs: of each id that has something wrong. pairs: of matching
    protocols alone.
    """

    counts: Counts
    void: int
    values: Mapping[int, Mapping[str, float]]
    repairs: Mapping[int, _Repair]
    pairs: _Pairs | None


@dataclass(frozen=True)
class _Pairs:
    """Every pair of a true id and a proposal. shared: pixels; values: as in `_Frame`."""

    ids: tuple[int, ...]
    proposals: tuple[int, ...]
    shared: NDArray[np.int64]
    values: Mapping[str, NDArray[np.float64]]


def measured_values(measures: Iterable[str]) -> tuple[str, ...]:
    """The names of what is measured of every pair of masks, beside counts."""
    return tuple(name for each in measures for name in _VALUES[each])


class SequenceMeter:
    """Takes in the frames of one sequence, in any order.

    measures: some of `MEASURES`.

    >>> from actiseg_data.annotations.sequences import ObjectLabel
    >>> from actiseg_eval.protocols import load_protocol
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> clip = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take", 0,
    ...                 "cup", 13, ("frame_0000000001",), (cup,))
    >>> meter = SequenceMeter(clip, load_protocol("actionvos"), ("core",))
    >>> meter.add("frame_0000000001", np.array([[1, 1]], np.uint8), np.array([[0, 1]], np.uint8))
    >>> meter.result().both.tolist()
    [[1]]
    """

    def __init__(
        self, sequence: VideoSequence, protocol: Protocol, measures: tuple[str, ...]
    ) -> None:
        self.sequence, self.protocol = sequence, protocol
        self._measured = {name: of for each in measures for name, of in _VALUES[each].items()}
        self._diagnosed = "failures" in measures
        self._labels = {label.object_id: label for label in sequence.objects}
        self._frames: dict[str, _Frame] = {}
        self._tally: Counter[str] = Counter()

    @property
    def missing(self) -> list[str]:
        """Frames that are needed and were not taken in yet."""
        return [frame for frame in self.needed if frame not in self._frames]

    @property
    def needed(self) -> tuple[str, ...]:
        """The frames to take in: the scored ones, and the first where its truth says which objects
        there are.
        """
        first = self.sequence.frames[:1]
        if self.protocol.objects == "first frame" and first[0] not in self.scored:
            return first + self.scored
        return self.scored

    @property
    def scored(self) -> tuple[str, ...]:
        """The frames that the protocol scores."""
        return self.protocol.scored_frames(self.sequence.frames)

    def add(self, frame: str, truth: IndexMask, prediction: Prediction) -> None:
        """Take in a frame of the sequence.

        truth: (H, W) uint8. prediction: (H, W) uint8, or (H, W) bool masks by object id. Raises
        `ValueError` where the two differ in size.
        """
        if isinstance(prediction, Mapping) and not prediction:
            prediction = np.zeros(truth.shape, np.uint8)
        if shape_of(prediction) != truth.shape:
            raise ValueError(f"{shape_of(prediction)} predicted pixels for {truth.shape} true ones")
        void = truth == VOID
        pixels = int(np.count_nonzero(void))
        if pixels and self.protocol.void != "an id":
            truth = np.where(void, np.uint8(0), truth)
            if self.protocol.void == "cleared":
                prediction = without(prediction, void)
        if self.protocol.objects == "one foreground":
            truth, prediction = foreground_of(truth), foreground_of(prediction)
        counts = counts_of(truth, prediction)
        self._frames[frame] = _Frame(
            counts,
            pixels,
            self._values(frame, counts, truth, prediction),
            self._repairs(frame, counts, truth, prediction),
            self._pairs(frame, counts, truth, prediction),
        )

    def _values(
        self, frame: str, counts: Counts, truth: IndexMask, prediction: Prediction
    ) -> dict[int, dict[str, float]]:
        if not self._measured or frame not in self.scored or self.protocol.matching == "best":
            return {}
        return {
            at: self._of_pair(truth == at, mask_of(prediction, at))
            for at in self._present(counts)
            if self._is_averaged(at)
        }

    def _present(self, counts: Counts) -> list[int]:
        """The objects that have a pixel in truth or prediction."""
        present = (np.flatnonzero(counts[:2, 1:].any(axis=0)) + 1).tolist()
        listed = self.protocol.objects == "listed"
        return [at for at in present if not listed or at in self._labels]

    def _is_averaged(self, object_id: int) -> bool:
        """Whether J and F are over this object, too."""
        return self.protocol.averaged == "all" or self._labels[object_id].positive

    def _repairs(
        self, frame: str, counts: Counts, truth: IndexMask, prediction: Prediction
    ) -> dict[int, _Repair]:
        if not self._diagnosed or frame not in self.scored:
            return {}
        listed = set(self._labels) if self.protocol.objects == "listed" else set(find_ids(truth))
        repairs = {}
        for at in self._present(counts):
            # A protocol that averages all objects asks for all.
            active = self._is_averaged(at)
            if active and counts[0, at] == counts[1, at] == counts[2, at]:
                continue
            mask = mask_of(prediction, at)
            failure = diagnose(truth, at, mask, listed - {VOID}, active=active)
            if failure is None:
                continue
            own, mended = truth == at, failure.repaired
            repairs[at] = _Repair(
                mode=code_of(failure.mode),
                lies_on=failure.lies_on,
                prediction=int(np.count_nonzero(mended)),
                both=int(np.count_nonzero(own & mended)),
                values=self._of_pair(own, mended) if active else {},
            )
        return repairs

    def _of_pair(self, truth: BinaryMask, mask: BinaryMask) -> dict[str, float]:
        return {name: value(truth, mask) for name, value in self._measured.items()}

    def _pairs(
        self, frame: str, counts: Counts, truth: IndexMask, prediction: Prediction
    ) -> _Pairs | None:
        if self.protocol.matching != "best" or frame not in self.scored:
            return None
        ids = np.flatnonzero(counts[0, 1:]) + 1
        proposals = np.array(sorted(ids_of(prediction)), np.int64)
        values = {name: np.zeros((len(ids), len(proposals))) for name in self._measured}
        for row, column in np.ndindex(len(ids), len(proposals)):
            pair = (truth == ids[row], mask_of(prediction, int(proposals[column])))
            for name, value in self._of_pair(*pair).items():
                values[name][row, column] = value
        shared = shared_pixels(truth, prediction, ids, proposals)
        return _Pairs(tuple(ids.tolist()), tuple(proposals.tolist()), shared, values)

    def result(self) -> SequenceResult:
        """What was found. Raises `InputError` where frames are missing, and for predictions that the
        protocol refuses.
        """
        if self.missing:
            raise refuse(
                f"lacks {len(self.missing)} of its frames, such as {self.missing[0]}",
                self.sequence.folder,
                "give every frame of the sequence to the scorer",
            )
        counts = np.zeros((len(self.scored), 3, 256), np.int64)
        for at, frame in enumerate(self.scored):
            counts[at] = self._frames[frame].counts
        first = self._frames[self.needed[0]].counts if self.needed else counts.sum(axis=0)
        ids = self._ids(first, counts)
        tally = self._odd(first, counts, ids)
        if self.protocol.matching == "best":
            return self._matched(ids, counts, tally)
        truth, prediction, both = (counts[:, part][:, list(ids)] for part in range(3))
        values = {name: np.ones(truth.shape) for name in self._measured}
        for row, frame in enumerate(self.scored):
            for column, object_id in enumerate(ids):
                for name, value in self._frames[frame].values.get(object_id, {}).items():
                    values[name][row, column] = value
        result = SequenceResult(
            self.sequence,
            ids,
            self.scored,
            counts[:, 0].sum(axis=1),
            truth,
            prediction,
            both,
            values,
            counted_in(self.protocol, truth, prediction),
            self._true_ids,
            _ids_with_pixels(counts[:, 1]),
            tally,
        )
        return replace(result, repairs=self._joined(result)) if self._diagnosed else result

    @property
    def _true_ids(self) -> frozenset[int]:
        """All ids in the true masks so far, including the void one."""
        frames = self._frames.values()
        known = _ids_with_pixels(np.array([of.counts[0] for of in frames]).reshape(-1, 256))
        return known | {VOID} if any(of.void for of in frames) else known

    def _joined(self, result: SequenceResult) -> Repairs:
        """The repairs of all frames; where nothing is wrong, they are as the result."""
        mode, lies_on = np.zeros_like(result.truth), np.zeros_like(result.truth)
        prediction, both = result.prediction.copy(), result.both.copy()
        values = {name: of.copy() for name, of in result.values.items()}
        for row, frame in enumerate(self.scored):
            for column, object_id in enumerate(result.ids):
                repair = self._frames[frame].repairs.get(object_id)
                if repair is None:
                    continue
                mode[row, column], lies_on[row, column] = repair.mode, repair.lies_on
                prediction[row, column], both[row, column] = repair.prediction, repair.both
                for name, value in repair.values.items():
                    values[name][row, column] = value
        return Repairs(mode, lies_on, prediction, both, values)

    def _ids(self, first: Counts, scored: NDArray[np.int64]) -> tuple[int, ...]:
        if self.protocol.objects == "listed":
            return tuple(sorted(self.sequence.object_ids))
        if self.protocol.objects == "one foreground":
            return (1,)
        if self.protocol.objects == "first frame":
            known = np.flatnonzero(first[0, 1:]) + 1
            return tuple(range(1, int(known.max(initial=0)) + 1))
        return tuple((np.flatnonzero(scored[:, 0, 1:].any(axis=0)) + 1).tolist())

    def _odd(self, first: Counts, counts: NDArray[np.int64], ids: tuple[int, ...]) -> Counter[str]:
        """Counts of what is odd about scored frames; `InputError` where the protocol says so.

        first: of the first frame that is known.
        """
        predicted = counts[:, 1, 1:] > 0
        true = (np.flatnonzero(counts[:, 0, 1:].any(axis=0)) + 1).tolist()
        foreign = [
            at for at in (np.flatnonzero(predicted.any(axis=0)) + 1).tolist() if at not in ids
        ]
        judged = bool(ids) and predicted[:, [at - 1 for at in ids]].any()
        # Where nothing fits, `checks` says more about it.
        if foreign and self.protocol.extra_ids == "refused" and judged:
            raise refuse(
                f"predicts the ids {', '.join(map(str, foreign[:8]))}, which none of its "
                f"{len(ids)} objects has",
                self.sequence.folder,
                "remove them, or score by another --protocol",
            )
        return Counter(
            empty_predictions=int((~predicted.any(axis=1)).sum()),
            frames_with_extra_ids=int(
                predicted[:, [at - 1 for at in foreign]].any(axis=1).sum() if foreign else 0
            ),
            objects_that_come_late=sum(not first[0, at] for at in true),
            objects_left_out=len(set(true) - set(ids)),
            sequences_without_scored_frames=int(not self.scored),
            sequences_without_objects=int(bool(self.scored) and not ids),
            **{self._void_key(ids): sum(self._frames[frame].void for frame in self.scored)},
        )

    def _void_key(self, ids: tuple[int, ...]) -> str:
        """What to count void pixels as, by what they are taken for."""
        if self.protocol.void != "an id":
            how = "cleared" if self.protocol.void == "cleared" else "as_background"
        elif self.protocol.objects == "one foreground":
            how = "as_the_object"
        else:
            how = "as_an_object" if VOID in ids else "as_no_object"
        return f"void_pixels_{how}"

    def _matched(
        self, ids: tuple[int, ...], counts: NDArray[np.int64], tally: Counter[str]
    ) -> SequenceResult:
        """The result with the best proposal for each object."""
        from scipy.optimize import linear_sum_assignment

        most, allowed = max(_ids_with_pixels(counts[:, 1]), default=0), self.protocol.most_proposals
        # Where true masks hold void pixels alone, `checks` says so.
        if allowed is not None and most > allowed and self._true_ids != {VOID}:
            raise refuse(
                f"has a proposal numbered {most}; the protocol allows {allowed} proposals",
                self.sequence.folder,
                "keep the best ones, numbered from 1",
            )
        # Objects that get no proposal get one without a pixel.
        shape = (len(self.scored), len(ids), max(most, len(ids)))
        true, areas = counts[:, 0, 1 : len(ids) + 1], counts[:, 0].sum(axis=1)
        proposed = counts[:, 1, 1 : shape[2] + 1]
        truth = np.repeat(true[:, :, None], shape[2], axis=2)
        prediction = np.repeat(proposed[:, None], len(ids), axis=1)
        shared = np.zeros(shape, np.int64)
        values = {
            name: np.where(
                truth > 0,
                blank_value(name, true, areas)[:, :, None],
                blank_value(name, proposed, areas)[:, None],
            )
            for name in self._measured
        }
        for row, frame in enumerate(self.scored):
            pairs = self._frames[frame].pairs
            assert pairs is not None, "every scored frame of a matching protocol has pairs"
            known = [at for at, one in enumerate(pairs.ids) if one in ids]
            place = np.ix_([pairs.ids[at] - 1 for at in known], [at - 1 for at in pairs.proposals])
            shared[row][place] = pairs.shared[known]
            for name in values:
                values[name][row][place] = pairs.values[name][known]
        union = truth + prediction - shared
        region = np.where(union > 0, shared / np.maximum(union, 1), 1.0)
        worth = region + values["f"] if "f" in values else region
        rows, columns = linear_sum_assignment(-worth.mean(axis=0)) if ids else ((), ())
        pick = (slice(None), list(rows), list(columns))
        return SequenceResult(
            self.sequence,
            ids,
            self.scored,
            areas,
            truth[pick],
            prediction[pick],
            shared[pick],
            {name: value[pick] for name, value in values.items()},
            np.ones(truth[pick].shape, bool),
            self._true_ids,
            _ids_with_pixels(counts[:, 1]),
            tally,
        )


def _ids_with_pixels(counts: NDArray[np.int64]) -> frozenset[int]:
    """counts: (F, 256) pixels of each id."""
    return frozenset((np.flatnonzero(counts[:, 1:].any(axis=0)) + 1).tolist())
