"""VISOR's frames as images: find them in the user's folder, and resize them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from actiseg_data.core.opencv import load_cv2
from actiseg_data.layouts.photograph_reading import read_rgb, refuse_aspect
from actiseg_data.layouts.photograph_search import list_photographs
from actiseg_data.layouts.visor_json import SMALL, Frame


def find_image(
    images: Path,
    split: str,
    video: str,
    frame: Frame,
    listed: Callable[[Path], Mapping[str, Path]] = list_photographs,
) -> Path | None:
    """Find a frame's image in any of the usual arrangements of VISOR's archives, or return None.

    `listed` lists the photographs of a folder, see `list_photographs`. A cached one is faster for
    many frames.
    """
    participant = video.partition("_")[0]
    name = frame.name
    usual = (frame.image_path, name, f"{video}/{name}", f"{participant}/{video}/{name}")
    places = [images / place for place in (*usual, f"{split}/{participant}/{video}/{name}")]
    for place in places:
        if place.is_file():
            return place
    alternatives = (listed(place.parent).get(place.stem) for place in places)
    return next((path for path in alternatives if path is not None), None)


def read_small_jpeg(path: Path) -> tuple[bytes, tuple[int, int]]:
    """Encode an image as a JPEG of 854 x 480 pixels, resized bilinearly.

    Returns
    -------
    jpeg : bytes
        The file.
    size : (int, int)
        Height and width of the image.

    Raises
    ------
    InputError
        As for `read_rgb`, and for another aspect than 16:9.
    """
    pixels = read_rgb(path)
    height, width = pixels.shape[:2]
    refuse_aspect((height, width), SMALL, path)
    cv2 = load_cv2()
    small = cv2.resize(pixels[..., ::-1], (SMALL[1], SMALL[0]), interpolation=cv2.INTER_LINEAR)
    jpeg: bytes = cv2.imencode(".jpg", small)[1].tobytes()
    return jpeg, (height, width)
