"""Predictions on disk: folders of index masks, folders of one mask for each object, COCO RLE."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from actiseg_data.errors import Problems, refuse
from actiseg_data.layouts.actionvos import MASKS, SUBSETS
from actiseg_data.masks import MAX_SIDE, read_index_mask
from actiseg_data.records import PREDICTIONS_FILE
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import Cursor, read_json, whole_number
from actiseg_eval.bits import BinaryMask
from actiseg_eval.prediction import Prediction
from actiseg_eval.rle import decode_rle

_BLENDED = 16
"""So many ids that no object has come from blending ids, as resampling and anti-aliasing do."""


@dataclass(frozen=True)
class _Place:
    """Where a sequence's predictions lie. frames: names of index masks. objects: instead of them,
    for each object id the names of its masks."""

    folder: Path
    frames: frozenset[str]
    objects: Mapping[int, frozenset[str]]


@dataclass(frozen=True)
class FolderPredictions:
    """Predictions in folders, listed once.

    places: by sequence. tally: of what is there and belongs to no sequence or frame.
    """

    root: Path
    places: Mapping[str, _Place]
    tally: Counter[str] = field(default_factory=Counter)

    def has(self, sequence: Sequence, frame: str) -> bool:
        """Whether there is a prediction of a frame."""
        place = self.places.get(sequence.folder)
        return place is not None and (
            frame in place.frames or any(frame in names for names in place.objects.values())
        )

    def where(self, sequence: Sequence, frame: str) -> Path:
        """The file of a frame, or where it is looked for."""
        place = self.places.get(sequence.folder)
        folder = self.root / sequence.folder if place is None else place.folder
        objects = () if place is None or place.frames else sorted(place.objects)
        return folder.joinpath(*map(str, objects[:1]), f"{frame}.png")

    def read(self, sequence: Sequence, frame: str, shape: tuple[int, ...]) -> Prediction:
        """The prediction of a frame that there is.

        shape: of the truth. Raises `Refused` with all of its faults.
        """
        place = self.places[sequence.folder]
        if place.frames:
            path = place.folder / f"{frame}.png"
            mask = read_index_mask(path)
            refuse_size(mask.shape, shape, path)
            return mask
        layers: dict[int, BinaryMask] = {}
        problems = Problems()
        for object_id, names in place.objects.items():
            if frame in names:
                with problems.caught():
                    path = place.folder / str(object_id) / f"{frame}.png"
                    layer = read_index_mask(path)
                    refuse_size(layer.shape, shape, path)
                    layers[object_id] = layer > 0
        problems.raise_if_any()
        return layers


@dataclass(frozen=True)
class RlePredictions:
    """Predictions in a JSON file, checked; masks by sequence, frame and object id. tally: as in
    `FolderPredictions`."""

    file: Path
    masks: Mapping[str, Mapping[str, Mapping[int, tuple[str | list[int], int, int]]]]
    tally: Counter[str] = field(default_factory=Counter)

    def has(self, sequence: Sequence, frame: str) -> bool:
        """Whether there is a prediction of a frame: in a sequence that the file has, no mask of a
        frame is a prediction, too, of nothing."""
        return sequence.folder in self.masks

    def where(self, sequence: Sequence, frame: str) -> str:
        """The place of a frame, for messages."""
        return f"{self.file}: {sequence.folder}, {frame}"

    def read(self, sequence: Sequence, frame: str, shape: tuple[int, ...]) -> Prediction:
        """See `FolderPredictions.read`."""
        layers: dict[int, BinaryMask] = {}
        problems = Problems()
        for object_id, (counts, height, width) in (
            self.masks[sequence.folder].get(frame, {}).items()
        ):
            place = f"{self.where(sequence, frame)}, object {object_id}"
            with problems.caught():
                refuse_size((height, width), shape, place)
                try:
                    layers[object_id] = decode_rle(counts, height, width)
                except ValueError as error:
                    raise refuse(str(error), place, "encode the mask again") from None
        problems.raise_if_any()
        return layers or np.zeros(shape, np.uint8)


Predictions: TypeAlias = "FolderPredictions | RlePredictions"


def refuse_blended(predicted: Iterable[int], sequence: Sequence, where: object) -> None:
    """Refuse a prediction with many ids that no object has.

    predicted: its ids. sequence: the list's; nothing can be told without objects.
    """
    foreign = set(predicted) - sequence.object_ids
    if sequence.objects and len(foreign) >= _BLENDED:
        raise refuse(
            f"holds {len(foreign)} ids that no object has: ids were blended, by resampling or "
            "anti-aliasing",
            where,
            "write masks at the frames' size, resampled by nearest neighbour",
        )


def refuse_size(size: tuple[int, ...], wanted: tuple[int, ...], where: object) -> None:
    """Refuse a prediction of another size than the truth's."""
    if size != wanted:
        raise refuse(
            f"has {size[1]} x {size[0]} pixels, the truth {wanted[1]} x {wanted[0]}",
            where,
            "predict at the frames' size, or resample by nearest neighbour",
        )


