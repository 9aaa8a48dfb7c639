"""Index masks: each pixel has the id of its object, 0 for the background. On disk, palette PNGs."""

from __future__ import annotations

import io
import zlib
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from blake3 import blake3
from numpy.typing import NDArray
from PIL import Image

from actiseg_data.annotations import png
from actiseg_data.annotations.pillow_errors import explain_pillow_errors
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import PathLike, as_path, write_bytes

IndexMask: TypeAlias = NDArray[np.uint8]
"""(H, W) uint8, pixel = object id."""

VOID = 255
"""The id of pixels without a known label, in datasets that have such pixels."""

MAX_SIDE = 8192
"""Widest and highest mask that is decoded; integer arithmetic on its coordinates relies on it."""

MAX_PIXELS = MAX_SIDE**2
"""Most pixels of an image that is decoded: 67 megapixels, eight times 4K."""

_MAX_BYTES = 2 * MAX_PIXELS

_HINT = "write the mask again"


def _make_voc_palette() -> bytes:
    """Make the palette of PASCAL VOC."""
    index = np.arange(256)
    colours = np.zeros((256, 3), np.uint8)
    for bit in range(8):
        channel, level = bit % 3, bit // 3
        if level < 8:
            colours[:, channel] |= (((index >> bit) & 1) << (7 - level)).astype(np.uint8)
    return colours.tobytes()


PALETTE = _make_voc_palette()
"""768 bytes RGB: the DAVIS / PASCAL VOC palette. Bits 0, 1, 2 of an index are the top bits of R, G
and B, bits 3, 4, 5 the next ones."""


def read_index_mask(path: PathLike) -> IndexMask:
    """Read an index mask: a palette PNG of 8 bits or less, or a grey PNG of 8 bits.

    Returns
    -------
    ndarray
        (H, W) uint8, each pixel the id of its object, 0 for background.

    Raises
    ------
    InputError
        If the file is missing, damaged or truncated, or is wider or higher than `MAX_SIDE`. Also
        for truecolour, alpha, and grey of fewer bits or 16: their pixels are not object ids.
    """
    return read_coloured_mask(as_path(path))[0]


def read_coloured_mask(path: Path) -> tuple[IndexMask, bytes]:
    """Read an index mask as `read_index_mask` does, and its palette.

    The palette is bytes RGB, empty for a grey mask.
    """
    return _read(path, ("P", "L"))


def read_mask_size(path: Path) -> tuple[int, int]:
    """Read (H, W) of a mask without decoding it; errors as in `read_index_mask`."""
    _, parsed = _parse(path)
    return parsed.height, parsed.width


def decode_index_mask(data: bytes, where: Path | str) -> IndexMask:
    """Decode the bytes of an index mask as `read_index_mask` does; `where` is for messages."""
    return _decode(data, _parse_bytes(data, where), where, ("P", "L"))


def _read(path: Path, modes: tuple[str, ...]) -> tuple[IndexMask, bytes]:
    data, parsed = _parse(path)
    return _decode(data, parsed, path, modes), parsed.palette


def _decode(data: bytes, parsed: png.Png, where: Path | str, modes: tuple[str, ...]) -> IndexMask:
    mask = png.decode(parsed)
    return _decode_with_pillow(where, data, parsed, modes) if mask is None else mask


def _parse(path: Path) -> tuple[bytes, png.Png]:
    """Read and parse a PNG, and check its size."""
    data = read_bytes(path, "mask", _MAX_BYTES)
    return data, _parse_bytes(data, path)


def _parse_bytes(data: bytes, path: Path | str) -> png.Png:
    if not data.startswith(png.BEGIN):
        raise refuse("is not a readable PNG", path, _HINT)
    parsed = png.parse(data)
    if parsed is None:
        raise refuse("is damaged or truncated", path, _HINT)
    if max(parsed.width, parsed.height) > MAX_SIDE:
        raise refuse(
            f"has {parsed.width} x {parsed.height} pixels, more than a mask can have",
            path,
            "make it again at the frames' size",
        )
    return parsed


def read_binary_mask(path: Path) -> NDArray[np.bool_]:
    """Read the mask of one object: a PNG as for `read_index_mask`, or of 1 bit.

    Returns
    -------
    ndarray
        (H, W) bool.

    Raises
    ------
    InputError
        As for `read_index_mask`, and if there are several values besides 0, as in a map of
        probabilities or a blended mask.
    """
    mask, _ = _read(path, ("P", "L", "1"))
    if len(find_ids(mask)) > 1:
        raise refuse(
            "has several values besides 0, so it is not a binary mask",
            path,
            "threshold it: 0 outside the object, one other value inside",
        )
    return mask > 0


