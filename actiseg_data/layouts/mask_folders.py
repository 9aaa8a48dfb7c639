"""Index masks in plain folders, one for each sequence, as in DAVIS and most video datasets.

::

    ROOT/<sequence>/<frame>.png

The objects are known from the masks only.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.listing import list_files, list_possible_folders, sort_frames
from actiseg_data.core.names import check_name
from actiseg_data.layouts.davis import (
    ANNOTATIONS,
    DEFAULT_LIST,
    DEFAULT_TRAINING_LIST,
    PHOTOGRAPHS,
    WHOLE,
    find_list,
    find_list_names,
    find_lists,
    find_masks,
    has_masks,
    is_davis,
    strip_year,
)
from actiseg_data.layouts.layout import Layout
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.sequence_record import DatasetForm, make_dataset_sequence
from actiseg_data.layouts.spelling import find_path, find_paths


@dataclass(frozen=True)
class FolderSplit(MaskSplit):
    """The sequences of a folder, by name. Their objects are unknown until masks are read.

    Attributes
    ----------
    root, sequences, spellings
        See `MaskSplit`; the root is the folder of the sequences' folders.
    name : str
        The name of that folder, or of the list that chose the sequences.
    fingerprint : str
        Digest of the names of all sequences and frames of the folder.
    listed : bool
        Whether a list chose the sequences.
    lists : Path or None
        The folder of lists, which may not exist.
    """

    listed: bool = False
    lists: Path | None = None

    @property
    def has_labels(self) -> bool:
        return False

    @property
    def list_names(self) -> list[str]:
        return [] if self.lists is None else find_list_names(self.lists)

    def restrict(self, sequences: tuple[VideoSequence, ...], name: str) -> FolderSplit:
        return replace(self, sequences=sequences, name=name, listed=True)

    def find_mask(self, sequence: VideoSequence, frame: str) -> Path:
        return find_path(self.root / sequence.folder, f"{frame}.png")

    def find_masks(self, sequence: VideoSequence) -> list[Path]:
        names = (f"{frame}.png" for frame in sequence.frames)
        return find_paths(self.root / sequence.folder, names)


def open_folder(
    masks: Path, lists: Path | None = None, split: str | None = None, whole: bool = False
) -> FolderSplit:
    """List the sequences of a folder, all or those of a list. Masks are not decoded.

    Parameters
    ----------
    masks : Path
        The folder of the sequences' folders.
    lists : Path, optional
        The folder of lists, which may not exist.
    split : str, optional
        A list in that folder, such as ``val`` or ``2017/val``, or `WHOLE` for all sequences.
        Default: ``val`` if there are lists, otherwise all sequences.
    whole : bool
        Whether to take all sequences even if there are lists.

    Raises
    ------
    InputError
        If the folder cannot be listed, if there is no such list, and for unsafe names.
    """
    sequences = list_mask_sequences(masks)
    frames = {sequence.folder: list(sequence.frames) for sequence in sequences}
    opened = FolderSplit(masks, masks.name, sequences, digest_json(frames), lists=lists)
    if split is None and not whole and opened.list_names:
        split = DEFAULT_LIST
    if split is None or (split == WHOLE and WHOLE not in opened.list_names):
        return opened
    if lists is None:
        hint = "leave `split` out"
        raise refuse(f"has no lists, so there is no split {split!r}", masks, hint)
    name, listed = find_list(lists, split, frames)
    return opened.restrict(listed.select(sequences), name)


def _open_root(root: Path, split: str | None, whole: bool) -> FolderSplit:
    """Open a root in the layout of DAVIS, a part of one, or a plain folder; see `MaskOpener`.

    A part of a root, such as its ``Annotations/480p``, is opened as a whole by default.
    """
    lists = find_lists(root)
    return open_folder(find_masks(root), lists, split, whole or lists.parent != root)


def list_mask_sequences(root: Path) -> tuple[VideoSequence, ...]:
    """List the sequences in a folder and their frames, in order. Masks are not decoded.

    Raises
    ------
    InputError
        With every folder that cannot be listed, unsafe name, and frame with several masks.
    """
    problems = ProblemCollector()
    sequences = []
    for folder in list_possible_folders(root):
        with problems.collect():
            files = list_files(folder.path, ".png")
            if not files:
                continue
            frames = sort_frames(file.path.stem for file in files)
            check_name(folder.name, "sequence", root)
            for frame, count in Counter(frames).items():
                check_name(frame, "frame", folder.path)
                if count > 1:
                    problems.add(f"has {count} masks of the frame {frame}", folder.path, "keep one")
            sequences.append(make_dataset_sequence(folder.name, frames))
    problems.raise_if_any()
    return tuple(sequences)


def find_davis_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the masks, the photographs and the list of a split in a root in the layout of DAVIS.

    See `FormFinder`. The default is the list ``train``, or the only list, or all sequences under
    the name `WHOLE`.
    """
    masks = find_masks(root)
    prefix = masks.relative_to(root).as_posix()
    prefix = "" if prefix == "." else prefix
    lists = find_lists(root)
    photographs = name_photographs_folder(root, prefix)
    names = find_list_names(lists) if lists.parent == root else []
    if split is None:
        split = _choose_default(names)
    if split == WHOLE and WHOLE not in names:
        return DatasetForm("davis" if is_davis(root) else "masks", prefix, photographs), WHOLE
    if not names:
        what = f"has no lists of sequences, so there is no split {split!r}"
        raise refuse(what, root, f"leave `split` out, or give {WHOLE}")
    folders = [entry.name for entry in list_possible_folders(masks)]
    name, _ = find_list(lists, split, folders)
    document = f"{lists.name}/{name}.txt"
    return DatasetForm("davis", prefix, photographs, (document,)), strip_year(name)


def _choose_default(names: list[str]) -> str:
    bare = set(map(strip_year, names))
    if DEFAULT_TRAINING_LIST in bare:
        return DEFAULT_TRAINING_LIST
    return bare.pop() if len(bare) == 1 else WHOLE


def name_photographs_folder(root: Path, masks: str) -> str | None:
    """Name the place of photographs beside a folder of masks, relative to the root.

    The photographs of all resolutions may be in one folder. None if the masks have no folder beside
    which it could be.
    """
    top, _, rest = masks.partition("/")
    if top not in ANNOTATIONS:
        return None
    inner = f"{PHOTOGRAPHS}/{rest}" if rest else PHOTOGRAPHS
    if not (root / inner).is_dir() and (root / PHOTOGRAPHS).is_dir():
        return PHOTOGRAPHS
    return inner


DAVIS = Layout(
    key="davis",
    name="DAVIS",
    description="DAVIS or a dataset in its layout",
    is_root=is_davis,
    open_masks=_open_root,
    find_form=find_davis_form,
)

MASK_FOLDERS = Layout(
    key="masks",
    name="a folder of masks",
    description="a folder of masks, <sequence>/<frame>.png",
    is_root=has_masks,
    open_masks=_open_root,
    find_form=find_davis_form,
)
