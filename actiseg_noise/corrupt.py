"""Make a noisy copy of a split on disk."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from actiseg_data.errors import Problems, Refused, refuse
from actiseg_data.layouts.actionvos import FRAMES, Split, open_split
from actiseg_data.licences import read_licences, write_licences
from actiseg_data.masks import pixel_digest
from actiseg_data.parallel import Progress, run
from actiseg_data.records import (
    RECIPE_FILE,
    SUMMARY_FILE,
    SUMMARY_SCHEMA,
    Recipe,
    read_recipe,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_noise import __version__
from actiseg_noise.apply import corrupt_sequence
from actiseg_noise.output import (
    SequenceRecord,
    discard_partial,
    finish,
    finished_sequence,
    is_own,
    open_partial,
    partial_folder,
    write_sequence,
)
from actiseg_noise.plan import Plan, Survey, make_plan
from actiseg_noise.recipe import check_recipe
from actiseg_noise.summary import quantiles, summarise_rows, wilson_interval
from actiseg_noise.verify import verify

IMAGES = ("link", "copy", "none")

Stage = Callable[[str], AbstractContextManager[Progress | None]]
"""Called with the name of each long step; gives the step's progress."""


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
    stage: Stage | None = None,
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
    stage = stage or _silent
    started = time.perf_counter()
    recipe = check_recipe(recipe, "recipe")
    if images not in IMAGES:
        raise refuse(f"images {images!r} is unknown", "images", f"use one of {', '.join(IMAGES)}")
    split = open_split(dataset, recipe.split)
    sequences = choose(split, only)
    out = out or default_out(dataset, recipe)
    _refuse_nesting(dataset, out)
    found = _finished_run(out, split, recipe, sequences)
    if found is not None and not overwrite:
        return found
    _make_way(out, overwrite)

    with stage("checking masks") as progress:
        plan = make_plan(split, recipe, sequences, workers, progress)
    try:
        partial = open_partial(out, _job(plan))
        with stage("corrupting") as progress:
            items = list(zip(plan.sequences, plan.surveys, strict=True))
            records = run(_corrupt_one, _Job(plan, partial, images), items, workers, progress)
        summary = _summarise(plan, records, out, images) | {
            "seconds": round(time.perf_counter() - started, 2)
        }
        write_licences(partial, *_licence_texts(dataset, recipe))
        documents = {RECIPE_FILE: recipe.to_dict(), SUMMARY_FILE: summary}
        finish(partial, out, split, plan.sequences, records, documents)
    except OSError as error:
        raise _cannot_write(error, partial_folder(out)) from None
    return Corruption(out, recipe.digest, summary, made=True)


def default_out(dataset: Path, recipe: Recipe) -> Path:
    """``./<dataset>_<kind>_r<rate>_s<seed>``."""
    (noise,) = recipe.noises
    return Path(f"{dataset.resolve().name}_{noise.kind}_r{noise.rate:g}_s{recipe.seed}")


def choose(split: Split, only: Iterable[str]) -> tuple[Sequence, ...]:
    """The sequences named, in list order, or all; raises `Refused` for every unknown name."""
    wanted = list(only)
    by_folder = {sequence.folder: sequence for sequence in split.sequences}
    problems = Problems()
    for name in wanted:
        if name not in by_folder:
            problems.add(
                f"the split {split.name!r} has no sequence {name!r}",
                "--only",
                "give a folder name as in the split's lists",
            )
    problems.raise_if_any()
    return tuple(seq for seq in split.sequences if not wanted or seq.folder in wanted)


@dataclass(frozen=True)
class _Job:
    plan: Plan
    partial: Path
    images: str


def _corrupt_one(job: _Job, item: tuple[Sequence, Survey]) -> SequenceRecord:
    """Read, corrupt and write one sequence, unless that was done before."""
    sequence, survey = item
    plan = job.plan
    done = finished_sequence(job.partial, sequence)
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


def _job(plan: Plan) -> dict[str, Any]:
    """What a resumed run must have in common with the one that was interrupted."""
    return {
        "recipe_digest": plan.recipe.digest,
        "dataset_fingerprint": plan.split.fingerprint,
        "clean_masks_digest": plan.clean_masks_digest,
        "sequences": [sequence.folder for sequence in plan.sequences],
    }


