"""The paths of a noisy split's files, as digests name them and as a disk may spell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.listing import list_folders
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.spelling import find_path, match_names


def resolve_name(root: Path, name: str) -> Path:
    """Return the file below `root` that a relative path of ``digests.json`` names."""
    return root.joinpath(*(escape_name(part) for part in name.split("/")))


@dataclass(frozen=True)
class SplitFiles:
    """The files of a noisy split, which another system may have unpacked.

    Attributes
    ----------
    root : Path
        Folder of the noisy split.
    respelled : mapping of str to str
        Sequence folders that the disk spells differently: the relative path in ``digests.json`` to
        the one on disk.
    """

    root: Path
    respelled: Mapping[str, str]

    def find(self, name: str) -> Path:
        """Return the file that a relative path of ``digests.json`` names, even if it is missing."""
        folder, _, file = name.rpartition("/")
        spelling = self.respelled.get(folder)
        parent = resolve_name(self.root, folder) if spelling is None else self.root / spelling
        return find_path(parent, escape_name(file))


def locate_files(root: Path, names: Iterable[str]) -> SplitFiles:
    """Locate the files of a noisy split.

    Parameters
    ----------
    root : Path
        Folder of the noisy split.
    names : iterable of str
        Relative paths, as in ``digests.json``.
    """
    wanted: dict[str, dict[str, str]] = {}
    for name in names:
        parent, _, folder = name.rpartition("/")[0].rpartition("/")
        if parent:
            wanted.setdefault(parent, {})[escape_name(folder)] = folder
    respelled = {}
    for parent, folders in wanted.items():
        on_disk = root / parent
        if on_disk.is_dir():
            matches = match_names(folders, {entry.name for entry in list_folders(on_disk)})
            for name, spelling in matches.names.items():
                if name != spelling:
                    respelled[f"{parent}/{folders[name]}"] = f"{parent}/{spelling}"
    return SplitFiles(root, respelled)
