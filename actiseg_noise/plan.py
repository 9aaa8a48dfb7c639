"""Look at a split before it is touched: are its masks sound, what is in sight, what is selected."""

from __future__ import annotations

import math
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from typing import Any

from actiseg_data.digests import json_digest
from actiseg_data.errors import Problems
from actiseg_data.layouts.actionvos import IMAGE_SETS, Split
from actiseg_data.layouts.image_sets import image_sets_files
from actiseg_data.masks import ids_in, pixel_digest
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

    sequences: the ones of this run, in list order. surveys: one for each. image_sets: the lists and
    their companions, cut to these sequences, by file name. threshold: items with a selection draw
    below it are touched. items, selected: counts over this run.
    """

    split: Split
    recipe: Recipe
    sequences: tuple[Sequence, ...]
    surveys: tuple[Survey, ...]
    image_sets: dict[str, Any]
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
        present = ids_in(mask)
        draws += [
            selection_draw(recipe.seed, sequence, frame, label)
            for label in eligible(sequence, noise)
            if label.object_id in present
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
    that a part agrees with the whole. Raises `Refused` with every faulty mask or companion file.
    """
    (noise,) = recipe.noises
    image_sets = image_sets_of(split, sequences)
    surveyed = split.sequences if noise.exact else tuple(sequences)
    found = run(survey_sequence, (split, recipe), surveyed, workers, progress)
    by_folder = {seq.folder: survey for seq, survey in zip(surveyed, found, strict=True)}
    surveys = tuple(by_folder[sequence.folder] for sequence in sequences)
    threshold = exact_threshold(found, noise.rate) if noise.exact else noise.rate
    draws = [draw for survey in surveys for draw in survey.draws]
    return Plan(
        split=split,
        recipe=recipe,
        sequences=tuple(sequences),
        surveys=surveys,
        image_sets=image_sets,
        threshold=threshold,
        items=len(draws),
        selected=sum(draw < threshold for draw in draws),
    )


def image_sets_of(split: Split, sequences: Listing[Sequence]) -> dict[str, Any]:
    """The ImageSets documents of some sequences by file name, as the source has them.

    A companion that the source lacks is left out. Raises `Refused` for those that are damaged or
    lack a sequence of the list.
    """
    folders = {sequence.folder for sequence in sequences}
    records = [
        record
        for sequence, record in zip(split.sequences, split.records, strict=True)
        if sequence.folder in folders
    ]
    documents: dict[str, Any] = {f"{split.name}.json": records}
    problems = Problems()
    for name in image_sets_files(split.name)[1:]:
        if not split.has_document(name):
            continue
        with problems.caught():
            document = split.document(name)
            videos = document["videos"]
            kept = {folder: video for folder, video in videos.items() if folder in folders}
            documents[name] = document | {"videos": kept}
            lacking = sorted(folders - kept.keys())
            if lacking:
                problems.add(
                    f"lacks {len(lacking)} sequences of the list, {lacking[0]} among them",
                    split.root / IMAGE_SETS / name,
                    "make it again together with the list, or remove it",
                )
    problems.raise_if_any()
    return documents


def exact_threshold(surveys: Listing[Survey], rate: float) -> float:
    """The threshold below which exactly round(rate * n) of the n draws of a split lie.

    >>> exact_threshold([Survey((), (0.9, 0.1)), Survey((), (0.5, 0.3))], 0.5)
    0.5
    """
    draws = sorted(draw for survey in surveys for draw in survey.draws)
    count = math.floor(rate * len(draws) + 0.5)
    return draws[count] if count < len(draws) else 1.0
