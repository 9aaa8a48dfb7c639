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
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, NoReturn, overload

from actiseg_data.annotations.masks import (
    IndexMask,
    check_same_size,
    find_foreign_ids,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence, number_duplicates
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import (
    InputError,
    ProblemCollector,
    check_known,
    find_nearest,
    refuse,
    suggest,
)
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.core.listing import list_files, list_folders
from actiseg_data.core.names import check_name, format_names
from actiseg_data.layouts.image_sets import (
    Expression,
    ObjectEntry,
    name_expressions_file,
    name_objects_file,
    read_by_folder,
    read_expression,
    read_object_entry,
    read_record,
    refuse_repeats,
)
from actiseg_data.layouts.photograph_search import find_photograph, find_photographs
from actiseg_data.layouts.recognition import recognise_dataset
from actiseg_data.layouts.spelling import find_path, find_paths, match_names

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
            for sequence in self.sequences:
                if sequence.folder == key:
                    return sequence
            raise KeyError(f"{key!r}{suggest(key, (known.folder for known in self.sequences))}")
        return self.sequences[key]

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

    def select(self, only: Iterable[str] = (), where: str = "`only`") -> tuple[VideoSequence, ...]:
        """Return the sequences of some folders, in the order of the split; all if none is named.

        Raises
        ------
        InputError
            With every folder that the split does not have.
        """
        wanted = list(only)
        by_folder = {sequence.folder: sequence for sequence in self.sequences}
        hint = "give the name of a folder as in the action list"
        check_known(wanted, by_folder, "sequence", where, hint, f"the split {self.name!r}")
        return tuple(seq for seq in self.sequences if not wanted or seq.folder in wanted)

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


def list_splits(root: Path) -> list[str]:
    """List the splits of a root, sorted: its action lists."""
    folder = root / IMAGE_SETS
    files = list_files(folder, ".json") if folder.is_dir() else []
    companions = ("_objects_category", "_meta_expressions_")
    stems = (file.path.stem for file in files)
    return sorted(stem for stem in stems if not any(part in stem for part in companions))


def open_split(root: PathLike, name: str, *, masks: bool = True) -> Split:
    """Open a split: read its action list and find the folders of its sequences.

    Masks are not decoded.

    Parameters
    ----------
    root : str or Path
        A root in the ActionVOS layout.
    name : str
        The split, such as ``train`` or ``val_human``.
    masks : bool
        Whether masks are required. If not, a root without any masks of the split is accepted.

    Raises
    ------
    InputError
        With every problem of the list; if some sequences have no folder of masks; for a dataset in
        another layout, which the message names.
    """
    root = as_path(root)
    check_name(name, "split", "`split`")
    path = root / IMAGE_SETS / f"{name}.json"
    if not path.is_file():
        _refuse_absent(root, name)
    records = read_json(path, "action list")
    problems = ProblemCollector()
    with pause_gc():
        elements = list(Cursor(records, str(path)).iterate_elements())
        sequences = number_duplicates(collect_valid(elements, read_record, problems))
    problems.raise_if_any()
    if not sequences:
        raise refuse("the action list is empty", path, "prepare the split again")
    refuse_repeats("folder", (sequence.folder for sequence in sequences), path, problems)
    subsets, spellings = _find_places(root, sequences, MASKS, problems)
    if not masks and not subsets:
        subsets, spellings = _find_places(root, sequences, FRAMES, problems)
    else:
        for sequence in sequences:
            if sequence.folder not in subsets:
                with problems.collect():
                    raise _refuse_missing_masks(root, sequence)
    problems.raise_if_any()
    return Split(root, name, tuple(sequences), subsets, digest_json(records), spellings)


def _refuse_absent(root: Path, name: str) -> NoReturn:
    """Raise the `InputError` that explains why a root has no action list of a name."""
    kind = recognise_dataset(root)
    if kind is not None:
        raise refuse(f"is not an ActionVOS root but {kind}", root, "give an ActionVOS root")
    if not root.is_dir():
        raise refuse_missing(root, "the dataset folder is missing", "give an ActionVOS root")
    known = list_splits(root)
    best = next(iter([*find_nearest(name, known, 1), *known]), None)
    raise refuse(
        f"there is no split {name!r}{suggest(name, known)} (splits here: "
        f"{', '.join(known) or 'none'})",
        root / IMAGE_SETS / f"{name}.json",
        "give an ActionVOS root, with action lists in ImageSets"
        if best is None
        else f"give one of them, such as `split` {best}",
    )


def _refuse_missing_masks(root: Path, sequence: VideoSequence) -> InputError:
    places = [root / MASKS / subset / escape_name(sequence.folder) for subset in SUBSETS]
    where = next((place for place in places if find_dangling_link(place) is not None), None)
    return refuse_missing(
        where or root / MASKS / "*" / sequence.folder,
        "the sequence's mask folder is missing in train/ and val/",
        "restore it, or prepare the split again",
    )


def _find_places(
    root: Path, sequences: Iterable[VideoSequence], kind: str, problems: ProblemCollector
) -> tuple[dict[str, str], dict[str, str]]:
    """Find the subset that has the folder of each sequence, and the folders with another spelling.

    Ambiguous names are added to the problems.
    """
    subsets: dict[str, str] = {}
    spellings: dict[str, str] = {}
    wanted = {escape_name(sequence.folder): sequence.folder for sequence in sequences}
    for subset in SUBSETS:
        place = root / kind / subset
        # Listing the folder once is far cheaper than testing thousands of paths.
        present = {entry.name for entry in list_folders(place)} if place.is_dir() else set()
        lacking = (name for name, folder in wanted.items() if folder not in subsets)
        matches = match_names(lacking, present)
        matches.add_clashes(place, problems)
        for name, spelling in matches.names.items():
            subsets[wanted[name]] = subset
            if spelling != name:
                spellings[wanted[name]] = spelling
    return subsets, spellings
