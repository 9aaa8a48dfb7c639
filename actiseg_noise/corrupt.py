"""Make a noisy copy of a split on disk."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.digests import json_digest
from actiseg_data.errors import Refused, refuse
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.licences import write_licences
from actiseg_data.masks import pixel_digest
from actiseg_data.parallel import run
from actiseg_data.records import (
    DIGESTS_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    Recipe,
    read_digests,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.output import (
    SequenceRecord,
    clear_work,
    discard_partial,
    finish,
    finished_sequence,
    open_partial,
    partial_folder,
    write_sequence,
)
from actiseg_noise.plan import Plan, Survey, make_plan
from actiseg_noise.request import Request, prepare_request, refuse_occupied
from actiseg_noise.stage import Stage, silent
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
    stage: Stage = silent,
) -> Corruption:
    """Write a noisy copy of one split of an ActionVOS root.

    dataset: the clean root; it is only read. recipe: see `actiseg_noise.recipe.make_recipe`.
    out: folder to make, by default `default_out`. only: sequence folders to restrict the copy to;
    they get the same pixels as in a copy of the whole. images: how frames get into the copy:
    ``link``, ``copy`` or ``none``. overwrite: replace another copy at `out`.

    Work goes to ``OUT.partial`` and is taken up again there after an interruption. Raises `Refused`
    with everything that is wrong with the input, before anything is written.

    ::

        from actiseg_noise.recipe import make_recipe
        corrupt(Path("dataset_visor"), make_recipe("boundary", 0.4), workers=2)
    """
    started = time.perf_counter()
    request = prepare_request(dataset, recipe, out, only, images, overwrite)
    with stage("checking masks") as progress:
        plan = make_plan(request.split, request.recipe, request.sequences, workers, progress)
    identity = identity_of(request, plan)
    found = None if overwrite else _finished_run(request, plan, identity)
    if found is not None:
        return found
    refuse_occupied(request)
    try:
        if overwrite:
            discard_partial(request.out)
        with open_partial(request.out, identity) as partial:
            with stage("corrupting") as progress:
                items = list(zip(plan.sequences, plan.surveys, strict=True))
                records = run(_corrupt_one, _Job(plan, partial, images), items, workers, progress)
            seconds = round(time.perf_counter() - started, 2)
            summary = summarise(request, plan, records) | {"seconds": seconds} | identity
            write_licences(partial, *request.licences)
            documents = {RECIPE_FILE: request.recipe.to_dict(), SUMMARY_FILE: summary}
            finish(partial, request.out, plan.image_sets, records, documents, overwrite=overwrite)
    except OSError as error:
        raise _cannot_write(error, partial_folder(request.out)) from None
    return Corruption(request.out, request.recipe.digest, summary, made=True)


@dataclass(frozen=True)
class _Job:
    plan: Plan
    partial: Path
    images: str


def _corrupt_one(job: _Job, item: tuple[Sequence, Survey]) -> SequenceRecord:
    """Read, corrupt and write one sequence, unless that was done before."""
    sequence, survey = item
    plan = job.plan
    done = finished_sequence(job.partial, plan.split, sequence)
    if done is not None:
        return done
    masks = plan.split.read_masks(sequence)
    if tuple(map(pixel_digest, masks)) != survey.digests:
        raise refuse(
            "a mask changed while the split was made",
            plan.split.mask_path(sequence, sequence.frames[0]).parent,
            "leave the dataset alone and run again",
        )
    noise = corrupt_sequence(sequence, masks, plan.recipe, plan.threshold)
    try:
        return write_sequence(job.partial, plan.split, sequence, noise, job.images)
    except OSError as error:
        raise _cannot_write(error, job.partial) from None


def _cannot_write(error: OSError, folder: Path) -> Refused:
    return refuse(
        f"cannot write ({error.strerror or error})",
        error.filename or folder,
        f"make room or give another --out, then run again: {folder.name} is taken up where it is",
    )


def _finished_run(request: Request, plan: Plan, identity: dict[str, Any]) -> Corruption | None:
    """An identical run that stands at `out` and verifies, else None."""
    out = request.out
    try:
        summary = read_summary(out / SUMMARY_FILE)
        digests = read_digests(out / DIGESTS_FILE)
        lists = {f"{IMAGE_SETS}/{name}": json_digest(doc) for name, doc in plan.image_sets.items()}
        same = identity.items() <= summary.items() and lists.items() <= digests.items()
        if not same or not verify(out).ok:
            return None
    except Refused:
        return None
    clear_work(out)
    return Corruption(out, request.recipe.digest, summary, made=False)
