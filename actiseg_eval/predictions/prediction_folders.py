"""Predictions in folders: index masks, or folders with the masks of one object each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.masks import read_binary_mask, read_coloured_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.listing import Entry, is_possible_folder, list_folder
from actiseg_data.core.names import format_name, parse_whole_number
from actiseg_data.layouts.spelling import match_names
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.prediction import (
    IndexPrediction,
    LayeredPrediction,
    Prediction,
    make_blank_prediction,
)
from actiseg_eval.predictions.palettes import TrueColours, refuse_recoloured
from actiseg_eval.predictions.prediction_checks import (
    IMAGE_SUFFIXES,
    LOSSY_SUFFIXES,
    RESPELLED,
    is_png,
    refuse_other_frames,
    refuse_size,
)
from actiseg_eval.predictions.prediction_formats import Predictions


@dataclass(frozen=True)
class SequenceFolder:
    """The prediction files of one sequence.

    Attributes
    ----------
    folder : Path
    frames : mapping of str to str
        The file name of each index mask by frame.
    objects : mapping of int to (Path, mapping of str to str)
        Instead of index masks: for each object id a folder, and its file names by frame.
    """

    folder: Path
    frames: Mapping[str, str]
    objects: Mapping[int, tuple[Path, Mapping[str, str]]]

    def list_missing(self, frame: str) -> list[Path]:
        """List the files that a frame should have but does not have."""
        name = f"{frame}.png"
        if not self.objects:
            return [] if frame in self.frames else [self.folder / name]
        return [folder / name for folder, names in self.objects.values() if frame not in names]


@dataclass(frozen=True)
class FolderPredictions(Predictions):
    """Predictions in folders, listed once.

    Attributes
    ----------
    place, tally, extra
        See `Predictions`.
    folders : mapping of str to SequenceFolder
        The prediction files by sequence.
    """

    folders: Mapping[str, SequenceFolder]

    def list_missing(self, sequence: VideoSequence, frame: str) -> list[str]:
        """List the missing files of a frame: one per object, if objects have folders."""
        listed = self.folders.get(sequence.folder)
        if listed is None:
            return [str(self.place / sequence.folder / f"{frame}.png")]
        return [str(path) for path in listed.list_missing(frame)]

    def name_place(self, sequence: VideoSequence, frame: str) -> str:
        """Return the file or the folder of a frame, for messages."""
        listed = self.folders.get(sequence.folder)
        if listed is None:
            return str(self.place / sequence.folder / f"{frame}.png")
        if listed.objects:
            return f"{listed.folder}, {frame}"
        return str(listed.folder / listed.frames.get(frame, f"{frame}.png"))

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """Read the prediction of a frame; missing files are blank."""
        listed = self.folders.get(sequence.folder)
        if listed is None or (not listed.objects and frame not in listed.frames):
            return make_blank_prediction(shape)
        if not listed.objects:
            path = listed.folder / listed.frames[frame]
            mask, palette = read_coloured_mask(path)
            refuse_size(mask.shape, shape, path)
            if colours is not None:
                refuse_recoloured(mask, palette, colours, path)
            return IndexPrediction(mask)
        layers: dict[int, BinaryMask] = {}
        problems = ProblemCollector()
        for object_id, (folder, names) in listed.objects.items():
            if frame in names:
                with problems.collect():
                    layer = read_binary_mask(folder / names[frame])
                    refuse_size(layer.shape, shape, folder / names[frame])
                    layers[object_id] = layer
        problems.raise_if_any()
        return LayeredPrediction(layers, shape)


def list_sequence_folder(
    folder: Path, frames: tuple[str, ...], tally: Counter[str]
) -> SequenceFolder:
    """List the prediction files of a sequence.

    Parameters
    ----------
    folder : Path
        It has index masks of frames; or folders of objects, named by their ids, with or without
        leading zeros.
    frames : tuple of str
        The frames of the sequence.
    tally : Counter of str
        Updated with the numbers of extra files and of other spellings.

    Raises
    ------
    InputError
        For ambiguous names, folders that are not named by ids, JPEGs, and a folder with files of
        no frame.
    """
    entries = list_folder(folder)
    folders = [entry for entry in entries if is_possible_folder(entry)]
    names, files = _match_frames(folder, entries, frames, tally)
    if names or not folders:
        if files and not names:
            raise refuse_other_frames(folder, files, frames)
        return SequenceFolder(folder, names, {})
    objects: dict[int, tuple[Path, Mapping[str, str]]] = {}
    problems = ProblemCollector()
    object_files: list[str] = []
    for inner in folders:
        object_id = parse_whole_number(inner.name)
        if object_id is None:
            tally["extra_files"] += 1
        elif not 1 <= object_id <= 255 or object_id in objects:
            fault = "appears twice" if object_id in objects else "is not an object id from 1 to 255"
            problems.add(
                f"{format_name(inner.name)} {fault}", folder, "name folders by the object ids"
            )
        else:
            with problems.collect():
                entries = list_folder(inner.path)
                names, files = _match_frames(inner.path, entries, frames, tally)
                object_files += [f"{inner.name}/{name}" for name in files]
                objects[object_id] = (inner.path, names)
    problems.raise_if_any()
    if not objects:
        raise refuse_other_frames(folder, [f"{inner.name}/" for inner in folders], frames)
    if object_files and not any(names for _, names in objects.values()):
        raise refuse_other_frames(folder, object_files, frames)
    return SequenceFolder(folder, {}, objects)


def _match_frames(
    folder: Path, entries: list[Entry], frames: tuple[str, ...], tally: Counter[str]
) -> tuple[dict[str, str], list[str]]:
    """Return the file of each available frame, and the names of all images and arrays.

    Raise `InputError` for ambiguous names, and for frames with lossy images only.
    """
    names = (entry.name for entry in entries if not entry.is_folder)
    files = [name for name in names if name.lower().endswith(IMAGE_SUFFIXES)]
    masks = set(filter(is_png, files))
    matches = match_names((f"{frame}.png" for frame in frames), masks)
    problems = ProblemCollector()
    matches.add_clashes(folder, problems)
    missing = (f"{frame}.png" for frame in frames if f"{frame}.png" not in matches.names)
    lossy_files = {name for name in files if name.lower().endswith(LOSSY_SUFFIXES)}
    lossy = match_names(missing, lossy_files).names
    if lossy:
        problems.add(
            f"has {format_name(next(iter(lossy.values())))}: JPEG does not preserve ids",
            folder,
            "write masks as PNG",
        )
    problems.raise_if_any()
    tally[RESPELLED] += matches.respelled
    tally["extra_files"] += len(masks) - len(matches.names)
    return {name.removesuffix(".png"): file for name, file in matches.names.items()}, files