def _finished_run(
    out: Path, split: Split, recipe: Recipe, sequences: tuple[Sequence, ...]
) -> Corruption | None:
    """An identical run that stands at `out` and verifies, else None."""
    try:
        summary = read_summary(out / SUMMARY_FILE)
        same = (
            read_recipe(out / RECIPE_FILE).digest == recipe.digest
            and summary.get("dataset_fingerprint") == split.fingerprint
            and summary.get("sequences") == [sequence.folder for sequence in sequences]
        )
        if same and verify(out).ok:
            return Corruption(out, recipe.digest, summary, made=False)
    except Refused:
        pass
    return None


def _make_way(out: Path, overwrite: bool) -> None:
    """Refuse what stands at `out`, or with `overwrite` remove it if it is this toolkit's."""
    occupied = out.exists() and (not out.is_dir() or any(out.iterdir()))
    if occupied and not overwrite:
        raise refuse(
            "something else is there already",
            out,
            "give another --out, or --overwrite to replace it",
        )
    if occupied and not is_own(out):
        raise refuse(
            "is no noisy split of this toolkit, so it is not overwritten",
            out,
            "remove it yourself, or give another --out",
        )
    if overwrite:
        discard_partial(out)


def _refuse_nesting(dataset: Path, out: Path) -> None:
    source, target = dataset.resolve(), out.resolve()
    if target == source or source in target.parents or target in source.parents:
        raise refuse(
            f"the output lies inside the dataset {dataset}, or holds it",
            out,
            "give an --out beside the dataset",
        )


def _summarise(plan: Plan, records: list[SequenceRecord], out: Path, images: str) -> dict[str, Any]:
    rows = [row for record in records for row in record.rows]
    tally = sum((record.tally for record in records), Counter())
    bystander_ious = [value for record in records for value in record.bystander_ious]
    (noise,) = plan.recipe.noises
    split = plan.split
    has_frames = any(split.folder(FRAMES, sequence).is_dir() for sequence in plan.sequences)
    interval = wilson_interval(len(rows), plan.items)
    return {
        "schema": SUMMARY_SCHEMA,
        "recipe_digest": plan.recipe.digest,
        "dataset_fingerprint": split.fingerprint,
        "clean_masks_digest": plan.clean_masks_digest,
        "source": _relative(split.root, out),
        "split": split.name,
        "frames": sum(len(sequence.frames) for sequence in plan.sequences),
        "noise": {
            "kind": noise.kind,
            "rate": noise.rate,
            "items": plan.items,
            "selected": len(rows),
            "realised_rate": round(len(rows) / plan.items, 6) if plan.items else None,
            "interval_95": [round(bound, 6) for bound in interval] if interval else None,
            **summarise_rows(rows),
        },
        "bystanders": {
            "items": tally["bystanders"],
            "cut": tally["bystanders_cut"],
            "iou_of_cut": quantiles(bystander_ious),
        },
        "handled": {
            "absent_from_frame": tally["absent"],
            "vanished_from_disk": tally["vanished"],
            "target_not_reached": sum(row.status not in ("met", "fixed") for row in rows),
            "sequences_without_active_object": sum(
                not any(label.positive for label in sequence.objects) for sequence in plan.sequences
            ),
            "names_with_colon": sum(":" in sequence.folder for sequence in plan.sequences),
        },
        "images": images if has_frames else "none: the source has no frames",
        "weights": "left out: the source's are made from clean masks",
        "toolkit": f"actiseg {__version__}",
        "versions": {"python": platform.python_version()}
        | {
            name: version(name)
            for name in ("numpy", "opencv-python-headless", "shapely", "contourpy", "pillow")
        },
        "sequences": [sequence.folder for sequence in plan.sequences],
    }


def _relative(source: Path, out: Path) -> str:
    import os

    try:
        return Path(os.path.relpath(source.resolve(), out.resolve().parent)).as_posix()
    except ValueError:  # another drive on Windows
        return source.name


def _licence_texts(dataset: Path, recipe: Recipe) -> tuple[str, str]:
    license_text, notice_text = read_licences(dataset)
    (noise,) = recipe.noises
    change = (
        f"\nChanged: this folder is a noisy copy. actiseg {__version__} applied {noise.kind!r} "
        f"noise at rate {noise.rate:g} to the masks of the split {recipe.split!r}, on purpose, so "
        "that learning from noisy labels can be studied. recipe.json says how, ledger.jsonl lists "
        "every change.\n"
    )
    return license_text, notice_text + change


def _silent(name: str) -> AbstractContextManager[Progress | None]:
    return nullcontext()
