"""Check a noisy split against its own documents and digests, without the source."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.layouts.split import IN_DOCUMENT, is_mask_name
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_noise.media.registry import MEDIA, list_media
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.split.consistency import (
    find_document_inconsistencies,
    find_file_inconsistency,
    find_list_inconsistencies,
    find_unlisted_files,
)
from actiseg_noise.split.noisy_documents import SplitDocuments, read_documents
from actiseg_noise.split.noisy_split import read_split_recipe
from actiseg_noise.split.split_files import SplitFiles, locate_files


@dataclass(frozen=True)
class SelfCheck:
    """A noisy split, and the differences between its files and its documents.

    Attributes
    ----------
    documents : SplitDocuments
        The documents of the split.
    files : SplitFiles
        Its files on disk.
    lines : list of str
        One line for each inconsistency.
    obstacle : str or None
        Why the noise cannot be reproduced here, or None if it can.
    n_files : int
        The number of files that were decoded.
    """

    documents: SplitDocuments
    files: SplitFiles
    lines: list[str]
    obstacle: str | None
    n_files: int


def open_documents(out: Path) -> SplitDocuments:
    """Read the documents of a noisy split; raise `InputError` if it is not one."""
    return read_documents(out, check_recipe(read_split_recipe(out), str(out / RECIPE_FILE)))


def check_consistency(
    out: Path,
    documents: SplitDocuments,
    only: Set[str] = frozenset(),
    workers: int | WorkerPool = 1,
    stage: StageProgress = ignore_progress,
) -> SelfCheck:
    """Check that the files and documents of a noisy split agree.

    Parameters
    ----------
    out : Path
        Folder of the noisy split.
    documents : SplitDocuments
        Its documents, see `open_documents`.
    only : set of str
        Sequence folders to decode. Empty decodes all files.
    workers : int or WorkerPool
        Processes.
    stage : StageProgress
        Shows progress.
    """
    files = locate_files(out, documents.digests)
    lines = find_unlisted_files(files, documents) + compare_documents(out, documents)
    listed = [
        (name, digest)
        for name, digest in documents.digests.items()
        if IN_DOCUMENT not in name
        and (not only or not is_mask_name(name) or not only.isdisjoint(name.split("/")))
    ]
    with stage("checking digests") as progress:
        compared = run_parallel(find_file_inconsistency, files, listed, workers, progress)
        lines += [line for line in compared if line]
        split = files.documented
        if split is not None:
            sequences = [seq for seq in split.sequences if not only or seq.folder in only]
            shared = split, documents.digests
            lines += chain.from_iterable(
                run_parallel(find_document_inconsistencies, shared, sequences, workers, progress)
            )
    obstacles = (medium.find_obstacle(out) for medium in list_media(documents.recipe))
    obstacle = next((line for line in obstacles if line is not None), None)
    return SelfCheck(documents, files, lines, obstacle, len(listed))


def compare_documents(out: Path, documents: SplitDocuments) -> list[str]:
    """Compare the documents with the lists on disk and with each other. No mask is decoded.

    Returns
    -------
    list of str
        One line for each inconsistency.
    """
    try:
        parts = documents.open_parts(out)
    except InputError as error:
        return [str(problem) for problem in error.problems]
    lines = list(find_list_inconsistencies(parts, documents))
    media = list_media(documents.recipe)
    for medium in media:
        lines += medium.find_inconsistencies(parts[0].split, documents)
    present = {medium.name for medium in media}
    for name, medium_class in MEDIA.items():
        if name not in present:
            lines += medium_class.find_traces(parts[0].split, documents)
    return lines
