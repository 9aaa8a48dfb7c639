"""Predictions on disk: folders of index masks, folders of one mask for each object, COCO RLE."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.annotations.masks import MAX_SIDE, read_binary_mask, read_coloured_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, Problem, ProblemCollector, refuse
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.listing import (
    Entry,
    describe_contents,
    is_possible_folder,
    list_files,
    list_folder,
    list_folders,
    list_possible_folders,
)
from actiseg_data.core.names import format_name, parse_whole_number
from actiseg_data.layouts.actionvos import MASKS, SUBSETS
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.spelling import match_names
from actiseg_data.records.prediction_note import PREDICTIONS_FILE
from actiseg_eval.measures.bits import BinaryMask
from actiseg_eval.measures.prediction import Prediction, ids_of
from actiseg_eval.predictions.coco_rle import decode_rle
from actiseg_eval.predictions.palettes import TrueColours, refuse_recoloured

_BLENDED = 32
"""So many ids that no object has come from blending ids, as resampling and anti-aliasing do."""

RESPELLED = "names_spelled_otherwise"
"""In tallies: files and folders that were taken under another spelling."""

DEEPER = "folders_around_predictions"
"""In tallies: how many levels below the named folder the predictions were."""

_DEEPEST = 3
_MOST_FOLDERS = 100
_FEW = 3
_LOSSY = (".jpg", ".jpeg")
_PICTURES = (".png", *_LOSSY, ".bmp", ".gif", ".tif", ".tiff", ".webp", ".npy", ".npz")
_NUMBER = re.compile(r"^[0-9]+_")
_PUNCTUATION = re.compile(r"[\W_]+")

_Mask: TypeAlias = "tuple[str | list[int], int, int]"
"""Runs, height, width."""

_Likeness: TypeAlias = Mapping[tuple[str, str], str]
"""Names by what they have in common with others: how they differ, and what is left then."""


@dataclass(frozen=True)
class _Place:
    """Where a sequence's predictions lie. frames: the file of each index mask. objects: instead of
    them, for each object id the folder and the files of its masks.
    """

    folder: Path
    frames: Mapping[str, str]
    objects: Mapping[int, tuple[Path, Mapping[str, str]]]

    def lacking(self, frame: str) -> list[Path]:
        """The files that a frame should have and that are not there."""
        name = f"{frame}.png"
        if not self.objects:
            return [] if frame in self.frames else [self.folder / name]
        return [folder / name for folder, names in self.objects.values() if frame not in names]


@dataclass(frozen=True)
class FolderPredictions:
    """Predictions in folders, listed once.

    places: by sequence. tally: of extra files and folders, and of other spellings. extra: names of
    folders that match no sequence.
    """

    root: Path
    places: Mapping[str, _Place]
    tally: Counter[str] = field(default_factory=Counter)
    extra: _Likeness = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """The folder."""
        return self.root

    def lacking(self, sequence: VideoSequence, frame: str) -> list[str]:
        """The files of a frame that are not there, one for each object in folders of objects."""
        place = self.places.get(sequence.folder)
        if place is None:
            return [str(self.root / sequence.folder / f"{frame}.png")]
        return [str(path) for path in place.lacking(frame)]

    def where(self, sequence: VideoSequence, frame: str) -> str:
        """The place of a frame, for messages."""
        place = self.places.get(sequence.folder)
        if place is None:
            return str(self.root / sequence.folder / f"{frame}.png")
        if place.objects:
            return f"{place.folder}, {frame}"
        return str(place.folder / place.frames.get(frame, f"{frame}.png"))

    def near(self, sequence: VideoSequence) -> str:
        """What to say of a sequence that is not there: which folder is like it."""
        return _near(sequence.folder, self.extra)

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """What there is of a frame; nothing where it lacks.

        shape, colours: of the truth. Raises `InputError` with all of its faults, and for an index mask
        in the colours of other ids, if the true colours are given.
        """
        place = self.places.get(sequence.folder)
        if place is None or (not place.objects and frame not in place.frames):
            return {}
        if not place.objects:
            path = place.folder / place.frames[frame]
            mask, palette = read_coloured_mask(path)
            refuse_size(mask.shape, shape, path)
            if colours is not None:
                refuse_recoloured(mask, palette, colours, path)
            return mask
        layers: dict[int, BinaryMask] = {}
        problems = ProblemCollector()
        for object_id, (folder, names) in place.objects.items():
            if frame in names:
                with problems.collect():
                    layer = read_binary_mask(folder / names[frame])
                    refuse_size(layer.shape, shape, folder / names[frame])
                    layers[object_id] = layer
        problems.raise_if_any()
        return layers


@dataclass(frozen=True)
class RlePredictions:
    """Predictions in a JSON file, checked; masks by sequence, frame and object id. tally, extra: as
    in `FolderPredictions`.
    """

    file: Path
    masks: Mapping[str, Mapping[str, Mapping[int, _Mask]]]
    tally: Counter[str] = field(default_factory=Counter)
    extra: _Likeness = field(default_factory=dict)

    @property
    def place(self) -> Path:
        """The file."""
        return self.file

    def lacking(self, sequence: VideoSequence, frame: str) -> list[str]:
        """A frame of a sequence that the file does not have. Where it has the sequence, a frame
        without a mask is a prediction, too, of nothing.
        """
        return [] if sequence.folder in self.masks else [self.where(sequence, frame)]

    def where(self, sequence: VideoSequence, frame: str) -> str:
        """The place of a frame, for messages."""
        return f"{self.file}: {sequence.folder}, {frame}"

    def near(self, sequence: VideoSequence) -> str:
        """See `FolderPredictions.near`."""
        return _near(sequence.folder, self.extra)

    def read(
        self,
        sequence: VideoSequence,
        frame: str,
        shape: tuple[int, ...],
        colours: TrueColours | None = None,
    ) -> Prediction:
        """See `FolderPredictions.read`; masks in JSON have no colours."""
        layers: dict[int, BinaryMask] = {}
        problems = ProblemCollector()
        found = self.masks.get(sequence.folder, {}).get(frame, {})
        for object_id, (counts, height, width) in found.items():
            place = f"{self.where(sequence, frame)}, object {object_id}"
            with problems.collect():
                refuse_size((height, width), shape, place)
                try:
                    layers[object_id] = decode_rle(counts, height, width)
                except ValueError as error:
                    raise refuse(str(error), place, "encode the mask again") from None
        problems.raise_if_any()
        return layers


Predictions: TypeAlias = "FolderPredictions | RlePredictions"


def refuse_blended(prediction: Prediction, known: Set[int], where: Path | str) -> None:
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


def refuse_size(size: tuple[int, ...], wanted: tuple[int, ...], where: Path | str) -> None:
    """Refuse a prediction of another size than the truth's."""
    if size != wanted:
        raise refuse(
            f"has {size[1]} x {size[0]} pixels, the truth {wanted[1]} x {wanted[0]}",
            where,
            "predict at the frames' size, or resample by nearest neighbour",
        )


