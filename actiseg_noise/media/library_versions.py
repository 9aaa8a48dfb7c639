"""Versions of the libraries that noise depends on."""

from __future__ import annotations

import platform

from actiseg_data.core.opencv import load_cv2
from actiseg_noise.text_noise.language_packages import load_language_package


def list_versions(*, masks: bool, language: bool) -> dict[str, str]:
    """List the versions of Python and of every library that noise depends on.

    Parameters
    ----------
    masks : bool
        Whether to include the libraries that make pixels.
    language : bool
        Whether to include the library that finds nouns in narrations.
    """
    versions = {"python": platform.python_version()}
    if masks:
        import numpy
        import PIL
        import shapely

        modules = {"numpy": numpy, "opencv": load_cv2(), "shapely": shapely, "pillow": PIL}
        versions |= {name: module.__version__ for name, module in modules.items()}
        versions["geos"] = shapely.geos_version_string
    if language:
        spacy = load_language_package("spacy", "naming its version")
        versions["spacy"] = spacy.__version__
    return versions
