"""A biased random walk of an outline, pixel by pixel, and speckles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import BoolArray, IntArray, Patch
from actiseg_data.core.keys import draw_bernoullis
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou, trim
from actiseg_noise.mask_noise.gaussian import make_gaussian_weights, smooth_mask
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline

_WEIGHTS = make_gaussian_weights(2.0, 2)  # 5x5 pixels

_OUTSIDE, _INSIDE, _BEYOND = 0, 1, 2  # sides of an outline, and neither


def walk_outline(
    clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory
) -> NoisyOutline:
    """Move an outline by a random walk, outward or inward, then add speckles and smooth.

    Each step chooses, with the probability ``outward``, the pixels outside of the object that have
    a 4-neighbour inside (exact distance 1), else the pixels inside that have a 4-neighbour outside.
    Each chosen pixel flips with the probability ``flip``. Pixels beyond the frame are neither
    inside nor outside. After the walk, each pixel of the whole frame flips with the probability
    ``speckle``, the mask is smoothed by a 5x5 Gaussian of sigma 2, with the frame mirrored about
    its outermost pixels (OpenCV's default border), and pixels above one half are kept. Objects grow
    if ``outward`` is above 0.5 and shrink if it is below: the noise is biased and spatially
    correlated.

    This is the Markov noise of Spatial Correction (github.com/michaelofsbu/SpatialCorrection; 180
    steps, outward 0.8 or 0.2, flip 0.05, speckle 0.2). Smoothing does not remove all speckles: at
    0.2, 0.07 % of the pixels far from any outline remain flipped, in a frame of 854x480 about 300
    in 115 spots, and the same share of an object's interior. Small objects suffer most. With
    ``speckle`` 0, only the walk and the smoothing remain.

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``steps``, ``outward``, ``flip``, ``speckle``.
    keys : KeyFactory
        Makes the item's keys. The draws of a step go to its pixels in row-major order.

    Returns
    -------
    NoisyOutline
        With the number of ``outward_steps`` for the ledger.

    Examples
    --------
    >>> disc = ObjectMask(Patch(3, 3, np.ones((9, 9), bool)), (15, 15))
    >>> parameters = {"steps": 9, "outward": 1.0, "flip": 1.0, "speckle": 0.0}
    >>> walk_outline(disc, parameters, lambda purpose: bytes(32)).patch.window
    (slice(0, 15, None), slice(0, 15, None))
    """
    outward = draw_bernoullis(
        keys("markov.outward"), int(parameters["steps"]), parameters["outward"]
    )
    walk = _Walk(clean.patch.to_image(clean.frame))
    for number, grows in enumerate(outward):
        ring = walk.list_ring(_OUTSIDE if grows else _INSIDE)
        flips = draw_bernoullis(keys(f"markov.step {number}"), len(ring), parameters["flip"])
        walk.flip(ring[flips])
    height, width = clean.frame
    speckles = draw_bernoullis(keys("markov.speckle"), height * width, parameters["speckle"])
    mask = walk.mask ^ speckles.reshape(height, width)
    patch = trim(Patch(0, 0, smooth_mask(mask, _WEIGHTS, "reflect-101")))
    details = {"outward_steps": int(outward.sum())}
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", details)


class _Walk:
    """A mask whose outline pixels flip, and a queue of the pixels at the outline.

    A pixel is at the outline if one of its four neighbours in the frame is on the other side. Only
    the neighbourhood of flipped pixels is updated in the queue. Pixels are numbered row by row in a
    frame with a margin, so that every pixel has four neighbours.
    """

    def __init__(self, mask: BoolArray) -> None:
        # Two rows, because `flip` visits neighbours of neighbours. One column is enough: after the
        # end of a row comes the margin of the next.
        self._framed = np.pad(mask.view(np.uint8), ((2, 2), (1, 1)), constant_values=_BEYOND)
        self._cells = self._framed.reshape(-1)
        stride = self._framed.shape[1]
        self._steps = np.array([[-stride], [-1], [1], [stride]])
        middle = self._cells[stride:-stride]
        queued = np.zeros(middle.shape, bool)
        for step in self._steps.ravel() + stride:
            queued |= self._cells[step : step + middle.size] == middle ^ 1
        self._queued = np.pad(queued, stride)
        self._queue = np.flatnonzero(self._queued)

    @property
    def mask(self) -> BoolArray:
        """The mask, (H, W) bool."""
        inside: BoolArray = self._framed[2:-2, 1:-1] == _INSIDE
        return inside

    def list_ring(self, side: int) -> IntArray:
        """Return the pixels on one side of the outline, in row-major order."""
        ring: IntArray = self._queue.compress(self._cells.take(self._queue) == side)
        return ring

    def flip(self, pixels: IntArray) -> None:
        """Move pixels to the other side."""
        self._cells[pixels] ^= 1
        near = np.append(pixels, pixels + self._steps)
        # Pixels beyond the frame become 3 here, which no pixel is, so they are on no side.
        at_outline = (self._cells[near + self._steps] == self._cells[near] ^ 1).any(axis=0)
        new = np.unique(near[at_outline & ~self._queued[near]])
        self._queued[near] = at_outline
        queue = np.concatenate([self._queue[self._queued[self._queue]], new])
        queue.sort(kind="stable")
        self._queue = queue
