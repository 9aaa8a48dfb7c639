"""What a noisy split of this toolkit really contains: realised rates, IoU, shifts, words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon, load_lexicon
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.annotations.sizes import SIZES, classify_size
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.statistics import summarise_values
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.records.split_records import LEDGER_FILE, MaskRow, Noise, Recipe, read_mask_rows
from actiseg_noise.corruption.request import choose
from actiseg_noise.mask_noise.sequence_masks import list_eligible_objects
from actiseg_noise.measurement.mask_changes import (
    MaskGroup,
    MaskItem,
    class_name,
    divided,
    group_of,
    object_changes,
    shift_of,
    supercategory_of,
    touched_of,
)
from actiseg_noise.measurement.word_changes import WordFigures, word_figures
from actiseg_noise.split.noisy_split import NoisySplit, open_noisy_split
from actiseg_noise.split.wordings import read_word_items

INSPECTION_SCHEMA = "actiseg/inspection/2"


@dataclass(frozen=True)
class Bystanders:
    """Objects in sight that got no noise.

    cut: those that lost pixels to a touched neighbour; pixels: how many in all. iou_of_cut:
    quantiles of what they kept. vanished: those that have no pixel left.
    """

    items: int
    cut: int
    pixels: int
    iou_of_cut: Mapping[str, Any]
    vanished: int


@dataclass(frozen=True)
class MaskInspection:
    """The realised mask noise.

    all: all items as one group; by_kind: in each, the items are all eligible ones, since kinds are
    drawn among them. by_class: by class id, -1 where it is unknown. by_supercategory: by the
    lexicon's. by_size: by clean area, see `actiseg_data.annotations.sizes.SIZES`. bystanders: None without
    the source.
    """

    all: MaskGroup
    by_kind: tuple[MaskGroup, ...]
    by_class: Mapping[int, MaskGroup]
    by_supercategory: tuple[MaskGroup, ...]
    by_size: tuple[MaskGroup, ...]
    bystanders: Bystanders | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON; undefined numbers are None."""
        return {
            "all": self.all.to_dict(),
            "by_kind": [group.to_dict() for group in self.by_kind],
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
            "by_supercategory": [group.to_dict() for group in self.by_supercategory],
            "by_size": [group.to_dict() for group in self.by_size],
            "bystanders": None if self.bystanders is None else dict(vars(self.bystanders)),
        }


