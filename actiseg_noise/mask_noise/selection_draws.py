"""The selection draws of a split: thresholds of exact noises, and counts before a run."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby, islice
from math import inf

from actiseg_data.annotations.masks import IndexMask, find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.mask_noise.item_selection import (
    AppearanceTracker,
    draw_outline_selection,
    list_eligible_objects,
)
from actiseg_noise.mask_noise.object_units import ObjectUnit, VisibleObjects, list_units
from actiseg_noise.recipes.rates import choose_limit, find_exact_threshold
from actiseg_noise.recipes.spec_finding import has_clip_units

OUTLINES = "masks"
"""The name of the threshold of outlines; those of whole objects have the names of their kinds."""


def name_threshold(noise: Noise) -> str:
    """Name the threshold of a noise that changes masks."""
    return noise.kind if noise.medium == "objects" else OUTLINES


def list_file_noises(recipe: Recipe) -> list[Noise]:
    """List the noises that change masks, in the order in which they are applied."""
    return [noise for noise in recipe.noises if noise.medium in ("masks", "polygons", "objects")]


def find_limits(recipe: Recipe, thresholds: Mapping[str, float]) -> dict[str, float]:
    """Find the limits of the draws of a recipe, by the names of the thresholds.

    A noise without a threshold has its rate.
    """
    noises = {name_threshold(noise): noise for noise in list_file_noises(recipe)}
    return {name: choose_limit(noise, thresholds.get(name)) for name, noise in noises.items()}


def collect_draws(
    recipe: Recipe, sequence: VideoSequence, masks: Iterable[IndexMask]
) -> array[float]:
    """Draw for everything in a sequence that its noises could select.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    sequence : VideoSequence
        The clean sequence. Its ghosts have no effect.
    masks : iterable of IndexMask
        Its clean masks, in the order of ``sequence.views``.

    Returns
    -------
    array of float
        Three numbers for each unit: the position of its noise in `list_file_noises`, its draw, and
        the greatest draw of its objects for being left out. Once they all are left out, the unit
        cannot be selected.
    """
    collector = _DrawCollector(recipe, sequence)
    pairs = zip(sequence.views, masks, strict=True)
    for frame, group in groupby(pairs, key=lambda pair: pair[0].frame):
        seen: set[int] = set()
        drawable: set[int] = set()
        for view, mask in group:
            drawable |= {label.object_id for label in view.objects}
            seen |= {label.object_id for label in view.objects} & set(find_ids(mask))
        collector.add(VisibleObjects(frame, frozenset(seen), frozenset(drawable)))
    return array("d", (number for triple in collector.iterate_triples() for number in triple))


class _DrawCollector:
    """Collects the draws of the units of one sequence."""

    def __init__(self, recipe: Recipe, sequence: VideoSequence) -> None:
        self._recipe, self._sequence = recipe, sequence
        self._appearances = AppearanceTracker()
        self._units: dict[tuple[str | int | None, ...], tuple[int, float, float]] = {}

    def add(self, visible: VisibleObjects) -> None:
        """Add the units of one frame."""
        survivals = self._draw_survivals(visible)
        for position, noise in enumerate(list_file_noises(self._recipe)):
            if noise.medium == OUTLINES:
                self._add_outlines(position, noise, visible, survivals)
                continue
            for unit in list_units(noise, self._recipe.seed, self._sequence, visible):
                if not unit.is_alone:
                    survival = _find_survival(unit, visible, survivals)
                    self._keep((position, *unit.identity), position, unit.draw, survival)

    def iterate_triples(self) -> Iterator[tuple[int, float, float]]:
        """Yield position, draw and survival of each unit."""
        return iter(self._units.values())

    def _add_outlines(
        self, position: int, noise: Noise, visible: VisibleObjects, survivals: Mapping[int, float]
    ) -> None:
        sequence, frame = self._sequence, visible.frame
        new = self._appearances.find_new(visible.seen)
        for label in list_eligible_objects(sequence, frame, noise, new):
            if label.object_id in visible.seen:
                draw = draw_outline_selection(noise, self._recipe.seed, sequence, frame, label)
                item = () if has_clip_units(noise) else (frame, label.identity)
                survival = survivals.get(label.object_id, inf)
                self._keep((position, *item), position, draw, survival)

    def _keep(
        self, unit: tuple[str | int | None, ...], position: int, draw: float, survival: float
    ) -> None:
        known = self._units.get(unit, (position, draw, 0.0))
        self._units[unit] = (position, draw, max(known[2], survival))

    def _draw_survivals(self, visible: VisibleObjects) -> dict[int, float]:
        """Return the draws for being left out, by object id."""
        noise = self._recipe.find_object_noise("missing")
        if noise is None:
            return {}
        units = list_units(noise, self._recipe.seed, self._sequence, visible)
        return {unit.labels[0].object_id: unit.draw for unit in units}


def _find_survival(
    unit: ObjectUnit, visible: VisibleObjects, survivals: Mapping[int, float]
) -> float:
    """Return the greatest draw for being left out of the objects that a unit needs in sight."""
    if unit.kind in ("missing", "ghost"):
        return inf
    needed: tuple[ObjectLabel, ...] = unit.labels[:1] if unit.kind == "merge" else unit.labels
    return max(
        survivals.get(label.object_id, inf) for label in needed if label.object_id in visible.seen
    )


def _group_triples(draws: Iterable[float]) -> dict[int, list[tuple[float, float]]]:
    """Group draws and survivals by the position of the noise."""
    triples: dict[int, list[tuple[float, float]]] = {}
    numbers = iter(draws)
    while triple := tuple(islice(numbers, 3)):
        triples.setdefault(int(triple[0]), []).append((triple[1], triple[2]))
    return triples


def find_exact_thresholds(
    recipe: Recipe, draws: Iterable[float], known: Mapping[str, float]
) -> dict[str, float]:
    """Find the thresholds of the exact noises of a recipe.

    Parameters
    ----------
    recipe : Recipe
        A checked recipe.
    draws : iterable of float
        The draws of all sequences of the split, see `collect_draws`.
    known : mapping of str to float
        Thresholds that are known already.

    Returns
    -------
    dict of str to float
        By kind of whole-object noise, and `OUTLINES`.
    """
    triples = _group_triples(draws)
    thresholds = dict(known)
    limit = find_limits(recipe, thresholds).get("missing", 0.0)
    for position, noise in enumerate(list_file_noises(recipe)):
        name = name_threshold(noise)
        if noise.exact and name not in thresholds:
            rest = (draw for draw, survival in triples.get(position, []) if survival >= limit)
            thresholds[name] = find_exact_threshold(rest, noise.rate)
            if name == "missing":
                limit = thresholds[name]
    return thresholds


def count_selected(
    recipe: Recipe, draws: Iterable[float], thresholds: Mapping[str, float]
) -> dict[str, tuple[int, int]]:
    """Count the units that are selected, and all units, by the names of the thresholds.

    A noise without a threshold has its rate.
    """
    triples = _group_triples(draws)
    limits = find_limits(recipe, thresholds)
    survival_limit = limits.get("missing", 0.0)
    counts = {}
    for position, noise in enumerate(list_file_noises(recipe)):
        rest = [draw for draw, survival in triples.get(position, []) if survival >= survival_limit]
        name = name_threshold(noise)
        counts[name] = sum(draw < limits[name] for draw in rest), len(rest)
    return counts
