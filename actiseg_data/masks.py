"""Index masks on disk: palette PNGs whose pixel value is the object id, 0 the background."""

from __future__ import annotations

import hashlib
import io
import warnings
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from actiseg_data.errors import refuse
from actiseg_data.files import write_bytes

IndexMask: TypeAlias = NDArray[np.uint8]
"""(H, W) uint8, pixel = object id."""

MAX_PIXELS = 1 << 26
"""Largest mask that is decoded: 67 megapixels, eight times 4K."""


def _voc_palette() -> bytes:
    index = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        channel, level = bit % 3, bit // 3
        if level < 8:
            colours[:, channel] |= (((index >> bit) & 1) << (7 - level)).astype(np.uint8)
    return colours.tobytes()


PALETTE = _voc_palette()
"""768 bytes RGB: the DAVIS / PASCAL VOC palette. Bits 0, 1, 2 of an index are the top bits of R, G
and B, bits 3, 4, 5 the next ones."""


def read_index_mask(path: Path) -> IndexMask:
    """Decode an index mask, a palette or grey PNG of 8 bits or less.

    Returns (H, W) uint8. Raises `Refused` for a file that is missing, damaged, cut short, larger
    than `MAX_PIXELS`, truecolour, with alpha, bilevel or of 16 bits: none of them holds object ids.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; ours are refused below
            with Image.open(path, formats=("PNG",)) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise refuse(
                        f"has {width} x {height} pixels, more than a mask can have",
                        path,
                        "make it again at the frames' size",
                    )
                if image.mode not in ("P", "L"):
                    raise refuse(
                        f"is {_MODE_NAMES.get(image.mode, 'of mode ' + image.mode)}, no index mask",
                        path,
                        "save a palette or 8-bit grey PNG whose pixels are object ids",
                    )
                return np.asarray(image, dtype=np.uint8)
    except FileNotFoundError:
        raise refuse("the mask is missing", path, "restore the file") from None
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise refuse("is no readable PNG", path, "write the mask again") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise refuse(f"is damaged or cut short ({error})", path, "write the mask again") from None


_MODE_NAMES = {
    "RGB": "truecolour",
    "RGBA": "truecolour with alpha",
    "LA": "grey with alpha",
    "1": "bilevel",
    "I": "of 16 bits",
    "I;16": "of 16 bits",
    "I;16B": "of 16 bits",
}


def write_index_mask(path: Path, mask: IndexMask) -> None:
    """Write an index mask as a palette PNG, whole or not at all.

    mask: (H, W) uint8. Parent folders are made.
    """
    image = Image.fromarray(mask)
    image.putpalette(PALETTE)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    write_bytes(path, stream.getvalue())


def pixel_digest(mask: IndexMask) -> str:
    """Digest of decoded pixels: dtype, shape and bytes, never the file, whose packing may drift.

    Returns 32 hexadecimal digits (BLAKE2b-128).

    >>> pixel_digest(np.zeros((2, 2), np.uint8))
    '71b68ba41f562ab1bb4a3274b7af3871'
    """
    header = f"{mask.dtype.str}{mask.shape}".encode("ascii")
    state = hashlib.blake2b(header, digest_size=16)
    state.update(np.ascontiguousarray(mask).data)
    return state.hexdigest()


def foreign_ids(mask: IndexMask, known: frozenset[int]) -> list[int]:
    """Ids in the mask that are neither background nor known, ascending.

    >>> foreign_ids(np.array([[0, 1, 7]], np.uint8), frozenset({1}))
    [7]
    """
    counts = np.bincount(mask.ravel(), minlength=256)
    return [int(i) for i in np.flatnonzero(counts) if i and int(i) not in known]
