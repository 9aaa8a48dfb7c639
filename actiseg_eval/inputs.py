"""Predictions on disk: folders of index masks, folders of one mask for each object, COCO RLE."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.errors import Problems, refuse
from actiseg_data.layouts.actionvos import MASKS, SUBSETS
from actiseg_data.masks import MAX_SIDE, read_binary_mask, read_coloured_mask
from actiseg_data.records import PREDICTIONS_FILE
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import Cursor, read_json, shown, whole_number
from actiseg_eval.bits import BinaryMask
from actiseg_eval.colours import TrueColours, refuse_recoloured
from actiseg_eval.prediction import Prediction, ids_of
from actiseg_eval.rle import decode_rle

_BLENDED = 32
"""So many ids that no object has come from blending ids, as resampling and anti-aliasing do."""


@dataclass(frozen=True)
class _Place:
    """Where a sequence's predictions lie. frames: names of index masks. objects: instead of them,
    for each object id the folder and the names of its masks."""

    folder: Path
    frames: frozenset[str]
    objects: Mapping[int, tuple[Path, frozenset[str]]]

    def lacking(self, frame: str) -> list[Path]:
        """The files that a frame should have and that are not there."""
        name = f"{frame}.png"
        if not self.objects:
            return [] if frame in self.frames else [self.folder / name]
        return [folder / name for folder, names in self.objects.values() if frame not in names]


@dataclass(frozen=True)
class FolderPredictions:
    """Predictions in folders, listed once.

    places: by sequence. tally: of what is there and belongs to no sequence or frame.
    """

    root: Path
    places: Mapping[str, _Place]
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def place(self) -> Path:
        """The folder."""
        return self.root

    def lacking(self, sequence: Sequence, frame: str) -> list[str]:
        """The files of a frame that are not there, one for each object in folders of objects."""
        place = self.places.get(sequence.folder)
        if place is None:
            return [str(self.root / sequence.folder / f"{frame}.png")]
        return [str(path) for path in place.lacking(frame)]

    def where(self, sequence: Sequence, frame: str) -> str:
        """The place of a frame, for messages."""
        place = self.places.get(sequence.folder)
        folder = self.root / sequence.folder if place is None else place.folder
        if place is not None and place.objects:
            return f"{folder}, {frame}"
        return str(folder / f"{frame}.png")

    def read(
        self,
        sequence: Sequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """What there is of a frame; nothing where it lacks.

        shape, colours: of the truth. Raises `Refused` with all of its faults, and for an index mask
        in the colours of other ids, where the true colours are given.
        """
        place = self.places.get(sequence.folder)
        if place is None or (not place.objects and frame not in place.frames):
            return {}
        if not place.objects:
            path = place.folder / f"{frame}.png"
            mask, palette = read_coloured_mask(path)
            refuse_size(mask.shape, shape, path)
            if colours is not None:
                refuse_recoloured(mask, palette, colours, path)
            return mask
        layers: dict[int, BinaryMask] = {}
        problems = Problems()
        for object_id, (folder, names) in place.objects.items():
            if frame in names:
                with problems.caught():
                    layer = read_binary_mask(folder / f"{frame}.png")
                    refuse_size(layer.shape, shape, folder / f"{frame}.png")
                    layers[object_id] = layer
        problems.raise_if_any()
        return layers


@dataclass(frozen=True)
class RlePredictions:
    """Predictions in a JSON file, checked; masks by sequence, frame and object id. tally: as in
    `FolderPredictions`."""

    file: Path
    masks: Mapping[str, Mapping[str, Mapping[int, tuple[str | list[int], int, int]]]]
    tally: Counter[str] = field(default_factory=Counter)

    @property
    def place(self) -> Path:
        """The file."""
        return self.file

    def lacking(self, sequence: Sequence, frame: str) -> list[str]:
        """A frame of a sequence that the file does not have. Where it has the sequence, a frame
        without a mask is a prediction, too, of nothing."""
        return [] if sequence.folder in self.masks else [self.where(sequence, frame)]

    def where(self, sequence: Sequence, frame: str) -> str:
        """The place of a frame, for messages."""
        return f"{self.file}: {sequence.folder}, {frame}"

    def read(
        self,
        sequence: Sequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """See `FolderPredictions.read`; masks in JSON have no colours."""
        layers: dict[int, BinaryMask] = {}
        problems = Problems()
        found = self.masks.get(sequence.folder, {}).get(frame, {})
        for object_id, (counts, height, width) in found.items():
            place = f"{self.where(sequence, frame)}, object {object_id}"
            with problems.caught():
                refuse_size((height, width), shape, place)
                try:
                    layers[object_id] = decode_rle(counts, height, width)
                except ValueError as error:
                    raise refuse(str(error), place, "encode the mask again") from None
        problems.raise_if_any()
        return layers


Predictions: TypeAlias = "FolderPredictions | RlePredictions"


def refuse_blended(prediction: Prediction, known: Set[int], where: object) -> None:
    """Refuse an index mask with many ids that no object has.

    known: ids of objects.
    """
    if isinstance(prediction, Mapping) or int(prediction.max(initial=0)) < _BLENDED:
        return
    foreign = ids_of(prediction) - known
    if len(foreign) >= _BLENDED:
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
    problems = Problems()
    for sequence in sequences:
        names = (sequence.folder, sequence.folder.replace(":", "%3A"))
        folder = next((found[name] for name in names if name in found), None)
        known.update(names)
        if folder is not None:
            with problems.caught():
                places[sequence.folder] = _place(folder, set(sequence.frames), tally)
    problems.raise_if_any()
    extra = sorted(set(found) - known - set(SUBSETS))
    tally["extra_sequences"] = len(extra)
    if not places:
        held = ", ".join(map(shown, extra[:3])) or "no folder"
        cure = "give predictions of this split, or the right --split"
        if any(path.glob("*.png")):
            cure = "give the folder that holds the folder of each sequence"
        raise refuse(
            f"has no prediction of the {len(sequences)} sequences of the split (it holds {held})",
            path,
            cure,
        )
    return FolderPredictions(path, places, tally)


def _listed(folder: Path) -> dict[str, Path]:
    """The folders in a folder, by name."""
    return {name: folder / name for name, is_folder in _entries(folder) if is_folder}


def _entries(folder: Path) -> list[tuple[str, bool]]:
    try:
        with os.scandir(folder) as entries:
            return [(entry.name, entry.is_dir()) for entry in entries]
    except OSError as error:
        raise refuse(f"cannot be listed ({error.strerror})", folder, "check it") from None


def _place(folder: Path, wanted: set[str], tally: Counter[str]) -> _Place:
    """What a sequence's folder holds: index masks of its frames, or else folders of objects, named
    by their ids, with or without leading zeros."""
    entries = _entries(folder)
    frames = frozenset(name[:-4] for name, _ in entries if name.endswith(".png"))
    folders = [name for name, is_folder in entries if is_folder]
    tally["extra_files"] += len(frames - wanted)
    if frames & wanted or not folders:
        return _Place(folder, frames, {})
    objects: dict[int, tuple[Path, frozenset[str]]] = {}
    problems = Problems()
    for name in sorted(folders):
        object_id = whole_number(name)
        if object_id is None:
            tally["extra_files"] += 1
        elif not 1 <= object_id <= 255 or object_id in objects:
            twice = "stands there twice" if object_id in objects else "is no object id, 1 to 255"
            problems.add(f"{shown(name)} {twice}", folder, "name folders by the object ids")
        else:
            listed = _entries(folder / name)
            names = frozenset(of[:-4] for of, _ in listed if of.endswith(".png"))
            tally["extra_files"] += len(names - wanted)
            objects[object_id] = (folder / name, names)
    problems.raise_if_any()
    return _Place(folder, frames, objects)


def _open_rle(path: Path, sequences: list[Sequence]) -> RlePredictions:
    masks: dict[str, dict[str, dict[int, tuple[str | list[int], int, int]]]] = {}
    frames = {sequence.folder: set(sequence.frames) for sequence in sequences}
    tally: Counter[str] = Counter()
    problems = Problems()
    for cursor in Cursor(read_json(path, "file of predictions"), str(path)).elements():
        with problems.caught():
            folder, frame = cursor["sequence"].text(), _stem(cursor["frame"].text())
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
    for folder in frames.keys() & masks.keys():
        if not frames[folder] & masks[folder].keys():
            problems.add(
                f"none of its frames of {folder} is in the list, such as "
                f"{shown(next(iter(masks[folder])))}",
                path,
                "name frames as the list does",
            )
    problems.raise_if_any()
    if not frames.keys() & masks.keys():
        raise refuse(
            f"has no prediction of the {len(frames)} sequences of the split",
            path,
            "give predictions of this split, or the right --split",
        )
    return RlePredictions(path, masks, tally)


def _stem(name: str) -> str:
    """A frame's name without the ending of an image."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and ending.lower() in ("png", "jpg", "jpeg") else name


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
