"""Open the ground truth: a split of an ActionVOS root, or a plain folder of sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from actiseg_data.core.names import escape_unprintable
from actiseg_data.layouts.actionvos import MASKS, Split, list_splits, open_split
from actiseg_data.layouts.mask_folders import FolderSplit, open_folder, restrict_split
from actiseg_data.layouts.recognition import has_action_lists
from actiseg_data.layouts.sequence_lists import SequenceList, read_sequence_list

GroundTruth: TypeAlias = "Split | FolderSplit"

DEFAULT_SPLIT = "val_human"

NOVEL = "val_novel"
"""The list of the sequences with novel actions, in the datasets that have it."""


def open_truth(
    root: Path | str, split: str | None = None, sequences: Path | str | None = None
) -> GroundTruth:
    """Open the ground truth of a dataset.

    Parameters
    ----------
    root : Path or str
        A dataset in the ActionVOS layout or the DAVIS layout, or a folder of sequences.
    split : str, optional
        For an ActionVOS root a split, by default `DEFAULT_SPLIT`. Otherwise a list in ``ImageSets``
        beside the masks, by default ``val`` if there are lists.
    sequences : Path or str, optional
        A text file with the sequences to keep, one per line.

    Raises
    ------
    InputError
        For a dataset of another kind, which the message names; and for a missing split or sequence.
    """
    root = Path(root)
    if sequences is not None:
        sequences = Path(sequences)
    if has_action_lists(root) or (root / MASKS).is_dir():
        whole = open_split(root, DEFAULT_SPLIT if split is None else split)
        return whole if sequences is None else _restrict(whole, read_sequence_list(sequences))
    folder = open_folder(root, split, whole=sequences is not None)
    if sequences is None:
        return folder
    name = _name_part(folder.name, sequences)
    return restrict_split(folder, read_sequence_list(sequences), name)


def _restrict(split: Split, listed: SequenceList) -> Split:
    chosen = listed.choose(sequence.folder for sequence in split.sequences)
    kept = tuple(sequence for sequence in split.sequences if sequence.folder in chosen)
    return replace(split, name=_name_part(split.name, listed.path), sequences=kept)


def _name_part(name: str, listed: Path) -> str:
    """Return the name in reports of the part of a split that a list selects.

    >>> _name_part("val", Path("lists/short.txt"))
    'val, listed in short.txt'
    """
    return f"{name}, listed in {escape_unprintable(listed.name)}"


def find_novel_sequences(truth: GroundTruth) -> frozenset[str] | None:
    """Return the folders of the sequences with novel actions; None if they are not known."""
    if not isinstance(truth, Split) or NOVEL not in list_splits(truth.root):
        return None
    novel = open_split(truth.root, NOVEL, masks=False)
    return frozenset(sequence.folder for sequence in novel.sequences)
