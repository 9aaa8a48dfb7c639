"""The labels that noise did not change, for a run that learns from these alone.

Clean labels are compared with the labels of the run, so that any noisy copy will do, with or
without a ledger.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from reference_trainer.batches.training_split import (
    PromptedSequence,
    TrainingSplit,
    count_special_cases,
    read_clean_prompts,
)

IDS = 256
"""Number of ids that an index mask can have."""


def restrict_to_untouched(split: TrainingSplit) -> TrainingSplit:
    """Keep the prompts whose text, class and flags are those of the clean dataset.

    Parameters
    ----------
    split : TrainingSplit
        With the labels of a noisy copy.

    Returns
    -------
    TrainingSplit
        Without the sequences that have no such prompt. Units are numbered anew. `handled` counts
        the prompts and the sequences that are left out.

    Raises
    ------
    InputError
        If no prompt is left.
    """
    clean = {item.sequence.folder: set(item.prompts) for item in read_clean_prompts(split)}
    kept: list[PromptedSequence] = []
    unit = 0
    for item in split.sequences:
        known = clean[item.sequence.folder]
        prompts = tuple(prompt for prompt in item.prompts if prompt in known)
        if prompts:
            kept.append(PromptedSequence(item.sequence, prompts, unit))
            unit += len(prompts) * len(item.sequence.frames)
    if not kept:
        raise refuse(
            "changes all prompts, so no label is untouched",
            split.labels.root,
            "give a copy with less noise, or `labels` all",
        )
    handled = count_special_cases(kept)
    handled["changed_prompts_left_out"] = split.prompt_count - sum(len(k.prompts) for k in kept)
    handled["sequences_left_out"] = len(split.sequences) - len(kept)
    return replace(split, sequences=tuple(kept), handled=+handled, untouched=True)


def read_changed_masks(split: TrainingSplit, sequence: VideoSequence) -> NDArray[np.bool_]:
    """Read which masks of a sequence differ from the clean ones in at least one pixel.

    Returns
    -------
    (T, 256) bool
        By frame and id.

    Raises
    ------
    InputError
        If masks are damaged, or have another size than the clean ones.
    """
    masks = zip(
        split.labels.iterate_masks(sequence), split.clean.iterate_masks(sequence), strict=True
    )
    where = f"{split.labels.root}: {sequence.folder}"
    return np.stack([find_changed_objects(labelled, clean, where) for labelled, clean in masks])


def find_changed_objects(labelled: IndexMask, clean: IndexMask, where: str) -> NDArray[np.bool_]:
    """Find the ids whose pixels differ between two index masks.

    Parameters
    ----------
    labelled, clean : (H, W) uint8
    where : str
        For the error message.

    Returns
    -------
    (256,) bool

    Raises
    ------
    InputError
        If the masks have different sizes.

    Examples
    --------
    >>> labelled, clean = np.uint8([[1, 1, 2, 3]]), np.uint8([[1, 2, 2, 3]])
    >>> np.flatnonzero(find_changed_objects(labelled, clean, "a mask")).tolist()
    [1, 2]
    """
    if labelled.shape != clean.shape:
        what = f"has masks of {labelled.shape}, but the clean masks are of {clean.shape}"
        raise refuse(what, where, "give masks of the clean size, or `labels` all")
    differs = labelled != clean
    changed = np.zeros(IDS, bool)
    changed[labelled[differs]] = True
    changed[clean[differs]] = True
    return changed
