"""Open predictions of any format, and find the folder that has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.listing import (
    describe_contents,
    list_files,
    list_folder,
    list_folders,
    list_possible_folders,
)
from actiseg_data.core.names import format_name
from actiseg_data.layouts.actionvos import MASKS, SUBSETS
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.spelling import match_names
from actiseg_data.records.prediction_note import PREDICTIONS_FILE
from actiseg_eval.predictions.prediction_checks import (
    DEEPER,
    EXAMPLES,
    OTHER_SPLIT_HINT,
    RESPELLED,
    describe_other_sequences,
    index_names,
    is_png,
    refuse_other_sequences,
)
from actiseg_eval.predictions.prediction_folders import (
    FolderPredictions,
    SequenceFolder,
    list_sequence_folder,
)
from actiseg_eval.predictions.prediction_formats import Predictions
from actiseg_eval.predictions.rle_predictions import open_rle

_MAX_DEPTH = 3
"""Levels of folders that are searched for predictions."""

_MAX_FOLDERS = 100
"""More folders than this are the sequences of another split, not folders around predictions."""


def open_predictions(path: Path, sequences: Iterable[VideoSequence]) -> Predictions:
    """List the predictions of a split; masks are not decoded here.

    Another spelling of a name is accepted if exactly one name matches, see
    `actiseg_data.layouts.spelling.match_names`, and counted.

    Parameters
    ----------
    path : Path
        A folder ``[train|val]/<sequence>/<frame>.png`` of index masks; a folder
        ``<sequence>/<object id>/<frame>.png`` of binary masks; a folder around one of these; a JSON
        list of ``{"sequence", "frame", "object_id", "segmentation": {"size": [height, width],
        "counts"}}``; or a dataset in the ActionVOS layout, for its masks.
    sequences : iterable of VideoSequence
        All sequences of the split.

    Raises
    ------
    InputError
        If no sequence has predictions; for ambiguous names; and for sequences with files of no
        frame.
    """
    sequences = list(sequences)
    if path.name.lower().endswith((".json", ".json.gz")):
        return open_rle(path, sequences)
    if not path.is_dir():
        kind = recognise_dataset(path)
        what = "there is no such folder" if kind is None else f"is {kind}"
        if kind is None and path.exists():
            what = "is not a folder"
        raise refuse_missing(path, what, "give a folder of predictions, or a .json of COCO RLE")
    root, folders, tally = _find_predictions(path, sequences)
    matches = match_names((sequence.folder for sequence in sequences), folders.keys())
    tally[RESPELLED] += matches.respelled
    places: dict[str, SequenceFolder] = {}
    problems = ProblemCollector()
    matches.add_clashes(root, problems)
    for sequence in sequences:
        if sequence.folder in matches.names:
            with problems.collect():
                folder = folders[matches.names[sequence.folder]]
                places[sequence.folder] = list_sequence_folder(folder, sequence.frames, tally)
    problems.raise_if_any()
    extra = sorted(folders.keys() - set(matches.names.values()))
    tally["extra_sequences"] = len(extra)
    return FolderPredictions(root, tally, index_names(extra), places)


def find_predictions_note(path: Path) -> Path | None:
    """Return the note in a folder of predictions, or None."""
    note = path / PREDICTIONS_FILE
    return note if path.is_dir() and note.is_file() else None


def _find_predictions(
    path: Path, sequences: list[VideoSequence]
) -> tuple[Path, dict[str, Path], Counter[str]]:
    """Find the folder that has the predictions, and list the folders in it.

    It is `path`, or the only folder below it that has folders of the sequences. Raise `InputError`
    if there is none, or if there are several.
    """
    wanted = [sequence.folder for sequence in sequences]
    root, folders = _list_sequence_folders(path)
    if _has_match(wanted, folders):
        return root, folders, Counter()
    below = _find_below(path, wanted)
    if len(below) > 1:
        names = ", ".join(format_name(str(inner.relative_to(path))) for inner in below[:EXAMPLES])
        raise refuse(f"has predictions in several folders: {names}", path, f"give {below[0]}")
    if not below:
        raise _refuse_contents(path, wanted, folders)
    root, folders = _list_sequence_folders(below[0])
    return root, folders, Counter({DEEPER: len(below[0].relative_to(path).parts)})


def _has_match(wanted: Iterable[str], folders: Mapping[str, Path]) -> bool:
    matches = match_names(wanted, folders.keys())
    return bool(matches.names or matches.clashes)


def _find_below(path: Path, wanted: list[str]) -> list[Path]:
    """Find the folders up to `_MAX_DEPTH` levels below a folder that have folders of the sequences.

    Folders of photographs are returned only if no folder has masks.
    """
    matching: list[Path] = []
    level, visited = [path], 0
    for _ in range(_MAX_DEPTH):
        inner = [entry.path for folder in level for entry in list_folders(folder)]
        visited += len(inner)
        if visited > _MAX_FOLDERS:
            break
        level = []
        for folder in inner:
            if _has_match(wanted, _list_sequence_folders(folder)[1]):
                matching.append(folder)
            else:
                level.append(folder)
    return [folder for folder in matching if _has_masks(folder, wanted)] or matching


def _has_masks(folder: Path, wanted: list[str]) -> bool:
    """Whether the first sequence in a folder has PNGs, or folders of objects."""
    _, folders = _list_sequence_folders(folder)
    name = next(iter(match_names(wanted, folders.keys()).names.values()), None)
    if name is None:
        return False
    return any(entry.is_folder or is_png(entry.name) for entry in list_folder(folders[name]))


def _refuse_contents(path: Path, wanted: list[str], folders: Mapping[str, Path]) -> InputError:
    """Build the error for a folder without a prediction of any sequence, with a hint."""
    contents = ", ".join(map(format_name, sorted(folders)[:EXAMPLES])) or describe_contents(path)
    what = describe_other_sequences(wanted, contents)
    if list_files(path, ".png"):
        if match_names(wanted, {path.absolute().name}).names:
            hint = f"give {path.absolute().parent}"
            return refuse("is the folder of a single sequence", path, hint)
        return refuse(what, path, "give the folder that contains a folder for each sequence")
    if not folders:
        kind = recognise_dataset(path)
        if kind is not None:
            return refuse(f"is {kind}", path, OTHER_SPLIT_HINT)
        documents = list_files(path, ".json", ".json.gz")
        if documents:
            hint = f"if {documents[0].path} is a list of COCO RLE, give it; else {OTHER_SPLIT_HINT}"
            return refuse(what, path, hint)
    return refuse_other_sequences(path, wanted, contents, index_names(folders))


def _list_sequence_folders(path: Path) -> tuple[Path, dict[str, Path]]:
    """List the folders in a folder by name, including those in ``train`` and ``val``.

    Return their root as well, which differs from `path` for a dataset.
    """
    folders = _list_by_name(path)
    if MASKS in folders:
        path = folders[MASKS]
        folders = _list_by_name(path)
    for subset in SUBSETS:
        if subset in folders and folders[subset].is_dir():
            folders = {**_list_by_name(folders.pop(subset)), **folders}
    return path, folders


def _list_by_name(path: Path) -> dict[str, Path]:
    return {entry.name: entry.path for entry in list_possible_folders(path)}
