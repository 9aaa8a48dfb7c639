"""Measures of two binary masks: J, and F and boundary IoU at image- and object-sized tolerances."""

from __future__ import annotations

import math

import numpy as np

from actiseg_data.annotations.masks import as_binary_mask
from actiseg_data.core.errors import refuse
from actiseg_data.core.opencv import load_cv2
from actiseg_eval.measures.bits import BinaryMask, count, edges, inner, near, pack

F_TOLERANCE = 0.008
"""Match radius of F as a share of the image's diagonal (DAVIS)."""

IOU_DISTANCE = 0.02
"""Width of the band of boundary IoU as a share of the image's diagonal."""

OBJECT_SHARE = 0.1
"""Tolerances that follow the object, as a share of the root of its true area."""


def region_iou(truth: BinaryMask, prediction: BinaryMask) -> float:
    """J, the region similarity of two binary masks: their IoU; 1 where both are empty.

    truth, prediction: (H, W) bool, same shape (Perazzi et al., CVPR 2016; Jaccard).

    >>> region_iou(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    truth, prediction = _both(truth, prediction)
    union = np.count_nonzero(truth | prediction)
    return float(np.count_nonzero(truth & prediction) / union) if union else 1.0


def boundary_map(mask: BinaryMask) -> BinaryMask:
    """The pixels of a mask's boundary, as DAVIS draws it.

    A pixel is one iff it differs from its right, lower or lower right neighbour; in the last row
    only the right one counts, in the last column only the lower one. So the boundary lies half a
    pixel towards the origin, and the image's right and bottom border is never one.

    >>> square = np.zeros((5, 5), bool); square[1:3, 1:3] = True
    >>> boundary_map(square).astype(int).tolist()
    [[1, 1, 1, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    """
    mask = as_binary_mask(mask)
    found = np.zeros(mask.shape, bool)
    found[:, :-1] = mask[:, :-1] != mask[:, 1:]
    found[:-1] |= mask[:-1] != mask[1:]
    found[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return found


def image_tolerance(shape: tuple[int, ...]) -> float:
    """The match radius of F in an image: `F_TOLERANCE` of its diagonal, rounded up.

    >>> image_tolerance((480, 854))
    8
    """
    return math.ceil(F_TOLERANCE * math.hypot(*shape))


def object_tolerance(truth: BinaryMask) -> float:
    """The match radius of F of an object: a tenth of the root of its true area, rounded up, at most
    `F_TOLERANCE` of the image's diagonal, which is then not rounded, as in MOSEv2.

    >>> truth = np.zeros((480, 854), bool); truth[:20, :20] = True
    >>> object_tolerance(truth)
    2
    """
    truth = as_binary_mask(truth, "truth")
    diagonal = math.hypot(*truth.shape)
    area = int(np.count_nonzero(truth))
    own = math.ceil(OBJECT_SHARE * (math.sqrt(area) if area else diagonal))
    return own if own < F_TOLERANCE * diagonal else F_TOLERANCE * diagonal


def boundary_f(truth: BinaryMask, prediction: BinaryMask, tolerance: float) -> float:
    """Boundary F-measure of two binary masks.

    truth, prediction: (H, W) bool, same shape. tolerance: match radius in pixels, >= 0. Precision
    is the share of the prediction's boundary pixels within the radius of one of the truth's, recall
    the reverse, F = 2 P R / (P + R); 0 where both are 0. Both boundaries empty scores 1, one empty
    0; it is the boundary that counts: a mask that fills the frame has none (Perazzi et al., "A
    benchmark dataset and evaluation methodology for video object segmentation", CVPR 2016).

    >>> square = np.zeros((9, 9), bool); square[2:7, 2:7] = True
    >>> boundary_f(square, square, tolerance=0)
    1.0
    """
    truth, prediction = _both(truth, prediction)
    window = _window(truth | prediction)
    width = truth[window].shape[1]
    one, other = (edges(pack(mask[window]), width) for mask in (truth, prediction))
    of_truth, of_prediction = count(one), count(other)
    if not (of_truth and of_prediction):
        return float(of_truth == of_prediction)
    precision = count(near(one, tolerance) & other) / of_prediction
    recall = count(near(other, tolerance) & one) / of_truth
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary_iou(truth: BinaryMask, prediction: BinaryMask, distance: int) -> float:
    """IoU of the bands along the inside of two masks' boundaries; 1 where both masks are empty.

    distance: width of the band in pixels, >= 1: a pixel is in it iff a pixel outside the mask, or
    outside the image, lies within so many rows and columns. An object up to twice as wide *is* its
    band (Cheng et al., "Boundary IoU", CVPR 2021).

    >>> square = np.zeros((9, 9), bool); square[2:7, 2:7] = True
    >>> round(boundary_iou(square, np.roll(square, 1, axis=1), distance=1), 3)
    0.333
    """
    truth, prediction = _both(truth, prediction)
    window = _window(truth | prediction)
    masks = (pack(mask[window]) for mask in (truth, prediction))
    one, other = (words & ~inner(words, distance) for words in masks)
    union = count(one | other)
    return count(one & other) / union if union else 1.0


def image_distance(shape: tuple[int, ...]) -> int:
    """The band's width in an image: `IOU_DISTANCE` of its diagonal.

    >>> image_distance((480, 854))
    20
    """
    return max(1, round(IOU_DISTANCE * math.hypot(*shape)))


def object_distance(truth: BinaryMask) -> int:
    """The band's width of an object: a tenth of the root of its true area, at least 1.

    >>> object_distance(np.ones((40, 40), bool))
    4
    """
    return max(1, round(OBJECT_SHARE * math.sqrt(np.count_nonzero(as_binary_mask(truth, "truth")))))


def _both(truth: BinaryMask, prediction: BinaryMask) -> tuple[BinaryMask, BinaryMask]:
    truth, prediction = as_binary_mask(truth, "truth"), as_binary_mask(prediction, "prediction")
    if truth.shape != prediction.shape:
        raise refuse(
            f"has the shape {prediction.shape}, the truth {truth.shape}",
            "prediction",
            "give masks of one size",
        )
    return truth, prediction


def _window(mask: BinaryMask) -> tuple[slice, slice]:
    """The rows and columns of a mask and one more on each side, where the image has them: outside
    of them nothing is near a boundary. An empty mask has an empty window.
    """
    cv2 = load_cv2()
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
    return slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
