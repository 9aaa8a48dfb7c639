"""Make an ActionVOS root from a folder of index masks, such as DAVIS, and a table of actions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import PathLike, as_path
from actiseg_data.core.progress import StageProgress, ignore_progress
from actiseg_data.layouts.davis import find_lists
from actiseg_data.layouts.mask_folders import name_photographs_folder
from actiseg_data.layouts.mask_split import MaskSplit
from actiseg_data.layouts.opening import open_masks
from actiseg_data.layouts.photograph_search import list_photographs
from actiseg_data.make.prepare.action_preparation import (
    MERGED_ID,
    ActionPreparation,
    ActionSource,
    PreparationOptions,
    name_folder,
    prepare_actions,
)
from actiseg_data.make.prepare.action_table import ActionRow, ActionTable, read_action_table
from actiseg_data.make.prepare.mask_preparation import open_unlabelled, survey_masks
from actiseg_data.make.prepare.vost import read_instance_mask
from actiseg_data.records.licence_terms import compose_licence
from actiseg_data.records.licences import name_source


def prepare_mask_actions(
    root: PathLike,
    split: str,
    out: PathLike,
    *,
    actions: PathLike,
    images: str = "link",
    photographed: bool = False,
    licence: str | None = None,
    workers: int = 1,
    stage: StageProgress = ignore_progress,
) -> ActionPreparation:
    """Make an ActionVOS root from a folder of index masks, whose actions are in a table.

    A row with the object "black swan" and the action "swim" makes of the folder ``blackswan`` the
    sequence ``00000001_blackswan_swim_black-swan``, with the prompt "black swan used in the action
    of swim". If the rows of a folder have several actions, each makes a sequence. The objects of an
    action's rows are active in it, the others are not. Rows without an action name objects that are
    never active. Objects of the same name get numbers; objects without a row are called ``object
    2`` and so on after their ids. The ids stay, and 255 is void as for
    `actiseg_data.make.prepare.mask_preparation.prepare_masks`.

    Parameters
    ----------
    root, split, out, licence, workers, stage
        As for `actiseg_data.make.prepare.mask_preparation.prepare_masks`.
    actions : str or Path
        The table, see `actiseg_data.make.prepare.action_table`. Rows of sequences that do not exist
        are left out, unless a sequence lacks a row.
    images : str
        ``link``, ``copy`` or ``none``: what happens with the photographs, which are in
        ``JPEGImages`` beside ``Annotations``.
    photographed : bool
        Whether to take only frames with a photograph.

    Raises
    ------
    InputError
        If the folder has no such masks, if the table is faulty or does not fit it, if masks are
        faulty, if `photographed` leaves no frame of a sequence, or if `out` exists.
    """
    root, out = as_path(root, "root"), as_path(out, "out")
    options = PreparationOptions(root, split, out, images, False, workers, stage)
    options.check()
    text, stated = compose_licence(root, licence)
    table = read_action_table(as_path(actions, "actions"))
    masks = open_unlabelled(root, split)
    known = {sequence.folder for sequence in open_masks(root, whole=True).sequences}
    unknown = table.check_sequences([sequence.folder for sequence in masks.sequences], known)
    clips = _find_clips(masks, photographed=photographed)
    survey = survey_masks(masks, [clip.sequence for clip in clips], workers, stage)
    sources = _make_sources(clips, survey.objects, table)
    made = prepare_actions(
        options,
        sources,
        read_instance_mask,
        (text, _compose_notice(root, table)),
        licence=stated,
        skipped=0,
    )
    unnamed = sum(
        len(ids) - len({*ids} & {row.object_id for row in table.rows[clip.sequence.folder]})
        for clip, ids in zip(clips, survey.objects, strict=True)
        if table.rows[clip.sequence.folder][0].object_id is not None
    )
    return replace(made, unclassified=0, unnamed=unnamed, unknown=unknown)


class _Clip(NamedTuple):
    """A sequence of the folder, its masks, and the photograph of each frame or None."""

    sequence: VideoSequence
    masks: tuple[Path, ...]
    photographs: tuple[Path | None, ...]


def _find_clips(masks: MaskSplit, *, photographed: bool) -> list[_Clip]:
    """Find masks and photographs; only frames with a photograph if `photographed` is true."""
    problems = ProblemCollector()
    clips = []
    for sequence in masks.sequences:
        files = masks.find_masks(sequence)
        folder = _find_photographs_folder(files[0].parent)
        pictures = {} if folder is None else list_photographs(folder)
        if photographed:
            sequence = sequence.restrict(pictures)
            hint = "add the photographs, or leave `photographed` out"
            if not sequence.frames:
                where = files[0].parent if folder is None else folder
                problems.add("has no photograph of a frame with a mask", where, hint)
                continue
            files = masks.find_masks(sequence)
        clips.append(_Clip(sequence, tuple(files), tuple(map(pictures.get, sequence.frames))))
    problems.raise_if_any()
    return clips


def _find_photographs_folder(masks: Path) -> Path | None:
    """Find the folder of the photographs of a sequence, whose masks are in another folder."""
    place = masks.parent.absolute()
    top = find_lists(place).parent
    name = name_photographs_folder(top, place.relative_to(top).as_posix())
    return None if name is None else top / name / masks.name


def _make_sources(
    clips: Iterable[_Clip], objects: Iterable[Sequence[int]], table: ActionTable
) -> list[ActionSource]:
    """Make a source of each action of each clip; raise `InputError` with every unfitting row."""
    problems = ProblemCollector()
    sources: list[ActionSource] = []
    for clip, ids in zip(clips, objects, strict=True):
        rows = table.rows[clip.sequence.folder]
        with problems.collect():
            names = _name_objects(rows, ids)
            for action in dict.fromkeys(row.action for row in rows if row.action):
                own = [row for row in rows if row.action == action]
                sequence = _name_sequence(clip.sequence, len(sources) + 1, own, names)
                sources.append(ActionSource(sequence, "", -1, clip.masks, clip.photographs))
    problems.raise_if_any()
    return sources


def _name_objects(rows: Sequence[ActionRow], ids: Sequence[int]) -> dict[int, str]:
    """Name the objects with some ids by the rows of their sequence.

    Raises
    ------
    InputError
        If a row without an id could be of several objects, or with every row of an id that no mask
        shows.
    """
    first = rows[0]
    if first.object_id is None:
        if len(ids) > 1:
            what = f"{first.sequence!r} has several objects: {', '.join(map(str, ids))}"
            raise refuse(what, first.where, "give the object_id of each in a row of its own")
        return {(ids or [MERGED_ID])[0]: first.name}
    problems = ProblemCollector()
    for row in rows:
        if row.object_id not in ids:
            shown = ", ".join(map(str, ids)) or "none"
            what = f"no mask of {row.sequence!r} has the object {row.object_id}"
            problems.add(f"{what} (objects there: {shown})", row.where, "correct the object_id")
    problems.raise_if_any()
    named = {row.object_id: row.name for row in rows}
    return _number_names({number: named.get(number, f"object {number}") for number in ids})


def _number_names(names: Mapping[int, str]) -> dict[int, str]:
    """Add numbers to names that several objects have.

    >>> _number_names({1: "cow", 3: "cow", 4: "cow 1"})
    {1: 'cow 2', 3: 'cow 3', 4: 'cow 1'}
    """
    counts, used = Counter(names.values()), {*names.values()}
    numbered = {}
    for object_id, name in names.items():
        position = 1
        while counts[name] > 1 and f"{name} {position}" in used:
            position += 1
        numbered[object_id] = f"{name} {position}" if counts[name] > 1 else name
        used.add(numbered[object_id])
    return numbered


def _name_sequence(
    sequence: VideoSequence, number: int, rows: Sequence[ActionRow], names: Mapping[int, str]
) -> VideoSequence:
    """Return the sequence of an action: its rows name the active objects."""
    first = rows[0]
    active = {row.object_id for row in rows} if first.object_id is not None else {*names}
    labels = tuple(
        ObjectLabel(
            object_id,
            name,
            -1,
            positive=object_id in active,
            handbox=object_id in active,
            narration=object_id in active,
        )
        for object_id, name in names.items()
    )
    named = replace(
        sequence,
        seq_id=number,
        video=sequence.folder,
        narration=first.action,
        verb=first.verb,
        noun=first.noun,
        objects=labels,
        is_action=True,
    )
    return replace(named, folder=name_folder(named, first.where))


def _compose_notice(root: Path, table: ActionTable) -> str:
    return (
        f"The masks and photographs are those of {name_source(root)}. The action lists and prompts "
        f"were derived from {table.path.name!r}, a table that names the object and the action of "
        "each sequence.\n"
    )
