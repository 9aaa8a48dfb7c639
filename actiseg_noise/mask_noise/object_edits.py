"""Edits of whole objects in the masks of one frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from actiseg_data.annotations.masks import IndexMask, find_ids
from actiseg_data.annotations.polygons import Patch


@dataclass(frozen=True)
class MaskLayers:
    """The masks of one frame: one index mask, or a mask for each object.

    Attributes
    ----------
    masks : tuple of IndexMask
        (H, W) uint8.
    homes : mapping of int to int
        The position of the mask that shows an object, by object id.
    """

    masks: tuple[IndexMask, ...]
    homes: Mapping[int, int]

    def find_seen(self) -> frozenset[int]:
        """Find the ids of the listed objects that have a pixel."""
        return frozenset(
            number
            for position, mask in enumerate(self.masks)
            for number in find_ids(mask)
            if self.homes.get(number) == position
        )

    def remove(self, ids: Iterable[int]) -> MaskLayers:
        """Return the masks without some objects."""
        return self._translate(dict.fromkeys(ids, 0))

    def replace_ids(self, targets: Mapping[int, int]) -> MaskLayers:
        """Return the masks with new ids, each in the mask that shows it.

        >>> pair = MaskLayers((np.uint8([[1, 0]]), np.uint8([[0, 2]])), {1: 0, 2: 1})
        >>> [mask.tolist() for mask in pair.replace_ids({1: 2}).masks]
        [[[0, 0]], [[2, 2]]]
        """
        if len(self.masks) == 1 or not targets:
            return self._translate(targets)
        moved = [mask.copy() for mask in self._translate(dict.fromkeys(targets, 0)).masks]
        for old, new in targets.items():
            shape = self.masks[self.homes[old]] == old
            moved[self.homes[new]][shape] = new
        return replace(self, masks=tuple(moved))

    def fill(self, object_id: int, patch: Patch) -> tuple[MaskLayers, int]:
        """Return the masks with an object on the background of its mask, and its new pixels.

        An object that the mask has already is not changed.
        """
        home = self.homes[object_id]
        mask = self.masks[home]
        free = patch.mask & (mask[patch.window] == 0)
        if not free.any() or (mask == object_id).any():
            return self, 0
        filled = mask.copy()
        filled[patch.window][free] = object_id
        masks = (*self.masks[:home], filled, *self.masks[home + 1 :])
        return replace(self, masks=masks), int(np.count_nonzero(free))

    def _translate(self, targets: Mapping[int, int]) -> MaskLayers:
        if not targets:
            return self
        table = np.arange(256, dtype=np.uint8)
        for old, new in targets.items():
            table[old] = new
        return replace(self, masks=tuple(table[mask] for mask in self.masks))
