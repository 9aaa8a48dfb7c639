"""The archive of a noisy split in a release: a plain tar of one folder. It is never trusted.

An archive is read without unpacking it. One that is not a whole, plain tar of ordinary files in one
folder is refused.
"""

from __future__ import annotations

import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.names import check_name, check_text, format_name

ARCHIVES = "archives"
"""The folder of the archives in a release: ``archives/<configuration>.tar``."""

NAMES_FILE = "NAMES.tsv"
"""Two columns without a header: the path of a file or folder in the archive, and the name that it
has in the dataset. Files come before their folders, so that they can be renamed row by row."""

_BLOCK = 512
_HINT = "fetch the archive again, and compare it with the SHA256SUMS of its release"


def iterate_archive(
    path: Path, is_wanted: Callable[[str], bool], most_bytes: int
) -> Iterator[tuple[str, bytes]]:
    """Yield files of an archive in their order: written path below the only folder, and content.

    `NAMES_FILE` is yielded like any other file; see `parse_names`.

    Parameters
    ----------
    path : Path
        The archive.
    is_wanted : callable
        Whether to read a file, by its path.
    most_bytes : int
        Largest file that is read.

    Raises
    ------
    InputError
        If the file is not a whole, plain tar; if a member is a link, a device or outside the only
        folder; if two members have the same name; if a wanted file is too large.
    """
    try:
        with path.open("rb") as stream, tarfile.open(fileobj=stream, mode="r:") as archive:
            for name, member in _iterate_files(archive, path):
                if not is_wanted(name):
                    continue
                if member.size > most_bytes:
                    raise refuse(f"{name} is larger than {most_bytes} bytes", path, _HINT)
                content = archive.extractfile(member)
                data = content.read() if content is not None else b""
                if len(data) < member.size:
                    raise refuse(f"is cut short in {name}", path, _HINT)
                yield name, data
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


def _check_end(path: Path) -> None:
    """Refuse a tar without the two empty blocks at its end: it may lack members."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        stream.seek(max(0, size - 2 * _BLOCK))
        end = stream.read()
    if size % _BLOCK or len(end) < 2 * _BLOCK or any(end):
        raise refuse("is cut short: the end of the archive is missing", path, _HINT)


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
