"""Check that the files and documents of a noisy split agree, without the source.

These checks do not depend on the medium. Each medium adds its own, see `actiseg_noise.media`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from itertools import chain
from pathlib import Path

from actiseg_data.annotations.masks import digest_pixels, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.listing import is_clutter, list_files, list_folder
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.dataset_opening import is_recorded, open_recorded
from actiseg_data.layouts.dataset_split import read_document
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.layouts.split import MASKS, WEIGHTS, Split, is_mask_name
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    LedgerRow,
    MaskRow,
)
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import DIGESTS_FILE, SUMMARY_FILE
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.partial_split import DOCUMENTS
from actiseg_noise.split.split_files import SplitFiles, resolve_name


def find_clutter(out: Path) -> list[str]:
    """Find files and folders that a desktop or an archiver left in a noisy split.

    Returns
    -------
    list of str
        Sorted paths, relative to `out`. See `actiseg_data.core.listing.is_clutter`.
    """
    clutter = []
    for folder, folders, files in os.walk(out):
        names = [name for name in (*folders, *files) if is_clutter(name)]
        clutter += [Path(folder, name).relative_to(out).as_posix() for name in names]
        folders[:] = [name for name in folders if name not in names]
    return sorted(clutter)


def find_unlisted_files(files: SplitFiles, documents: SplitDocuments) -> list[str]:
    """Find files without a digest, and a summary that belongs to a different recipe.

    Returns
    -------
    list of str
        One line for each inconsistency.
    """
    recipe, digests, out = documents.recipe, documents.digests, files.root
    lines = []
    if documents.summary.get("recipe_digest") != recipe.digest:
        lines.append(f"{SUMMARY_FILE}: recipe_digest is not that of {RECIPE_FILE}")
    known = {files.find(name) for name in digests}
    for folder in _list_folders(out, digests):
        for path in _iterate_files(folder):
            if path not in known:
                lines.append(f"{path.relative_to(out).as_posix()}: is not listed in {DIGESTS_FILE}")
    lines += _find_unlisted_documents(files, known)
    if not {f"{IMAGE_SETS}/{recipe.split}.json", SEQUENCES_FILE} & digests.keys():
        lines.append(f"{DIGESTS_FILE}: lacks the list of the split {recipe.split!r}")
    return lines


def _list_folders(out: Path, digests: Iterable[str]) -> list[Path]:
    """List the folders that have files with digests alone."""
    if not is_recorded(out):
        return [out / kind for kind in (MASKS, WEIGHTS, IMAGE_SETS)]
    split = open_recorded(out)
    names = chain.from_iterable(split.name_files(MASKS, sequence) for sequence in split)
    folders = dict.fromkeys(name.rpartition("/")[0] for name in names)
    return [resolve_name(out, folder) for folder in folders]


def _find_unlisted_documents(files: SplitFiles, known: Set[Path]) -> Iterator[str]:
    """Find JSON files beside the documents with masks, if there are any."""
    documents = () if files.documented is None else files.documented.form.mask_documents
    for folder in dict.fromkeys((files.root / name).parent for name in documents):
        own = {files.root / name for name in DOCUMENTS}
        for file in list_files(folder, ".json", ".json.gz") if folder.is_dir() else ():
            if file.path not in known | own:
                name = file.path.relative_to(files.root).as_posix()
                yield f"{name}: is not listed in {DIGESTS_FILE}"


def find_list_inconsistencies(
    parts: tuple[CleanPart, ...], documents: SplitDocuments
) -> Iterator[str]:
    """Find differences between the action lists and the documents.

    Parameters
    ----------
    parts : tuple of CleanPart
        The noisy split on disk and its clean lists, see `SplitDocuments.open_parts`.
    documents : SplitDocuments
        The documents of the noisy split.

    Yields
    ------
    str
        One line for each inconsistency.
    """
    split, summary = parts[0].split, documents.summary
    yield from _compare_names(parts, documents)
    if summary.get("split") != documents.recipe.split:
        yield f"{SUMMARY_FILE}: split is not what {RECIPE_FILE} and {LEDGER_FILE} give"
    if summary.get("sequences") != [sequence.folder for sequence in split.sequences]:
        yield f"{SUMMARY_FILE}: its sequences are not those of the {split.list_title}"
    if summary.get("frames") != sum(len(sequence.frames) for sequence in split.sequences):
        yield f"{SUMMARY_FILE}: frames are not those of the {split.list_title}"
    yield from _find_unknown_items(split, documents.rows)


def find_file_inconsistency(
    files: SplitFiles, listed: tuple[str, str], reference: str = DIGESTS_FILE
) -> str | None:
    """Compare a file with its digest.

    Parameters
    ----------
    files : SplitFiles
        The files of the noisy split.
    listed : tuple of str
        Relative path, and the digest of the pixels or, for a list, of the content.
    reference : str
        Where the digest comes from, for the message.

    Returns
    -------
    str or None
        The inconsistency, or None if the file has this digest.
    """
    name, digest = listed
    path = files.find(name)
    if not os.path.lexists(path):
        return f"{name}: is missing"
    try:
        if path.suffix == ".png":
            actual = digest_pixels(read_index_mask(path))
        else:
            actual = digest_json(read_document(path))
    except InputError as error:
        return f"{name}: {error.problems[0].what}"
    return None if actual == digest else f"{name}: its content is not what {reference} says"


def find_document_inconsistencies(
    shared: tuple[DocumentSplit, Mapping[str, str]],
    sequence: VideoSequence,
    reference: str = DIGESTS_FILE,
) -> list[str]:
    """Compare the masks of a sequence in a document with their digests.

    Parameters
    ----------
    shared : tuple
        The noisy split, and the digests by name.
    sequence : VideoSequence
        The sequence.
    reference : str
        Where the digests come from, for the message.
    """
    split, digests = shared
    names = split.name_files(MASKS, sequence)
    try:
        actual = dict(zip(names, split.digest_masks(sequence), strict=True))
    except InputError as error:
        return [f"{sequence.document}: {sequence.folder}: {error.problems[0].what}"]
    return [
        f"{name}: its content is not what {reference} says"
        for name in names
        if name in digests and actual[name] != digests[name]
    ]


def _iterate_files(folder: Path, levels: int = 2) -> Iterator[Path]:
    """Yield all files in a folder and its sub-folders except clutter, sorted.

    Deeper folders than `levels` are not opened, because links can make them endless. They are
    yielded like files.
    """
    if folder.is_dir():
        for entry in list_folder(folder):
            if entry.is_folder and levels:
                yield from _iterate_files(entry.path, levels - 1)
            else:
                yield entry.path


def _compare_names(parts: tuple[CleanPart, ...], documents: SplitDocuments) -> Iterator[str]:
    """Compare the files of the lists with those that have digests."""
    files = {name for part in parts for seq in part.sequences for name in part.list_names(seq)}
    digested = {name for name in documents.digests if is_mask_name(name)}
    yield from (f"{name}: is not listed in {DIGESTS_FILE}" for name in sorted(files - digested))
    title = parts[0].split.list_title
    yield from (f"{name}: is not in the {title}" for name in sorted(digested - files))


def _find_unknown_items(split: Split, rows: list[LedgerRow]) -> Iterator[str]:
    """Find ledger rows for items that the action list does not have."""
    items = {(seq.folder, label.object_id) for seq in split.sequences for label in seq.objects}
    frames = {(seq.folder, frame) for seq in split.sequences for frame in seq.frames}
    folders = {sequence.folder for sequence in split.sequences}
    for row in rows:
        known = (row.sequence, row.object_id) in items
        name = row.sequence
        if isinstance(row, MaskRow):
            known = known and (row.sequence, row.frame) in frames
            name = f"{row.sequence}, {row.frame}"
        elif row.object_id is None:
            known = row.sequence in folders
        if not known:
            yield f"{LEDGER_FILE}: {name} has no object {row.object_id}"
