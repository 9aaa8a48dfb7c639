"""OpenCV, imported on first use: the import takes time and fails on some machines."""

from __future__ import annotations

import functools
from types import ModuleType

from actiseg_data.core.errors import refuse


@functools.cache
def load_cv2() -> ModuleType:
    """Import `cv2` and set it to one thread.

    Raises
    ------
    InputError
        If the package or a system library that it needs is missing.
    """
    try:
        import cv2
    except ImportError as error:
        raise refuse(
            f"OpenCV cannot be loaded ({error})",
            "import cv2",
            "pip install opencv-python-headless, the build that needs no libGL; remove any other",
        ) from None
    # Work is parallel over processes; threads within them would only compete.
    cv2.setNumThreads(1)
    return cv2
