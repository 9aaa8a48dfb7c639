"""Find JSON documents in a folder by the keys near their beginning."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import format_names

_HEAD_BYTES = 1 << 16
_ENDINGS = (".json", ".json.gz")


def read_keys(path: Path) -> set[bytes]:
    """Read the keys near the beginning of a JSON document, which may be compressed.

    A file that cannot be read has none.
    """
    with suppress(OSError, EOFError, zlib.error):
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rb") as stream:
            head = stream.read(_HEAD_BYTES)
        return set(re.findall(rb'"([^"\\]{1,40})"\s*:', head))
    return set()


def strip_ending(name: str) -> str:
    """Return the name of a JSON document without its ending.

    >>> strip_ending("instances_val.json.gz")
    'instances_val'
    """
    for ending in reversed(_ENDINGS):
        if name.lower().endswith(ending):
            return name[: -len(ending)]
    return name


def strip_gz(name: str) -> str:
    """Return the name that a document has when it is not compressed."""
    return name[:-3] if name.lower().endswith(".gz") else name


def is_document(path: Path) -> bool:
    """Return whether a path is a file with the ending of a JSON document."""
    return path.name.lower().endswith(_ENDINGS) and path.is_file()


def list_documents(folder: Path, kinds: Iterable[frozenset[bytes]]) -> dict[str, str]:
    """List the documents of a folder that have the keys of a kind: file names by split."""
    kinds = list(kinds)
    documents = {}
    for file in list_files(folder, *_ENDINGS):
        keys = read_keys(file.path)
        if any(kind <= keys for kind in kinds):
            documents[strip_ending(file.name)] = file.name
    return documents


def choose_document(
    folder: Path, split: str | None, kinds: Iterable[frozenset[bytes]], noun: str
) -> tuple[str, str]:
    """Choose the document of a split, which is called like it; return its file name and the split.

    Without a split, there must be one such document.

    Raises
    ------
    InputError
        If there is no such document, or if several are possible.
    """
    documents = list_documents(folder, kinds)
    if split is None and len(documents) == 1:
        split = next(iter(documents))
    if split in documents:
        return documents[split], split
    if not documents:
        raise refuse(f"has no document of {noun}", folder, "give the folder that has it")
    if split is None:
        what = (
            f"has {len(documents)} documents of {noun}: {format_names(sorted(documents.values()))}"
        )
        raise refuse(what, folder, "give the path of one of them")
    raise refuse(
        f"there is no split {split!r}{suggest(split, documents)}",
        folder,
        f"give one of {format_names(sorted(documents))} as `split`",
    )


def find_document(root: Path, name: str) -> Path:
    """Return the file of a document, which may be compressed; the plain name if there is none."""
    path = root / name
    packed = path.with_name(f"{path.name}.gz")
    return packed if not path.is_file() and packed.is_file() else path
