"""A split whose masks are in JSON documents, one for each object of a frame."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from pathlib import Path

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence, View
from actiseg_data.core.errors import refuse
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.document_search import find_document
from actiseg_data.layouts.mask_document import MaskDocument
from actiseg_data.layouts.split import IN_DOCUMENT


@dataclass(frozen=True)
class OpenedDocument:
    """A document with masks.

    Attributes
    ----------
    document : MaskDocument
        The document.
    sequences : mapping of str to VideoSequence
        Its sequences by folder, with the objects that it has masks of.
    """

    document: MaskDocument
    sequences: Mapping[str, VideoSequence]

    def iterate_views(self, folder: str) -> Iterator[tuple[View, IndexMask]]:
        """Yield the views of a sequence with their masks; none if the document lacks it."""
        sequence = self.sequences.get(folder)
        if sequence is not None:
            yield from zip(sequence.views, self.document.iterate_masks(sequence), strict=True)


@dataclass(frozen=True, repr=False)
class DocumentSplit(DatasetSplit):
    """A split whose masks are in documents, see `MaskDocument`.

    Attributes
    ----------
    read : function of Path to MaskDocument
        Reads a document. A function of a module, so that other processes find it.
    tally : mapping of str to int
        The special cases of all its documents, see `MaskDocument`; empty in a noisy copy.
    """

    read: Callable[[Path], MaskDocument]
    tally: Mapping[str, int] = field(default_factory=dict, compare=False)

    def name_files(self, kind: str, sequence: VideoSequence) -> list[str]:
        return [
            f"{sequence.document}{IN_DOCUMENT}{sequence.folder}/{view.frame}/"
            f"{view.objects[0].identity}"
            for view in sequence.views
        ]

    def find_files(self, kind: str, sequence: VideoSequence) -> list[Path]:
        return [find_document(self.root, str(sequence.document))] * len(sequence.views)

    def open_document(self, name: str) -> OpenedDocument:
        """Read one of the documents with masks; the last ones are remembered."""
        path = find_document(self.root, name)
        # Reading masks may read another document of the split, such as the expressions of MeViS.
        others = (find_document(self.root, other) for other in self.form.documents)
        return _read_document(path, self.read, tuple(map(_stamp, (path, *others))))

    def read_categories(self) -> tuple[Category, ...]:
        documents = (self.open_document(name).document for name in self.form.mask_documents)
        every = (category for document in documents for category in document.categories)
        return tuple({category.id: category for category in every}.values())

    def read_classes(self, categories: Iterable[Category]) -> dict[tuple[str, int], int]:
        classes = {}
        for sequence in self.sequences:
            opened = self.open_document(str(sequence.document))
            listed = opened.sequences.get(sequence.folder)
            if listed is None or not opened.document.categories:
                continue
            known = {label.identity: label.class_id for label in listed.objects}
            for label in sequence.objects:
                if label.identity in known:
                    classes[sequence.folder, label.object_id] = known[label.identity]
        return classes

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Yield the masks of a sequence, or of some of its frames, in the order of its views.

        A mask that the document does not have is blank, because noise may have removed it.
        """
        opened = self.open_document(str(sequence.document))
        masks = self._select_views(opened.iterate_views(sequence.folder), sequence)
        by_frame = groupby(masks, key=lambda pair: pair[0].frame)
        waiting = next(by_frame, None)
        blank = np.zeros(sequence.size or (0, 0), np.uint8)
        for frame, views in groupby(sequence.views, key=lambda view: view.frame):
            shown: dict[str, IndexMask] = {}
            if waiting is not None and waiting[0] == frame:
                shown = {view.objects[0].identity: mask for view, mask in waiting[1]}
                waiting = next(by_frame, None)
            for view in views:
                label = view.objects[0]
                mask = shown.get(label.identity)
                yield blank.copy() if mask is None else _recolour(mask, label.object_id)

    def _select_views(
        self, masks: Iterator[tuple[View, IndexMask]], sequence: VideoSequence
    ) -> Iterator[tuple[View, IndexMask]]:
        """Select the views of a sequence; refuse one that the split does not have at all."""
        wanted = {_identify(view) for view in sequence.views}
        known = {*wanted, *map(_identify, self[sequence.folder].views)}
        for view, mask in masks:
            place = _identify(view)
            if place in wanted:
                yield view, mask
            elif place not in known:
                raise refuse(
                    f"has a mask of the object {place[1]} in {sequence.folder}, {place[0]}, which "
                    f"is not in the {self.list_title}",
                    find_document(self.root, str(sequence.document)),
                    "make the split again",
                )


def _identify(view: View) -> tuple[str, str]:
    return view.frame, view.objects[0].identity


def _recolour(mask: IndexMask, number: int) -> IndexMask:
    """Return the mask of an object under another number."""
    if not mask.any() or mask.max() == number:
        return mask
    recoloured = np.zeros_like(mask)
    recoloured[mask > 0] = number
    return recoloured


def _stamp(path: Path) -> tuple[int, int]:
    """Return the time of the last change of a file and its size; zeros if it cannot be read."""
    try:
        status = path.stat()
    except OSError:
        return 0, 0  # reading the file reports the reason
    return status.st_mtime_ns, status.st_size


@lru_cache(maxsize=2)
def _read_document(
    path: Path, read: Callable[[Path], MaskDocument], stamps: tuple[tuple[int, int], ...]
) -> OpenedDocument:
    """Read a document, unless it is remembered and no file with a stamp has changed since."""
    document = read(path)
    return OpenedDocument(document, {sequence.folder: sequence for sequence in document.sequences})
