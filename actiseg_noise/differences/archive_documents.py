"""The documents of a noisy split, read from its folder or from an archive of a release.

An archive is not unpacked, and none of its masks is read. It is untrusted: an archive that is not a
plain tar of ordinary files in one folder is refused.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from pathlib import Path

from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.file_reading import MAX_JSON_BYTES, read_bytes
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import check_name, format_name
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.recipe_record import RECIPE_FILE
from actiseg_data.records.split_documents import DIGESTS_FILE, SUMMARY_FILE

NAMES_FILE = "NAMES.tsv"
"""The table in an archive of the names that Windows cannot have: written name, original name."""

_NAMED = (RECIPE_FILE, SUMMARY_FILE, DIGESTS_FILE, LEDGER_FILE)
_BLOCK = 512
_HINT = "fetch the archive again, and compare it with the SHA256SUMS of its release"


def read_folder_documents(folder: Path) -> dict[str, bytes]:
    """Read the documents of a noisy split from its folder.

    Returns
    -------
    dict of str to bytes
        ``recipe.json``, ``summary.json``, ``digests.json``, ``ledger.jsonl`` and the documents in
        ``ImageSets``, by relative path.
    """
    paths = {name: folder / name for name in _NAMED}
    sets = folder / IMAGE_SETS
    if sets.is_dir():
        paths |= {f"{IMAGE_SETS}/{e.path.name}": e.path for e in list_files(sets, ".json")}
    return {name: read_bytes(path, name) for name, path in paths.items()}


def read_archive_documents(path: Path) -> dict[str, bytes]:
    """Read the documents of a noisy split from an archive, as `read_folder_documents` does.

    Raises
    ------
    InputError
        If the file is not a whole, plain tar; if a member is a link, a device or outside the only
        folder; if two members have the same name; or if a document is missing.
    """
    try:
        with path.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            documents = _read_members(archive, path)
            _check_end(path)
    except FileNotFoundError:
        raise refuse("the archive is missing", path, "check the path") from None
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        reason = format_name(str(error)) or "it is cut short"
        raise refuse(f"is not a whole, plain tar archive ({reason})", path, _HINT) from None
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror})", path, "check the path") from None
    lacking = [name for name in _NAMED if name not in documents]
    if lacking:
        what = f"is not the archive of a noisy split: it lacks {', '.join(lacking)}"
        raise refuse(what, path, "give an archive of a release")
    return documents


def _read_members(archive: tarfile.TarFile, path: Path) -> dict[str, bytes]:
    documents: dict[str, bytes] = {}
    names: bytes = b""
    for name, member in _iterate_files(archive, path):
        if not (_is_document(name) or name == NAMES_FILE):
            continue
        if member.size > MAX_JSON_BYTES:
            raise refuse(f"{name} is larger than {MAX_JSON_BYTES} bytes", path, _HINT)
        stream = archive.extractfile(member)
        data = stream.read() if stream is not None else b""
        if len(data) < member.size:
            raise refuse(f"is cut short in {name}", path, _HINT)
        if name == NAMES_FILE:
            names = data
        else:
            documents[name] = data
    originals = _parse_names(names, path)
    return {originals.get(name, name): data for name, data in documents.items()}


def _iterate_files(archive: tarfile.TarFile, path: Path) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Yield the files with their names below the only top folder, and refuse all else."""
    problems = ProblemCollector()
    seen: set[str] = set()
    tops: set[str] = set()
    for member in archive:
        shown = format_name(member.name)
        parts = member.name.split("/")
        with problems.collect():
            for part in parts:
                check_name(part, "member", path)
            if member.name in seen:
                raise refuse(f"has two members {shown}", path, _HINT)
            if not (member.isdir() or _is_plain(member)):
                raise refuse(f"the member {shown} is not an ordinary file", path, _HINT)
        seen.add(member.name)
        tops.add(parts[0])
        if len(tops) > 1:
            problems.add("has more than one top folder", path, _HINT)
        problems.raise_if_any()
        if not member.isdir():
            if len(parts) == 1:
                raise refuse(f"the member {shown} is outside the folder", path, _HINT)
            yield "/".join(parts[1:]), member


def _is_plain(member: tarfile.TarInfo) -> bool:
    return member.type in (tarfile.REGTYPE, tarfile.AREGTYPE) and not member.issparse()


def _is_document(name: str) -> bool:
    folder, _, file = name.rpartition("/")
    return name in _NAMED or (folder == IMAGE_SETS and file.endswith(".json"))


def _parse_names(data: bytes, path: Path) -> dict[str, str]:
    """Parse the table of written and original names."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise refuse(f"{NAMES_FILE} is not UTF-8 text", path, _HINT) from None
    rows = [line.split("\t") for line in text.splitlines()]
    if any(len(row) != 2 for row in rows):
        raise refuse(f"{NAMES_FILE} is not a table of two columns", path, _HINT)
    originals = {row[0]: row[1] for row in rows}
    if len(originals) < len(rows) or len(set(originals.values())) < len(rows):
        raise refuse(f"{NAMES_FILE} has a name twice", path, _HINT)
    return originals


def _check_end(path: Path) -> None:
    """Refuse a tar without the two empty blocks at its end: it may lack members."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - 2 * _BLOCK))
        end = stream.read()
    if size % _BLOCK or len(end) < 2 * _BLOCK or any(end):
        raise refuse("is cut short: the end of the archive is missing", path, _HINT)
