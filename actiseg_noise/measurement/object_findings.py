"""Comparison of measured noise of whole objects with a recipe."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.mask_noise.object_units import ObjectUnit, VisibleObjects, list_units
from actiseg_noise.measurement.findings import Finding
from actiseg_noise.measurement.mask_audit import MaskAudit, MaskChange
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.split.text_items import NoisyList

_VISIBLE = 0.9
"""Least share of the selected units that look changed. Other noise may cover the rest."""

_DONE: Mapping[str, str] = {
    "missing": "objects lost most of their pixels to the background",
    "merge": "objects lost most of their pixels to other objects",
    "swap": "pairs have an object that lost most of its pixels to other objects",
    "ghost": "objects appear where the clean masks do not show them",
}
"""What a changed unit of each kind looks like."""


def compare_objects_with_recipe(
    recipe: Recipe, masks: MaskAudit, action_list: NoisyList
) -> Iterator[Finding]:
    """Compare the objects that disappeared, moved or appeared with the rates of a recipe.

    A unit looks changed if it does in any frame. Other noise of the recipe can look the same, so
    the share of changed units may exceed the rate by the rates of such noise.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    masks : MaskAudit
        What was measured.
    action_list : NoisyList
        The split's own list, which shows what the recipe could change.

    Yields
    ------
    Finding
        One for each noise of whole objects.
    """
    measurement = _Measurement(recipe, masks)
    for noise in recipe.object_noises:
        units: dict[tuple[str | None, ...], bool] = {}
        for sequence in action_list.sequences:
            for unit, changed in measurement.iterate_units(noise, sequence):
                key = (sequence.folder, *unit.identity)
                units[key] = units.get(key, False) or changed
        yield _compare(noise, Proportion(len(units), sum(units.values())), recipe)


def _compare(noise: Noise, share: Proportion, recipe: Recipe) -> Finding:
    most, interval = noise.rate + _sum_similar(noise, recipe), share.interval_999
    agrees = interval is None or (
        interval[1] >= _VISIBLE * noise.rate and interval[0] <= most + 1e-9
    )
    return Finding(
        agrees,
        f"{noise.kind}: of {share.items}, one for each {noise.span}, {share.percentage} "
        f"{_DONE[noise.kind]}, which {'is consistent' if agrees else 'is not consistent'} with the "
        f"rate: the recipe asks for {noise.rate:.1%}",
    )


def _sum_similar(noise: Noise, recipe: Recipe) -> float:
    """Sum the rates of the other noises that can look like one."""
    similar = {
        "missing": {"masks": 1},
        "merge": {"masks": 1, "swap": 1},
        "swap": {"masks": 2, "merge": 2},
        "ghost": {"swap": 1},
    }[noise.kind]
    return sum(
        similar.get(part.kind if part.medium == "objects" else part.medium, 0) * part.rate
        for part in recipe.noises
        if part is not noise
    )


class _Measurement:
    """Finds which units look changed in a measured split."""

    def __init__(self, recipe: Recipe, masks: MaskAudit) -> None:
        self._recipe = recipe
        self._changes = {change.place: change for change in masks.changes}
        self._appeared = masks.appeared
        self._seen: dict[tuple[str, str], set[int]] = {}
        for folder, frame, object_id in self._changes:
            self._seen.setdefault((folder, frame), set()).add(object_id)

    def iterate_units(
        self, noise: Noise, sequence: VideoSequence
    ) -> Iterator[tuple[ObjectUnit, bool]]:
        """Yield the units of a noise in each frame, and whether they look changed there."""
        listed = sequence.object_ids
        for frame in sequence.frames:
            seen = frozenset(self._seen.get((sequence.folder, frame), ())) & listed
            visible = VisibleObjects(frame, seen, listed)
            for unit in list_units(noise, self._recipe.seed, sequence, visible):
                if not unit.is_alone:
                    labels = unit.labels[:1] if noise.kind == "merge" else unit.labels
                    if noise.kind == "ghost":
                        labels = _list_ghosts(sequence, unit.labels[0])
                    yield unit, any(self._is_changed(noise, sequence, frame, x) for x in labels)

    def _is_changed(
        self, noise: Noise, sequence: VideoSequence, frame: str, label: ObjectLabel
    ) -> bool:
        place = (sequence.folder, frame, label.object_id)
        if noise.kind == "ghost":
            return place in self._appeared
        change = self._changes.get(place)
        return change is not None and _LOOKS[noise.kind](change)


def _list_ghosts(sequence: VideoSequence, label: ObjectLabel) -> tuple[ObjectLabel, ...]:
    """List the labels that a ghost can have: in an action its own, elsewhere a new one."""
    if sequence.is_action:
        return (label,)
    return tuple(ghost for ghost in sequence.objects if ghost.model == label.identity)


_LOOKS: Mapping[str, Callable[[MaskChange], bool]] = {
    "missing": lambda change: change.cleared,
    "merge": lambda change: change.moved,
    "swap": lambda change: change.moved,
}
