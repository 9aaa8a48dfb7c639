"""The masks of an imported noisy split: pure functions from clean masks and differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from actiseg_data.annotations.masks import IndexMask, find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.records.ledger_record import MaskRow
from actiseg_noise.mask_noise.frame_noise import APPEARED, FrameNoise
from actiseg_noise.mask_noise.mask_differences import apply_difference
from actiseg_noise.recipes.kind_specs import IMPORTED

MEASURED = "measured"
"""The status of a changed object."""


def import_sequence(
    sequence: VideoSequence, masks: Iterable[IndexMask], changes: Mapping[str, bytes]
) -> Iterator[FrameNoise]:
    """Apply the differences of an imported noisy split to one sequence, frame by frame.

    Parameters
    ----------
    sequence : VideoSequence
        The labels of the sequence.
    masks : iterable of IndexMask
        Its clean masks, (H, W) uint8, in the order of ``sequence.frames``.
    changes : mapping of str to bytes
        The packed difference of each frame that changed, see
        `actiseg_noise.mask_noise.mask_differences`.

    Yields
    ------
    FrameNoise
        The noise of each frame, in order.

    Raises
    ------
    InputError
        If a difference is damaged, or is for a mask of another size.
    """
    for frame, clean in zip(sequence.frames, masks, strict=True):
        packed = changes.get(frame, b"")
        noisy = apply_difference(clean, packed, f"{sequence.folder}, {frame}")
        yield compare_frame(sequence, frame, clean, noisy)


def compare_frame(
    sequence: VideoSequence, frame: str, clean: IndexMask, noisy: IndexMask
) -> FrameNoise:
    """Describe the noise of a frame whose noisy mask is known.

    An object that gained pixels or lost some to the background is an item with noise. Objects that
    only lost pixels to neighbours are bystanders that were cut, as with noise of this toolkit. An
    object that only the noisy mask has is an item with noise as well; its IoU, its clean area and
    its area ratio are 0. Void pixels, those of `VOID` if no object has this id, count as
    background.

    Parameters
    ----------
    sequence : VideoSequence
        The labels of the sequence.
    frame : str
        The name of the frame.
    clean, noisy : IndexMask
        (H, W) uint8, with listed ids and void pixels only.
    """
    changed = np.flatnonzero(clean != noisy)
    before, after = clean.ravel()[changed], noisy.ravel()[changed]
    lost, gained = np.bincount(before, minlength=256), np.bincount(after, minlength=256)
    is_object = np.isin(np.arange(256), [*sequence.object_ids])
    freed = np.bincount(before[~is_object[after]], minlength=256)
    areas = np.bincount(clean.ravel(), minlength=256)
    present = {*find_ids(clean), *(np.flatnonzero(gained[1:]) + 1).tolist()}
    tally: Counter[str] = Counter()
    rows, cut = [], []
    for label in sorted(sequence.objects, key=lambda label: label.object_id):
        object_id = label.object_id
        if object_id not in present:
            tally["absent"] += 1
            continue
        tally["items"] += 1
        area, out, into = (int(counts[object_id]) for counts in (areas, lost, gained))
        tally["vanished"] += area - out + into == 0
        if not (into or freed[object_id]):
            tally["bystanders"] += 1
            tally["bystanders_cut"] += out > 0
            cut.extend([(area - out) / area] if out else [])
            continue
        iou = round((area - out) / (area + into), 6)
        row = MaskRow(
            sequence=sequence.folder,
            frame=frame,
            object_id=object_id,
            object=label.name,
            kind=IMPORTED,
            parameters={},
            status=MEASURED if area else APPEARED,
            iou_target=None,
            iou_drawn=iou,
            iou=iou,
            area=area,
            area_ratio=round((area - out + into) / area, 6) if area else 0.0,
        )
        rows.append(row)
    return FrameNoise(frame, clean, noisy, tuple(rows), tally, tuple(cut))
