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
class Sequence:
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
    other: bool = False

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


def number_equals(sequences: list[Sequence]) -> list[Sequence]:
    """Give sequences of equal identity their ordinals, in order of list position."""
    seen: dict[tuple[str, str, str, int], int] = {}
    numbered = []
    for sequence in sequences:
        ordinal = seen.get(sequence.identity, 0)
        seen[sequence.identity] = ordinal + 1
        numbered.append(sequence if not ordinal else replace(sequence, ordinal=ordinal))
    return numbered
