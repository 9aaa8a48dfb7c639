"""The medium of masks."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.masks import VOID, IndexMask, digest_pixels, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.split import Split
from actiseg_data.records.difference_record import name_sequence
from actiseg_data.records.ledger_record import LEDGER_FILE, MaskRow
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.frame_noise import FrameNoise
from actiseg_noise.mask_noise.ghosts import add_ghosts
from actiseg_noise.mask_noise.imported_masks import import_sequence
from actiseg_noise.mask_noise.mask_weights import derive_weights, weigh_objects
from actiseg_noise.mask_noise.selection_draws import (
    OUTLINES,
    collect_draws,
    count_selected,
    find_exact_thresholds,
    list_file_noises,
    name_threshold,
)
from actiseg_noise.mask_noise.sequence_masks import corrupt_action_frame, corrupt_sequence
from actiseg_noise.media.library_versions import list_versions
from actiseg_noise.media.mask_summary import VOID_MASKS, MaskSection, MaskStatistics
from actiseg_noise.media.medium import FilePlan, Medium, MediumComparison, MediumPlan
from actiseg_noise.media.object_summary import OBJECT_SECTION, compare_object_section
from actiseg_noise.media.summary_sections import compare_counts, compare_section
from actiseg_noise.recipes.kind_specs import IMPORTED
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.consistency import find_file_inconsistency
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.split.mask_documents import encode_changes, refuse_ghosts, refuse_polygons
from actiseg_noise.split.noise_inputs import NoiseInputs
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.noisy_split import choose_differences, find_differences_obstacle
from actiseg_noise.split.sequence_writing import write_noisy
from actiseg_noise.split.split_files import SplitFiles

_SUMMARISED = {
    "items": ("noise", "items"),
    "bystanders": ("bystanders", "items"),
    "bystanders_cut": ("bystanders", "cut"),
    "absent": ("handled", "absent_from_frame"),
    "vanished": ("handled", "vanished_from_disk"),
    "void": ("handled", VOID_MASKS),
}
"""Counts of `FrameNoise`, and where ``summary.json`` has them."""


def _list_summarised(recipe: Recipe) -> dict[str, tuple[str, ...]]:
    """List the counts of `FrameNoise` for a recipe, and where ``summary.json`` has them."""
    places: dict[str, tuple[str, ...]] = dict(_SUMMARISED)
    if recipe.mask_noise is None:
        del places["items"]
    for noise in recipe.object_noises:
        places[f"{noise.kind}.items"] = (OBJECT_SECTION, noise.kind, "items")
        if noise.kind in ("merge", "swap"):
            places[f"{noise.kind}.alone"] = ("handled", f"{noise.kind}_without_partner")
        if noise.kind == "ghost":
            places["ghost.hidden"] = ("handled", "ghosts_hidden")
    return places


@dataclass(frozen=True)
class MaskMediumPlan(FilePlan):
    """The noise of masks and of whole objects in a run.

    Attributes
    ----------
    thresholds : mapping of str to float
        Thresholds of exact noises that are known, see `find_exact_thresholds`. A noise without one
        has its rate. They have no effect on imported noise.
    changes : mapping of str to mapping of str to bytes, or None
        Of imported noise: `actiseg_data.records.difference_record.Differences.masks`.
    """

    thresholds: Mapping[str, float]
    changes: Mapping[str, Mapping[str, bytes]] | None = None

    @property
    def exact_thresholds(self) -> dict[str, Any]:
        """The thresholds of exact noises: of outlines, and of whole objects by kind."""
        objects = {kind: value for kind, value in self.thresholds.items() if kind != OUTLINES}
        exact: dict[str, Any] = {"object_thresholds": objects} if objects else {}
        if OUTLINES in self.thresholds:
            exact["threshold"] = self.thresholds[OUTLINES]
        return exact

    @property
    def needs_draws(self) -> bool:
        """Whether a threshold must be computed from the whole split."""
        return any(
            noise.exact and name_threshold(noise) not in self.thresholds
            for noise in list_file_noises(self.recipe)
        )

    def draw_selection(self, split: Split, sequence: VideoSequence) -> array[float]:
        """Draw for everything that the sequence shows and the noises could select."""
        return collect_draws(self.recipe, sequence, split.iterate_masks(sequence))

    def apply_draws(self, draws: Iterable[float]) -> MaskMediumPlan:
        """Return the plan that selects exactly the shares of the exact noises."""
        return replace(self, thresholds=find_exact_thresholds(self.recipe, draws, self.thresholds))

    def extend_sequences(self, sequences: Sequence[VideoSequence]) -> tuple[VideoSequence, ...]:
        """Return the sequences with their ghosts."""
        limit = self.thresholds.get("ghost")
        return tuple(add_ghosts(sequence, self.recipe, limit) for sequence in sequences)

    def write(self, partial: Path, part: CleanPart, sequence: VideoSequence) -> SequenceRecord:
        """Write the noisy masks and their weights."""
        return write_noisy(partial, part, sequence, self._corrupt(part, sequence))

    def corrupt_action_frame(
        self, sequence: VideoSequence, frame: str, mask: IndexMask
    ) -> FrameNoise:
        """Apply the noise to one frame of an action; the noise is not imported."""
        return corrupt_action_frame(sequence, frame, mask, self.recipe, self.thresholds)

    def start_section(self) -> MaskSection:
        """Start to summarise the run."""
        return MaskSection(self.recipe)

    def forecast(
        self,
        split: Split,
        sequences: Sequence[VideoSequence],
        workers: int | WorkerPool = 1,
        progress: ProgressCallback | None = None,
    ) -> str:
        """Say how many objects in frames would get noise, and how many whole objects."""
        if self.changes is not None:
            named = (self.changes.get(name_sequence(seq.identity), {}) for seq in sequences)
            return f"masks: {sum(map(len, named))} frames would change"
        by_sequence = run_parallel(_draw_selection, (self, split), sequences, workers, progress)
        counts = count_selected(self.recipe, chain.from_iterable(by_sequence), self.thresholds)
        units = {noise.kind: noise.span for noise in self.recipe.object_noises}
        return "; ".join(
            f"{name}: {selected} of {items} "
            + (
                f"would get noise, one for each {units[name]}"
                if name in units
                else _describe_outlines(self.recipe)
            )
            for name, (selected, items) in counts.items()
        )

    def compare_files(
        self,
        files: SplitFiles,
        part: CleanPart,
        sequence: VideoSequence,
        rows: tuple[MaskRow, ...],
    ) -> MediumComparison:
        """Compare masks, weights and ledger rows of a sequence with what recipe and source give."""
        result = MediumComparison(counts=Counter(sequences=1))
        reproduced: list[MaskRow] = []
        summarised = _list_summarised(self.recipe)
        names = dict(zip(part.kinds, part.list_names_by_kind(sequence), strict=True))
        frames = part.pair_weights(sequence, self._corrupt(part, sequence))
        if isinstance(part.split, DocumentSplit):
            pairs = list(frames)
            noises = zip(names[MASKS], (noise for noise, _ in pairs), strict=True)
            result.segments.update(encode_changes(part.split, sequence, noises))
            frames = iter(pairs)
        written = _read_written(files, names[MASKS], sequence)
        for number, (noise, weights) in enumerate(frames):
            reproduced += noise.rows
            result.tally.update({name: noise.tally[name] for name in summarised})
            if weights is not None:
                expected = derive_weights(noise.mask, weigh_objects(noise.clean, weights))
                listed = (names[WEIGHTS][number], digest_pixels(expected))
                line = find_file_inconsistency(files, listed, "the source")
                result.lines.extend([] if line is None else [line])
                result.counts.update(weights=1)
            touched = {row.object_id for row in rows if row.frame == noise.frame}
            if self.changes is not None:  # a generator may have changed pixels without a label
                touched |= {VOID} - sequence.object_ids
            name, ids = names[MASKS][number], sequence.object_ids
            result.merge(_compare_mask(name, next(written), noise, touched, ids))
        if tuple(reproduced) != rows:
            result.lines.append(
                f"{LEDGER_FILE}: the rows of {sequence.folder} differ from the reproduced ones"
            )
        return result

    def compare_tally(self, summary: Mapping[str, Any], tally: Counter[str]) -> list[str]:
        """Compare the counts of all frames with the summary."""
        return compare_counts(summary, tally, _list_summarised(self.recipe), optional=("void",))

    def _corrupt(self, part: CleanPart, sequence: VideoSequence) -> Iterator[FrameNoise]:
        masks = part.iterate_masks(sequence)
        if self.changes is not None:
            changes = self.changes.get(name_sequence(sequence.identity), {})
            return import_sequence(sequence, masks, changes)
        threshold = self.thresholds.get(OUTLINES)
        return corrupt_sequence(sequence, masks, self.recipe, threshold, self.thresholds)


@dataclass(frozen=True)
class MaskMedium(Medium):
    """The masks of a split, and the objects that they show."""

    name = "masks"
    section = "noise"
    more = ("objects",)
    needs_masks = True
    needs_lexicon = False

    def plan(
        self, split: Split, sequences: Sequence[VideoSequence], inputs: NoiseInputs
    ) -> MediumPlan:
        """Plan the noises at their plain rates, or with the given thresholds of exact ones.

        Without these, an exact noise needs `FilePlan.apply_draws`.
        """
        changes = None
        refuse_polygons(split)
        if self.recipe.find_object_noise("ghost") is not None:
            refuse_ghosts(split)
        if self.noise.kind == IMPORTED:
            changes = choose_differences(self.noise, inputs.differences).masks
        given = inputs.thresholds or {}
        known = dict(given.get("object_thresholds", {}))
        if "threshold" in given:
            known[OUTLINES] = given["threshold"]
        exact = [noise for noise in list_file_noises(self.recipe) if noise.exact]
        names = [name_threshold(noise) for noise in exact]
        thresholds = {name: known[name] for name in names if name in known}
        return MaskMediumPlan(self.recipe, self.noise, thresholds, changes)

    def find_obstacle(self, out: Path) -> str | None:
        """Return what is wrong with the differences of an imported split, if anything is."""
        return find_differences_obstacle(out, self.noise) if self.noise.kind == IMPORTED else None

    def find_inconsistencies(self, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Compare the summary with the ledger's rows for masks."""
        noise, expected = self.recipe.mask_noise, _build_section(documents)
        known = expected if noise is not None or expected["selected"] else {}
        yield from compare_section(documents, self.section, known, noise)
        yield from compare_object_section(documents)

    @classmethod
    def find_traces(cls, split: Split, documents: SplitDocuments) -> Iterator[str]:
        """Find ledger rows for masks that the summary does not count."""
        expected = _build_section(documents)
        known = expected if expected["selected"] else {}
        yield from compare_section(documents, cls.section, known)
        yield from compare_object_section(documents)

    def list_versions(self) -> dict[str, str]:
        """List the versions of Python and of the libraries that make pixels."""
        return list_versions(masks=True, language=False)


