"""Look at a split before it is touched: are its masks sound, what is in sight, what is selected."""

from __future__ import annotations

import math
from collections.abc import Sequence as Listing
from dataclasses import dataclass

import numpy as np

from actiseg_data.digests import json_digest
from actiseg_data.layouts.actionvos import Split
from actiseg_data.masks import pixel_digest
from actiseg_data.parallel import Progress, run
from actiseg_data.records import Recipe
from actiseg_data.sequences import Sequence
from actiseg_noise.apply import eligible, selection_draw


@dataclass(frozen=True)
class Survey:
    """What one sequence holds. digests: of its clean masks, in frame order. draws: the selection
    draw of every eligible object in sight."""

    digests: tuple[str, ...]
    draws: tuple[float, ...]


@dataclass(frozen=True)
class Plan:
    """What a recipe will touch in a split.

    sequences: the ones of this run, in list order. surveys: one for each. threshold: items with a
    selection draw below it are touched. items, selected: counts over this run.
    """

    split: Split
    recipe: Recipe
    sequences: tuple[Sequence, ...]
    surveys: tuple[Survey, ...]
    threshold: float
    items: int
    selected: int

    @property
    def clean_masks_digest(self) -> str:
        """Digest of all clean masks of this run."""
        return json_digest(
            {
                sequence.folder: survey.digests
                for sequence, survey in zip(self.sequences, self.surveys, strict=True)
            }
        )


def survey_sequence(shared: tuple[Split, Recipe], sequence: Sequence) -> Survey:
    """Decode and check a sequence's masks; raises `Refused` with all that is wrong with them."""
    split, recipe = shared
    (noise,) = recipe.noises
    masks = split.read_masks(sequence)
    draws = []
    for frame, mask in zip(sequence.frames, masks, strict=True):
        counts = np.bincount(mask.ravel(), minlength=256)
        draws += [
            selection_draw(recipe.seed, sequence, frame, label)
            for label in eligible(sequence, noise)
            if counts[label.object_id]
        ]
    return Survey(tuple(map(pixel_digest, masks)), tuple(draws))


def make_plan(
    split: Split,
    recipe: Recipe,
    sequences: Listing[Sequence],
    workers: int = 1,
    progress: Progress | None = None,
) -> Plan:
    """Survey a split and settle what will be touched.

    sequences: those of this run. An exact recipe is settled over the whole split all the same, so
    that a part agrees with the whole. Raises `Refused` with every faulty mask.
    """
    (noise,) = recipe.noises
    surveyed = split.sequences if noise.exact else tuple(sequences)
    found = run(survey_sequence, (split, recipe), surveyed, workers, progress)
    by_folder = {seq.folder: survey for seq, survey in zip(surveyed, found, strict=True)}
    everything = [draw for survey in found for draw in survey.draws]
    threshold = exact_threshold(everything, noise.rate) if noise.exact else noise.rate
    surveys = tuple(by_folder[sequence.folder] for sequence in sequences)
    here = [draw for survey in surveys for draw in survey.draws]
    return Plan(
        split=split,
        recipe=recipe,
        sequences=tuple(sequences),
        surveys=surveys,
        threshold=threshold,
        items=len(here),
        selected=sum(draw < threshold for draw in here),
    )


def exact_threshold(draws: list[float], rate: float) -> float:
    """The threshold below which exactly round(rate * n) of n different draws lie.

    >>> exact_threshold([0.9, 0.1, 0.5, 0.3], 0.5)
    0.5
    """
    count = math.floor(rate * len(draws) + 0.5)
    return sorted(draws)[count] if count < len(draws) else 1.0
