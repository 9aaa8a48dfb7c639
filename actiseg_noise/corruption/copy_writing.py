"""Write the files and documents of a noisy copy into a partial folder."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import Interruption, Problem
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_bytes, write_json
from actiseg_data.core.workers import ProgressCallback, WorkerPool, run_parallel
from actiseg_data.layouts.dataset_split import write_document
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.licences import write_licences
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import LEXICON_FILE, SUMMARY_FILE
from actiseg_noise.corruption.request import CorruptionRequest
from actiseg_noise.corruption.split_plan import CorruptionPlan
from actiseg_noise.corruption.summarising import summarise
from actiseg_noise.split.journal import (
    Place,
    SequenceRecord,
    append,
    find_records,
    number_run,
    read_record,
)
from actiseg_noise.split.ledger_writing import write_ledger_and_digests
from actiseg_noise.split.mask_documents import write_mask_documents
from actiseg_noise.split.partial_split import name_journal_folder
from actiseg_noise.split.sequence_writing import copy_files, is_finished, take_frames


def make_all(
    plan: CorruptionPlan,
    partial: Path,
    images: str,
    workers: int | WorkerPool,
    progress: ProgressCallback | None,
) -> None:
    """Make all sequences that an earlier run did not finish."""
    journal = name_journal_folder(partial)
    existing = find_records(journal)
    items = [
        (number, sequence, existing.get(sequence.folder))
        for number, part in enumerate(plan.parts)
        for sequence in part.sequences
    ]
    task = _CorruptionTask(plan, partial, images, number_run(journal))
    run_parallel(_make_sequence, task, items, workers, progress)


def write_documents(
    request: CorruptionRequest,
    plan: CorruptionPlan,
    partial: Path,
    identity: dict[str, Any],
    started: float,
) -> dict[str, Any]:
    """Write the lists and documents of the split; return the summary."""
    _write_lists(plan, partial)
    _refuse_changed_source(plan)
    write_licences(partial, *request.licences)
    write_json(partial / RECIPE_FILE, plan.recipe.to_dict(), indent=2)
    inputs = request.source.inputs
    if inputs.lexicon is not None:
        write_json(partial / LEXICON_FILE, inputs.lexicon.document)
    if inputs.differences is not None:
        write_json(partial / DIFFERENCES_FILE, inputs.differences.to_dict())
    documents = plan.image_sets | _write_mask_documents(plan, partial)
    records = write_ledger_and_digests(
        partial, documents, plan.rows, _iterate_records(plan, partial)
    )
    summary = summarise(request, plan, records) | identity
    summary["seconds"] = round(time.perf_counter() - started, 2)
    write_json(partial / SUMMARY_FILE, summary, indent=2)
    return summary


@dataclass(frozen=True)
class _CorruptionTask:
    plan: CorruptionPlan
    partial: Path
    images: str
    run: int


def _make_sequence(task: _CorruptionTask, item: tuple[int, VideoSequence, Place | None]) -> None:
    """Write the files of one sequence, unless its record shows that they are complete.

    `item` has the number of its part, the sequence, and the place of its record.
    """
    number, sequence, place = item
    plan, partial = task.plan, task.partial
    part = plan.parts[number]
    if place and is_finished(partial, part, sequence, read_record(place)):
        return
    try:
        if number == 0 and plan.file_plan is not None:
            record = plan.file_plan.write(partial, part, sequence)
        else:
            record = copy_files(partial, part, sequence)
        take_frames(partial, part.split, sequence, task.images)
        append(name_journal_folder(partial), task.run, record)
    except OSError as error:
        raise refuse_write(error, partial) from None


def _iterate_records(plan: CorruptionPlan, partial: Path) -> Iterator[SequenceRecord]:
    """Yield the records of all sequences, in order."""
    places = find_records(name_journal_folder(partial))
    for part in plan.parts:
        for sequence in part.sequences:
            place = places.get(sequence.folder)
            record = read_record(place) if place else None
            if record is None:
                raise Interruption(_describe_change(partial, f"the record of {sequence.folder} "))
            yield record


def _write_lists(plan: CorruptionPlan, partial: Path) -> None:
    """Write the lists and their companion files.

    They are rewritten by the noise, copied byte for byte, or cut to the sequences of the run.
    """
    documents = plan.documents
    for name in plan.image_sets:
        source, target = plan.split.root / name, partial / name
        if name in documents:
            write_bytes(target, documents[name])
        elif name in plan.verbatim:
            write_bytes(target, read_bytes(source))
        else:
            write_document(target, plan.split.cut_document(name, plan.sequences)[0])


def _write_mask_documents(plan: CorruptionPlan, partial: Path) -> dict[str, str]:
    """Write the documents with masks, if the dataset has any; return their digests by name.

    The masks of one document at a time are in memory.
    """
    split = plan.split
    if not isinstance(split, DocumentSplit):
        return {}
    digests: dict[str, str] = {}
    pairs = zip(plan.sequences, _iterate_records(plan, partial), strict=False)
    for _, group in groupby(pairs, key=lambda pair: pair[0].document):
        sequences, records = zip(*group, strict=True)
        segments = dict(chain.from_iterable(record.segments.items() for record in records))
        digests |= write_mask_documents(partial, split, sequences, segments, plan.classes)
    return digests


def _refuse_changed_source(plan: CorruptionPlan) -> None:
    """Refuse files that changed since they were checked.

    The next run compares the digests of the masks to find the sequences to make again.
    """
    changed = plan.list_changed_files()
    if changed:
        raise Interruption(_describe_change(path) for path in changed)


def _describe_change(where: Path, subject: str = "") -> Problem:
    hint = "do not change the dataset or the unfinished work, and run again"
    return Problem(f"{subject}changed during the run", str(where), hint)


def refuse_write(error: OSError, folder: Path) -> Interruption:
    """Build the error for a failed write, for the caller to raise."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    place = error.filename2 or error.filename or folder  # a copy that fails names both files
    remedy = "free some space" if full else "make sure that the folder is writable"
    return Interruption(
        Problem(
            f"cannot write ({error.strerror or error})",
            str(place),
            f"{remedy}, or give another `out`, and run again; the work in {folder.name} is resumed",
        )
    )
