"""Does a noisy split hold what its recipe makes of the source? Everything is derived again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from itertools import chain

import numpy as np

from actiseg_data.annotations.masks import IndexMask, digest_pixels, find_ids, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS, Split
from actiseg_data.records.split_records import LEDGER_FILE, SUMMARY_FILE, MaskRow, Recipe, TextRow
from actiseg_noise.corruption.split_plan import make_plan
from actiseg_noise.mask_noise.mask_weights import derive_weights, weigh_objects
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.split.clean_parts import Part
from actiseg_noise.split.consistency import Documents, file_misfit
from actiseg_noise.split.noisy_split import carried_lexicon
from actiseg_noise.split.partial_split import Files
from actiseg_noise.split.summary_document import fits_word_section, word_section
from actiseg_noise.text_noise.text_plan import TextPlan

_INNER = ("items", "bystanders", "bystanders_cut", "absent", "vanished")
"""Counts of `FrameNoise` that the summary tells, too."""

_COUNTED = {MASKS: "masks", WEIGHTS: "weights"}
"""What files of a kind are counted as."""


@dataclass(frozen=True)
class Rederivation:
    """The comparison of a noisy split with what recipe and source give.

    split: of the source. folders: all sequences of the noisy split; wanted: those that are looked
    at. clean: the source's lists with clean copies in the noisy split that are compared.
    """

    files: Files
    split: Split
    documents: Documents
    folders: set[str]
    wanted: set[str]
    clean: tuple[Split, ...] = ()

    def run(
        self, workers: int | WorkerPool, stage: StageProgress
    ) -> tuple[list[str], Counter[str]]:
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
                split,
                recipe,
                whole,
                workers,
                progress,
                carried_lexicon(self.files.root),
                clean=self.clean,
                survey=False,
            )
        parts = [self._restricted(part) for part in plan.parts]
        for part in parts:
            mismatches += self._lacking_kinds(part)
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
            job = _Job(tuple(parts), recipe, plan.threshold, self.files)
            of_folder = self._mask_rows()
            items = [(0, sequence, of_folder.get(sequence.folder, ())) for sequence in chosen]
            items += [
                (number, sequence, ())
                for number, part in enumerate(parts[1:], 1)
                for sequence in part.sequences
            ]
            found = run_parallel(_compare, job, items, workers, progress)
        for lines, counted in found:
            mismatches += lines
            counts += counted
        if recipe.mask_noise is not None and self.wanted == self.folders:
            mismatches += self._mask_counts(counts)
        for name in _INNER:
            del counts[name]
        return mismatches, counts

    def _kinds_of(self, part: Part) -> tuple[str, ...]:
        """The kinds of files that the noisy split says to have of a part."""
        name = part.split.name
        return (
            self.documents.clean.get(name, ()) if part.split in self.clean else self.documents.kinds
        )

    def _restricted(self, part: Part) -> Part:
        """A part with those of its kinds that the noisy split says to have."""
        kinds = self._kinds_of(part)
        return replace(part, kinds=tuple(kind for kind in part.kinds if kind in kinds))

    def _lacking_kinds(self, part: Part) -> list[str]:
        """Kinds of files that the noisy split has and the source lacks."""
        return [
            f"{kind}: the source has none for the split {part.split.name!r}"
            for kind in self._kinds_of(part)
            if kind not in part.kinds
        ]

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

    def _words(
        self, chosen: list[VideoSequence], words: TextPlan
    ) -> tuple[list[str], Counter[str]]:
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


@dataclass(frozen=True)
class _Job:
    parts: tuple[Part, ...]
    recipe: Recipe
    threshold: float | None
    files: Files


def _compare(
    job: _Job, item: tuple[int, VideoSequence, tuple[MaskRow, ...]]
) -> tuple[list[str], Counter[str]]:
    """Compare one sequence on disk with what recipe and source give.

    item: the number of its part, the sequence, and the ledger's rows on its masks.
    """
    number, sequence, rows = item
    if number > 0 or job.recipe.mask_noise is None:
        return _compare_copies(job.files, job.parts[number], sequence)
    return _derive_again(job, sequence, rows)


def _compare_copies(
    files: Files, part: Part, sequence: VideoSequence
) -> tuple[list[str], Counter[str]]:
    """Compare files of one sequence, which nothing should have touched, with the source's."""
    counts = Counter(sequences=1)
    counts.update({_COUNTED[kind]: len(sequence.frames) for kind in part.kinds})
    digests = chain.from_iterable(part.digests(sequence).values())
    listed = zip(part.names(sequence), digests, strict=True)
    lines = [file_misfit(files, entry, told_by="the source") for entry in listed]
    return [line for line in lines if line is not None], counts


def _derive_again(
    job: _Job, sequence: VideoSequence, rows: tuple[MaskRow, ...]
) -> tuple[list[str], Counter[str]]:
    """Compare one noisy sequence on disk with what recipe and source give."""
    part = job.parts[0]
    lines = []
    counts: Counter[str] = Counter(sequences=1)
    derived_rows: list[MaskRow] = []
    derived = corrupt_sequence(sequence, part.masks(sequence), job.recipe, job.threshold)
    names = dict(zip(part.kinds, part.names_by_kind(sequence), strict=True))
    for position, (noise, weights) in enumerate(part.weighed(sequence, derived)):
        derived_rows += noise.rows
        counts.update({name: noise.tally[name] for name in _INNER})
        if weights is not None:
            expected = derive_weights(noise.mask, weigh_objects(noise.clean, weights))
            listed = (names[WEIGHTS][position], digest_pixels(expected))
            line = file_misfit(job.files, listed, told_by="the source")
            lines += [] if line is None else [line]
            counts += Counter(weights=1)
        name = names[MASKS][position]
        try:
            actual = read_index_mask(job.files.find(name))
        except InputError as refused:
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
    untouched objects: how many are whole, how many lost pixels to touched ones.
    """
    involved = np.zeros(256, bool)
    involved[list(touched)] = True
    changed = clean != noisy
    strayed = int((changed & ~involved[clean] & ~involved[noisy]).sum())
    counts: Counter[str] = Counter()
    for object_id in find_ids(clean):
        if not involved[object_id]:
            cut = bool((changed & (clean == object_id)).any())
            counts["untouched_cut" if cut else "untouched_whole"] += 1
    return strayed, counts
