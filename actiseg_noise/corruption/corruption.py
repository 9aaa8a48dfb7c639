"""Make a noisy copy of a split on disk."""

from __future__ import annotations

import errno
import html
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, read_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, Interruption, Problem
from actiseg_data.core.files import write_bytes, write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.validation import read_bytes
from actiseg_data.core.workers import Progress, WorkerPool, run_parallel, start_workers
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.records.licences import write_licences
from actiseg_data.records.split_records import (
    DIGESTS_FILE,
    LEXICON_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    Recipe,
    read_digests,
    read_summary,
)
from actiseg_noise import __version__
from actiseg_noise.corruption.recipe_choice import choose_recipe
from actiseg_noise.corruption.request import (
    CorruptionOptions,
    CorruptionRequest,
    prepare_request,
    refuse_occupied,
)
from actiseg_noise.corruption.split_plan import CorruptionPlan, make_plan
from actiseg_noise.corruption.summarising import describe_identity, summarise
from actiseg_noise.media.self_check import check_consistency, open_documents
from actiseg_noise.split.clean_parts import digest_sequence_files, summarise_digests
from actiseg_noise.split.journal import (
    Place,
    SequenceRecord,
    append,
    find_records,
    number_run,
    read_record,
)
from actiseg_noise.split.partial_split import (
    clear_work,
    copy_files,
    discard_partial,
    finish,
    is_finished,
    name_journal_folder,
    name_partial_folder,
    open_partial,
    read_unfinished_job,
    take_frames,
    write_ledger_and_digests,
)
from actiseg_noise.split.selection import as_names


@dataclass(frozen=True)
class Corruption:
    """The result of `corrupt`.

    Attributes
    ----------
    out : Path
        The noisy split.
    recipe_digest : str
        Digest of its recipe.
    summary : dict
        The content of ``summary.json``.
    made : bool
        False if an identical run existed already and was verified instead.
    """

    out: Path
    recipe_digest: str
    summary: dict[str, Any]
    made: bool

    def __repr__(self) -> str:
        rates = ", ".join(f"{kind}={counts}" for kind, counts in self._list_rates())
        return f"Corruption({str(self.out)!r}, {rates}, made={self.made})"

    def _repr_html_(self) -> str:
        rows = [
            ("noisy split", str(self.out)),
            ("split", self.summary["split"]),
            ("sequences", str(len(self.summary["sequences"]))),
            *self._list_rates(),
            ("recipe", self.recipe_digest),
        ]
        cells = (
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>"
            for name, value in rows
        )
        return f"<table>{''.join(cells)}</table>"

    def _list_rates(self) -> list[tuple[str, str]]:
        """List each kind of noise with the number of items that got noise."""
        sections = (self.summary.get(name) for name in ("noise", "text"))
        return [
            (section["kind"], f"{section['selected']} of {section['items']}")
            for section in sections
            if section is not None
        ]


def corrupt(
    dataset: str | os.PathLike[str] | None,
    noise: str | Recipe,
    *,
    out: str | os.PathLike[str] | None = None,
    only: Iterable[str] = (),
    workers: int = 1,
    images: str = "link",
    weights: str = "derive",
    with_clean: Iterable[str] = (),
    overwrite: bool = False,
    lexicon: Lexicon | str | os.PathLike[str] | None = None,
    stage: StageProgress = ignore_progress,
    **settings: Any,
) -> Corruption:
    """Write a noisy copy of one split of an ActionVOS dataset.

    Work goes to ``OUT.partial`` and is resumed there after an interruption. The keyword arguments
    have the names of the flags of ``actiseg-noise corrupt``.

    Parameters
    ----------
    dataset : str or Path or None
        Root of the clean dataset, which is only read. None uses ``$ACTISEG_DATASET``, else
        ``./dataset_visor``, else the built-in sample, which is made if it is missing.
    noise : str or Recipe
        A type such as ``boundary``, a preset such as ``actiseg-nl/mask-9``, or a recipe.
    out : str or Path, optional
        Folder to make. Default: see `actiseg_noise.corruption.request.name_output`.
    only : iterable of str
        Sequence folders to copy. They get the same noise as in a copy of the whole split.
    workers : int
        Processes. The result does not depend on it.
    images : str
        How frames get into the copy: ``link``, ``copy`` or ``none``. Masks, weights and lists are
        always files.
    weights : str
        ``derive`` makes training weights for the noisy masks if the dataset has weights; ``none``
        leaves all weights out.
    with_clean : iterable of str
        Other splits of the dataset, which are added to the copy without noise.
    overwrite : bool
        Whether to replace a different noisy split at `out`.
    lexicon : Lexicon, str or Path, optional
        Lexicon for text noise. Default: the installed one.
    stage : StageProgress
        Shows progress.
    **settings
        The noise: `rate` (share of the items), `seed`, `split`, `objects`, `target_iou` and so on,
        see `actiseg_noise.corruption.recipe_choice.choose_recipe`.

    Returns
    -------
    Corruption
        The noisy split, and its summary.

    Raises
    ------
    InputError
        With everything that is wrong with the input, before anything is written.

    Examples
    --------
    ::

        corrupt("dataset_visor", "boundary", rate=0.4, target_iou=0.7, out="noisy", workers=2)
        corrupt("dataset_visor", "actiseg-nl/mask-9", only=["00000001_P01_01_take_cup"])
    """
    started = time.perf_counter()
    options = _collect_options(out, only, images, weights, with_clean, overwrite, lexicon)
    root, recipe = _choose_input(dataset, noise, options.lexicon, settings)
    with start_workers(workers, __name__) as members:
        load_cv2()  # before anything is written, because it may be missing
        request = prepare_request(root, recipe, options)
        with stage("checking the source") as progress:
            plan = make_plan(request.source, members, progress)
        identity = describe_identity(request, plan)
        existing = None if overwrite else _find_finished_run(request, plan, identity, members)
        if existing is not None:
            return existing
        refuse_occupied(request)
        try:
            job = _describe_job(identity)
            if overwrite and read_unfinished_job(request.out) != job:
                discard_partial(request.out)
            with open_partial(request.out, job) as partial:
                with stage("copying" if plan.file_plan is None else "corrupting") as progress:
                    _make_all(plan, partial, images, members, progress)
                summary = _write_documents(request, plan, partial, identity, started)
                finish(partial, request.out, overwrite=overwrite)
        except OSError as error:
            raise _refuse_write(error, name_partial_folder(request.out)) from None
    return Corruption(request.out, plan.recipe.digest, summary, made=True)


