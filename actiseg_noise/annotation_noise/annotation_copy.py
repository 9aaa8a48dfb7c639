"""Write a noisy copy of a folder of raw VISOR annotations."""

from __future__ import annotations

import errno
import gzip
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data import __version__
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError, Interruption, Problem
from actiseg_data.core.files import (
    check_free,
    check_outside,
    encode_json,
    remove_path,
    write_bytes,
    write_json,
)
from actiseg_data.core.listing import list_folder
from actiseg_data.core.workers import ProgressCallback, run_parallel
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.licences import (
    LICENSE_FILE,
    NOTICE_FILE,
    read_raw_licences,
    write_licences,
)
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    SUMMARY_FILE,
    read_digests,
    read_summary,
)
from actiseg_noise.annotation_noise.annotation_check import verify_visor
from actiseg_noise.annotation_noise.annotation_source import (
    AnnotationSource,
    make_record,
    open_annotations,
)
from actiseg_noise.annotation_noise.annotation_summary import summarise_annotations
from actiseg_noise.recipes.building import load_recipe
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise
from actiseg_noise.split.journal import (
    SequenceRecord,
    append,
    find_records,
    number_run,
    read_record,
)
from actiseg_noise.split.partial_split import (
    finish,
    name_journal_folder,
    name_partial_folder,
    open_partial,
)


@dataclass(frozen=True)
class AnnotationCopy:
    """A noisy copy of annotations.

    Attributes
    ----------
    summary : dict
        The content of its ``summary.json``.
    made : bool
        False if an equal copy existed already and was verified instead.
    """

    summary: dict[str, Any]
    made: bool


def corrupt_visor(
    folder: Path,
    recipe: Recipe,
    out: Path,
    workers: int = 1,
    progress: ProgressCallback | None = None,
    *,
    overwrite: bool = False,
) -> AnnotationCopy:
    """Write a noisy copy of a folder of VISOR's JSON files.

    The files keep their names and everything but the polygons of the selected entities. The work
    goes to ``OUT.partial``, which an equal run resumes, and which gets its name when it is whole.
    An equal copy that is there already is verified instead.

    Parameters
    ----------
    folder : Path
        Folder of clean annotations, or one file.
    recipe : Recipe
        A recipe of polygon noise.
    out : Path
        The new folder.
    workers : int
        Processes. The result does not depend on it.
    progress : callable, optional
        Called with the number of files made and of all files.
    overwrite : bool
        Whether to replace a different noisy copy at `out`.

    Raises
    ------
    InputError
        With everything that is wrong with the input, before anything is written.
    """
    started = time.perf_counter()
    check_outside(out, [folder], "out")
    source = open_annotations(folder, recipe, workers)
    identity = {
        "recipe_digest": source.recipe.digest,
        "dataset_fingerprint": source.fingerprint,
        "annotations": list(source.files),
    }
    finished = None if overwrite else _find_finished_copy(out, identity, workers)
    if finished is not None:
        return AnnotationCopy(finished, made=False)
    if not (overwrite and is_own_copy(out)):
        check_free(out)
    try:
        with open_partial(out, identity | {"toolkit": __version__}) as partial:
            records = _make_files(source, partial, workers, progress)
            summary = identity | summarise_annotations(source.recipe, records, folder, out)
            summary["seconds"] = round(time.perf_counter() - started, 1)
            lines = (f"{row}\n" for record in records for row in record.rows)
            write_bytes(partial / LEDGER_FILE, "".join(lines).encode())
            digests = {name: digest for r in records for name, digest in r.digests.items()}
            write_json(partial / DIGESTS_FILE, digests, indent=1)
            write_json(partial / RECIPE_FILE, source.recipe.to_dict(), indent=1)
            write_licences(partial, *_compose_licences(source))
            write_json(partial / SUMMARY_FILE, summary, indent=1)
            _move_old_copy(out, partial)
            finish(partial, out, overwrite=False)
    except OSError as error:
        raise _refuse_write(error, name_partial_folder(out)) from None
    return AnnotationCopy(summary, made=True)


