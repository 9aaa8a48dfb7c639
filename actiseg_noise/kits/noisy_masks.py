"""Compare the masks of anybody's noisy split with those of the clean split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.masks import (
    IndexMask,
    check_same_size,
    find_foreign_ids,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import format_names
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import Split, escape_name
from actiseg_data.records.difference_record import name_sequence
from actiseg_noise.mask_noise.mask_differences import pack_difference
from actiseg_noise.measurement.mask_changes import measure_changes
from actiseg_noise.measurement.mask_pairs import MaskPairs, find_mask_folders, pair_with_split

_HINT = "give the dataset that the noisy masks were made from as `clean`"


@dataclass(frozen=True)
class NoisyMasks:
    """The masks of a noisy split, paired with the clean ones.

    Attributes
    ----------
    pairs : mapping of str to MaskPairs
        By the folder of the clean sequence; only the sequences that the noisy split has.
    strangers : tuple of str
        Folders of masks that belong to no sequence of the clean split.
    """

    pairs: Mapping[str, MaskPairs]
    strangers: tuple[str, ...]


@dataclass(frozen=True)
class MaskComparison:
    """The differences of all masks of a noisy split.

    Attributes
    ----------
    changes : mapping of str to mapping of str to bytes
        See `actiseg_data.records.difference_record.Differences.masks`.
    items, changed : int
        Objects that the clean masks show, counted in each frame, and those whose pixels differ.
    """

    changes: Mapping[str, Mapping[str, bytes]]
    items: int
    changed: int


def pair_noisy_masks(noisy: Path, clean: Split) -> NoisyMasks | None:
    """Pair the masks of a noisy split with those of the clean one; None if it has no masks.

    A folder of masks has the name of a sequence's folder or, if one sequence alone is of a video,
    the name of that video. `actiseg-noise prepare masks` makes such sequences from folders.

    Raises
    ------
    InputError
        If a sequence that the noisy split has lacks a mask, with every such sequence.
    """
    folders = find_mask_folders(noisy)
    if not folders:
        return None
    renamed = _name_by_sequence(folders, clean)
    paired = pair_with_split(noisy, renamed, clean, clean.sequences)
    present = {pairs.folder: pairs for pairs in paired if pairs.pairs}
    if not present:
        return None
    problems = ProblemCollector()
    for pairs in present.values():
        if pairs.missing:
            named = {path.stem for path, _ in pairs.pairs}
            lacking = [frame for frame in clean[pairs.folder].frames if frame not in named]
            what = f"lacks masks of {pairs.folder}: {format_names(lacking)}"
            hint = "add the masks, or remove the folder of the sequence"
            problems.add(what, pairs.pairs[0][1].parent, hint)
    problems.raise_if_any()
    used = {pairs.pairs[0][1].parent for pairs in present.values()}
    strangers = tuple(sorted(name for name, path in folders.items() if path not in used))
    return NoisyMasks(present, strangers)


def _name_by_sequence(folders: Mapping[str, Path], clean: Split) -> dict[str, Path]:
    """Give folders that are named like a video the name of its only sequence."""
    counts = Counter(sequence.video for sequence in clean.sequences)
    by_video = {
        escape_name(sequence.video): escape_name(sequence.folder)
        for sequence in clean.sequences
        if counts[sequence.video] == 1 and escape_name(sequence.folder) not in folders
    }
    return {by_video.get(name, name): path for name, path in folders.items()}


def compare_noisy_masks(
    masks: NoisyMasks, clean: Split, workers: int, stage: StageProgress
) -> MaskComparison:
    """Pack the differences of all masks.

    Raises
    ------
    InputError
        With every faulty mask, every mask of another size, and every id that the list lacks.
    """
    items = [(clean[folder], pairs) for folder, pairs in masks.pairs.items()]
    with stage("comparing masks") as progress:
        compared = run_parallel(_compare_sequence, None, items, workers, progress)
    changes = {
        name_sequence(sequence.identity): result.changes
        for (sequence, _), result in zip(items, compared, strict=True)
        if result.changes
    }
    return MaskComparison(
        changes,
        items=sum(result.items for result in compared),
        changed=sum(result.changed for result in compared),
    )


@dataclass(frozen=True)
class _SequenceComparison:
    """The packed differences of the frames that changed, and counts as in `MaskComparison`."""

    changes: dict[str, bytes]
    items: int
    changed: int


def _compare_sequence(shared: None, item: tuple[VideoSequence, MaskPairs]) -> _SequenceComparison:
    sequence, pairs = item
    changes: dict[str, bytes] = {}
    tally: Counter[str] = Counter()
    for frame, clean, noisy in _iterate_masks(sequence, pairs):
        packed = pack_difference(clean, noisy)
        if packed:
            changes[frame] = packed
        for change in measure_changes(clean, noisy):
            tally["items"] += 1
            tally["changed"] += bool(change.lost or change.gained)
    return _SequenceComparison(changes, tally["items"], tally["changed"])


def _iterate_masks(
    sequence: VideoSequence, pairs: MaskPairs
) -> Iterator[tuple[str, IndexMask, IndexMask]]:
    """Yield the frame, the clean and the noisy mask; raise `InputError` with every fault."""
    problems = ProblemCollector()
    for frame, (clean_path, noisy_path) in zip(sequence.frames, pairs.pairs, strict=True):
        with problems.collect():
            clean = read_index_mask(clean_path)
            noisy = clean if pairs.same else read_index_mask(noisy_path)
            check_same_size(noisy.shape, clean.shape, "the clean mask", noisy_path, _HINT)
            foreign = find_foreign_ids(noisy, sequence.object_ids)
            if foreign:
                named = format_names([*map(str, foreign)], 8)
                what = f"has the ids {named}, which are not in the clean action list"
                problems.add(what, noisy_path, "list these objects, or remove their pixels")
            if not problems.collected:
                yield frame, clean, noisy
    problems.raise_if_any()
