"""Polygons of a frame as pixels: filled once, and sampled to the size of the masks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.polygons import Patch
from actiseg_data.layouts.visor_document import fill_polygons
from actiseg_data.layouts.visor_json import FULL, SMALL, FloatArray


def map_nearest_grid(source: int, target: int) -> NDArray[np.intp]:
    """Return the (target,) indices that nearest-neighbour resampling takes from `source` pixels.

    This is Pillow's grid, whose ties go down. OpenCV's grid differs.

    >>> map_nearest_grid(9, 3).tolist()
    [1, 4, 7]
    """
    return ((2 * np.arange(target) + 1) * source - 1) // (2 * target)


ROWS = map_nearest_grid(FULL[0], SMALL[0])
COLUMNS = map_nearest_grid(FULL[1], SMALL[1])


def sample_patch(patch: Patch, size: tuple[int, int] = FULL) -> Patch:
    """Resample a patch of a frame to mask size, without making the whole frame."""
    if size == SMALL:
        return patch
    rows, columns = patch.window
    top, bottom = np.searchsorted(ROWS, (rows.start, rows.stop))
    left, right = np.searchsorted(COLUMNS, (columns.start, columns.stop))
    mask = patch.mask[ROWS[top:bottom] - patch.top][:, COLUMNS[left:right] - patch.left]
    return Patch(int(top), int(left), mask)


def sample_map(whole: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resample a map to (480, 854), unless it has that size."""
    return whole if whole.shape == SMALL else whole[ROWS][:, COLUMNS]


def paint(image: NDArray[np.uint8], patch: Patch, value: int) -> None:
    """Set the pixels of a patch in an image, in place."""
    np.copyto(image[patch.window], np.uint8(value), where=patch.mask)


class Fills:
    """The fills of one frame, each made once, because contacts, masks and weights share them.

    Vertices are cut to whole pixels toward zero. All polygons of a fill count together, even-odd: a
    nested one is a hole, overlapping parts cancel.
    """

    def __init__(self, size: tuple[int, int] = FULL) -> None:
        self.size = size
        # The keys are identities of arrays, which live as long as the frame of this object.
        self._made: dict[tuple[int, ...], Patch] = {}

    def get(self, polygons: tuple[FloatArray, ...]) -> Patch:
        """Return the fill of polygons, cut to its bounding box on the frame."""
        key = tuple(map(id, polygons))
        if key not in self._made:
            self._made[key] = fill_polygons(polygons, self.size)
        return self._made[key]
