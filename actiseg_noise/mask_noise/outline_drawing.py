"""The noisy outlines of the objects of one mask."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import VOID, IndexMask, find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import Key, draw_integer, draw_uniform
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.mask_noise.contours import ObjectMask, find_object
from actiseg_noise.mask_noise.frame_runs import RUN, divide_into_runs
from actiseg_noise.mask_noise.item_selection import (
    PURPOSE,
    draw_outline_selection,
    find_spared,
    make_item_key,
)
from actiseg_noise.mask_noise.noisy_outline import NoisyOutline
from actiseg_noise.mask_noise.outline_kinds import find_outline_kind
from actiseg_noise.mask_noise.overlap import ADVANTAGE, OVERLAPS, PixelClaim


@dataclass(frozen=True)
class FrameTask:
    """Everything but the mask that decides the noise of one frame.

    Attributes
    ----------
    seed : int
        The seed of the recipe.
    noise : Noise
        The noise.
    sequence : VideoSequence
        The sequence.
    frame : str
        The name of the frame.
    new : frozenset of int
        Ids of the objects that the frame shows and no earlier one.
    """

    seed: int
    noise: Noise
    sequence: VideoSequence
    frame: str
    new: frozenset[int] = frozenset()

    @property
    def run(self) -> str:
        """The first frame of the run that the frame is in, for kinds that change runs."""
        sequence, parameters = self.sequence, self.noise.parameters
        starts = divide_into_runs(
            self.seed,
            self.noise.algorithm,
            sequence.identity,
            sequence.frames,
            int(parameters["shortest"]),
            int(parameters["longest"]),
        )
        return sequence.frames[starts[sequence.frames.index(self.frame)]]


@dataclass(frozen=True)
class NoisyItem:
    """One selected item: its noisy outline, the pixels that it claims, and its clean area."""

    label: ObjectLabel
    area: int
    kind: str
    outline: NoisyOutline
    claim: PixelClaim


def draw_outlines(
    task: FrameTask, clean: IndexMask, eligible: Sequence[ObjectLabel], threshold: float
) -> tuple[IndexMask, dict[int, NoisyItem]]:
    """Draw the noisy outlines of the selected objects of a mask, and resolve overlaps.

    Void pixels and those of spared objects (see `find_spared`) stay, whatever shapes cover them.

    Parameters
    ----------
    task : FrameTask
        Seed, noise, sequence and frame.
    clean : IndexMask
        (H, W) uint8.
    eligible : sequence of ObjectLabel
        The objects that may get noise. Those that the mask lacks get none.
    threshold : float
        Items with a selection draw below it get noise.

    Returns
    -------
    noisy : IndexMask
        (H, W) uint8.
    items : dict of int to NoisyItem
        The selected items by object id.
    """
    present = find_ids(clean)
    items: dict[int, NoisyItem] = {}
    for label in eligible:
        selected = label.object_id in present and (
            threshold >= 1
            or threshold
            > draw_outline_selection(task.noise, task.seed, task.sequence, task.frame, label)
        )
        if selected:
            items[label.object_id] = _draw_item(task, label, find_object(clean, label.object_id))
    positives = frozenset(label.object_id for label in task.sequence.objects if label.positive)
    claims = [item.claim for item in items.values()]
    if not claims:
        return clean.copy(), items
    noisy = OVERLAPS[task.noise.overlap or "contest"](clean, claims, positives)
    kept = find_spared(task.sequence, task.frame, task.noise, task.new)
    kept |= {VOID} - task.sequence.object_ids
    return _keep_pixels(clean, noisy, kept.intersection(present)), items


def _keep_pixels(clean: IndexMask, noisy: IndexMask, kept: Collection[int]) -> IndexMask:
    """Return the noisy mask with the clean pixels of some ids."""
    if not kept:
        return noisy
    stays = np.zeros(256, bool)
    stays[list(kept)] = True
    return np.where(stays[clean], clean, noisy)


def _draw_item(task: FrameTask, label: ObjectLabel, clean: ObjectMask) -> NoisyItem:
    """Draw the noisy outline of one item."""
    noise = task.noise

    def make(purpose: str) -> Key:
        frame = task.run if purpose.startswith(RUN) else task.frame
        purpose = f"{PURPOSE}.{purpose}"
        return make_item_key(task.seed, noise.algorithm, purpose, task.sequence, frame, label)

    kind = noise.kind
    if "kinds" in noise.parameters:  # a mixture
        kinds = noise.parameters["kinds"]
        kind = kinds[draw_integer(make("kind"), len(kinds))]
    outline = find_outline_kind(kind)(clean, noise.parameters, make)
    contested = noise.overlap == "contest"  # the other rules use no advantage
    advantage = ADVANTAGE * draw_uniform(make("advantage")) if contested else 0.0
    claim = PixelClaim(label.object_id, outline.patch, advantage)
    return NoisyItem(label, clean.area, kind, outline, claim)
