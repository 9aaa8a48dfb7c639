"""Reproduce a noisy split from its recipe and source, and compare the two."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.split import MASKS, WEIGHTS
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.corruption.split_plan import CopySource, CorruptionPlan, make_plan
from actiseg_noise.media.medium import FilePlan, MediumComparison
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.consistency import (
    find_document_inconsistencies,
    find_file_inconsistency,
)
from actiseg_noise.split.mask_documents import compose_mask_document
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.split_files import SplitFiles

_COUNTED = {MASKS: "masks", WEIGHTS: "weights"}
"""The name of the count for each kind of file."""


@dataclass(frozen=True)
class Reproduction:
    """The comparison of a noisy split with what recipe and source give.

    Attributes
    ----------
    files : SplitFiles
        The files of the noisy split.
    source : CopySource
        What it was made from: the source's sequences that the noisy split has, and the source's
        lists that were added without noise and are to be compared.
    documents : SplitDocuments
        The documents of the noisy split.
    wanted : set of str
        The sequence folders to compare.
    """

    files: SplitFiles
    source: CopySource
    documents: SplitDocuments
    wanted: set[str]

    def compare(self, workers: int | WorkerPool, stage: StageProgress) -> MediumComparison:
        """Reproduce and compare documents and files."""
        result = MediumComparison(lines=self._compare_sources())
        if not self.source.sequences:
            return result
        with stage("surveying the source") as progress:
            plan = make_plan(self.source, workers, progress, survey=False)
        parts = tuple(self._restrict(part) for part in plan.parts)
        for part in parts:
            result.lines.extend(self._find_absent_kinds(part))
        result.lines.extend(self._compare_lists(plan))
        sequences = [seq for seq in plan.sequences if seq.folder in self.wanted]
        is_whole = self.wanted == self.documents.folders
        composition = _Composition(self.documents.digests, plan) if is_whole else None
        for medium_plan in plan.media:
            result.merge(medium_plan.compare_documents(self.documents, sequences))
        with stage("reproducing from the source") as progress:
            task = _ReproductionTask(parts, plan.file_plan, self.files, composition)
            items = self._list_items(parts, sequences)
            for compared in run_parallel(_compare_sequence, task, items, workers, progress):
                result.merge(compared)
        if composition is not None:
            result.lines.extend(composition.compare_shared(result.segments))
            for medium_plan in plan.media:
                lines = medium_plan.compare_tally(self.documents.summary, result.tally)
                result.lines.extend(lines)
        return result

    def _compare_sources(self) -> list[str]:
        """Compare the source's list with the one that the noisy split was made from."""
        split, lines = self.source.split, []
        if self.documents.summary.get("dataset_fingerprint") != split.fingerprint:
            lines.append(
                f"{SUMMARY_FILE}: was made from a different list than that of {split.root}"
            )
        lacking = sorted(
            self.documents.folders - {sequence.folder for sequence in self.source.sequences}
        )
        if lacking:
            lines.append(
                f"{len(lacking)} sequences, such as {lacking[0]}, are not in the source's split "
                f"{split.name!r}"
            )
        return lines

    def _compare_lists(self, plan: CorruptionPlan) -> list[str]:
        """Compare the digests of the lists and their companion files."""
        return [
            f"{name}: differs from what the source gives"
            for name, digest in plan.image_sets.items()
            if self.documents.digests.get(name) != digest
        ]

    def _list_items(
        self, parts: tuple[CleanPart, ...], sequences: Sequence[VideoSequence]
    ) -> list[tuple[int, VideoSequence, tuple[MaskRow, ...]]]:
        """List the number of the part, the sequence, and the ledger's rows for its masks."""
        by_folder: dict[str, list[MaskRow]] = {}
        for row in self.documents.mask_rows:
            by_folder.setdefault(row.sequence, []).append(row)
        noisy = [(0, seq, tuple(by_folder.get(seq.folder, ()))) for seq in sequences]
        clean: list[tuple[int, VideoSequence, tuple[MaskRow, ...]]] = [
            (number, sequence, ())
            for number, part in enumerate(parts[1:], 1)
            for sequence in part.sequences
        ]
        return noisy + clean

    def _list_kinds(self, part: CleanPart) -> tuple[str, ...]:
        """List the kinds of files that the noisy split should have of a part."""
        if part.split in self.source.clean:
            return self.documents.clean.get(part.split.name, ())
        return self.documents.kinds

    def _restrict(self, part: CleanPart) -> CleanPart:
        """Restrict a part to the kinds of files that the noisy split should have."""
        kinds = self._list_kinds(part)
        return replace(part, kinds=tuple(kind for kind in part.kinds if kind in kinds))

    def _find_absent_kinds(self, part: CleanPart) -> list[str]:
        """Find kinds of files that the noisy split has and the source lacks."""
        return [
            f"{kind}: the source has none for the split {part.split.name!r}"
            for kind in self._list_kinds(part)
            if kind not in part.kinds
        ]


