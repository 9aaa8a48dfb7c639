"""Label the objects of sequences whose layout does not list them: by the ids in their masks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from actiseg_data.annotations.masks import VOID, check_same_size, find_ids, read_index_mask
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.workers import WorkerPool, run_parallel
from actiseg_data.layouts.dataset_split import DatasetSplit
from actiseg_data.layouts.meta_categories import CategoryNames, number_categories
from actiseg_data.layouts.sequence_record import make_dataset_label


def label_sequences(
    split: DatasetSplit,
    names: CategoryNames,
    workers: int | WorkerPool = 1,
) -> tuple[VideoSequence, ...]:
    """Label the objects of a split by the ids in its masks. Every mask is decoded.

    The id 255 is void if any mask of the split has another id. If 255 is the only id, as in DAVIS
    2016, it is an object.

    Parameters
    ----------
    split : DatasetSplit
        Sequences without labels.
    names : mapping
        The categories of objects, by sequence and object id. Objects without one are called
        ``object 1`` and so on.
    workers : int or WorkerPool
        Processes.

    Raises
    ------
    InputError
        With every damaged mask, and every mask that differs in size from others of its sequence.
    """
    surveyed = run_parallel(survey_ids, split, split.sequences, workers)
    has_void = {VOID} < set[int]().union(*surveyed)
    class_ids = {category.name: category.id for category in number_categories(names)}
    known = {
        video: {number: (name, class_ids[name]) for number, name in objects.items()}
        for video, objects in names.items()
    }
    return tuple(
        replace(sequence, objects=_make_labels(ids - {VOID} if has_void else ids, known, sequence))
        for sequence, ids in zip(split.sequences, surveyed, strict=True)
    )


def _make_labels(
    ids: Iterable[int],
    categories: Mapping[str, Mapping[int, tuple[str, int]]],
    sequence: VideoSequence,
) -> tuple[ObjectLabel, ...]:
    known = categories.get(sequence.folder, {})
    return tuple(
        make_dataset_label(number, *known.get(number, (None, -1)))
        for number in sorted({*ids, *known})
    )


def survey_ids(split: DatasetSplit, sequence: VideoSequence) -> set[int]:
    """Find the ids in all masks of a sequence; raise `InputError` with every fault."""
    return set(count_ids(split.find_masks(sequence)))


def count_ids(paths: Iterable[Path]) -> Counter[int]:
    """Count the masks that show each id.

    Raises
    ------
    InputError
        With every damaged mask, and every one of another size than the first.
    """
    problems = ProblemCollector()
    counts: Counter[int] = Counter()
    shape: tuple[int, ...] | None = None
    for path in paths:
        with problems.collect():
            mask = read_index_mask(path)
            shape = shape or mask.shape
            hint = "make all masks of a sequence at one size"
            check_same_size(mask.shape, shape, "the sequence's first mask", path, hint)
            counts.update(find_ids(mask))
    problems.raise_if_any()
    return counts
