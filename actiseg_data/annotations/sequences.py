"""Annotated sequences of a video and their objects."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_NUMBER = re.compile(r"^[0-9]+_")


@dataclass(frozen=True)
class ObjectLabel:
    """One object of a sequence.

    Attributes
    ----------
    object_id : int
        Pixel value in the index masks, 1 to 255.
    name : str
        Open-vocabulary noun.
    class_id : int
        EPIC noun class; -1 if unknown.
    positive : bool
        Whether the object is active, that is, takes part in the action.
    handbox, narration : bool
        The two automatic labels. If no person labelled the object, `positive` is derived from them.
    source_id : str or None
        The object's own id in its dataset. None in ActionVOS, where a name is unique in its
        sequence, and ids depend on the other objects.
    model : str or None
        Of a false object that noise adds: the identity of the object that it is made for.
    """

    object_id: int
    name: str
    class_id: int
    positive: bool
    handbox: bool
    narration: bool
    source_id: str | None = None
    model: str | None = None

    @property
    def identity(self) -> str:
        """The key material of the noise of the object: its own id, or in ActionVOS its name."""
        return self.name if self.source_id is None else self.source_id


@dataclass(frozen=True)
class View:
    """What one mask of a sequence shows.

    Attributes
    ----------
    frame : str
        Name of the frame.
    objects : tuple of ObjectLabel
        The objects that the mask may show.
    """

    frame: str
    objects: tuple[ObjectLabel, ...]


@dataclass(frozen=True)
class VideoSequence:
    """One annotated action: a few frames with index masks, a narration, and the objects in sight.

    A sequence of a dataset without actions has an empty narration, and all its objects are active.

    Attributes
    ----------
    folder : str
        Name on disk, such as ``00000004_P01_107_close_fridge``.
    seq_id : int
        Number in the dataset.
    video : str
        The video that the sequence is cut from.
    start, end : int
        First and last frame number of the action.
    narration, verb, noun : str
        The sentence of the action, its verb and its noun.
    verb_class, noun_class : int
        EPIC classes of verb and noun.
    frames : tuple of str
        Names without ending, in order.
    objects : tuple of ObjectLabel
        The objects.
    ordinal : int
        Position, from 0, among the sequences of the split that are otherwise identical.
    redundant, missing, flagged_other : bool
        Flags of human-labelled lists; False if a list has none.
    layers : tuple of (str, int) or None
        The frame and the object id of each mask, in a dataset that has a mask for each object.
        There, objects may overlap. None: each frame has one index mask of all objects.
    document : str or None
        The document that has the masks, relative to the root; None if they are in files.
    size : tuple of int or None
        (H, W) of the masks, if they are in a document.
    is_action : bool
        Whether the sequence is from an action list, whose folders begin with a number.
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
    layers: tuple[tuple[str, int], ...] | None = None
    document: str | None = None
    size: tuple[int, int] | None = None
    is_action: bool = True

    @property
    def views(self) -> tuple[View, ...]:
        """What each mask of the sequence shows, in the order of the masks."""
        if self.layers is None:
            return tuple(View(frame, self.objects) for frame in self.frames)
        by_id = {label.object_id: label for label in self.objects}
        return tuple(View(frame, (by_id[object_id],)) for frame, object_id in self.layers)

    def restrict(self, frames: Iterable[str]) -> VideoSequence:
        """Return the sequence with some of its frames, in their order."""
        chosen = set(frames)
        layers = self.layers and tuple(layer for layer in self.layers if layer[0] in chosen)
        kept = tuple(frame for frame in self.frames if frame in chosen)
        return replace(self, frames=kept, layers=layers)

    def drop_ghosts(self) -> VideoSequence:
        """Return the sequence without the false objects that noise added, see `ObjectLabel`."""
        ghosts = {label.object_id for label in self.objects if label.model is not None}
        if not ghosts:
            return self
        layers = self.layers and tuple(layer for layer in self.layers if layer[1] not in ghosts)
        own = tuple(label for label in self.objects if label.model is None)
        return replace(self, objects=own, layers=layers)

    @property
    def object_ids(self) -> frozenset[int]:
        return frozenset(label.object_id for label in self.objects)

    @property
    def identity(self) -> tuple[str | int, ...]:
        """The key material of the noise of the sequence.

        Of an action: the folder name without its leading number, first and last frame, and ordinal,
        which are the same in every dataset. ``seq_id`` is not part of it, because it depends on the
        other sequences of a dataset. Of any other sequence: its folder.
        """
        if not self.is_action:
            return (self.folder,)
        return _NUMBER.sub("", self.folder), self.frames[0], self.frames[-1], self.ordinal


def number_duplicates(sequences: list[VideoSequence]) -> list[VideoSequence]:
    """Set the ordinals of sequences with equal identity, in order of time.

    The order of the list does not count. A few actions of a video share verb, noun and annotated
    frames, and differ in their start.
    """
    equals: dict[tuple[str | int, ...], list[int]] = {}
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
    """Return a sort key: start, end, narration, number."""
    return sequence.start, sequence.end, sequence.narration, sequence.seq_id
