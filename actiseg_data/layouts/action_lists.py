"""The action lists of an ActionVOS root: which splits it has, and reading one of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence, number_duplicates
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import Cursor, collect_valid, read_json
from actiseg_data.core.errors import InputError, ProblemCollector, find_nearest, refuse, suggest
from actiseg_data.core.file_reading import find_dangling_link, refuse_missing
from actiseg_data.core.gc_pause import pause_gc
from actiseg_data.core.listing import list_files, list_folders
from actiseg_data.core.names import check_name
from actiseg_data.layouts.actionvos import (
    FRAMES,
    IMAGE_SETS,
    MASKS,
    SUBSETS,
    ActionSplit,
    escape_name,
)
from actiseg_data.layouts.image_sets import read_record, refuse_repeats
from actiseg_data.layouts.layout import DocumentKind, Layout
from actiseg_data.layouts.spelling import match_names

DEFAULT_SPLIT = "val_human"
"""The split whose masks are opened if none is named."""


def has_action_lists(root: Path) -> bool:
    """Return whether a folder has lists that are JSON documents."""
    sets = root / IMAGE_SETS
    return sets.is_dir() and bool(list_files(sets, ".json"))


def list_splits(root: Path) -> list[str]:
    """List the splits of a root, sorted: its action lists."""
    folder = root / IMAGE_SETS
    files = list_files(folder, ".json") if folder.is_dir() else []
    companions = ("_objects_category", "_meta_expressions_")
    stems = (file.path.stem for file in files)
    return sorted(stem for stem in stems if not any(part in stem for part in companions))


def check_split_name(root: Path, name: str) -> str:
    """Return the name of a split, after checking that it is safe. The splits need not exist."""
    if name == "":
        known = ", ".join(list_splits(root)) or f"such as {DEFAULT_SPLIT}"
        raise refuse("the name is empty", "`split`", f"give the name of a split: {known}")
    return check_name(name, "split", "`split`")


def read_split(root: Path, name: str, *, masks: bool = True) -> ActionSplit:
    """Read the action list of a split of an ActionVOS root, and find the folders of its sequences.

    Parameters and errors as in `open_split`.
    """
    path = root / IMAGE_SETS / f"{name}.json"
    if not path.is_file():
        raise _refuse_absent(root, name)
    records = read_json(path, "action list")
    sequences = parse_action_list(records, path)
    problems = ProblemCollector()
    subsets, spellings = _find_places(root, sequences, MASKS, problems)
    if not masks and not subsets:
        subsets, spellings = _find_places(root, sequences, FRAMES, problems)
    else:
        for sequence in sequences:
            if sequence.folder not in subsets:
                with problems.collect():
                    raise _refuse_missing_masks(root, sequence)
    problems.raise_if_any()
    fingerprint = digest_json(records)
    return ActionSplit(root, name, sequences, fingerprint, subsets, spellings=spellings)


def parse_action_list(records: Any, path: Path) -> tuple[VideoSequence, ...]:
    """Parse the sequences of an action list; `path` is for messages.

    Raises
    ------
    InputError
        With every faulty record; for an empty list, or one that has a sequence twice.
    """
    problems = ProblemCollector()
    with pause_gc():
        elements = list(Cursor(records, str(path)).iterate_elements())
        sequences = number_duplicates(collect_valid(elements, read_record, problems))
    problems.raise_if_any()
    if not sequences:
        raise refuse("the action list is empty", path, "prepare the split again")
    refuse_repeats("folder", (sequence.folder for sequence in sequences), path, problems)
    return tuple(sequences)


def _refuse_absent(root: Path, name: str) -> InputError:
    """Build the error for a root without an action list of a name."""
    known = list_splits(root)
    best = next(iter([*find_nearest(name, known, 1), *known]), None)
    return refuse(
        f"there is no split {name!r}{suggest(name, known)} (splits here: "
        f"{', '.join(known) or 'none'})",
        root / IMAGE_SETS / f"{name}.json",
        "give an ActionVOS root, with action lists in ImageSets"
        if best is None
        else f"give one of them, such as `split` {best}",
    )


def _refuse_missing_masks(root: Path, sequence: VideoSequence) -> InputError:
    places = [root / MASKS / subset / escape_name(sequence.folder) for subset in SUBSETS]
    where = next((place for place in places if find_dangling_link(place) is not None), None)
    return refuse_missing(
        where or root / MASKS / "*" / sequence.folder,
        "the sequence's mask folder is missing in train/ and val/",
        "restore it, or prepare the split again",
    )


def _find_places(
    root: Path, sequences: Iterable[VideoSequence], kind: str, problems: ProblemCollector
) -> tuple[dict[str, str], dict[str, str]]:
    """Find the subset that has the folder of each sequence, and the folders with another spelling.

    Ambiguous names are added to the problems.
    """
    subsets: dict[str, str] = {}
    spellings: dict[str, str] = {}
    wanted = {escape_name(sequence.folder): sequence.folder for sequence in sequences}
    for subset in SUBSETS:
        place = root / kind / subset
        # Listing the folder once is far cheaper than testing thousands of paths.
        present = {entry.name for entry in list_folders(place)} if place.is_dir() else set()
        lacking = (name for name, folder in wanted.items() if folder not in subsets)
        matches = match_names(lacking, present)
        matches.add_clashes(place, problems)
        for name, spelling in matches.names.items():
            subsets[wanted[name]] = subset
            if spelling != name:
                spellings[wanted[name]] = spelling
    return subsets, spellings


def _open_masks(root: Path, split: str | None, whole: bool) -> ActionSplit:
    name = DEFAULT_SPLIT if split is None else check_split_name(root, split)
    return read_split(root, name)


ACTIONVOS = Layout(
    key="actionvos",
    name="ActionVOS",
    is_root=lambda root: has_action_lists(root) or (root / MASKS).is_dir(),
    documents=(
        DocumentKind(
            frozenset((b"seq_id", b"object_classes")),
            "an ActionVOS action list (give the folder that has its ImageSets)",
        ),
    ),
    open_masks=_open_masks,
    task="action-based video object segmentation",
)