def _build_section(documents: SplitDocuments) -> dict[str, Any]:
    statistics = MaskStatistics.from_rows(documents.outline_rows)
    return {"selected": statistics.selected} | statistics.to_dict()


def _describe_outlines(recipe: Recipe) -> str:
    """Describe what the outlines of a recipe select, for a forecast."""
    noise = recipe.mask_noise
    clips = noise is not None and has_clip_units(noise)
    return "clips would get noise" if clips else "items would get noise"


def _draw_selection(shared: tuple[MaskMediumPlan, Split], sequence: VideoSequence) -> array[float]:
    plan, split = shared
    return plan.draw_selection(split, sequence)


def _read_written(
    files: SplitFiles, names: Sequence[str], sequence: VideoSequence
) -> Iterator[IndexMask | InputError]:
    """Read the masks of a sequence; yield the error of each that cannot be read."""
    if files.documented is None:
        for name in names:
            try:
                yield from files.iterate_masks([name], sequence)
            except InputError as error:
                yield error
        return
    try:
        yield from files.iterate_masks(names, sequence)
    except InputError as error:
        yield from repeat(error)


def _compare_mask(
    name: str,
    actual: IndexMask | InputError,
    noise: FrameNoise,
    touched: set[int],
    listed: frozenset[int],
) -> MediumComparison:
    """Compare one written mask with the reproduced one.

    Parameters
    ----------
    name : str
        The mask, as ``digests.json`` names it.
    actual : ndarray or InputError
        The written mask, or why it cannot be read.
    noise : FrameNoise
        The reproduced frame.
    touched : set of int
        Ids of the objects that the ledger lists for this frame.
    listed : frozenset of int
        Ids of all objects of the sequence.
    """
    result = MediumComparison()
    if isinstance(actual, InputError):
        result.lines.append(f"{name}: {actual.problems[0].what}")
        return result
    result.counts.update(masks=1, pixels=noise.mask.size)
    if actual.shape != noise.mask.shape:
        result.lines.append(f"{name}: differs in size from the source's mask")
        return result
    wrong = int((actual != noise.mask).sum())
    if wrong:
        result.lines.append(f"{name}: {wrong} pixels differ from the reproduced mask")
    strayed, counts = _find_stray_pixels(noise.clean, actual, touched, listed)
    result.counts.update(counts)
    if strayed:
        result.lines.append(f"{name}: {strayed} pixels changed that no touched object explains")
    return result


def _find_stray_pixels(
    clean: IndexMask, noisy: IndexMask, touched: set[int], listed: frozenset[int]
) -> tuple[int, Counter[str]]:
    """Count changed pixels that no touched object explains, and untouched objects.

    A touched object explains a pixel that it had before or has now. Untouched objects are counted
    as whole, or as cut by touched ones.
    """
    involved = np.zeros(256, bool)
    involved[list(touched)] = True
    changed = clean != noisy
    strayed = int((changed & ~involved[clean] & ~involved[noisy]).sum())
    counts: Counter[str] = Counter()
    for object_id in find_ids(clean):
        if object_id in listed and not involved[object_id]:
            cut = bool((changed & (clean == object_id)).any())
            counts["untouched_cut" if cut else "untouched_whole"] += 1
    return strayed, counts
