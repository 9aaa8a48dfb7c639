"""Audit of noisy masks in any layout."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from actiseg_data.annotations.masks import (
    VOID,
    IndexMask,
    check_same_size,
    find_ids,
    read_index_mask,
)
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.names import format_name
from actiseg_data.core.plurals import count_nouns
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.dataset_opening import is_recorded
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.opening import has_source, open_masks, open_split
from actiseg_data.records.ledger_record import LEDGER_FILE
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.measurement.audit_input import AuditInput
from actiseg_noise.measurement.grouping import group_by_class
from actiseg_noise.measurement.mask_changes import (
    MaskGroup,
    MaskItem,
    measure_changes,
    measure_object_shift,
    select_touched,
    summarise_items,
)
from actiseg_noise.measurement.mask_pairs import (
    CLEAN_ENDING,
    MaskPairs,
    find_mask_folders,
    has_clean_copies,
    pair_with_copies,
    pair_with_split,
)
from actiseg_noise.measurement.medium_result import MediumResult
from actiseg_noise.measurement.proportions import Proportion
from actiseg_noise.recipes.spec_finding import has_clip_units
from actiseg_noise.split.noisy_documents import read_documents
from actiseg_noise.split.noisy_split import NoisySplit, find_source_root, open_noisy_split
from actiseg_noise.split.text_items import NoisyList

MaskPlace: TypeAlias = "tuple[str, str, int]"
"""Sequence folder, frame and object id."""


class MaskChange(NamedTuple):
    """How one object of one frame changed. A tuple, because there are very many.

    Attributes
    ----------
    place : tuple of (str, str, int)
        Sequence folder, frame and object id.
    item : MaskItem
        The object, with its metrics if it changed.
    gained : bool
        Whether the object gained pixels. An object without noise only loses pixels to neighbours.
    freed : bool
        Whether it lost pixels to the background.
    cleared, moved : bool
        Whether it lost more than half of its pixels to the background, or to other objects.
    """

    place: tuple[str, str, int]
    item: MaskItem
    gained: bool = False
    freed: bool = False
    cleared: bool = False
    moved: bool = False


@dataclass(frozen=True)
class MaskAudit:
    """The noise in the masks of a split; an item is an object in one frame.

    In the groups, ``touched`` counts items whose mask differs from the clean mask.

    Attributes
    ----------
    changes : tuple of MaskChange
        One for each item.
    all : MaskGroup
        All items.
    positive, inactive : MaskGroup or None
        Items of active objects, and the others. None if no list says which objects are active.
    by_class : mapping of int to MaskGroup
        By class id; empty if no class is known.
    untouched : bool
        Whether no mask differs.
    missing : int
        Frames without a noisy mask.
    appeared : frozenset of (str, str, int)
        Sequence folder, frame and id of the listed objects that only the noisy mask shows.
    """

    changes: tuple[MaskChange, ...]
    all: MaskGroup
    positive: MaskGroup | None
    inactive: MaskGroup | None
    by_class: Mapping[int, MaskGroup]
    untouched: bool
    missing: int
    appeared: frozenset[MaskPlace] = frozenset()

    def to_dict(self) -> dict[str, Any]:
        """Return the audit as JSON."""
        return {
            "all": self.all.to_dict(),
            "positive": None if self.positive is None else self.positive.to_dict(),
            "others": None if self.inactive is None else self.inactive.to_dict(),
            "by_class": [
                {"class_id": class_id, **group.to_dict()}
                for class_id, group in self.by_class.items()
            ],
            "untouched": self.untouched,
            "missing": self.missing,
            "appeared": len(self.appeared),
        }


def audit_masks(task: AuditInput) -> MediumResult[MaskAudit]:
    """Measure the masks of a split; without a value if it has none or no clean masks are known."""
    if is_recorded(task.noisy):
        return _audit_copy(task)
    folders = find_mask_folders(task.noisy)
    if folders is None:
        return MediumResult()
    try:
        clean = _open_clean(task)
    except InputError as error:
        if task.clean is not None:
            raise
        return MediumResult(left_out={"masks": error.problems[0].what})
    if clean is None and not has_clean_copies(folders):
        return MediumResult(left_out={"masks": _explain_missing_clean_masks(task)})
    audit = _measure_pairs(_pair_masks(task, folders, clean), task)
    left_out = {}
    if audit.positive is None:
        left_out["claims on masks"] = (
            "it is not known which objects are active: give a clean dataset with action lists as "
            "`clean`"
        )
    lacking = _count_lacking_frames(task.action_list, clean)
    if lacking:
        left_out[f"masks of {count_nouns(lacking, 'frame')}"] = "the clean dataset lacks them"
    return MediumResult(audit, left_out, "clean copies" if clean is None else str(clean.root))


def _audit_copy(task: AuditInput) -> MediumResult[MaskAudit]:
    """Measure the masks of a noisy copy of a dataset without action lists."""
    root = find_source_root(task.noisy, task.clean)
    if task.clean is None and not has_source(root, task.noisy, str(task.split)):
        return MediumResult(left_out={"masks": _explain_missing_clean_masks(task)})
    split = open_noisy_split(task.noisy, root)
    with task.stage("measuring masks") as progress:
        measured = run_parallel(_measure_copy, split, split.noisy.sequences, task.workers, progress)
    audit = _build_audit(measured, has_labels=True, missing=0)
    return MediumResult(audit, {}, str(root))


def _measure_copy(
    split: NoisySplit, sequence: VideoSequence
) -> tuple[list[MaskChange], list[MaskPlace]]:
    changes: list[MaskChange] = []
    appeared: list[MaskPlace] = []
    for view, (clean, noisy) in zip(
        sequence.views, split.iterate_mask_pairs(sequence), strict=True
    ):
        labels = {label.object_id: label for label in view.objects}
        changes += _measure_frame(sequence.folder, labels, view.frame, clean, noisy)
        appeared += _find_appeared(sequence.folder, labels, view.frame, clean, noisy)
    return changes, appeared


def _find_appeared(
    folder: str,
    objects: Mapping[int, ObjectLabel],
    frame: str,
    clean: IndexMask,
    noisy: IndexMask,
) -> list[MaskPlace]:
    """Find the objects of a frame that only the noisy mask shows."""
    new = set(find_ids(noisy)) - set(find_ids(clean))
    return [(folder, frame, object_id) for object_id in sorted(new & objects.keys())]


def read_ledger_shares(task: AuditInput) -> dict[str, Proportion]:
    """Read which share of the items each noise changes, by the ledger of a split of this toolkit.

    It stands in for a measurement where no clean masks are known.

    Returns
    -------
    dict of str to Proportion
        By `Noise.place`; empty if the split has no noise in masks, or no ledger.
    """
    recipe = task.recipe
    if recipe is None or not (task.noisy / LEDGER_FILE).is_file():
        return {}
    shares = {}
    documents = read_documents(task.noisy, recipe)
    summary = Cursor(documents.summary, SUMMARY_FILE)
    if recipe.outline_noise is not None:
        rows = documents.outline_rows
        share = Proportion(summary["noise"]["items"].as_integer(), len(rows))
        if has_clip_units(recipe.outline_noise):
            share = Proportion(len(documents.folders), len({row.sequence for row in rows}))
        shares[recipe.outline_noise.place] = share
    for noise in recipe.object_noises:
        counts = summary["objects"][noise.kind]
        shares[noise.place] = Proportion(
            counts["items"].as_integer(), counts["selected"].as_integer()
        )
    return shares


def _open_clean(task: AuditInput) -> MaskSplit | None:
    """Open the split, or the folder of masks, to compare masks with; None if there is none."""
    if task.clean is not None and not list_splits(task.clean):
        return open_masks(task.clean)
    if task.split is None:
        return None
    if task.clean is not None:
        return open_split(task.clean, task.split)
    if task.recipe is not None and (task.noisy / SUMMARY_FILE).is_file():
        root = find_source_root(task.noisy, None)
        if (root / IMAGE_SETS / f"{task.split}.json").is_file():
            return open_split(root, task.split)
    return None


def _explain_missing_clean_masks(task: AuditInput) -> str:
    if task.recipe is not None and (task.noisy / SUMMARY_FILE).is_file():
        root = find_source_root(task.noisy, None)
        where = f"the clean dataset that they were made from is not at {root}"
        return f"{where}; give it as `clean` to measure them"
    return "has no clean masks (neither frame_org.png nor a known source)"


def _count_lacking_frames(action_list: NoisyList | None, clean: MaskSplit | None) -> int:
    """Count the frames of a split's own list that the clean dataset lacks."""
    if action_list is None or clean is None:
        return 0
    known = {(sequence.folder, frame) for sequence in clean.sequences for frame in sequence.frames}
    return sum(
        (sequence.folder, frame) not in known
        for sequence in action_list.sequences
        for frame in sequence.frames
    )


