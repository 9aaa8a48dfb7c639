"""PNG, the file format of index masks: its chunks, and fast decoding and encoding of plain files.

Plain means 8 bits per pixel, palette or grey, no filters, not interlaced, as nearly all index masks
are. The pixels of a plain file are the inflated stream without one byte per row. Reading and
writing them needs no image library, which would spend most of its time on other work.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from zlib_ng import zlib_ng

SIGNATURE = b"\x89PNG\r\n\x1a\n"
BEGIN = SIGNATURE + b"\0\0\0\rIHDR"
"""The beginning of every PNG: the signature, then a header of 13 bytes."""

_GREY, _PALETTE = 0, 3
_COLOURS_BYTES = {_GREY: (0,), _PALETTE: range(3, 769, 3)}
_NEXT = {b"IHDR": (b"PLTE", b"IDAT"), b"PLTE": (b"IDAT",), b"IDAT": (b"IDAT", b"IEND")}

# Chunks before the pixels that do not change them, and their sizes in bytes. Files with any other
# chunk are left to Pillow.
_NEUTRAL_CHUNKS = {b"tIME": 7, b"pHYs": 9, b"gAMA": 4, b"sRGB": 1}

# The type stub calls the exception class an instance.
_DAMAGED: type[Exception] = zlib_ng.error  # type: ignore[assignment]


@dataclass(frozen=True)
class Png:
    """A PNG with correct checksums: its header and its compressed pixels.

    Attributes
    ----------
    width, height : int
        Size in pixels.
    depth : int
        Bits per sample.
    palette : bytes
        RGB colours; empty without a palette.
    packed : bytes
        The zlib stream.
    plain : bool
        Whether header and chunks allow `decode` to read it. The stream is not checked for that.
    """

    width: int
    height: int
    depth: int
    palette: bytes
    packed: bytes
    plain: bool


def parse(data: bytes) -> Png | None:
    """Parse a PNG that starts with `BEGIN`, without inflating anything.

    Bytes after the last chunk are ignored.

    Returns
    -------
    Png or None
        None if a checksum is wrong: Pillow does not verify the checksums of pixels, and a flipped
        bit there can change ids unnoticed. None also for a second header, which would override the
        first.

    References
    ----------
    PNG specification, third edition, sections 5 and 11.

    Examples
    --------
    >>> found = parse(encode(np.zeros((2, 3), np.uint8), bytes(768)))
    >>> found.width, found.height, found.depth, found.plain
    (3, 2, 8, True)
    """
    view, start = memoryview(data), len(SIGNATURE)
    packed = bytearray()
    plain, last, palette = True, b"IHDR", b""
    while start + 12 <= len(data):
        kind = data[start + 4 : start + 8]
        length = int.from_bytes(view[start : start + 4], "big")
        end = start + 8 + length
        if data[end : end + 4] != zlib.crc32(view[start + 4 : end]).to_bytes(4, "big"):
            return None
        if kind == b"IHDR":
            if start > len(SIGNATURE):
                return None
        elif kind in _NEXT[last]:
            last = kind
        elif last == b"IDAT" or length != _NEUTRAL_CHUNKS.get(kind):
            plain = False
        if kind == b"PLTE":
            palette = bytes(view[start + 8 : end])
        if kind == b"IDAT":
            packed += view[start + 8 : end]
        if kind == b"IEND":
            width, height, depth, colour, *methods = struct.unpack_from(">IIBBBBB", data, 16)
            plain &= depth == 8 and methods == [0, 0, 0]
            plain &= len(palette) in _COLOURS_BYTES.get(colour, ())
            return Png(width, height, depth, palette, bytes(packed), plain)
        start = end + 4
    return None


def decode(png: Png) -> NDArray[np.uint8] | None:
    """Decode the pixels of a plain PNG.

    At most one byte more than the header asks for is inflated, so check the size in the header
    first.

    Returns
    -------
    ndarray or None
        (height, width) uint8, read-only. None if the PNG is not plain, or if its stream is damaged,
        has another length than the header asks for, or is followed by more data.

    References
    ----------
    PNG specification, third edition, sections 7.2 and 9: a row is a byte that names its filter, 0
    for none, and its pixels.

    Examples
    --------
    >>> decode(parse(encode(np.array([[0, 7], [1, 0]], np.uint8), bytes(768)))).tolist()
    [[0, 7], [1, 0]]
    """
    needed = png.height * (1 + png.width)
    if not png.plain or not png.width or not png.height:
        return None
    stream = zlib_ng.decompressobj()
    try:
        inflated = stream.decompress(png.packed, needed + 1)
    except _DAMAGED:
        return None
    if len(inflated) != needed or not stream.eof or stream.unused_data:
        return None
    rows = np.frombuffer(inflated, np.uint8).reshape(png.height, 1 + png.width)
    if rows[:, 0].any():
        return None
    pixels = np.ascontiguousarray(rows[:, 1:])
    pixels.setflags(write=False)
    return pixels


def encode(pixels: NDArray[np.uint8], palette: bytes) -> bytes:
    """Encode 8-bit palette indices as a plain PNG.

    The bytes of the file may differ between versions of the compressor, the pixels never.

    Parameters
    ----------
    pixels : ndarray
        (H, W) uint8, with at least one pixel.
    palette : bytes
        768 bytes RGB.

    Raises
    ------
    ValueError
        For other arrays or palettes.

    Examples
    --------
    >>> encode(np.zeros((2, 3), np.uint8), bytes(768))[:16] == BEGIN
    True
    """
    if pixels.dtype != np.uint8 or pixels.ndim != 2 or not pixels.size or len(palette) != 768:
        raise ValueError(
            f"need (H, W) uint8 and 768 colour bytes, got {pixels.shape} {pixels.dtype} "
            f"and {len(palette)}"
        )
    height, width = pixels.shape
    rows = np.zeros((height, 1 + width), np.uint8)
    rows[:, 1:] = pixels
    # Masks are long runs of one id: matching runs alone packs them tighter than the search for
    # any match does at the same speed.
    packer = zlib_ng.compressobj(1, strategy=zlib_ng.Z_RLE)
    return b"".join(
        [
            SIGNATURE,
            _encode_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0)),
            _encode_chunk(b"PLTE", palette),
            _encode_chunk(b"IDAT", packer.compress(rows) + packer.flush()),
            _encode_chunk(b"IEND", b""),
        ]
    )


def encode_bilevel(member: NDArray[np.bool_]) -> bytes:
    """Encode the mask of one object as a grey PNG of 1 bit per pixel: white inside, black outside.

    `member` is (H, W) bool, with at least one pixel. The bytes of the file may differ between
    versions of the compressor, the pixels never.

    >>> encode_bilevel(np.zeros((2, 3), np.bool_))[:16] == BEGIN
    True
    """
    height, width = member.shape
    packed = np.packbits(member, axis=1)
    rows = np.zeros((height, 1 + packed.shape[1]), np.uint8)
    rows[:, 1:] = packed
    packer = zlib_ng.compressobj(6)
    return b"".join(
        [
            SIGNATURE,
            _encode_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 1, _GREY, 0, 0, 0)),
            _encode_chunk(b"IDAT", packer.compress(rows) + packer.flush()),
            _encode_chunk(b"IEND", b""),
        ]
    )


def _encode_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(content, zlib.crc32(kind))
    return b"".join(
        [len(content).to_bytes(4, "big"), kind, content, checksum.to_bytes(4, "big")],
    )
