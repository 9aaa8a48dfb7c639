"""Choose the ground truth: as named, as the predictions name it, or the usual dataset."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from actiseg_data.core.arguments import refuse_type
from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.files import as_path
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.make.locate import locate_dataset
from actiseg_data.records.prediction_note import read_predictions_note
from actiseg_eval.predictions.ground_truth import GroundTruth, open_truth
from actiseg_eval.predictions.prediction_opening import find_predictions_note


def choose_truth(
    predictions: Path | str,
    gt: GroundTruth | Path | str | None,
    split: str | None = None,
    sequences: Iterable[str] | Path | str | None = None,
) -> GroundTruth:
    """Open the ground truth of some predictions.

    Parameters
    ----------
    predictions : path
        The folder or file of the predictions.
    gt : GroundTruth or path, optional
        An opened split, which is returned as it is, or a root. By default the dataset in
        ``predictions.json``, else `actiseg_data.make.locate.locate_dataset`.
    split : str, optional
        A split of the root. By default the one in ``predictions.json``, else as in `open_truth`.
    sequences : path or iterable of str, optional
        The sequences to keep, see `open_truth`.

    Raises
    ------
    InputError
        If there are no predictions, no dataset, or no such split or sequence.
    """
    predictions = as_path(predictions, "predictions")
    if gt is not None and not isinstance(gt, (str, os.PathLike)):
        return check_truth(gt)
    named = None if gt is None else Path(gt)
    root, split = read_named_truth(predictions, named, split)
    return open_truth(locate_dataset(root, option="`gt`")[0], split, sequences)


def check_truth(gt: GroundTruth) -> GroundTruth:
    """Return an opened split, after checking that it is one."""
    if not hasattr(gt, "find_masks"):
        raise refuse_type(gt, "a dataset or an opened split", "gt")
    return gt


def read_named_truth(
    predictions: Path, gt: Path | None, split: str | None
) -> tuple[Path | None, str | None]:
    """Complete the root and the split with those that the predictions name."""
    if not predictions.exists():
        hint = "give a folder of predictions, or a .json"
        raise refuse_missing(predictions, "there is no such folder", hint)
    note_path = find_predictions_note(predictions)
    if note_path is not None and (gt is None or split is None):
        note = read_predictions_note(note_path)
        gt = gt or (predictions / note.dataset).resolve()
        if split is None and (gt / IMAGE_SETS).is_dir():
            split = note.split
    return gt, split
