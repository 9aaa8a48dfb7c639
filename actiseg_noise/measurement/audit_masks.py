"""Clean and noisy masks of a split side by side, in any of the layouts that noisy masks come in.

Ours, and every other dataset in the ActionVOS layout: ``ROOT/Annotations_Sparse/train/...``.
ActiSeg-NL's: ``ROOT/train/<sequence>/<frame>.png``, with ``<frame>_org.png`` for the clean mask of
every frame that changed. Those of most video datasets: ``ROOT/<sequence>/<frame>.png``.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from actiseg_data.annotations.masks import IndexMask, read_index_mask
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.listing import list_files, list_folders, sort_frames
from actiseg_data.core.names import format_name
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import MASKS, SUBSETS, Split, escape_name
from actiseg_data.layouts.mask_folders import FolderSplit
from actiseg_data.layouts.spelling import match_names
from actiseg_noise.measurement.mask_changes import (
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
    from the clean one. by_class: by class id. untouched: whether no mask differs. missing: frames
    without a noisy mask.
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


def find_mask_folders(noisy: Path) -> dict[str, Path] | None:
    """The folders of a noisy split's sequences, by name: in ``train/`` and ``val/``, or directly in
    the folder of masks. None without any; a split may have lost those of all sequences.
    """
    for root in (noisy / MASKS, noisy):
        if not root.is_dir():
            continue
        subsets = [root / subset for subset in SUBSETS if (root / subset).is_dir()]
        folders = {entry.name: entry.path for place in subsets for entry in list_folders(place)}
        plain = [entry for entry in list_folders(root) if entry.path not in subsets]
        folders |= {entry.name: entry.path for entry in plain if list_files(entry.path, ".png")}
        if subsets or folders:
            return folders
    return None


def has_clean_copies(folders: Mapping[str, Path]) -> bool:
    """Whether there is a ``<frame>_org.png``, as ActiSeg-NL writes them beside changed masks."""
    return any(list_files(folder, f"{_CLEAN_ENDING}.png") for folder in folders.values())


def audit_masks(
    noisy: Path,
    folders: Mapping[str, Path],
    clean: Split | FolderSplit | None,
    wanted: Set[str] | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> MaskAudit:
    """Measure the masks of a noisy split in the folders that `find_mask_folders` found.

    clean: the clean split, of which the wanted sequence folders, by default all, are looked at;
    None: those that are on disk, against the clean copies among them (`has_clean_copies`). Raises
    `InputError` if the clean split has none of the masks, and for ambiguous names and faulty masks.
    """
    if clean is not None:
        chosen = [of for of in clean.sequences if wanted is None or of.folder in wanted]
        tasks = _tasks_beside(noisy, folders, clean, chosen)
        if not any(task.pairs for task in tasks):
            held = ", ".join(map(format_name, sorted(folders)[:3])) or "no folder of a sequence"
            raise refuse(
                f"has no mask of the split {clean.name!r} (it holds {held})",
                noisy,
                "give another --split or --clean",
            )
    else:
        tasks = [_task_on_disk(name, folder) for name, folder in sorted(folders.items())]
    with stage("measuring masks") as progress:
        found = run_parallel(_measure, None, tasks, workers, progress)
    changes = tuple(change for of in found for change in of)
    items = [change.item for change in changes]

    def group(name: str, members: list[MaskItem]) -> MaskGroup:
        return group_of(name, touched_of(members), len(members))

    labelled = any(task.objects for task in tasks)
    classes = divided(items, lambda item: item.class_id) if labelled else {}
    return MaskAudit(
        changes=changes,
        all=group("all", items),
        positive=group("positive", [i for i in items if i.positive]) if labelled else None,
        others=group("others", [i for i in items if not i.positive]) if labelled else None,
        by_class={at: group(of[0].name, of) for at, of in sorted(classes.items())},
        untouched=not any(change.item.kind for change in changes),
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


def _tasks_beside(
    noisy: Path,
    folders: Mapping[str, Path],
    clean: Split | FolderSplit,
    sequences: Iterable[VideoSequence],
) -> list[_Task]:
    """The noisy masks of clean sequences, under any spelling that fits one of them alone."""
    names = {escape_name(sequence.folder): sequence for sequence in sequences}
    matches = match_names(names, folders.keys())
    problems = ProblemCollector()
    matches.add_clashes(noisy, problems)
    tasks = []
    for name, sequence in names.items():
        with problems.collect():
            folder = folders.get(matches.names.get(name, name))
            tasks.append(_task_beside(folder, clean, sequence))
    problems.raise_if_any()
    return tasks


def _task_beside(folder: Path | None, clean: Split | FolderSplit, sequence: VideoSequence) -> _Task:
    labels = {label.object_id: label for label in sequence.objects}
    ours = clean.find_masks(sequence)
    if folder is None:
        return _Task(sequence.folder, labels, (), len(ours), False)
    wanted = {f"{frame}.png": path for frame, path in zip(sequence.frames, ours, strict=True)}
    matches = match_names(wanted, {entry.name for entry in list_files(folder, ".png")})
    problems = ProblemCollector()
    matches.add_clashes(folder, problems)
    problems.raise_if_any()
    pairs = tuple(
        (path, folder / matches.names[name])
        for name, path in wanted.items()
        if name in matches.names
    )
    same = bool(pairs) and os.path.samefile(folder, ours[0].parent)
    return _Task(sequence.folder, labels, pairs, len(ours) - len(pairs), same)


def _task_on_disk(name: str, folder: Path) -> _Task:
    """A sequence as it is on disk; a frame without a clean copy did not change."""
    masks = [entry.path for entry in list_files(folder, ".png")]
    clean = {path.stem[: -len(_CLEAN_ENDING)]: path for path in masks if _is_clean(path)}
    noisy = {path.stem: path for path in masks if not _is_clean(path)}
    pairs = tuple((clean.get(frame, noisy[frame]), noisy[frame]) for frame in sort_frames(noisy))
    return _Task(name, {}, pairs, 0, False)


def _is_clean(path: Path) -> bool:
    return path.stem.endswith(_CLEAN_ENDING)


def _measure(shared: None, task: _Task) -> list[Change]:
    changes: list[Change] = []
    problems = ProblemCollector()
    for clean_path, noisy_path in task.pairs:
        with problems.collect():
            clean = read_index_mask(clean_path)
            noisy = clean if task.same else read_index_mask(noisy_path)
            if noisy.shape != clean.shape:
                raise refuse(
                    f"has {noisy.shape[1]} x {noisy.shape[0]} pixels, the clean mask "
                    f"{clean.shape[1]} x {clean.shape[0]}",
                    noisy_path,
                    "give the dataset that the noisy masks were made from as --clean",
                )
            frame = clean_path.stem.removesuffix(_CLEAN_ENDING)
            changes += _changes_of_frame(task, frame, clean, noisy)
    problems.raise_if_any()
    return changes


def _changes_of_frame(
    task: _Task, frame: str, clean: IndexMask, noisy: IndexMask
) -> Iterator[Change]:
    for change in object_changes(clean, noisy):
        label = task.objects.get(change.object_id)
        name = label.name if label else f"object {change.object_id}"
        class_id, positive = (label.class_id, label.positive) if label else (-1, False)
        place = (task.folder, frame, change.object_id)
        if change.lost or change.gained:
            moved = shift_of(clean, noisy, change.object_id)
            figures = (change.iou, change.area_ratio, moved)
            item = MaskItem(name, class_id, positive, change.area, "changed", *figures)
            yield Change(place, item, change.gained > 0, change.freed > 0)
        else:
            yield Change(place, MaskItem(name, class_id, positive, change.area))
