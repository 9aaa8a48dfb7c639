"""Classes of object sizes, by the area in mask pixels."""

from __future__ import annotations

SIZES = (("tiny", 0), ("small", 400), ("medium", 1500), ("large", 10_000))
"""Names of object sizes and the least clean area in mask pixels of each."""


def size_of(area: int) -> str:
    """The name of an object's size class.

    >>> size_of(399), size_of(400)
    ('tiny', 'small')
    """
    return [name for name, least in SIZES if area >= least][-1]
