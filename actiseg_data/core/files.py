"""Writing files so that what stands under its final name is whole, and nothing else is lost."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from actiseg_data.core.errors import refuse

DRAFT = ".draft"
"""Ending of a file that is being written; one that a killed process left can be removed."""


@contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """A stream to a file that is written whole or not at all: a sibling is written first, and
    renamed onto it at the end. Parent folders are made.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}{DRAFT}")
    try:
        with draft.open("wb") as stream:
            yield stream
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):  # where no file may be written, there is none to remove
            draft.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(draft)):
            # Name the file that was asked for: nobody knows the draft.
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, see `open_atomic`."""
    with open_atomic(path) as stream:
        stream.write(data)


def write_json(path: Path, document: Any, *, indent: int | None = None) -> None:
    """Write a JSON document as `encode_json` has it."""
    write_bytes(path, encode_json(document, indent=indent))


def encode_json(document: Any, *, indent: int | None = None) -> bytes:
    r"""A JSON document as a file holds it: key order is kept, non-ASCII text stands as it is.

    Halves of surrogate pairs, which UTF-8 has no place for and JSON lets pass, come out as the
    escapes that they came in as.

    >>> encode_json({"b": "café", "a": 1}).decode()
    '{"b": "café", "a": 1}\n'
    """
    plain, escaped = (
        json.JSONEncoder(indent=indent, ensure_ascii=ascii_only, allow_nan=False)
        for ascii_only in (False, True)
    )
    try:
        return f"{plain.encode(document)}\n".encode()
    except UnicodeEncodeError:
        return f"{escaped.encode(document)}\n".encode()


def is_occupied(path: Path) -> bool:
    """Whether something stands at a path that is not an empty folder."""
    return os.path.lexists(path) and (not path.is_dir() or any(path.iterdir()))


def refuse_inside_of(path: Path, roots: Iterable[Path]) -> None:
    """Refuse to write a report into one of some datasets, or to what is no file name."""
    target = Path(os.path.realpath(path))
    for root in roots:
        if Path(os.path.realpath(root)) in target.parents:
            raise refuse(f"lies inside the dataset {root}", path, "write it somewhere else")
    if not path.name or path.is_dir():
        raise refuse("names no file to write", path, "give a file name")


def refuse_same(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write a report over an input, or over another report."""
    taken = {os.path.realpath(path) for path in inputs}
    for path in outputs:
        target = os.path.realpath(path)
        if target in taken:
            raise refuse("is an input, or another report", path, "give another name")
        taken.add(target)
