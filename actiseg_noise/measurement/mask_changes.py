"""Changes of objects between clean and noisy masks, one by one and as statistics of groups."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from actiseg_data.annotations.masks import IndexMask, as_index_mask
from actiseg_data.core.statistics import summarise_values, wilson_interval
from actiseg_noise.measurement.boundary_shift import BoundaryShift, measure_shift


@dataclass(frozen=True)
class ObjectChange:
    """How the pixels of one object in one frame changed.

    Attributes
    ----------
    object_id : int
        Id in the mask, 1 to 255.
    area : int
        Pixels of the clean object.
    lost : int
        Pixels of the clean object that the noisy object lacks.
    freed : int
        Lost pixels that are background in the noisy mask.
    gained : int
        Pixels of the noisy object that the clean object lacks.
    """

    object_id: int
    area: int
    lost: int
    freed: int
    gained: int

    @property
    def iou(self) -> float:
        """IoU of the clean and the noisy object."""
        return (self.area - self.lost) / (self.area + self.gained)

    @property
    def area_ratio(self) -> float:
        """Area of the noisy object divided by that of the clean object."""
        return (self.area - self.lost + self.gained) / self.area


def measure_changes(clean: IndexMask, noisy: IndexMask) -> Iterator[ObjectChange]:
    """Measure the change of every object in a clean mask, by ascending id.

    Parameters
    ----------
    clean, noisy : (H, W) integer array
        Index masks of the same shape, see `as_index_mask`.

    Yields
    ------
    ObjectChange
        One for each object that has a pixel in the clean mask.

    Examples
    --------
    >>> clean, noisy = np.array([[1, 1, 0, 0]], np.uint8), np.array([[0, 1, 1, 0]], np.uint8)
    >>> [(change.iou, change.area_ratio) for change in measure_changes(clean, noisy)]
    [(0.3333333333333333, 1.0)]
    """
    clean, noisy = as_index_mask(clean, "clean"), as_index_mask(noisy, "noisy")
    area = np.bincount(clean.ravel(), minlength=256)
    changed = np.flatnonzero(clean != noisy)
    lost = np.bincount(clean.ravel()[changed], minlength=256)
    freed = np.bincount(clean.ravel()[changed[noisy.ravel()[changed] == 0]], minlength=256)
    gained = np.bincount(noisy.ravel()[changed], minlength=256)
    for object_id in np.flatnonzero(area[1:]) + 1:
        counts = (area[object_id], lost[object_id], freed[object_id], gained[object_id])
        yield ObjectChange(int(object_id), *map(int, counts))


def measure_object_shift(
    clean: IndexMask, noisy: IndexMask, object_id: int
) -> BoundaryShift | None:
    """Measure the boundary shift of one object of two index masks, in the window around it."""
    clean_object = as_index_mask(clean, "clean") == object_id
    noisy_object = as_index_mask(noisy, "noisy") == object_id
    union = clean_object | noisy_object
    window = tuple(
        slice(max(int(positions[0]) - 1, 0), int(positions[-1]) + 2)
        for positions in (np.flatnonzero(union.any(axis=1)), np.flatnonzero(union.any(axis=0)))
    )
    return measure_shift(clean_object[window], noisy_object[window])


@dataclass(frozen=True)
class MaskItem:
    """One object in one frame.

    Attributes
    ----------
    name : str
        The object's name.
    class_id : int
        The object's class, -1 if unknown.
    positive : bool
        Whether the object is active.
    area : int
        Pixels of the clean object.
    kind : str or None
        Kind of the object's noise. None without noise; then the next three are None as well.
    iou, area_ratio : float or None
        See `ObjectChange`.
    shift : BoundaryShift or None
        None as well if one of the objects has no boundary.
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
    """Statistics of a group of items; an item is an object in one frame.

    An attribute that needs the clean masks is None if they are not available. Quantiles are those
    of `actiseg_data.core.statistics.summarise_values`.

    Attributes
    ----------
    name : str
        What the items have in common.
    items : int or None
        Eligible items that are visible in the clean masks.
    touched : int
        Items with noise.
    rate : float or None
        Share of the items with noise.
    interval_95 : tuple of float or None
        95 % Wilson interval of the rate. None if the recipe fixes the exact share.
    iou, area_ratio : mapping or None
        Quantiles over touched items: the noisy object on disk, compared with the clean object.
    shift, shift_absolute : mapping or None
        Quantiles over touched items, in pixels: see `BoundaryShift`.
    vanished : int or None
        Touched items without a pixel in the noisy mask. They have no shift.
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
        """Return the group as JSON."""
        interval = list(self.interval_95) if self.interval_95 else None
        return {**vars(self), "interval_95": interval}


def summarise_items(
    name: str, touched: list[MaskItem], items: int, *, measured: bool = True
) -> MaskGroup:
    """Summarise a group of items.

    Parameters
    ----------
    name : str
        Name of the group.
    touched : list of MaskItem
        The items with noise.
    items : int
        Number of eligible items, with and without noise.
    measured : bool
        Whether the items were compared with clean masks. If not, they come from a ledger alone.

    Returns
    -------
    MaskGroup
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


def select_touched(items: Iterable[MaskItem]) -> list[MaskItem]:
    """Return the items with noise."""
    return [item for item in items if item.kind is not None]
