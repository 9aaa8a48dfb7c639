"""The mask noise of a sequence: pure functions from clean masks to noisy masks and ledger rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from actiseg_data.annotations.masks import IndexMask, as_index_mask, find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.keys import Key, draw_integer, draw_uniform, make_key
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.recipe_record import Noise, Recipe
from actiseg_noise.mask_noise.contours import ObjectMask, find_object
from actiseg_noise.mask_noise.noisy_outline import NoisyOutline
from actiseg_noise.mask_noise.outline_kinds import find_outline_kind
from actiseg_noise.mask_noise.overlap import ADVANTAGE, OVERLAPS, PixelClaim


@dataclass(frozen=True)
class FrameNoise:
    """The noise of one frame.

    Attributes
    ----------
    frame : str
        Name of the frame.
    clean, mask : IndexMask
        The index mask before and after the noise, (H, W) uint8.
    rows : tuple of MaskRow
        One ledger row for each noisy object.
    tally : Counter
        Counts: ``items`` (eligible objects that the frame shows), ``absent`` (eligible objects that
        it does not show), ``bystanders`` (objects without noise), ``bystanders_cut`` (bystanders
        that lost pixels to a noisy object), ``vanished`` (objects without a pixel left).
    bystander_ious : tuple of float
        IoU with the clean mask of each bystander that was cut.
    """

    frame: str
    clean: IndexMask
    mask: IndexMask
    rows: tuple[MaskRow, ...]
    tally: Counter[str]
    bystander_ious: tuple[float, ...]


def list_eligible_objects(sequence: VideoSequence, frame: str, noise: Noise) -> list[ObjectLabel]:
    """Return the objects that a noise may change in a frame, including those out of sight."""
    if noise.parameters.get("first_frame") == "clean" and frame == sequence.frames[0]:
        return []
    return [label for label in sequence.objects if label.positive or noise.objects == "all"]


_SELECTION = 1
"""Algorithm of the selection. It is separate from the algorithms of the kinds, so that a kind whose
pixels improve still selects the same items."""

_PURPOSE = "boundary"
"""The purpose of all draws of mask noise begins with this word, not only those of its kind."""


def make_item_key(
    seed: int, algorithm: int, purpose: str, sequence: VideoSequence, frame: str, label: ObjectLabel
) -> Key:
    """Make the key of one draw for one object of one frame, from the item's identity alone."""
    return make_key(seed, algorithm, purpose, *sequence.identity, frame, label.identity)


def draw_selection(seed: int, sequence: VideoSequence, frame: str, label: ObjectLabel) -> float:
    """Draw the uniform number in [0, 1) that decides whether an item gets noise.

    The item gets noise if and only if the number is below the rate. The number is the same for all
    kinds of mask noise and for all rates, so a higher rate selects the same items and more.
    """
    return draw_uniform(
        make_item_key(seed, _SELECTION, f"{_PURPOSE}.select", sequence, frame, label)
    )


def corrupt_sequence(
    sequence: VideoSequence,
    masks: Iterable[IndexMask],
    recipe: Recipe,
    threshold: float | None = None,
) -> Iterator[FrameNoise]:
    """Apply the mask noise of a recipe to one sequence, frame by frame.

    The function is pure: it reads and writes no file, and it does not change `masks`. It takes the
    masks one at a time, so a long sequence needs no more memory than a short one.

    Parameters
    ----------
    sequence : VideoSequence
        The labels of the sequence. Its identity decides the noise.
    masks : iterable of IndexMask
        The clean index masks in the order of ``sequence.frames``, each an (H, W) array of integers;
        see `as_index_mask`.
    recipe : Recipe
        A checked recipe with mask noise.
    threshold : float, optional
        Items with a selection draw below it get noise. The default is the rate of the recipe. An
        exact recipe needs the threshold that `actiseg_noise.corruption.split_plan.make_plan`
        computes for the whole split.

    Yields
    ------
    FrameNoise
        The noise of each frame, in order.

    Raises
    ------
    InputError
        If the recipe has no mask noise, or if a mask is not an index mask.

    Examples
    --------
    >>> import numpy as np
    >>> from actiseg_noise.recipes.building import make_recipe
    >>> cup = ObjectLabel(1, "cup", 13, positive=True, handbox=True, narration=True)
    >>> sequence = VideoSequence("00000001_P01_01_take_cup", 1, "P01_01", 1, 9, "take cup", "take",
    ...                          0, "cup", 13, ("frame_0000000001",), (cup,))
    >>> mask = np.zeros((40, 40), np.uint8); mask[10:30, 10:30] = 1
    >>> (noisy,) = corrupt_sequence(sequence, [mask], make_recipe("dilate", 1.0))
    >>> round(noisy.rows[0].iou, 1)
    0.8
    """
    noise = recipe.mask_noise
    if noise is None:
        raise refuse("has no mask noise", "`recipe`", "apply its text noise instead")
    limit = noise.rate if threshold is None else threshold
    for frame, mask in zip(sequence.frames, masks, strict=True):
        clean = as_index_mask(mask, f"masks, {frame}")
        eligible = list_eligible_objects(sequence, frame, noise)
        yield corrupt_frame(FrameTask(recipe.seed, noise, sequence, frame), clean, eligible, limit)


