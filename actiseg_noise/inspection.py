"""What a noisy split really contains: realised rates, IoU, areas and boundary shifts by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from actiseg_data.masks import IndexMask
from actiseg_data.parallel import run
from actiseg_data.prepare.noun_classes import NounClasses, read_noun_classes
from actiseg_data.records import LEDGER_FILE, LedgerRow, Recipe, read_ledger
from actiseg_data.sequences import Sequence
from actiseg_noise.apply import eligible
from actiseg_noise.noisy_split import NoisySplit, open_noisy_split
from actiseg_noise.request import choose
from actiseg_noise.shift import BoundaryShift, boundary_shift
from actiseg_noise.stage import Stage, silent
from actiseg_noise.summary import SIZES, quantiles, size_of, wilson_interval

INSPECTION_SCHEMA = "actiseg/inspection/1"

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class Group:
    """Figures of some items; an item is an object in one frame.

    name: what the items have in common. items: eligible ones in sight. touched: those with noise;
    rate: their share. interval_95: of the rate (Wilson), None where the share was fixed beforehand.
    iou, area_ratio: of the touched objects on disk with the clean ones. shift, shift_absolute: see
    `actiseg_noise.shift.BoundaryShift`, in pixels of the mask. These four are quantiles as in
    `actiseg_noise.summary.quantiles`. vanished: touched objects without a pixel left, which have no
    shift. None stands for what needs the clean masks, where these are not at hand.
    """

    name: str
    items: int | None
    touched: int
    rate: float | None
    interval_95: tuple[float, float] | None
    iou: Mapping[str, Any]
    area_ratio: Mapping[str, Any] | None
    shift: Mapping[str, Any] | None
    shift_absolute: Mapping[str, Any] | None
    vanished: int | None

    def to_dict(self) -> dict[str, Any]:
        """The group as JSON."""
        interval = list(self.interval_95) if self.interval_95 else None
        return {**vars(self), "interval_95": interval}


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
class Inspection:
    """The realised noise of a split.

    sequences, frames: how many were looked at. all: all items as one group; by_kind: in each, the
    items are all eligible ones, since kinds are drawn among them. by_class: by class id, -1 where
    it is unknown. by_size: by clean area, see `actiseg_noise.summary.SIZES`. left_out: what could
    not be told, and why; it is None here.
    """

    recipe: Recipe
    sequences: int
    frames: int
    all: Group
    by_kind: tuple[Group, ...]
    by_class: Mapping[int, Group]
    by_supercategory: tuple[Group, ...] | None
    by_size: tuple[Group, ...]
    bystanders: Bystanders | None
    left_out: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document, of schema `INSPECTION_SCHEMA`; undefined numbers are None."""
        supercategories = self.by_supercategory
        return {
            "schema": INSPECTION_SCHEMA,
            "recipe": self.recipe.to_dict(),
            "recipe_digest": self.recipe.digest,
            "sequences": self.sequences,
            "frames": self.frames,
            "all": self.all.to_dict(),
            "by_kind": [group.to_dict() for group in self.by_kind],
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
            "by_supercategory": (
                None if supercategories is None else [group.to_dict() for group in supercategories]
            ),
            "by_size": [group.to_dict() for group in self.by_size],
            "bystanders": None if self.bystanders is None else dict(vars(self.bystanders)),
            "left_out": dict(self.left_out),
        }


