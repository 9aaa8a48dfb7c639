"""Make the splits of an arm: synthetic clips, or some videos of a dataset that the user has."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.files import new_folder, write_json
from actiseg_data.core.keys import draw_uniform, make_key
from actiseg_data.layouts.actionvos import FRAMES, MASKS, WEIGHTS, ActionSplit
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.make.sample import make_sized_sample
from actiseg_data.records.rendered_note import name_rendered_file
from reference_trainer.bench.plan import RootSource, Source, SyntheticSource

_ALGORITHM = 1


def make_split_root(
    source: Source, fold: int, folds: int, roots: Mapping[str, Path], out: Path
) -> None:
    """Make a root that has one split of an arm.

    Parameters
    ----------
    source : Source
    fold : int
        Which fold, from 0.
    folds : int
        The number of folds.
    roots : mapping of str to Path
        The datasets of the user by name.
    out : Path
        The new root.

    Raises
    ------
    InputError
        If a dataset is missing, or has too few videos.
    """
    if isinstance(source, SyntheticSource):
        sample_split = "train" if source.split == "train" else "val"
        make_sized_sample(
            out, clips=source.clips, videos=source.videos, seed=source.seed, split=sample_split
        )
        return
    if source.root not in roots:
        hint = f"give --data {source.root}=ROOT, a dataset in the ActionVOS layout"
        raise refuse(f"the dataset {source.root!r} is not given", "`data`", hint)
    split = open_action_split(roots[source.root], source.split)
    _write_part(split, choose_sequences(split.sequences, source, fold, folds), out)


def count_clips(source: Source, roots: Mapping[str, Path]) -> int | None:
    """Count the clips of a split in the first fold; None if its dataset is not given.

    Raises
    ------
    InputError
        If the dataset has not the split, or has too few videos.
    """
    if isinstance(source, SyntheticSource):
        return source.clips
    if source.root not in roots:
        return source.clips
    split = open_action_split(roots[source.root], source.split, masks=False)
    return len(choose_sequences(split.sequences, source, 0, 1))


def choose_sequences(
    sequences: Sequence[VideoSequence], source: RootSource, fold: int, folds: int
) -> list[VideoSequence]:
    """Choose the sequences of a part of the videos, in their order.

    Raises
    ------
    InputError
        If there are fewer videos than parts.
    """
    videos = sorted(
        {sequence.video for sequence in sequences},
        key=lambda video: (draw_uniform(make_key(0, _ALGORITHM, "bench.videos", video)), video),
    )
    if len(videos) < source.parts:
        what = f"has {len(videos)} videos, fewer than the {source.parts} parts of the plan"
        raise refuse(what, f"`data` {source.root}", "give a dataset with more videos")
    taken = find_taken_parts(source, fold, folds)
    chosen = {video for number, video in enumerate(videos) if number % source.parts in taken}
    members = [sequence for sequence in sequences if sequence.video in chosen]
    if source.clips is None or len(members) <= source.clips:
        return members
    ranked = sorted(
        members,
        key=lambda item: draw_uniform(
            make_key(0, _ALGORITHM, "bench.clips", *map(str, item.identity))
        ),
    )
    kept = {item.folder for item in ranked[: source.clips]}
    return [sequence for sequence in members if sequence.folder in kept]


def find_taken_parts(source: RootSource, fold: int, folds: int) -> list[int]:
    """Find the parts that a fold takes: those of the plan, moved on by its share of all parts.

    >>> find_taken_parts(RootSource("davis", "train", parts=4, take=(1, 2)), fold=3, folds=4)
    [0, 1]
    """
    shift = fold * source.parts // folds
    return sorted((part + shift) % source.parts for part in source.take)


def _write_part(split: ActionSplit, sequences: list[VideoSequence], out: Path) -> None:
    """Write a root with some sequences of a split. Frames are links."""
    if not sequences:
        raise refuse("has no sequence in this part", split.root, "give a dataset with more videos")
    with new_folder(out) as partial:
        for name in split.list_documents():
            document, _ = split.cut_document(name, sequences)
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            write_json(partial / name, document, indent=1)
        for kind in (MASKS, WEIGHTS):
            if split.has_files(kind, sequences):
                for sequence in sequences:
                    folder = split.find_folder(kind, sequence)
                    shutil.copytree(folder, partial / folder.relative_to(split.root))
        for sequence in sequences:
            folder = split.find_folder(FRAMES, sequence)
            link = partial / folder.relative_to(split.root)
            link.parent.mkdir(parents=True, exist_ok=True)
            os.symlink(os.path.realpath(folder), link)
        note = split.root / name_rendered_file(split.name)
        if note.is_file():
            shutil.copy(note, partial / note.name)
        for name in ("LICENSE", "NOTICE"):
            if (split.root / name).is_file():
                shutil.copy(split.root / name, partial / name)
