"""A split of a dataset without action lists: PNG masks in folders, and the documents beside them.

::

    ROOT/<masks>/<sequence>/<frame>.png              index masks
    ROOT/<masks>/<sequence>/<object>/<frame>.png     or a mask of each object
    ROOT/<photographs>/<sequence>/<frame>.jpg        photographs, also .jpeg or .png
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import IndexMask, read_binary_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import parse_json, read_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import decode_text, read_text
from actiseg_data.core.files import write_bytes, write_json
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.document_search import find_document, strip_gz
from actiseg_data.layouts.expression_documents import find_expressions, read_expressions
from actiseg_data.layouts.image_sets import Expression
from actiseg_data.layouts.meta_categories import (
    META,
    number_categories,
    read_category_names,
)
from actiseg_data.layouts.photograph_search import find_photograph, find_photographs
from actiseg_data.layouts.sequence_lists import parse_sequence
from actiseg_data.layouts.sequence_record import (
    SEQUENCES_FILE,
    DatasetForm,
    make_sequence_entry,
    make_sequence_record,
)
from actiseg_data.layouts.spelling import find_path, find_paths
from actiseg_data.layouts.split import MASKS, Split


@dataclass(frozen=True, repr=False)
class DatasetSplit(Split):
    """A split of a dataset without action lists.

    Attributes
    ----------
    form : DatasetForm
        Where the dataset keeps its files.
    """

    form: DatasetForm

    list_title = "list of sequences"

    @property
    def layout(self) -> str:
        return self.form.layout

    @property
    def list_path(self) -> Path:
        return self.root / SEQUENCES_FILE

    def has_files(self, kind: str, sequences: Iterable[VideoSequence]) -> bool:
        return kind == MASKS

    def name_files(self, kind: str, sequence: VideoSequence) -> list[str]:
        top = f"{self.form.masks}/" if self.form.masks else ""
        return [
            f"{top}{folder}/{name}.png"
            for folder, names in self._list_files(sequence)
            for name in names
        ]

    def find_files(self, kind: str, sequence: VideoSequence) -> list[Path]:
        top = self.root / self.form.masks
        return [
            path
            for folder, names in self._list_files(sequence)
            for path in find_paths(
                top.joinpath(*map(escape_name, folder.split("/"))),
                (f"{escape_name(name)}.png" for name in names),
            )
        ]

    def _list_files(self, sequence: VideoSequence) -> Iterator[tuple[str, list[str]]]:
        """Yield the folders of a sequence's masks and the names in them, in the order of views."""
        if sequence.layers is None:
            yield sequence.folder, list(sequence.frames)
            return
        for view in sequence.views:
            yield f"{sequence.folder}/{view.objects[0].source_id}", [view.frame]

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        if sequence.layers is None:
            yield from super().iterate_masks(sequence)
            return
        problems = ProblemCollector()
        mask = np.zeros((0, 0), np.uint8)
        for view, path in zip(sequence.views, self.find_masks(sequence), strict=True):
            label = view.objects[0]
            with problems.collect():
                if label.model is not None and not path.is_file():  # only noise has this object
                    mask = np.zeros_like(mask)
                else:
                    mask = read_binary_mask(path) * np.uint8(label.object_id)
            if not problems.collected:
                yield mask
        problems.raise_if_any()

    def name_frames_folder(self, sequence: VideoSequence) -> str | None:
        if self.form.photographs is None:
            return None
        top = f"{self.form.photographs}/" if self.form.photographs else ""
        return f"{top}{sequence.folder}"

    def find_frames_folder(self, sequence: VideoSequence) -> Path | None:
        if self.form.photographs is None:
            return None
        return find_path(self.root / self.form.photographs, escape_name(sequence.folder))

    def frames(self, sequence: VideoSequence | str) -> list[Path]:
        sequence = self.find_sequence(sequence)
        return find_photographs(self._get_frames_folder(sequence), sequence.frames)

    def find_frame(self, sequence: VideoSequence, frame: str) -> Path:
        return find_photograph(self._get_frames_folder(sequence), frame)

    def _get_frames_folder(self, sequence: VideoSequence) -> Path:
        return self.find_frames_folder(sequence) or self.root / sequence.folder

    def list_documents(self) -> tuple[str, ...]:
        return SEQUENCES_FILE, *self.form.documents

    def cut_document(self, name: str, sequences: Iterable[VideoSequence]) -> tuple[Any, bool]:
        chosen = tuple(sequences)
        if name == SEQUENCES_FILE:
            is_whole = len(chosen) == len(self.sequences) and self.list_path.is_file()
            return make_sequence_record(self.form, self.name, chosen), is_whole
        wanted = {sequence.folder for sequence in chosen}
        path = find_document(self.root, name)
        document = read_document(path)
        cut = _cut_lines(document, wanted) if isinstance(document, list) else document
        if isinstance(document, dict):
            cut = _cut_videos(document, wanted, path)
        return cut, cut == document and path.name == name.rpartition("/")[2]

    def read_prompts(self) -> Mapping[str, tuple[Expression, ...]]:
        name = find_expressions(self)
        if name is None:
            return {}
        document = read_expressions(self, name, self.sequences)
        return {
            sequence.folder: tuple(
                Expression(item.exp_id, item.text, int(number), exp_org=item.text_org)
                for item in sequence.expressions
                for number in item.object_ids
            )
            for sequence in document.sequences
        }

    @property
    def category_document(self) -> str | None:
        """The document that names the category of each object; None if there is none."""
        return next((name for name in self.form.documents if Path(name).name == META), None)

    def read_categories(self) -> tuple[Category, ...]:
        name = self.category_document
        return () if name is None else number_categories(read_category_names(self.root / name))

    def read_classes(self, categories: Iterable[Category]) -> dict[tuple[str, int], int]:
        if self.category_document is None:
            return {}
        names = read_category_names(self.root / self.category_document)
        class_ids = {category.name: category.id for category in categories}
        return {
            (sequence.folder, label.object_id): class_ids.get(known[label.object_id], -1)
            for sequence in self.sequences
            for known in [names.get(sequence.folder, {})]
            for label in sequence.objects
            if label.object_id in known
        }

    def read_entries(self) -> Mapping[str, Mapping[str, Any]]:
        entries: dict[str, dict[str, Any]] = {
            sequence.folder: {"list": make_sequence_entry(sequence)} for sequence in self.sequences
        }
        for name in self.form.documents:
            document = read_document(find_document(self.root, name))
            videos = document.get("videos", {}) if isinstance(document, dict) else {}
            for folder in entries.keys() & videos.keys():
                entries[folder][name] = videos[folder]
        return entries