def open_predictions(path: Path, sequences: Iterable[Sequence]) -> Predictions:
    """List the predictions of a split; masks are not decoded here.

    sequences: all of the split. path: a folder ``[train|val]/<sequence>/<frame>.png`` of index
    masks; or ``<sequence>/<object id>/<frame>.png`` of binary masks; or a JSON list of
    ``{"sequence", "frame", "object_id", "segmentation": {"size": [height, width], "counts"}}``; or
    a dataset in the ActionVOS layout, for its masks. Raises `Refused` where there is nothing of the
    sequences.
    """
    sequences = list(sequences)
    if path.suffix.lower() == ".json":
        return _open_rle(path, sequences)
    if not path.is_dir():
        raise refuse(
            "there is no such folder", path, "give a folder of predictions, or a .json of COCO RLE"
        )
    found = _listed(path)
    if MASKS in found:
        path = found[MASKS]
        found = _listed(path)
    for subset in SUBSETS:
        if subset in found:
            found = {**_listed(path / subset), **found}
    places: dict[str, _Place] = {}
    tally: Counter[str] = Counter()
    known: set[str] = set()
    for sequence in sequences:
        names = (sequence.folder, sequence.folder.replace(":", "%3A"))
        folder = next((found[name] for name in names if name in found), None)
        known.update(names)
        if folder is not None:
            place = _place(folder)
            places[sequence.folder] = place
            wanted = set(sequence.frames)
            present = place.frames.union(*place.objects.values())
            tally["extra_files"] += len(present - wanted)
    extra = set(found) - known - set(SUBSETS)
    tally["extra_sequences"] = len(extra)
    if not places:
        held = ", ".join(sorted(extra)[:3]) or "nothing"
        raise refuse(
            f"has no prediction of the {len(sequences)} sequences of the split (it holds {held})",
            path,
            "give predictions of this split, or the right --split",
        )
    return FolderPredictions(path, places, tally)


def _listed(folder: Path) -> dict[str, Path]:
    """The folders in a folder, by name."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: Path(entry.path) for entry in entries if entry.is_dir()}
    except OSError as error:
        raise refuse(f"cannot be listed ({error.strerror})", folder, "check it") from None


def _place(folder: Path) -> _Place:
    try:
        with os.scandir(folder) as entries:
            listed = [(entry.name, entry.is_dir()) for entry in entries]
    except OSError as error:
        raise refuse(f"cannot be listed ({error.strerror})", folder, "check it") from None
    frames = frozenset(name[:-4] for name, _ in listed if name.endswith(".png"))
    objects = {}
    if not frames:
        for name, is_folder in listed:
            object_id = whole_number(name) if is_folder else None
            if object_id is not None and 1 <= object_id <= 255 and str(object_id) == name:
                files = (folder / name).glob("*.png")
                objects[object_id] = frozenset(path.stem for path in files)
    return _Place(folder, frames, objects)


def _open_rle(path: Path, sequences: list[Sequence]) -> RlePredictions:
    masks: dict[str, dict[str, dict[int, tuple[str | list[int], int, int]]]] = {}
    frames = {sequence.folder: set(sequence.frames) for sequence in sequences}
    tally: Counter[str] = Counter()
    problems = Problems()
    for cursor in Cursor(read_json(path, "file of predictions"), str(path)).elements():
        with problems.caught():
            folder, frame = cursor["sequence"].text(), cursor["frame"].text()
            object_id = cursor["object_id"].integer()
            if not 1 <= object_id <= 255:
                raise refuse(f"{object_id} is no object id", cursor.where, "use 1 to 255")
            of_frame = masks.setdefault(folder, {}).setdefault(frame, {})
            if object_id in of_frame:
                raise refuse("stands there twice", cursor.where, "keep one mask of each object")
            of_frame[object_id] = _segmentation(cursor["segmentation"])
            if folder not in frames:
                tally["extra_sequences"] += 1
            elif frame not in frames[folder]:
                tally["extra_files"] += 1
    problems.raise_if_any()
    if not frames.keys() & masks.keys():
        raise refuse(
            f"has no prediction of the {len(frames)} sequences of the split",
            path,
            "give predictions of this split, or the right --split",
        )
    return RlePredictions(path, masks, tally)


def _segmentation(cursor: Cursor) -> tuple[str | list[int], int, int]:
    size = [element.integer() for element in cursor["size"].elements()]
    if len(size) != 2 or not all(0 < side <= MAX_SIDE for side in size):
        raise refuse(f"the size is {size}", cursor.where, "give [height, width] in pixels")
    counts: Any = cursor["counts"].value
    if not isinstance(counts, str):
        counts = [element.integer() for element in cursor["counts"].elements()]
    return counts, size[0], size[1]


def predictions_note(path: Path) -> Path | None:
    """The note that a folder of predictions carries; None where it carries none."""
    note = path / PREDICTIONS_FILE
    return note if path.is_dir() and note.is_file() else None