def open_predictions(path: Path, sequences: Iterable[VideoSequence]) -> Predictions:
    """List the predictions of a split; masks are not decoded here.

    sequences: all of the split. path: a folder ``[train|val]/<sequence>/<frame>.png`` of index
    masks; or ``<sequence>/<object id>/<frame>.png`` of binary masks; or a folder around one of
    these; or a JSON list of ``{"sequence", "frame", "object_id", "segmentation": {"size": [height,
    width], "counts"}}``; or a dataset in the ActionVOS layout, for its masks.

    Another spelling of a name is taken if one name fits one, see
    `actiseg_data.layouts.spelling.match_names`, and counted. Raises `InputError` if there is nothing
    of the sequences, for ambiguous names, and for sequences with files of none of their frames.
    """
    sequences = list(sequences)
    if path.name.lower().endswith((".json", ".json.gz")):
        return _open_rle(path, sequences)
    if not path.is_dir():
        kind = recognise_dataset(path)
        what = "there is no such folder" if kind is None else f"is {kind}"
        if kind is None and path.exists():
            what = "is no folder"
        raise refuse_missing(path, what, "give a folder of predictions, or a .json of COCO RLE")
    root, found, tally = _find_predictions(path, sequences)
    matches = match_names((sequence.folder for sequence in sequences), found.keys())
    tally[RESPELLED] += matches.respelled
    places: dict[str, _Place] = {}
    problems = ProblemCollector()
    matches.add_clashes(root, problems)
    for sequence in sequences:
        if sequence.folder in matches.names:
            with problems.collect():
                folder = found[matches.names[sequence.folder]]
                places[sequence.folder] = _place(folder, sequence.frames, tally)
    problems.raise_if_any()
    extra = sorted(found.keys() - set(matches.names.values()))
    tally["extra_sequences"] = len(extra)
    return FolderPredictions(root, places, tally, _likeness(extra))