@dataclass(frozen=True)
class CorruptionForecast:
    """What `corrupt` would do.

    Attributes
    ----------
    out : Path
        The folder that would be made.
    recipe_digest : str
        Digest of the recipe.
    sequences, frames : int
        How many sequences and frames would get noise.
    lines : tuple of str
        How many items would get noise, a line for each medium.
    """

    out: Path
    recipe_digest: str
    sequences: int
    frames: int
    lines: tuple[str, ...]


def forecast_corruption(
    dataset: str | os.PathLike[str] | None,
    noise: str | Recipe,
    *,
    out: str | os.PathLike[str] | None = None,
    only: Iterable[str] = (),
    workers: int = 1,
    images: str = "link",
    weights: str = "derive",
    with_clean: Iterable[str] = (),
    overwrite: bool = False,
    lexicon: Lexicon | str | os.PathLike[str] | None = None,
    stage: StageProgress = ignore_progress,
    **settings: Any,
) -> CorruptionForecast:
    """Check everything that `corrupt` would check, and count what it would do.

    No noisy split is written. The parameters are those of `corrupt`.

    Raises
    ------
    InputError
        With everything that is wrong with the input.
    """
    options = _collect_options(out, only, images, weights, with_clean, overwrite, lexicon)
    root, recipe = _choose_input(dataset, noise, options.lexicon, settings)
    request = prepare_request(root, recipe, options)
    with stage("checking") as progress:
        plan = make_plan(request.source, workers, progress)
    with stage("counting") as progress:
        lines = tuple(
            medium_plan.forecast(plan.split, plan.sequences, workers, progress)
            for medium_plan in plan.media
        )
    frames = sum(len(sequence.frames) for sequence in plan.sequences)
    return CorruptionForecast(request.out, plan.recipe.digest, len(plan.sequences), frames, lines)


def _collect_options(
    out: str | os.PathLike[str] | None,
    only: Iterable[str],
    images: str,
    weights: str,
    with_clean: Iterable[str],
    overwrite: bool,
    lexicon: Lexicon | str | os.PathLike[str] | None,
) -> CorruptionOptions:
    if isinstance(lexicon, (str, os.PathLike)):
        lexicon = read_lexicon(Path(lexicon))
    folder = None if out is None else Path(out)
    names, lists = as_names(only), as_names(with_clean)
    return CorruptionOptions(folder, names, images, weights, lists, overwrite, lexicon)


def _choose_input(
    dataset: str | os.PathLike[str] | None,
    noise: str | Recipe,
    lexicon: Lexicon | None,
    settings: dict[str, Any],
) -> tuple[Path, Recipe]:
    """Find the dataset and make the recipe.

    The recipe comes first, so that the sample is made only for a sound one. The pool ``dataset``
    is the exception, because it needs the dataset.
    """
    named = None if dataset is None else Path(dataset)
    if named is None and settings.get("pool") == "dataset":
        named = _locate_dataset()
    recipe = choose_recipe(noise, dataset=named, lexicon=lexicon, **settings)
    return named or _locate_dataset(), recipe


