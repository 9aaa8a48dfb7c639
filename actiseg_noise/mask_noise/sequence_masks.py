"""The noise of a sequence: a pure function from clean masks to noisy masks and ledger rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import IndexMask, as_index_mask, find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key
from actiseg_data.records.split_records import MaskRow, Noise, Recipe
from actiseg_noise.mask_noise.contours import ObjectMask, find_object
from actiseg_noise.mask_noise.noisy_outline import NoisyOutline
from actiseg_noise.mask_noise.outline_kinds import KINDS
from actiseg_noise.mask_noise.overlap import ADVANTAGE, OVERLAPS, PixelClaim


@dataclass(frozen=True)
class FrameNoise:
    """What became of one frame.

    frame: its name. clean, mask: the index mask before and after, (H, W) uint8. rows: one for each
    touched object. tally: counts of what was seen: ``items`` (eligible objects in sight),
    ``absent`` (eligible objects not in the frame), ``bystanders`` (objects in sight that were not
    touched), ``bystanders_cut`` (of these, those that lost pixels to a touched one), ``vanished``
    (objects that have no pixel left).
    bystander_ious: IoU with the clean mask of each bystander that was cut.
    """

    frame: str
    clean: IndexMask
    mask: IndexMask
    rows: tuple[MaskRow, ...]
    tally: Counter[str]
    bystander_ious: tuple[float, ...]


def list_eligible_objects(sequence: VideoSequence, frame: str, noise: Noise) -> list[ObjectLabel]:
    """The objects of a frame that a noise may touch, in sight or not."""
    if noise.parameters.get("first_frame") == "clean" and frame == sequence.frames[0]:
        return []
    return [label for label in sequence.objects if label.positive or noise.objects == "all"]


_SELECTION = 1
"""Algorithm of the selection. Its own, so that a kind that gets better pixels touches the same."""


def make_item_key(
    seed: int, algorithm: int, purpose: str, sequence: VideoSequence, frame: str, label: ObjectLabel
) -> Key:
    """The key of one draw for one object of one frame: what it is, never where it stands."""
    return make_key(seed, algorithm, purpose, *sequence.identity, frame, label.name)


def draw_selection(seed: int, sequence: VideoSequence, frame: str, label: ObjectLabel) -> float:
    """The uniform number in [0, 1) that decides whether an item is touched: iff it is below the
    rate. The same for all boundary kinds, and for all rates: higher rates touch the same and more.
    """
    return draw_uniform(make_item_key(seed, _SELECTION, "boundary.select", sequence, frame, label))


def corrupt_sequence(
    sequence: VideoSequence,
    masks: Iterable[IndexMask],
    recipe: Recipe,
    threshold: float | None = None,
) -> Iterator[FrameNoise]:
    """Apply a recipe's mask noise to one sequence, frame by frame. Pure: no file is read or
    written, the masks stay as they are.

    masks: the clean index masks in frame order, see `as_index_mask`; taken one at a time, so a long
    clip needs no more memory than a short one. threshold: selection draws below it are touched;
    None: the recipe's rate (an exact recipe needs the threshold that `actiseg_noise.corruption.split_plan.make_plan`
    finds for the whole split).

    >>> import numpy as np
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> clip = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take", 0,
    ...                 "cup", 13, ("frame_0000000001",), (cup,))
    >>> mask = np.zeros((40, 40), np.uint8); mask[10:30, 10:30] = 1
    >>> (noisy,) = corrupt_sequence(clip, [mask], make_recipe("dilate", 1.0))
    >>> round(noisy.rows[0].iou, 1)
    0.8
    """
    noise = recipe.mask_noise
    if noise is None:
        raise refuse("has no mask noise", "recipe", "apply its text noise instead")
    limit = noise.rate if threshold is None else threshold
    for frame, mask in zip(sequence.frames, masks, strict=True):
        clean = as_index_mask(mask, f"masks, {frame}")
        yield _corrupt_frame(sequence, frame, clean, recipe, noise, limit)


def _corrupt_frame(
    sequence: VideoSequence,
    frame: str,
    clean: IndexMask,
    recipe: Recipe,
    noise: Noise,
    limit: float,
) -> FrameNoise:
    present = find_ids(clean)
    tally: Counter[str] = Counter()
    touched: dict[int, _NoisyItem] = {}
    for label in list_eligible_objects(sequence, frame, noise):
        if label.object_id not in present:
            tally["absent"] += 1
            continue
        tally["items"] += 1
        if limit >= 1 or draw_selection(recipe.seed, sequence, frame, label) < limit:
            whole = find_object(clean, label.object_id)
            touched[label.object_id] = _draw_item(recipe, noise, sequence, frame, label, whole)
    positives = frozenset(label.object_id for label in sequence.objects if label.positive)
    claims = [item.claim for item in touched.values()]
    settle = OVERLAPS[noise.overlap or "contest"]
    noisy = settle(clean, claims, positives) if claims else clean.copy()

    changed = np.flatnonzero(clean != noisy)
    lost = np.bincount(clean.ravel()[changed], minlength=256)
    gained = np.bincount(noisy.ravel()[changed], minlength=256)
    rows, cut = [], []
    for object_id in present:
        item, out, into = touched.get(object_id), int(lost[object_id]), int(gained[object_id])
        if item is None:
            tally["bystanders"] += 1
            if not (out or into):
                continue
        area = item.area if item else int(np.count_nonzero(clean == object_id))
        on_disk = (area - out) / (area + into)
        tally["vanished"] += area - out + into == 0
        if item:
            rows.append(_make_row(sequence, frame, noise, item, on_disk))
        else:
            tally["bystanders_cut"] += 1
            cut.append(on_disk)
    return FrameNoise(frame, clean, noisy, tuple(rows), tally, tuple(cut))


@dataclass(frozen=True)
class _NoisyItem:
    """One selected item: what was drawn for it and what it claims. area: of the clean object."""

    label: ObjectLabel
    area: int
    kind: str
    outline: NoisyOutline
    claim: PixelClaim


def _draw_item(
    recipe: Recipe,
    noise: Noise,
    sequence: VideoSequence,
    frame: str,
    label: ObjectLabel,
    clean: ObjectMask,
) -> _NoisyItem:
    """Draw the noisy outline of one item."""

    def draw(purpose: str) -> Key:
        name = f"boundary.{purpose}"
        return make_item_key(recipe.seed, noise.algorithm, name, sequence, frame, label)

    parameters = noise.parameters
    kind = noise.kind
    if "kinds" in parameters:  # a mixture
        kinds = parameters["kinds"]
        kind = kinds[draw_integer(draw("kind"), len(kinds))]
    outline = KINDS[kind](clean, parameters, draw)
    contested = noise.overlap == "contest"  # no other rule asks for an advantage
    advantage = ADVANTAGE * draw_uniform(draw("advantage")) if contested else 0.0
    claim = PixelClaim(label.object_id, outline.patch, advantage)
    return _NoisyItem(label, clean.area, kind, outline, claim)


def _make_row(
    sequence: VideoSequence, frame: str, noise: Noise, item: _NoisyItem, on_disk: float
) -> MaskRow:
    outline = item.outline
    return MaskRow(
        sequence=sequence.folder,
        frame=frame,
        object_id=item.label.object_id,
        object=item.label.name,
        kind=item.kind,
        parameters=outline.details,
        status=outline.status,
        iou_target=noise.parameters.get("target_iou"),
        iou_drawn=round(outline.iou, 6),
        iou=round(on_disk, 6),
        area=item.area,
        area_ratio=round(int(outline.patch.mask.sum()) / item.area, 6),
    )
