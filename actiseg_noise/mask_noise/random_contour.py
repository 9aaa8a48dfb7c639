"""A contour that spreads and shrinks by chance, pixel by pixel, and is smoothed."""

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
    clean: ObjectMask, parameters: Mapping[str, Any], keyed: KeyFactory
) -> NoisyOutline:
    """Add a randomly spread contour to an object and smooth the result.

    With the 3x3 full element, the contour B begins as dilate(object) XOR erode(object). In each
    round it is dilated or eroded, by the toss of a coin, and each pixel that this would change
    changes with the probability ``share``. Then the object is united with B, smoothed by a
    Gaussian, and what exceeds one half is kept. As B is only ever added, objects grow.

    This is the mode *Mar* of SMART (IEEE TCSVT 2025; 30 rounds, share 0.5, sigma 3), whose borders
    it keeps, SciPy's defaults: beyond the frame there is nothing to dilate from, and all is eroded;
    the Gaussian ends at four sigmas, and the frame is mirrored for it.

    parameters: ``rounds``; ``share``; ``smoothing``: sigma in pixels. The coins of a round are
    dealt, in row-major order, to the pixels that it would change: no other could. The ledger gets
    how many rounds were dilations.

    >>> disc = ObjectMask(Patch(3, 3, np.ones((9, 9), bool)), (15, 15))
    >>> parameters = {"rounds": 0, "share": 0.5, "smoothing": 0.5}
    >>> random_contour(disc, parameters, lambda purpose: bytes(32)).patch.window
    (slice(2, 13, None), slice(2, 13, None))
    """
    share, sigma = parameters["share"], parameters["smoothing"]
    outward = draw_bernoullis(keyed("random-contour.dilate"), int(parameters["rounds"]), 0.5)
    radius = int(4 * sigma + 0.5)
    around = crop(clean, 1 + int(outward.sum()) + radius)
    cv2 = load_cv2()
    element = np.ones((3, 3), np.uint8)
    # Zeros beyond a crop that ends inside the frame, where all is empty, and beyond the frame.
    nothing = {"borderType": cv2.BORDER_CONSTANT, "borderValue": 0}
    mask = around.mask.view(np.uint8)
    contour = cv2.dilate(mask, element) ^ cv2.erode(mask, element, **nothing)
    flat = contour.reshape(-1)
    for number, dilates in enumerate(outward):
        change = cv2.dilate if dilates else cv2.erode
        changing = np.flatnonzero((change(contour, element, **nothing) ^ contour).view(bool))
        chosen = draw_bernoullis(keyed(f"random-contour.round {number}"), len(changing), share)
        flat[changing[chosen]] ^= 1
    united = (mask | contour).view(bool)
    smooth = smooth_mask(united, make_gaussian_weights(sigma, radius), "reflect")
    patch = trim(Patch(around.top, around.left, smooth))
    return NoisyOutline(
        patch, compute_iou(clean.patch, patch), "fixed", {"dilations": int(outward.sum())}
    )
