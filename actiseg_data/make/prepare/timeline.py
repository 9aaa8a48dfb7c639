"""The frames and objects of actions, and the numbers of sequences."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import check_text

_FRAME = re.compile(r"frame_[0-9]{10}\.jpg")

FrameMapping: TypeAlias = dict[str, dict[str, str]]
"""Video -> VISOR frame name -> EPIC frame name without ending."""


def read_frame_mapping(path: Path) -> FrameMapping:
    """Read VISOR's ``frame_mapping.json``.

    An `InputError` lists names that are not EPIC frames, and frames with the same EPIC name.
    """
    problems = ProblemCollector()
    mapping: FrameMapping = {}
    for video, frames in Cursor(read_json(path, "frame mapping"), str(path)).iterate_members():
        with problems.collect():
            names = frames.as_mapping()
            for visor, epic in names.items():
                check_text(visor, frames.where)
                if not isinstance(epic, str) or not _FRAME.fullmatch(epic):
                    problems.add(
                        f"{epic!r:.60} is not a frame name such as frame_0000000001.jpg",
                        f"{frames.where}: {visor}",
                        "fetch the file again",
                    )
            if len({str(epic) for epic in names.values()}) < len(names):
                problems.add("maps two frames to one", frames.where, "fetch the file again")
            mapping[video] = {visor: str(epic)[: -len(".jpg")] for visor, epic in names.items()}
    problems.raise_if_any()
    return mapping


@dataclass(frozen=True)
class FrameName:
    """A frame under both names: EPIC's without ending, which we write, and VISOR's."""

    epic: str
    visor: str


def build_timeline(visor_names: Iterable[str], mapping: Mapping[str, str]) -> tuple[FrameName, ...]:
    """List the annotated frames of a video that the mapping has, sorted by their EPIC names."""
    return tuple(
        sorted(
            (FrameName(mapping[name], name) for name in visor_names if name in mapping),
            key=lambda frame: frame.epic,
        )
    )


def find_frames_between(
    frames: Sequence[FrameName], start: int, stop: int
) -> tuple[FrameName, ...]:
    """Return the frames of a timeline from EPIC number `start` to `stop`, both included.

    >>> frames = FrameName("frame_0000000003", "a"), FrameName("frame_0000000005", "b")
    >>> [frame.visor for frame in find_frames_between(frames, 5, 9)]
    ['b']
    """
    first = bisect_left(frames, f"frame_{start:010d}", key=lambda frame: frame.epic)
    last = bisect_right(frames, f"frame_{stop:010d}", key=lambda frame: frame.epic)
    return tuple(frames[first:last])


def list_objects(
    frames: Iterable[FrameName], entities: Mapping[str, Sequence[tuple[str, int]]]
) -> tuple[tuple[str, int], ...]:
    """List names and classes of the objects of an action, sorted by name; object ids count from 1.

    `entities` has, by VISOR frame name, name and class id of what has a polygon there. If a name
    has several classes, the last one counts.
    """
    classes: dict[str, int] = {}
    for frame in frames:
        classes.update(entities[frame.visor])
    return tuple(sorted(classes.items()))


def number(known: Sequence[int | None], reserved: Iterable[int]) -> tuple[int, ...]:
    """Assign the numbers of the sequences of a split, in order.

    A sequence without a number takes its position, counted from 1 over all sequences, or the next
    free number.

    Parameters
    ----------
    known : sequence of int or None
        The number of each sequence in a human-labelled list.
    reserved : iterable of int
        All numbers of such lists.

    Examples
    --------
    >>> number([None, 9, None, None], [2, 3, 9])
    (1, 9, 4, 5)
    """
    taken = set(reserved)
    numbers = []
    for position, given in enumerate(known, 1):
        chosen = position if given is None else given
        while given is None and chosen in taken:
            chosen += 1
        taken.add(chosen)
        numbers.append(chosen)
    return tuple(numbers)
