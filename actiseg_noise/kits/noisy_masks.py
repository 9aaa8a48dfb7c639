"""Compare the masks of anybody's noisy split with those of the clean split."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.annotations.masks import (
    VOID,
    IndexMask,
    check_same_size,
    find_foreign_ids,
    find_ids,
    read_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import format_names
from actiseg_data.core.progress import StageProgress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import escape_name
from actiseg_data.layouts.split import Split
from actiseg_data.records.difference_record import name_sequence
from actiseg_noise.kits.sequence_matching import SequenceMatches, match_sequences
from actiseg_noise.mask_noise.imported_masks import MEASURED, compare_frame
from actiseg_noise.mask_noise.mask_differences import pack_difference
from actiseg_noise.measurement.mask_pairs import (
    CLEAN_ENDING,
    MaskPairs,
    find_mask_folders,
    pair_with_split,
)

_HINT = "give the dataset that the noisy masks were made from as `clean`"


@dataclass(frozen=True)
class NoisyMasks:
    """The masks of a noisy split, paired with the clean ones.

    Attributes
    ----------
    pairs : mapping of str to MaskPairs
        By the folder of the clean sequence; only the sequences that the noisy split has.
    matches : SequenceMatches
        The names of these folders, and of those that belong to no sequence of the clean split.
    unpaired : int
        Masks in these folders that are of no frame of the clean split.
    """

    pairs: Mapping[str, MaskPairs]
    matches: SequenceMatches
    unpaired: int = 0


@dataclass(frozen=True)
class MaskComparison:
    """The differences of all masks of a noisy split.

    Attributes
    ----------
    changes : mapping of str to mapping of str to bytes
        See `actiseg_data.records.difference_record.Differences.masks`.
    items : int
        Objects that the clean masks show, counted in each frame.
    ious : sequence of float
        IoU of those that have noise, see `compare_frame`.
    """

    changes: Mapping[str, Mapping[str, bytes]]
    items: int
    ious: Sequence[float]

    @property
    def rate(self) -> float:
        """The share of the objects that have noise."""
        return round(len(self.ious) / self.items, 6) if self.items else 1.0


def pair_noisy_masks(noisy: Path, clean: Split) -> NoisyMasks | None:
    """Pair the masks of a noisy split with those of the clean one; None if it has no masks.

    `match_sequences` says which folder is of which sequence. Folders with the names of videos are
    those that `actiseg-noise prepare masks` makes sequences from.

    Raises
    ------
    InputError
        If a sequence that the noisy split has lacks a mask, with every such sequence.
    """
    folders = find_mask_folders(noisy)
    if not folders:
        return None
    frames = _list_frames(folders)
    matches = match_sequences(clean.sequences, frames, noisy)
    matched = {escape_name(ours): folders[theirs] for ours, theirs in matches.names.items()}
    paired = pair_with_split(noisy, matched, clean, clean.sequences)
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
    own = sum(len(frames[theirs]) for ours, theirs in matches.names.items() if ours in present)
    return NoisyMasks(present, matches, own - sum(len(pairs.pairs) for pairs in present.values()))


def _list_frames(folders: Mapping[str, Path]) -> dict[str, frozenset[str]]:
    """List the frames of each folder, without clean copies."""
    stems = {
        name: [Path(entry.name).stem for entry in list_files(folder, ".png")]
        for name, folder in folders.items()
    }
    return {
        name: frozenset(stem for stem in frames if not stem.endswith(CLEAN_ENDING))
        for name, frames in stems.items()
    }


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
        ious=[iou for result in compared for iou in result.ious],
    )


@dataclass(frozen=True)
class _SequenceComparison:
    """The packed differences of the frames that changed, and members as in `MaskComparison`."""

    changes: dict[str, bytes]
    items: int
    ious: list[float]


def _compare_sequence(shared: None, item: tuple[VideoSequence, MaskPairs]) -> _SequenceComparison:
    sequence, pairs = item
    changes: dict[str, bytes] = {}
    ious: list[float] = []
    items = 0
    for frame, clean, noisy in _iterate_masks(sequence, pairs):
        packed = pack_difference(clean, noisy)
        if packed:
            changes[frame] = packed
        noise = compare_frame(sequence, frame, clean, noisy)
        measured = [row.iou for row in noise.rows if row.status == MEASURED]
        items += noise.tally["items"] - (len(noise.rows) - len(measured))
        ious += measured
    return _SequenceComparison(changes, items, ious)


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
            if find_ids(noisy) == [VOID] and VOID not in {*find_ids(clean), *sequence.object_ids}:
                what = "has only 0 and 255, and 255 is void: it shows no object"
                problems.add(what, noisy_path, "give each object its id of the clean action list")
            if not problems.collected:
                yield frame, clean, noisy
    problems.raise_if_any()
