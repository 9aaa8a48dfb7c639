"""Inspection of the mask noise of a split that this toolkit made."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from actiseg_data.annotations.lexicon import Lexicon
from actiseg_data.annotations.masks import find_ids
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.annotations.sizes import SIZES, classify_size
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.statistics import summarise_values
from actiseg_data.core.workers import run_parallel
from actiseg_data.records.ledger_record import (
    LEDGER_FILE,
    MaskRow,
    name_kinds,
    read_mask_rows,
)
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise.mask_noise.item_selection import AppearanceTracker, list_eligible_objects
from actiseg_noise.mask_noise.selection_draws import list_file_noises
from actiseg_noise.measurement.grouping import (
    ClassNames,
    find_class_names,
    group_by,
    group_by_class,
)
from actiseg_noise.measurement.mask_changes import (
    MaskGroup,
    MaskItem,
    measure_changes,
    measure_object_shift,
    select_touched,
    summarise_items,
)
from actiseg_noise.measurement.medium_result import MediumResult
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.split.noisy_split import NoisySplit


@dataclass(frozen=True)
class InspectionTask:
    """What to inspect, and how.

    Attributes
    ----------
    split : NoisySplit
        The noisy split, with its clean source if that is available.
    sequences : tuple of VideoSequence
        The sequences to inspect.
    lexicon : Lexicon
        For names and supercategories of the classes of action lists.
    workers : int
        Number of processes.
    stage : StageProgress
        Shows progress.
    """

    split: NoisySplit
    sequences: tuple[VideoSequence, ...]
    lexicon: Lexicon
    workers: int
    stage: StageProgress


@dataclass(frozen=True)
class Bystanders:
    """Visible objects without noise of their own.

    Attributes
    ----------
    items : int
        All such objects, counted once in each frame.
    cut : int
        Objects that lost pixels to a noisy neighbour.
    pixels : int
        Pixels that they lost.
    iou_of_cut : mapping
        Quantiles of the IoU of cut objects with the clean objects.
    vanished : int
        Cut objects without a pixel left.
    """

    items: int
    cut: int
    pixels: int
    iou_of_cut: Mapping[str, Any]
    vanished: int


@dataclass(frozen=True)
class MaskInspection:
    """The realised mask noise of a split.

    Attributes
    ----------
    all : MaskGroup
        All items as one group.
    by_kind : tuple of MaskGroup
        By kind of noise. The items of every group are all eligible items, because the kind is drawn
        among them.
    by_class : mapping of int to MaskGroup
        By class id, -1 if the class is unknown. Empty if no class is known.
    by_supercategory : tuple of MaskGroup
        By the supercategories of the lexicon, or of the dataset's own categories; empty if there
        are none.
    by_size : tuple of MaskGroup
        By clean area, see `actiseg_data.annotations.sizes.SIZES`.
    bystanders : Bystanders or None
        None without the source.
    """

    all: MaskGroup
    by_kind: tuple[MaskGroup, ...]
    by_class: Mapping[int, MaskGroup]
    by_supercategory: tuple[MaskGroup, ...]
    by_size: tuple[MaskGroup, ...]
    bystanders: Bystanders | None

    def to_dict(self) -> dict[str, Any]:
        """Return the inspection as JSON; undefined numbers are None."""
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


_NEEDS_SOURCE = ("items", "rate", "area_ratio", "shift", "vanished", "bystanders")


def inspect_masks(task: InspectionTask) -> MediumResult[MaskInspection]:
    """Measure the noise in the masks of a split; without its source, as its ledger has it."""
    recipe = task.split.recipe
    rows = _read_rows(task)
    classes = find_class_names(task.split.noisy, task.lexicon)
    if task.split.clean is None:
        items = [item for sequence in task.sequences for item in _list_recorded(sequence, rows)]
        reason = f"needs the clean dataset, which is not at {task.split.expected}: give `source`"
        return MediumResult(
            _group_items(items, recipe, classes, None, measured=False),
            dict.fromkeys(_NEEDS_SOURCE, reason),
        )
    jobs = [
        (task.split.find_labelled(seq.folder), tuple(rows[seq.folder])) for seq in task.sequences
    ]
    with task.stage("measuring masks") as progress:
        measurements = run_parallel(_measure_sequence, task.split, jobs, task.workers, progress)
    items = [item for measurement in measurements for item in measurement.items]
    bystanders = _summarise_bystanders(measurements)
    return MediumResult(_group_items(items, recipe, classes, bystanders, measured=True))


def _read_rows(task: InspectionTask) -> dict[str, list[MaskRow]]:
    """Read the ledger's rows of the task's sequences, by sequence folder."""
    rows: dict[str, list[MaskRow]] = {sequence.folder: [] for sequence in task.sequences}
    for row in read_mask_rows(task.split.noisy.root / LEDGER_FILE):
        if row.sequence in rows:
            rows[row.sequence].append(row)
    return rows


def _group_items(
    items: list[MaskItem],
    recipe: Recipe,
    classes: ClassNames,
    bystanders: Bystanders | None,
    *,
    measured: bool,
) -> MaskInspection:
    def summarise(name: str, members: list[MaskItem]) -> MaskGroup:
        return summarise_items(name, select_touched(members), len(members), measured=measured)

    noises = list_file_noises(recipe)
    # The interval is for a share of items that are selected independently.
    dependent = any(noise.exact or has_clip_units(noise) for noise in noises)

    def limit(group: MaskGroup) -> MaskGroup:
        return replace(group, interval_95=None) if dependent else group

    whole = summarise("all", items)
    by_kind = group_by(select_touched(items), lambda item: str(item.kind))
    by_size = group_by(items, lambda item: classify_size(item.area))
    by_class = group_by_class(items, lambda item: item.class_id)
    grouped = group_by(items, lambda item: classes.name_supercategory(item.class_id))
    by_supercategory = {name: members for name, members in grouped.items() if name is not None}
    return MaskInspection(
        all=limit(whole),
        by_kind=tuple(
            limit(summarise_items(kind, by_kind[kind], len(items), measured=measured))
            for kind in sorted(by_kind)
        ),
        by_class={
            class_id: summarise(
                classes.name_class(class_id, (item.name for item in members)), members
            )
            for class_id, members in by_class.items()
        },
        by_supercategory=tuple(
            summarise(name, by_supercategory[name]) for name in sorted(by_supercategory)
        ),
        by_size=tuple(summarise(size, by_size.get(size, [])) for size, _ in SIZES),
        bystanders=bystanders,
    )


@dataclass(frozen=True)
class _SequenceMeasurement:
    """Items of one sequence, and counts and IoUs of its bystanders."""

    items: list[MaskItem]
    tally: Counter[str]
    ious: list[float]


def _list_recorded(sequence: VideoSequence, rows: Mapping[str, list[MaskRow]]) -> list[MaskItem]:
    """List the touched items of a sequence as the ledger has them."""
    labels = {label.object_id: label for label in sequence.objects}
    items = []
    kinds = name_kinds(rows[sequence.folder])
    # All rows of an object in a frame have one IoU on disk.
    single = {(row.frame, row.object_id): row for row in rows[sequence.folder]}
    for row in single.values():
        label = labels.get(row.object_id)
        class_id, positive = (label.class_id, label.positive) if label else (-1, False)
        kind = kinds[row.sequence, row.frame, row.object_id]
        items.append(MaskItem(row.object, class_id, positive, row.area, kind, row.iou))
    return items


def _measure_sequence(
    split: NoisySplit, job: tuple[VideoSequence, tuple[MaskRow, ...]]
) -> _SequenceMeasurement:
    sequence, rows = job
    measurement = _SequenceMeasurement([], Counter(), [])
    labels = {label.object_id: label for label in sequence.objects}
    appearances = AppearanceTracker()
    for view, (clean, noisy) in zip(
        sequence.views, split.iterate_mask_pairs(sequence), strict=True
    ):
        frame = view.frame
        clean_ids = find_ids(clean)
        new = appearances.find_new(clean_ids)
        selectable = {
            label.object_id
            for noise in list_file_noises(split.recipe)
            for label in list_eligible_objects(sequence, frame, noise, new)
        }
        shown = {label.object_id for label in view.objects}
        of_view = [row for row in rows if row.frame == frame and row.object_id in shown]
        kinds = {item[2]: kind for item, kind in name_kinds(of_view).items()}
        lacking = [row for row in of_view if row.object_id not in clean_ids]
        measurement.items.extend(_list_appeared(lacking, labels, kinds))
        for change in measure_changes(clean, noisy):
            object_id = change.object_id
            if object_id not in labels:  # void
                continue
            label = labels[object_id]
            item = MaskItem(label.name, label.class_id, label.positive, change.area)
            if object_id in kinds:
                item = replace(
                    item,
                    kind=kinds[object_id],
                    iou=change.iou,
                    area_ratio=change.area_ratio,
                    shift=measure_object_shift(clean, noisy, object_id),
                )
            else:
                measurement.tally.update(items=1, pixels=change.lost)
                if change.lost:
                    measurement.tally.update(cut=1, vanished=int(change.iou == 0))
                    measurement.ious.append(change.iou)
            if object_id in kinds or object_id in selectable:
                measurement.items.append(item)
    return measurement


def _list_appeared(
    rows: list[MaskRow], labels: Mapping[int, ObjectLabel], kinds: Mapping[int, str]
) -> list[MaskItem]:
    """List the objects of a view that the clean mask lacks."""
    appeared = {row.object_id: row for row in rows if not row.area}
    return [
        MaskItem(
            row.object, labels[number].class_id, labels[number].positive, 0, kinds[number], row.iou
        )
        for number, row in appeared.items()
        if number in labels
    ]


def _summarise_bystanders(measurements: list[_SequenceMeasurement]) -> Bystanders:
    tally = sum((measurement.tally for measurement in measurements), Counter[str]())
    return Bystanders(
        items=tally["items"],
        cut=tally["cut"],
        pixels=tally["pixels"],
        iou_of_cut=summarise_values(
            iou for measurement in measurements for iou in measurement.ious
        ),
        vanished=tally["vanished"],
    )
