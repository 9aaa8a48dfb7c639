"""Survey the clean files of a noisy split: digests, and how many items of each size there are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import digest_pixels
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.annotations.sizes import classify_size
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.mask_noise.item_selection import AppearanceTracker, list_eligible_objects
from actiseg_noise.split.clean_parts import CleanPart


@dataclass(frozen=True)
class SourceSurvey:
    """What the clean files of one sequence have.

    Attributes
    ----------
    digests : dict of str to list of str
        Equal to `CleanPart.digest_files`.
    sizes : Counter of str
        How many items of each size mask noise could select; empty without mask noise.
    """

    digests: dict[str, list[str]]
    sizes: Counter[str]


def survey_source(shared: tuple[CleanPart, Noise | None], sequence: VideoSequence) -> SourceSurvey:
    """Survey a sequence; each mask is decoded once.

    Parameters
    ----------
    shared : tuple
        The clean files, and the mask noise of the recipe.
    sequence : VideoSequence
        A sequence of the source.
    """
    part, noise = shared
    digests: dict[str, list[str]] = {}
    sizes: Counter[str] = Counter()
    for kind in part.kinds:
        if kind == WEIGHTS:
            digests[WEIGHTS] = list(map(digest_pixels, part.iterate_weights(sequence)))
            continue
        digests[MASKS] = []
        appearances = AppearanceTracker()
        masks = part.split.iterate_digested(sequence)
        for view, (mask, digest) in zip(sequence.views, masks, strict=True):
            digests[MASKS].append(digest)
            if noise is not None:
                areas = np.bincount(mask.ravel(), minlength=256)
                new = appearances.find_new(np.flatnonzero(areas).tolist())
                eligible = list_eligible_objects(sequence, view.frame, noise, new)
                shown = (int(areas[label.object_id]) for label in eligible)
                sizes.update(classify_size(area) for area in shown if area)
    return SourceSurvey(digests, sizes)
