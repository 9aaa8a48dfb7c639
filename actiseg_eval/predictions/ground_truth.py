"""The ground truth: a split of an ActionVOS root, or a plain folder of sequences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

from actiseg_data.core.names import escape_unprintable
from actiseg_data.layouts.actionvos import MASKS, Split, list_splits, open_split
from actiseg_data.layouts.mask_folders import FolderSplit, open_folder, restrict_split
from actiseg_data.layouts.recognition import has_action_lists
from actiseg_data.layouts.sequence_lists import SequenceList, read_sequence_list

Truth: TypeAlias = "Split | FolderSplit"

DEFAULT_SPLIT = "val_human"

NOVEL = "val_novel"
"""The list of the sequences whose action is novel, in the datasets that have it."""


def open_truth(
    root: Path | str, split: str | None = None, sequences: Path | str | None = None
) -> Truth:
    """The ground truth of a root.

    root: in the ActionVOS layout or that of DAVIS, or a folder of sequences. split: of an ActionVOS
    root, by default `DEFAULT_SPLIT`; else a list in the ``ImageSets`` around the masks, by default,
    of a root that has some, ``val``. sequences: a text file of the sequences to keep, one a line.
    Raises `InputError` for a dataset of another kind, saying which it is, and for a split or a listed
    sequence that there is not.
    """
    root = Path(root)
    if sequences is not None:
        sequences = Path(sequences)
    if has_action_lists(root) or (root / MASKS).is_dir():
        whole = open_split(root, DEFAULT_SPLIT if split is None else split)
        return whole if sequences is None else _restrict(whole, read_sequence_list(sequences))
    found = open_folder(root, split, whole=sequences is not None)
    if sequences is None:
        return found
    name = _name_both(found.name, sequences)
    return restrict_split(found, read_sequence_list(sequences), name)


def _restrict(split: Split, listed: SequenceList) -> Split:
    chosen = listed.choose(sequence.folder for sequence in split.sequences)
    kept = tuple(sequence for sequence in split.sequences if sequence.folder in chosen)
    return replace(split, name=_name_both(split.name, listed.path), sequences=kept)


def _name_both(name: str, listed: Path) -> str:
    """What reports call the part of a split that a list chose.

    >>> _name_both("val", Path("lists/short.txt"))
    'val, listed in short.txt'
    """
    return f"{name}, listed in {escape_unprintable(listed.name)}"


def novel_sequences(truth: Truth) -> frozenset[str] | None:
    """The folders of the sequences whose action is novel; None where that is not known."""
    if not isinstance(truth, Split) or NOVEL not in list_splits(truth.root):
        return None
    novel = open_split(truth.root, NOVEL, masks=False)
    return frozenset(sequence.folder for sequence in novel.sequences)