def inspect(
    out: Path,
    source: Path | None = None,
    noun_classes: Path | None = None,
    only: Iterable[str] = (),
    workers: int = 1,
    stage: Stage = silent,
) -> Inspection:
    """Measure the noise of a split that `actiseg_noise.corrupt.corrupt` made.

    out: the noisy split. source: the clean dataset, by default where the split's summary says that
    it was; without it the figures are the ledger's, and those that need clean masks are left out.
    noun_classes: EPIC's ``EPIC_100_noun_classes_v2.csv``, for names and supercategories of classes.
    only: sequence folders to look at, instead of all. Raises `Refused` where files are missing or
    faulty, or masks and source do not fit; whether masks are what the ledger says is for `verify`.

    ::

        inspect(Path("dataset_visor_boundary_r0.4_s0")).to_dict()["all"]["shift"]["mean"]
    """
    split = open_noisy_split(out, source)
    table = None if noun_classes is None else read_noun_classes(noun_classes)
    sequences = choose(split.noisy, only)
    rows: dict[str, list[LedgerRow]] = {sequence.folder: [] for sequence in sequences}
    for row in read_ledger(out / LEDGER_FILE):
        if row.sequence in rows:
            rows[row.sequence].append(row)
    left_out: dict[str, str] = {}
    bystanders = None
    if split.clean is None:
        items = [item for sequence in sequences for item in _recorded(sequence, rows)]
        reason = f"needs the clean dataset, which is not at {split.expected}: give --source"
        for name in ("items", "rate", "area_ratio", "shift", "vanished", "bystanders"):
            left_out[name] = reason
    else:
        labels = {sequence.folder: sequence for sequence in split.clean.sequences}
        tasks = [(labels[seq.folder], tuple(rows[seq.folder])) for seq in sequences]
        with stage("measuring masks") as progress:
            found = run(_measure_sequence, split, tasks, workers, progress)
        items = [item for measured in found for item in measured.items]
        bystanders = _all_bystanders(found)
    if table is None or not table.supercategories:
        lack = "the noun-class table has no column 'category'"
        missing = "needs a noun-class table: give --noun-classes EPIC_100_noun_classes_v2.csv"
        left_out["by_supercategory"] = lack if table else missing
    return Inspection(
        recipe=split.recipe,
        sequences=len(sequences),
        frames=sum(len(sequence.frames) for sequence in sequences),
        all=_of_all(items, split),
        by_kind=_by_kind(items, split),
        by_class=_by_class(items, table, split),
        by_supercategory=(
            _by_supercategory(items, table, split) if table and table.supercategories else None
        ),
        by_size=_by_size(items, split),
        bystanders=bystanders,
        left_out=left_out,
    )


@dataclass(frozen=True)
class _Item:
    """One object of one frame. area: clean pixels. iou: None for an item without noise."""

    name: str
    class_id: int
    area: int
    kind: str | None = None
    iou: float | None = None
    area_ratio: float | None = None
    shift: BoundaryShift | None = None


@dataclass(frozen=True)
class _Measured:
    """What one sequence gives. bystanders: without the quantiles, which are taken of all `ious`."""

    items: list[_Item]
    tally: Counter[str]
    ious: list[float]


def _recorded(sequence: Sequence, rows: Mapping[str, list[LedgerRow]]) -> list[_Item]:
    """The touched items of a sequence as the ledger has them."""
    classes = {label.object_id: label.class_id for label in sequence.objects}
    return [
        _Item(row.object, classes.get(row.object_id, -1), row.area, row.kind, row.iou)
        for row in rows[sequence.folder]
    ]


def _measure_sequence(split: NoisySplit, task: tuple[Sequence, tuple[LedgerRow, ...]]) -> _Measured:
    sequence, rows = task
    measured = _Measured([], Counter(), [])
    for frame, (clean, noisy) in zip(sequence.frames, split.mask_pairs(sequence), strict=True):
        may = {label.object_id for label in eligible(sequence, frame, split.noise)}
        kinds = {row.object_id: row.kind for row in rows if row.frame == frame}
        area = np.bincount(clean.ravel(), minlength=256)
        changed = np.flatnonzero(clean != noisy)
        lost = np.bincount(clean.ravel()[changed], minlength=256)
        gained = np.bincount(noisy.ravel()[changed], minlength=256)
        for label in sequence.objects:
            at = label.object_id
            if not area[at]:
                continue
            iou = float((area[at] - lost[at]) / (area[at] + gained[at]))
            item = _Item(label.name, label.class_id, int(area[at]))
            if at in kinds:
                ratio = float((area[at] - lost[at] + gained[at]) / area[at])
                moved = _shift_of(clean, noisy, at)
                item = replace(item, kind=kinds[at], iou=iou, area_ratio=ratio, shift=moved)
            else:
                measured.tally.update(items=1, pixels=int(lost[at]))
                if lost[at]:
                    measured.tally.update(cut=1, vanished=int(iou == 0))
                    measured.ious.append(iou)
            if at in kinds or at in may:
                measured.items.append(item)
    return measured