def _decode_with_pillow(
    path: Path | str, data: bytes, parsed: png.Png, modes: tuple[str, ...]
) -> IndexMask:
    """Decode a PNG that is not plain: filtered, interlaced, of few bits, or faulty."""
    width, height, depth = parsed.width, parsed.height, parsed.depth
    with (
        explain_pillow_errors(path, "PNG", _HINT),
        Image.open(io.BytesIO(data), formats=("PNG",)) as image,
    ):
        if image.mode == "L" and depth < 8:  # Pillow stretches those to 0..255
            raise refuse(
                f"is a {depth}-bit grey image, which is not an index mask",
                path,
                "save a palette or 8-bit grey PNG whose pixels are object ids",
            )
        if image.mode not in modes:
            raise refuse(
                f"is {_MODE_NAMES.get(image.mode, 'of mode ' + image.mode)}, which is not "
                "an index mask",
                path,
                "save a palette or 8-bit grey PNG whose pixels are object ids",
            )
        # Pillow ignores missing rows of a short stream. Interlaced streams are longer.
        needed = height * (1 + (width * depth + 7) // 8)
        if image.size != (width, height) or not _has_bytes(needed, parsed.packed):
            raise refuse("has too few pixels", path, _HINT)
        return np.asarray(image, dtype=np.uint8)


def _has_bytes(needed: int, packed: bytes) -> bool:
    """Return whether a zlib stream has at least `needed` bytes; no more are inflated."""
    return len(zlib.decompressobj().decompress(packed, needed)) == needed


_MODE_NAMES = {
    "RGB": "truecolour",
    "RGBA": "truecolour with alpha",
    "LA": "grey with alpha",
    "1": "bilevel",
    "I": "of 16 bits",
    "I;16": "of 16 bits",
    "I;16B": "of 16 bits",
}


def as_index_mask(array: Any, name: str = "mask") -> IndexMask:
    """Convert an array to an index mask.

    Parameters
    ----------
    array : array_like
        (H, W) whole numbers from 0 to 255 or booleans, in any integer dtype: a NumPy array, a
        tensor on any device, nested lists.
    name : str
        The caller's parameter, for messages.

    Returns
    -------
    ndarray
        (H, W) uint8, C-contiguous. An array that is one already is returned itself.

    Raises
    ------
    InputError
        For floats, for another number of axes, and for values that are not ids.

    Examples
    --------
    >>> as_index_mask(np.array([[0, 7]], np.int64))
    array([[0, 7]], dtype=uint8)
    """
    return _check_two_axes(_as_ids(array, name), name)


def as_binary_mask(array: Any, name: str = "mask") -> NDArray[np.bool_]:
    """Convert an array to the mask of one object.

    Parameters
    ----------
    array : array_like
        (H, W) booleans, or whole numbers with one value besides 0; see `as_index_mask`.
    name : str
        The caller's parameter, for messages.

    Returns
    -------
    ndarray
        (H, W) bool. An array that is one already is returned itself.

    Raises
    ------
    InputError
        As for `as_index_mask`, and for several values besides 0.

    Examples
    --------
    >>> as_binary_mask([[0, 255]])
    array([[False,  True]])
    """
    if type(array) is not np.ndarray or array.dtype != np.bool_:
        array = _as_whole_numbers(array, name)
        if array.dtype != np.bool_:
            values = array[array != 0]
            if values.size and (values != values[0]).any():
                raise refuse(
                    "has several values besides 0, so it is not a binary mask",
                    name,
                    "threshold it: 0 outside the object, one other value inside",
                )
            array = array != 0
    return _check_two_axes(array, name)


def _as_ids(array: Any, name: str) -> NDArray[np.uint8]:
    """Convert an array of any shape to ids, C-contiguous; see `as_index_mask`."""
    if type(array) is not np.ndarray or array.dtype != np.uint8:
        array = _as_whole_numbers(array, name)
        if array.dtype != np.bool_ and array.size:
            low, high = int(array.min()), int(array.max())
            if low < 0 or high > 255:
                raise refuse(
                    f"has values from {low} to {high}; object ids are 0 to 255",
                    name,
                    "number the objects from 1 to 255, and the background 0",
                )
        array = array.astype(np.uint8, copy=False)
    return array if array.flags.c_contiguous else np.ascontiguousarray(array)


def _as_whole_numbers(array: Any, name: str) -> NDArray[Any]:
    """Convert a caller's array to booleans or integers."""
    hint = "give a NumPy array of integers"
    try:
        if hasattr(array, "detach"):  # a tensor of torch, which may not be installed
            array = array.detach().cpu().numpy()
        if np.ma.is_masked(array):
            raise refuse(
                "is a masked array with masked pixels", name, "fill them, such as mask.filled(0)"
            )
        values = np.asarray(array)
    except InputError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:
        first = str(error).partition("\n")[0]
        raise refuse(f"cannot be read as an array ({first})", name, hint) from None
    if values.dtype == np.bool_ or np.issubdtype(values.dtype, np.integer):
        return values
    what = f"is {values.dtype} of shape {values.shape}, not bool or whole numbers"
    if np.issubdtype(values.dtype, np.floating):
        hint = "threshold probabilities, or take the argmax of scores; convert ids to uint8"
    raise refuse(what, name, hint)


def _check_two_axes(array: NDArray[Any], name: str) -> NDArray[Any]:
    if array.ndim == 2:
        return array
    raise refuse(
        f"has the shape {array.shape}, not (H, W)",
        name,
        "give one frame at a time, and object ids rather than colours or a channel for each object",
    )


def check_same_size(
    shape: tuple[int, ...],
    expected: tuple[int, ...],
    expected_name: str,
    where: Path | str,
    hint: str,
) -> None:
    """Raise an `InputError` if an image does not have the size of another one.

    Parameters
    ----------
    shape, expected : tuple of int
        (H, W) of the image, and of the other one.
    expected_name : str
        What the other one is, such as ``the clean mask``.
    where : str or Path
        The file of the image.
    hint : str
        What to do about it.

    Examples
    --------
    >>> check_same_size((480, 854), (480, 854), "the clean mask", "0.png", "resample it")
    """
    if shape != expected:
        raise refuse(
            f"has {shape[1]} x {shape[0]} pixels, but {expected_name} has "
            f"{expected[1]} x {expected[0]}",
            where,
            hint,
        )


def write_index_mask(path: Path, mask: IndexMask) -> None:
    """Write an index mask as a palette PNG, completely or not at all. Parent folders are made.

    An `InputError` is raised for arrays that `as_index_mask` does not take, and for empty ones.
    """
    mask = as_index_mask(mask)
    if not mask.size:
        raise refuse(f"has no pixels ({mask.shape})", "mask", "give a mask of the frame's size")
    write_bytes(path, png.encode(mask, PALETTE))


def digest_pixels(mask: IndexMask) -> str:
    """Compute a digest of decoded pixels: dtype, shape and bytes.

    The file is not part of it, because its compression may change. Equal ids have equal digests in
    any integer dtype. BLAKE3 is seven times as fast on a frame as the hashes of the standard
    library, which would take longer than reading and writing the frame.

    Returns
    -------
    str
        32 hexadecimal digits of BLAKE3-128.

    Examples
    --------
    >>> digest_pixels(np.zeros((2, 2), np.uint8))
    '8f6021817b8b975cafaaedf163d50dec'
    """
    mask = as_index_mask(mask)
    header = f"{mask.dtype.str}{mask.shape}".encode("ascii")
    state = blake3(header)
    state.update(mask.ravel().data)
    return state.hexdigest(length=16)


def find_ids(mask: IndexMask) -> list[int]:
    """Return the object ids in a mask, or in any part of one, ascending.

    `mask` is as for `as_index_mask`, but may have any shape.

    >>> find_ids(np.array([[0, 7, 1]], np.uint8))
    [1, 7]
    """
    # Ids come in runs: eight pixels that equal the eight before them hold nothing new.
    pixels = _as_ids(mask, "mask").ravel()
    whole = pixels.size // 8 * 8
    eights = pixels[:whole].view(np.uint64)
    changed = eights[1:][eights[1:] != eights[:-1]].view(np.uint8)
    seen = np.concatenate([pixels[:8], changed, pixels[whole:]])
    packed = seen.tobytes()
    return [i for i in range(1, int(seen.max(initial=0)) + 1) if i in packed]


def find_foreign_ids(mask: IndexMask, known: frozenset[int]) -> list[int]:
    """Return the ids in a mask that are neither background nor void nor known, ascending.

    >>> find_foreign_ids(np.array([[0, 1, 7, 255]], np.uint8), frozenset({1}))
    [7]
    """
    return [object_id for object_id in find_ids(mask) if object_id not in {VOID, *known}]
