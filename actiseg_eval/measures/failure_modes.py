"""What went wrong with an object in a frame: one mode of failure, and the mask that mends it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_binary_mask, as_index_mask
from actiseg_data.core.opencv import load_cv2
from actiseg_eval.measures.bits import BinaryMask, near, pack, unpack
from actiseg_eval.measures.boundary_measures import OBJECT_SHARE, image_tolerance, region_iou


@dataclass(frozen=True)
class Mode:
    """A way to fail. symbol: as tables call it. about: when it is. repair: what mends it."""

    symbol: str
    about: str
    repair: str


MODES: Mapping[str, Mode] = {
    "hallucination": Mode(
        "hallucination", "a mask of an object that the frame does not show", "blank"
    ),
    "wrong_activation": Mode("wrong activation", "a mask of an inactive object in sight", "blank"),
    "miss": Mode("miss", "no mask of an active object in sight", "the true mask"),
    "substitution": Mode(
        "identity substitution",
        "half the mask or more lies on one other object, which it fits better; most of its own "
        "object is lacking",
        "the true mask",
    ),
    "mislocalisation": Mode(
        "mislocalisation",
        "mask and object share less than half of either, or moving the mask mends more than half "
        "of what is wrong",
        "the mask, moved so that its centre is the object's",
    ),
    "leakage": Mode(
        "boundary leakage",
        "the largest part of what is wrong is beyond the object, near its boundary",
        "the mask without that part",
    ),
    "shrinkage": Mode(
        "boundary shrinkage",
        "the largest part of what is wrong is lacking, near the mask's boundary",
        "the mask with that part",
    ),
    "over_segmentation": Mode(
        "over-segmentation",
        "the largest part of what is wrong is beyond the object, far from it, in pieces that "
        "touch it",
        "the mask without that part",
    ),
    "under_segmentation": Mode(
        "under-segmentation",
        "the largest part of what is wrong is lacking, far from the mask",
        "the mask with that part",
    ),
    "fragmentation": Mode(
        "fragmentation",
        "the largest part of what is wrong are stray pieces, gaps between pieces and holes",
        "the mask without stray pieces, its gaps and holes filled",
    ),
}
"""The modes, in the order in which they are asked for; see `diagnose`."""

_CODES = {mode: code for code, mode in enumerate(MODES, 1)}

_Labels: TypeAlias = NDArray[np.int32]


def code_of(mode: str) -> int:
    """The number of a mode in arrays, from 1; 0 stands for none.

    >>> code_of("hallucination"), mode_of(1)
    (1, 'hallucination')
    """
    return _CODES[mode]


def mode_of(code: int) -> str:
    """The mode of a number."""
    return list(MODES)[code - 1]


@dataclass(frozen=True)
class Failure:
    """What went wrong. mode: of `MODES`. repaired: (H, W) bool, the mask with that alone mended.
    lies_on: the id of the other object that half the mask or more lies on, 0 for none, whatever
    the mode.
    """

    mode: str
    repaired: BinaryMask
    lies_on: int = 0


def diagnose(
    truth: IndexMask, object_id: int, mask: BinaryMask, listed: Set[int], *, active: bool
) -> Failure | None:
    """The one mode of failure of an object in a frame; None where nothing is wrong.

    truth: see `as_index_mask`. mask: predicted for the object, see `as_binary_mask`. listed: ids
    that a mask may lie on. active: whether the object is to be segmented at all. The first of these
    that holds:

    1. hallucination: predicted, and not in the frame;
    2. wrong activation: predicted, in the frame, inactive;
    3. miss: active, in the frame, not predicted;
    4. identity substitution: half of the mask or more lies on one other listed object, more than
       on its own, and its IoU with that one is higher; less than half of its own is covered;
    5. mislocalisation: less than half of the mask and less than half of the object are shared, or
       moving the mask so that the centres of gravity meet leaves less than half of the wrong
       pixels;
    6. of leakage, shrinkage, over- and under-segmentation and fragmentation the one that most
       wrong pixels belong to, each of them to one; the first of these, if several are equal.

    What a mask has beyond its object is fragmentation in pieces that do not touch the object, else
    leakage within `band_of` of the object and over-segmentation farther away. What it lacks is
    fragmentation in gaps and holes, else shrinkage within that distance of the mask, and
    under-segmentation farther away. Pieces are 8-connected. A gap is what the mask lacks of a part
    of the object between two of its pieces, along rows or columns; a hole is enclosed by the mask.

    >>> truth = np.zeros((9, 9), np.uint8); truth[2:6, 2:6] = 1
    >>> wide = np.zeros((9, 9), bool); wide[1:7, 1:7] = True
    >>> diagnose(truth, 1, wide, {1}, active=True).mode
    'leakage'
    """
    truth, mask = as_index_mask(truth, "truth"), as_binary_mask(mask)
    own = truth == object_id
    size, predicted = int(np.count_nonzero(own)), int(np.count_nonzero(mask))
    if not predicted:
        return Failure("miss", own) if size and active else None
    shared = np.bincount(truth[mask], minlength=256)
    both = int(shared[object_id])
    if active and both == size == predicted:
        return None
    other = _lies_on(object_id, shared, predicted, listed)
    if not size or not active:
        mode = "wrong_activation" if size else "hallucination"
        return Failure(mode, np.zeros_like(mask), other)
    if other and 2 * both < size:
        its_size, found = int(np.count_nonzero(truth == other)), int(shared[other])
        # The IoU with either, compared without division.
        if found * (size + predicted - both) > both * (its_size + predicted - found):
            return Failure("substitution", own, other)
    moved = _moved(mask, own)
    apart = 2 * both < min(size, predicted)
    left, wrong = np.count_nonzero(own ^ moved), size + predicted - 2 * both
    if apart or 2 * left < wrong:
        helps = region_iou(own, moved) > region_iou(own, mask)
        return Failure("mislocalisation", moved if helps else mask, other)
    mode, part = _largest_part(own, mask)
    return Failure(mode, mask ^ part, other)


def band_of(size: int, shape: tuple[int, ...]) -> float:
    """How far from an outline is near, in pixels: as far as F looks in the image, or a tenth of the
    root of the object's true area, whichever is more.

    >>> band_of(400, (480, 854)), band_of(40_000, (480, 854))
    (8, 20.0)
    """
    return max(image_tolerance(shape), OBJECT_SHARE * math.sqrt(size))


def _lies_on(object_id: int, shared: NDArray[np.int64], predicted: int, listed: Set[int]) -> int:
    """The other object that half a mask or more lies on, 0 for none. shared: (256) pixels of the
    mask by true id.
    """
    others = sorted(listed - {object_id, 0})
    best = max(others, key=lambda at: int(shared[at]), default=0)
    if not best or 2 * shared[best] < predicted or shared[best] <= shared[object_id]:
        return 0
    return best


def _largest_part(own: BinaryMask, mask: BinaryMask) -> tuple[str, BinaryMask]:
    """Rule 6 of `diagnose`: the mode, and the wrong pixels that belong to it, (H, W). Own and mask
    share pixels and differ.
    """
    cv2 = load_cv2()
    window = _window(own | mask)
    inside, held = own[window], mask[window]
    count, labels = cv2.connectedComponents(_bytes(held), connectivity=8, ltype=cv2.CV_32S)
    touching = np.zeros(count, bool)
    touching[labels[held & inside]] = True
    pieces = np.where(touching[labels], labels, 0)
    attached = pieces > 0
    gaps = _gaps(inside, pieces)
    band = band_of(int(np.count_nonzero(own)), own.shape)
    beyond, lacking = attached & ~inside, inside & ~held & ~gaps
    leaked, shrunk = (beyond & _near(inside, band), lacking & _near(attached, band))
    parts = {
        "leakage": leaked,
        "shrinkage": shrunk,
        "over_segmentation": beyond & ~leaked,
        "under_segmentation": lacking & ~shrunk,
        "fragmentation": (held & ~attached) | gaps,
    }
    mode = max(parts, key=lambda name: np.count_nonzero(parts[name]))
    part = np.zeros_like(own)
    part[window] = parts[mode]
    return mode, part


def _near(mask: BinaryMask, distance: float) -> BinaryMask:
    return unpack(near(pack(mask), distance), mask.shape[1])


def _gaps(inside: BinaryMask, pieces: _Labels) -> BinaryMask:
    """What pieces of a mask lack of an object between them, or enclose.

    inside: (H, W) the object. pieces: (H, W) number of each piece that touches it, 0 for none.
    """
    cv2 = load_cv2()
    held = pieces > 0
    missing = inside & ~held
    free = np.pad(~held, 1, constant_values=True)
    _, areas = cv2.connectedComponents(_bytes(free), connectivity=4, ltype=cv2.CV_32S)
    found: BinaryMask = missing & (areas != areas[0, 0])[1:-1, 1:-1]
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(
        _bytes(inside), connectivity=8, ltype=cv2.CV_32S
    )
    hit = inside & held
    of_hit, pieces_hit = parts[hit], pieces[hit]
    one_piece = np.zeros(len(boxes), np.int32)
    one_piece[of_hit] = pieces_hit
    for part in np.unique(of_hit[pieces_hit != one_piece[of_hit]]).tolist():
        left, top, width, height = boxes[part, :4].tolist()
        box = (slice(top, top + height), slice(left, left + width))
        here = parts[box] == part
        of_part = np.where(here, pieces[box], 0)
        found[box] |= missing[box] & here & (_between(of_part) | _between(of_part.T).T)
    return found


def _between(labels: _Labels) -> BinaryMask:
    """Whether the nearest labels to the left and to the right, itself included, differ."""
    before, after = _filled(labels), _filled(labels[:, ::-1])[:, ::-1]
    return np.asarray((before > 0) & (after > 0) & (before != after))


def _filled(labels: _Labels) -> _Labels:
    """Each 0 takes the nearest label to the left, where there is one."""
    places = np.where(labels > 0, np.arange(labels.shape[1])[None], 0)
    return np.asarray(np.take_along_axis(labels, np.maximum.accumulate(places, axis=1), axis=1))


def _moved(mask: BinaryMask, own: BinaryMask) -> BinaryMask:
    """The mask moved by whole pixels, so that its centre of gravity comes to the object's; what
    leaves the image is lost.
    """
    down, right = (_step(own, mask, axis) for axis in (0, 1))
    height, width = mask.shape
    moved = np.zeros(mask.shape, bool)
    target = (
        slice(max(0, down), height - max(0, -down)),
        slice(max(0, right), width - max(0, -right)),
    )
    moved[target] = mask[
        max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)
    ]
    return moved


def _step(to: BinaryMask, at: BinaryMask, axis: int) -> int:
    """From one centre of gravity to another along an axis, rounded, halves up; by whole numbers, so
    that it is exact.
    """
    sums, counts = [], []
    for mask in (to, at):
        lines = np.count_nonzero(mask, axis=1 - axis)
        sums.append(int(lines @ np.arange(len(lines))))
        counts.append(int(lines.sum()))
    whole = counts[0] * counts[1]
    return (2 * (sums[0] * counts[1] - sums[1] * counts[0]) + whole) // (2 * whole)


def _window(mask: BinaryMask) -> tuple[slice, slice]:
    """The rows and columns that a mask has pixels in."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _bytes(mask: BinaryMask) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)