def _locate_dataset() -> Path:
    from actiseg_data.terminal.locate import locate_dataset

    return locate_dataset(None, make=True)[0]


def _describe_job(identity: dict[str, Any]) -> dict[str, Any]:
    """Describe what two runs must have in common for one to resume the other.

    The release is part of it, because the records of another release may differ.
    """
    return identity | {"toolkit": __version__}


def _make_all(
    plan: CorruptionPlan,
    partial: Path,
    images: str,
    workers: int | WorkerPool,
    progress: Progress | None,
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


def _write_documents(
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
    if request.source.lexicon is not None:
        write_json(partial / LEXICON_FILE, request.source.lexicon.document)
    records = write_ledger_and_digests(
        partial, plan.image_sets, plan.rows, _iterate_records(plan, partial)
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
        raise _refuse_write(error, partial) from None


def _iterate_records(plan: CorruptionPlan, partial: Path) -> Iterator[SequenceRecord]:
    """Yield the records of all sequences, in order."""
    places = find_records(name_journal_folder(partial))
    for part in plan.parts:
        for sequence in part.sequences:
            place = places.get(sequence.folder)
            record = read_record(place) if place else None
            if record is None:
                raise Interruption(_describe_change(f"the record of {sequence.folder}", partial))
            yield record


def _write_lists(plan: CorruptionPlan, partial: Path) -> None:
    """Write the lists and their companion files.

    They are rewritten by the noise, copied byte for byte, or cut to the sequences of the run.
    """
    documents = plan.documents
    for name in plan.image_sets:
        source, target = plan.split.root / IMAGE_SETS / name, partial / IMAGE_SETS / name
        if name in documents:
            write_bytes(target, documents[name])
        elif name in plan.verbatim:
            write_bytes(target, read_bytes(source))
        else:
            write_json(target, plan.split.image_set(name, plan.sequences)[0])


def _refuse_changed_source(plan: CorruptionPlan) -> None:
    """Refuse files that changed since they were checked.

    The next run compares the digests of the masks to find the sequences to make again.
    """
    changed = plan.list_changed_files()
    if changed:
        raise Interruption(_describe_change("it", path) for path in changed)


def _describe_change(what: str, where: Path) -> Problem:
    hint = "do not change the dataset or the unfinished work, and run again"
    return Problem(f"{what} changed during the run", str(where), hint)


def _refuse_write(error: OSError, folder: Path) -> Interruption:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space" if full else "make sure that the folder is writable"
    return Interruption(
        Problem(
            f"cannot write ({error.strerror or error})",
            str(error.filename or folder),
            f"{remedy}, or give another `out`, and run again; the work in {folder.name} is resumed",
        )
    )


def _find_finished_run(
    request: CorruptionRequest,
    plan: CorruptionPlan,
    identity: dict[str, Any],
    workers: int | WorkerPool,
) -> Corruption | None:
    """Return an identical run at `out` whose files are consistent, or None."""
    out = request.out
    try:
        summary = read_summary(out / SUMMARY_FILE)
        digests = read_digests(out / DIGESTS_FILE)
        lists = {f"{IMAGE_SETS}/{name}": digest for name, digest in plan.image_sets.items()}
        same = identity.items() <= summary.items() and lists.items() <= digests.items()
        if not same or not _is_consistent(out, workers):
            return None
        if not _has_same_source(plan, summary, digests, workers):
            return None
    except Interruption:
        raise
    except InputError:
        return None
    clear_work(out)
    if read_unfinished_job(out) == _describe_job(identity):
        with suppress(InputError):  # a run that is still working there will find this one finished
            discard_partial(out)
    return Corruption(out, plan.recipe.digest, summary, made=False)


def _is_consistent(out: Path, workers: int | WorkerPool) -> bool:
    check = check_consistency(out, open_documents(out), workers=workers)
    return not check.lines and check.obstacle is None


def _has_same_source(
    plan: CorruptionPlan,
    summary: Mapping[str, Any],
    digests: Mapping[str, str],
    workers: int | WorkerPool,
) -> bool:
    """Return whether a finished run was made from the files that the source has now."""
    for number, part in enumerate(plan.parts):
        results = run_parallel(digest_sequence_files, part, part.sequences, workers)
        folders = (sequence.folder for sequence in part.sequences)
        by_folder = dict(zip(folders, results, strict=True))
        if number == 0 and plan.file_plan is not None:
            if not summarise_digests(by_folder).items() <= summary.items():
                return False
            continue
        for sequence in part.sequences:
            clean = chain.from_iterable(by_folder[sequence.folder].values())
            copies = zip(part.list_names(sequence), clean, strict=True)
            if any(digests.get(name) != digest for name, digest in copies):
                return False
    return True