def _pair_masks(
    task: AuditInput, folders: Mapping[str, Path], clean: MaskSplit | None
) -> list[MaskPairs]:
    """Pair the noisy masks with those of the clean split, or with the clean copies next to them."""
    if clean is None:
        return pair_with_copies(folders)
    sequences = clean.sequences
    if task.action_list is not None:
        wanted = {sequence.folder for sequence in task.action_list.sequences}
        sequences = tuple(sequence for sequence in sequences if sequence.folder in wanted)
    sequence_pairs = pair_with_split(task.noisy, folders, clean, sequences)
    if not any(pairs.pairs for pairs in sequence_pairs):
        names = ", ".join(map(format_name, sorted(folders)[:3])) or "no folder of a sequence"
        raise refuse(
            f"has no mask of the split {clean.name!r} (it has {names})",
            task.noisy,
            "give another `split` or `clean`",
        )
    return sequence_pairs


def _measure_pairs(sequence_pairs: list[MaskPairs], task: AuditInput) -> MaskAudit:
    with task.stage("measuring masks") as progress:
        measured = run_parallel(_measure_sequence, None, sequence_pairs, task.workers, progress)
    has_labels = any(pairs.objects for pairs in sequence_pairs)
    missing = sum(pairs.missing for pairs in sequence_pairs)
    return _build_audit(measured, has_labels=has_labels, missing=missing)


