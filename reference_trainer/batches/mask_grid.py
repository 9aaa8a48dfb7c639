"""Index masks at the resolution of the model."""

from __future__ import annotations

import numpy as np

from actiseg_data.annotations.masks import IndexMask, as_index_mask

STRIDE = 4
"""Pixels of a frame for each pixel of a mask, in both directions."""


def sample_grid(mask: IndexMask, grid: tuple[int, int]) -> IndexMask:
    """Reduce an index mask to a grid by the pixel at the centre of each cell.

    Parameters
    ----------
    mask : (H, W) uint8
    grid : (h, w)

    Returns
    -------
    (h, w) uint8

    Examples
    --------
    >>> sample_grid(np.arange(16, dtype=np.uint8).reshape(4, 4), (2, 2)).tolist()
    [[5, 7], [13, 15]]
    """
    mask = as_index_mask(mask)
    rows, columns = (
        ((np.arange(cells) + 0.5) * side / cells).astype(np.int64)
        for cells, side in zip(grid, mask.shape, strict=True)
    )
    cells: IndexMask = mask[np.ix_(rows, columns)]
    return cells
