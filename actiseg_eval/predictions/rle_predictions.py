"""Predictions in a JSON list of COCO RLE masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.annotations.coco_rle import decode_rle
from actiseg_data.annotations.masks import MAX_SIDE
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, Problem, ProblemCollector, refuse
from actiseg_data.core.names import format_name
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.spelling import match_names
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.prediction import LayeredPrediction, Prediction
from actiseg_eval.predictions.palettes import TrueColours
from actiseg_eval.predictions.prediction_checks import (
    EXAMPLES,
    RESPELLED,
    index_names,
    refuse_other_frames,
    refuse_other_sequences,
    refuse_size,
)
from actiseg_eval.predictions.prediction_formats import Predictions

_EncodedMask: TypeAlias = "tuple[str | list[int], int, int]"
"""Runs, height, width."""

_FrameMasks: TypeAlias = "dict[str, dict[int, _EncodedMask]]"
"""Masks by frame and object id."""

_LIST_HINT = 'give a list of {"sequence", "frame", "object_id", "segmentation"}'


@dataclass(frozen=True)
class RlePredictions(Predictions):
    """Predictions in a JSON file, checked but not decoded.

    Attributes
    ----------
    place, tally, extra
        See `Predictions`.
    masks : mapping of str to mapping of str to mapping of int to tuple
        The encoded masks by sequence, frame and object id.
    """

    masks: Mapping[str, Mapping[str, Mapping[int, _EncodedMask]]]

    def list_missing(self, sequence: VideoSequence, frame: str) -> list[str]:
        """List a frame whose sequence is missing.

        If the file has the sequence, a frame without masks is a blank prediction.
        """
        return [] if sequence.folder in self.masks else [self.name_place(sequence, frame)]

    def name_place(self, sequence: VideoSequence, frame: str) -> str:
        """Return the place of a frame, for messages."""
        return f"{self.place}: {sequence.folder}, {frame}"

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """Decode the prediction of a frame.

        `colours` is ignored: masks in JSON have none.
        """
        layers: dict[int, BinaryMask] = {}
        problems = ProblemCollector()
        encoded = self.masks.get(sequence.folder, {}).get(frame, {})
        for object_id, (counts, height, width) in encoded.items():
            where = f"{self.name_place(sequence, frame)}, object {object_id}"
            with problems.collect():
                refuse_size((height, width), shape, where)
                try:
                    layers[object_id] = decode_rle(counts, height, width)
                except InputError:
                    raise
                except ValueError as error:
                    raise refuse(str(error), where, "encode the mask again") from None
        problems.raise_if_any()
        return LayeredPrediction(layers, shape)


def open_rle(path: Path, sequences: list[VideoSequence]) -> RlePredictions:
    """Read and check a JSON list of masks; masks are not decoded here.

    Parameters
    ----------
    path : Path
        A list of ``{"sequence", "frame", "object_id", "segmentation": {"size": [height, width],
        "counts"}}``.
    sequences : list of VideoSequence
        All sequences of the split.

    Raises
    ------
    InputError
        With all invalid entries, a single one for entries with the same fault; for ambiguous names;
        and if the list has none of the sequences.
    """
    document = read_json(path, "file of predictions")
    _refuse_other_document(document, path)
    if not isinstance(document, list):
        raise refuse("is not a list", path, _LIST_HINT)
    listed = _parse_entries(Cursor(document, str(path)))
    problems = ProblemCollector()
    matches = match_names((sequence.folder for sequence in sequences), listed.keys())
    matches.add_clashes(path, problems)
    extra = sorted(listed.keys() - set(matches.names.values()))
    tally = Counter(extra_sequences=len(extra))
    tally[RESPELLED] += matches.respelled
    masks: dict[str, _FrameMasks] = {}
    for sequence in sequences:
        if sequence.folder in matches.names:
            with problems.collect():
                by_frame = listed[matches.names[sequence.folder]]
                masks[sequence.folder] = _match_frames(path, sequence, by_frame, tally)
    problems.raise_if_any()
    names = index_names(extra)
    if not masks:
        contents = ", ".join(map(format_name, extra[:EXAMPLES])) or "nothing"
        wanted = [sequence.folder for sequence in sequences]
        raise refuse_other_sequences(path, wanted, contents, names)
    return RlePredictions(path, tally, names, masks)


def _parse_entries(document: Cursor) -> dict[str, _FrameMasks]:
    """Return the encoded masks by sequence, frame and object id."""
    listed: dict[str, _FrameMasks] = {}
    faults = ProblemCollector()
    for cursor in document.iterate_elements():
        with faults.collect():
            folder, frame = cursor["sequence"].as_text(), cursor["frame"].as_text()
            object_id = cursor["object_id"].as_integer()
            if not 1 <= object_id <= 255:
                raise refuse(f"{object_id} is not an object id", cursor.where, "use 1 to 255")
            masks = listed.setdefault(folder, {}).setdefault(frame, {})
            if object_id in masks:
                raise refuse("appears twice", cursor.where, "keep one mask for each object")
            masks[object_id] = _parse_segmentation(cursor["segmentation"])
    problems = ProblemCollector()
    problems.collected += _merge_faults(faults)
    problems.raise_if_any()
    return listed


def _parse_segmentation(cursor: Cursor) -> _EncodedMask:
    size = [element.as_integer() for element in cursor["size"].iterate_elements()]
    if len(size) != 2 or not all(0 < side <= MAX_SIDE for side in size):
        raise refuse(f"the size is {size}", cursor.where, "give [height, width] in pixels")
    counts: Any = cursor["counts"].value
    if not isinstance(counts, str):
        counts = [element.as_integer() for element in cursor["counts"].iterate_elements()]
    return counts, size[0], size[1]


def _merge_faults(faults: ProblemCollector) -> list[Problem]:
    """Merge the same fault in several entries into one problem.

    A script that writes one entry incorrectly writes all of them incorrectly.
    """
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in faults.collected:
        member = problem.where.rpartition("]")[2]
        what = problem.what if not member else problem.what.partition(", not ")[0]
        groups.setdefault((member, what), []).append(problem)
    return [
        replace(first, what=f"{first.what}; {len(more)} more entries have this fault")
        if more
        else first
        for first, *more in groups.values()
    ]


def _match_frames(
    path: Path, sequence: VideoSequence, listed: _FrameMasks, tally: Counter[str]
) -> _FrameMasks:
    """Return the masks by the frames of the sequence; names may have the ending of an image."""
    where = f"{path}: {sequence.folder}"
    plain = {_strip_suffix(name): name for name in listed}
    problems = ProblemCollector()
    if len(plain) < len(listed):
        problems.add("has a frame with two endings", where, "keep one")
    matches = match_names(sequence.frames, plain.keys())
    matches.add_clashes(where, problems)
    problems.raise_if_any()
    if not matches.names:
        raise refuse_other_frames(where, listed, sequence.frames)
    tally[RESPELLED] += matches.respelled
    tally["extra_files"] += len(plain) - len(matches.names)
    return {frame: listed[plain[name]] for frame, name in matches.names.items()}


def _strip_suffix(name: str) -> str:
    """Return a frame's name without the ending of an image."""
    stem, dot, suffix = name.rpartition(".")
    return stem if dot and suffix.lower() in ("png", "jpg", "jpeg") else name


def _refuse_other_document(document: Any, path: Path) -> None:
    """Raise `InputError` for JSON of another kind: COCO results, annotations of a dataset."""
    first = document[0] if isinstance(document, list) and document else document
    if isinstance(first, dict) and "sequence" not in first:
        kind = recognise_dataset(path)
        if kind is not None:
            raise refuse(f"is {kind}", path, _LIST_HINT)
