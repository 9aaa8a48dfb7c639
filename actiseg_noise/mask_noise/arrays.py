"""Mask noise for one array, without a dataset on disk."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from actiseg_data.annotations.masks import IndexMask, as_index_mask
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import check_known, refuse, suggest
from actiseg_data.records.ledger_record import MaskRow
from actiseg_noise.mask_noise.item_selection import list_eligible_objects
from actiseg_noise.mask_noise.outline_drawing import FrameTask
from actiseg_noise.mask_noise.sequence_masks import corrupt_frame
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import OBJECTS, list_kinds
from actiseg_noise.recipes.plain_values import check_seed, to_plain

_SEQUENCE, _FRAME = "array", "mask"
"""Identity of a mask that comes without a sequence and a frame."""

_MOST_IDS = 255
"""Most objects of one mask: noise is made on masks of 8 bits."""


def corrupt_mask(
    mask: Any,
    kind: str,
    *,
    target_iou: float | None = None,
    radius: float | None = None,
    seed: int = 0,
    rate: float = 1.0,
    objects: str | Iterable[int] | None = None,
    overlap: str = "contest",
    sequence: VideoSequence | None = None,
    frame: str | None = None,
    **parameters: Any,
) -> tuple[NDArray[Any], tuple[MaskRow, ...]]:
    """Return an index mask with noise, and one ledger row for each noisy object.

    The noise is deterministic: it depends on the arguments alone. With `sequence` and `frame`, the
    result equals pixel for pixel what `corrupt` writes for that frame with the same settings.
    Without them every mask has the same identity, so masks of equal content get equal noise. Give
    each image its own `frame` (or `seed`) to make their noise independent.

    Parameters
    ----------
    mask : array_like
        (H, W) array of any integer dtype or bool; each pixel has the id of its object, 0 for the
        background. Ids above 255 are accepted as long as there are at most 255 objects. The array
        is not changed.
    kind : str
        Kind of mask noise, such as ``dilate`` or ``boundary``; ``actiseg-noise types`` lists all.
    target_iou : float, optional
        IoU with the clean object that each noisy object is calibrated to, from 0.05 to 1. The
        default is 0.8, for the kinds that have a target and unless `radius` is given.
    radius : float, optional
        Pixels by which outlines move, instead of `target_iou`; for ``jitter`` the root mean square
        of the displacement.
    seed : int
        Random seed, 0 to 2**63 - 1.
    rate : float
        Share of the objects that get noise, in [0, 1]. Each object is selected on its own.
    objects : str or iterable of int, optional
        Ids of the objects that may get noise, or ``all`` objects of the mask. The default,
        ``positive``, means the active objects of `sequence`, as for `corrupt`, or all objects of
        the mask if no sequence is given.
    overlap : str
        Rule for pixels that several objects claim: ``contest``, ``reference``, ``ascending`` or
        ``background``.
    sequence : VideoSequence, optional
        The sequence that the mask belongs to. Its labels name the objects; ids of the mask without
        a label get no noise.
    frame : str, optional
        Name of the frame: one of ``sequence.frames`` if `sequence` is given, else any text.
    **parameters
        Other parameters of the kind, such as ``minimum_area`` or ``size``. ``first_frame`` spares
        objects in the first frame of `sequence` alone, because other masks are not known.

    Returns
    -------
    noisy : ndarray
        (H, W) array with the ids of `mask`, in its dtype; uint8 for an input that is not a NumPy
        array.
    rows : tuple of MaskRow
        One row for each noisy object, by ascending id: what was drawn, and the IoU with the clean
        object before and after overlaps were resolved.

    Raises
    ------
    InputError
        If `mask` is not an (H, W) array of integers, or if another argument is invalid.

    Examples
    --------
    >>> mask = np.zeros((40, 40), np.int32)
    >>> mask[10:30, 10:30] = 1000
    >>> noisy, rows = corrupt_mask(mask, "dilate", target_iou=0.7, seed=3)
    >>> noisy.dtype, np.unique(noisy).tolist(), round(rows[0].iou, 1)
    (dtype('int32'), [0, 1000], 0.7)
    """
    _check_kind(kind)
    given = {"target_iou": target_iou, "radius": radius}
    given = {name: value for name, value in given.items() if value is not None} | parameters
    positive = objects is None or (isinstance(objects, str) and objects == "positive")
    recipe = make_recipe(
        kind,
        to_plain(rate),
        seed=check_seed(seed),
        parameters=to_plain(given),
        objects="positive" if positive else "all",
        overlap=overlap,
    )
    noise = recipe.mask_noise
    assert noise is not None, "the kind was checked"
    numbered = _number_ids(mask)
    sequence, frame = _identify(numbered, sequence, frame)
    # Without the other masks, objects that come late are known only in the first frame.
    is_first = frame == sequence.frames[0]
    new = frozenset(numbered.numbers.values()) if is_first else frozenset[int]()
    task = FrameTask(recipe.seed, noise, sequence, frame, new)
    eligible = _choose_objects(task, numbered, objects)
    result = corrupt_frame(task, numbered.mask, eligible, noise.rate)
    rows = [replace(row, object_id=int(numbered.ids[row.object_id])) for row in result.rows]
    return numbered.ids[result.mask].astype(numbered.dtype, copy=False), tuple(rows)


def _check_kind(kind: str) -> None:
    known = list_kinds("masks")
    if kind not in known:
        raise refuse(
            f"{kind!r} is not a kind of mask noise{suggest(str(kind), known)}",
            "`kind`",
            f"use one of {', '.join(known)}",
        )


@dataclass(frozen=True)
class _NumberedMask:
    """A mask whose ids fit 8 bits.

    Attributes
    ----------
    mask : IndexMask
        (H, W) uint8.
    ids : ndarray
        (256,) the original id of each id.
    dtype : dtype
        That of the original.
    """

    mask: IndexMask
    ids: NDArray[Any]
    dtype: np.dtype[Any]

    @property
    def numbers(self) -> dict[int, int]:
        """The ids of `mask` by original id."""
        present = np.flatnonzero(np.bincount(self.mask.ravel(), minlength=256)).tolist()
        return {int(self.ids[number]): number for number in present if number}


def _number_ids(mask: Any) -> _NumberedMask:
    """Give the objects of a mask ids from 1 on if their ids exceed 255, in the same order.

    The order matters because ties between overlapping objects go to the lower id.
    """
    wide = isinstance(mask, np.ndarray) and mask.ndim == 2 and mask.size and mask.dtype.kind in "iu"
    wide = wide and not np.ma.is_masked(mask)
    if wide and mask.min() < 0:
        raise refuse(
            f"has the value {mask.min()}; object ids are 0 or more",
            "`mask`",
            "give each object a positive id, and the background 0",
        )
    if not wide or mask.max() <= _MOST_IDS:
        index_mask = as_index_mask(mask)
        dtype = mask.dtype if isinstance(mask, np.ndarray) else index_mask.dtype
        return _NumberedMask(index_mask, np.arange(256), dtype)
    known = np.unique(mask)
    known = known[known != 0]
    if len(known) > _MOST_IDS:
        raise refuse(
            f"has {len(known)} objects, more than {_MOST_IDS}",
            "`mask`",
            "add noise to a part of the objects at a time",
        )
    ids = np.zeros(256, mask.dtype)
    ids[1 : len(known) + 1] = known
    numbers = np.searchsorted(ids[: len(known) + 1], mask).astype(np.uint8)
    return _NumberedMask(np.ascontiguousarray(numbers), ids, mask.dtype)


def _identify(
    numbered: _NumberedMask, sequence: VideoSequence | None, frame: str | None
) -> tuple[VideoSequence, str]:
    """Return the sequence, with object ids as in the numbered mask, and the frame."""
    numbers = numbered.numbers
    if sequence is None:
        frame = _FRAME if frame is None else to_plain(frame)
        if not isinstance(frame, (str, int)):
            raise refuse(f"{frame!r} is not the name of a frame", "`frame`", "give any text")
        labels = tuple(
            ObjectLabel(number, str(object_id), -1, positive=True, handbox=False, narration=False)
            for object_id, number in numbers.items()
        )
        return (
            VideoSequence(_SEQUENCE, 0, "", 0, 0, "", "", -1, "", -1, (frame,), labels),
            frame,
        )
    if not isinstance(sequence, VideoSequence):
        raise refuse(
            f"{sequence!r} is not a VideoSequence",
            "`sequence`",
            "give a sequence of actiseg_data.open_split, or leave it out",
        )
    frame = str(frame)
    hint = "give one of `sequence.frames`"
    check_known([frame], sequence.frames, "frame", "`frame`", hint, sequence.folder)
    labels = tuple(
        replace(label, object_id=numbers[label.object_id])
        for label in sequence.objects
        if label.object_id in numbers
    )
    return replace(sequence, objects=labels), frame


def _choose_objects(
    task: FrameTask, numbered: _NumberedMask, objects: str | Iterable[int] | None
) -> list[ObjectLabel]:
    """Return the labels of the objects that may get noise."""
    eligible = list_eligible_objects(task.sequence, task.frame, task.noise, task.new)
    if objects is None or (isinstance(objects, str) and objects in OBJECTS):
        return eligible
    try:
        wanted = {operator.index(object_id) for object_id in objects}  # type: ignore[arg-type]
    except TypeError:
        raise refuse(
            f"{objects!r} is not a collection of object ids",
            "`objects`",
            "give ids such as [1, 2], or 'all' or 'positive'",
        ) from None
    chosen = {number for object_id, number in numbered.numbers.items() if object_id in wanted}
    return [label for label in eligible if label.object_id in chosen]
