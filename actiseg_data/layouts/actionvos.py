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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from html import escape
from pathlib import Path
from typing import Any, overload

from actiseg_data.annotations.masks import (
    IndexMask,
    check_same_size,
    find_foreign_ids,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.arguments import check_selection
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import (
    Cursor,
    read_json,
)
from actiseg_data.core.errors import (
    ProblemCollector,
    check_known,
    refuse,
    suggest,
)
from actiseg_data.core.names import format_names
from actiseg_data.layouts.image_sets import (
    Expression,
    ObjectEntry,
    name_expressions_file,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
)
from actiseg_data.layouts.photograph_search import find_photograph, find_photographs
from actiseg_data.layouts.spelling import find_path, find_paths

IMAGE_SETS = "ImageSets"
MASKS = "Annotations_Sparse"
FRAMES = "JPEGImages_Sparse"
WEIGHTS = "Weights_Sparse"
SUBSETS = ("train", "val")

_MOST_ROWS = 10
"""Most sequences that a notebook shows."""


def escape_name(folder: str) -> str:
    """Escape the name of a folder for this system: on Windows ``%3A`` replaces a colon."""
    return folder.replace(":", "%3A") if os.name == "nt" else folder


@dataclass(frozen=True, repr=False)
class Split(Sequence[VideoSequence]):
    """A split of an ActionVOS root: a sequence of `VideoSequence`, see `open_split`.

    Sequences are found by position, by slice, or by the name of their folder.

    Attributes
    ----------
    root : Path
        The dataset.
    name : str
        The name of the action list, such as ``val_human``.
    sequences : tuple of VideoSequence
        The sequences in the order of the list.
    subsets : dict of str to str
        For each folder of a sequence ``train`` or ``val``: the subfolder that has its masks. In a
        root without masks, the subfolder that has its photographs.
    fingerprint : str
        Digest of the action list: which sequences, frames, objects and labels it has.
    spellings : dict of str to str
        Names of folders on disk that differ from `escape_name`.

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

    root: Path
    name: str
    sequences: tuple[VideoSequence, ...]
    subsets: dict[str, str]
    fingerprint: str
    spellings: dict[str, str] = field(default_factory=dict)

    @property
    def has_labels(self) -> bool:
        """True: action lists have the labels of all objects."""
        return True

    @property
    def has_action_lists(self) -> bool:
        """True: an action list chose the sequences."""
        return True

    @property
    def listed(self) -> bool:
        """True: an action list chose the sequences."""
        return True

    @property
    def list_names(self) -> list[str]:
        """None: the root has action lists only."""
        return []

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
        head = f"<b>{escape(self.name)}</b> in {escape(str(self.root))}: {len(self)} sequences"
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
        by_folder = {sequence.folder: sequence for sequence in self.sequences}
        hint = "give the name of a folder as in the action list"
        owner = f"the split {self.name!r}"
        check_known(wanted, by_folder, "sequence", f"`{parameter}`", hint, owner)
        return tuple(seq for seq in self.sequences if seq.folder in wanted)

    def restrict(self, sequences: tuple[VideoSequence, ...], name: str) -> Split:
        """Return the split with some of its sequences, under another name."""
        return replace(self, sequences=sequences, name=name)

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
        sequence = self[sequence] if isinstance(sequence, str) else sequence
        folder = self.find_folder(FRAMES, sequence)
        return find_photographs(folder, map(escape_name, sequence.frames))

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
            (H, W) uint8, each pixel the id of its object, 0 for background.

        Raises
        ------
        InputError
            If the mask is missing or damaged, see `read_index_mask`.
        """
        sequence = self[sequence] if isinstance(sequence, str) else sequence
        return read_index_mask(self.find_mask(sequence, frame))

    def find_folder(self, kind: str, sequence: VideoSequence) -> Path:
        """Return the folder of a sequence's files of a kind: `MASKS`, `FRAMES` or `WEIGHTS`."""
        subset, folder = self.subsets[sequence.folder], sequence.folder
        spelling = self.spellings.get(folder)
        if spelling is not None and (self.root / kind / subset / spelling).is_dir():
            return self.root / kind / subset / spelling
        return find_sequence_folder(self.root, kind, subset, folder)

    def find_mask(self, sequence: VideoSequence, frame: str) -> Path:
        """Return the file of a mask."""
        return find_path(self.find_folder(MASKS, sequence), f"{frame}.png")

    def find_frame(self, sequence: VideoSequence, frame: str) -> Path:
        """Return the photograph of a frame, see `find_photograph`."""
        return find_photograph(self.find_folder(FRAMES, sequence), escape_name(frame))

    def find_masks(self, sequence: VideoSequence) -> list[Path]:
        """Return the files of a sequence's masks, in the order of its frames."""
        return self.find_pngs(MASKS, sequence)

    def find_pngs(self, kind: str, sequence: VideoSequence) -> list[Path]:
        """Return a sequence's files of a kind (`MASKS`, `WEIGHTS`), in the order of its frames."""
        names = (f"{frame}.png" for frame in sequence.frames)
        return find_paths(self.find_folder(kind, sequence), names)

    def read_masks(self, sequence: VideoSequence) -> list[IndexMask]:
        """Read all masks of a sequence, see `iterate_masks`."""
        return list(self.iterate_masks(sequence))

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Read the index masks of a sequence in the order of its frames, one at a time.

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
                        f"has the ids {named}, which are not in the action list",
                        path,
                        "list the objects, or, if ids were blended by resampling or anti-aliasing, "
                        "make the mask again without blending",
                    )
            if not problems.collected:
                yield mask
        problems.raise_if_any()

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
                f"lacks {len(lacking)} sequences of the list, such as {lacking[0]}",
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
