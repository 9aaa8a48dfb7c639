"""The distance that noise moved an object's boundary, with its direction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import as_binary_mask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_noise.mask_noise.distance import measure_squared_depths


@dataclass(frozen=True)
class BoundaryShift:
    """Mean distances between a noisy boundary and the clean one, in pixels of the mask.

    Attributes
    ----------
    signed : float
        Mean of the signed distance, which is positive outside the clean object.
    absolute : float
        Mean of the distance without its sign.
    """

    signed: float
    absolute: float


def find_boundary(member: BoolArray) -> BoolArray:
    """Find the pixels of an object that have a neighbour outside the object.

    The edge of the frame is not a boundary, because the object may continue beyond it.

    Parameters
    ----------
    member : (H, W) bool array
        True at the object's pixels.

    Returns
    -------
    (H, W) bool array
        True at pixels of the object with at least one of four neighbours outside the object.

    Examples
    --------
    >>> int(find_boundary(np.ones((3, 3), bool)).sum())
    0
    """
    member = as_binary_mask(member, "member")
    around = np.pad(member, 1, mode="edge")
    above, below = around[:-2, 1:-1], around[2:, 1:-1]
    left, right = around[1:-1, :-2], around[1:-1, 2:]
    return member & ~(above & below & left & right)


def measure_shift(clean: BoolArray, noisy: BoolArray) -> BoundaryShift | None:
    """Measure the mean signed distance from a noisy object's boundary to the clean boundary.

    With B the boundary pixels of an object, C the clean and N the noisy object::

        signed = 1 / |B(N)| * sum over p in B(N) of s(p) * min over q in B(C) of |p - q|

    where s is -1 inside C and 1 outside; ``absolute`` is the same without s. Distances are exact
    Euclidean distances between pixel centres. Dilation by r gives r, erosion gives -r, and jitter
    gives a signed mean near 0.

    Parameters
    ----------
    clean, noisy : (H, W) bool array
        The object in the whole frame, or in a window with a margin of one pixel around both
        objects. No margin is needed at the edge of the frame.

    Returns
    -------
    BoundaryShift or None
        None if one of the objects has no boundary, because it is empty or fills the frame.

    Notes
    -----
    The signed mean estimates the bias of annotators: Yao et al., "Learning to Segment from Noisy
    Annotations: A Spatial Correction Approach" (ICLR 2023).

    Examples
    --------
    >>> clean, noisy = np.zeros((2, 9, 9), bool)
    >>> clean[3:6, 3:6] = noisy[2:7, 3:6] = True
    >>> shift = measure_shift(clean, noisy)
    >>> round(shift.signed, 3), round(shift.absolute, 3)
    (0.5, 0.5)
    """
    clean, noisy = as_binary_mask(clean, "clean"), as_binary_mask(noisy, "noisy")
    clean_boundary, noisy_boundary = find_boundary(clean), find_boundary(noisy)
    if not (clean_boundary.any() and noisy_boundary.any()):
        return None
    distances = np.sqrt(measure_squared_depths(~clean_boundary)[noisy_boundary].astype(np.float64))
    signed = np.where(clean[noisy_boundary], -distances, distances)
    return BoundaryShift(round(float(signed.mean()), 6), round(float(distances.mean()), 6))
