"""The documents of a noisy split, read from its folder or from an archive of a release.

An archive is not unpacked, and none of its masks is read.
"""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.listing import list_files
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.dataset_opening import open_recorded
from actiseg_data.layouts.expression_documents import find_expressions
from actiseg_data.layouts.referring import is_expressions
from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import DIGESTS_FILE, SUMMARY_FILE
from actiseg_noise.split.split_archive import (
    NAMES_FILE,
    iterate_archive,
    parse_names,
    restore_path,
)

_NAMED = (RECIPE_FILE, SUMMARY_FILE, DIGESTS_FILE, LEDGER_FILE)


def read_folder_documents(folder: Path) -> dict[str, bytes]:
    """Read the documents of a noisy split from its folder.

    Returns
    -------
    dict of str to bytes
        ``recipe.json``, ``summary.json``, ``digests.json``, ``ledger.jsonl`` and the documents in
        ``ImageSets``, or ``sequences.json`` and referring expressions, by relative path.
    """
    paths = {name: folder / name for name in _NAMED}
    sets = folder / IMAGE_SETS
    if sets.is_dir():
        paths |= {f"{IMAGE_SETS}/{e.path.name}": e.path for e in list_files(sets, ".json")}
    if (folder / SEQUENCES_FILE).is_file():
        paths[SEQUENCES_FILE] = folder / SEQUENCES_FILE
        name = find_expressions(open_recorded(folder))
        paths |= {} if name is None else {name: folder / name}
    return {name: read_bytes(path, name) for name, path in paths.items()}


def read_archive_documents(path: Path) -> dict[str, bytes]:
    """Read the documents of a noisy split from an archive, as `read_folder_documents` does.

    Raises
    ------
    InputError
        For an archive that `iterate_archive` refuses, and if a document is missing.
    """
    written = {file.name: file.read() for file in iterate_archive(path) if _is_wanted(file.name)}
    originals = parse_names(written.pop(NAMES_FILE, b""), path)
    documents = {restore_path(name, originals): data for name, data in written.items()}
    lacking = [name for name in _NAMED if name not in documents]
    if lacking:
        what = f"is not the archive of a noisy split: it lacks {', '.join(lacking)}"
        raise refuse(what, path, "give an archive of a release")
    return documents


def _is_wanted(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    is_list = folder == IMAGE_SETS and file.endswith(".json")
    return is_list or is_expressions(name) or name in (*_NAMED, NAMES_FILE, SEQUENCES_FILE)