def read_document(path: Path) -> Any:
    """Read a JSON document, or a text file as its lines."""
    is_json = strip_gz(path.name).endswith(".json")
    return read_json(path) if is_json else read_text(path, "list").splitlines()


def parse_document(data: bytes, where: str, name: str) -> Any:
    """Parse the bytes of a document as `read_document` reads it; its name decides the form."""
    if name.endswith(".json"):
        return parse_json(data, where)
    return decode_text(data, where).splitlines()


def write_document(path: Path, document: Any) -> None:
    """Write what `read_document` reads."""
    if path.suffix == ".json":
        write_json(path, document)
    else:
        write_bytes(path, "".join(f"{line}\n" for line in document).encode())


def _cut_lines(lines: list[str], wanted: set[str]) -> list[str]:
    """Cut a list of sequences, one a line, to some of them."""
    return [line for line in lines if parse_sequence(line.strip()) in wanted]


def _cut_videos(document: dict[str, Any], wanted: set[str], where: Path) -> dict[str, Any]:
    """Cut a document with a member for each video to some of them."""
    videos = document.get("videos")
    if not isinstance(videos, dict):
        return document
    lacking = sorted(wanted - videos.keys())
    if lacking:
        raise refuse(
            f"lacks {count_nouns(len(lacking), 'sequence')} with masks, such as {lacking[0]}",
            where,
            "add them, or give the parts of the dataset that belong together",
        )
    return document | {"videos": {name: videos[name] for name in videos if name in wanted}}
