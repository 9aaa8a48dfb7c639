"""How far the boundary of an object was moved, and to which side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import as_binary_mask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_noise.mask_noise.distance import measure_squared_depths


@dataclass(frozen=True)
class BoundaryShift:
    """Means over the pixels of a noisy boundary, in pixels of the mask.

    signed: of the distance to the clean boundary, positive where the noisy one lies outside of the
    clean object. absolute: of the distance without its sign.
    """

    signed: float
    absolute: float


def boundary_pixels(member: BoolArray) -> BoolArray:
    """The pixels of an object that have a neighbour (of four) outside of it, (H, W) bool.

    Where the frame cuts the object is no boundary: beyond it, nothing is known.

    >>> int(boundary_pixels(np.ones((3, 3), bool)).sum())
    0
    """
    member = as_binary_mask(member, "member")
    around = np.pad(member, 1, mode="edge")
    above, below = around[:-2, 1:-1], around[2:, 1:-1]
    left, right = around[1:-1, :-2], around[1:-1, 2:]
    return member & ~(above & below & left & right)


def boundary_shift(clean: BoolArray, noisy: BoolArray) -> BoundaryShift | None:
    """The mean signed distance of a noisy object's boundary to the clean one's.

    clean, noisy: (H, W) bool, the object in the whole frame, or in a window of it that leaves a
    pixel around both but at the frame's border. With B the boundary pixels of an object, C the
    clean and N the noisy one::

        signed = 1 / |B(N)| * sum over p in B(N) of s(p) * min over q in B(C) of |p - q|

    where s is -1 inside C and 1 outside; absolute is the same without s. Distances are Euclidean
    and exact, between pixel centres. A dilation by r gives r, an erosion -r, jitter a signed mean
    near 0. None where one of the objects has no boundary: it is gone, or fills the frame.

    The signed mean estimates the bias of annotators: Yao et al., "Learning to Segment from Noisy
    Annotations: A Spatial Correction Approach" (ICLR 2023).

    >>> clean, noisy = np.zeros((2, 9, 9), bool)
    >>> clean[3:6, 3:6] = noisy[2:7, 3:6] = True
    >>> shift = boundary_shift(clean, noisy)
    >>> round(shift.signed, 3), round(shift.absolute, 3)
    (0.5, 0.5)
    """
    clean, noisy = as_binary_mask(clean, "clean"), as_binary_mask(noisy, "noisy")
    from_clean, moved = boundary_pixels(clean), boundary_pixels(noisy)
    if not (from_clean.any() and moved.any()):
        return None
    distances = np.sqrt(measure_squared_depths(~from_clean)[moved].astype(np.float64))
    signed = np.where(clean[moved], -distances, distances)
    return BoundaryShift(round(float(signed.mean()), 6), round(float(distances.mean()), 6))
