"""Find the sequences of a clean split in a noisy split that may number them in another way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.spelling import match_names

_NUMBER = re.compile(r"^[0-9]+_")


@dataclass(frozen=True)
class SequenceMatches:
    """The sequences of a clean split that a noisy split has.

    Attributes
    ----------
    names : mapping of str to str
        The name in the noisy split, by the folder of the clean sequence.
    strangers : tuple of str
        Names of the noisy split that belong to no clean sequence.
    renumbered : int
        Sequences whose name in the noisy split has another number, or none.
    """

    names: Mapping[str, str]
    strangers: tuple[str, ...]
    renumbered: int


def match_sequences(
    sequences: Sequence[VideoSequence], present: Mapping[str, AbstractSet[str]], where: Path
) -> SequenceMatches:
    """Match clean sequences with the sequences of a noisy split.

    A sequence is the one with its frames and its name without the running number. If there is none,
    it is the one with its folder name, then the only one with its name without the number, then the
    only one with the name of its video. If as many noisy as clean sequences have one name and the
    same frames, they are matched in the order of their numbers.

    Parameters
    ----------
    sequences : sequence of VideoSequence
        The clean sequences.
    present : mapping of str to set of str
        The frames of the noisy sequences by name; empty where they are unknown.
    where : Path
        The noisy split, for messages.

    Raises
    ------
    InputError
        If a spelling fits several sequences, or several spellings fit one.
    """
    problems = ProblemCollector()
    wanted = [escape_name(sequence.folder) for sequence in sequences]
    match_names(wanted, present.keys()).add_clashes(where, problems)
    problems.raise_if_any()
    names: dict[str, str] = {}
    renumbered = 0
    for step in _STEPS:
        used = set(names.values())
        left = [sequence for sequence in sequences if sequence.folder not in names]
        clean = _group((escape_name(step.get_name(sequence)), sequence.folder) for sequence in left)
        shorten = _drop_number if step.drops_number else str
        noisy = _group((shorten(name), name) for name in present if name not in used)
        frames = {sequence.folder: frozenset(sequence.frames) for sequence in left}
        pairs: dict[str, str] = {}
        for key, spelling in match_names(clean, noisy.keys()).names.items():
            if step.compares_frames:
                pairs |= _pair_by_frames(clean[key], noisy[spelling], frames, present)
            elif len(clean[key]) == len(noisy[spelling]) == 1:
                pairs[clean[key][0]] = noisy[spelling][0]
        names |= pairs
        if step.drops_number:
            renumbered += sum(_read_number(ours) != _read_number(pairs[ours]) for ours in pairs)
    strangers = tuple(sorted(present.keys() - set(names.values())))
    return SequenceMatches(names, strangers, renumbered)


def _get_folder(sequence: VideoSequence) -> str:
    return sequence.folder


def _get_plain_name(sequence: VideoSequence) -> str:
    return str(sequence.identity[0])


def _get_video(sequence: VideoSequence) -> str:
    return sequence.video


def _read_number(name: str) -> str:
    return name.partition("_")[0]


def _drop_number(name: str) -> str:
    return _NUMBER.sub("", name)


@dataclass(frozen=True)
class _Step:
    """A way to match sequences by a name.

    Attributes
    ----------
    get_name : function of VideoSequence to str
        The name of a clean sequence.
    drops_number : bool
        Whether the name of a noisy sequence is compared without its running number.
    compares_frames : bool
        Whether the frames must be the same.
    """

    get_name: Callable[[VideoSequence], str]
    drops_number: bool = False
    compares_frames: bool = False


_STEPS = (
    _Step(_get_plain_name, drops_number=True, compares_frames=True),
    _Step(_get_folder),
    _Step(_get_plain_name, drops_number=True),
    _Step(_get_video),
)
"""The ways to match sequences, in their order."""


def _group(items: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, value in items:
        groups.setdefault(key, []).append(value)
    return groups


def _pair_by_frames(
    clean: list[str],
    noisy: list[str],
    frames: Mapping[str, AbstractSet[str]],
    present: Mapping[str, AbstractSet[str]],
) -> dict[str, str]:
    """Pair sequences of one name that have the same frames, in the order of their numbers."""
    by_frames: dict[AbstractSet[str], tuple[list[str], list[str]]] = {}
    for names, known, side in ((clean, frames, 0), (noisy, present, 1)):
        for name in names:
            by_frames.setdefault(known[name], ([], []))[side].append(name)
    paired: dict[str, str] = {}
    for ours, theirs in by_frames.values():
        if len(ours) == len(theirs):
            paired.update(zip(sorted(ours), sorted(theirs), strict=True))
    return paired
