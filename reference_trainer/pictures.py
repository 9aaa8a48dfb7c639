"""Frames and index masks as small arrays."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from actiseg_data.errors import refuse
from actiseg_data.masks import MAX_PIXELS, IndexMask, as_index_mask
from actiseg_data.untrusted import read_bytes

STRIDE = 4
"""Pixels of a frame to a pixel of a mask, down and across."""

Picture: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB."""

_MAX_BYTES = 1 << 26


def read_frame(path: Path, size: tuple[int, int]) -> Picture:
    """A frame's JPEG (or PNG) at some size (H, W), averaged down to it.

    Raises `Refused` for a file that is missing, damaged, cut short or of more than `MAX_PIXELS`.
    """
    data = read_bytes(path, "frame", _MAX_BYTES)
    height, width = size
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; they are refused below
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise refuse(
                        f"has {image.width} x {image.height} pixels", path, "make it smaller"
                    )
                image.draft("RGB", (width, height))  # a JPEG is decoded at a half or a quarter
                small = image.convert("RGB").resize((width, height), Image.Resampling.BOX)
                return np.asarray(small)
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise refuse("is no readable image", path, "fetch it again, or render it") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise refuse(
            f"is damaged or cut short ({error})", path, "fetch it again, or render it"
        ) from None


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
