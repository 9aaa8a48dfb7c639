"""One annotated frame as arrays, for the labels, masks and weights of its actions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import Patch
from actiseg_data.layouts.visor_document import fill_polygons
from actiseg_data.layouts.visor_json import FULL, SMALL, Frame
from actiseg_data.make.prepare.contacts import HANDS, Box, HeldEntity, find_held_entities
from actiseg_data.make.prepare.polygon_fills import (
    Fills,
    paint,
    sample_map,
    sample_patch,
)


@dataclass(frozen=True, eq=False)
class FrameView:
    """A frame at 480 x 854, with what had to be computed at 1080 x 1920.

    Attributes
    ----------
    places : ndarray
        (480, 854) uint8, position + 1 of the visible entity, 0 for none.
    names : tuple of str
        Names of the entities, by position.
    shapes : tuple of Patch
        Their fills without occlusion.
    meets_box : tuple of bool
        Whether each fill reaches into a box of a touched entity.
    in_box : frozenset of str
        Names of hands, and of entities that are visible in such a box.
    boxes, held : ndarray or None
        (480, 854) bool: the boxes, and the touched polygons. None if the frame has no touched
        entity.
    cut_boxes : tuple of tuple of int
        The boxes that leave the image.
    """

    places: NDArray[np.uint8]
    names: tuple[str, ...]
    shapes: tuple[Patch, ...]
    meets_box: tuple[bool, ...]
    in_box: frozenset[str]
    boxes: NDArray[np.bool_] | None
    held: NDArray[np.bool_] | None
    cut_boxes: tuple[Box, ...]


def view_frame(frame: Frame, *, contacts: bool, size: tuple[int, int] = FULL) -> FrameView:
    """Draw a corrected frame of some size. `contacts` says whether its contacts are used."""
    fills = Fills(size)
    shapes = [fills.get(entity.polygons) for entity in frame.entities]
    places = np.zeros(size, np.uint8)
    for place, shape in enumerate(shapes, 1):
        paint(places, shape, place)
    names = tuple(entity.name for entity in frame.entities)
    things = find_held_entities(frame, fills) if contacts else ()

    seen = np.zeros(256, bool)
    for thing in things:
        seen[places[thing.window]] = True
    in_box = {name for place, name in enumerate(names, 1) if seen[place]}
    return FrameView(
        places=sample_map(places),
        names=names,
        shapes=tuple(sample_patch(shape, size) for shape in shapes),
        meets_box=tuple(any(_is_in_box(shape, thing) for thing in things) for shape in shapes),
        in_box=frozenset(in_box | {name for name in names if name in HANDS}),
        boxes=_draw_boxes(things) if things else None,
        held=_draw_held(things) if things else None,
        cut_boxes=tuple(thing.box for thing in things if thing.is_cut),
    )


def _is_in_box(shape: Patch, thing: HeldEntity) -> bool:
    """Return whether a fill has a pixel in the box of a touched entity."""
    rows, columns = thing.window
    return bool(
        shape.mask[
            max(rows.start - shape.top, 0) : max(rows.stop - shape.top, 0),
            max(columns.start - shape.left, 0) : max(columns.stop - shape.left, 0),
        ].any()
    )


def _draw_boxes(things: tuple[HeldEntity, ...]) -> NDArray[np.bool_]:
    union = np.zeros(SMALL, bool)
    for thing in things:
        rows, columns = thing.window
        shape = (max(rows.stop - rows.start, 0), max(columns.stop - columns.start, 0))
        union[sample_patch(Patch(rows.start, columns.start, np.ones(shape, bool))).window] = True
    return union


def _draw_held(things: tuple[HeldEntity, ...]) -> NDArray[np.bool_]:
    union = np.zeros(SMALL, bool)
    for thing in things:
        # VISOR-HOS publishes these polygons with two decimals.
        rounded = tuple(np.round(polygon, 2) for polygon in thing.polygons)
        part = sample_patch(fill_polygons(rounded))
        union[part.window] |= part.mask
    return union
