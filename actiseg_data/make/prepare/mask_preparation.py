"""Make an ActionVOS root from a folder of index masks, such as DAVIS, without any labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from actiseg_data.annotations.masks import VOID
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import (
    PathLike,
    as_path,
    check_outside,
    new_folder,
    write_bytes,
    write_json,
)
from actiseg_data.core.listing import list_files, list_folders
from actiseg_data.core.names import check_name
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.core.workers import run_parallel
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, SUBSETS, escape_name
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.layouts.labelling import count_ids
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.opening import open_masks
from actiseg_data.records.licence_terms import compose_licence
from actiseg_data.records.licences import name_source, write_licences

VERB, NOUN = "segment", "objects"
"""Verb and noun of every sequence, because folders of masks name no action."""


@dataclass(frozen=True)
class MaskPreparation:
    """What `prepare_masks` made.

    Attributes
    ----------
    sequences, objects, masks : int
        How many were written; an object counts once in each sequence.
    empty : int
        Sequences whose masks show no object.
    void : int
        Masks with pixels of the id `VOID`, which are of no object.
    licence : str or None
        SPDX identifier or file of the licence, or None if it is not known.
    skipped : int
        Folders without masks, of which no sequence was made.
    """

    sequences: int
    objects: int
    masks: int
    empty: int
    void: int
    licence: str | None
    skipped: int = 0


def prepare_masks(
    root: PathLike,
    split: str,
    out: PathLike,
    *,
    licence: str | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> MaskPreparation:
    """Make an ActionVOS root from a folder of index masks.

    The masks are copied byte for byte. A folder ``bear`` becomes the sequence
    ``00000001_bear_segment_objects`` of the video ``bear``. Its objects are all ids in its masks,
    with the names ``object 1``, ``object 2`` and so on, all active, of no class. Pixels with the id
    255 are void, as in DAVIS and VOST: they stay in the masks and are no object. If the folder has
    no other id, as masks of DAVIS 2016, 255 is an object.

    Parameters
    ----------
    root : str or Path
        The folder: DAVIS or one of its parts, or ``<sequence>/<frame>.png``.
    split : str
        Name of the action list to make. If the folder has a list of this name, only its sequences
        are taken.
    out : str or Path
        The root to make.
    licence : str, optional
        SPDX identifier of the licence of the masks. Default: the LICENSE file in `root`.
    workers : int
        Processes.
    stage : StageProgress
        Shows progress.

    Raises
    ------
    InputError
        If the folder has no such masks, if masks are faulty, or if `out` exists.
    """
    root, out = as_path(root, "root"), as_path(out, "out")
    check_name(split, "split", "`split`")
    check_outside(out, [root], "out")
    license_text, stated = compose_licence(root, licence)
    masks = open_unlabelled(root, split)
    survey = survey_masks(masks, masks.sequences, workers, stage)
    objects = survey.objects
    sequences = [
        _name_sequence(sequence, number, ids)
        for number, (sequence, ids) in enumerate(zip(masks.sequences, objects, strict=True), 1)
    ]
    with new_folder(out) as folder:
        for old, new in zip(masks.sequences, sequences, strict=True):
            _copy_masks(masks, old, folder / MASKS / _choose_subset(split) / new.folder)
        for name, document in make_image_sets(split, sequences).items():
            write_json(folder / IMAGE_SETS / name, document)
        write_licences(folder, license_text, _compose_notice(root))
    return MaskPreparation(
        sequences=len(sequences),
        objects=sum(map(len, objects)),
        masks=sum(len(sequence.frames) for sequence in sequences),
        empty=sum(not ids for ids in objects),
        void=survey.void,
        licence=stated,
        skipped=_count_skipped(masks),
    )


def _count_skipped(masks: MaskSplit) -> int:
    """Count the folders among those of the sequences that have no mask."""
    root = masks.find_masks(masks.sequences[0])[0].parent.parent
    return sum(not list_files(folder.path, ".png") for folder in list_folders(root))


def open_unlabelled(root: Path, split: str) -> MaskSplit:
    """Open a folder of masks without labels; a list of the name of the split chooses sequences."""
    whole = open_masks(root, whole=True)
    if whole.has_labels or whole.has_action_lists:
        hint = "give a folder with masks <sequence>/<frame>.png"
        raise refuse("has labels already, so nothing needs to be prepared", root, hint)
    if any(name.rpartition("/")[2] == split for name in whole.list_names):
        return open_masks(root, split)
    return whole


class MaskSurvey(NamedTuple):
    """What the masks of some sequences show.

    Attributes
    ----------
    objects : list of list of int
        The ids of the objects of each sequence, in order.
    void : int
        Masks with pixels of the id `VOID`, if this is no object.
    """

    objects: list[list[int]]
    void: int


def survey_masks(
    masks: MaskSplit, sequences: Sequence[VideoSequence], workers: int, stage: StageProgress
) -> MaskSurvey:
    """Find the ids in the masks of some sequences. If there are others, 255 is void.

    Raises
    ------
    InputError
        With every faulty mask.
    """
    with stage("reading masks") as progress:
        counts = run_parallel(_count_ids, masks, sequences, workers, progress)
    has_void = {VOID} < set[int]().union(*counts)
    return MaskSurvey(
        [sorted({*shown} - {VOID} if has_void else shown) for shown in counts],
        sum(shown[VOID] for shown in counts) if has_void else 0,
    )


def _count_ids(masks: MaskSplit, sequence: VideoSequence) -> Counter[int]:
    return count_ids(masks.find_masks(sequence))


def _name_sequence(sequence: VideoSequence, number: int, ids: Sequence[int]) -> VideoSequence:
    labels = tuple(
        ObjectLabel(object_id, f"object {object_id}", -1, True, handbox=False, narration=False)
        for object_id in ids
    )
    return replace(
        sequence,
        folder=f"{number:08d}_{sequence.folder}_{VERB}_{NOUN}",
        seq_id=number,
        video=sequence.folder,
        narration=f"{VERB} {NOUN}",
        verb=VERB,
        noun=NOUN,
        objects=labels,
    )


def _choose_subset(split: str) -> str:
    return split if split in SUBSETS else SUBSETS[1]


def _copy_masks(masks: MaskSplit, sequence: VideoSequence, folder: Path) -> None:
    folder = folder.with_name(escape_name(folder.name))
    folder.mkdir(parents=True)
    for frame, path in zip(sequence.frames, masks.find_masks(sequence), strict=True):
        write_bytes(folder / f"{escape_name(frame)}.png", read_bytes(path))


def _compose_notice(root: Path) -> str:
    return (
        f"The masks were copied from {name_source(root)}. The action lists, the names of objects "
        "and the prompts were derived from the masks and name neither actions nor classes.\n"
    )
