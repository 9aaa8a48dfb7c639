"""Open the ground truth: the masks of a dataset in any layout, or some of its sequences."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TypeAlias

from actiseg_data.annotations.masks import IndexMask, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.names import escape_unprintable
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.opening import has_object_masks, open_masks, open_split
from actiseg_data.layouts.sequence_lists import list_sequences, read_sequence_list
from actiseg_eval.predictions.object_tracks import TrackTruth, make_track_truth

GroundTruth: TypeAlias = MaskSplit

NOVEL = "val_novel"
"""The list of the sequences with novel actions, in the datasets that have it."""


def open_truth(
    root: Path | str,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
    *,
    layout: str | None = None,
) -> GroundTruth:
    """Open the ground truth of a dataset.

    Parameters
    ----------
    root : Path or str
        A dataset in any layout, or a folder of sequences. If it has a mask for each object, each
        object is a sequence.
    split : str, optional
        For an ActionVOS root a split, by default ``val_human``. Otherwise a list in ``ImageSets``
        beside the masks, by default ``val`` if there are lists.
    sequences : path or iterable of str, optional
        A text file with the sequences to keep, one per line; or a list of them.
    layout : str, optional
        The key of a layout, such as ``davis``. By default it is recognised.

    Raises
    ------
    InputError
        For a dataset of another kind, which the message names; and for a missing split or sequence.
    """
    tracks = _open_tracks(Path(root), split, layout)
    if sequences is None:
        return tracks or open_masks(Path(root), split, layout=layout)
    truth = tracks or open_masks(Path(root), split, whole=True, layout=layout)
    if isinstance(sequences, (str, os.PathLike)):
        path = Path(sequences)
        listed, name = read_sequence_list(path), _name_part(truth.name, path)
    else:
        listed = list_sequences(sequences, "sequences")
        name = f"{truth.name}, {len(listed.lines)} listed"
    return truth.restrict(listed.select(truth.sequences), name)


def _open_tracks(root: Path, split: str | None, layout: str | None) -> TrackTruth | None:
    """Open a dataset with a mask for each object; None for all others."""
    if not has_object_masks(root, layout):
        return None
    return make_track_truth(open_split(root, split, layout=layout))


def read_true_mask(truth: GroundTruth, sequence: VideoSequence, frame: str) -> IndexMask:
    """Read the true mask of a frame; raise `InputError` if it is missing or damaged."""
    if isinstance(truth, TrackTruth):
        return truth.read_mask(sequence, frame)
    return read_index_mask(truth.find_mask(sequence, frame))


def _name_part(name: str, listed: Path) -> str:
    """Return the name in reports of the part of a split that a list selects.

    >>> _name_part("val", Path("lists/short.txt"))
    'val, listed in short.txt'
    """
    return f"{name}, listed in {escape_unprintable(listed.name)}"


def find_novel_sequences(truth: GroundTruth) -> frozenset[str] | None:
    """Return the folders of the sequences with novel actions; None if they are not known."""
    if not truth.has_action_lists or NOVEL not in list_splits(truth.root):
        return None
    novel = open_split(truth.root, NOVEL, masks=False)
    return frozenset(sequence.folder for sequence in novel.sequences)
