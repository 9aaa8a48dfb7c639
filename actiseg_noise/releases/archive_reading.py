"""Read the archive of a noisy split without unpacking it. Nothing in it is trusted."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import check_name, format_name
from actiseg_noise.releases.archive_names import unescape_component

_MOST_BYTES = 1 << 30
"""Largest member that is read."""

_DEEPEST = 4
"""Most folders above a file, below the one of the configuration."""


@dataclass(frozen=True)
class ArchiveMember:
    """A file in an archive.

    Attributes
    ----------
    top : str
        The outermost folder: the name of the configuration.
    name : str
        Relative path below it, with the names that the noisy split had.
    written : str
        The path as it is in the archive.
    data : bytes
        Its content.
    """

    top: str
    name: str
    written: str
    data: bytes


def iterate_archive(path: Path) -> Iterator[ArchiveMember]:
    """Yield the files of an archive in their order, each with its content.

    Raises
    ------
    InputError
        If the archive is missing, cut short or damaged; for a member that is a link or a device, a
        path that leads outside, and a path that is there twice.
    """
    seen: set[str] = set()
    try:
        with tarfile.open(path, "r:") as archive:
            for entry in archive:
                if entry.isdir():
                    _check_path(entry.name, path)
                    continue
                if not entry.isreg():
                    raise _refuse_member(entry.name, "is a link or a device", path)
                if entry.size > _MOST_BYTES:
                    raise _refuse_member(entry.name, "is larger than 1 GiB", path)
                top, name = _check_path(entry.name, path)
                if name in seen:
                    raise _refuse_member(entry.name, "is there twice", path)
                seen.add(name)
                stream = archive.extractfile(entry)
                data = b"" if stream is None else stream.read()
                if len(data) != entry.size:
                    raise refuse("is cut short", path, "download it again")
                yield ArchiveMember(top, name, entry.name, data)
            _refuse_cut(path, archive.offset)
    except FileNotFoundError:
        raise refuse("there is no such archive", path, "check the path") from None
    except (tarfile.TarError, OSError, EOFError) as error:
        raise refuse(f"cannot be read ({error})", path, "download it again") from None


def _refuse_cut(path: Path, end: int) -> None:
    """Refuse an archive without the two empty blocks that end every tar."""
    with path.open("rb") as stream:
        stream.seek(max(0, end - tarfile.BLOCKSIZE))
        tail = stream.read(2 * tarfile.BLOCKSIZE)
    if len(tail) < 2 * tarfile.BLOCKSIZE or any(tail):
        raise refuse("is cut short", path, "download it again")


def _check_path(name: str, archive: Path) -> tuple[str, str]:
    """Check the path of a member; return the outermost folder and the original path below it."""
    parts = name.rstrip("/").split("/")
    try:
        for part in parts:
            check_name(part, "file", archive)
    except InputError as error:
        raise _refuse_member(name, error.problems[0].what, archive) from None
    if len(parts) > _DEEPEST + 1:
        raise _refuse_member(name, "is in too many folders", archive)
    return parts[0], "/".join(map(unescape_component, parts[1:]))


def _refuse_member(name: str, what: str, archive: Path) -> InputError:
    hint = "do not unpack it; get the release from its publisher"
    return refuse(f"the member {format_name(name)} {what}", archive, hint)
