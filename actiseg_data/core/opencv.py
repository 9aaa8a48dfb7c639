"""OpenCV, loaded where it is used: that takes a moment, and some machines cannot load it."""

from __future__ import annotations

import functools
from types import ModuleType

from actiseg_data.core.errors import refuse


@functools.cache
def load_cv2() -> ModuleType:
    """The module `cv2`, set to one thread when it is loaded first.

    Raises `InputError` where it is absent or a system library is missing.
    """
    try:
        import cv2
    except ImportError as error:
        raise refuse(
            f"OpenCV cannot be loaded ({error})",
            "import cv2",
            "pip install opencv-python-headless, the build that needs no libGL; remove any other",
        ) from None
    # Parallel work is one process for each item; threads inside would only contend.
    cv2.setNumThreads(1)
    return cv2
