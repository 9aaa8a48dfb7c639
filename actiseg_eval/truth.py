"""The ground truth: a split of an ActionVOS root, or a plain folder of sequences."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from actiseg_data.errors import refuse
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split, open_split, split_names
from actiseg_data.layouts.folder import FolderSplit, open_folder

Truth: TypeAlias = "Split | FolderSplit"

DEFAULT_SPLIT = "val_human"

NOVEL = "val_novel"
"""The list of the sequences whose action is novel, in the datasets that have it."""


def open_truth(root: Path, split: str | None = None) -> Truth:
    """The ground truth of a root.

    split: of an ActionVOS root; by default `DEFAULT_SPLIT`. Raises `Refused` for what is neither
    an ActionVOS root nor a folder of sequences.
    """
    if (root / IMAGE_SETS).is_dir():
        return open_split(root, split or DEFAULT_SPLIT)
    if split is not None:
        raise refuse(
            f"has no {IMAGE_SETS}, so there is no split {split!r}", root, "leave --split out"
        )
    return open_folder(root)


def novel_sequences(truth: Truth) -> frozenset[str] | None:
    """The folders of the sequences whose action is novel; None where that is not known."""
    if not isinstance(truth, Split) or NOVEL not in split_names(truth.root):
        return None
    novel = open_split(truth.root, NOVEL, masks=False)
    return frozenset(sequence.folder for sequence in novel.sequences)
