"""Photographs as arrays, read in the same way everywhere."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from actiseg_data.annotations.masks import MAX_PIXELS
from actiseg_data.annotations.pillow_errors import explain_pillow_errors
from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import open_regular, read_bytes

Photograph: TypeAlias = NDArray[np.uint8]
"""(H, W, 3) uint8 RGB."""

_MAX_BYTES = 1 << 26

COPY_FRAMES = "copy the frames: actiseg-noise corrupt --images copy"
"""What to do about a dangling link to a photograph: only noisy splits have links."""

_ORIENTATION = 0x0112
"""The EXIF tag of the camera's orientation."""

_ON_ITS_SIDE = range(5, 9)
"""Values of that tag that swap width and height."""


def read_rgb(path: Path, size: tuple[int, int] | None = None) -> Photograph:
    """Read a photograph, turned upright as its EXIF data say.

    Parameters
    ----------
    path : Path
        A JPEG or PNG.
    size : tuple of int, optional
        (H, W) to average the photograph down to; its own size by default.

    Returns
    -------
    ndarray
        (H, W, 3) uint8 RGB.

    Raises
    ------
    InputError
        If the file is missing, damaged or truncated, has more than `MAX_PIXELS`, or is not a JPEG
        or PNG of 8 bits per channel.
    """
    data = read_bytes(path, "photograph", _MAX_BYTES, instead=COPY_FRAMES)
    with _open_image(path, data) as image:
        if image.mode.startswith(("I", "F")):
            raise refuse("has more than 8 bits a channel", path, "save it with 8 bits a channel")
        orientation = _read_orientation(image)
        if size is not None:
            height, width = size[::-1] if orientation in _ON_ITS_SIDE else size
            image.draft("RGB", (width, height))  # a JPEG is decoded at a half or a quarter
        upright = (ImageOps.exif_transpose(image) if orientation > 1 else image).convert("RGB")
        if size is not None:
            upright = upright.resize((size[1], size[0]), Image.Resampling.BOX)
        return np.asarray(upright)


def read_size(path: Path) -> tuple[int, int]:
    """Read (H, W) of a photograph or mask from its header, turned upright as its EXIF data say.

    An `InputError` is raised if the file is missing, or is not a JPEG or PNG.
    """
    try:
        stream = open_regular(path)
    except OSError as error:
        raise refuse(f"cannot be read ({error.strerror})", path, "check the path") from None
    with stream, _open_image(path, stream) as image:
        size = image.height, image.width
        return size[::-1] if _read_orientation(image) in _ON_ITS_SIDE else size


def _read_orientation(image: Image.Image) -> int:
    """Read how the camera was held, 1 to 8.

    Only data before the pixels are read: for a PNG without EXIF data, Pillow would decode all
    pixels.
    """
    value = image.getexif().get(_ORIENTATION) if "exif" in image.info else None
    return value if isinstance(value, int) and value in range(1, 9) else 1


@contextmanager
def _open_image(path: Path, source: Any) -> Iterator[Image.Image]:
    """Open the image of a file without decoding its pixels.

    Pillow's errors become an `InputError`.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    with (
        explain_pillow_errors(path, "image", "fetch it again"),
        Image.open(stream, formats=("JPEG", "PNG")) as image,
    ):
        if image.width * image.height > MAX_PIXELS:
            size = f"{image.width} x {image.height}"
            raise refuse(f"has {size} pixels", path, "make the photographs smaller")
        yield image


def refuse_aspect(size: tuple[int, int], wanted: tuple[int, int], path: Path) -> None:
    """Raise an `InputError` if a photograph has another aspect ratio than its masks.

    One percent, or a pixel of the shortest side, is allowed for rounding: 1920 x 1080 fits 854 x
    480.

    Parameters
    ----------
    size, wanted : tuple of int
        (H, W) of the photograph, and of the masks.
    path : Path
        The photograph.
    """
    left, right = size[1] * wanted[0], size[0] * wanted[1]
    if abs(left - right) > max(0.01, 1 / max(min(*size, *wanted), 1)) * max(left, right):
        raise refuse(
            f"has {size[1]} x {size[0]} pixels, but its mask has {wanted[1]} x {wanted[0]}: "
            "another aspect ratio",
            path,
            "give the photographs that the masks were drawn on, neither cropped nor rotated",
        )
