"""What the noise of whole objects does in one frame."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.object_units import ObjectUnit, VisibleObjects, list_units


@dataclass(frozen=True)
class ObjectPlan:
    """What the noise of whole objects does in one frame.

    Attributes
    ----------
    units : tuple of ObjectUnit
        All units that could be selected here, and those that are alone.
    removed : frozenset of int
        Ids of the objects that are left out.
    merged : mapping of int to int
        The id under which an object is drawn instead of its own, by its own.
    swapped : mapping of int to int
        The id that an id is replaced by after mergers; every pair is there twice.
    ghosts : tuple of (ObjectUnit, ObjectLabel)
        The selected ghosts and their labels.
    """

    units: tuple[ObjectUnit, ...] = ()
    removed: frozenset[int] = frozenset()
    merged: Mapping[int, int] = field(default_factory=dict)
    swapped: Mapping[int, int] = field(default_factory=dict)
    ghosts: tuple[tuple[ObjectUnit, ObjectLabel], ...] = ()

    @property
    def targets(self) -> dict[int, int]:
        """The ids that pixels of an id get, for those that change."""
        ids = {*self.merged, *self.swapped}
        joined = {number: self.merged.get(number, number) for number in ids}
        return {number: self.swapped.get(new, new) for number, new in joined.items()}


def plan_objects(
    recipe: Recipe, limits: Mapping[str, float], sequence: VideoSequence, visible: VisibleObjects
) -> ObjectPlan:
    """Plan the noise of whole objects in one frame.

    An object that is left out is neither merged nor swapped, but others may take its id. If the
    object that another one is merged into is merged itself, both get the id of the last one.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    limits : mapping of str to float
        Units with a draw below the limit of their kind are selected.
    sequence : VideoSequence
        The sequence, with its ghosts (`actiseg_noise.mask_noise.ghosts.add_ghosts`).
    visible : VisibleObjects
        What the clean masks of the frame show.
    """
    units: list[ObjectUnit] = []
    chosen: dict[str, list[ObjectUnit]] = {"missing": [], "merge": [], "swap": [], "ghost": []}
    removed: frozenset[int] = frozenset()
    for noise in recipe.object_noises:
        for unit in list_units(noise, recipe.seed, sequence, visible):
            if has_object_left(unit, visible.seen - removed):
                units.append(unit)
                if not unit.is_alone and unit.draw < limits[noise.kind]:
                    chosen[noise.kind].append(unit)
        removed = frozenset(unit.labels[0].object_id for unit in chosen["missing"])
    merged = {unit.labels[0].object_id: unit.labels[1].object_id for unit in chosen["merge"]}
    swapped: dict[int, int] = {}
    for unit in chosen["swap"]:
        first, second = (label.object_id for label in unit.labels)
        swapped |= {first: second, second: first}
    by_model = {label.model: label for label in sequence.objects if label.model is not None}
    ghosts = [
        (unit, unit.labels[0] if sequence.is_action else by_model.get(unit.labels[0].identity))
        for unit in chosen["ghost"]
    ]
    return ObjectPlan(
        units=tuple(units),
        removed=removed,
        merged={number: _follow(merged, number) for number in merged},
        swapped=swapped,
        ghosts=tuple(
            (unit, label)
            for unit, label in ghosts
            if label is not None and label.object_id in visible.drawable
        ),
    )


def has_object_left(unit: ObjectUnit, rest: frozenset[int]) -> bool:
    """Return whether a unit concerns the objects that are not left out."""
    if unit.kind == "merge":
        return unit.labels[0].object_id in rest
    if unit.kind == "swap":
        return any(label.object_id in rest for label in unit.labels)
    return True


def _follow(merged: Mapping[int, int], number: int) -> int:
    while number in merged:
        number = merged[number]
    return number


class UnitCounter:
    """Counts the units of a sequence, each in the first frame that it concerns."""

    def __init__(self) -> None:
        self._counted: set[tuple[str | None, ...]] = set()

    def count(self, plan: ObjectPlan) -> Counter[str]:
        """Count the units of a frame that no earlier frame had: ``<kind>.items`` or ``.alone``."""
        tally: Counter[str] = Counter()
        for unit in plan.units:
            if unit.identity not in self._counted:
                self._counted.add(unit.identity)
                tally[f"{unit.kind}.{'alone' if unit.is_alone else 'items'}"] += 1
        return tally
