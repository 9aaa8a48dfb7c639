"""Look at a split before it is touched: are its files sound, and what will be selected?"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from pathlib import Path
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
class Plan:
    """What a recipe will touch in a split.

    sequences: the ones of this run, in list order. stamps: of the mask files of each, see
    `stamps_of`. image_sets: digests of the lists and their companions, cut to these sequences, by
    file name. threshold: items with a selection draw below it are touched.
    """

    split: Split
    recipe: Recipe
    sequences: tuple[Sequence, ...]
    stamps: tuple[tuple[int, ...], ...]
    image_sets: dict[str, str]
    threshold: float


def make_plan(
    split: Split,
    recipe: Recipe,
    sequences: Listing[Sequence],
    workers: int = 1,
    progress: Progress | None = None,
) -> Plan:
    """Look at every mask of a run, and settle what will be touched.

    sequences: those of this run. An exact recipe is settled over the whole split all the same, so
    that a part agrees with the whole. Raises `Refused` with every faulty mask or companion file.
    """
    (noise,) = recipe.noises
    image_sets = image_set_digests(split, sequences)
    stamps = run(_check_masks, split, sequences, workers, progress)
    threshold = noise.rate
    if noise.exact:
        draws = run(selection_draws, (split, recipe), split.sequences, workers)
        threshold = exact_threshold((draw for of in draws for draw in of), noise.rate)
    return Plan(split, recipe, tuple(sequences), tuple(stamps), image_sets, threshold)


def stamps_of(split: Split, sequence: Sequence) -> tuple[int, ...]:
    """A number for each of a sequence's mask files that changes when the file is written to: what
    happens to it under a run is seen without reading it again. 0 for a file that is not there."""
    return tuple(map(_stamp, split.mask_paths(sequence)))


def _stamp(path: Path) -> int:
    try:
        status = path.stat()
    except OSError:
        return 0  # reading it tells why
    return status.st_mtime_ns ^ (status.st_size << 64)


def _check_masks(split: Split, sequence: Sequence) -> tuple[int, ...]:
    """Decode and check a sequence's masks; `Refused` with all that is wrong with them."""
    stamps = stamps_of(split, sequence)
    for _ in split.each_mask(sequence):
        pass
    return stamps


def selection_draws(shared: tuple[Split, Recipe], sequence: Sequence) -> array[float]:
    """The selection draws of all eligible objects that are in sight in a sequence.

    shared: the split and the recipe of one noise.
    """
    split, recipe = shared
    (noise,) = recipe.noises
    draws = array("d")
    for frame, mask in zip(sequence.frames, split.each_mask(sequence), strict=True):
        present = ids_in(mask)
        draws.extend(
            selection_draw(recipe.seed, sequence, frame, label)
            for label in eligible(sequence, frame, noise)
            if label.object_id in present
        )
    return draws


def image_set_digests(split: Split, sequences: Listing[Sequence]) -> dict[str, str]:
    """Digests of the ImageSets documents of some sequences by file name, as the source has them.

    A companion that the source lacks is left out. Raises `Refused` for those that are damaged or
    lack a sequence of the list.
    """
    folders = {sequence.folder for sequence in sequences}
    problems = Problems()
    digests = {}
    for name in image_sets_files(split.name):
        if name != f"{split.name}.json" and not split.has_document(name):
            continue
        with problems.caught():
            document = image_set(split, name, sequences)
            digests[name] = json_digest(document)
            videos = document["videos"] if isinstance(document, dict) else folders
            lacking = sorted(folders - set(videos))
            if lacking:
                problems.add(
                    f"lacks {len(lacking)} sequences of the list, {lacking[0]} among them",
                    split.root / IMAGE_SETS / name,
                    "make it again together with the list, or remove it",
                )
    problems.raise_if_any()
    return digests


def image_set(split: Split, name: str, sequences: Listing[Sequence]) -> Any:
    """One ImageSets document of a split, cut to some of its sequences."""
    folders = {sequence.folder for sequence in sequences}
    if name == f"{split.name}.json":
        records = zip(split.sequences, split.action_list(), strict=True)
        return [record for sequence, record in records if sequence.folder in folders]
    document = split.document(name)
    videos = document["videos"].items()
    return document | {"videos": {name: video for name, video in videos if name in folders}}


def clean_masks_digest(split: Split, sequences: Listing[Sequence], workers: int = 1) -> str:
    """One digest of the clean masks of some sequences: of their pixels, by folder."""
    found = run(clean_digests, split, sequences, workers)
    folders = (sequence.folder for sequence in sequences)
    return json_digest(dict(zip(folders, found, strict=True)))


def clean_digests(split: Split, sequence: Sequence) -> list[str]:
    """Digests of the pixels of a sequence's clean masks, in frame order."""
    return [pixel_digest(mask) for mask in split.each_mask(sequence)]


def exact_threshold(draws: Iterable[float], rate: float) -> float:
    """The threshold below which exactly round(rate * n) of the n draws of a split lie.

    >>> exact_threshold([0.9, 0.1, 0.5, 0.3], 0.5)
    0.5
    """
    ranked = sorted(draws)
    count = math.floor(rate * len(ranked) + 0.5)
    return ranked[count] if count < len(ranked) else 1.0
