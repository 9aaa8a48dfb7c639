"""The interface of an opened split in any layout: labelled sequences, and files of their masks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from html import escape
from pathlib import Path
from typing import Any, ClassVar, overload

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import (
    IndexMask,
    check_same_size,
    digest_pixels,
    find_foreign_ids,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.arguments import check_selection
from actiseg_data.core.errors import ProblemCollector, check_known, suggest
from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.layouts.image_sets import Expression, ObjectEntry
from actiseg_data.layouts.mask_split import MaskSplit

MASKS = "Annotations_Sparse"
WEIGHTS = "Weights_Sparse"
"""The kinds of files that a split may have, by their folders in an ActionVOS root."""

IN_DOCUMENT = "#"
"""Separates the name of a document and the place of a mask in it."""

_MOST_ROWS = 10
"""Most sequences that a notebook shows."""


def is_mask_name(name: str) -> bool:
    """Return whether a name of `Split.name_files` is of a mask or weight map, not of a document.

    >>> [is_mask_name(name) for name in ("a/0.png", "coco.json#7/7/3", "coco.json")]
    [True, True, False]
    """
    return name.endswith(".png") or IN_DOCUMENT in name


def paint_masks(masks: Iterable[IndexMask]) -> IndexMask:
    """Paint the masks of one frame into one, later ones on top; there must be at least one.

    >>> paint_masks([np.array([[1, 1, 0]], np.uint8), np.array([[0, 2, 2]], np.uint8)])
    array([[1, 2, 2]], dtype=uint8)
    """
    return reduce(lambda below, mask: np.where(mask > 0, mask, below), masks)


@dataclass(frozen=True, repr=False)
class Split(MaskSplit, Sequence[VideoSequence]):
    """An opened split of a dataset: a sequence of `VideoSequence`, see `open_split`.

    Sequences are found by position, by slice, or by the name of their folder.

    Attributes
    ----------
    root : Path
        The dataset.
    name : str
        The name of the split, such as ``val_human``.
    sequences : tuple of VideoSequence
        The sequences in the order of the split, with their objects.
    fingerprint : str
        Digest of the list: which sequences, frames, objects and labels it has.
    spellings : dict of str to str
        Names of folders on disk that differ from those of the sequences.

    Examples
    --------
    >>> import tempfile
    >>> from actiseg_data import make_sample, open_split
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     split = open_split(make_sample(f"{folder}/sample").path, "val")
    ...     sequence = split["00000057_S05_01_cut_carrot"]
    ...     photographs = split.frames(sequence)
    ...     mask = split.mask(sequence, sequence.frames[0])
    >>> len(split), len(photographs), mask.shape
    (20, 2, (240, 428))
    """

    list_title: ClassVar[str] = "list"
    """What messages call the list of the split."""

    @property
    @abstractmethod
    def layout(self) -> str:
        """The name of its layout, as ``--layout`` takes it."""

    @property
    @abstractmethod
    def list_path(self) -> Path:
        """The document that lists the sequences, for messages."""

    @property
    def documents_title(self) -> str:
        """What messages call its lists and companion files together."""
        return self.list_path.name

    @property
    def has_masks(self) -> bool:
        """Whether the sequences have masks."""
        return True

    @abstractmethod
    def has_files(self, kind: str, sequences: Iterable[VideoSequence]) -> bool:
        """Return whether any of some sequences has files of a kind: `MASKS` or `WEIGHTS`."""

    @abstractmethod
    def name_files(self, kind: str, sequence: VideoSequence) -> list[str]:
        """Name a sequence's files of a kind, one for each of its views.

        The names are relative to the root and have forward slashes, on every system. A mask in a
        document has the name of the document, a ``#`` and its place there.
        """

    @abstractmethod
    def find_files(self, kind: str, sequence: VideoSequence) -> list[Path]:
        """Return the paths of the same files, in the same order."""

    @abstractmethod
    def name_frames_folder(self, sequence: VideoSequence) -> str | None:
        """Name the folder of a sequence's photographs, relative to the root; None without one."""

    @abstractmethod
    def find_frames_folder(self, sequence: VideoSequence) -> Path | None:
        """Return the folder of a sequence's photographs; None if there is none."""

    @abstractmethod
    def frames(self, sequence: VideoSequence | str) -> list[Path]:
        """Return the photographs of a sequence, in the order of its frames.

        Parameters
        ----------
        sequence : VideoSequence or str
            The sequence, or the name of its folder.

        Returns
        -------
        list of Path
            One path for each frame. A photograph that is missing has the path of the expected
            ``.jpg``.
        """

    @abstractmethod
    def find_frame(self, sequence: VideoSequence, frame: str) -> Path:
        """Return the photograph of a frame, which may be missing."""

    @abstractmethod
    def list_documents(self) -> tuple[str, ...]:
        """Name the lists and companion files that exist, relative to the root; the list first."""

    @abstractmethod
    def cut_document(self, name: str, sequences: Iterable[VideoSequence]) -> tuple[Any, bool]:
        """Read one of `list_documents`, cut to some sequences.

        Returns
        -------
        document : any
            The JSON document without other sequences; of a text file, its lines.
        is_whole : bool
            Whether nothing was cut.

        Raises
        ------
        InputError
            If the document is damaged or does not have a sequence.
        """

    @abstractmethod
    def read_entries(self) -> Mapping[str, Mapping[str, Any]]:
        """Read what the documents say about each sequence, by folder and document.

        Numbers that depend on the other sequences of a dataset are left out.
        """

    def read_prompts(self) -> Mapping[str, tuple[Expression, ...]]:
        """Read the prompts of each sequence in the main style; empty without prompts."""
        return {}

    def read_object_entries(self) -> Mapping[str, tuple[ObjectEntry, ...]]:
        """Read the objects file by sequence; empty without one."""
        return {}

    def read_categories(self) -> tuple[Category, ...]:
        """Read the categories of the dataset; empty for a dataset without categories."""
        return ()

    def read_classes(self, categories: Iterable[Category]) -> dict[tuple[str, int], int]:
        """Read the category of each object from the files, where noise may have changed it.

        Parameters
        ----------
        categories : iterable of Category
            The categories that names in the files can mean.

        Returns
        -------
        dict of (str, int) to int
            The id of the category, by sequence folder and object id; -1 for another name. Objects
            that the files lack are left out. Empty for a dataset without categories.
        """
        return {}

    def __len__(self) -> int:
        return len(self.sequences)

    def __iter__(self) -> Iterator[VideoSequence]:
        return iter(self.sequences)

    @overload
    def __getitem__(self, key: int | str) -> VideoSequence: ...

    @overload
    def __getitem__(self, key: slice) -> tuple[VideoSequence, ...]: ...

    def __getitem__(self, key: int | str | slice) -> VideoSequence | tuple[VideoSequence, ...]:
        if isinstance(key, str):
            if key not in self._by_folder:
                raise KeyError(f"{key!r}{suggest(key, self._by_folder)}")
            return self._by_folder[key]
        return self.sequences[key]

    @cached_property
    def _by_folder(self) -> dict[str, VideoSequence]:
        return {sequence.folder: sequence for sequence in self.sequences}

    def __repr__(self) -> str:
        return f"Split(name={self.name!r}, root={str(self.root)!r}, sequences={len(self)})"

    def _repr_html_(self) -> str:
        """Return the split as a table of its first sequences, for notebooks."""
        head = (
            f"<b>{escape(self.name)}</b> in {escape(str(self.root))}: "
            f"{count_nouns(len(self), 'sequence')}"
        )
        rows = "".join(
            f"<tr><td>{escape(sequence.folder)}</td><td>{len(sequence.frames)}</td>"
            f"<td>{len(sequence.objects)}</td><td>{escape(sequence.narration)}</td></tr>"
            for sequence in self.sequences[:_MOST_ROWS]
        )
        if len(self) > _MOST_ROWS:
            rows += f"<tr><td>and {len(self) - _MOST_ROWS} more</td></tr>"
        columns = "<tr><th>sequence</th><th>frames</th><th>objects</th><th>narration</th></tr>"
        return f"<p>{head}</p><table>{columns}{rows}</table>"

    def select(
        self, only: str | Iterable[str] | None = None, parameter: str = "only"
    ) -> tuple[VideoSequence, ...]:
        """Return the sequences of some folders, in the order of the split; None selects all.

        Raises
        ------
        InputError
            With every folder that the split does not have, or if no folder is named.
        """
        wanted = check_selection(only, parameter)
        if wanted is None:
            return self.sequences
        hint = f"give the name of a sequence as in the {self.list_title}"
        owner = f"the split {self.name!r}"
        check_known(wanted, self._by_folder, "sequence", f"`{parameter}`", hint, owner)
        return tuple(seq for seq in self.sequences if seq.folder in wanted)

    def find_sequence(self, sequence: VideoSequence | str) -> VideoSequence:
        """Return a sequence that a caller gave as itself or as the name of its folder."""
        return self[sequence] if isinstance(sequence, str) else sequence

    def mask(self, sequence: VideoSequence | str, frame: str) -> IndexMask:
        """Read the index mask of a frame.

        Parameters
        ----------
        sequence : VideoSequence or str
            The sequence, or the name of its folder.
        frame : str
            The name of the frame, as in `VideoSequence.frames`.

        Returns
        -------
        ndarray
            (H, W) uint8, each pixel the id of its object, 0 for background. Later objects are on
            top, where objects overlap.

        Raises
        ------
        InputError
            If the mask is missing or damaged, see `read_index_mask`.
        """
        shown = self.find_sequence(sequence).restrict([frame])
        return paint_masks(self.iterate_masks(shown))

    def find_masks(self, sequence: VideoSequence) -> list[Path]:
        return self.find_files(MASKS, sequence)

    def list_shapes(self, sequence: VideoSequence) -> list[tuple[int, ...]]:
        """Check all masks of a sequence, and return their sizes in the order of its views."""
        return [mask.shape for mask in self.iterate_masks(sequence)]

    def digest_masks(self, sequence: VideoSequence) -> list[str]:
        """Digest the masks of a sequence, in the order of its views."""
        return [digest for _, digest in self.iterate_digested(sequence)]

    def iterate_digested(self, sequence: VideoSequence) -> Iterator[tuple[IndexMask, str]]:
        """Yield the masks of a sequence with their digests, see `iterate_masks`."""
        return ((mask, digest_pixels(mask)) for mask in self.iterate_masks(sequence))

    def read_masks(self, sequence: VideoSequence) -> list[IndexMask]:
        """Read all masks of a sequence, see `iterate_masks`."""
        return list(self.iterate_masks(sequence))

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Read the index masks of a sequence in the order of its views, one at a time.

        All masks must have one size and listed ids only. A long sequence needs no more memory than
        a short one.

        Raises
        ------
        InputError
            With every faulty mask: after the first one, the remaining masks are checked before the
            error.
        """
        problems = ProblemCollector()
        shape: tuple[int, ...] | None = None
        for path in self.find_masks(sequence):
            with problems.collect():
                mask = read_index_mask(path)
                shape = shape or mask.shape
                with problems.collect():
                    check_same_size(
                        mask.shape,
                        shape,
                        "the sequence's first mask",
                        path,
                        "make all masks of a sequence at one size, resampled by nearest neighbour",
                    )
                foreign = find_foreign_ids(mask, sequence.object_ids)
                if foreign:
                    named = format_names([*map(str, foreign)], 8)
                    problems.add(
                        f"has the ids {named}, which are not in the {self.list_title}",
                        path,
                        "list the objects, or, if ids were blended by resampling or anti-aliasing, "
                        "make the mask again without blending",
                    )
            if not problems.collected:
                yield mask
        problems.raise_if_any()