@dataclass(frozen=True)
class _Composition:
    """The comparison of documents with masks, which also have what is not a mask.

    Attributes
    ----------
    digests : mapping of str to str
        The digests of the noisy split's documents.
    plan : CorruptionPlan
        What the source gives.
    """

    digests: Mapping[str, str]
    plan: CorruptionPlan

    @cached_property
    def own(self) -> frozenset[str]:
        """The documents of one sequence, which are compared with it: no other needs its masks."""
        counts = Counter(seq.document for seq in self.plan.sequences if seq.document is not None)
        return frozenset(name for name, count in counts.items() if count == 1)

    def compare(
        self, name: str, sequences: Iterable[VideoSequence], segments: Mapping[str, Any]
    ) -> list[str]:
        """Compare a document with some sequences."""
        split = self.plan.split
        assert isinstance(split, DocumentSplit), "its masks are in documents"
        made = compose_mask_document(split, name, sequences, segments, self.plan.classes)
        is_equal = self.digests.get(name) == digest_json(made)
        return [] if is_equal else [f"{name}: differs from what the source gives"]

    def compare_shared(self, segments: Mapping[str, Any]) -> list[str]:
        """Compare the documents of several sequences."""
        names = dict.fromkeys(sequence.document for sequence in self.plan.sequences)
        shared = [name for name in names if name is not None and name not in self.own]
        return [
            line for name in shared for line in self.compare(name, self.plan.sequences, segments)
        ]


@dataclass(frozen=True)
class _ReproductionTask:
    parts: tuple[CleanPart, ...]
    file_plan: FilePlan | None
    files: SplitFiles
    composition: _Composition | None


def _compare_sequence(
    task: _ReproductionTask, item: tuple[int, VideoSequence, tuple[MaskRow, ...]]
) -> MediumComparison:
    """Compare one item of `Reproduction._list_items` with what recipe and source give."""
    number, sequence, rows = item
    if number == 0 and task.file_plan is not None:
        result = task.file_plan.compare_files(task.files, task.parts[0], sequence, rows)
    else:
        result = _compare_copies(task.files, task.parts[number], sequence)
    composition, name = task.composition, sequence.document
    if number == 0 and composition is not None and name is not None and name in composition.own:
        result.lines.extend(composition.compare(name, [sequence], result.segments))
        result.segments.clear()
    return result


def _compare_copies(
    files: SplitFiles, part: CleanPart, sequence: VideoSequence
) -> MediumComparison:
    """Compare the files of a sequence without mask noise with those of the source."""
    counts = Counter(sequences=1)
    counts.update({_COUNTED[kind]: len(sequence.views) for kind in part.kinds})
    digests = chain.from_iterable(part.digest_files(sequence).values())
    listed = dict(zip(part.list_names(sequence), digests, strict=True))
    if files.documented is not None:
        shared = files.documented, listed
        documented = find_document_inconsistencies(shared, sequence, "the source")
        return MediumComparison(documented, counts)
    lines = [find_file_inconsistency(files, entry, "the source") for entry in listed.items()]
    return MediumComparison([line for line in lines if line is not None], counts)