def _shift_of(clean: IndexMask, noisy: IndexMask, object_id: int) -> BoundaryShift | None:
    """The shift of one object, measured in the window around it."""
    one, other = clean == object_id, noisy == object_id
    either = one | other
    window = tuple(
        slice(max(int(at[0]) - 1, 0), int(at[-1]) + 2)
        for at in (np.flatnonzero(either.any(axis=1)), np.flatnonzero(either.any(axis=0)))
    )
    return boundary_shift(one[window], other[window])


def _all_bystanders(found: list[_Measured]) -> Bystanders:
    tally = sum((measured.tally for measured in found), Counter[str]())
    return Bystanders(
        items=tally["items"],
        cut=tally["cut"],
        pixels=tally["pixels"],
        iou_of_cut=quantiles(iou for measured in found for iou in measured.ious),
        vanished=tally["vanished"],
    )


def _group(name: str, touched: list[_Item], items: int, split: NoisySplit) -> Group:
    """A group of `items` eligible items, of which some were touched."""
    ious = quantiles(item.iou for item in touched if item.iou is not None)
    if split.clean is None:
        return Group(name, None, len(touched), None, None, ious, None, None, None, None)
    interval = wilson_interval(len(touched), items)
    shifts = [item.shift for item in touched if item.shift is not None]
    return Group(
        name=name,
        items=items,
        touched=len(touched),
        rate=round(len(touched) / items, 6) if items else None,
        interval_95=(round(interval[0], 6), round(interval[1], 6)) if interval else None,
        iou=ious,
        area_ratio=quantiles(item.area_ratio for item in touched if item.area_ratio is not None),
        shift=quantiles(shift.signed for shift in shifts),
        shift_absolute=quantiles(shift.absolute for shift in shifts),
        vanished=sum(item.area_ratio == 0 for item in touched),
    )


def _touched(items: list[_Item]) -> list[_Item]:
    return [item for item in items if item.kind is not None]


def _of_all(items: list[_Item], split: NoisySplit) -> Group:
    group = _group("all", _touched(items), len(items), split)
    return replace(group, interval_95=None) if split.noise.exact else group


def _by_kind(items: list[_Item], split: NoisySplit) -> tuple[Group, ...]:
    of_kind = _divided(_touched(items), lambda item: str(item.kind))
    return tuple(_group(kind, of_kind[kind], len(items), split) for kind in sorted(of_kind))


def _by_class(items: list[_Item], table: NounClasses | None, split: NoisySplit) -> dict[int, Group]:
    """Groups by class id, ascending, under the table's name or the items' most frequent one."""
    groups = {}
    for class_id, members in sorted(_divided(items, lambda item: item.class_id).items()):
        used = Counter(item.name for item in members)
        name = min(used, key=lambda name: (-used[name], name))
        if table is not None:
            name = table.names.get(class_id, name)
        groups[class_id] = _group(name, _touched(members), len(members), split)
    return groups


def _by_supercategory(
    items: list[_Item], table: NounClasses, split: NoisySplit
) -> tuple[Group, ...]:
    of_group = _divided(
        items, lambda item: table.supercategories.get(item.class_id, "not in the table")
    )
    return tuple(
        _group(name, _touched(members), len(members), split)
        for name, members in sorted(of_group.items())
    )


def _by_size(items: list[_Item], split: NoisySplit) -> tuple[Group, ...]:
    of_size = _divided(items, lambda item: size_of(item.area))
    return tuple(
        _group(size, _touched(of_size.get(size, [])), len(of_size.get(size, [])), split)
        for size, _ in SIZES
    )


def _divided(items: list[_Item], of: Callable[[_Item], K]) -> dict[K, list[_Item]]:
    groups: dict[K, list[_Item]] = {}
    for item in items:
        groups.setdefault(of(item), []).append(item)
    return groups
