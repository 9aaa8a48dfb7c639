"""Does a noisy split hold what its recipe makes of the source? Everything is derived again."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from actiseg_data.errors import Refused
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, Split, sequence_folder
from actiseg_data.masks import IndexMask, ids_in, pixel_digest, read_index_mask
from actiseg_data.parallel import Crew, run
from actiseg_data.records import LEDGER_FILE, SUMMARY_FILE, MaskRow, Recipe, TextRow
from actiseg_data.sequences import Sequence
from actiseg_data.stage import Stage
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.consistency import Documents, file_misfit
from actiseg_noise.noisy_split import carried_lexicon
from actiseg_noise.output import mask_name, on_disk
from actiseg_noise.plan import make_plan
from actiseg_noise.summary import fits_word_section, word_section
from actiseg_noise.text.plan import WordPlan

_INNER = ("items", "bystanders", "bystanders_cut", "absent", "vanished")
"""Counts of `FrameNoise` that the summary tells, too."""


@dataclass(frozen=True)
class Rederivation:
    """The comparison of a noisy split with what recipe and source give.

    split: of the source. folders: all sequences of the noisy split; wanted: those that are looked
    at.
    """

    out: Path
    split: Split
    documents: Documents
    folders: set[str]
    wanted: set[str]

    def run(self, workers: int | Crew, stage: Stage) -> tuple[list[str], Counter[str]]:
        """Mismatches, and counts of what was compared."""
        split, recipe = self.split, self.documents.recipe
        whole = tuple(seq for seq in split.sequences if seq.folder in self.folders)
        mismatches = []
        if self.documents.summary.get("dataset_fingerprint") != split.fingerprint:
            mismatches.append(f"{SUMMARY_FILE}: was made from another list than {split.root}'s")
        lacking = sorted(self.folders - {sequence.folder for sequence in whole})
        if lacking:
            mismatches.append(
                f"{len(lacking)} sequences, such as {lacking[0]}, are not in the source's split "
                f"{split.name!r}"
            )
        if not whole:
            return mismatches, Counter()
        with stage("surveying the source") as progress:
            plan = make_plan(
                split, recipe, whole, workers, progress, carried_lexicon(self.out), survey=False
            )
        for name, digest in plan.image_sets.items():
            path = f"{IMAGE_SETS}/{name}"
            if self.documents.digests.get(path) != digest:
                mismatches.append(f"{path}: differs from what the source gives")
        counts: Counter[str] = Counter()
        chosen = [sequence for sequence in whole if sequence.folder in self.wanted]
        if plan.words is not None and recipe.text_noise is not None:
            derived = word_section(recipe.text_noise, plan.words)
            if not fits_word_section(self.documents.summary.get("text"), derived):
                mismatches.append(f"{SUMMARY_FILE}: text is not what is derived")
            more, counted = self._words(chosen, plan.words)
            mismatches += more
            counts += counted
        with stage("deriving from the source") as progress:
            if recipe.mask_noise is None:
                found = run(_compare_untouched, (self.out, split), chosen, workers, progress)
            else:
                job = _Job(split, recipe, plan.threshold, self.out)
                of_folder = self._mask_rows()
                items = [(sequence, of_folder.get(sequence.folder, ())) for sequence in chosen]
                found = run(_derive_again, job, items, workers, progress)
        for lines, counted in found:
            mismatches += lines
            counts += counted
        if recipe.mask_noise is not None and self.wanted == self.folders:
            mismatches += self._mask_counts(counts)
        for name in _INNER:
            del counts[name]
        return mismatches, counts

    def _mask_counts(self, counts: Counter[str]) -> list[str]:
        """Counts of the summary that are not those of the masks."""
        summary = self.documents.summary
        derived = {
            ("noise", "items"): counts["items"],
            ("bystanders", "items"): counts["bystanders"],
            ("bystanders", "cut"): counts["bystanders_cut"],
            ("handled", "absent_from_frame"): counts["absent"],
            ("handled", "vanished_from_disk"): counts["vanished"],
        }
        return [
            f"{SUMMARY_FILE}: {part}.{name} is not {number}, which is derived"
            for (part, name), number in derived.items()
            if not isinstance(summary.get(part), dict) or summary[part].get(name) != number
        ]

    def _mask_rows(self) -> dict[str, tuple[MaskRow, ...]]:
        of_folder: dict[str, list[MaskRow]] = {}
        for row in self.documents.rows:
            if isinstance(row, MaskRow):
                of_folder.setdefault(row.sequence, []).append(row)
        return {folder: tuple(rows) for folder, rows in of_folder.items()}

    def _words(self, chosen: list[Sequence], words: WordPlan) -> tuple[list[str], Counter[str]]:
        """The ledger's rows on words against those that are derived."""
        of_folder: dict[str, list[TextRow]] = {}
        for row in self.documents.rows:
            if isinstance(row, TextRow):
                of_folder.setdefault(row.sequence, []).append(row)
        lines = [
            f"{LEDGER_FILE}: the rows on words of {sequence.folder} differ from what is derived"
            for sequence in chosen
            if of_folder.get(sequence.folder, []) != list(words.rows[sequence.folder])
        ]
        prompts = sum(len(sequence.objects) for sequence in chosen)
        return lines, Counter(prompts=prompts)