def _find_predictions(
    path: Path, sequences: list[VideoSequence]
) -> tuple[Path, dict[str, Path], Counter[str]]:
    """The folder that holds the predictions, and the folders in it: `path`, or the only one below
    it that has folders of the sequences. Raises `InputError` if there is none or several.
    """
    wanted = [sequence.folder for sequence in sequences]
    root, found = _listed(path)
    if not _fits(wanted, found):
        below = _find_below(path, wanted)
        if len(below) > 1:
            several = ", ".join(format_name(str(inner.relative_to(path))) for inner in below[:_FEW])
            raise refuse(
                f"holds predictions in several folders: {several}", path, f"give {below[0]}"
            )
        if not below:
            raise _nothing_of(path, sequences, found)
        root, found = _listed(below[0])
        return root, found, Counter({DEEPER: len(below[0].relative_to(path).parts)})
    return root, found, Counter()


def _fits(wanted: Iterable[str], found: Mapping[str, Path]) -> bool:
    matches = match_names(wanted, found.keys())
    return bool(matches.names or matches.clashes)


def _find_below(path: Path, wanted: list[str]) -> list[Path]:
    """The folders up to `_DEEPEST` levels below one that have folders of the sequences; those with
    photographs of them only if there is no other.
    """
    fitting: list[Path] = []
    level, looked = [path], 0
    for _ in range(_DEEPEST):
        inner = [entry.path for folder in level for entry in list_folders(folder)]
        looked += len(inner)
        if looked > _MOST_FOLDERS:  # the sequences of another split, not a few folders around
            break
        level = []
        for folder in inner:
            if _fits(wanted, _listed(folder)[1]):
                fitting.append(folder)
            else:
                level.append(folder)
    return [folder for folder in fitting if _holds_masks(folder, wanted)] or fitting


def _holds_masks(folder: Path, wanted: list[str]) -> bool:
    """Whether the first sequence in a folder has PNGs, or folders of objects."""
    _, found = _listed(folder)
    spelling = next(iter(match_names(wanted, found.keys()).names.values()), None)
    if spelling is None:
        return False
    return any(entry.is_folder or _is_png(entry.name) for entry in list_folder(found[spelling]))


def _nothing_of(
    path: Path, sequences: list[VideoSequence], found: Mapping[str, Path]
) -> InputError:
    """The refusal of a folder that holds nothing of the sequences, with a cure."""
    wanted = [sequence.folder for sequence in sequences]
    held = ", ".join(map(format_name, sorted(found)[:_FEW])) or describe_contents(path)
    what = _describe_others(wanted, held)
    if list_files(path, ".png"):
        if match_names(wanted, {path.absolute().name}).names:
            hint = f"give {path.absolute().parent}"
            return refuse("is the folder of one sequence", path, hint)
        return refuse(what, path, "give the folder that holds the folder of each sequence")
    if not found:
        kind = recognise_dataset(path)
        if kind is not None:
            return refuse(f"is {kind}", path, _RIGHT_SPLIT)
        documents = list_files(path, ".json", ".json.gz")
        if documents:
            hint = f"if it is a list of COCO RLE, give {documents[0].path}; else {_RIGHT_SPLIT}"
            return refuse(what, path, hint)
    return _refuse_others(path, wanted, held, _likeness(found))


def _refuse_others(place: Path, wanted: list[str], held: str, names: _Likeness) -> InputError:
    """The refusal of predictions of other sequences; it names one that is similar."""
    near = next(filter(None, (_near(name, names) for name in wanted)), "")
    hint = f"if it is the same clip, rename it; else {_RIGHT_SPLIT}" if near else _RIGHT_SPLIT
    return refuse(f"{_describe_others(wanted, held)}{near}", place, hint)


def _describe_others(wanted: list[str], held: str) -> str:
    return f"has no prediction of the {len(wanted)} sequences of the split (it holds {held})"


_RIGHT_SPLIT = "give predictions of this split, or the right --split"


def _likeness(names: Iterable[str]) -> _Likeness:
    return {key: name for name in names for key in _keys(name)}


def _keys(name: str) -> list[tuple[str, str]]:
    return [
        ("in capital letters", name.casefold()),
        ("in punctuation alone", _PUNCTUATION.sub("", name)),
        ("in its number alone", _NUMBER.sub("", name)),
    ]


def _near(wanted: str, names: _Likeness) -> str:
    """The end of a message about a missing sequence if a similar one is there."""
    for key in _keys(wanted):
        if key in names:
            return f"; {format_name(names[key])} differs from {format_name(wanted)} {key[0]}"
    return ""