def _build_audit(
    measured: Iterable[tuple[list[MaskChange], list[MaskPlace]]], *, has_labels: bool, missing: int
) -> MaskAudit:
    measured = list(measured)
    changes = tuple(change for sequence, _ in measured for change in sequence)
    items = [change.item for change in changes]

    def summarise(name: str, members: list[MaskItem]) -> MaskGroup:
        return summarise_items(name, select_touched(members), len(members))

    positive = inactive = None
    by_class: dict[int, MaskGroup] = {}
    if has_labels:
        positive = summarise("positive", [item for item in items if item.positive])
        inactive = summarise("others", [item for item in items if not item.positive])
        classes = group_by_class(items, lambda item: item.class_id)
        by_class = {
            class_id: summarise(members[0].name, members) for class_id, members in classes.items()
        }
    return MaskAudit(
        changes=changes,
        all=summarise("all", items),
        positive=positive,
        inactive=inactive,
        by_class=by_class,
        untouched=not any(change.item.kind for change in changes),
        missing=missing,
        appeared=frozenset(place for _, places in measured for place in places),
    )


def _measure_sequence(
    shared: None, sequence: MaskPairs
) -> tuple[list[MaskChange], list[tuple[str, str, int]]]:
    changes: list[MaskChange] = []
    appeared: list[tuple[str, str, int]] = []
    problems = ProblemCollector()
    hint = "give the dataset that the noisy masks were made from as `clean`"
    for clean_path, noisy_path in sequence.pairs:
        with problems.collect():
            clean = read_index_mask(clean_path)
            noisy = clean if sequence.same else read_index_mask(noisy_path)
            check_same_size(noisy.shape, clean.shape, "the clean mask", noisy_path, hint)
            frame = clean_path.stem.removesuffix(CLEAN_ENDING)
            changes += _measure_frame(sequence.folder, sequence.objects, frame, clean, noisy)
            appeared += _find_appeared(sequence.folder, sequence.objects, frame, clean, noisy)
    problems.raise_if_any()
    return changes, appeared


def _measure_frame(
    folder: str,
    objects: Mapping[int, ObjectLabel],
    frame: str,
    clean: IndexMask,
    noisy: IndexMask,
) -> Iterator[MaskChange]:
    for change in measure_changes(clean, noisy):
        label = objects.get(change.object_id)
        if label is None and objects and change.object_id == VOID:
            continue
        name = label.name if label else f"object {change.object_id}"
        class_id, positive = (label.class_id, label.positive) if label else (-1, False)
        place = (folder, frame, change.object_id)
        if change.lost or change.gained:
            shift = measure_object_shift(clean, noisy, change.object_id)
            metrics = (change.iou, change.area_ratio, shift)
            item = MaskItem(name, class_id, positive, change.area, "changed", *metrics)
            taken = change.lost - change.freed
            cleared, moved = 2 * change.freed > change.area, 2 * taken > change.area
            yield MaskChange(place, item, change.gained > 0, change.freed > 0, cleared, moved)
        else:
            yield MaskChange(place, MaskItem(name, class_id, positive, change.area))
