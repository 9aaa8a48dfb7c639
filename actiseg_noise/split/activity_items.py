"""Read which objects of a noisy split are active, and which were before the noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.layouts.image_sets import (
    Expression,
    ObjectEntry,
    name_image_sets_files,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
)
from actiseg_noise.split.text_items import NoisyList

ObjectKey = tuple[str, int]
"""Sequence folder and object id."""

Flags = tuple[bool | None, bool | None]
"""Whether an object is active, before and after noise; None for what a file does not say."""


@dataclass(frozen=True)
class ActivityItem:
    """Whether one object of one sequence is active.

    Attributes
    ----------
    sequence : str
        Sequence folder.
    object_id : int
        Object id.
    class_id : int
        Its clean class.
    name : str
        Its clean name.
    clean, noisy : bool
        Whether it is labelled as active, before and after noise.
    """

    sequence: str
    object_id: int
    class_id: int
    name: str
    clean: bool
    noisy: bool

    @property
    def flipped(self) -> bool:
        """Whether the label changed."""
        return self.clean != self.noisy


def list_activity(
    listed: NoisyList, clean: Mapping[ObjectKey, bool] | None = None
) -> list[ActivityItem]:
    """List the objects of a noisy list whose clean label is known.

    Parameters
    ----------
    listed : NoisyList
        The noisy list.
    clean : mapping, optional
        The clean labels. Default: those that the list keeps.
    """
    items = []
    for sequence in listed.sequences:
        for label in sequence.objects:
            key = (sequence.folder, label.object_id)
            kept, noisy = listed.activity.get(key, (None, label.positive))
            known = kept if clean is None else clean.get(key)
            if known is not None:
                items.append(ActivityItem(*key, label.class_id, label.name, known, noisy))
    return items


def find_companions(lists: Path, split: str) -> Iterator[Path]:
    """Yield the expressions and objects files of a split that are in a folder of lists."""
    paths = (lists / name for name in name_image_sets_files(split)[1:])
    return (path for path in paths if path.is_file())


def read_companion_flags(path: Path, split: str) -> dict[ObjectKey, Flags]:
    """Read the flags of all objects in an expressions or objects file of a split.

    Prompts without an object are left out.

    Raises
    ------
    InputError
        If the file is damaged.
    """
    videos = Cursor(read_json(path), str(path))["videos"]
    by_folder: Mapping[str, Iterable[Expression | ObjectEntry]]
    if path.name == name_objects_file(split):
        by_folder = read_by_folder(videos, "objects", read_object_entry)
    else:
        by_folder = read_by_folder(videos, "expressions", read_expression)
    return {
        (folder, entry.object_id): (entry.positive_org, entry.positive)
        for folder, entries in by_folder.items()
        for entry in entries
        if entry.object_id is not None
    }
