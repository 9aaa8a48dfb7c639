"""The layout of DAVIS, which many video datasets follow.

::

    ROOT/Annotations/<resolution>/<sequence>/<frame>.png      or without resolution
    ROOT/Annotations_unsupervised/<resolution>/...            other objects in the same frames
    ROOT/ImageSets/<year>/<list>.txt                          or without year

This module chooses the folder of masks and the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from actiseg_data.core.errors import InputError, ProblemCollector, find_nearest, refuse, suggest
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.core.listing import (
    describe_contents,
    list_files,
    list_folders,
    list_possible_folders,
)
from actiseg_data.core.names import format_name
from actiseg_data.layouts.sequence_lists import SequenceList, read_sequence_list

ANNOTATIONS = ("Annotations", "Annotations_unsupervised")
LISTS = "ImageSets"
PHOTOGRAPHS = "JPEGImages"

GIVE = "give an ActionVOS root, DAVIS, or a folder that has <sequence>/<frame>.png"
"""The hint for a path that is not a dataset with masks."""

DEFAULT_LIST = "val"
"""The list that is scored if none is named."""

DEFAULT_TRAINING_LIST = "train"
"""The list that gets noise if none is named."""

WHOLE = "all"
"""The name of the split of all sequences of a folder."""

_USUAL = "480p"
"""The resolution that the official evaluation takes if there are several."""


def is_davis(root: Path) -> bool:
    """Return whether a folder is a root in this layout.

    It is one if it has a folder of annotations with subfolders. Lists alone are no mark, because
    other layouts have them too.

    >>> is_davis(Path("no/such/folder"))
    False
    """
    return any((root / name).is_dir() and list_folders(root / name) for name in ANNOTATIONS)


def has_sequences(folder: Path) -> bool:
    """Return whether a folder has subfolders with PNGs."""
    return any(list_files(inner.path, ".png") for inner in list_folders(folder))


def has_masks(root: Path) -> bool:
    """Return whether `find_masks` finds a folder.

    >>> has_masks(Path("no/such/folder"))
    False
    """
    with suppress(InputError):
        return find_masks(root).is_dir()
    return False


def find_masks(root: Path) -> Path:
    """Find the folder that has the folders of sequences: of a root, of its annotations, or itself.

    If there are several resolutions, 480p is taken, as in the official evaluation.

    Raises
    ------
    InputError
        If there is no such folder, or if several are possible.
    """
    if has_sequences(root):
        return root
    tops = [root / name for name in ANNOTATIONS if (root / name).is_dir()] or [root]
    places = {top: _list_resolutions(top) for top in tops}
    chosen = [_choose_usual(folders) for folders in places.values() if folders]
    if not chosen:
        _refuse_dangling(dict.fromkeys([root, *tops]))
        hint = GIVE
        if list_files(root, ".png"):
            hint = f"give the folder that contains it: {root.absolute().parent}"
        raise refuse(f"has no sequence of masks (it has {describe_contents(root)})", root, hint)
    if len(chosen) > 1 or chosen[0] is None:
        choice = [folder for folders in places.values() for folder in folders]
        several = [format_name(str(folder.relative_to(root))) for folder in choice]
        raise refuse(
            f"has several folders of masks: {', '.join(several)}",
            root,
            f"give one of them, such as {choice[0]}",
        )
    return chosen[0]


def _refuse_dangling(folders: Iterable[Path]) -> None:
    """Raise an `InputError` with each dangling link that may have led to masks."""
    problems = ProblemCollector()
    for entry in (entry for folder in folders for entry in list_possible_folders(folder)):
        if entry.is_dangling:
            with problems.collect():
                raise refuse_missing(entry.path, "is missing", GIVE)
    problems.raise_if_any()


def _list_resolutions(top: Path) -> list[Path]:
    """List the folders of sequences in a folder of annotations, or only itself."""
    if has_sequences(top):
        return [top]
    return [inner.path for inner in list_folders(top) if has_sequences(inner.path)]


def _choose_usual(folders: list[Path]) -> Path | None:
    """Choose one of several resolutions; return None if the choice is not clear."""
    usual = [folder for folder in folders if folder.name == _USUAL]
    return usual[0] if usual else folders[0] if len(folders) == 1 else None


def find_lists(root: Path) -> Path:
    """Return the folder of lists of a root, or around its annotations; it may not exist.

    >>> find_lists(Path("DAVIS")).as_posix()
    'DAVIS/ImageSets'
    """
    whole = root.absolute()  # "480p" or "." has no parents to look at
    tops = (folder.parent for folder in (whole, whole.parent) if folder.name in ANNOTATIONS)
    return next(tops, root) / LISTS


def find_list_names(lists: Path) -> list[str]:
    """Return the names of the lists in a folder, such as ``2017/val``."""
    return sorted(_list_files(lists))


def find_list(lists: Path, name: str, known: Iterable[str]) -> tuple[str, SequenceList]:
    """Find the list of a name, with or without its year.

    Parameters
    ----------
    lists : Path
        The folder of lists.
    name : str
        Such as ``val`` or ``2017/val``.
    known : iterable of str
        The existing sequences. If several years have the name, lists of other sequences are ruled
        out.

    Returns
    -------
    name : str
        The name with its year.
    list : SequenceList
        The list.

    Raises
    ------
    InputError
        If there is no such list, or if several different lists remain.
    """
    files = _list_files(lists)
    if not files:
        raise refuse(
            f"has no lists in {lists.name}, so there is no split {name!r}",
            lists.parent,
            "leave `split` out, or give a list of sequences as `sequences`",
        )
    wanted = name.removesuffix(".txt")
    named = [key for key in files if wanted in (key, strip_year(key))]
    if wanted in files:
        named = [wanted]
    if not named:
        splits = [*files, *map(strip_year, files)]
        best = next(iter([*find_nearest(name, splits, 1), *files]))
        raise refuse(
            f"there is no split {name!r}{suggest(name, splits)} (splits here: "
            f"{', '.join(map(format_name, files))})",
            lists.parent,
            f"give one of them, such as `split` {best}",
        )
    if len(named) == 1:
        return named[0], read_sequence_list(files[named[0]])
    read = {key: read_sequence_list(files[key]) for key in named}
    fitting = {key: chosen for key, chosen in read.items() if _is_fitting(chosen, known)} or read
    if len({frozenset(chosen.lines) for chosen in fitting.values()}) > 1:
        counts = (f"{format_name(key)} with {len(chosen.lines)}" for key, chosen in fitting.items())
        raise refuse(
            f"there are several lists {name!r}: {', '.join(counts)} sequences",
            lists.parent,
            f"choose one, such as `split` {list(fitting)[-1]}",
        )
    return list(fitting.items())[-1]


def strip_year(name: str) -> str:
    """Return the name of a list without its year and ending.

    >>> strip_year("2017/val"), strip_year("val.txt")
    ('val', 'val')
    """
    return name.removesuffix(".txt").rpartition("/")[2]


def _is_fitting(chosen: SequenceList, known: Iterable[str]) -> bool:
    with suppress(InputError):
        chosen.choose(known)
        return True
    return False


def _list_files(lists: Path) -> dict[str, Path]:
    """List the lists in a folder, directly or by year, by name."""
    if find_dangling_link(lists) is not None:  # without its lists, all of a root would be scored
        raise refuse_missing(lists, "is missing", GIVE)
    if not lists.is_dir():
        return {}
    chosen = {file.path.stem: file.path for file in list_files(lists, ".txt")}
    for year in list_folders(lists):
        for file in list_files(year.path, ".txt"):
            chosen[f"{year.name}/{file.path.stem}"] = file.path
    return dict(sorted(chosen.items()))
