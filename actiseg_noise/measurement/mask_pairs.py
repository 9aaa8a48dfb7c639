"""Pairs of clean and noisy mask files, in all layouts in which noisy masks are published.

- This toolkit, and other datasets in the ActionVOS layout: ``ROOT/Annotations_Sparse/train/...``.
- ActiSeg-NL: ``ROOT/train/<sequence>/<frame>.png``, with a clean copy ``<frame>_org.png`` of every
  mask that changed.
- Most video datasets: ``ROOT/<sequence>/<frame>.png``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.listing import list_files, list_folders, sort_frames
from actiseg_data.layouts.actionvos import MASKS, SUBSETS, escape_name
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.spelling import match_names

CLEAN_ENDING = "_org"
"""End of the stem of a clean copy, in ActiSeg-NL's layout."""


@dataclass(frozen=True)
class MaskPairs:
    """The mask files of one sequence.

    Attributes
    ----------
    folder : str
        Name of the sequence folder.
    objects : mapping of int to ObjectLabel
        Labels by object id; empty if they are unknown.
    pairs : tuple of (Path, Path)
        The clean and the noisy mask of each frame.
    missing : int
        Frames without a noisy mask.
    same : bool
        Whether clean and noisy files are the same files.
    """

    folder: str
    objects: Mapping[int, ObjectLabel]
    pairs: tuple[tuple[Path, Path], ...]
    missing: int
    same: bool


def find_mask_folders(noisy: Path) -> dict[str, Path] | None:
    """Find the folders of a noisy split's sequences, by name.

    They are in ``train/`` and ``val/``, or directly in the folder of masks. Returns None if there
    is no folder of masks. The result is empty if the masks of all sequences are lost.
    """
    for root in (noisy / MASKS, noisy):
        if not root.is_dir():
            continue
        subsets = [root / subset for subset in SUBSETS if (root / subset).is_dir()]
        folders = {entry.name: entry.path for subset in subsets for entry in list_folders(subset)}
        plain = [entry for entry in list_folders(root) if entry.path not in subsets]
        folders |= {entry.name: entry.path for entry in plain if list_files(entry.path, ".png")}
        if subsets or folders:
            return folders
    return None


def has_clean_copies(folders: Mapping[str, Path]) -> bool:
    """Return whether there is a clean copy ``<frame>_org.png`` of any mask."""
    return any(list_files(folder, f"{CLEAN_ENDING}.png") for folder in folders.values())


def pair_with_split(
    noisy: Path,
    folders: Mapping[str, Path],
    clean: MaskSplit,
    sequences: Iterable[VideoSequence],
) -> list[MaskPairs]:
    """Pair the masks of clean sequences with noisy masks of any unambiguous spelling."""
    names = {escape_name(sequence.folder): sequence for sequence in sequences}
    matches = match_names(names, folders.keys())
    problems = ProblemCollector()
    matches.add_clashes(noisy, problems)
    sequence_pairs = []
    for name, sequence in names.items():
        with problems.collect():
            folder = folders.get(matches.names.get(name, name))
            sequence_pairs.append(_pair_sequence(folder, clean, sequence))
    problems.raise_if_any()
    return sequence_pairs


def _pair_sequence(folder: Path | None, clean: MaskSplit, sequence: VideoSequence) -> MaskPairs:
    labels = {label.object_id: label for label in sequence.objects}
    clean_paths = clean.find_masks(sequence)
    if folder is None:
        return MaskPairs(sequence.folder, labels, (), len(clean_paths), False)
    wanted = {
        f"{frame}.png": path for frame, path in zip(sequence.frames, clean_paths, strict=True)
    }
    matches = match_names(wanted, {entry.name for entry in list_files(folder, ".png")})
    problems = ProblemCollector()
    matches.add_clashes(folder, problems)
    problems.raise_if_any()
    pairs = tuple(
        (path, folder / matches.names[name])
        for name, path in wanted.items()
        if name in matches.names
    )
    same = bool(pairs) and os.path.samefile(folder, clean_paths[0].parent)
    return MaskPairs(sequence.folder, labels, pairs, len(clean_paths) - len(pairs), same)


def pair_with_copies(folders: Mapping[str, Path]) -> list[MaskPairs]:
    """Pair noisy masks with the clean copies next to them; a mask without a copy did not change."""
    return [_pair_folder(name, folder) for name, folder in sorted(folders.items())]


def _pair_folder(name: str, folder: Path) -> MaskPairs:
    masks = [entry.path for entry in list_files(folder, ".png")]
    clean = {path.stem[: -len(CLEAN_ENDING)]: path for path in masks if _is_clean(path)}
    noisy = {path.stem: path for path in masks if not _is_clean(path)}
    pairs = tuple((clean.get(frame, noisy[frame]), noisy[frame]) for frame in sort_frames(noisy))
    return MaskPairs(name, {}, pairs, 0, False)


def _is_clean(path: Path) -> bool:
    return path.stem.endswith(CLEAN_ENDING)
