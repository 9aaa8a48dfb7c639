"""What every kind of boundary noise gives back, and how it gets its random numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.keys import Key

KeyFactory: TypeAlias = Callable[[str], Key]
"""Gives an item's key for a purpose."""


@dataclass(frozen=True)
class NoisyOutline:
    """A noisy outline before overlaps are settled.

    patch: its pixels. iou: with the clean object. status: ``met`` (target within 0.02), ``short``
    (the pixel grid or the frame has no closer), ``minimum`` (the erosion was stopped at the least
    area), ``fold`` (the jitter was stopped before the outline would cross itself), ``fixed`` (no
    target was asked for). details: what was drawn, for the ledger, e.g. ``radius``: pixels that the
    outline was moved by (RMS for jitter).
    """

    patch: Patch
    iou: float
    status: str
    details: Mapping[str, Any]
