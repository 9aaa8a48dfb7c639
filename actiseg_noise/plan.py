"""Look at a split before it is touched: are its files sound, and what will be selected?"""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from collections.abc import Sequence as Listing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.digests import json_digest
from actiseg_data.errors import Problems
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, Split
from actiseg_data.layouts.image_sets import image_sets_files
from actiseg_data.lexicon import Lexicon
from actiseg_data.masks import ids_in, pixel_digest
from actiseg_data.parallel import Crew, Progress, run
from actiseg_data.records import Recipe
from actiseg_data.sequences import Sequence
from actiseg_noise.apply import eligible, selection_draw
from actiseg_noise.selection import exact_threshold
from actiseg_noise.text.plan import WordPlan, plan_words


@dataclass(frozen=True)
class Plan:
    """What a recipe will touch in a split.

    sequences: the ones of this run, in list order. image_sets: digests of the lists and their
    companions as they will be written, cut to these sequences, by file name; verbatim: names of
    those that are written as they are, byte for byte. threshold: masks of
    items with a selection draw below it are touched; None without mask noise. words: None
    without text noise. list_stamps, mask_stamps: `stamp_of` every file that the outcome depends
    on, by the list's name and by the sequence's folder; for an exact recipe those of the whole
    split.
    """

    split: Split
    recipe: Recipe
    sequences: tuple[Sequence, ...]
    image_sets: dict[str, str]
    verbatim: frozenset[str]
    threshold: float | None
    words: WordPlan | None
    list_stamps: dict[str, int]
    mask_stamps: dict[str, tuple[int, ...]]

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """What of an exact recipe depends on the whole split; empty for any other."""
        found: dict[str, Any] = {}
        masks, text = self.recipe.mask_noise, self.recipe.text_noise
        if masks is not None and masks.exact:
            found["threshold"] = self.threshold
        if text is not None and text.exact and self.words is not None:
            thresholds = self.words.thresholds
            found["text_thresholds"] = [thresholds.flip, thresholds.substitute]
        return found

    def changed_files(self) -> list[Path]:
        """The lists, and the folders of masks, that were written to since the plan was made."""
        lists = self.split.root / IMAGE_SETS
        changed = [
            lists / name for name, of in self.list_stamps.items() if of != stamp_of(lists / name)
        ]
        for sequence in self.split.sequences:
            stamps = self.mask_stamps.get(sequence.folder)
            if stamps is not None and stamps != _mask_stamps(self.split, sequence):
                changed.append(self.split.folder(MASKS, sequence))
        return changed


def make_plan(
    split: Split,
    recipe: Recipe,
    sequences: Listing[Sequence],
    workers: int | Crew = 1,
    progress: Progress | None = None,
    lexicon: Lexicon | None = None,
    *,
    survey: bool = True,
) -> Plan:
    """Look at every mask and prompt that a run touches, and settle what it will make of them.

    sequences: those of this run. An exact recipe is settled over the whole split all the same, so
    that a part agrees with the whole. lexicon: the one that text noise is drawn from, by
    default the installed one. survey: False leaves masks alone that nothing is to be known of yet.
    Raises `Refused` with every faulty mask or companion file.
    """
    lists = split.root / IMAGE_SETS
    list_stamps = {name: stamp_of(lists / name) for name in image_sets_files(split.name)}
    words = None
    if recipe.text_noise is not None:
        words = plan_words(split, recipe, sequences, lexicon)
    reworded = {} if words is None else words.digests
    image_sets, verbatim = image_set_digests(split, sequences, reworded)
    lists_of_run = (tuple(sequences), image_sets, verbatim)
    noise = recipe.mask_noise
    if noise is None or not (survey or noise.exact):
        threshold = None if noise is None else noise.rate
        return Plan(split, recipe, *lists_of_run, threshold, words, list_stamps, {})
    surveyed = split.sequences if noise.exact else sequences
    found = run(_check_masks, (split, recipe), surveyed, workers, progress)
    threshold = noise.rate
    if noise.exact:
        threshold = exact_threshold((draw for _, draws in found for draw in draws), noise.rate)
    mask_stamps = {
        sequence.folder: stamps for sequence, (stamps, _) in zip(surveyed, found, strict=True)
    }
    return Plan(split, recipe, *lists_of_run, threshold, words, list_stamps, mask_stamps)


def stamp_of(path: Path) -> int:
    """A number that changes when a file is written to or replaced: what happens to it under a run
    is seen without reading it again. 0 for a file that is not there."""
    try:
        status = path.stat()
    except OSError:
        return 0  # reading it tells why
    figures = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return hash(figures)  # of integers: the same in every process


def _mask_stamps(split: Split, sequence: Sequence) -> tuple[int, ...]:
    return tuple(map(stamp_of, split.mask_paths(sequence)))


def _check_masks(
    shared: tuple[Split, Recipe], sequence: Sequence
) -> tuple[tuple[int, ...], array[float]]:
    """Decode and check a sequence's masks; `Refused` with all that is wrong with them.

    Returns their stamps, and, where an exact recipe asks for them, the selection draws.
    """
    split, recipe = shared
    stamps = _mask_stamps(split, sequence)
    if recipe.mask_noise is not None and recipe.mask_noise.exact:
        return stamps, selection_draws(shared, sequence)
    for _ in split.each_mask(sequence):
        pass
    return stamps, array("d")


def selection_draws(shared: tuple[Split, Recipe], sequence: Sequence) -> array[float]:
    """The selection draws of all eligible objects that are in sight in a sequence.

    shared: the split and a recipe with mask noise.
    """
    split, recipe = shared
    noise = recipe.mask_noise
    assert noise is not None, "callers look first"
    draws = array("d")
    for frame, mask in zip(sequence.frames, split.each_mask(sequence), strict=True):
        present = ids_in(mask)
        draws.extend(
            selection_draw(recipe.seed, sequence, frame, label)
            for label in eligible(sequence, frame, noise)
            if label.object_id in present
        )
    return draws


def image_set_digests(
    split: Split, sequences: Listing[Sequence], reworded: Mapping[str, str]
) -> tuple[dict[str, str], frozenset[str]]:
    """Digests of the ImageSets documents of some sequences by file name, as the source has them,
    and the names of those that hold these sequences and no others.

    reworded: digests of those that are written anew. A companion that the source lacks is left out.
    Raises `Refused` for those that are damaged or lack a sequence of the list.
    """
    problems = Problems()
    digests: dict[str, str] = {}
    verbatim: set[str] = set()
    for name in image_sets_files(split.name):
        with problems.caught():
            if name in reworded:
                digests[name] = reworded[name]
            elif name == f"{split.name}.json" and len(sequences) == len(split.sequences):
                digests[name] = split.fingerprint
                verbatim.add(name)
            elif name == f"{split.name}.json" or split.has_document(name):
                document, whole = split.image_set(name, sequences)
                digests[name] = json_digest(document)
                verbatim |= {name} if whole else set()
    problems.raise_if_any()
    return digests, frozenset(verbatim)


def clean_masks_digest(split: Split, sequences: Listing[Sequence], workers: int | Crew = 1) -> str:
    """One digest of the clean masks of some sequences: of their pixels, by folder."""
    found = run(clean_digests, split, sequences, workers)
    folders = (sequence.folder for sequence in sequences)
    return json_digest(dict(zip(folders, found, strict=True)))


def clean_digests(split: Split, sequence: Sequence) -> list[str]:
    """Digests of the pixels of a sequence's clean masks, in frame order."""
    return [pixel_digest(mask) for mask in split.each_mask(sequence)]
