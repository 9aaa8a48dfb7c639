"""The part of a frame that a noise can reach, and no more of a result than has pixels."""

from __future__ import annotations

import numpy as np

from actiseg_data.opencv import load_cv2
from actiseg_data.polygons import EMPTY_PATCH, Patch
from actiseg_noise.boundary.contours import Clean


def crop(clean: Clean, margin: int) -> Patch:
    """An object with so many empty pixels around it as there are in the frame, up to `margin`.

    >>> crop(Clean(Patch(1, 4, np.ones((2, 2), bool)), (9, 9)), 3).window
    (slice(0, 6, None), slice(1, 9, None))
    """
    rows, columns = clean.patch.window
    top, left = max(rows.start - margin, 0), max(columns.start - margin, 0)
    bottom = min(rows.stop + margin, clean.frame[0])
    right = min(columns.stop + margin, clean.frame[1])
    mask = np.zeros((bottom - top, right - left), bool)
    mask[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left] = (
        clean.patch.mask
    )
    return Patch(top, left, mask)


def trimmed(patch: Patch) -> Patch:
    """The patch cut to the bounding box of its pixels; `EMPTY_PATCH` if it has none.

    >>> trimmed(Patch(5, 5, np.eye(4, k=2, dtype=bool))).window
    (slice(5, 7, None), slice(7, 9, None))
    """
    left, top, width, height = load_cv2().boundingRect(patch.mask.view(np.uint8))
    if not width:
        return EMPTY_PATCH
    cut = patch.mask[top : top + height, left : left + width]
    return Patch(patch.top + top, patch.left + left, cut)
