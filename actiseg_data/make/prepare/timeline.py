"""Which frames belong to an action, which actions survive, and their numbers."""

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

    Raises `InputError` with every name that is no EPIC frame and every two frames of one EPIC name.
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
                        f"{epic!r:.60} is no frame name such as frame_0000000001.jpg",
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
    """One frame under both names: EPIC's without ending, which we write, and VISOR's."""

    epic: str
    visor: str


def build_timeline(visor_names: Iterable[str], mapping: Mapping[str, str]) -> tuple[FrameName, ...]:
    """The annotated frames of a video that the mapping has, in the order of their EPIC names."""
    return tuple(
        sorted(
            (FrameName(mapping[name], name) for name in visor_names if name in mapping),
            key=lambda frame: frame.epic,
        )
    )


def find_frames_between(
    frames: Sequence[FrameName], start: int, stop: int
) -> tuple[FrameName, ...]:
    """The frames from EPIC number `start` to `stop`, both included, of a `build_timeline`.

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
    """Names and classes of the objects of an action, sorted by name: object ids count from 1.

    entities: by VISOR frame name, the (name, class id) of what has a polygon there. Of several
    classes of one name the last wins.
    """
    classes: dict[str, int] = {}
    for frame in frames:
        classes.update(entities[frame.visor])
    return tuple(sorted(classes.items()))


def number(known: Sequence[int | None], reserved: Iterable[int]) -> tuple[int, ...]:
    """Numbers of the sequences of a split, in order.

    known: the number that a sequence has in a human-labelled list, or None. reserved: all numbers
    of such lists. A sequence without one takes its position, counted from 1 over all of them, or
    the next number that is free.

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
