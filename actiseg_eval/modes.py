"""What went wrong with an object in a frame: one mode of failure, and the mask that mends it."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.masks import IndexMask
from actiseg_data.opencv import load_cv2
from actiseg_eval.bits import BinaryMask
from actiseg_eval.boundary import region_iou


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
        "half the mask or more lies on one other object, which it fits better than its own",
        "the true mask",
    ),
    "mislocalisation": Mode(
        "mislocalisation",
        "the mask lies beside the object, or moving it would mend most of what is wrong",
        "the mask, moved so that its centre is the object's",
    ),
    "leakage": Mode(
        "boundary leakage",
        "most of what is wrong lies beyond the object's boundary",
        "the mask without pixels beyond the object, in pieces that touch it",
    ),
    "shrinkage": Mode(
        "boundary shrinkage",
        "most of what is wrong is lacking along the object's boundary",
        "the mask with all of the object but gaps and holes",
    ),
    "fragmentation": Mode(
        "fragmentation",
        "most of what is wrong are stray pieces, gaps between pieces and holes",
        "the mask without stray pieces, its gaps and holes filled",
    ),
}
"""The modes, in the order in which they are asked for; see `diagnose`."""

_Labels: TypeAlias = NDArray[np.int32]


@dataclass(frozen=True)
class Failure:
    """What went wrong. mode: of `MODES`. repaired: (H, W) bool, the mask with that alone mended.
    lies_on: the id of the object that a substituted mask lies on, else 0."""

    mode: str
    repaired: BinaryMask
    lies_on: int = 0


def diagnose(
    truth: IndexMask, object_id: int, mask: BinaryMask, listed: Set[int], *, active: bool
) -> Failure | None:
    """The one mode of failure of an object in a frame; None where nothing is wrong.

    truth: (H, W) uint8. mask: (H, W) bool, predicted for the object. listed: ids that a mask may
    lie on. active: whether the object is to be segmented at all. The first of these that holds:

    1. hallucination: predicted, and not in the frame;
    2. wrong activation: predicted, in the frame, inactive;
    3. miss: active, in the frame, not predicted;
    4. identity substitution: half of the mask or more lies on one other listed object, more than
       on its own, and its IoU with that one is higher;
    5. mislocalisation: the mask and the object share no pixel; or less than half of either is
       shared, and fewer pixels are wrong once the mask is moved so that the centres of gravity
       meet, if that raises the IoU;
    6. of leakage, shrinkage, fragmentation and mislocalisation the one whose repair leaves the
       fewest wrong pixels; the first of these, if several do. (By the IoU, what a mask lacks
       would weigh more than as many pixels too many.)

    Pieces are 8-connected; a piece is stray if it shares no pixel with the object. A gap is what
    the mask lacks of a part of the object between two of its pieces, along rows or columns; a hole
    is enclosed by the mask.

    >>> truth = np.zeros((9, 9), np.uint8); truth[2:6, 2:6] = 1
    >>> wide = np.zeros((9, 9), bool); wide[2:6, 2:8] = True
    >>> diagnose(truth, 1, wide, {1}, active=True).mode
    'leakage'
    """
    own = truth == object_id
    size, predicted = int(own.sum()), int(mask.sum())
    if not predicted:
        return Failure("miss", own) if size and active else None
    if not size or not active:
        return Failure("wrong_activation" if size else "hallucination", np.zeros_like(mask))
    shared = np.bincount(truth[mask], minlength=256)
    both = int(shared[object_id])
    if both == size == predicted:
        return None
    other = _lies_on(truth, object_id, shared, size, predicted, listed)
    if other:
        return Failure("substitution", own, other)
    moved = _moved(mask, own)
    if region_iou(own, moved) < region_iou(own, mask):  # it was moved out of the image
        moved = mask
    little = 2 * both < min(size, predicted)
    if not both or (little and _wrong(own, moved) < size + predicted - 2 * both):
        return Failure("mislocalisation", moved)
    return _worst(own, mask, moved)


def _wrong(own: BinaryMask, mask: BinaryMask) -> int:
    """Pixels that are in one of the two alone."""
    return int(np.count_nonzero(own ^ mask))


def _lies_on(
    truth: IndexMask,
    object_id: int,
    shared: NDArray[np.int64],
    size: int,
    predicted: int,
    listed: Set[int],
) -> int:
    """The other object that a mask is of, 0 for none. shared: (256) its pixels by true id."""
    others = sorted(listed - {object_id, 0})
    if not others:
        return 0
    best = max(others, key=lambda at: int(shared[at]))
    found, own = int(shared[best]), int(shared[object_id])
    if 2 * found < predicted or found <= own:
        return 0
    its_size = int((truth == best).sum())
    # The IoU with either, compared without division.
    better = found * (size + predicted - own) > own * (its_size + predicted - found)
    return best if better else 0


def _worst(own: BinaryMask, mask: BinaryMask, moved: BinaryMask) -> Failure:
    """Rule 6 of `diagnose`: own and mask share pixels and differ."""
    cv2 = load_cv2()
    window = _window(own | mask)
    inside, held = own[window], mask[window]
    count, labels = cv2.connectedComponents(_bytes(held), connectivity=8, ltype=cv2.CV_32S)
    touching = np.zeros(count, bool)
    touching[labels[held & inside]] = True
    pieces = np.where(touching[labels], labels, 0)
    attached = pieces > 0
    gaps = _gaps(inside, pieces)
    repairs = {
        "leakage": held & ~(attached & ~inside),
        "shrinkage": held | (inside & ~gaps),
        "fragmentation": attached | gaps,
    }
    left = {mode: _wrong(inside, repair) for mode, repair in repairs.items()}
    left["mislocalisation"] = _wrong(own, moved)
    mode = min(left, key=lambda name: left[name])
    if mode == "mislocalisation":
        return Failure(mode, moved)
    repaired = mask.copy()
    repaired[window] = repairs[mode]
    return Failure(mode, repaired)


def _gaps(inside: BinaryMask, pieces: _Labels) -> BinaryMask:
    """What pieces of a mask lack of an object between them, or enclose.

    inside: (H, W) the object. pieces: (H, W) number of each piece that touches it, 0 for none.
    """
    cv2 = load_cv2()
    missing = inside & (pieces == 0)
    free = np.pad(pieces == 0, 1, constant_values=True)
    _, areas = cv2.connectedComponents(_bytes(free), connectivity=4, ltype=cv2.CV_32S)
    found: BinaryMask = missing & (areas != areas[0, 0])[1:-1, 1:-1]
    count, parts = cv2.connectedComponents(_bytes(inside), connectivity=8, ltype=cv2.CV_32S)
    for part in range(1, count):
        here = parts == part
        held = np.where(here, pieces, 0)
        if len(np.unique(held[held > 0])) > 1:
            found |= missing & here & (_between(held) | _between(held.T).T)
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
    leaves the image is lost."""
    down, right = (_step(to, at) for to, at in zip(np.nonzero(own), np.nonzero(mask), strict=True))
    height, width = mask.shape
    moved = np.zeros(mask.shape, bool)
    source = (
        slice(max(0, -down), height - max(0, down)),
        slice(max(0, -right), width - max(0, right)),
    )
    target = (
        slice(max(0, down), height - max(0, -down)),
        slice(max(0, right), width - max(0, -right)),
    )
    moved[target] = mask[source]
    return moved


def _step(to: NDArray[np.int64], at: NDArray[np.int64]) -> int:
    """From one mean to another, rounded, halves up; by whole numbers, so that it is exact."""
    whole = len(to) * len(at)
    return (2 * (int(to.sum()) * len(at) - int(at.sum()) * len(to)) + whole) // (2 * whole)


def _window(mask: BinaryMask) -> tuple[slice, slice]:
    """The rows and columns that a mask has pixels in."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def _bytes(mask: BinaryMask) -> NDArray[np.uint8]:
    return np.ascontiguousarray(mask).view(np.uint8)
