"""The plan of a split: its sequences and their numbers, decided before anything is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import check_name
from actiseg_data.make.prepare.human_lists import (
    ActionKey,
    HumanEntry,
    HumanList,
    describe_mismatch,
    match_numbers,
)
from actiseg_data.make.prepare.narrations import Narration
from actiseg_data.make.prepare.survey import Survey, SurveyFinding
from actiseg_data.make.prepare.timeline import (
    FrameMapping,
    FrameName,
    build_timeline,
    find_frames_between,
    list_objects,
    number,
)

MAX_OBJECTS = 255
"""Most objects of a sequence: an index mask has no more ids."""


@dataclass(frozen=True)
class PlannedAction:
    """A sequence to be drawn.

    Attributes
    ----------
    folder, seq_id, video : str, int, str
        Name on disk, number, and video.
    frames : tuple of FrameName
        Its annotated frames.
    objects : tuple of (str, int)
        Name and class id, in the order of object ids.
    narration : Narration or None
        The row that it was made from. None if only a human-labelled list has the action.
    labelled : VideoSequence or None
        The entry of that list, if there is no row.
    """

    folder: str
    seq_id: int
    video: str
    frames: tuple[FrameName, ...]
    objects: tuple[tuple[str, int], ...]
    narration: Narration | None
    labelled: VideoSequence | None = None


@dataclass(frozen=True)
class ListPlan:
    """The part of a human-labelled list that will be written.

    Attributes
    ----------
    name : str
        The name of the list.
    kept : tuple of HumanEntry
        Entries to write, in the order of the file.
    left_out : tuple of str
        Folder and reason of entries that do not fit the annotations.
    absent : int
        Number of entries of videos without an annotation file.
    without_row : tuple of str
        Folders of kept entries without a narration row.
    """

    name: str
    kept: tuple[HumanEntry, ...]
    left_out: tuple[str, ...]
    absent: int
    without_row: tuple[str, ...]


@dataclass(frozen=True)
class PreparationPlan:
    """The sequences of a split, its human-labelled lists, and findings about its actions.

    Attributes
    ----------
    derived : tuple of PlannedAction
        Sequences of the derived list, in order.
    labelled : tuple of PlannedAction
        Sequences that only human-labelled lists have.
    lists : tuple of ListPlan
        The human-labelled lists.
    claimed : int
        Derived sequences with a number of such a list.
    moved : int
        Derived sequences with a later number, because their running number was taken.
    findings : tuple of (str, str)
        Kind and place of unusual data.
    """

    derived: tuple[PlannedAction, ...]
    labelled: tuple[PlannedAction, ...]
    lists: tuple[ListPlan, ...]
    claimed: int
    moved: int
    findings: tuple[SurveyFinding, ...]


def plan_split(
    surveys: Sequence[Survey],
    mapping: FrameMapping,
    narrations: Mapping[str, tuple[Narration, ...]],
    lists: Sequence[HumanList],
) -> PreparationPlan:
    """Decide the sequences of a split.

    `surveys` are of the videos in the mapping, sorted by video. An `InputError` is raised for a
    sequence that cannot be written: more than 255 objects, or a name that is unsafe as a folder.
    """
    lines = {s.video: build_timeline(s.objects, mapping[s.video]) for s in surveys}
    objects = {s.video: s.objects for s in surveys}
    findings: list[SurveyFinding] = []
    for survey in surveys:
        findings += _find_frame_findings(survey, mapping[survey.video])
    candidates = []
    for survey in surveys:
        rows = narrations.get(survey.video, ())
        if not rows:
            findings.append(("videos_without_narrations", survey.video))
        for row in rows:
            frames = find_frames_between(lines[survey.video], row.start, row.stop)
            entities = list_objects(frames, survey.objects)
            if len(frames) < 2:
                findings.append(("actions_with_fewer_than_2_frames", row.narration_id))
            elif not entities:
                findings.append(("actions_without_object", row.narration_id))
            else:
                candidates.append((row, frames, entities))

    unclaimed = match_numbers(lists)
    reserved = [n for numbers in unclaimed.values() for n in numbers]
    known = [_claim(unclaimed, _make_key(row)) for row, _, _ in candidates]
    numbers = number(known, reserved)
    derived = tuple(
        PlannedAction(_name_folder(seq_id, row), seq_id, row.video, frames, entities, row)
        for seq_id, (row, frames, entities) in zip(numbers, candidates, strict=True)
    )
    alone = {n for rest in unclaimed.values() for n in rest}
    plans = tuple(_plan_list(listed, lines, objects, alone) for listed in lists)
    labelled = {
        entry.sequence.seq_id: _find_list_findings(entry.sequence, lines, objects)
        for listed in reversed(plans)
        for entry in listed.kept
        if entry.sequence.seq_id in alone
    }
    in_order = tuple(labelled[seq_id] for seq_id in sorted(labelled))
    _refuse_unwritable((*derived, *in_order))
    claimed = sum(given is not None for given in known)
    kept_place = sum(
        given is None and n == place
        for place, (given, n) in enumerate(zip(known, numbers, strict=True), 1)
    )
    return PreparationPlan(
        derived=derived,
        labelled=in_order,
        lists=plans,
        claimed=claimed,
        moved=len(derived) - claimed - kept_place,
        findings=tuple(findings),
    )


def _find_frame_findings(survey: Survey, mapping: Mapping[str, str]) -> Iterator[SurveyFinding]:
    for name in survey.objects:
        if name not in mapping:
            yield "frames_without_mapping", name
    for name in mapping:
        if name not in survey.objects:
            yield "mapped_frames_without_annotation", name


def _make_key(row: Narration) -> ActionKey:
    return row.video, row.start, row.stop, row.verb, row.noun


def _name_folder(seq_id: int, row: Narration) -> str:
    return f"{seq_id:08d}_{row.video}_{row.verb}_{row.noun}"


def _claim(unclaimed: dict[ActionKey, list[int]], key: ActionKey) -> int | None:
    """Take the lowest number that the lists have for an action and no earlier row has taken."""
    numbers = unclaimed.get(key)
    return numbers.pop(0) if numbers else None


def _find_actions(
    sequence: VideoSequence,
    lines: Mapping[str, tuple[FrameName, ...]],
    objects: Mapping[str, Mapping[str, tuple[tuple[str, int], ...]]],
) -> tuple[tuple[FrameName, ...], tuple[tuple[str, int], ...]]:
    """Find the annotated frames and objects of a labelled sequence."""
    frames = find_frames_between(lines[sequence.video], sequence.start, sequence.end)
    return frames, list_objects(frames, objects[sequence.video])


def _plan_list(
    labelled: HumanList,
    lines: Mapping[str, tuple[FrameName, ...]],
    objects: Mapping[str, Mapping[str, tuple[tuple[str, int], ...]]],
    alone: set[int],
) -> ListPlan:
    kept, left_out = [], []
    known = [entry for entry in labelled.entries if entry.sequence.video in lines]
    for entry in known:
        reason = describe_mismatch(entry.sequence, *_find_actions(entry.sequence, lines, objects))
        if reason:
            left_out.append(f"{entry.sequence.folder}: {reason}")
        else:
            kept.append(entry)
    return ListPlan(
        name=labelled.name,
        kept=tuple(kept),
        left_out=tuple(left_out),
        absent=len(labelled.entries) - len(known),
        without_row=tuple(
            entry.sequence.folder for entry in kept if entry.sequence.seq_id in alone
        ),
    )


def _find_list_findings(
    sequence: VideoSequence,
    lines: Mapping[str, tuple[FrameName, ...]],
    objects: Mapping[str, Mapping[str, tuple[tuple[str, int], ...]]],
) -> PlannedAction:
    frames, entities = _find_actions(sequence, lines, objects)
    return PlannedAction(
        sequence.folder, sequence.seq_id, sequence.video, frames, entities, None, sequence
    )


def _refuse_unwritable(actions: Sequence[PlannedAction]) -> None:
    problems = ProblemCollector()
    for action in actions:
        with problems.collect():
            where = action.narration.narration_id if action.narration else action.folder
            check_name(action.folder, "sequence", where)
            if len(action.objects) > MAX_OBJECTS:
                problems.add(
                    f"the action has {len(action.objects)} objects, more than {MAX_OBJECTS}",
                    where,
                    "fetch the annotations again",
                )
    problems.raise_if_any()
