"""What became of objects in masks: figures of one object in one frame, and of groups of them; what
groups are called.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.masks import IndexMask, as_index_mask
from actiseg_data.core.statistics import summarise_values, wilson_interval
from actiseg_noise.measurement.boundary_shift import BoundaryShift, boundary_shift

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


@dataclass(frozen=True)
class ObjectChange:
    """What became of one object of a frame: pixels of the clean one, those lost, those of them lost
    to the background, and those gained.
    """

    object_id: int
    area: int
    lost: int
    freed: int
    gained: int

    @property
    def iou(self) -> float:
        """With the clean object."""
        return (self.area - self.lost) / (self.area + self.gained)

    @property
    def area_ratio(self) -> float:
        """Of the noisy object to the clean one."""
        return (self.area - self.lost + self.gained) / self.area


def object_changes(clean: IndexMask, noisy: IndexMask) -> Iterator[ObjectChange]:
    """The change of every object that is in sight in the clean mask, by ascending id.

    clean, noisy: of the same shape, see `as_index_mask`.

    >>> clean, noisy = np.array([[1, 1, 0, 0]], np.uint8), np.array([[0, 1, 1, 0]], np.uint8)
    >>> [(change.iou, change.area_ratio) for change in object_changes(clean, noisy)]
    [(0.3333333333333333, 1.0)]
    """
    clean, noisy = as_index_mask(clean, "clean"), as_index_mask(noisy, "noisy")
    area = np.bincount(clean.ravel(), minlength=256)
    changed = np.flatnonzero(clean != noisy)
    lost = np.bincount(clean.ravel()[changed], minlength=256)
    freed = np.bincount(clean.ravel()[changed[noisy.ravel()[changed] == 0]], minlength=256)
    gained = np.bincount(noisy.ravel()[changed], minlength=256)
    for at in np.flatnonzero(area[1:]) + 1:
        figures = (area[at], lost[at], freed[at], gained[at])
        yield ObjectChange(int(at), *map(int, figures))


def shift_of(clean: IndexMask, noisy: IndexMask, object_id: int) -> BoundaryShift | None:
    """The shift of one object's boundary, measured in the window around it."""
    one = as_index_mask(clean, "clean") == object_id
    other = as_index_mask(noisy, "noisy") == object_id
    either = one | other
    window = tuple(
        slice(max(int(at[0]) - 1, 0), int(at[-1]) + 2)
        for at in (np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0)))
    )
    return boundary_shift(one[window], other[window])


@dataclass(frozen=True)
class MaskItem:
    """One object of one frame. area: clean pixels. kind: of its noise, None for an item without
    any, which has no figures either.
    """

    name: str
    class_id: int
    positive: bool
    area: int
    kind: str | None = None
    iou: float | None = None
    area_ratio: float | None = None
    shift: BoundaryShift | None = None


@dataclass(frozen=True)
class MaskGroup:
    """Figures of some items; an item is an object in one frame.

    name: what the items have in common. items: eligible ones in sight. touched: those with noise;
    rate: their share. interval_95: of the rate (Wilson), None where the share was fixed beforehand.
    iou, area_ratio: of the touched objects on disk with the clean ones. shift, shift_absolute: see
    `actiseg_noise.measurement.boundary_shift.BoundaryShift`, in pixels of the mask. These four are quantiles as in
    `actiseg_data.core.statistics.summarise_values`. vanished: touched objects without a pixel left, which have no
    shift. None stands for what needs the clean masks, where these are not at hand.
    """

    name: str
    items: int | None
    touched: int
    rate: float | None
    interval_95: tuple[float, float] | None
    iou: Mapping[str, Any]
    area_ratio: Mapping[str, Any] | None
    shift: Mapping[str, Any] | None
    shift_absolute: Mapping[str, Any] | None
    vanished: int | None

    def to_dict(self) -> dict[str, Any]:
        """The group as JSON."""
        interval = list(self.interval_95) if self.interval_95 else None
        return {**vars(self), "interval_95": interval}


def group_of(name: str, touched: list[MaskItem], items: int, *, measured: bool = True) -> MaskGroup:
    """A group of `items` eligible items, of which some were touched.

    measured: whether they were held against clean masks, and not only taken from a ledger.
    """
    ious = summarise_values(item.iou for item in touched if item.iou is not None)
    if not measured:
        return MaskGroup(name, None, len(touched), None, None, ious, None, None, None, None)
    interval = wilson_interval(len(touched), items)
    shifts = [item.shift for item in touched if item.shift is not None]
    return MaskGroup(
        name=name,
        items=items,
        touched=len(touched),
        rate=round(len(touched) / items, 6) if items else None,
        interval_95=(round(interval[0], 6), round(interval[1], 6)) if interval else None,
        iou=ious,
        area_ratio=summarise_values(
            item.area_ratio for item in touched if item.area_ratio is not None
        ),
        shift=summarise_values(shift.signed for shift in shifts),
        shift_absolute=summarise_values(shift.absolute for shift in shifts),
        vanished=sum(item.area_ratio == 0 for item in touched),
    )


def touched_of(items: Iterable[MaskItem]) -> list[MaskItem]:
    """The items with noise."""
    return [item for item in items if item.kind is not None]


def divided(items: Iterable[T], of: Callable[[T], K]) -> dict[K, list[T]]:
    """Items by what `of` says of each, in the order of their first."""
    groups: dict[K, list[T]] = {}
    for item in items:
        groups.setdefault(of(item), []).append(item)
    return groups


def supercategory_of(class_id: int, lexicon: Lexicon) -> str:
    """The group that figures of a class go to."""
    noun = lexicon.classes.get(class_id)
    return "not in the lexicon" if noun is None else noun.supercategory or "none"


def class_name(class_id: int, lexicon: Lexicon, used: Iterable[str]) -> str:
    """The lexicon's name of a class, else the most frequent one of those that items have."""
    if class_id in lexicon.classes:
        return lexicon.classes[class_id].name
    counts = Counter(used)
    return min(counts, key=lambda name: (-counts[name], name))
