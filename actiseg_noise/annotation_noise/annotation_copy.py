"""Write a noisy copy of a folder of raw VISOR annotations."""

from __future__ import annotations

import errno
import gzip
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data import __version__
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError, Interruption, Problem
from actiseg_data.core.files import check_free, check_outside, encode_json, write_bytes, write_json
from actiseg_data.core.workers import ProgressCallback, run_parallel
from actiseg_data.layouts.visor_json import parse_video
from actiseg_data.make.prepare.annotation_files import find_annotation_files
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.licences import read_raw_licences, write_licences
from actiseg_data.records.recipe_record import RECIPE_FILE, Recipe, refuse_noisy_source
from actiseg_data.records.split_documents import DIGESTS_FILE, SUMMARY_FILE
from actiseg_noise.annotation_noise.annotation_summary import summarise_annotations
from actiseg_noise.annotation_noise.document_noise import (
    corrupt_document,
    draw_document_selection,
)
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise
from actiseg_noise.recipes.rates import find_exact_threshold
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
class AnnotationSource:
    """A folder of clean annotations, read and checked.

    Attributes
    ----------
    folder : Path
        The folder, or the only file.
    recipe : Recipe
        A checked recipe of polygon noise.
    files : dict of str to Path
        The annotation files by their names in the copy, relative to it.
    digests : dict of str to str
        Digests of their content, by the same names.
    threshold : float
        Items with a selection draw below it get noise.
    """

    folder: Path
    recipe: Recipe
    files: dict[str, Path]
    digests: dict[str, str]
    threshold: float

    @property
    def fingerprint(self) -> str:
        """The digest of the content of all files."""
        return digest_json(self.digests)


def open_annotations(
    folder: Path,
    recipe: Recipe,
    workers: int = 1,
    progress: ProgressCallback | None = None,
) -> AnnotationSource:
    """Read and check all annotation files of a folder.

    Parameters
    ----------
    folder : Path
        Folder of VISOR's JSON files, see `find_annotation_files`, or one file. The recipe's split
        chooses a subfolder where there are several.
    recipe : Recipe
        A recipe of polygon noise, see `convert_to_polygons`.
    workers : int
        Processes.
    progress : callable, optional
        Called with the number of files read and of all files.

    Raises
    ------
    InputError
        With everything that is wrong in the files or the recipe.
    """
    recipe = check_recipe(recipe)
    noise = choose_polygon_noise(recipe)
    if folder.is_dir():
        refuse_noisy_source(folder)
    root = folder if folder.is_dir() else folder.parent
    paths = find_annotation_files(folder, recipe.split)
    surveyed = run_parallel(_survey_document, recipe.seed, paths, workers, progress)
    names = [path.relative_to(root).as_posix() for path in paths]
    threshold = noise.rate
    if noise.exact:
        draws = (draw for _, of_file in surveyed for draw in of_file)
        threshold = find_exact_threshold(draws, noise.rate)
    return AnnotationSource(
        folder=folder,
        recipe=recipe,
        files=dict(zip(names, paths, strict=True)),
        digests={name: digest for name, (digest, _) in zip(names, surveyed, strict=True)},
        threshold=threshold,
    )


def _survey_document(seed: int, path: Path) -> tuple[str, list[float]]:
    """Return the digest of a document, and the selection draws of its items."""
    document = read_json(path, "annotation file")
    return digest_json(document), draw_document_selection(parse_video(document, path), seed)


def corrupt_visor(
    folder: Path,
    recipe: Recipe,
    out: Path,
    workers: int = 1,
    progress: ProgressCallback | None = None,
) -> dict[str, Any]:
    """Write a noisy copy of a folder of VISOR's JSON files.

    The files keep their names and everything but the polygons of the selected entities. The work
    goes to ``OUT.partial``, which an equal run resumes, and which gets its name when it is whole.

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

    Returns
    -------
    dict
        The content of ``summary.json``.

    Raises
    ------
    InputError
        With everything that is wrong with the input, before anything is written.
    """
    started = time.perf_counter()
    check_outside(out, [folder], "out")
    check_free(out)
    source = open_annotations(folder, recipe, workers)
    identity = {
        "recipe_digest": source.recipe.digest,
        "dataset_fingerprint": source.fingerprint,
        "annotations": list(source.files),
    }
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
            finish(partial, out, overwrite=False)
    except OSError as error:
        raise _refuse_write(error, name_partial_folder(out)) from None
    return summary


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


def make_record(source: AnnotationSource, name: str) -> tuple[SequenceRecord, dict[str, Any]]:
    """Make the record and the noisy document of one file of a source."""
    path = source.files[name]
    document = read_json(path, "annotation file")
    if digest_json(document) != source.digests[name]:
        hint = "do not change the annotations, and run again"
        raise Interruption(Problem("changed during the run", str(path), hint))
    noise = choose_polygon_noise(source.recipe)
    noisy = corrupt_document(document, path, noise, source.recipe.seed, source.threshold)
    record = SequenceRecord.make_empty(name)
    record.rows.extend(row.to_json() for row in noisy.rows)
    record.digests[name] = digest_json(noisy.document)
    record.clean_digests["annotations"] = [source.digests[name]]
    record.tally.update(noisy.tally)
    return record, noisy.document


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