def _listed(path: Path) -> tuple[Path, dict[str, Path]]:
    """The folders in a folder by name, including those in ``train`` and ``val``; and their root,
    which is another one for a dataset.
    """
    found = _possible_folders(path)
    if MASKS in found:
        path = found[MASKS]
        found = _possible_folders(path)
    for subset in SUBSETS:
        if subset in found and found[subset].is_dir():
            found = {**_possible_folders(found.pop(subset)), **found}
    return path, found


def _possible_folders(path: Path) -> dict[str, Path]:
    return {entry.name: entry.path for entry in list_possible_folders(path)}


def _place(folder: Path, frames: tuple[str, ...], tally: Counter[str]) -> _Place:
    """What a sequence's folder holds: index masks of its frames, or else folders of objects, named
    by their ids, with or without leading zeros.
    """
    entries = list_folder(folder)
    folders = [entry for entry in entries if is_possible_folder(entry)]
    names, files = _match_frames(folder, entries, frames, tally)
    if names or not folders:
        if files and not names:
            raise _other_names(folder, files, frames)
        return _Place(folder, names, {})
    objects: dict[int, tuple[Path, Mapping[str, str]]] = {}
    problems = ProblemCollector()
    held: list[str] = []
    for inner in folders:
        object_id = parse_whole_number(inner.name)
        if object_id is None:
            tally["extra_files"] += 1
        elif not 1 <= object_id <= 255 or object_id in objects:
            twice = "stands there twice" if object_id in objects else "is no object id, 1 to 255"
            problems.add(
                f"{format_name(inner.name)} {twice}", folder, "name folders by the object ids"
            )
        else:
            with problems.collect():
                entries = list_folder(inner.path)
                names, files = _match_frames(inner.path, entries, frames, tally)
                held += [f"{inner.name}/{name}" for name in files]
                objects[object_id] = (inner.path, names)
    problems.raise_if_any()
    if not objects:
        raise _other_names(folder, [f"{inner.name}/" for inner in folders], frames)
    if held and not any(names for _, names in objects.values()):
        raise _other_names(folder, held, frames)
    return _Place(folder, {}, objects)


def _match_frames(
    folder: Path, entries: list[Entry], frames: tuple[str, ...], tally: Counter[str]
) -> tuple[dict[str, str], list[str]]:
    """The file of each frame that is there, and the names of all images and arrays.

    Raises `InputError` for ambiguous names, and for frames that are there as lossy images alone.
    """
    names = (entry.name for entry in entries if not entry.is_folder)
    files = [name for name in names if name.lower().endswith(_PICTURES)]
    masks = set(filter(_is_png, files))
    matches = match_names((f"{frame}.png" for frame in frames), masks)
    problems = ProblemCollector()
    matches.add_clashes(folder, problems)
    lacking = (f"{frame}.png" for frame in frames if f"{frame}.png" not in matches.names)
    lossy = match_names(lacking, {name for name in files if name.lower().endswith(_LOSSY)}).names
    if lossy:
        problems.add(
            f"holds {format_name(next(iter(lossy.values())))}: a JPEG does not keep ids exactly",
            folder,
            "write masks as PNG",
        )
    problems.raise_if_any()
    tally[RESPELLED] += matches.respelled
    tally["extra_files"] += len(masks) - len(matches.names)
    return {name.removesuffix(".png"): file for name, file in matches.names.items()}, files


def _other_names(where: Path | str, held: Iterable[str], frames: tuple[str, ...]) -> InputError:
    """The refusal of files none of which is called like a frame, or none of which is a PNG."""
    held = list(held)
    what = f"holds {', '.join(map(format_name, held[:_FEW]))}{', ...' if len(held) > _FEW else ''}"
    if held[0].lower().endswith(_PICTURES) and not any(map(_is_png, held)):
        return refuse(f"{what}, and no PNG", where, "write masks as PNG")
    first = format_name(frames[0])
    if held[0].endswith("/"):
        hint = (
            f"give it {first}.png; or a folder for each object, named by its id, with {first}.png"
        )
        return refuse(f"{what}, and no mask of a frame", where, hint)
    return refuse(
        f"{what}; frames are called {first}",
        where,
        f"name each mask after its frame, such as {first}.png",
    )


def _is_png(name: str) -> bool:
    return name.lower().endswith(".png")


