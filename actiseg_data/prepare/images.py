"""VISOR's frames as images: found below the user's folder, and made small."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from actiseg_data.errors import refuse
from actiseg_data.layouts.visor import FULL, Frame
from actiseg_data.masks import MAX_PIXELS
from actiseg_data.opencv import load_cv2
from actiseg_data.prepare.shapes import SMALL
from actiseg_data.untrusted import read_bytes

_MAX_BYTES = 1 << 26


def find_image(images: Path, split: str, video: str, frame: Frame) -> Path | None:
    """A frame's image in any of the usual arrangements of VISOR's archives, or None."""
    participant = video.partition("_")[0]
    name = frame.name
    places = (frame.image_path, name, f"{video}/{name}", f"{participant}/{video}/{name}")
    for place in (*places, f"{split}/{participant}/{video}/{name}"):
        if (images / place).is_file():
            return images / place
    return None


def read_small_jpeg(path: Path) -> tuple[bytes, tuple[int, int] | None]:
    """An image as a JPEG of 854 x 480 pixels, resized bilinearly; its size if not 1920 x 1080.

    Returns the file's bytes, and (width, height) or None. Raises `Refused` for a file that is
    damaged, cut short or of more than `MAX_PIXELS` pixels.
    """
    data = read_bytes(path, "image", _MAX_BYTES)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of large images; they are refused below
            with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as image:
                width, height = image.size
                if width * height > MAX_PIXELS:
                    raise refuse(f"has {width} x {height} pixels", path, "give VISOR's own frames")
                # OpenCV fills what is missing of a JPEG with grey; Pillow tells.
                image.load()
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise refuse("is no readable image", path, "fetch it again") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise refuse(f"is damaged or cut short ({error})", path, "fetch it again") from None
    cv2 = load_cv2()
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        raise refuse("is no readable image", path, "fetch it again")
    small = cv2.resize(pixels, (SMALL[1], SMALL[0]), interpolation=cv2.INTER_LINEAR)
    jpeg: bytes = cv2.imencode(".jpg", small)[1].tobytes()
    return jpeg, None if (height, width) == FULL else (width, height)
