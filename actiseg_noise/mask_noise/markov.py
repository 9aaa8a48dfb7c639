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
    clean: ObjectMask, parameters: Mapping[str, Any], keyed: KeyFactory
) -> NoisyOutline:
    """Let an outline walk at random, outward or inward, then add speckles and smooth.

    In each step, with the probability ``outward`` the pixels are looked at that lie outside of the
    object with a 4-neighbour inside (exact distance 1), else those inside with a 4-neighbour
    outside, and each of these flips with the probability ``flip``. What lies beyond the frame is
    neither inside nor outside. Then each pixel of the whole frame flips with the probability
    ``speckle``, the mask is smoothed by a 5x5 Gaussian of sigma 2, the frame mirrored for it about
    its outermost pixels (OpenCV's default border), and what exceeds one half is kept. ``outward``
    above 0.5 grows objects, below 0.5 shrinks them: the noise has a bias and is correlated in
    space.

    This is the Markov noise of Spatial Correction (github.com/michaelofsbu/SpatialCorrection; 180
    steps, outward 0.8 or 0.2, flip 0.05, speckle 0.2). Speckles are not smoothed away altogether:
    at 0.2, 0.07 % of the pixels far from any outline stay flipped, in a frame of 854x480 about 300
    in 115 places, and as large a share of an object's inside. Small objects suffer most from it;
    ``speckle`` 0 leaves the walk and the smoothing.

    parameters: ``steps``, ``outward``, ``flip``, ``speckle``. The coins of a step are dealt to its
    ring of pixels in row-major order. The ledger gets how many steps went outward.

    >>> disc = ObjectMask(Patch(3, 3, np.ones((9, 9), bool)), (15, 15))
    >>> parameters = {"steps": 9, "outward": 1.0, "flip": 1.0, "speckle": 0.0}
    >>> markov(disc, parameters, lambda purpose: bytes(32)).patch.window
    (slice(0, 15, None), slice(0, 15, None))
    """
    outward = draw_bernoullis(
        keyed("markov.outward"), int(parameters["steps"]), parameters["outward"]
    )
    walk = _Walk(clean.patch.on(clean.frame))
    for number, grows in enumerate(outward):
        ring = walk.ring(_OUTSIDE if grows else _INSIDE)
        flips = draw_bernoullis(keyed(f"markov.step {number}"), len(ring), parameters["flip"])
        walk.flip(ring[flips])
    height, width = clean.frame
    speckles = draw_bernoullis(keyed("markov.speckle"), height * width, parameters["speckle"])
    mask = walk.mask ^ speckles.reshape(height, width)
    patch = trim(Patch(0, 0, smooth_mask(mask, _WEIGHTS, "reflect-101")))
    details = {"outward_steps": int(outward.sum())}
    return NoisyOutline(patch, compute_iou(clean.patch, patch), "fixed", details)


class _Walk:
    """A mask whose pixels at the outline flip, and a queue of the pixels at the outline.

    A pixel is at the outline if one of its four neighbours in the frame is on the other side. The
    queue is brought up to date where pixels flipped, and nowhere else. Pixels are numbered row by
    row, in a frame with a margin, so that all of them have four neighbours.
    """

    def __init__(self, mask: BoolArray) -> None:
        # Two rows, because neighbours of neighbours are looked at. One column: beyond a row's end
        # is the margin of the next.
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
        """(H, W) bool."""
        inside: BoolArray = self._framed[2:-2, 1:-1] == _INSIDE
        return inside

    def ring(self, side: int) -> IntArray:
        """The pixels at the outline that are on one side of it, in row-major order."""
        ring: IntArray = self._queue.compress(self._cells.take(self._queue) == side)
        return ring

    def flip(self, pixels: IntArray) -> None:
        """Move pixels to the other side."""
        self._cells[pixels] ^= 1
        near = np.append(pixels, pixels + self._steps)
        # What lies beyond the frame becomes 3 here, which none is: it is on no side.
        at_outline = (self._cells[near + self._steps] == self._cells[near] ^ 1).any(axis=0)
        new = np.unique(near[at_outline & ~self._queued[near]])
        self._queued[near] = at_outline
        queue = np.concatenate([self._queue[self._queued[self._queue]], new])
        queue.sort(kind="stable")
        self._queue = queue