@dataclass(frozen=True)
class FrameTask:
    """Everything but the mask that decides the noise of one frame: seed, noise and identity."""

    seed: int
    noise: Noise
    sequence: VideoSequence
    frame: str


@dataclass(frozen=True)
class _NoisyItem:
    """One selected item: its noisy outline, the pixels that it claims, and its clean area."""

    label: ObjectLabel
    area: int
    kind: str
    outline: NoisyOutline
    claim: PixelClaim


def corrupt_frame(
    task: FrameTask, clean: IndexMask, eligible: Sequence[ObjectLabel], threshold: float
) -> FrameNoise:
    """Apply mask noise to one frame.

    Parameters
    ----------
    task : FrameTask
        Seed, noise, sequence and frame.
    clean : IndexMask
        (H, W) uint8.
    eligible : sequence of ObjectLabel
        The objects that may get noise.
    threshold : float
        Items with a selection draw below it get noise.
    """
    present = [number for number in find_ids(clean) if number in task.sequence.object_ids]
    tally: Counter[str] = Counter()
    items: dict[int, _NoisyItem] = {}
    for label in eligible:
        if label.object_id not in present:
            tally["absent"] += 1
            continue
        tally["items"] += 1
        selected = threshold >= 1 or threshold > draw_selection(
            task.seed, task.sequence, task.frame, label
        )
        if selected:
            items[label.object_id] = _draw_item(task, label, find_object(clean, label.object_id))
    positives = frozenset(label.object_id for label in task.sequence.objects if label.positive)
    claims = [item.claim for item in items.values()]
    resolve = OVERLAPS[task.noise.overlap or "contest"]
    noisy = resolve(clean, claims, positives) if claims else clean.copy()

    changed = np.flatnonzero(clean != noisy)
    lost = np.bincount(clean.ravel()[changed], minlength=256)
    gained = np.bincount(noisy.ravel()[changed], minlength=256)
    rows, cut = [], []
    for object_id in present:
        item, out, into = items.get(object_id), int(lost[object_id]), int(gained[object_id])
        if item is None:
            tally["bystanders"] += 1
            if not (out or into):
                continue
        area = item.area if item else int(np.count_nonzero(clean == object_id))
        on_disk = (area - out) / (area + into)
        tally["vanished"] += area - out + into == 0
        if item:
            rows.append(_make_row(task, item, on_disk))
        else:
            tally["bystanders_cut"] += 1
            cut.append(on_disk)
    return FrameNoise(task.frame, clean, noisy, tuple(rows), tally, tuple(cut))


def _draw_item(task: FrameTask, label: ObjectLabel, clean: ObjectMask) -> _NoisyItem:
    """Draw the noisy outline of one item."""
    noise = task.noise

    def make(purpose: str) -> Key:
        purpose = f"{_PURPOSE}.{purpose}"
        return make_item_key(task.seed, noise.algorithm, purpose, task.sequence, task.frame, label)

    kind = noise.kind
    if "kinds" in noise.parameters:  # a mixture
        kinds = noise.parameters["kinds"]
        kind = kinds[draw_integer(make("kind"), len(kinds))]
    outline = find_outline_kind(kind)(clean, noise.parameters, make)
    contested = noise.overlap == "contest"  # the other rules use no advantage
    advantage = ADVANTAGE * draw_uniform(make("advantage")) if contested else 0.0
    claim = PixelClaim(label.object_id, outline.patch, advantage)
    return _NoisyItem(label, clean.area, kind, outline, claim)


def _make_row(task: FrameTask, item: _NoisyItem, on_disk: float) -> MaskRow:
    outline = item.outline
    return MaskRow(
        sequence=task.sequence.folder,
        frame=task.frame,
        object_id=item.label.object_id,
        object=item.label.name,
        kind=item.kind,
        parameters=outline.details,
        status=outline.status,
        iou_target=task.noise.parameters.get("target_iou"),
        iou_drawn=round(outline.iou, 6),
        iou=round(on_disk, 6),
        area=item.area,
        area_ratio=round(int(outline.patch.mask.sum()) / item.area, 6),
    )
