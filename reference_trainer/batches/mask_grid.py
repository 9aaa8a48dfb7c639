"""Index masks as small arrays."""

from __future__ import annotations

import numpy as np

from actiseg_data.annotations.masks import IndexMask, as_index_mask

STRIDE = 4
"""Pixels of a frame to a pixel of a mask, down and across."""


def at_grid(mask: IndexMask, grid: tuple[int, int]) -> IndexMask:
    """An index mask at (h, w): the pixel at the centre of each cell.

    >>> at_grid(np.arange(16, dtype=np.uint8).reshape(4, 4), (2, 2)).tolist()
    [[5, 7], [13, 15]]
    """
    mask = as_index_mask(mask)
    rows, columns = (
        ((np.arange(cells) + 0.5) * side / cells).astype(np.int64)
        for cells, side in zip(grid, mask.shape, strict=True)
    )
    cells: IndexMask = mask[np.ix_(rows, columns)]
    return cells
