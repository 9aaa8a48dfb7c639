"""Classes of object sizes, by the area in mask pixels."""

from __future__ import annotations

SIZES = (("tiny", 0), ("small", 400), ("medium", 1500), ("large", 10_000))
"""Names of object sizes and the least clean area in mask pixels of each."""


def classify_size(area: int) -> str:
    """Return the name of an object's size class from its area in pixels.

    >>> classify_size(399), classify_size(400)
    ('tiny', 'small')
    """
    return [name for name, least in SIZES if area >= least][-1]
