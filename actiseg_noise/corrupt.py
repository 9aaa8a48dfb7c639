"""Make a noisy copy of a split on disk."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Listing
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.errors import Interrupted, Problem, Refused
from actiseg_data.files import write_bytes, write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.lexicon import Lexicon
from actiseg_data.licences import write_licences
from actiseg_data.opencv import load_cv2
from actiseg_data.parallel import Crew, Progress, crew, run
from actiseg_data.records import (
    DIGESTS_FILE,
    LEXICON_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    Recipe,
    read_digests,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_data.stage import Stage, silent
from actiseg_data.untrusted import read_bytes
from actiseg_noise import __version__
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.journal import (
    Place,
    SequenceRecord,
    append,
    find_records,
    next_run,
    read_record,
)
from actiseg_noise.output import (
    clear_work,
    discard_partial,
    finish,
    is_finished,
    journal_of,
    mask_name,
    open_partial,
    partial_folder,
    take_files,
    unfinished_job,
    write_sequence,
    written,
)
from actiseg_noise.plan import Plan, clean_digests, clean_masks_digest, make_plan
from actiseg_noise.request import COPIED, Request, prepare_request, refuse_occupied
from actiseg_noise.summary import identity_of, summarise
from actiseg_noise.verify import verify


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
    stage: Stage = silent,
) -> Corruption:
    """Write a noisy copy of one split of an ActionVOS root.

    dataset: the clean root; it is only read. recipe: see `actiseg_noise.recipe.make_recipe`.
    out: folder to make, by default `default_out`. only: sequence folders to restrict the copy to;
    they get the same pixels and words as in a copy of the whole. images: how frames get into the
    copy: ``link``, ``copy`` or ``none``; without mask noise, masks and weights get in like
    them, linked where frames do not. overwrite: replace another copy at `out`. lexicon: the one
    that text noise is drawn from, by default the installed one.

    Work goes to ``OUT.partial`` and is taken up again there after an interruption. Raises `Refused`
    with everything that is wrong with the input, before anything is written.

    ::

        from actiseg_noise.recipe import make_recipe
        corrupt(Path("dataset_visor"), make_recipe("boundary", 0.4), workers=2)
    """
    started = time.perf_counter()
    with crew(workers, __name__) as members:
        load_cv2()  # refuse before anything is written
        request = prepare_request(dataset, recipe, out, only, images, overwrite, lexicon)
        what = "prompts" if recipe.mask_noise is None else "masks"
        with stage(f"checking {what}") as progress:
            plan = make_plan(
                request.split, request.recipe, request.sequences, members, progress, lexicon
            )
        identity = identity_of(request, plan)
        found = None if overwrite else _finished_run(request, plan, identity, members)
        if found is not None:
            return found
        refuse_occupied(request)
        copied = None
        if request.masks_taken == COPIED:
            with stage("checking masks") as progress:
                found_masks = run(clean_digests, plan.split, plan.sequences, members, progress)
            copied = dict(zip(identity["sequences"], found_masks, strict=True))
        try:
            job = _job_of(identity)
            if overwrite and unfinished_job(request.out) != job:
                discard_partial(request.out)
            with open_partial(request.out, job) as partial:
                if recipe.mask_noise is not None:
                    with stage("corrupting") as progress:
                        _corrupt_all(plan, partial, images, members, progress)
                else:
                    take_files(partial, plan.split, plan.sequences, images)
                summary = _write_documents(request, plan, partial, identity, started, copied)
                finish(partial, request.out, overwrite=overwrite)
        except OSError as error:
            raise _cannot_write(error, partial_folder(request.out)) from None
    return Corruption(request.out, request.recipe.digest, summary, made=True)


def _job_of(identity: dict[str, Any]) -> dict[str, Any]:
    """What must be equal for work to be taken up. That of another release is not: its records may
    hold other things."""
    return identity | {"toolkit": __version__}


def _corrupt_all(
    plan: Plan, partial: Path, images: str, workers: int | Crew, progress: Progress | None
) -> None:
    """Make all sequences that are not there already from an earlier run."""
    journal = journal_of(partial)
    before = find_records(journal)
    items = [(sequence, before.get(sequence.folder)) for sequence in plan.sequences]
    run(_corrupt_one, _Task(plan, partial, images, next_run(journal)), items, workers, progress)


def _write_documents(
    request: Request,
    plan: Plan,
    partial: Path,
    identity: dict[str, Any],
    started: float,
    copied: Mapping[str, Listing[str]] | None,
) -> dict[str, Any]:
    """Write all that belongs to the split as a whole; returns the summary.

    copied: digests of masks that were taken as they are, by sequence folder; None where there are
    none or noise made new ones.
    """
    _take_lists(plan, partial)
    _refuse_changed(plan)
    write_licences(partial, *request.licences)
    write_json(partial / RECIPE_FILE, request.recipe.to_dict(), indent=2)
    if request.lexicon is not None:
        write_json(partial / LEXICON_FILE, request.lexicon.document)
    rows = {} if plan.words is None else plan.words.rows
    records = _records(plan, partial) if copied is None else _copied_records(plan, copied)
    records = written(partial, plan.image_sets, rows, records)
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


def _corrupt_one(task: _Task, item: tuple[Sequence, Place | None]) -> None:
    """Read, corrupt and write one sequence, unless its record shows that this was done before."""
    sequence, before = item
    plan = task.plan
    if before and is_finished(task.partial, plan.split, sequence, read_record(before)):
        return
    clean = plan.split.each_mask(sequence)
    frames = corrupt_sequence(sequence, clean, plan.recipe, plan.threshold)
    try:
        record = write_sequence(task.partial, plan.split, sequence, frames, task.images)
        append(journal_of(task.partial), task.run, record)
    except OSError as error:
        raise _cannot_write(error, task.partial) from None


def _records(plan: Plan, partial: Path) -> Iterator[SequenceRecord]:
    """The records of all sequences, in order, one at a time; empty ones without mask noise."""
    masked = plan.recipe.mask_noise is not None
    places = find_records(journal_of(partial)) if masked else {}
    for sequence in plan.sequences:
        place = places.get(sequence.folder)
        record = read_record(place) if place else None
        if record is None:
            if masked:
                raise Interrupted(_change(f"the record of {sequence.folder}", partial))
            record = SequenceRecord.empty(sequence.folder)
        yield record


def _copied_records(plan: Plan, copied: Mapping[str, Listing[str]]) -> Iterator[SequenceRecord]:
    """Records of sequences whose masks were copied: their digests alone."""
    for sequence in plan.sequences:
        record = SequenceRecord.empty(sequence.folder)
        if sequence.folder in plan.split.subsets:
            names = (mask_name(plan.split, sequence, frame) for frame in sequence.frames)
            record.digests.update(zip(names, copied[sequence.folder], strict=True))
        yield record


def _take_lists(plan: Plan, partial: Path) -> None:
    """Write the lists and their companions: as they were reworded, byte for byte, or cut to the
    sequences of the run."""
    reworded = {} if plan.words is None else plan.words.documents
    for name in plan.image_sets:
        source, target = plan.split.root / IMAGE_SETS / name, partial / IMAGE_SETS / name
        if name in reworded:
            write_bytes(target, reworded[name])
        elif name in plan.verbatim:
            write_bytes(target, read_bytes(source))
        else:
            write_json(target, plan.split.image_set(name, plan.sequences)[0])


def _refuse_changed(plan: Plan) -> None:
    """Refuse files that were written to since they were checked. The next run finds by the digests
    of their masks which sequences to make again."""
    changed = plan.changed_files()
    if changed:
        raise Interrupted(_change("it", path) for path in changed)


def _change(what: str, where: Path) -> Problem:
    cure = "leave the dataset and the work alone, and run again"
    return Problem(f"{what} changed while the split was made", str(where), cure)


def _cannot_write(error: OSError, folder: Path) -> Interrupted:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "make room" if full else "see that the place can be written to"
    return Interrupted(
        Problem(
            f"cannot write ({error.strerror or error})",
            str(error.filename or folder),
            f"{remedy}, or give another --out, and run again; what is in {folder.name} is taken up",
        )
    )


def _finished_run(
    request: Request, plan: Plan, identity: dict[str, Any], workers: int | Crew
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
        if plan.recipe.mask_noise is not None:
            clean = clean_masks_digest(plan.split, plan.sequences, workers)
            if clean != summary.get("clean_masks_digest"):
                return None
    except Interrupted:
        raise
    except Refused:
        return None
    clear_work(out)
    if unfinished_job(out) == _job_of(identity):
        with suppress(Refused):  # a run that is still at work will see that it came second
            discard_partial(out)
    return Corruption(out, request.recipe.digest, summary, made=False)
