"""What every kind of mask noise returns, and where its random numbers come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.keys import Key

KeyFactory: TypeAlias = Callable[[str], Key]
"""Makes the key of one item for a purpose."""


@dataclass(frozen=True)
class NoisyOutline:
    """A noisy object before overlaps are resolved.

    Attributes
    ----------
    patch : Patch
        The noisy pixels.
    iou : float
        IoU with the clean object.
    status : str
        ``met``: the IoU is within 0.02 of the target. ``short``: the pixel grid or the frame allows
        no closer IoU. ``minimum``: the erosion stopped at the minimum area. ``fold``: the jitter
        stopped before the outline would cross itself. ``fixed``: the noise has no target.
    details : mapping
        Values for the ledger, such as ``radius``: the pixels by which the outline moved (RMS for
        jitter).
    """

    patch: Patch
    iou: float
    status: str
    details: Mapping[str, Any]
