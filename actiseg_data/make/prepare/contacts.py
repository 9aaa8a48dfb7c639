"""The entities that the hands of a frame hold or touch, from VISOR's contact annotations.

The result is what VISOR-HOS publishes as objects in contact ("category 2"): at most one entry for
each hand, made from the polygons of the touched entity that are close to the hand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.opencv import load_cv2
from actiseg_data.layouts.visor_json import FULL, Entity, FloatArray, Frame
from actiseg_data.make.prepare.polygon_fills import Fills

HANDS = ("left hand", "right hand")
GLOVES = frozenset({"oven glove", "gloves", "rubber glove", "left glove", "right glove", "glove"})
UNSURE = frozenset({"none-of-the-above", "inconclusive"})
NO_CONTACT = UNSURE | {"hand-not-in-contact", "glove-not-in-contact"}

REACH = 10
"""Largest city-block distance, in pixels, between a hand and a polygon that it touches: VISOR-HOS
grows both by 5 and tests whether they overlap."""

AnyArray: TypeAlias = NDArray[Any]

Box: TypeAlias = tuple[int, int, int, int]
"""(x, y, width, height) in pixels of the full frame; it may leave the image."""

Corrections: TypeAlias = Mapping[str, Mapping[str, str]]
"""VISOR frame name -> entity name -> id of the entity that it truly touches."""


def read_corrections(path: Path) -> dict[str, dict[str, str]]:
    """Read VISOR-HOS's corrections of contacts; an `InputError` lists all problems."""
    problems = ProblemCollector()
    corrections: dict[str, dict[str, str]] = {}
    for frame, entities in Cursor(read_json(path, "corrections file"), str(path)).iterate_members():
        corrections[frame] = {}
        with problems.collect():
            for name, entity_id in entities.iterate_members():
                with problems.collect():
                    corrections[frame][name] = entity_id.as_text()
    problems.raise_if_any()
    return corrections


def correct_contacts(frame: Frame, corrections: Corrections) -> Frame:
    """Correct the known errors in the contacts of a frame.

    A glove on two hands is on both, however they are spelt. A glove on no known hand touches
    nothing. Frames in the corrections file get the contacts of the file.
    """
    given = corrections.get(frame.name, {})
    return replace(
        frame, entities=tuple(_correct_contact(entity, given) for entity in frame.entities)
    )


def _correct_contact(entity: Entity, given: Mapping[str, str]) -> Entity:
    if entity.name in GLOVES:
        if entity.worn_on is None:
            entity = replace(entity, contact=None)
        elif is_misspelt(entity):
            entity = replace(entity, worn_on=HANDS)
    return replace(entity, contact=given[entity.name]) if entity.name in given else entity


def is_misspelt(entity: Entity) -> bool:
    """Return whether a glove is on two hands whose names are not VISOR's."""
    worn_on = entity.worn_on
    return (
        entity.name in GLOVES
        and isinstance(worn_on, tuple)
        and len(worn_on) == 2
        and worn_on != HANDS
    )


def is_dropped(frame: Frame) -> bool:
    """Return whether VISOR-HOS drops the frame from validation because its contacts are unsure."""
    return any(
        entity.contact in UNSURE
        if entity.name in HANDS
        else entity.name in GLOVES
        and entity.worn_on is not None
        and (entity.contact in UNSURE or _is_on_two_hands(entity))
        for entity in frame.entities
    )


def _is_on_two_hands(entity: Entity) -> bool:
    return isinstance(entity.worn_on, tuple) and len(entity.worn_on) == 2


@dataclass(frozen=True, eq=False)
class Touch:
    """A hand, with the glove on it if any, and the entity that it touches by the annotations.

    Attributes
    ----------
    side : str
        Which hand it is.
    hand : tuple of ndarray
        The polygons of hand and glove.
    contact : str or None
        The id of the touched entity.
    thing : Entity or None
        That entity; None if it is not in the frame.
    """

    side: str
    hand: tuple[FloatArray, ...]
    contact: str | None
    thing: Entity | None


def iterate_touches(frame: Frame) -> Iterator[Touch]:
    """Iterate over the contacts of a corrected frame, in the order of its hands in the file.

    A glove without any of its hands in the frame replaces a hand: the left one if it is worn there.
    """
    by_id = {entity.entity_id: entity for entity in frame.entities}
    names = {entity.name for entity in frame.entities}
    for entity in frame.entities:
        if entity.name in HANDS:
            side = entity.name
        elif (
            entity.name in GLOVES
            and entity.worn_on is not None
            # VISOR-HOS iterates over a plain text letter by letter, and no letter is a hand.
            and not any(hand in names for hand in entity.worn_on)
        ):
            side = HANDS[0] if HANDS[0] in entity.worn_on else HANDS[1]
        else:
            continue
        yield from _find_touch(entity, side, by_id)


