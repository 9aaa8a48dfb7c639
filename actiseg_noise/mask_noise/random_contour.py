"""A contour that spreads and shrinks at random, pixel by pixel, and is smoothed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from actiseg_data.annotations.polygons import Patch
from actiseg_data.core.keys import draw_bernoullis
from actiseg_data.core.opencv import load_cv2
from actiseg_noise.mask_noise.contours import ObjectMask, compute_iou, crop, trim
from actiseg_noise.mask_noise.gaussian import make_gaussian_weights, smooth_mask
from actiseg_noise.mask_noise.noisy_outline import KeyFactory, NoisyOutline


def add_random_contour(
    clean: ObjectMask, parameters: Mapping[str, Any], keys: KeyFactory
) -> NoisyOutline:
    """Add a contour that spreads at random to an object, and smooth the result.

    With the 3x3 full element, the contour B begins as dilate(object) XOR erode(object). Each round
    dilates or erodes it with equal probability, but each pixel that would change does so only with
    the probability ``share``. Then the union of the object and B is smoothed by a Gaussian, and
    pixels above one half are kept. B is never subtracted, so objects grow.

    This is the mode *Mar* of SMART (IEEE TCSVT 2025; 30 rounds, share 0.5, sigma 3) with the same
    borders, which are SciPy's defaults: pixels beyond the frame are empty for dilation and erosion,
    and the frame is mirrored for the Gaussian, which ends at four sigmas.

    Parameters
    ----------
    clean : ObjectMask
        The object.
    parameters : mapping
        ``rounds``; ``share``; ``smoothing``: sigma in pixels.
    keys : KeyFactory
        Makes the item's keys. The draws of a round go, in row-major order, to the pixels that
        the round would change.

    Returns
    -------
    NoisyOutline
        With the number of ``dilations`` for the ledger.

    Examples
    --------
    >>> disc = ObjectMask(Patch(3, 3, np.ones((9, 9), bool)), (15, 15))
    >>> parameters = {"rounds": 0, "share": 0.5, "smoothing": 0.5}
    >>> add_random_contour(disc, parameters, lambda purpose: bytes(32)).patch.window
    (slice(2, 13, None), slice(2, 13, None))
    """
    share, sigma = parameters["share"], parameters["smoothing"]
    outward = draw_bernoullis(keys("random-contour.dilate"), int(parameters["rounds"]), 0.5)
    radius = int(4 * sigma + 0.5)
    around = crop(clean, 1 + int(outward.sum()) + radius)
    cv2 = load_cv2()
    element = np.ones((3, 3), np.uint8)
    # Pixels beyond the crop are zero: both those of the frame, which are empty, and those outside.
    nothing = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
    mask = around.mask.view(np.uint8)
    contour = cv2.dilate(mask, element) ^ cv2.erode(mask, element, **nothing)
    flat = contour.reshape(-1)
    for number, dilates in enumerate(outward):
        change = cv2.dilate if dilates else cv2.erode
        changing = np.flatnonzero((change(contour, element, **nothing) ^ contour).view(bool))
        chosen = draw_bernoullis(keys(f"random-contour.round {number}"), len(changing), share)
        flat[changing[chosen]] ^= 1
    united = (mask | contour).view(bool)
    smooth = smooth_mask(united, make_gaussian_weights(sigma, radius), "reflect")
    patch = trim(Patch(around.top, around.left, smooth))
    return NoisyOutline(
        patch, compute_iou(clean.patch, patch), "fixed", {"dilations": int(outward.sum())}
    )
