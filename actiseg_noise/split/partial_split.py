"""The partial folder of a noisy split, which can be resumed and is renamed at the end.

Work goes to ``OUT.partial``, which is renamed last, so a folder with the final name is complete.
Only files that this toolkit wrote are removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.files import (
    DRAFT,
    is_occupied,
    move_clutter,
    remove_path,
    write_json,
)
from actiseg_data.core.folder_locks import lock_folder
from actiseg_data.core.listing import is_clutter, list_folder
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS
from actiseg_data.layouts.dataset_opening import is_recorded, open_recorded
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.layouts.split import MASKS, WEIGHTS
from actiseg_data.records.difference_record import DIFFERENCES_FILE
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)

_WORK = "work"
_JOB_FILE = "job.json"
_LOCK_FILE = "lock"
_JOURNAL = "records"
_REPLACED = "replaced"

DOCUMENTS = (
    RECIPE_FILE,
    LEDGER_FILE,
    SUMMARY_FILE,
    DIGESTS_FILE,
    LEXICON_FILE,
    DIFFERENCES_FILE,
    LICENSE_FILE,
    NOTICE_FILE,
)
_ACTION_CONTENT = {MASKS, FRAMES, WEIGHTS, IMAGE_SETS}


def name_partial_folder(out: Path) -> Path:
    """Return the folder for unfinished work, a sibling of `out` so that renaming is one step."""
    return out.with_name(f"{out.name}.partial")


def name_journal_folder(partial: Path) -> Path:
    """Return the folder of the records of finished sequences."""
    return partial / _WORK / _JOURNAL


def is_own(folder: Path) -> bool:
    """Return whether a folder is a noisy split of this toolkit without foreign files."""
    try:
        read_recipe(folder / RECIPE_FILE)
        read_summary(folder / SUMMARY_FILE)
        known = {_WORK, *DOCUMENTS, *_list_content(folder)}
        return {entry.name for entry in list_folder(folder)} <= known
    except InputError:
        return False


def _list_content(folder: Path) -> set[str]:
    """List the names at the top of a noisy split that its layout has."""
    if not is_recorded(folder):
        return _ACTION_CONTENT
    split = open_recorded(folder)
    frames = {split.name_frames_folder(sequence) for sequence in split.sequences}
    named = {*read_digests(folder / DIGESTS_FILE), *filter(None, frames)}
    return {name.partition("/")[0].partition("#")[0] for name in named}


def discard_partial(out: Path) -> None:
    """Remove the unfinished work next to `out`, if this toolkit made it.

    If the run was killed while it replaced an older split, that split gets its name back.

    Raises
    ------
    InputError
        If another run is using the partial folder.
    """
    partial = name_partial_folder(out)
    if not (partial / _WORK / _JOB_FILE).is_file():
        return
    with _lock(partial):
        replaced = partial / _WORK / _REPLACED
        if replaced.exists() and not is_occupied(out):
            os.replace(replaced, out)
        # The job file identifies the work, so it goes last: an interrupted removal can continue.
        work = partial / _WORK
        kept = (work, work / _JOB_FILE, work / _LOCK_FILE)
        for path in (*partial.iterdir(), *work.iterdir()):
            if path not in kept:
                remove_path(path)
        shutil.rmtree(partial)


@contextmanager
def open_partial(out: Path, job: dict[str, Any]) -> Iterator[Path]:
    """Open the partial folder of a job: make it, or resume it if an equal job left it.

    Parameters
    ----------
    out : Path
        The final folder.
    job : dict
        Everything that two runs must have in common for one to resume the other.

    Yields
    ------
    Path
        The partial folder, locked.

    Raises
    ------
    InputError
        If the folder has the work of a different job, or if another run is using it.
    """
    partial = name_partial_folder(out)
    file = partial / _WORK / _JOB_FILE
    if _is_bare(partial) or file.is_file():
        with _lock(partial):
            if _is_bare(partial):
                write_json(file, job)
            if read_unfinished_job(out) == job:
                _clear_documents(partial)
                name_journal_folder(partial).mkdir(exist_ok=True)
                yield partial
                return
    raise refuse(
        "contains the unfinished work of another run",
        partial,
        "finish that run, remove the folder, or give `overwrite`",
    )


def _is_bare(partial: Path) -> bool:
    """Return whether a partial folder is absent, or has no job in it."""
    work = partial / _WORK
    inside = partial.rglob("*") if partial.is_dir() else ()
    known = (work, work / _LOCK_FILE)
    return all(path in known or path.suffix == DRAFT or is_clutter(path.name) for path in inside)


def read_unfinished_job(out: Path) -> Any:
    """Read the job of the unfinished work next to `out`; None if there is no readable one."""
    try:
        return read_json(name_partial_folder(out) / _WORK / _JOB_FILE)
    except InputError:
        return None


def _clear_documents(partial: Path) -> None:
    """Remove lists, documents and their drafts, which are all written at the end.

    A killed run may have left an incomplete one, or one that the source no longer has.
    """
    for path in (*partial.iterdir(), *(partial / _WORK).iterdir()):
        if path.name in (IMAGE_SETS, SEQUENCES_FILE, *DOCUMENTS) or path.suffix == DRAFT:
            remove_path(path)


def _lock(partial: Path) -> AbstractContextManager[None]:
    return lock_folder(partial, partial / _WORK / _LOCK_FILE, "wait for it to end")


def finish(partial: Path, out: Path, *, overwrite: bool) -> None:
    """Rename a complete partial folder to its final name."""
    _rename(partial, out, overwrite)
    clear_work(out)


def _rename(partial: Path, out: Path, overwrite: bool) -> None:
    if is_occupied(out) and not (overwrite and is_own(out)):
        raise refuse("appeared during the run", out, "move it away, and run again")
    if os.path.lexists(out):
        # Into the work folder, which is removed after the new split has its name.
        remove_path(partial / _WORK / _REPLACED)
        os.replace(out, partial / _WORK / _REPLACED)
    os.replace(partial, out)


def clear_work(out: Path) -> None:
    """Remove the work folder of a finished split, which a run killed at its very end leaves.

    Hidden files of a replaced split, such as ``.git``, are kept.
    """
    with suppress(FileNotFoundError):  # another run may be removing it as well
        move_clutter(out / _WORK / _REPLACED, out)
    while (out / _WORK).is_dir():
        with suppress(FileNotFoundError):  # another run may be removing it as well
            shutil.rmtree(out / _WORK)