def _compare_untouched(
    shared: tuple[Path, Split], sequence: Sequence
) -> tuple[list[str], Counter[str]]:
    """Compare the masks of one sequence, which nothing should have touched, with the source's."""
    out, split = shared
    if sequence.folder not in split.subsets:
        return [], Counter(sequences=1)
    theirs = sequence_folder(out, MASKS, split.subsets[sequence.folder], sequence.folder)
    ours = split.folder(MASKS, sequence)
    if not ours.is_dir():
        return [], Counter(sequences=1)
    if not theirs.is_dir():
        return [f"{MASKS}: the masks of {sequence.folder} are gone"], Counter(sequences=1)
    if os.path.samefile(theirs, ours):
        return [], Counter(sequences=1, masks=len(sequence.frames))
    lines = []
    for frame, mask in zip(sequence.frames, split.each_mask(sequence), strict=True):
        listed = (mask_name(split, sequence, frame), pixel_digest(mask))
        line = file_misfit(out, listed, told_by="the source")
        lines += [] if line is None else [line]
    return lines, Counter(sequences=1, masks=len(sequence.frames))


@dataclass(frozen=True)
class _Job:
    split: Split
    recipe: Recipe
    threshold: float | None
    out: Path


def _derive_again(
    job: _Job, item: tuple[Sequence, tuple[MaskRow, ...]]
) -> tuple[list[str], Counter[str]]:
    """Compare one sequence on disk with what recipe and source give."""
    sequence, rows = item
    lines = []
    counts: Counter[str] = Counter(sequences=1)
    derived_rows: list[MaskRow] = []
    clean_masks = job.split.each_mask(sequence)
    for noise in corrupt_sequence(sequence, clean_masks, job.recipe, job.threshold):
        derived_rows += noise.rows
        counts.update({name: noise.tally[name] for name in _INNER})
        name = mask_name(job.split, sequence, noise.frame)
        try:
            actual = read_index_mask(on_disk(job.out, name))
        except Refused as refused:
            lines.append(f"{name}: {refused.problems[0].what}")
            continue
        counts += Counter(masks=1, pixels=noise.mask.size)
        if actual.shape != noise.mask.shape:
            lines.append(f"{name}: has another size than the source's mask")
            continue
        wrong = int((actual != noise.mask).sum())
        if wrong:
            lines.append(f"{name}: {wrong} pixels differ from what is derived")
        touched = {row.object_id for row in rows if row.frame == noise.frame}
        strayed, counted = _stray_pixels(noise.clean, actual, touched)
        counts += counted
        if strayed:
            lines.append(f"{name}: {strayed} pixels changed that no touched object explains")
    if tuple(derived_rows) != rows:
        lines.append(f"{LEDGER_FILE}: the rows of {sequence.folder} differ from what is derived")
    return lines, counts


def _stray_pixels(
    clean: IndexMask, noisy: IndexMask, touched: set[int]
) -> tuple[int, Counter[str]]:
    """Changed pixels that neither belonged to a touched object nor were taken by one, and counts of
    untouched objects: how many are whole, how many lost pixels to touched ones."""
    involved = np.zeros(256, bool)
    involved[list(touched)] = True
    changed = clean != noisy
    strayed = int((changed & ~involved[clean] & ~involved[noisy]).sum())
    counts: Counter[str] = Counter()
    for object_id in ids_in(clean):
        if not involved[object_id]:
            cut = bool((changed & (clean == object_id)).any())
            counts["untouched_cut" if cut else "untouched_whole"] += 1
    return strayed, counts
