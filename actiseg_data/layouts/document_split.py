"""A split whose masks are in JSON documents, one for each object of a frame."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence, View
from actiseg_data.core.errors import refuse
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.document_search import find_document
from actiseg_data.layouts.mask_document import MaskDocument
from actiseg_data.layouts.split import IN_DOCUMENT

Place: TypeAlias = tuple[str, str]
"""The name of a frame, and the identity of an object."""


@dataclass(frozen=True)
class OpenedDocument:
    """A document with masks.

    Attributes
    ----------
    document : MaskDocument
        The document.
    parts : mapping of str to list of VideoSequence
        Its sequences by `VideoSequence.video`, with the objects that it has masks of. If noise
        removed objects, the others may be in another part of their video than before.
    """

    document: MaskDocument
    parts: Mapping[str, list[VideoSequence]]

    def list_places(self, video: str) -> list[Place]:
        """List the masks of a video."""
        return [_identify(view) for part in self.parts.get(video, ()) for view in part.views]

    def iterate_views(
        self, video: str, wanted: Collection[Place]
    ) -> Iterator[tuple[View, IndexMask]]:
        """Yield the wanted views of a video that the document has, with their masks."""
        for part in self.parts.get(video, ()):
            views = [view for view in part.views if _identify(view) in wanted]
            layers = tuple((view.frame, view.objects[0].object_id) for view in views)
            masks = self.document.iterate_masks(replace(part, layers=layers))
            yield from zip(views, masks, strict=True)


@dataclass(frozen=True, repr=False)
class DocumentSplit(DatasetSplit):
    """A split whose masks are in documents, see `MaskDocument`.

    Attributes
    ----------
    read : function of Path to MaskDocument
        Reads a document. A function of a module, so that other processes find it.
    tallies : mapping of str to mapping of str to int
        `MaskDocument.tally` by document; empty for a noisy copy.
    """

    read: Callable[[Path], MaskDocument]
    tallies: Mapping[str, Mapping[str, int]] = field(default_factory=dict, kw_only=True)

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
        files = (path, *(find_document(self.root, file) for file in self.form.documents))
        return _read_document(path, self.read, tuple(map(_stamp, files)))

    def read_categories(self) -> tuple[Category, ...]:
        documents = (self.open_document(name).document for name in self.form.mask_documents)
        every = (category for document in documents for category in document.categories)
        return tuple({category.id: category for category in every}.values())

    def read_classes(self, categories: Iterable[Category]) -> dict[tuple[str, int], int]:
        classes = {}
        for sequence in self.sequences:
            opened = self.open_document(str(sequence.document))
            if not opened.document.categories:
                continue
            parts = opened.parts.get(sequence.video, ())
            known = {label.identity: label.class_id for part in parts for label in part.objects}
            for label in sequence.objects:
                if label.identity in known:
                    classes[sequence.folder, label.object_id] = known[label.identity]
        return classes

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Yield the masks of a sequence, or of some of its frames, in the order of its views.

        A mask that the document does not have is blank, because noise may have removed it.
        """
        opened = self.open_document(str(sequence.document))
        wanted = {_identify(view) for view in sequence.views}
        self._refuse_unlisted(opened.list_places(sequence.video), sequence, wanted)
        masks = opened.iterate_views(sequence.video, wanted)
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

    def _refuse_unlisted(
        self, shown: Iterable[Place], sequence: VideoSequence, wanted: Set[Place]
    ) -> None:
        """Refuse a mask in the video of a sequence that the split does not have at all."""
        unknown = {place: None for place in shown if place not in wanted}
        for part in self._by_video[sequence.video] if unknown else ():
            if part.document == sequence.document:
                for view in part.views:
                    unknown.pop(_identify(view), None)
        for frame, identity in unknown:
            raise refuse(
                f"has a mask of the object {identity} in {sequence.folder}, {frame}, which is not "
                f"in the {self.list_title}",
                find_document(self.root, str(sequence.document)),
                "make the split again",
            )

    @cached_property
    def _by_video(self) -> Mapping[str, list[VideoSequence]]:
        by_video: dict[str, list[VideoSequence]] = {}
        for sequence in self.sequences:
            by_video.setdefault(sequence.video, []).append(sequence)
        return by_video


def _identify(view: View) -> Place:
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
    parts: dict[str, list[VideoSequence]] = {}
    for sequence in document.sequences:
        parts.setdefault(sequence.video, []).append(sequence)
    return OpenedDocument(document, parts)