def _open_rle(path: Path, sequences: list[VideoSequence]) -> RlePredictions:
    document = read_json(path, "file of predictions")
    _refuse_other_document(document, path)
    if not isinstance(document, list):
        raise refuse("holds no list", path, _WRITE_LIST)
    listed: dict[str, dict[str, dict[int, _Mask]]] = {}
    problems = ProblemCollector()
    faults = ProblemCollector()
    for cursor in Cursor(document, str(path)).iterate_elements():
        with faults.collect():
            folder, frame = cursor["sequence"].as_text(), cursor["frame"].as_text()
            object_id = cursor["object_id"].as_integer()
            if not 1 <= object_id <= 255:
                raise refuse(f"{object_id} is no object id", cursor.where, "use 1 to 255")
            layers = listed.setdefault(folder, {}).setdefault(frame, {})
            if object_id in layers:
                raise refuse("stands there twice", cursor.where, "keep one mask of each object")
            layers[object_id] = _segmentation(cursor["segmentation"])
    problems.collected += _gather_alike(faults)
    problems.raise_if_any()
    matches = match_names((sequence.folder for sequence in sequences), listed.keys())
    matches.add_clashes(path, problems)
    extra = sorted(listed.keys() - set(matches.names.values()))
    tally = Counter(extra_sequences=len(extra))
    tally[RESPELLED] += matches.respelled
    masks: dict[str, dict[str, dict[int, _Mask]]] = {}
    for sequence in sequences:
        if sequence.folder in matches.names:
            with problems.collect():
                of_frames = listed[matches.names[sequence.folder]]
                masks[sequence.folder] = _match_entries(path, sequence, of_frames, tally)
    problems.raise_if_any()
    if not masks:
        held = ", ".join(map(format_name, extra[:_FEW])) or "nothing"
        wanted = [sequence.folder for sequence in sequences]
        raise _refuse_others(path, wanted, held, _likeness(extra))
    return RlePredictions(path, masks, tally, _likeness(extra))


def _match_entries(
    path: Path, sequence: VideoSequence, listed: dict[str, dict[int, _Mask]], tally: Counter[str]
) -> dict[str, dict[int, _Mask]]:
    """The masks of a sequence by its own frames. Names may have the ending of an image."""
    where = f"{path}: {sequence.folder}"
    plain = {_stem(name): name for name in listed}
    problems = ProblemCollector()
    if len(plain) < len(listed):
        problems.add("has a frame under two endings", where, "keep one")
    matches = match_names(sequence.frames, plain.keys())
    matches.add_clashes(where, problems)
    problems.raise_if_any()
    if not matches.names:
        raise _other_names(where, listed, sequence.frames)
    tally[RESPELLED] += matches.respelled
    tally["extra_files"] += len(plain) - len(matches.names)
    return {frame: listed[plain[name]] for frame, name in matches.names.items()}


def _refuse_other_document(document: Any, path: Path) -> None:
    """Raises `InputError` for JSON of another kind: COCO's results, a dataset's annotations."""
    first = document[0] if isinstance(document, list) and document else document
    if isinstance(first, dict) and "sequence" not in first:
        kind = recognise_dataset(path)
        if kind is not None:
            raise refuse(f"is {kind}", path, _WRITE_LIST)


_WRITE_LIST = 'give a list of {"sequence", "frame", "object_id", "segmentation"}'


def _gather_alike(faults: ProblemCollector) -> list[Problem]:
    """One problem for each kind of fault of a list's entries: what one script wrote wrongly is
    wrong in all of them.
    """
    alike: dict[tuple[str, str], list[Problem]] = {}
    for problem in faults.collected:
        member = problem.where.rpartition("]")[2]
        what = problem.what if not member else problem.what.partition(", is ")[0]
        alike.setdefault((member, what), []).append(problem)
    return [
        replace(first, what=f"{first.what}; {len(others)} more entries have this fault")
        if others
        else first
        for first, *others in alike.values()
    ]


def _stem(name: str) -> str:
    """A frame's name without the ending of an image."""
    stem, dot, ending = name.rpartition(".")
    return stem if dot and ending.lower() in ("png", "jpg", "jpeg") else name


def _segmentation(cursor: Cursor) -> _Mask:
    size = [element.as_integer() for element in cursor["size"].iterate_elements()]
    if len(size) != 2 or not all(0 < side <= MAX_SIDE for side in size):
        raise refuse(f"the size is {size}", cursor.where, "give [height, width] in pixels")
    counts: Any = cursor["counts"].value
    if not isinstance(counts, str):
        counts = [element.as_integer() for element in cursor["counts"].iterate_elements()]
    return counts, size[0], size[1]


def predictions_note(path: Path) -> Path | None:
    """The note that a folder of predictions carries; None where it carries none."""
    note = path / PREDICTIONS_FILE
    return note if path.is_dir() and note.is_file() else None
