"""Bounded reading of files that the user gives."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO

from actiseg_data.core.errors import InputError, refuse

MAX_JSON_BYTES = 1 << 30
"""Largest JSON or CSV document that is read, unpacked. The largest real one has 17 MB."""
PUT_COPY = "put a copy there"
"""What to do if the target of a dangling link cannot be restored."""

_read_digests: ContextVar[dict[Path, str] | None] = ContextVar("read_digests", default=None)


@contextmanager
def record_digests() -> Iterator[dict[Path, str]]:
    """Record the sha256 of every file that `read_bytes` reads in the block.

    The digests are of the bytes that the caller gets, so no other version of a file can be between
    them. For packed files, they are of the unpacked content.

    Yields
    ------
    dict of Path to str
        64 hexadecimal digits by path, in the order of reading.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, record_digests() as digests:
    ...     path = Path(folder, "empty.json")
    ...     path.touch()
    ...     _ = read_bytes(path)
    >>> digests[path][:16]
    'e3b0c44298fc1c14'
    """
    digests: dict[Path, str] = {}
    token = _read_digests.set(digests)
    try:
        yield digests
    finally:
        _read_digests.reset(token)


def read_bytes(
    path: Path, kind: str = "file", limit: int = MAX_JSON_BYTES, *, instead: str = PUT_COPY
) -> bytes:
    """Read the bytes of a file, unpacked if its name ends in ``.gz``.

    `instead` is as in `refuse_missing`.

    Raises
    ------
    InputError
        If the file is missing, unreadable, damaged, or has more than `limit` bytes.
    """
    try:
        with open_regular(path) as stream:
            if path.suffix.lower() == ".gz":
                with gzip.open(stream) as unpacked:
                    data = unpacked.read(limit + 1)
            else:
                data = stream.read(limit + 1)
    except FileNotFoundError:
        raise refuse_missing(path, f"the {kind} is missing", "check the path", instead) from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise refuse("the gzip stream is damaged or truncated", path, "fetch it again") from None
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror})", path, "check the path") from None
    if len(data) > limit:
        raise refuse(f"is larger than {limit} bytes", path, "check that it is the right file")
    digests = _read_digests.get()
    if digests is not None:
        digests[path] = hashlib.sha256(data).hexdigest()
    return data


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading, but no pipe, device or socket: these may never end, or never begin.

    Raises
    ------
    InputError
        If the path leads to something else than a file.
    OSError
        If it is missing or cannot be opened.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise refuse("cannot be read (it is not a regular file)", path, "check the path")
    return path.open("rb")


def read_text(path: Path, kind: str = "file") -> str:
    """Read a UTF-8 file, with or without a byte order mark; other files raise an `InputError`."""
    return decode_text(read_bytes(path, kind), path)


def decode_text(data: bytes, where: Path | str) -> str:
    """Decode UTF-8 as `read_text` does; `where` is for messages."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise refuse("is not UTF-8 text", where, "save it as UTF-8") from None


def refuse_missing(path: Path, what: str, hint: str, instead: str = PUT_COPY) -> InputError:
    """Build the `InputError` for a missing file or folder.

    Parameters
    ----------
    path : Path
        The file or folder. If a link in the path dangles, the problem names the link and its
        target.
    what, hint : str
        The problem, such as ``the mask is missing``, and what to do about it.
    instead : str
        What to do if the target of a dangling link cannot be restored.
    """
    link = find_dangling_link(path)
    if link is None:
        return refuse(what, path, hint)
    return refuse(
        f"is a link to {os.readlink(link)}, which is not there",
        link,
        f"restore the target, or {instead}",
    )


def find_dangling_link(path: Path) -> Path | None:
    """Return the dangling link in a path or at its end; None if there is none.

    >>> find_dangling_link(Path("setup.cfg")) is None
    True
    """
    return next((p for p in (path, *path.parents) if p.is_symlink() and not p.exists()), None)
