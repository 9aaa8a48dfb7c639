"""False objects: their labels, and the shapes that are drawn for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from actiseg_data.annotations.masks import VOID
from actiseg_data.annotations.polygons import Patch
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.keys import Key, draw_integer, draw_uniforms, make_key
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.mask_noise.contours import ObjectMask
from actiseg_noise.mask_noise.item_selection import list_eligible_objects
from actiseg_noise.mask_noise.object_units import ObjectUnit, draw_ghost_selection
from actiseg_noise.recipes.rates import choose_limit

_PURPOSE = "objects.ghost"


def add_ghosts(
    sequence: VideoSequence, recipe: Recipe, threshold: float | None = None
) -> VideoSequence:
    """Add the labels of the ghosts that a recipe draws in a sequence, and their empty layers.

    Nothing is added to an action, whose list has the ids of all objects: there, a ghost is a listed
    object where there is none. In any other sequence, there may be a ghost for each eligible
    object. It has the class of that object, its `ObjectLabel.model`. The ghosts get the ids after
    the highest one of the sequence, in the order of their draws, so that a higher rate adds ghosts
    and changes none. Ghosts beyond the id 254 are left out.

    Parameters
    ----------
    sequence : VideoSequence
        The clean sequence.
    recipe : Recipe
        A checked recipe.
    threshold : float, optional
        Ghosts with a draw below it are added. The default is the rate of the ghosts.

    Returns
    -------
    VideoSequence
        If it has layers, those of the ghosts follow the others of their frame. Their clean masks
        are empty. Only frames that have a layer get one: in documents, which have a mask of each
        object for each such frame, all of them; else those that a ghost was drawn for.

    Examples
    --------
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> dog = ObjectLabel(1, "dog", 3, positive=True, handbox=False, narration=False, source_id="1")
    >>> clip = VideoSequence("dogs", 1, "dogs", 0, 0, "", "", -1, "", -1, ("00000",), (dog,),
    ...                      is_action=False)
    >>> added = add_ghosts(clip, make_recipe("ghost", 1))
    >>> [(label.object_id, label.name) for label in added.objects]
    [(1, 'dog'), (2, 'dog')]
    """
    noise = recipe.find_object_noise("ghost")
    has_ghosts = any(label.model is not None for label in sequence.objects)
    if noise is None or sequence.is_action or has_ghosts:
        return sequence
    limit = choose_limit(noise, threshold)
    drawn = []
    for label in list_eligible_objects(sequence, sequence.frames[0], noise):
        draws = {
            frame: draw_ghost_selection(noise, recipe.seed, sequence, frame, label)
            for frame in sequence.frames
        }
        if min(draws.values()) < limit:
            chosen = frozenset(
                frame
                for frame, draw in draws.items()
                if draw < limit or sequence.document is not None
            )
            drawn.append((min(draws.values()), label.identity, label, chosen))
    drawn.sort(key=lambda entry: entry[:2])
    highest = max((label.object_id for label in sequence.objects), default=0)
    ghosts = {
        number: (_make_label(sequence, label, number), frames)
        for number, (_, _, label, frames) in enumerate(drawn, highest + 1)
        if number < VOID
    }
    labels = tuple(label for label, _ in ghosts.values())
    layers = sequence.layers
    if layers is not None:
        by_frame: dict[str, list[tuple[str, int]]] = {frame: [] for frame in sequence.frames}
        for layer in layers:
            by_frame[layer[0]].append(layer)
        layers = tuple(
            layer
            for frame, own in by_frame.items()
            for layer in (*own, *(_list_layers(frame, ghosts) if own else ()))
        )
    return replace(sequence, objects=(*sequence.objects, *labels), layers=layers)


def _list_layers(
    frame: str, ghosts: Mapping[int, tuple[ObjectLabel, frozenset[str]]]
) -> Iterator[tuple[str, int]]:
    return ((frame, number) for number, (_, frames) in ghosts.items() if frame in frames)


FIRST_GHOST_ID = 10**12
"""Least id of a false object in a document; the ids of COCO are below."""


def _make_label(sequence: VideoSequence, model: ObjectLabel, number: int) -> ObjectLabel:
    """Make the label of a ghost. Its own id is a number that no object of the sequence has."""
    if sequence.document is not None:  # where the ids of all sequences must differ
        number_key = make_key(0, 1, "ghost.id", *sequence.identity, model.identity)
        source_id = str(FIRST_GHOST_ID + draw_integer(number_key, 10**12))
        name = model.name if model.class_id != -1 else f"object {source_id}"
        return replace(
            model, object_id=number, name=name, source_id=source_id, model=model.identity
        )
    own = [label.identity for label in sequence.objects]
    highest = max((int(name) for name in own if name.isascii() and name.isdecimal()), default=0)
    count = number - max(label.object_id for label in sequence.objects)
    source_id = str(highest + count).zfill(min(map(len, own)) if own[0].startswith("0") else 1)
    name = model.name if model.class_id != -1 else f"object {source_id}"
    return replace(model, object_id=number, name=name, source_id=source_id, model=model.identity)


@dataclass(frozen=True)
class GhostShape:
    """The pixels of a ghost, and how they were drawn, for the ledger."""

    patch: Patch
    details: Mapping[str, Any]


@dataclass(frozen=True)
class GhostArtist:
    """Draws the ghosts of one sequence.

    Attributes
    ----------
    noise : Noise
        The noise.
    seed : int
        The seed of the recipe.
    sequence : VideoSequence
        The sequence.
    """

    noise: Noise
    seed: int
    sequence: VideoSequence

    def draw(
        self, unit: ObjectUnit, seen: Mapping[int, ObjectMask], frame: tuple[int, int]
    ) -> GhostShape | None:
        """Draw a ghost in one frame, before others take pixels of it.

        Position, model and mirroring are common to all frames of a clip if the unit is the clip.

        Parameters
        ----------
        unit : ObjectUnit
            The ghost.
        seen : mapping of int to ObjectMask
            The clean objects that the frame shows, by id.
        frame : tuple of int
            Height and width of the frame.

        Returns
        -------
        GhostShape or None
            None if there is no object to copy.
        """
        shape = self.noise.parameters["shape"]
        numbers = draw_uniforms(self._make_key(unit, "place"), 4).tolist()
        if shape == "copy":
            return self._copy(unit, seen, frame, numbers) if seen else None
        ends = [
            sorted(_scale(n, size + 1) for n in pair)
            for pair, size in ((numbers[:2], frame[0]), (numbers[2:4], frame[1]))
        ]
        (top, bottom), (left, right) = ((a, max(b, a + 1)) for a, b in ends)
        top, left = min(top, frame[0] - 1), min(left, frame[1] - 1)
        size = min(bottom, frame[0]) - top, min(right, frame[1]) - left
        mask = np.ones(size, bool) if shape == "box" else _fill_ellipse(*size)
        return GhostShape(Patch(top, left, mask), {"shape": shape})

    def _copy(
        self,
        unit: ObjectUnit,
        seen: Mapping[int, ObjectMask],
        frame: tuple[int, int],
        numbers: list[float],
    ) -> GhostShape:
        labels = {label.object_id: label for label in self.sequence.objects}
        own = unit.labels[0].object_id
        model = min(
            seen, key=lambda number: (number != own, self._make_key(unit, "model", labels[number]))
        )
        mask = seen[model].patch.mask
        mirrored = numbers[0] < 0.5
        top, left = (
            _scale(number, whole - part + 1)
            for number, whole, part in zip(numbers[1:3], frame, mask.shape, strict=True)
        )
        details = {"shape": "copy", "model": model, "mirrored": mirrored}
        return GhostShape(Patch(top, left, mask[:, ::-1] if mirrored else mask), details)

    def _make_key(self, unit: ObjectUnit, purpose: str, *more: ObjectLabel) -> Key:
        frames = () if unit.frame is None else (unit.frame,)
        named = (label.identity for label in (unit.labels[0], *more))
        purpose = f"{_PURPOSE}.{purpose}"
        return make_key(
            self.seed, self.noise.algorithm, purpose, *self.sequence.identity, *frames, *named
        )


def _scale(number: float, count: int) -> int:
    """Return the whole number in [0, count) that a number in [0, 1) means."""
    return math.floor(number * count)


def _fill_ellipse(height: int, width: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Fill the ellipse that touches the sides of a box; a pixel is in it if its centre is."""
    y = (2 * np.arange(height) + 1 - height)[:, None]
    x = (2 * np.arange(width) + 1 - width)[None, :]
    inside: np.ndarray[Any, np.dtype[np.bool_]] = (y * width) ** 2 + (x * height) ** 2 <= (
        height * width
    ) ** 2
    return inside
