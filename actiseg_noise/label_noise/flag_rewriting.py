"""Rewrite the flags of active objects in the documents of a split; all else stays the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.layouts.image_sets import name_objects_file
from actiseg_noise.text_noise.rewording import iterate_entries

FlagChanges = Mapping[str, Mapping[int, bool]]
"""The new flag of each flipped object, by sequence folder and object id."""

_NOISY = "already has noisy labels, with the clean ones as positive_org"
_CLEAN = "give the clean dataset"
_HINT = "make list, prompts and objects together (actiseg-noise prepare), or correct the file"


def rewrite_list(
    records: Any, sequences: Sequence[VideoSequence], changes: FlagChanges, where: Path
) -> None:
    """Flip flags in an action list, in place; the clean flags become ``positive_org``.

    Parameters
    ----------
    records : list
        The list, restricted to the sequences. It was checked when the split was opened.
    sequences : sequence of VideoSequence
        Its sequences.
    changes : mapping
        The flipped objects.
    where : Path
        The file, for messages.

    Raises
    ------
    InputError
        If the list already has noisy labels.
    """
    problems = ProblemCollector()
    for sequence, record in zip(sequences, records, strict=True):
        for object_id, entry in record["object_classes"].items():
            if "positive_org" in entry:
                problems.add(f"{sequence.folder} {_NOISY}", where, _CLEAN)
                break
            _flip(entry, changes[sequence.folder].get(int(object_id)))
    problems.raise_if_any()


def rewrite_companion(
    name: str,
    split: str,
    videos: Any,
    sequences: Sequence[VideoSequence],
    changes: FlagChanges,
    where: Path,
) -> None:
    """Flip flags in an expressions or objects file, in place.

    Parameters
    ----------
    name, split : str
        The name of the file, and that of the split.
    videos : dict
        Its ``videos``, restricted to the sequences.
    sequences, changes, where
        As in `rewrite_list`.

    Raises
    ------
    InputError
        With every entry that contradicts the list, and every object without an entry.
    """
    problems = ProblemCollector()
    member = "objects" if name == name_objects_file(split) else "expressions"
    for sequence, labels, entries in iterate_entries(videos, member, sequences, where, problems):
        seen = set()
        for key, entry in entries.items():
            place = f"{sequence.folder}, {member} {key!r}"
            object_id: Any = key
            if member == "expressions":
                object_id = entry.get("obj_id") if isinstance(entry, dict) else None
            label = labels.get(object_id) if isinstance(object_id, str) else None
            fault = find_flag_fault(label, entry, place)
            if fault or label is None:
                problems.add(fault, where, _CLEAN if _NOISY in fault else _HINT)
                continue
            seen.add(label.object_id)
            _flip(entry, changes[sequence.folder].get(label.object_id))
        for label in sequence.objects:
            if label.object_id not in seen and not problems.collected:
                what = f"{sequence.folder} lacks the object {label.name!r} in its {member}"
                problems.add(what, where, _HINT)
    problems.raise_if_any()


def find_flag_fault(label: ObjectLabel | None, entry: Any, place: str) -> str:
    """Return how the flag of an entry contradicts the list; empty if it agrees."""
    if not isinstance(entry, dict):
        return f"{place} is not a JSON object"
    if "positive_org" in entry:
        return f"{place} {_NOISY}"
    if label is None:
        return f"{place} is of no object in the list"
    flag = entry.get("positive")
    if type(flag) not in (int, bool) or flag != label.positive:
        listed = int(label.positive)
        return f"{place} has 'positive' {flag!r:.20}, but {label.name!r} has {listed} in the list"
    return ""


def _flip(entry: dict[str, Any], new: bool | None) -> None:
    """Set the new flag of an entry, if there is one, in the form of the old flag."""
    old = entry["positive"]
    if new is not None:
        entry["positive"] = type(old)(new)
    entry["positive_org"] = old
