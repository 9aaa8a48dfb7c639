"""Lists of sequences that persons labelled, such as ``val_human.json``, compared with VISOR."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_name
from actiseg_data.layouts.image_sets import read_record, refuse_repeats
from actiseg_data.make.prepare.timeline import FrameName

ActionKey: TypeAlias = tuple[str, int, int, str, str]
"""Video, first and last EPIC frame, verb, noun. A few actions have equal keys."""


def make_action_key(sequence: VideoSequence) -> ActionKey:
    """Make the key of a labelled sequence."""
    return sequence.video, sequence.start, sequence.end, sequence.verb, sequence.noun


@dataclass(frozen=True)
class HumanEntry:
    """One element of a list. `record` is the element as in the file."""

    sequence: VideoSequence
    record: dict[str, Any]


@dataclass(frozen=True)
class HumanList:
    """A human-labelled list. `name` is the file's own stem, under which it is written again."""

    name: str
    entries: tuple[HumanEntry, ...]


def read_human_lists(paths: Iterable[Path]) -> tuple[HumanList, ...]:
    """Read human-labelled lists.

    An `InputError` lists all problems, including equal names and numbers that are used twice.
    """
    problems = ProblemCollector()
    lists = []
    for path in paths:
        with problems.collect():
            lists.append(_read_list(path))
    owner: dict[int, ActionKey] = {}
    for entry in (entry for labelled in lists for entry in labelled.entries):
        key = owner.setdefault(entry.sequence.seq_id, make_action_key(entry.sequence))
        if key != make_action_key(entry.sequence):
            problems.add(
                f"number {entry.sequence.seq_id} belongs to two actions: {key} and "
                f"{make_action_key(entry.sequence)}",
                "human-labelled lists",
                "give lists of one release",
            )
    refuse_repeats(
        "list name", (labelled.name for labelled in lists), "human-labelled lists", problems
    )
    return tuple(lists)


def _read_list(path: Path) -> HumanList:
    name = path.name.removesuffix(".gz").removesuffix(".json")
    check_name(name, "list", path)
    if (
        name in ("train", "val")
        or name.endswith("_objects_category")
        or "_meta_expressions_" in name
    ):
        raise refuse(
            f"the name {name!r} is reserved for another file that prepare writes",
            path,
            "rename the file, for example to val_human.json",
        )
    records = read_json(path, "human-labelled list")
    problems = ProblemCollector()
    sequences: list[VideoSequence] = collect_valid(
        list(Cursor(records, str(path)).iterate_elements()), read_record, problems
    )
    refuse_repeats("sequence", (sequence.folder for sequence in sequences), path, problems)
    return HumanList(
        name,
        tuple(
            HumanEntry(sequence, record)
            for sequence, record in zip(sequences, records, strict=True)
        ),
    )


def match_numbers(lists: Iterable[HumanList]) -> dict[ActionKey, list[int]]:
    """Return the numbers that the lists give to each action, ascending."""
    numbers: dict[ActionKey, set[int]] = {}
    for labelled in lists:
        for entry in labelled.entries:
            numbers.setdefault(make_action_key(entry.sequence), set()).add(entry.sequence.seq_id)
    return {key: sorted(of_key) for key, of_key in numbers.items()}


def describe_mismatch(
    sequence: VideoSequence, frames: Sequence[FrameName], objects: Sequence[tuple[str, int]]
) -> str | None:
    """Describe why a labelled sequence does not fit VISOR's annotations of its action.

    Parameters
    ----------
    sequence : VideoSequence
        The labelled sequence.
    frames : sequence of FrameName
        The annotated frames of its action.
    objects : sequence of (str, int)
        Name and class id of the annotated objects, in the order of their ids.

    Returns
    -------
    str or None
        None if the sequence fits.
    """
    if sequence.frames != tuple(frame.epic for frame in frames):
        return "its frames are not the annotated frames of the action"
    if len(frames) < 2:
        return "it has fewer than 2 frames"
    listed = {(label.object_id, label.name, label.class_id) for label in sequence.objects}
    if listed != {(i, name, class_id) for i, (name, class_id) in enumerate(objects, 1)}:
        return "its objects are not those of the annotations"
    return None
