"""Clean and noisy masks of a split side by side, in any of the layouts that noisy masks come in.

Ours, and every other dataset in the ActionVOS layout: ``ROOT/Annotations_Sparse/train/...``.
ActiSeg-NL's: ``ROOT/train/<sequence>/<frame>.png``, with ``<frame>_org.png`` for the clean mask of
every frame that changed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from actiseg_data.errors import refuse
from actiseg_data.layouts.actionvos import MASKS, SUBSETS, Split, disk_name, sequence_folder
from actiseg_data.masks import read_index_mask
from actiseg_data.parallel import run
from actiseg_data.sequences import ObjectLabel, Sequence
from actiseg_data.stage import Stage, silent
from actiseg_noise.measured import (
    MaskGroup,
    MaskItem,
    divided,
    group_of,
    object_changes,
    shift_of,
    touched_of,
)

_CLEAN_ENDING = "_org"


class Change(NamedTuple):
    """What became of one object of one frame.

    place: sequence folder, frame, object id. gained, freed: whether it took pixels, and whether it
    lost some to the background. An object that noise did not touch does neither: it only loses
    pixels to neighbours. A tuple, because there is one for every object of every frame.
    """

    place: tuple[str, str, int]
    item: MaskItem
    gained: bool = False
    freed: bool = False


@dataclass(frozen=True)
class MaskAudit:
    """What noise did to the masks of a split; an item is an object in one frame.

    changes: of all items. all, positive, others: all items, those of active objects, and the rest,
    which are None where nothing tells which are active; ``touched`` are those whose mask differs
    from the clean one. by_class: by class id. untouched: whether the masks are the clean ones' own
    files. missing: frames without a noisy mask.
    """

    changes: tuple[Change, ...]
    all: MaskGroup
    positive: MaskGroup | None
    others: MaskGroup | None
    by_class: Mapping[int, MaskGroup]
    untouched: bool
    missing: int

    def to_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "all": self.all.to_dict(),
            "positive": None if self.positive is None else self.positive.to_dict(),
            "others": None if self.others is None else self.others.to_dict(),
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
            "untouched": self.untouched,
            "missing": self.missing,
        }


def mask_root(noisy: Path) -> Path | None:
    """The folder of a noisy split that has ``train/`` or ``val/`` with masks; None without."""
    for root in (noisy / MASKS, noisy):
        if any((root / subset).is_dir() for subset in SUBSETS):
            return root
    return None


def has_clean_copies(root: Path) -> bool:
    """Whether there is a ``<frame>_org.png``, as ActiSeg-NL writes them beside changed masks."""
    return any(True for subset in SUBSETS for _ in (root / subset).glob(f"*/*{_CLEAN_ENDING}.png"))


def audit_masks(
    root: Path,
    clean: Split | None,
    wanted: Set[str] | None = None,
    workers: int = 1,
    stage: Stage = silent,
) -> MaskAudit:
    """Measure the masks under a root that `mask_root` found.

    clean: the clean split, of which the wanted sequence folders, by default all, are looked at;
    None: those that are on disk, against the clean copies among them (`has_clean_copies`). Raises
    `Refused` where the clean split has none of the masks, and for faulty masks.
    """
    if clean is not None:
        chosen = [of for of in clean.sequences if wanted is None or of.folder in wanted]
        tasks = [_task_beside(root, clean, sequence) for sequence in chosen]
        if not any(task.pairs for task in tasks):
            raise refuse(
                f"has no mask of the split {clean.name!r}", root, "give another --split or --clean"
            )
    else:
        tasks = list(_tasks_on_disk(root))
    with stage("measuring masks") as progress:
        found = run(_measure, None, tasks, workers, progress)
    changes = tuple(change for of in found for change in of)
    items = [change.item for change in changes]

    def group(name: str, members: list[MaskItem]) -> MaskGroup:
        return group_of(name, touched_of(members), len(members))

    labelled = clean is not None
    classes = divided(items, lambda item: item.class_id) if labelled else {}
    return MaskAudit(
        changes=changes,
        all=group("all", items),
        positive=group("positive", [i for i in items if i.positive]) if labelled else None,
        others=group("others", [i for i in items if not i.positive]) if labelled else None,
        by_class={at: group(of[0].name, of) for at, of in sorted(classes.items())},
        untouched=all(task.same for task in tasks if task.pairs),
        missing=sum(task.missing for task in tasks),
    )


@dataclass(frozen=True)
class _Task:
    """The masks of one sequence: pairs of clean and noisy files. same: they are the same files."""

    folder: str
    objects: Mapping[int, ObjectLabel]
    pairs: tuple[tuple[Path, Path], ...]
    missing: int
    same: bool


def _task_beside(root: Path, clean: Split, sequence: Sequence) -> _Task:
    subset = clean.subsets[sequence.folder]
    theirs = root / subset / disk_name(sequence.folder)
    if root.name == MASKS:
        theirs = sequence_folder(root.parent, MASKS, subset, sequence.folder)
    ours = clean.folder(MASKS, sequence)
    files = [(ours / f"{frame}.png", theirs / f"{frame}.png") for frame in sequence.frames]
    pairs = tuple(pair for pair in files if pair[1].is_file())
    labels = {label.object_id: label for label in sequence.objects}
    same = theirs.is_dir() and os.path.samefile(theirs, ours)
    return _Task(sequence.folder, labels, pairs, len(files) - len(pairs), same)


def _tasks_on_disk(root: Path) -> Iterable[_Task]:
    """The sequences on disk; a frame without a clean copy did not change."""
    for subset in SUBSETS:
        for folder in sorted(path for path in (root / subset).glob("*") if path.is_dir()):
            masks = sorted(path for path in folder.glob("*.png"))
            clean = {p.stem[: -len(_CLEAN_ENDING)]: p for p in masks if _is_clean(p)}
            noisy = [path for path in masks if not _is_clean(path)]
            pairs = tuple((clean.get(path.stem, path), path) for path in noisy)
            yield _Task(folder.name, {}, pairs, 0, False)


def _is_clean(path: Path) -> bool:
    return path.stem.endswith(_CLEAN_ENDING)


def _measure(shared: None, task: _Task) -> list[Change]:
    changes = []
    for clean_path, noisy_path in task.pairs:
        clean = read_index_mask(clean_path)
        noisy = clean if task.same else read_index_mask(noisy_path)
        if noisy.shape != clean.shape:
            raise refuse(
                f"has {noisy.shape[1]} x {noisy.shape[0]} pixels, the clean mask "
                f"{clean.shape[1]} x {clean.shape[0]}",
                noisy_path,
                "give the dataset that the noisy masks were made from as --clean",
            )
        for change in object_changes(clean, noisy):
            label = task.objects.get(change.object_id)
            name = label.name if label else f"object {change.object_id}"
            class_id, positive = (label.class_id, label.positive) if label else (-1, False)
            place = (task.folder, noisy_path.stem, change.object_id)
            if change.lost or change.gained:
                moved = shift_of(clean, noisy, change.object_id)
                figures = (change.iou, change.area_ratio, moved)
                item = MaskItem(name, class_id, positive, change.area, "changed", *figures)
                changes.append(Change(place, item, change.gained > 0, change.freed > 0))
            else:
                changes.append(Change(place, MaskItem(name, class_id, positive, change.area)))
    return changes
