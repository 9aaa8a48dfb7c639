"""The data in folders, and the order of frames.

Files that desktops and archivers leave behind are not data.
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
"""Names, in lower case, that Windows, macOS, network drives and file systems leave behind."""

_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
"""Endings of archives, in lower case."""

_FILE = re.compile(r"\.[A-Za-z][A-Za-z0-9]*$")
"""The ending of a file, unlike the end of a noise level such as 0.2."""

_NUMBERED = re.compile(r"(.*?)([0-9]+)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """A file or folder in a folder.

    Attributes
    ----------
    name : str
        Its name.
    path : Path
        Its path.
    is_folder : bool
        Whether it is a folder, or a link to one.
    is_dangling : bool
        Whether it is a link whose target is missing.
    """

    name: str
    path: Path
    is_folder: bool
    is_dangling: bool = False


def is_clutter(name: str) -> bool:
    """Return whether a file or folder is not data, but was left behind by other software.

    Desktops, archivers and notebooks leave hidden files (a leading dot), ``Thumbs.db``,
    ``desktop.ini``, ``__MACOSX`` and similar names, in any letter case. `name` is the last part of
    the path.

    >>> [name for name in ("._0.png", "Thumbs.db", "__MACOSX", "0.png") if is_clutter(name)]
    ['._0.png', 'Thumbs.db', '__MACOSX']
    """
    return name.startswith(".") or name.lower() in _CLUTTER


def is_archive(name: str) -> bool:
    """Return whether a file has the name of an archive, which must be unpacked first."""
    return name.lower().endswith(_ARCHIVES)


def list_folder(folder: Path) -> list[Entry]:
    """List the data in a folder, sorted by name, without clutter (see `is_clutter`).

    Raises
    ------
    InputError
        If the folder is missing or cannot be read.
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
    """List the folders among the entries of `list_folder`."""
    return [entry for entry in list_folder(folder) if entry.is_folder]


def list_possible_folders(folder: Path) -> list[Entry]:
    """List folders, and dangling links that may have led to folders.

    A caller that skips such links would take part of the data for all of it.
    """
    return [entry for entry in list_folder(folder) if is_possible_folder(entry)]


def is_possible_folder(entry: Entry) -> bool:
    """Return whether an entry is a folder, or a dangling link without a file ending."""
    return entry.is_folder or (entry.is_dangling and not _FILE.search(entry.name))


def list_files(folder: Path, *endings: str) -> list[Entry]:
    """List the files of a folder that have one of some endings; without endings, all files.

    Endings are lower case with their dot, such as ``.png``. Letter case of the names does not
    count.
    """
    files = [entry for entry in list_folder(folder) if not entry.is_folder]
    return [entry for entry in files if not endings or entry.name.lower().endswith(endings)]


def describe_contents(folder: Path) -> str:
    """Describe the contents of a folder for a message: the first names, and the number of the rest.

    An `InputError` is raised as by `list_folder`.
    """
    names = [f"{entry.name}/" if entry.is_folder else entry.name for entry in list_folder(folder)]
    return format_names(names, 5) or "nothing"


def sort_frames(names: Iterable[str]) -> list[str]:
    """Sort the names of a sequence's frames, without endings, in order of time.

    If all names are numbers, or one common text and a number, they are sorted by number, whatever
    their width. Otherwise they are sorted as text.

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
    """Make a sort key of the number at the end of a name, for any number of digits."""
    digits = _NUMBERED.fullmatch(name)
    significant = "" if digits is None else digits[2].lstrip("0")
    return len(significant), significant
