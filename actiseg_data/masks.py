"""Index masks on disk: palette PNGs whose pixel value is the object id, 0 the background."""

from __future__ import annotations

import hashlib
import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from actiseg_data.errors import refuse
from actiseg_data.files import write_bytes
from actiseg_data.untrusted import read_bytes

IndexMask: TypeAlias = NDArray[np.uint8]
"""(H, W) uint8, pixel = object id."""

MAX_PIXELS = 1 << 26
"""Largest mask that is decoded: 67 megapixels, eight times 4K."""

_MAX_BYTES = 2 * MAX_PIXELS
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


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
    """Decode an index mask: a palette PNG of 8 bits or less, or a grey one of 8 bits.

    Returns (H, W) uint8. Raises `Refused` for a file that is missing, damaged, cut short, larger
    than `MAX_PIXELS`, truecolour, with alpha, grey of fewer bits or of 16: none of them holds
    object ids.
    """
    data = read_bytes(path, "mask", _MAX_BYTES)
    if data[:8] != _SIGNATURE or data[12:16] != b"IHDR":
        raise refuse("is no readable PNG", path, "write the mask again")
    if not _is_whole(data):
        raise refuse("is damaged or cut short", path, "write the mask again")
    width, height, depth = struct.unpack_from(">IIB", data, 16)
    if width * height > MAX_PIXELS:
        raise refuse(
            f"has {width} x {height} pixels, more than a mask can have",
            path,
            "make it again at the frames' size",
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of chunks that are none of our business
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                if image.mode == "L" and depth < 8:  # Pillow stretches those to 0..255
                    raise refuse(
                        f"is grey of {depth} bits, no index mask",
                        path,
                        "save a palette or 8-bit grey PNG whose pixels are object ids",
                    )
                if image.mode not in ("P", "L"):
                    raise refuse(
                        f"is {_MODE_NAMES.get(image.mode, 'of mode ' + image.mode)}, no index mask",
                        path,
                        "save a palette or 8-bit grey PNG whose pixels are object ids",
                    )
                return np.asarray(image, dtype=np.uint8)
    except UnidentifiedImageError:
        raise refuse("is no readable PNG", path, "write the mask again") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise refuse(f"is damaged or cut short ({error})", path, "write the mask again") from None


def _is_whole(data: bytes) -> bool:
    """Whether every chunk of a PNG is as its checksum says, up to the last.

    Pillow does not look at the checksums of pixels: a flipped bit there can change ids unnoticed.
    """
    view, at = memoryview(data), 8
    while at + 12 <= len(data):
        kind = data[at + 4 : at + 8]
        end = at + 8 + int.from_bytes(view[at : at + 4], "big")
        if data[end : end + 4] != zlib.crc32(view[at + 4 : end]).to_bytes(4, "big"):
            return False
        if kind == b"IEND":
            return True
        at = end + 4
    return False


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