def _find_finished_copy(
    out: Path, identity: Mapping[str, Any], workers: int
) -> dict[str, Any] | None:
    """Return the summary of an equal copy at `out` that agrees with its records, or None."""
    try:
        summary = read_summary(out / SUMMARY_FILE)
        same = identity.items() <= summary.items() and not verify_visor(out, None, workers).lines
    except InputError:
        return None
    return summary if same else None


def is_own_copy(folder: Path) -> bool:
    """Return whether a folder is a noisy copy of annotations, without foreign files."""
    try:
        choose_polygon_noise(load_recipe(folder / RECIPE_FILE))
        known = {Path(name).parts[0] for name in read_digests(folder / DIGESTS_FILE)}
        known |= {RECIPE_FILE, SUMMARY_FILE, DIGESTS_FILE, LEDGER_FILE, LICENSE_FILE, NOTICE_FILE}
        return {entry.name for entry in list_folder(folder)} <= known
    except InputError:
        return False


def _move_old_copy(out: Path, partial: Path) -> None:
    """Move a copy that is replaced into the work folder, which is removed at the end."""
    if is_own_copy(out):
        replaced = name_journal_folder(partial).parent / "replaced"
        remove_path(replaced)
        os.replace(out, replaced)


def _make_files(
    source: AnnotationSource,
    partial: Path,
    workers: int,
    progress: ProgressCallback | None,
) -> list[SequenceRecord]:
    """Make all files that an earlier run did not finish; return the records of all."""
    journal = name_journal_folder(partial)
    known = {name: read_record(place) for name, place in find_records(journal).items()}
    missing = [
        name for name in source.files if not _is_finished(source, partial, name, known.get(name))
    ]
    task = _CopyTask(source, partial, number_run(journal))
    made = run_parallel(_make_file, task, missing, workers, progress)
    records = known | {record.folder: record for record in made}
    return [record for name in source.files if (record := records[name]) is not None]


@dataclass(frozen=True)
class _CopyTask:
    source: AnnotationSource
    partial: Path
    run: int


def _make_file(task: _CopyTask, name: str) -> SequenceRecord:
    record, document = make_record(task.source, name)
    data = encode_json(document)
    if name.lower().endswith(".gz"):
        data = gzip.compress(data, mtime=0)
    write_bytes(task.partial / name, data)
    append(name_journal_folder(task.partial), task.run, record)
    return record


def _is_finished(
    source: AnnotationSource, partial: Path, name: str, record: SequenceRecord | None
) -> bool:
    """Return whether an earlier run made a file, from the same clean file."""
    if record is None or record.clean_digests.get("annotations") != [source.digests[name]]:
        return False
    try:
        return record.digests == {name: digest_json(read_json(partial / name))}
    except InputError:
        return False


def _compose_licences(source: AnnotationSource) -> tuple[str, str]:
    """Compose LICENSE and NOTICE: those of the source, and a statement of what was changed."""
    folder = source.folder if source.folder.is_dir() else source.folder.parent
    license_text, notice_text = read_raw_licences(folder)
    noise = choose_polygon_noise(source.recipe)
    return license_text, (
        f"{notice_text}\nChanged: this folder is a noisy copy. actiseg {__version__} applied "
        f"{noise.kind!r} noise at rate {noise.rate:g} to the polygons of the annotations, on "
        "purpose, so that learning from noisy labels can be studied. recipe.json says how, "
        "ledger.jsonl lists every change.\n"
    )


def _refuse_write(error: OSError, folder: Path) -> Interruption:
    """Build the error for a failed write."""
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space" if full else "make sure that the folder is writable"
    place = os.fspath(error.filename or folder)
    hint = f"{remedy}, and run again; the work in {folder.name} is resumed"
    return Interruption(Problem(f"cannot write ({error.strerror or error})", place, hint))