@dataclass(frozen=True)
class Inspection:
    """The realised noise of a split.

    sequences, frames: how many were looked at. masks, text: None where the recipe has no such
    noise. left_out: what could not be told, and why; it is None here.
    """

    recipe: Recipe
    sequences: int
    frames: int
    masks: MaskInspection | None
    text: WordFigures | None
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `INSPECTION_SCHEMA`."""
        return {
            "schema": INSPECTION_SCHEMA,
            "recipe": self.recipe.to_dict(),
            "recipe_digest": self.recipe.digest,
            "sequences": self.sequences,
            "frames": self.frames,
            "masks": None if self.masks is None else self.masks.to_dict(),
            "text": None if self.text is None else self.text.to_dict(),
            "left_out": dict(self.left_out),
        }


def inspect(
    out: Path,
    source: Path | None = None,
    only: Iterable[str] = (),
    workers: int = 1,
    stage: StageProgress = ignore_progress,
    lexicon: Lexicon | None = None,
) -> Inspection:
    """Measure the noise of a split that `actiseg_noise.corruption.corruption.corrupt` made.

    out: the noisy split. source: the clean dataset, by default where the split's summary says that
    it was; without it the figures of masks are the ledger's, and those that need clean masks are
    left out. lexicon: for names, supercategories and similarities of classes, by default the one
    that the split carries, or the installed one. only: sequence folders to look at, instead of all.
    Raises `InputError` where files are missing or faulty, or masks and source do not fit; whether
    masks and words are what the ledger says is for `verify`.

    ::

        inspect(Path("dataset_visor_boundary_r0.4_s0")).to_dict()["masks"]["all"]["shift"]["mean"]
    """
    split = open_noisy_split(out, source)
    known = lexicon or split.lexicon or load_lexicon()
    sequences = choose(split.noisy, only)
    left_out: dict[str, str] = {}
    masks = words = None
    if split.recipe.mask_noise is not None:
        masks = _mask_figures(split, split.recipe.mask_noise, sequences, known, workers, stage)
        if split.clean is None:
            reason = f"needs the clean dataset, which is not at {split.expected}: give --source"
            for name in ("items", "rate", "area_ratio", "shift", "vanished", "bystanders"):
                left_out[name] = reason
    text = split.recipe.text_noise
    if text is not None and text.scope == "narration":
        left_out["text"] = "only narrations changed; the ledger has them, `audit` counts them"
    elif text is not None:
        folders = {sequence.folder for sequence in sequences}
        items = read_word_items(out / IMAGE_SETS, split.recipe.split, None)
        words = word_figures([item for item in items if item.sequence in folders], known, None)
    return Inspection(
        recipe=split.recipe,
        sequences=len(sequences),
        frames=sum(len(sequence.frames) for sequence in sequences),
        masks=masks,
        text=words,
        left_out=left_out,
    )


def _mask_figures(
    split: NoisySplit,
    noise: Noise,
    sequences: tuple[VideoSequence, ...],
    lexicon: Lexicon,
    workers: int,
    stage: StageProgress,
) -> MaskInspection:
    rows: dict[str, list[MaskRow]] = {sequence.folder: [] for sequence in sequences}
    for row in read_mask_rows(split.noisy.root / LEDGER_FILE):
        if row.sequence in rows:
            rows[row.sequence].append(row)
    bystanders = None
    if split.clean is None:
        items = [item for sequence in sequences for item in _recorded(sequence, rows)]
    else:
        labels = {sequence.folder: sequence for sequence in split.clean.sequences}
        tasks = [(labels[seq.folder], tuple(rows[seq.folder])) for seq in sequences]
        with stage("measuring masks") as progress:
            found = run_parallel(_measure_sequence, (split, noise), tasks, workers, progress)
        items = [item for measured in found for item in measured.items]
        bystanders = _all_bystanders(found)
    measured = split.clean is not None

    def group(name: str, members: list[MaskItem]) -> MaskGroup:
        return group_of(name, touched_of(members), len(members), measured=measured)

    whole = group("all", items)
    of_kind = divided(touched_of(items), lambda item: str(item.kind))
    of_size = divided(items, lambda item: classify_size(item.area))
    of_group = divided(items, lambda item: supercategory_of(item.class_id, lexicon))
    of_class = divided(items, lambda item: item.class_id)
    return MaskInspection(
        all=replace(whole, interval_95=None) if noise.exact else whole,
        by_kind=tuple(
            group_of(kind, of_kind[kind], len(items), measured=measured) for kind in sorted(of_kind)
        ),
        by_class={
            class_id: group(class_name(class_id, lexicon, _names(members)), members)
            for class_id, members in sorted(of_class.items())
        },
        by_supercategory=tuple(group(name, of_group[name]) for name in sorted(of_group)),
        by_size=tuple(group(size, of_size.get(size, [])) for size, _ in SIZES),
        bystanders=bystanders,
    )


def _names(items: list[MaskItem]) -> list[str]:
    return [item.name for item in items]


@dataclass(frozen=True)
class _Measured:
    """What one sequence gives. tally, ious: of bystanders, whose quantiles are taken of all."""

    items: list[MaskItem]
    tally: Counter[str]
    ious: list[float]


def _recorded(sequence: VideoSequence, rows: Mapping[str, list[MaskRow]]) -> list[MaskItem]:
    """The touched items of a sequence as the ledger has them."""
    labels = {label.object_id: label for label in sequence.objects}
    items = []
    for row in rows[sequence.folder]:
        label = labels.get(row.object_id)
        class_id, positive = (label.class_id, label.positive) if label else (-1, False)
        items.append(MaskItem(row.object, class_id, positive, row.area, row.kind, row.iou))
    return items


def _measure_sequence(
    shared: tuple[NoisySplit, Noise], task: tuple[VideoSequence, tuple[MaskRow, ...]]
) -> _Measured:
    (split, noise), (sequence, rows) = shared, task
    measured = _Measured([], Counter(), [])
    labels = {label.object_id: label for label in sequence.objects}
    for frame, (clean, noisy) in zip(sequence.frames, split.mask_pairs(sequence), strict=True):
        may = {label.object_id for label in list_eligible_objects(sequence, frame, noise)}
        kinds = {row.object_id: row.kind for row in rows if row.frame == frame}
        for change in object_changes(clean, noisy):
            at = change.object_id
            label = labels[at]
            item = MaskItem(label.name, label.class_id, label.positive, change.area)
            if at in kinds:
                item = replace(
                    item,
                    kind=kinds[at],
                    iou=change.iou,
                    area_ratio=change.area_ratio,
                    shift=shift_of(clean, noisy, at),
                )
            else:
                measured.tally.update(items=1, pixels=change.lost)
                if change.lost:
                    measured.tally.update(cut=1, vanished=int(change.iou == 0))
                    measured.ious.append(change.iou)
            if at in kinds or at in may:
                measured.items.append(item)
    return measured


def _all_bystanders(found: list[_Measured]) -> Bystanders:
    tally = sum((measured.tally for measured in found), Counter[str]())
    return Bystanders(
        items=tally["items"],
        cut=tally["cut"],
        pixels=tally["pixels"],
        iou_of_cut=summarise_values(iou for measured in found for iou in measured.ious),
        vanished=tally["vanished"],
    )
