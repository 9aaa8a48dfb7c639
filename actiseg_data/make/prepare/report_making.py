"""Make the report on a prepared split from its plan and from what was drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.make.prepare.preparation_plan import ListPlan, PreparationPlan
from actiseg_data.make.prepare.preparation_report import (
    ListReport,
    PrepareReport,
    collect,
    describe_numbering,
)
from actiseg_data.make.prepare.raw_inputs import RawInput
from actiseg_data.make.prepare.survey import Survey, SurveyFinding
from actiseg_data.make.prepare.video_drawing import VideoJob, VideoResult


def make_prepare_report(
    *,
    split: str,
    plan: PreparationPlan,
    surveys: Sequence[Survey],
    sequences: Sequence[VideoSequence],
    jobs: Sequence[VideoJob],
    results: Sequence[VideoResult],
    unknown: Iterable[SurveyFinding],
    images: Path | None,
    inputs: tuple[RawInput, ...],
    noise: str | None,
) -> PrepareReport:
    """Make the report on a prepared split.

    Parameters
    ----------
    split : str
        The split.
    plan : PreparationPlan
        The planned actions and lists.
    surveys : sequence of Survey
        The annotated videos.
    sequences : sequence of VideoSequence
        The derived list.
    jobs, results : sequence of VideoJob, sequence of VideoResult
        What was drawn, in the same order.
    unknown : iterable of SurveyFinding
        Findings of annotation files that were left out.
    images : Path or None
        The folder of images, if they were requested.
    inputs : tuple of RawInput
        The raw files.
    noise : str or None
        The noise of the annotations, if they are a noisy copy.
    """
    findings = [*unknown, *(f for survey in surveys for f in survey.findings)]
    findings += [*plan.findings, *(f for result in results for f in result.findings)]
    findings += _find_unusual_labels(sequences, plan.lists)
    places = collect(findings)
    return PrepareReport(
        split=split,
        videos=len(surveys),
        sequences=len(sequences),
        objects=sum(len(sequence.objects) for sequence in sequences),
        positive=sum(label.positive for sequence in sequences for label in sequence.objects),
        folders=len(sequences) + len(plan.labelled),
        frames=sum(len(job.frames) for job in jobs),
        masks=sum(len(action.frames) for job in jobs for action in job.actions),
        images=None if images is None else sum(result.images for result in results),
        numbering=describe_numbering(
            split,
            videos=len(surveys),
            silent=len(places["videos_without_narrations"]),
            dense=len(places["dense_videos"]),
            from_lists=plan.claimed,
            moved=plan.moved,
        ),
        lists=tuple(
            ListReport(
                planned.name,
                len(planned.kept),
                planned.absent,
                planned.left_out,
                planned.without_row,
            )
            for planned in plan.lists
        ),
        findings=places,
        inputs=inputs,
        noise=noise,
    )


def _find_unusual_labels(
    sequences: Sequence[VideoSequence], lists: Iterable[ListPlan]
) -> Iterable[SurveyFinding]:
    derived = {sequence.folder: sequence for sequence in sequences}
    for sequence in sequences:
        if not any(label.positive for label in sequence.objects):
            yield "sequences_without_active_object", sequence.folder
        if not sequence.narration.strip():
            yield "empty_narrations", sequence.folder
    for planned in lists:
        for entry in planned.kept:
            ours = derived.get(entry.sequence.folder)
            if ours is not None and _list_automatic(ours) != _list_automatic(entry.sequence):
                yield "differing_labels", f"{planned.name}: {entry.sequence.folder}"


def _list_automatic(sequence: VideoSequence) -> set[ObjectLabel]:
    """List the labels without what a person may have changed."""
    return {replace(label, positive=False) for label in sequence.objects}