def _find_touch(hand: Entity, side: str, by_id: Mapping[str, Entity]) -> Iterator[Touch]:
    polygons, contact = hand.polygons, hand.contact
    if contact in NO_CONTACT or (contact is None and hand.name in GLOVES):
        return
    thing = by_id.get(contact or "")
    if thing is not None and thing is not hand and _is_worn(thing, side):
        polygons, contact = polygons + thing.polygons, thing.contact
        if contact is None or contact in NO_CONTACT:
            return
        thing = by_id.get(contact)
    yield Touch(side, polygons, contact, thing)


def _is_worn(entity: Entity, side: str) -> bool:
    return entity.name in GLOVES and entity.worn_on is not None and side in entity.worn_on


@dataclass(frozen=True, eq=False)
class HeldEntity:
    """What one hand holds or touches.

    Attributes
    ----------
    box : tuple of int
        (x, y, width, height) of the vertices cut to whole pixels, as VISOR-HOS publishes it. It may
        leave the image.
    polygons : tuple of ndarray
        Those polygons of the entity that are close to the hand.
    """

    box: Box
    polygons: tuple[FloatArray, ...]

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns of the box, cut to the image; the far sides do not belong to it.

        Cutting is our rule. ActionVOS slices with the raw box: one that begins at -1 or -2 wraps
        around and selects nothing, so that the contact is lost.
        """
        x, y, width, height = self.box
        return (
            slice(max(y, 0), min(max(y + height, 0), FULL[0])),
            slice(max(x, 0), min(max(x + width, 0), FULL[1])),
        )

    @property
    def is_cut(self) -> bool:
        rows, columns = self.window
        x, y, width, height = self.box
        return (rows.start, rows.stop, columns.start, columns.stop) != (y, y + height, x, x + width)


def find_held_entities(frame: Frame, fills: Fills) -> tuple[HeldEntity, ...]:
    """Find the HOS entries of a corrected frame: one for each hand close to what it touches."""
    entries = []
    for touch in iterate_touches(frame):
        if touch.thing is None:
            continue
        hand = fills.get(touch.hand)
        kept = tuple(p for p in touch.thing.polygons if are_close(hand, fills.get((p,))))
        if kept:
            entries.append(HeldEntity(_bound_polygons(kept), kept))
    return tuple(entries)


def _bound_polygons(polygons: tuple[FloatArray, ...]) -> Box:
    # VISOR-HOS's running minimum and maximum start at these values.
    points = np.concatenate(polygons).astype(np.int64)
    left, top = np.minimum(points.min(axis=0), 10000).tolist()
    right, bottom = np.maximum(points.max(axis=0), 0).tolist()
    return left, top, right - left, bottom - top


def are_close(hand: Patch, thing: Patch) -> bool:
    """Return whether two patches have pixels at a city-block distance of `REACH` or less.

    This equals growing both by 5 steps of the 3 x 3 cross and looking for an overlap, but only the
    part of the image that both can reach is computed.
    """
    if not hand.mask.size or not thing.mask.size:
        return False
    top, bottom, left, right = _intersect_reach(hand, thing)
    if bottom <= top or right <= left:
        return False
    cv2 = load_cv2()
    away = np.ones((bottom - top, right - left), np.uint8)
    _crop_image(away, hand, top, left)[...] ^= _crop_patch(hand, top, bottom, left, right)
    if away.all():
        return False
    distance = cv2.distanceTransform(away, cv2.DIST_L1, 3)
    touched = _crop_patch(thing, top, bottom, left, right)
    return bool((_crop_image(distance, thing, top, left)[touched] <= REACH).any())


def _intersect_reach(hand: Patch, thing: Patch) -> tuple[int, int, int, int]:
    """Return top, bottom, left and right of the overlap of both windows, grown by `REACH`."""
    (a_rows, a_columns), (b_rows, b_columns) = hand.window, thing.window
    return (
        max(a_rows.start, b_rows.start) - REACH,
        min(a_rows.stop, b_rows.stop) + REACH,
        max(a_columns.start, b_columns.start) - REACH,
        min(a_columns.stop, b_columns.stop) + REACH,
    )


def _crop_patch(patch: Patch, top: int, bottom: int, left: int, right: int) -> AnyArray:
    """Crop a patch to a window."""
    return patch.mask[
        max(top - patch.top, 0) : max(bottom - patch.top, 0),
        max(left - patch.left, 0) : max(right - patch.left, 0),
    ]


def _crop_image(image: AnyArray, patch: Patch, top: int, left: int) -> AnyArray:
    """Crop a window's image to a patch."""
    height, width = patch.mask.shape
    return image[
        max(patch.top - top, 0) : max(patch.top + height - top, 0),
        max(patch.left - left, 0) : max(patch.left + width - left, 0),
    ]
