"""Compare two binary masks: J, F and boundary IoU, with tolerances by image or by object size."""

from __future__ import annotations

import math

import numpy as np

from actiseg_data.annotations.masks import as_binary_mask, check_same_size
from actiseg_data.core.opencv import load_cv2
from actiseg_eval.measures.bits import (
    BinaryMask,
    count_set,
    dilate_words,
    erode_words,
    find_boundary,
    pack,
)

F_TOLERANCE = 0.008
"""Match radius of F as a share of the image diagonal (DAVIS)."""

IOU_DISTANCE = 0.02
"""Width of the band of boundary IoU as a share of the image diagonal."""

OBJECT_SHARE = 0.1
"""Tolerances by object size, as a share of the square root of the true area."""


def region_iou(truth: BinaryMask, prediction: BinaryMask) -> float:
    """Return J, the region similarity of two binary masks: their IoU; 1 if both are empty.

    Parameters
    ----------
    truth, prediction : (H, W) bool
        Perazzi et al., CVPR 2016, who call it the Jaccard index.

    Examples
    --------
    >>> region_iou(np.array([[True, True]]), np.array([[True, False]]))
    0.5
    """
    truth, prediction = _check_masks(truth, prediction)
    union = np.count_nonzero(truth | prediction)
    return float(np.count_nonzero(truth & prediction) / union) if union else 1.0


def draw_boundary(mask: BinaryMask) -> BinaryMask:
    """Draw the boundary of a mask, (H, W), as DAVIS does.

    A pixel is a boundary pixel if it differs from its right, lower or lower right neighbour. In the
    last row only the right neighbour counts, in the last column only the lower one. Therefore the
    boundary is shifted half a pixel toward the origin, and the right and bottom borders of the
    image are never boundary.

    >>> square = np.zeros((5, 5), bool); square[1:3, 1:3] = True
    >>> draw_boundary(square).astype(int).tolist()
    [[1, 1, 1, 0, 0], [1, 0, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    """
    mask = as_binary_mask(mask)
    boundary = np.zeros(mask.shape, bool)
    boundary[:, :-1] = mask[:, :-1] != mask[:, 1:]
    boundary[:-1] |= mask[:-1] != mask[1:]
    boundary[:-1, :-1] |= mask[:-1, :-1] != mask[1:, 1:]
    return boundary


def find_image_tolerance(shape: tuple[int, ...]) -> float:
    """Return the match radius of F for an image: `F_TOLERANCE` of its diagonal, rounded up.

    >>> find_image_tolerance((480, 854))
    8
    """
    return math.ceil(F_TOLERANCE * math.hypot(*shape))


def find_object_tolerance(truth: BinaryMask) -> float:
    """Return the match radius of F for an object.

    It is a tenth of the square root of the true area, rounded up, and at most `F_TOLERANCE` of the
    image diagonal, which is not rounded in this case, as in MOSEv2.

    >>> truth = np.zeros((480, 854), bool); truth[:20, :20] = True
    >>> find_object_tolerance(truth)
    2
    """
    truth = as_binary_mask(truth, "truth")
    diagonal = math.hypot(*truth.shape)
    area = int(np.count_nonzero(truth))
    tolerance = math.ceil(OBJECT_SHARE * (math.sqrt(area) if area else diagonal))
    return tolerance if tolerance < F_TOLERANCE * diagonal else F_TOLERANCE * diagonal


def boundary_f(truth: BinaryMask, prediction: BinaryMask, tolerance: float) -> float:
    """Return the boundary F-measure of two binary masks.

    Precision is the share of predicted boundary pixels within the radius of a true one, recall the
    share of true boundary pixels within the radius of a predicted one. F = 2 P R / (P + R), and 0
    if both are 0. F is 1 if both boundaries are empty, and 0 if one of them is. A mask that fills
    the frame has no boundary (Perazzi et al., "A benchmark dataset and evaluation methodology for
    video object segmentation", CVPR 2016).

    Parameters
    ----------
    truth, prediction : (H, W) bool
    tolerance : float
        The match radius in pixels, at least 0.

    Examples
    --------
    >>> square = np.zeros((9, 9), bool); square[2:7, 2:7] = True
    >>> boundary_f(square, square, tolerance=0)
    1.0
    """
    truth, prediction = _check_masks(truth, prediction)
    window = _find_window(truth | prediction)
    width = truth[window].shape[1]
    true_boundary = find_boundary(pack(truth[window]), width)
    predicted_boundary = find_boundary(pack(prediction[window]), width)
    true_pixels, predicted_pixels = count_set(true_boundary), count_set(predicted_boundary)
    if not (true_pixels and predicted_pixels):
        return float(true_pixels == predicted_pixels)
    matched = count_set(dilate_words(true_boundary, tolerance) & predicted_boundary)
    recalled = count_set(dilate_words(predicted_boundary, tolerance) & true_boundary)
    precision, recall = matched / predicted_pixels, recalled / true_pixels
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def boundary_iou(truth: BinaryMask, prediction: BinaryMask, distance: int) -> float:
    """Return the IoU of the bands along the inside of two boundaries; 1 if both masks are empty.

    A pixel of the mask is in the band if a pixel outside the mask or outside the image is at most
    `distance` rows and columns away. An object up to twice as wide consists of its band (Cheng et
    al., "Boundary IoU", CVPR 2021).

    Parameters
    ----------
    truth, prediction : (H, W) bool
    distance : int
        The width of the band in pixels, at least 1.

    Examples
    --------
    >>> square = np.zeros((9, 9), bool); square[2:7, 2:7] = True
    >>> round(boundary_iou(square, np.roll(square, 1, axis=1), distance=1), 3)
    0.333
    """
    truth, prediction = _check_masks(truth, prediction)
    window = _find_window(truth | prediction)
    masks = (pack(mask[window]) for mask in (truth, prediction))
    true_band, predicted_band = (words & ~erode_words(words, distance) for words in masks)
    union = count_set(true_band | predicted_band)
    return count_set(true_band & predicted_band) / union if union else 1.0


def find_image_distance(shape: tuple[int, ...]) -> int:
    """Return the width of the band for an image: `IOU_DISTANCE` of its diagonal.

    >>> find_image_distance((480, 854))
    20
    """
    return max(1, round(IOU_DISTANCE * math.hypot(*shape)))


def find_object_distance(truth: BinaryMask) -> int:
    """Return the width of the band for an object: a tenth of the root of its area, at least 1.

    >>> find_object_distance(np.ones((40, 40), bool))
    4
    """
    area = np.count_nonzero(as_binary_mask(truth, "truth"))
    return max(1, round(OBJECT_SHARE * math.sqrt(area)))


def _check_masks(truth: BinaryMask, prediction: BinaryMask) -> tuple[BinaryMask, BinaryMask]:
    truth, prediction = as_binary_mask(truth, "truth"), as_binary_mask(prediction, "prediction")
    hint = "give masks of the same size"
    check_same_size(prediction.shape, truth.shape, "the true mask", "`prediction`", hint)
    return truth, prediction


def _find_window(mask: BinaryMask) -> tuple[slice, slice]:
    """Find the rows and columns of a mask and one more on each side, as far as the image has them.

    No pixel outside the window is near a boundary. An empty mask has an empty window.
    """
    cv2 = load_cv2()
    x, y, width, height = cv2.boundingRect(np.ascontiguousarray(mask).view(np.uint8))
    return slice(max(y - 1, 0), y + height + 1), slice(max(x - 1, 0), x + width + 1)
