"""The noise of one mask, described object by object."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from actiseg_data.annotations.masks import VOID, IndexMask, find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.records.ledger_record import MaskRow
from actiseg_noise.mask_noise.object_plan import ObjectPlan
from actiseg_noise.mask_noise.outline_drawing import NoisyItem

APPEARED = "appeared"
"""The status of an object that only the noisy mask has."""


@dataclass(frozen=True)
class FrameNoise:
    """The noise of one mask of a frame.

    Attributes
    ----------
    frame : str
        Name of the frame.
    clean, mask : IndexMask
        The mask before and after the noise, (H, W) uint8.
    rows : tuple of MaskRow
        One ledger row for each noise of each noisy object.
    tally : Counter
        Counts: ``items`` (eligible objects that the frame shows), ``absent`` (eligible objects that
        it does not show), ``bystanders`` (objects without noise), ``bystanders_cut`` (bystanders
        that lost pixels to a noisy object), ``vanished`` (objects without a pixel left, although
        their noise changes outlines alone), ``void`` (1 if the mask has void pixels, which stay).
        Of noise of whole objects, in the first mask that it concerns: ``<kind>.items`` and
        ``<kind>.alone``, see `actiseg_noise.mask_noise.object_units.list_units`, and
        ``ghost.hidden`` (selected ghosts without a pixel).
    bystander_ious : tuple of float
        IoU with the clean mask of each bystander that was cut.
    """

    frame: str
    clean: IndexMask
    mask: IndexMask
    rows: tuple[MaskRow, ...]
    tally: Counter[str]
    bystander_ious: tuple[float, ...]


@dataclass(frozen=True)
class FrameChanges:
    """What was drawn in one frame.

    Attributes
    ----------
    items : mapping of int to NoisyItem
        Objects with a noisy outline.
    target_iou : float or None
        The target of the outlines.
    plan : ObjectPlan
        The noise of whole objects.
    ghosts : mapping of int to mapping
        What was drawn for each ghost.
    """

    items: Mapping[int, NoisyItem]
    target_iou: float | None = None
    plan: ObjectPlan = field(default_factory=ObjectPlan)
    ghosts: Mapping[int, Mapping[str, Any]] = field(default_factory=dict)

    def list_notes(self, object_id: int) -> list[tuple[str, dict[str, Any]]]:
        """List the kinds and parameters of the whole-object noise of an object, in order."""
        plan, notes = self.plan, list[tuple[str, dict[str, Any]]]()
        if object_id in plan.removed:
            notes.append(("missing", {}))
        sources = sorted(number for number, into in plan.merged.items() if into == object_id)
        if object_id in plan.merged:
            notes.append(("merge", {"into": plan.merged[object_id]}))
        elif sources:
            notes.append(("merge", {"from": sources}))
        if object_id in plan.swapped:
            notes.append(("swap", {"with": plan.swapped[object_id]}))
        if object_id in self.ghosts:
            notes.append(("ghost", dict(self.ghosts[object_id])))
        return notes


@dataclass(frozen=True)
class _ObjectPixels:
    """Pixels of one object: clean ones, those that it lost, and those that it gained."""

    area: int
    lost: int
    gained: int

    @property
    def left(self) -> int:
        return self.area - self.lost + self.gained

    @property
    def iou(self) -> float:
        union = self.area + self.gained
        return (self.area - self.lost) / union if union else 0.0


def describe_mask(
    sequence: VideoSequence,
    frame: str,
    masks: tuple[IndexMask, IndexMask],
    changes: FrameChanges,
    tally: Counter[str],
) -> FrameNoise:
    """Describe the noise of one mask, whose noisy pixels are known.

    Parameters
    ----------
    sequence : VideoSequence
        The labels of the sequence.
    frame : str
        The name of the frame.
    masks : tuple of IndexMask
        The mask before and after the noise.
    changes : FrameChanges
        What was drawn.
    tally : Counter of str
        Counts to add to.
    """
    clean, noisy = masks
    changed = np.flatnonzero(clean != noisy)
    lost = np.bincount(clean.ravel()[changed], minlength=256)
    gained = np.bincount(noisy.ravel()[changed], minlength=256)
    shown = find_ids(clean)
    present = [number for number in shown if number in sequence.object_ids]
    tally["void"] += VOID in shown and VOID not in present
    rows: list[MaskRow] = []
    cut = []
    for label in sorted(sequence.objects, key=lambda label: label.object_id):
        number = label.object_id
        item, notes = changes.items.get(number), changes.list_notes(number)
        out, into = int(lost[number]), int(gained[number])
        if number not in present and not (notes and into):
            continue
        if item is None and not notes:
            tally["bystanders"] += 1
            if not (out or into):
                continue
        area = item.area if item else int(np.count_nonzero(clean == number))
        pixels = _ObjectPixels(area, out, into)
        tally["vanished"] += not notes and pixels.left == 0
        if item is not None or notes:
            rows += _make_rows(sequence, frame, label, pixels, changes)
        else:
            tally["bystanders_cut"] += 1
            cut.append(pixels.iou)
    return FrameNoise(frame, clean, noisy, tuple(rows), tally, tuple(cut))


def _make_rows(
    sequence: VideoSequence,
    frame: str,
    label: ObjectLabel,
    pixels: _ObjectPixels,
    changes: FrameChanges,
) -> list[MaskRow]:
    """Make the rows of one object, in the order in which its noises were applied."""
    on_disk = round(pixels.iou, 6)
    rows = [
        MaskRow(
            sequence=sequence.folder,
            frame=frame,
            object_id=label.object_id,
            object=label.name,
            kind=kind,
            parameters=parameters,
            status="fixed" if pixels.area else APPEARED,
            iou_target=None,
            iou_drawn=on_disk,
            iou=on_disk,
            area=pixels.area,
            area_ratio=round(pixels.left / pixels.area, 6) if pixels.area else 0.0,
        )
        for kind, parameters in changes.list_notes(label.object_id)
    ]
    item = changes.items.get(label.object_id)
    if item is not None:  # an object that is left out has no outline, so this row is the first
        outline = item.outline
        row = MaskRow(
            sequence=sequence.folder,
            frame=frame,
            object_id=label.object_id,
            object=label.name,
            kind=item.kind,
            parameters=outline.details,
            status=outline.status,
            iou_target=changes.target_iou,
            iou_drawn=round(outline.iou, 6),
            iou=on_disk,
            area=item.area,
            area_ratio=round(int(outline.patch.mask.sum()) / item.area, 6),
        )
        rows.insert(0, row)
    return rows
