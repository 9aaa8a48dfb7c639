"""Look at a split before it is touched: are its files sound, and what will be selected?"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.masks import find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.workers import Progress, WorkerPool, run_parallel
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, Split
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.records.split_records import Recipe
from actiseg_noise.mask_noise.sequence_masks import draw_selection, list_eligible_objects
from actiseg_noise.recipes.rates import exact_threshold
from actiseg_noise.split.clean_parts import Part, make_part
from actiseg_noise.text_noise.text_plan import TextPlan, plan_text


@dataclass(frozen=True)
class Plan:
    """What a recipe will touch in a split.

    parts: what of the source goes into the copy: the sequences of this run, in list order, then
    those of each clean list that no earlier part has. image_sets: digests of the lists and their
    companions as they will be written, cut to these sequences, by file name; verbatim: names of
    those that are written as they are, byte for byte. threshold: masks of items with a selection
    draw below it are touched; None without mask noise. words: None without text noise. list_stamps,
    file_stamps: `stamp_of` every file that the outcome depends on, by the list's name and by the
    number of the part and the sequence's folder; for an exact recipe those of the whole split.
    """

    parts: tuple[Part, ...]
    recipe: Recipe
    image_sets: dict[str, str]
    verbatim: frozenset[str]
    threshold: float | None
    words: TextPlan | None
    list_stamps: dict[str, int]
    file_stamps: dict[tuple[int, str], tuple[int, ...]]

    @property
    def split(self) -> Split:
        """The clean split that noise is made of."""
        return self.parts[0].split

    @property
    def sequences(self) -> tuple[VideoSequence, ...]:
        """The sequences that get noise."""
        return self.parts[0].sequences

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
        """The lists, and the folders of masks, that were written to since the plan was made, or
        whose weights were.
        """
        lists = self.split.root / IMAGE_SETS
        changed = [
            lists / name for name, of in self.list_stamps.items() if of != stamp_of(lists / name)
        ]
        for number, part in enumerate(self.parts):
            for sequence in part.split.sequences:
                stamps = self.file_stamps.get((number, sequence.folder))
                if stamps is not None and stamps != _stamps(part, sequence):
                    changed.append(part.split.folder(MASKS, sequence))
        return changed


def make_plan(
    split: Split,
    recipe: Recipe,
    sequences: Sequence[VideoSequence],
    workers: int | WorkerPool = 1,
    progress: Progress | None = None,
    lexicon: Lexicon | None = None,
    *,
    clean: Sequence[Split] = (),
    weights: bool = True,
    survey: bool = True,
) -> Plan:
    """Look at every mask and prompt that a run touches, and settle what it will make of them.

    sequences: those of this run. An exact recipe is settled over the whole split all the same, so
    that a part agrees with the whole. lexicon: the one that text noise is drawn from, by default
    the installed one. clean: lists of the same root that are added to the noisy one. weights:
    whether training weights go into the copy, if the source has them. survey: False leaves files
    alone that nothing is to be known of yet. Raises `InputError` with every faulty file.
    """
    lists = split.root / IMAGE_SETS
    names = [file for opened in (split, *clean) for file in name_image_sets_files(opened.name)]
    list_stamps = {name: stamp_of(lists / name) for name in names}
    words = None
    if recipe.text_noise is not None:
        words = plan_text(split, recipe, sequences, lexicon)
    reworded = {} if words is None else words.digests
    image_sets, verbatim = image_set_digests(split, sequences, reworded)
    for other in clean:
        beside, whole = image_set_digests(other, other.sequences, {})
        image_sets |= beside
        verbatim |= whole
    parts = make_parts(split, sequences, clean, weights=weights)
    noise = recipe.mask_noise
    exact = noise is not None and noise.exact
    threshold = None if noise is None else noise.rate
    file_stamps: dict[tuple[int, str], tuple[int, ...]] = {}
    if survey or exact:
        of_run = {sequence.folder for sequence in sequences}
        items = [
            (number, sequence, number > 0 or sequence.folder in of_run)
            for number, part in enumerate(parts)
            for sequence in (split.sequences if number == 0 and exact else part.sequences)
            if part.kinds
        ]
        found = run_parallel(_survey, (parts, recipe), items, workers, progress)
        if exact and noise is not None:
            threshold = exact_threshold((draw for _, draws in found for draw in draws), noise.rate)
        for (number, sequence, _), (stamps, _) in zip(items, found, strict=True):
            file_stamps[number, sequence.folder] = stamps
    return Plan(parts, recipe, image_sets, verbatim, threshold, words, list_stamps, file_stamps)


def make_parts(
    split: Split, sequences: Sequence[VideoSequence], clean: Sequence[Split], *, weights: bool
) -> tuple[Part, ...]:
    """What of the source goes into a copy, each sequence once; see `Plan.parts`."""
    parts = [make_part(split, sequences, weights=weights)]
    taken: set[str] = set()
    for other in clean:
        part = make_part(other, other.sequences, weights=weights)
        new = tuple(sequence for sequence in part.sequences if sequence.folder not in taken)
        taken |= {sequence.folder for sequence in new}
        parts.append(replace(part, sequences=new))
    return tuple(parts)


def stamp_of(path: Path) -> int:
    """A number that changes when a file is written to or replaced: what happens to it under a run
    is seen without reading it again. 0 for a file that is not there.
    """
    try:
        status = path.stat()
    except OSError:
        return 0  # reading it tells why
    figures = (status.st_mtime_ns, status.st_ctime_ns, status.st_size, status.st_ino)
    return hash(figures)  # of integers: the same in every process


def _stamps(part: Part, sequence: VideoSequence) -> tuple[int, ...]:
    return tuple(stamp_of(path) for kind in part.kinds for path in part.paths(kind, sequence))


def _survey(
    shared: tuple[tuple[Part, ...], Recipe], item: tuple[int, VideoSequence, bool]
) -> tuple[tuple[int, ...], array[float]]:
    """Decode and check a sequence's files; `InputError` with all that is wrong with them.

    item: the number of its part, the sequence, and whether it is one of the run. Returns the files'
    stamps, and, where an exact recipe asks for them, the selection draws.
    """
    parts, recipe = shared
    number, sequence, wanted = item
    part = parts[number]
    stamps = _stamps(part, sequence)
    if wanted:
        part.check(sequence)
    if number == 0 and recipe.mask_noise is not None and recipe.mask_noise.exact:
        return stamps, selection_draws((part.split, recipe), sequence)
    return stamps, array("d")


def selection_draws(shared: tuple[Split, Recipe], sequence: VideoSequence) -> array[float]:
    """The selection draws of all eligible objects that are in sight in a sequence.

    shared: the split and a recipe with mask noise.
    """
    split, recipe = shared
    noise = recipe.mask_noise
    assert noise is not None, "callers look first"
    draws = array("d")
    for frame, mask in zip(sequence.frames, split.iterate_masks(sequence), strict=True):
        present = find_ids(mask)
        draws.extend(
            draw_selection(recipe.seed, sequence, frame, label)
            for label in list_eligible_objects(sequence, frame, noise)
            if label.object_id in present
        )
    return draws


def image_set_digests(
    split: Split, sequences: Sequence[VideoSequence], reworded: Mapping[str, str]
) -> tuple[dict[str, str], frozenset[str]]:
    """Digests of the ImageSets documents of some sequences by file name, as the source has them,
    and the names of those that hold these sequences and no others.

    reworded: digests of those that are written anew. A companion that the source lacks is left out.
    Raises `InputError` for those that are damaged or lack a sequence of the list.
    """
    problems = ProblemCollector()
    digests: dict[str, str] = {}
    verbatim: set[str] = set()
    for name in name_image_sets_files(split.name):
        with problems.collect():
            if name in reworded:
                digests[name] = reworded[name]
            elif name == f"{split.name}.json" and len(sequences) == len(split.sequences):
                digests[name] = split.fingerprint
                verbatim.add(name)
            elif name == f"{split.name}.json" or split.has_document(name):
                document, whole = split.image_set(name, sequences)
                digests[name] = digest_json(document)
                verbatim |= {name} if whole else set()
    problems.raise_if_any()
    return digests, frozenset(verbatim)
