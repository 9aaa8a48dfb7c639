"""Find the failure mode of an object in a frame, and the mask in which only this is repaired."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_binary_mask, as_index_mask
from actiseg_data.core.opencv import load_cv2
from actiseg_eval.measures.bits import BinaryMask, dilate_words, pack, unpack
from actiseg_eval.measures.boundary_measures import OBJECT_SHARE, find_image_tolerance, region_iou


@dataclass(frozen=True)
class FailureMode:
    """A way in which a predicted mask can fail.

    Attributes
    ----------
    symbol : str
        The name in tables.
    about : str
        The condition in words.
    repair : str
        The repaired mask in words.
    """

    symbol: str
    about: str
    repair: str


FAILURE_MODES: Mapping[str, FailureMode] = {
    "hallucination": FailureMode(
        "hallucination", "a mask of an object that is not visible in the frame", "blank"
    ),
    "wrong_activation": FailureMode(
        "wrong activation", "a mask of a visible, inactive object", "blank"
    ),
    "miss": FailureMode("miss", "no mask of a visible, active object", "the true mask"),
    "substitution": FailureMode(
        "identity substitution",
        "at least half of the mask covers a single other object, with a higher IoU; most of its "
        "own object is not covered",
        "the true mask",
    ),
    "mislocalisation": FailureMode(
        "mislocalisation",
        "mask and object overlap in less than half of each, or moving the mask corrects more than "
        "half of the wrong pixels",
        "the mask, moved so that its centre is that of the object",
    ),
    "leakage": FailureMode(
        "boundary leakage",
        "most wrong pixels are outside the object, near its boundary",
        "the mask without these pixels",
    ),
    "shrinkage": FailureMode(
        "boundary shrinkage",
        "most wrong pixels are missing, near the boundary of the mask",
        "the mask with these pixels",
    ),
    "over_segmentation": FailureMode(
        "over-segmentation",
        "most wrong pixels are outside the object, far from it, in pieces that touch it",
        "the mask without these pixels",
    ),
    "under_segmentation": FailureMode(
        "under-segmentation",
        "most wrong pixels are missing, far from the mask",
        "the mask with these pixels",
    ),
    "fragmentation": FailureMode(
        "fragmentation",
        "most wrong pixels are stray pieces, gaps between pieces, and holes",
        "the mask without stray pieces, with filled gaps and holes",
    ),
}
"""The failure modes, in the order in which `diagnose` tests them."""

_CODES = {mode: code for code, mode in enumerate(FAILURE_MODES, 1)}

_Labels: TypeAlias = NDArray[np.int32]


def encode_mode(mode: str) -> int:
    """Return the code of a mode in arrays, from 1; 0 is no failure.

    >>> encode_mode("hallucination"), decode_mode(1)
    (1, 'hallucination')
    """
    return _CODES[mode]


def decode_mode(code: int) -> str:
    """Return the mode with a code."""
    return list(FAILURE_MODES)[code - 1]


@dataclass(frozen=True)
class MaskFailure:
    """The failure of one predicted mask.

    Attributes
    ----------
    mode : str
        A key of `FAILURE_MODES`.
    repaired : (H, W) bool
        The mask in which only this failure is repaired.
    confused_with : int
        In any mode, the id of the other object that at least half of the mask covers, 0 for none.
    """

    mode: str
    repaired: BinaryMask
    confused_with: int = 0


def diagnose(
    truth: IndexMask, object_id: int, mask: BinaryMask, listed: Set[int], *, active: bool
) -> MaskFailure | None:
    """Find the failure mode of an object in a frame.

    It is the first of these modes whose condition holds:

    1. Hallucination: predicted, but not visible.
    2. Wrong activation: predicted and visible, but inactive.
    3. Miss: active and visible, but not predicted.
    4. Identity substitution: at least half of the mask covers a single other listed object, and
       more of it than of its own object; the IoU with the other object is higher; less than half of
       its own object is covered.
    5. Mislocalisation: less than half of the mask and less than half of the object are shared; or
       moving the mask so that the centres of gravity coincide leaves less than half of the wrong
       pixels.
    6. The mode with most of the wrong pixels, each of which belongs to one mode: leakage,
       shrinkage, over-segmentation, under-segmentation or fragmentation. If several have equally
       many, the first of them.

    Wrong pixels of the mask belong to fragmentation if their piece does not touch the object.
    Otherwise they belong to leakage within `find_band_width` of the object, and to
    over-segmentation farther away. Missing pixels belong to fragmentation in gaps and holes.
    Otherwise they belong to shrinkage within that distance of the mask, and to under-segmentation
    farther away. Pieces are 8-connected. A gap is the part of a connected region of the object that
    the mask does not cover and that is between two pieces of the mask, along rows or columns. A
    hole is enclosed by the mask.

    Parameters
    ----------
    truth : (H, W) integers
        The true index mask, see `as_index_mask`.
    object_id : int
    mask : (H, W) bool
        The predicted mask of the object, see `as_binary_mask`.
    listed : set of int
        The ids that a mask can be confused with.
    active : bool
        Whether the object should be segmented.

    Returns
    -------
    MaskFailure or None
        None if the mask is correct.

    Examples
    --------
    >>> truth = np.zeros((9, 9), np.uint8); truth[2:6, 2:6] = 1
    >>> wide = np.zeros((9, 9), bool); wide[1:7, 1:7] = True
    >>> diagnose(truth, 1, wide, {1}, active=True).mode
    'leakage'
    """
    truth, mask = as_index_mask(truth, "truth"), as_binary_mask(mask)
    true_mask = truth == object_id
    size, predicted = int(np.count_nonzero(true_mask)), int(np.count_nonzero(mask))
    if not predicted:
        return MaskFailure("miss", true_mask) if size and active else None
    covered = np.bincount(truth[mask], minlength=256)
    shared = int(covered[object_id])
    if active and shared == size == predicted:
        return None
    other_id = _find_confused(object_id, covered, predicted, listed)
    if not size or not active:
        mode = "wrong_activation" if size else "hallucination"
        return MaskFailure(mode, np.zeros_like(mask), other_id)
    if other_id and 2 * shared < size:
        other_size, other_shared = int(np.count_nonzero(truth == other_id)), int(covered[other_id])
        # Compare the two IoUs without a division.
        if other_shared * (size + predicted - shared) > shared * (
            other_size + predicted - other_shared
        ):
            return MaskFailure("substitution", true_mask, other_id)
    moved = _move_to(mask, true_mask)
    is_elsewhere = 2 * shared < min(size, predicted)
    remaining, wrong = np.count_nonzero(true_mask ^ moved), size + predicted - 2 * shared
    if is_elsewhere or 2 * remaining < wrong:
        improves = region_iou(true_mask, moved) > region_iou(true_mask, mask)
        return MaskFailure("mislocalisation", moved if improves else mask, other_id)
    mode, part = _find_largest_part(true_mask, mask)
    return MaskFailure(mode, mask ^ part, other_id)


def find_band_width(size: int, shape: tuple[int, ...]) -> float:
    """Return the distance from an outline, in pixels, up to which pixels are near it.

    It is the tolerance of F for the image, or a tenth of the square root of the true area,
    whichever is larger.

    Parameters
    ----------
    size : int
        The true area of the object in pixels.
    shape : tuple of int
        Rows and columns of the frame.

    Examples
    --------
    >>> find_band_width(400, (480, 854)), find_band_width(40_000, (480, 854))
    (8, 20.0)
    """
    return max(find_image_tolerance(shape), OBJECT_SHARE * math.sqrt(size))


def _find_confused(
    object_id: int, covered: NDArray[np.int64], predicted: int, listed: Set[int]
) -> int:
    """Return the other object that at least half of a mask covers, 0 for none.

    `covered` has the pixels of the mask by true id, (256,).
    """
    candidates = sorted(listed - {object_id, 0})
    best = max(candidates, key=lambda candidate: int(covered[candidate]), default=0)
    if not best or 2 * covered[best] < predicted or covered[best] <= covered[object_id]:
        return 0
    return best


def _find_largest_part(true_mask: BinaryMask, mask: BinaryMask) -> tuple[str, BinaryMask]:
    """Apply rule 6 of `diagnose`: return the mode, and the wrong pixels that belong to it, (H, W).

    The two masks share pixels, and differ.
    """
    cv2 = load_cv2()
    window = _find_window(true_mask | mask)
    inside, predicted = true_mask[window], mask[window]
    count, labels = cv2.connectedComponents(
        _view_bytes(predicted), connectivity=8, ltype=cv2.CV_32S
    )
    touches = np.zeros(count, bool)
    touches[labels[predicted & inside]] = True
    pieces = np.where(touches[labels], labels, 0)
    attached = pieces > 0
    gaps = _find_gaps(inside, pieces)
    band = find_band_width(int(np.count_nonzero(true_mask)), true_mask.shape)
    outside, missing = attached & ~inside, inside & ~predicted & ~gaps
    leaked, shrunk = outside & _dilate(inside, band), missing & _dilate(attached, band)
    parts = {
        "leakage": leaked,
        "shrinkage": shrunk,
        "over_segmentation": outside & ~leaked,
        "under_segmentation": missing & ~shrunk,
        "fragmentation": (predicted & ~attached) | gaps,
    }
    mode = max(parts, key=lambda name: np.count_nonzero(parts[name]))
    part = np.zeros_like(true_mask)
    part[window] = parts[mode]
    return mode, part


def _dilate(mask: BinaryMask, radius: float) -> BinaryMask:
    return unpack(dilate_words(pack(mask), radius), mask.shape[1])


def _find_gaps(inside: BinaryMask, pieces: _Labels) -> BinaryMask:
    """Find the missing pixels of an object between pieces of a mask, and those enclosed by it.

    Parameters
    ----------
    inside : (H, W) bool
        The object.
    pieces : (H, W) int32
        The number of each piece that touches the object, 0 outside.
    """
    cv2 = load_cv2()
    held = pieces > 0
    missing = inside & ~held
    free = np.pad(~held, 1, constant_values=True)
    _, areas = cv2.connectedComponents(_view_bytes(free), connectivity=4, ltype=cv2.CV_32S)
    gaps: BinaryMask = missing & (areas != areas[0, 0])[1:-1, 1:-1]
    _, regions, boxes, _ = cv2.connectedComponentsWithStats(
        _view_bytes(inside), connectivity=8, ltype=cv2.CV_32S
    )
    shared = inside & held
    shared_regions, shared_pieces = regions[shared], pieces[shared]
    last_piece = np.zeros(len(boxes), np.int32)
    last_piece[shared_regions] = shared_pieces
    # Only regions with several pieces can have gaps.
    has_several = shared_pieces != last_piece[shared_regions]
    for region in np.unique(shared_regions[has_several]).tolist():
        left, top, width, height = boxes[region, :4].tolist()
        box = (slice(top, top + height), slice(left, left + width))
        in_region = regions[box] == region
        labels = np.where(in_region, pieces[box], 0)
        between = _find_between(labels) | _find_between(labels.T).T
        gaps[box] |= missing[box] & in_region & between
    return gaps


def _find_between(labels: _Labels) -> BinaryMask:
    """Find the pixels whose nearest labels to the left and to the right differ.

    A labelled pixel is its own nearest label.
    """
    before, after = _fill_right(labels), _fill_right(labels[:, ::-1])[:, ::-1]
    return np.asarray((before > 0) & (after > 0) & (before != after))


def _fill_right(labels: _Labels) -> _Labels:
    """Give each 0 the nearest label to the left, if there is one."""
    columns = np.where(labels > 0, np.arange(labels.shape[1])[None], 0)
    return np.asarray(np.take_along_axis(labels, np.maximum.accumulate(columns, axis=1), axis=1))


def _move_to(mask: BinaryMask, target: BinaryMask) -> BinaryMask:
    """Move a mask by whole pixels so that its centre of gravity is that of a target.

    Pixels that leave the image are lost.
    """
    down, right = (_find_step(mask, target, axis) for axis in (0, 1))
    height, width = mask.shape
    moved = np.zeros(mask.shape, bool)
    destination = (
        slice(max(0, down), height - max(0, -down)),
        slice(max(0, right), width - max(0, -right)),
    )
    moved[destination] = mask[
        max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
    ]
    return moved


def _find_step(start: BinaryMask, end: BinaryMask, axis: int) -> int:
    """Return the distance between two centres of gravity along an axis, rounded, halves up.

    It is computed in whole numbers, and therefore exact.
    """
    sums, counts = [], []
    for mask in (end, start):
        lines = np.count_nonzero(mask, axis=1 - axis)
        sums.append(int(lines @ np.arange(len(lines))))
        counts.append(int(lines.sum()))
    whole = counts[0] * counts[1]
    return (2 * (sums[0] * counts[1] - sums[1] * counts[0]) + whole) // (2 * whole)


def _find_window(mask: BinaryMask) -> tuple[slice, slice]:
    """Find the rows and columns in which a mask has pixels."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _view_bytes(mask: BinaryMask) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)
