"""The photographs of frames: found under any usual ending."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.listing import is_archive, is_clutter, list_files, list_folder
from actiseg_data.core.names import format_name, format_names

ENDINGS = (".jpg", ".jpeg", ".png")
"""Endings of photographs, in any letter case; the first is preferred if a frame has several."""
_MOST_FOLDERS = 500
"""Most folders that are searched for a misplaced photograph."""

_OF_MASKS = ("annotations", "weights", "masks")
"""Beginnings of the names of folders with PNGs that are not photographs, in lower case."""


def list_photographs(folder: Path) -> dict[str, Path]:
    """List the photographs in a folder by their name without ending; empty if there is no folder.

    If a name has several endings, the first of `ENDINGS` is taken, preferably in lower case.
    """
    if not folder.is_dir():
        return {}
    files = [entry.path for entry in list_files(folder, *ENDINGS) if entry.path.is_file()]
    return {path.stem: path for path in sorted(files, key=_rank_ending, reverse=True)}


def _rank_ending(path: Path) -> tuple[int, bool, str]:
    ending = path.suffix.lower()
    return ENDINGS.index(ending), path.suffix != ending, path.name


def find_photograph(folder: Path, name: str) -> Path:
    """Find the photograph of a name without ending, under any of `ENDINGS`.

    If there is none, the path of the expected ``.jpg`` is returned.
    """
    return find_photographs(folder, [name])[0]


def find_photographs(folder: Path, names: Iterable[str]) -> list[Path]:
    """Find the photographs of several names, in their order; see `find_photograph`.

    The folder is listed at most once.
    """
    usual = [(name, folder / f"{name}{ENDINGS[0]}") for name in names]
    lacking = {name for name, path in usual if not path.is_file()}
    alternatives = list_photographs(folder) if lacking else {}
    return [alternatives.get(name, path) if name in lacking else path for name, path in usual]


@dataclass(frozen=True)
class Holdings:
    """The contents of the place where a photograph is missing.

    Attributes
    ----------
    folder : Path
        The expected folder.
    wanted : str
        The name of the photograph without ending.
    place : Path
        The expected folder, or the nearest existing one above it.
    names : tuple of str
        The contents of the place, folders with a slash, without photographs of other frames.
    elsewhere : Path or None
        The photograph in a folder below the place.
    """

    folder: Path
    wanted: str
    place: Path
    names: tuple[str, ...]
    elsewhere: Path | None

    @property
    def archives(self) -> tuple[str, ...]:
        """The names of archives in the place."""
        return tuple(filter(is_archive, self.names))

    @property
    def photographs(self) -> tuple[str, ...]:
        """The names of photographs in the place."""
        return tuple(name for name in self.names if name.lower().endswith(ENDINGS))

    def __str__(self) -> str:
        listed = self.archives or self.photographs or self.names
        if not listed:
            return f"{self.place} is empty"
        called = f"; frames are called {self.wanted}" if self.photographs == listed else ""
        return f"{self.place} holds {format_names(listed)}{called}"

    @property
    def hint(self) -> str | None:
        """How to put the photographs into the expected folder; None if unknown."""
        if self.archives:
            rest = " and the others" if len(self.archives) > 1 else ""
            return f"unpack {format_name(self.archives[0])}{rest}"
        if self.elsewhere is not None:
            source, target = self.elsewhere.parent, self.folder
            while source.name == target.name and target != self.place:
                source, target = source.parent, target.parent
            return f"move what is in {source} to {target}"
        if self.photographs and self.place == self.folder:
            return "rename the photographs as the frames are called"
        if self.photographs:
            return f"sort the photographs into folders by sequence, such as {self.folder}"
        return None


def look_around(folder: Path, wanted: str, root: Path, known: Collection[str]) -> Holdings:
    """Describe what exists in place of the missing photograph of a frame.

    Parameters
    ----------
    folder : Path
        The expected folder.
    wanted : str
        The name without ending.
    root : Path
        The highest folder to search.
    known : collection of str
        Names of frames. Their photographs are not reported.
    """
    place = folder
    while not place.is_dir() and place not in (root, place.parent):
        place = place.parent
    entries = list_folder(place) if place.is_dir() else []
    news = [entry for entry in entries if place != folder or entry.path.stem not in known]
    names = tuple(f"{entry.name}/" if entry.is_folder else entry.name for entry in news)
    # Other sequences may have a frame of the same name.
    within = None if place == folder else folder.name
    return Holdings(folder, wanted, place, names, _find_below(place, wanted, within))


def _find_below(place: Path, wanted: str, within: str | None) -> Path | None:
    """Find a photograph by name in the folders below a place, in `_MOST_FOLDERS` folders at most.

    `within` is the name that its folder must have; None for any.
    """
    for searched, (folder, below, files) in enumerate(os.walk(place)):
        if searched >= _MOST_FOLDERS:
            return None
        below[:] = sorted(
            name
            for name in below
            if not is_clutter(name) and not name.lower().startswith(_OF_MASKS)
        )
        if within is not None and Path(folder).name != within:
            continue
        for name in sorted(files):
            path = Path(folder, name)
            if path.stem == wanted and path.suffix.lower() in ENDINGS:
                return path
    return None
