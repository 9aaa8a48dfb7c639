"""What one annotated clip is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_NUMBER = re.compile(r"^[0-9]+_")


@dataclass(frozen=True)
class ObjectLabel:
    """One object of a sequence.

    object_id: pixel value in the index masks, 1 to 255. name: open-vocabulary noun. class_id: EPIC
    noun class, -1 where unknown. positive: takes part in the action. handbox, narration: the two
    automatic labels that `positive` is derived from where no person gave it.
    """

    object_id: int
    name: str
    class_id: int
    positive: bool
    handbox: bool
    narration: bool


@dataclass(frozen=True)
class VideoSequence:
    """One action: a handful of frames with index masks, a narration, and the objects in sight.

    folder: name on disk, e.g. ``00000004_P01_107_close_fridge``. frames: names without ending, in
    order. ordinal: position among the sequences of the split that are otherwise identical, from 0.
    redundant, missing, other: flags that persons gave; False where a list has none.
    """

    folder: str
    seq_id: int
    video: str
    start: int
    end: int
    narration: str
    verb: str
    verb_class: int
    noun: str
    noun_class: int
    frames: tuple[str, ...]
    objects: tuple[ObjectLabel, ...]
    ordinal: int = 0
    redundant: bool = False
    missing: bool = False
    flagged_other: bool = False

    @property
    def object_ids(self) -> frozenset[int]:
        return frozenset(label.object_id for label in self.objects)

    @property
    def identity(self) -> tuple[str, str, str, int]:
        """What the sequence is, wherever it stands: the key material of its noise.

        The folder name without its leading number, first and last frame, ordinal among equals.
        Never ``seq_id``, which depends on what else is in the dataset.
        """
        return _NUMBER.sub("", self.folder), self.frames[0], self.frames[-1], self.ordinal


def number_duplicates(sequences: list[VideoSequence]) -> list[VideoSequence]:
    """Give sequences of equal identity their ordinals, in order of time, whatever the list's order.

    A few actions of a video share verb, noun and annotated frames; they differ in when they begin.
    """
    equals: dict[tuple[str, str, str, int], list[int]] = {}
    for position, sequence in enumerate(sequences):
        equals.setdefault(sequence.identity, []).append(position)
    numbered = list(sequences)
    for positions in equals.values():
        in_time = sorted(positions, key=lambda index: _get_time(sequences[index]))
        for ordinal, position in enumerate(in_time):
            if sequences[position].ordinal != ordinal:
                numbered[position] = replace(sequences[position], ordinal=ordinal)
    return numbered


def _get_time(sequence: VideoSequence) -> tuple[int, int, str, int]:
    return sequence.start, sequence.end, sequence.narration, sequence.seq_id
