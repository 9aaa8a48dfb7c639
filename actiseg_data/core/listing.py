"""What a folder holds, without what desktops and archivers leave in it, and in which order frames
come.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.file_reading import refuse_missing
from actiseg_data.core.names import format_names

_WINDOWS = ("thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information")
_ELSEWHERE = ("__macosx", "icon\r", "lost+found")
_NETWORK = ("@eadir", "@tmp", "@recycle", "@recently-snapshot", "#recycle", "#snapshot")
_CLUTTER = frozenset({*_WINDOWS, *_ELSEWHERE, *_NETWORK})
"""Names, in lower case, of what Windows, macOS, network drives and file systems leave behind."""

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
"""Endings of archives, in lower case."""

_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]*$")
"""The ending of a file, unlike that of a level of noise such as 0.2."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A file or folder in a folder. is_folder: a link to a folder is one, too. is_dangling: it is a
    link to nothing, of which nobody knows what it was.
    """

    name: str
    path: Path
    is_folder: bool
    is_dangling: bool = False


def is_clutter(name: str) -> bool:
    """Whether a file or folder is no data but left behind by a desktop, an archiver or a notebook.

    name: the last part of its path. Hidden ones (a dot first) are clutter, as are ``Thumbs.db``,
    ``desktop.ini``, ``__MACOSX`` and the like, in any letter case.

    >>> [name for name in ("._0.png", "Thumbs.db", "__MACOSX", "0.png") if is_clutter(name)]
    ['._0.png', 'Thumbs.db', '__MACOSX']
    """
    return name.startswith(".") or name.lower() in _CLUTTER


def is_archive(name: str) -> bool:
    """Whether a file has the name of an archive that must be unpacked first."""
    return name.lower().endswith(_ARCHIVES)


def list_folder(folder: Path) -> list[Entry]:
    """The data in a folder, sorted by name; clutter is left out, see `is_clutter`.

    Raises `InputError` where the folder is missing or cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            entries_found = [_make_entry(folder, entry) for entry in entries]
    except OSError as error:
        what = f"cannot be listed ({error.strerror})"
        raise refuse_missing(folder, what, "check the path") from None
    return sorted(
        (entry for entry in entries_found if not is_clutter(entry.name)),
        key=lambda entry: entry.name,
    )


def _make_entry(folder: Path, entry: os.DirEntry[str]) -> Entry:
    path = folder / entry.name
    try:
        is_folder = entry.is_dir()
    except OSError:  # a link that leads to itself
        is_folder = False
    return Entry(entry.name, path, is_folder, entry.is_symlink() and not os.path.exists(path))


def list_folders(folder: Path) -> list[Entry]:
    """The folders among the entries of `list_folder`."""
    return [entry for entry in list_folder(folder) if entry.is_folder]


def list_possible_folders(folder: Path) -> list[Entry]:
    """The folders among the entries of `list_folder`, and links to nothing that may have led to
    folders: whoever passes over them takes a part of the data for the whole.
    """
    return [entry for entry in list_folder(folder) if is_possible_folder(entry)]


def is_possible_folder(entry: Entry) -> bool:
    """Whether an entry is a folder, or a link to nothing without the ending of a file."""
    return entry.is_folder or (entry.is_dangling and not _FILE.search(entry.name))


def list_files(folder: Path, *endings: str) -> list[Entry]:
    """The files among the entries of `list_folder` whose name has one of some endings.

    endings: in lower case with their dot, such as ``.png``; the names may have them in any case.
    Without endings, all files.
    """
    files = [entry for entry in list_folder(folder) if not entry.is_folder]
    return [entry for entry in files if not endings or entry.name.lower().endswith(endings)]


def describe_contents(folder: Path) -> str:
    """What a folder holds, in words for a message: the first names, and how many more there are.

    Raises `InputError` as `list_folder` does.
    """
    names = [f"{entry.name}/" if entry.is_folder else entry.name for entry in list_folder(folder)]
    return format_names(names, 5) or "nothing"


def sort_frames(names: Iterable[str]) -> list[str]:
    """The names of a clip's frames, without endings, in order of time.

    Names that are numbers, or one text and a number, are in the order of the numbers, whatever
    their width; all others are in the order of texts.

    >>> sort_frames(["10", "9", "011"])
    ['9', '10', '011']
    >>> sort_frames(["b2", "a10"])
    ['a10', 'b2']
    """
    names = list(names)
    parts = [_NUMBERED.fullmatch(name) for name in names]
    matches = [part for part in parts if part is not None]
    if len(matches) < len(names) or len({part[1] for part in matches}) > 1:
        return sorted(names)
    return sorted(names, key=lambda name: (_make_number_key(name), name))


def _make_number_key(name: str) -> tuple[int, str]:
    """A key in the order of the number at a name's end, however many digits it has."""
    digits = _NUMBERED.fullmatch(name)
    significant = "" if digits is None else digits[2].lstrip("0")
    return len(significant), significant
