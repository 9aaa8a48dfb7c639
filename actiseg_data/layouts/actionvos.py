"""The ActionVOS layout on disk: action lists, expressions, objects, masks, frames.

::

    ROOT/ImageSets/<split>.json                                   action list
    ROOT/ImageSets/<split>_meta_expressions_<style>.json          prompts
    ROOT/ImageSets/<split>_objects_category.json                  objects
    ROOT/Annotations_Sparse/{train,val}/<sequence>/<frame>.png    index masks
    ROOT/JPEGImages_Sparse/{train,val}/<sequence>/<frame>.jpg     frames, also .jpeg or .png
    ROOT/Weights_Sparse/{train,val}/<sequence>/<frame>.png        training weights

A split is an action list; `val_human` or a user's own list refers to the folders of `train/` or
`val/`, whichever has the sequence.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import find_dangling_link
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.image_sets import (
    MAIN_STYLE,
    Expression,
    ObjectEntry,
    name_expressions_file,
    name_image_sets_files,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
)
from actiseg_data.layouts.photograph_search import find_photograph, find_photographs
from actiseg_data.layouts.spelling import find_path, find_paths
from actiseg_data.layouts.split import MASKS as MASKS
from actiseg_data.layouts.split import WEIGHTS as WEIGHTS
from actiseg_data.layouts.split import Split

IMAGE_SETS = "ImageSets"
FRAMES = "JPEGImages_Sparse"
SUBSETS = ("train", "val")


def escape_name(folder: str) -> str:
    """Escape the name of a folder for this system: on Windows ``%3A`` replaces a colon."""
    return folder.replace(":", "%3A") if os.name == "nt" else folder


@dataclass(frozen=True, repr=False)
class ActionSplit(Split):
    """A split of an ActionVOS root: its action list, and its prompts and objects.

    Attributes
    ----------
    subsets : dict of str to str
        For each folder of a sequence ``train`` or ``val``: the subfolder that has its masks. In a
        root without masks, the subfolder that has its photographs.
    """

    subsets: dict[str, str] = field(default_factory=dict)

    list_title = "action list"

    @property
    def layout(self) -> str:
        return "actionvos"

    @property
    def documents_title(self) -> str:
        return f"{IMAGE_SETS}/{self.name}*.json"

    @property
    def has_action_lists(self) -> bool:
        return True

    @property
    def list_path(self) -> Path:
        return self.root / IMAGE_SETS / f"{self.name}.json"

    @property
    def has_masks(self) -> bool:
        return bool(self.subsets)

    def has_files(self, kind: str, sequences: Iterable[VideoSequence]) -> bool:
        placed = (sequence for sequence in sequences if sequence.folder in self.subsets)
        folders = (self.find_folder(kind, sequence) for sequence in placed)
        # A dangling link may stand for all the files, so it must be reported and not skipped.
        return os.path.lexists(self.root / kind) and any(
            os.path.lexists(folder) or find_dangling_link(folder) is not None for folder in folders
        )

    def name_files(self, kind: str, sequence: VideoSequence) -> list[str]:
        subset = self.subsets.get(sequence.folder)
        return [f"{kind}/{subset}/{sequence.folder}/{frame}.png" for frame in sequence.frames]

    def find_files(self, kind: str, sequence: VideoSequence) -> list[Path]:
        names = (f"{frame}.png" for frame in sequence.frames)
        return find_paths(self.find_folder(kind, sequence), names)

    def find_mask(self, sequence: VideoSequence, frame: str) -> Path:
        return find_path(self.find_folder(MASKS, sequence), f"{frame}.png")

    def name_frames_folder(self, sequence: VideoSequence) -> str | None:
        subset = self.subsets.get(sequence.folder)
        return None if subset is None else f"{FRAMES}/{subset}/{sequence.folder}"

    def find_frames_folder(self, sequence: VideoSequence) -> Path | None:
        return self.find_folder(FRAMES, sequence) if sequence.folder in self.subsets else None

    def frames(self, sequence: VideoSequence | str) -> list[Path]:
        folder = self.find_folder(FRAMES, self.find_sequence(sequence))
        return find_photographs(folder, map(escape_name, self.find_sequence(sequence).frames))

    def find_frame(self, sequence: VideoSequence, frame: str) -> Path:
        return find_photograph(self.find_folder(FRAMES, sequence), escape_name(frame))

    def find_folder(self, kind: str, sequence: VideoSequence) -> Path:
        """Return the folder of a sequence's files of a kind: `MASKS`, `FRAMES` or `WEIGHTS`."""
        subset, folder = self.subsets[sequence.folder], sequence.folder
        spelling = self.spellings.get(folder)
        if spelling is not None and (self.root / kind / subset / spelling).is_dir():
            return self.root / kind / subset / spelling
        return find_sequence_folder(self.root, kind, subset, folder)

    def list_documents(self) -> tuple[str, ...]:
        own, *companions = name_image_sets_files(self.name)
        return tuple(
            f"{IMAGE_SETS}/{file}"
            for file in (own, *(file for file in companions if self.has_document(file)))
        )

    def cut_document(self, name: str, sequences: Iterable[VideoSequence]) -> tuple[Any, bool]:
        return self.read_image_set(name.partition("/")[2], sequences)

    def read_entries(self) -> Mapping[str, Mapping[str, Any]]:
        entries: dict[str, dict[str, Any]] = {}
        for sequence, record in zip(self.sequences, self.read_action_list(), strict=True):
            content = {name: value for name, value in record.items() if name != "seq_id"}
            entries[sequence.folder] = {"list": content}
        for file in name_image_sets_files(self.name)[1:]:
            if self.has_document(file):
                videos = self.read_document(file)["videos"]
                for folder in entries:
                    if folder in videos:
                        entries[folder][file] = videos[folder]
        return entries

    def read_prompts(self) -> Mapping[str, tuple[Expression, ...]]:
        if not self.has_document(name_expressions_file(self.name, MAIN_STYLE)):
            return {}
        return self.read_expressions(MAIN_STYLE)

    def read_object_entries(self) -> Mapping[str, tuple[ObjectEntry, ...]]:
        return self.read_objects() if self.has_document(name_objects_file(self.name)) else {}

    def read_action_list(self) -> list[dict[str, Any]]:
        """Read the action list as the file has it.

        An `InputError` is raised if the file has changed since the split was opened.
        """
        path = self.root / IMAGE_SETS / f"{self.name}.json"
        records = read_json(path, "action list")
        if digest_json(records) != self.fingerprint:
            raise refuse("changed while it was in use", path, "do not change it during a run")
        return list(records)

    def read_document(self, file: str) -> dict[str, Any]:
        """Read an expressions or objects file of the root."""
        path = self.root / IMAGE_SETS / file
        document = read_json(path, "file")
        Cursor(document, str(path))["videos"].as_mapping()
        return dict(document)

    def read_image_set(self, file: str, sequences: Iterable[VideoSequence]) -> tuple[Any, bool]:
        """Read one of the split's documents under `IMAGE_SETS`, cut to some sequences.

        Returns
        -------
        document : list or dict
            The document without other sequences.
        is_whole : bool
            Whether nothing was cut.

        Raises
        ------
        InputError
            If the document is damaged or does not have a sequence.
        """
        wanted = {sequence.folder for sequence in sequences}
        if file == f"{self.name}.json":
            records = zip(self.sequences, self.read_action_list(), strict=True)
            chosen = [record for sequence, record in records if sequence.folder in wanted]
            return chosen, len(chosen) == len(self.sequences)
        document = self.read_document(file)
        videos = document["videos"]
        if videos.keys() == wanted:
            return document, True
        lacking = sorted(wanted - set(videos))
        if lacking:
            raise refuse(
                f"lacks {count_nouns(len(lacking), 'sequence')} of the list, such as {lacking[0]}",
                self.root / IMAGE_SETS / file,
                "make it again together with the list, or remove it",
            )
        cut = {name: entry for name, entry in videos.items() if name in wanted}
        return document | {"videos": cut}, False

    def has_document(self, file: str) -> bool:
        return (self.root / IMAGE_SETS / file).is_file()

    def read_expressions(self, style: str = "promptaction") -> dict[str, tuple[Expression, ...]]:
        """Read the prompts of each sequence folder, in the order of the file."""
        file = name_expressions_file(self.name, style)
        videos = Cursor(self.read_document(file), file)["videos"]
        return read_by_folder(videos, "expressions", read_expression)

    def read_objects(self) -> dict[str, tuple[ObjectEntry, ...]]:
        """Read the objects file by sequence folder."""
        file = name_objects_file(self.name)
        videos = Cursor(self.read_document(file), file)["videos"]
        return read_by_folder(videos, "objects", read_object_entry)


def find_sequence_folder(root: Path, kind: str, subset: str, folder: str) -> Path:
    """Find the folder of a sequence, even if another system escaped its name."""
    return find_path(root / kind / subset, escape_name(folder))
