"""SA-V as folders: a mask of each object, so that objects may overlap.

::

    ROOT/Annotations_6fps/<video>/<object>/<frame>.png     binary masks, objects from 000
    ROOT/JPEGImages_24fps/<video>/<frame>.jpg
    ROOT/<list>.txt                                        one video a line

A plain folder ``<video>/<object>/<frame>.png`` is read in the same way.
"""

from __future__ import annotations

import re
from pathlib import Path

from actiseg_data.annotations.masks import VOID
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.listing import (
    Entry,
    list_files,
    list_folders,
    list_possible_folders,
    sort_frames,
)
from actiseg_data.core.names import check_name
from actiseg_data.layouts.davis import WHOLE
from actiseg_data.layouts.sequence_record import (
    DatasetForm,
    make_dataset_label,
    make_dataset_sequence,
)

_MASKS, _PHOTOGRAPHS = "Annotations_6fps", "JPEGImages_24fps"

SAV_KEY = "sa-v"
"""The key of the layout."""

_NUMBER = re.compile("[0-9]{1,4}")

MOST_OBJECTS = VOID - 1
"""Most objects of a sequence, because a pixel of an index mask has 8 bits."""


def find_masks(root: Path) -> str | None:
    """Find the folder of masks by object, relative to a root; None if there is none."""
    for name in (_MASKS, ""):
        folder = root / name
        if folder.is_dir() and any(map(_has_objects, list_folders(folder))):
            return name
    return None


def _has_objects(video: Entry) -> bool:
    """Return whether a folder has folders of objects, which are called by numbers."""
    numbered = (entry for entry in list_folders(video.path) if _NUMBER.fullmatch(entry.name))
    return any(list_files(entry.path, ".png") for entry in numbered)


def has_object_folders(root: Path) -> bool:
    """Return whether a root has masks by object, or the folder for them."""
    return (root / _MASKS).is_dir() or find_masks(root) is not None


def find_folder_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the files of a list of videos; see `FormFinder`. The default is the only list."""
    masks = find_masks(root)
    if masks is None:
        raise refuse(
            "has no masks of objects (<video>/<object>/<frame>.png)", root, "fetch the masks"
        )
    lists = {file.path.stem: file.name for file in list_files(root, ".txt")}
    if split is None:
        split = next(iter(lists)) if len(lists) == 1 else WHOLE
    if split != WHOLE and split not in lists:
        known = [*lists, WHOLE]
        raise refuse(
            f"there is no list {split!r}{suggest(split, known)}",
            root,
            f"give one of {', '.join(known)} as `split`",
        )
    form = DatasetForm(
        layout=SAV_KEY,
        masks=masks,
        photographs=_PHOTOGRAPHS if masks else None,
        documents=() if split == WHOLE else (lists[split],),
        by_object=True,
    )
    return form, split


def list_object_sequences(root: Path) -> tuple[VideoSequence, ...]:
    """List the sequences of a folder whose objects have a folder each. Masks are not decoded.

    Objects are numbered from 1 in the order of their names.

    Raises
    ------
    InputError
        With every unsafe name, and every sequence with more than `MOST_OBJECTS` objects.
    """
    problems = ProblemCollector()
    sequences = []
    for video in list_possible_folders(root):
        with problems.collect():
            check_name(video.name, "sequence", root)
            frames = {
                entry.name: sort_frames(file.path.stem for file in list_files(entry.path, ".png"))
                for entry in list_folders(video.path)
            }
            objects = sort_frames(name for name in frames if frames[name])
            if len(objects) > MOST_OBJECTS:
                what = f"has {len(objects)} objects; at most {MOST_OBJECTS} can be told apart"
                raise refuse(what, video.path, "divide the sequence")
            if objects:
                sequences.append(_make_sequence(video.name, objects, frames))
    problems.raise_if_any()
    return tuple(sequences)


def _make_sequence(folder: str, objects: list[str], frames: dict[str, list[str]]) -> VideoSequence:
    labels = [
        make_dataset_label(number, source_id=check_name(name, "object", folder))
        for number, name in enumerate(objects, 1)
    ]
    every = sort_frames({frame for name in objects for frame in frames[name]})
    shown = {name: set(frames[name]) for name in objects}
    layers = [
        (check_name(frame, "frame", folder), label.object_id)
        for frame in every
        for label in labels
        if frame in shown[str(label.source_id)]
    ]
    return make_dataset_sequence(folder, every, labels, layers)
