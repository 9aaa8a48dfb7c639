"""The archive of a noisy split in a release: a plain tar of one folder. It is never trusted.

An archive is read without unpacking it. One that is not a whole, plain tar of ordinary files in one
folder is refused.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.file_reading import open_regular
from actiseg_data.core.names import check_name, check_text, format_name

ARCHIVES = "archives"
"""The folder of the archives in a release: ``archives/<configuration>.tar``."""

NAMES_FILE = "NAMES.tsv"
"""Two columns without a header: the path of a file or folder in the archive, and the name that it
has in the dataset. Files come before their folders, so that they can be renamed row by row."""

MAX_MEMBER_BYTES = 1 << 28

_BLOCK = tarfile.BLOCKSIZE
_LONGEST_END = tarfile.RECORDSIZE + 2 * _BLOCK
"""Two empty blocks, and others that fill the last record."""

_DEEPEST = 5
"""Components of the longest path: the folder at the top, kind, subset, sequence, file."""
_HINT = "fetch the archive again, and compare it with the SHA256SUMS of its release"


@dataclass(frozen=True)
class ArchiveFile:
    """A file in an archive.

    Attributes
    ----------
    name : str
        Relative path below the folder at the top.
    read : callable
        Returns its content. It works until the next file is taken.
    """

    name: str
    read: Callable[[], bytes]


def iterate_archive(
    path: Path, find_fault: Callable[[tarfile.TarInfo], str | None] | None = None
) -> Iterator[ArchiveFile]:
    """Iterate over the files of an archive in its order; nothing is written to disk.

    `NAMES_FILE` is yielded like any other file; see `parse_names`.

    Parameters
    ----------
    path : Path
        The archive.
    find_fault : callable, optional
        Returns what else is wrong with a file or a folder.

    Raises
    ------
    InputError
        If the path is no regular file; if the file is not a whole, plain tar; if a member is a
        link, a device, or outside the only folder; if two members have the same name; if a file is
        too large.
    """
    with (
        _refuse_damage(path),
        open_regular(path) as stream,
        tarfile.open(fileobj=stream, mode="r:") as archive,
    ):
        for member, parts in _iterate_members(archive, path):
            fault = None if find_fault is None else find_fault(member)
            if fault is not None:
                raise _refuse_member(member, fault, path)
            if member.isreg():
                yield ArchiveFile("/".join(parts[1:]), _make_reader(archive, member, path))
        stream.seek(archive.offset)
        _check_end(stream.read(_LONGEST_END + 1), path)


@contextmanager
def _refuse_damage(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise refuse("the archive is missing", path, "check the path") from None
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        reason = format_name(str(error)) or "it is cut short"
        raise refuse(f"is damaged, cut short or not a plain tar ({reason})", path, _HINT) from None
    except OSError as error:
        what = f"cannot be read ({error.strerror or error})"
        raise refuse(what, path, "check the path") from None


def _iterate_members(
    archive: tarfile.TarFile, path: Path
) -> Iterator[tuple[tarfile.TarInfo, list[str]]]:
    """Yield the files and folders with the parts of their names; refuse all else."""
    seen: set[str] = set()
    top: str | None = None
    while (member := archive.next()) is not None:
        archive.members.clear()  # type: ignore[attr-defined] # else all headers stay in memory
        parts = member.name.split("/")
        _check_member(member, parts, path)
        top = top or parts[0]
        if parts[0] != top:
            raise _refuse_member(member, "is outside the folder at the top", path)
        if member.name in seen:
            raise _refuse_member(member, "is there twice", path)
        seen.add(member.name)
        yield member, parts


def _check_member(member: tarfile.TarInfo, parts: list[str], path: Path) -> None:
    if member.type not in (tarfile.REGTYPE, tarfile.DIRTYPE) or member.issparse():
        raise _refuse_member(member, "is a link, a device or no plain file", path)
    if "" in parts:
        raise _refuse_member(member, "is an absolute path, or has an empty part", path)
    if len(parts) > _DEEPEST:
        raise _refuse_member(member, "is in too many folders", path)
    try:
        for part in parts:
            check_name(part, "member", path)
    except InputError as error:
        raise _refuse_member(member, error.problems[0].what, path) from None
    if member.isreg() and len(parts) == 1:
        raise _refuse_member(member, "is outside the folder at the top", path)
    if member.size > path.stat().st_size:
        raise _refuse_member(member, "is cut short", path)
    if member.size > MAX_MEMBER_BYTES:
        raise _refuse_member(member, f"is larger than {MAX_MEMBER_BYTES >> 20} MiB", path)


def _make_reader(
    archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path
) -> Callable[[], bytes]:
    def read() -> bytes:
        with _refuse_damage(path):
            content = archive.extractfile(member)
            data = b"" if content is None else content.read()
        if len(data) != member.size:
            raise _refuse_member(member, "is cut short", path)
        return data

    return read


def _check_end(rest: bytes, path: Path) -> None:
    """Refuse an archive without the two empty blocks at its end, or with data after them.

    An archive without them may lack members.
    """
    whole = 2 * _BLOCK <= len(rest) <= _LONGEST_END and len(rest) % _BLOCK == 0
    if not whole or rest.strip(b"\0"):
        raise refuse("is cut short, or has data after its end", path, _HINT)


def _refuse_member(member: tarfile.TarInfo, what: str, path: Path) -> InputError:
    return refuse(f"the member {format_name(member.name)!r} {what}", path, _HINT)


def parse_names(data: bytes, path: Path) -> dict[str, str]:
    """Parse the table of written paths and original names of an archive.

    Raises
    ------
    InputError
        If it is not a table of two columns, or if a path is there twice, or unsafe.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise refuse(f"{NAMES_FILE} is not UTF-8 text", path, _HINT) from None
    rows = [line.split("\t") for line in text.split("\n") if line]
    if any(len(row) != 2 for row in rows):
        raise refuse(f"{NAMES_FILE} is not a table of two columns", path, _HINT)
    where = f"{path}: {NAMES_FILE}"
    originals = {check_text(row[0], where): check_name(row[1], "original", where) for row in rows}
    restored = {f"{row[0].rpartition('/')[0]}/{row[1]}" for row in rows}
    if len(originals) < len(rows) or len(restored) < len(rows):
        raise refuse(f"{NAMES_FILE} has a name twice", path, _HINT)
    return originals


def restore_path(written: str, originals: Mapping[str, str]) -> str:
    """Return the original path of a written one.

    >>> restore_path("masks/a%3Ab/0.png", {"masks/a%3Ab": "a:b"})
    'masks/a:b/0.png'
    """
    parts = written.split("/")
    return "/".join(
        originals.get("/".join(parts[: number + 1]), part) for number, part in enumerate(parts)
    )
