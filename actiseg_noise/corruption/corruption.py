"""Make a noisy copy of a split on disk."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, Interruption, Problem
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_bytes, write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import Progress, WorkerPool, run_parallel, start_workers
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.records.licences import write_licences
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)
from actiseg_noise import __version__
from actiseg_noise.corruption.request import Request, prepare_request, refuse_occupied
from actiseg_noise.corruption.split_plan import Plan, make_plan
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.split.clean_parts import read_digests_of, summarise_digests
from actiseg_noise.split.journal import (
    Place,
    SequenceRecord,
    append,
    find_records,
    next_run,
    read_record,
)
from actiseg_noise.split.partial_split import (
    clear_work,
    copy_files,
    discard_partial,
    finish,
    is_finished,
    journal_of,
    open_partial,
    partial_folder,
    take_frames,
    unfinished_job,
    write_noisy,
    written,
)
from actiseg_noise.split.summary_document import identity_of, summarise
from actiseg_noise.verification.verification import verify


@dataclass(frozen=True)
class Corruption:
    """What `corrupt` did.

    out: the noisy split. recipe_digest: of its recipe. summary: as in ``summary.json``. made: False
    where an identical run was there already and was verified instead.
    """

    out: Path
    recipe_digest: str
    summary: dict[str, Any]
    made: bool


def corrupt(
    dataset: Path,
    recipe: Recipe,
    *,
    out: Path | None = None,
    only: Iterable[str] = (),
    workers: int = 1,
    images: str = "link",
    overwrite: bool = False,
    lexicon: Lexicon | None = None,
    with_clean: Iterable[str] = (),
    weights: str = "derive",
    stage: StageProgress = ignore_progress,
) -> Corruption:
    """Write a noisy copy of one split of an ActionVOS root.

    dataset: the clean root; it is only read. recipe: see `actiseg_noise.recipes.building.make_recipe`. out:
    folder to make, by default `default_out`. only: sequence folders to restrict the copy to; they
    get the same pixels and words as in a copy of the whole. images: how frames get into the copy:
    ``link``, ``copy`` or ``none``; all else is always a file of its own. overwrite: replace another
    copy at `out`. lexicon: the one that text noise is drawn from, by default the installed one.
    with_clean: other lists of the root, which go into the copy as they are, with their masks,
    weights and frames. weights: ``derive`` makes the training weights of noisy masks, if the source
    has weights (see `actiseg_noise.mask_noise.mask_weights`); ``none`` leaves all weights out.

    Work goes to ``OUT.partial`` and is taken up again there after an interruption. Raises `InputError`
    with everything that is wrong with the input, before anything is written.

    ::

        from actiseg_noise.recipes.building import make_recipe
        corrupt(Path("dataset_visor"), make_recipe("boundary", 0.4), workers=2)
    """
    started = time.perf_counter()
    with start_workers(workers, __name__) as members:
        load_cv2()  # refuse before anything is written
        request = prepare_request(
            dataset, recipe, out, only, images, overwrite, lexicon, with_clean, weights
        )
        with stage("checking the source") as progress:
            plan = make_plan(
                request.split,
                request.recipe,
                request.sequences,
                members,
                progress,
                lexicon,
                clean=request.clean,
                weights=weights == "derive",
            )
        identity = identity_of(request, plan)
        found = None if overwrite else _finished_run(request, plan, identity, members)
        if found is not None:
            return found
        refuse_occupied(request)
        try:
            job = _job_of(identity)
            if overwrite and unfinished_job(request.out) != job:
                discard_partial(request.out)
            with open_partial(request.out, job) as partial:
                with stage("corrupting" if recipe.mask_noise else "copying") as progress:
                    _make_all(plan, partial, images, members, progress)
                summary = _write_documents(request, plan, partial, identity, started)
                finish(partial, request.out, overwrite=overwrite)
        except OSError as error:
            raise _cannot_write(error, partial_folder(request.out)) from None
    return Corruption(request.out, request.recipe.digest, summary, made=True)


def _job_of(identity: dict[str, Any]) -> dict[str, Any]:
    """What must be equal for work to be taken up. That of another release is not: its records may
    hold other things.
    """
    return identity | {"toolkit": __version__}


def _make_all(
    plan: Plan, partial: Path, images: str, workers: int | WorkerPool, progress: Progress | None
) -> None:
    """Make all sequences that are not there already from an earlier run."""
    journal = journal_of(partial)
    before = find_records(journal)
    items = [
        (number, sequence, before.get(sequence.folder))
        for number, part in enumerate(plan.parts)
        for sequence in part.sequences
    ]
    run_parallel(
        _make_sequence, _Task(plan, partial, images, next_run(journal)), items, workers, progress
    )


def _write_documents(
    request: Request, plan: Plan, partial: Path, identity: dict[str, Any], started: float
) -> dict[str, Any]:
    """Write all that belongs to the split as a whole; returns the summary."""
    _take_lists(plan, partial)
    _refuse_changed(plan)
    write_licences(partial, *request.licences)
    write_json(partial / RECIPE_FILE, request.recipe.to_dict(), indent=2)
    if request.lexicon is not None:
        write_json(partial / LEXICON_FILE, request.lexicon.document)
    rows = {} if plan.words is None else plan.words.rows
    records = written(partial, plan.image_sets, rows, _records(plan, partial))
    summary = summarise(request, plan, records) | identity
    summary["seconds"] = round(time.perf_counter() - started, 2)
    write_json(partial / SUMMARY_FILE, summary, indent=2)
    return summary


@dataclass(frozen=True)
class _Task:
    plan: Plan
    partial: Path
    images: str
    run: int


def _make_sequence(task: _Task, item: tuple[int, VideoSequence, Place | None]) -> None:
    """Write the files of one sequence, unless its record shows that this was done before.

    item: the number of its part, the sequence, and the place of its record.
    """
    number, sequence, before = item
    plan, partial = task.plan, task.partial
    part = plan.parts[number]
    if before and is_finished(partial, part, sequence, read_record(before)):
        return
    try:
        if number == 0 and plan.recipe.mask_noise is not None:
            clean = part.masks(sequence)
            frames = corrupt_sequence(sequence, clean, plan.recipe, plan.threshold)
            record = write_noisy(partial, part, sequence, frames)
        else:
            record = copy_files(partial, part, sequence)
        take_frames(partial, part.split, sequence, task.images)
        append(journal_of(partial), task.run, record)
    except OSError as error:
        raise _cannot_write(error, partial) from None


def _records(plan: Plan, partial: Path) -> Iterator[SequenceRecord]:
    """The records of all sequences, in order, one at a time."""
    places = find_records(journal_of(partial))
    for part in plan.parts:
        for sequence in part.sequences:
            place = places.get(sequence.folder)
            record = read_record(place) if place else None
            if record is None:
                raise Interruption(_change(f"the record of {sequence.folder}", partial))
            yield record


def _take_lists(plan: Plan, partial: Path) -> None:
    """Write the lists and their companions: as they were reworded, byte for byte, or cut to the
    sequences of the run.
    """
    reworded = {} if plan.words is None else plan.words.documents
    for name in plan.image_sets:
        source, target = plan.split.root / IMAGE_SETS / name, partial / IMAGE_SETS / name
        if name in reworded:
            write_bytes(target, reworded[name])
        elif name in plan.verbatim:
            write_bytes(target, read_bytes(source))
        else:
            write_json(target, plan.split.read_image_set(name, plan.sequences)[0])


def _refuse_changed(plan: Plan) -> None:
    """Refuse files that were written to since they were checked. The next run finds by the digests
    of their masks which sequences to make again.
    """
    changed = plan.changed_files()
    if changed:
        raise Interruption(_change("it", path) for path in changed)


def _change(what: str, where: Path) -> Problem:
    hint = "leave the dataset and the work alone, and run again"
    return Problem(f"{what} changed while the split was made", str(where), hint)


def _cannot_write(error: OSError, folder: Path) -> Interruption:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "make room" if full else "see that the place can be written to"
    return Interruption(
        Problem(
            f"cannot write ({error.strerror or error})",
            str(error.filename or folder),
            f"{remedy}, or give another --out, and run again; what is in {folder.name} is taken up",
        )
    )


def _finished_run(
    request: Request, plan: Plan, identity: dict[str, Any], workers: int | WorkerPool
) -> Corruption | None:
    """An identical run that stands at `out` and verifies, else None."""
    out = request.out
    try:
        summary = read_summary(out / SUMMARY_FILE)
        digests = read_digests(out / DIGESTS_FILE)
        lists = {f"{IMAGE_SETS}/{name}": digest for name, digest in plan.image_sets.items()}
        same = identity.items() <= summary.items() and lists.items() <= digests.items()
        if not same or not verify(out, workers=workers).ok:
            return None
        if not _is_of_source(plan, summary, digests, workers):
            return None
    except Interruption:
        raise
    except InputError:
        return None
    clear_work(out)
    if unfinished_job(out) == _job_of(identity):
        with suppress(InputError):  # a run that is still at work will see that it came second
            discard_partial(out)
    return Corruption(out, request.recipe.digest, summary, made=False)


def _is_of_source(
    plan: Plan, summary: Mapping[str, Any], digests: Mapping[str, str], workers: int | WorkerPool
) -> bool:
    """Whether the files of a finished run were made from those that the source has now."""
    for number, part in enumerate(plan.parts):
        found = run_parallel(read_digests_of, part, part.sequences, workers)
        folders = (sequence.folder for sequence in part.sequences)
        by_folder = dict(zip(folders, found, strict=True))
        if number == 0 and plan.recipe.mask_noise is not None:
            if not summarise_digests(by_folder).items() <= summary.items():
                return False
            continue
        for sequence in part.sequences:
            clean = chain.from_iterable(by_folder[sequence.folder].values())
            copies = zip(part.names(sequence), clean, strict=True)
            if any(digests.get(name) != digest for name, digest in copies):
                return False
    return True
