"""Which whole objects are left out, merged, swapped or added: what one draw selects together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.mask_noise.item_selection import SELECTION, list_eligible_objects

_PURPOSE = "objects"
"""The purpose of all draws of this noise begins with this word and the kind."""


@dataclass(frozen=True)
class VisibleObjects:
    """What the clean masks of a frame show.

    Attributes
    ----------
    frame : str
        The name of the frame.
    seen : frozenset of int
        Ids of the objects that have a pixel.
    drawable : frozenset of int
        Ids of the objects that a mask of the frame can show: all in an index mask.
    """

    frame: str
    seen: frozenset[int]
    drawable: frozenset[int]


@dataclass(frozen=True)
class ObjectUnit:
    """What one draw selects.

    Attributes
    ----------
    kind : str
        The kind of noise.
    labels : tuple of ObjectLabel
        The object; in a merger also the one that it is merged into, in a swap both. An object
        without a partner is alone, and cannot be selected.
    frame : str or None
        The frame; None for the whole clip.
    draw : float
        The unit gets noise if and only if this number is below the rate.
    """

    kind: str
    labels: tuple[ObjectLabel, ...]
    frame: str | None
    draw: float

    @property
    def identity(self) -> tuple[str | None, ...]:
        """What distinguishes the unit from the others of its sequence."""
        return (self.kind, self.frame, *(label.identity for label in self.labels))

    @property
    def is_alone(self) -> bool:
        """Whether the kind needs a partner, and there is none."""
        return self.kind in ("merge", "swap") and len(self.labels) == 1


def list_units(
    noise: Noise, seed: int, sequence: VideoSequence, visible: VisibleObjects
) -> list[ObjectUnit]:
    """List the units of a noise of whole objects that concern a frame.

    With the span ``clip``, the units are the same in all frames of a sequence, and those that the
    frame cannot show are left out. No rate has an effect on them.

    - ``missing``: an eligible object in sight.
    - ``merge``: an eligible object in sight, and another object of the clip or, with the span
      ``frame``, in sight. The objects are put into an order by their keys, and the partner is drawn
      among the later ones, so mergers never form a circle. The last object is alone.
    - ``swap``: two eligible objects, of which one is in sight; with the span ``frame`` both are.
      The objects are put into an order by their keys; the first trades with the second, the third
      with the fourth, and so on. Of an odd number, the last is alone.
    - ``ghost``: in an action, a listed eligible object that the frame does not show. Elsewhere, a
      false object for each eligible one, in sight or not.

    Parameters
    ----------
    noise : Noise
        The noise of whole objects.
    seed : int
        The seed of the recipe.
    sequence : VideoSequence
        The sequence.
    visible : VisibleObjects
        What the clean masks of the frame show.
    """
    eligible = list_eligible_objects(sequence, visible.frame, noise)
    lister = _UnitLister(noise, seed, sequence, None if noise.span == "clip" else visible.frame)
    if noise.kind == "missing":
        return [lister.make(label) for label in eligible if label.object_id in visible.seen]
    if noise.kind == "ghost":
        shown = visible.seen if sequence.is_action else ()
        return [lister.make(label) for label in eligible if label.object_id not in shown]
    candidates = [label for label in sequence.objects if label.model is None]
    if noise.kind == "swap":
        candidates = eligible
    if noise.span == "frame":
        candidates = [label for label in candidates if label.object_id in visible.seen]
    if noise.kind == "swap":
        units = lister.pair(candidates)
        seen = (unit for unit in units if _list_ids(unit) & visible.seen)
    else:
        units = lister.draw_partners(candidates)
        known = {label.object_id for label in eligible} & visible.seen
        seen = (unit for unit in units if unit.labels[0].object_id in known)
    return [unit for unit in seen if _list_ids(unit) <= visible.drawable]


def draw_ghost_selection(
    noise: Noise, seed: int, sequence: VideoSequence, frame: str, label: ObjectLabel
) -> float:
    """Draw the number that selects the ghost of an object."""
    return _UnitLister(noise, seed, sequence, None if noise.span == "clip" else frame).draw(label)


def _list_ids(unit: ObjectUnit) -> frozenset[int]:
    return frozenset(label.object_id for label in unit.labels)


@dataclass(frozen=True)
class _UnitLister:
    """Makes the units of one noise for a frame, or for the whole clip."""

    noise: Noise
    seed: int
    sequence: VideoSequence
    frame: str | None

    def make_key(self, purpose: str, algorithm: int, *labels: ObjectLabel) -> Key:
        frames = () if self.frame is None else (self.frame,)
        named = (label.identity for label in labels)
        purpose = f"{_PURPOSE}.{self.noise.kind}.{purpose}"
        return make_key(self.seed, algorithm, purpose, *self.sequence.identity, *frames, *named)

    def draw(self, *labels: ObjectLabel) -> float:
        return draw_uniform(self.make_key("select", SELECTION, *labels))

    def make(self, label: ObjectLabel) -> ObjectUnit:
        return ObjectUnit(self.noise.kind, (label,), self.frame, self.draw(label))

    def order(self, labels: Iterable[ObjectLabel]) -> list[ObjectLabel]:
        algorithm = self.noise.algorithm
        return sorted(labels, key=lambda label: self.make_key("order", algorithm, label))

    def draw_partners(self, labels: Iterable[ObjectLabel]) -> Iterator[ObjectUnit]:
        ordered = self.order(labels)
        for position, label in enumerate(ordered):
            later = ordered[position + 1 :]
            if later:
                key = self.make_key("partner", self.noise.algorithm, label)
                later = [later[draw_integer(key, len(later))]]
            # The draw is for the object alone, whatever its partner is.
            yield ObjectUnit(self.noise.kind, (label, *later), self.frame, self.draw(label))

    def pair(self, labels: Iterable[ObjectLabel]) -> Iterator[ObjectUnit]:
        ordered = self.order(labels)
        for position in range(0, len(ordered), 2):
            members = tuple(ordered[position : position + 2])
            yield ObjectUnit(self.noise.kind, members, self.frame, self.draw(*members))
