"""Preparation of the ActionVOS dataset from raw VISOR: survey files, plan the split, draw, publish.

All annotation files and tables are read and checked before anything is drawn. Images are read when
their frames are drawn. The split is complete before any of it appears under its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import write_json
from actiseg_data.core.opencv import load_cv2
from actiseg_data.core.workers import ProgressCallback, run_parallel
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.image_sets import make_image_sets
from actiseg_data.make.prepare.annotation_files import check_split, find_annotation_files
from actiseg_data.make.prepare.contacts import Corrections
from actiseg_data.make.prepare.dense_mapping import map_dense_frames
from actiseg_data.make.prepare.noisy_annotations import (
    compose_noise_notice,
    describe_noise_of_files,
)
from actiseg_data.make.prepare.preparation_plan import (
    ListPlan,
    PlannedAction,
    PreparationPlan,
    plan_split,
)
from actiseg_data.make.prepare.preparation_report import PrepareReport
from actiseg_data.make.prepare.preparation_sources import (
    PreparationSources,
    SourcePaths,
    read_sources,
)
from actiseg_data.make.prepare.raw_inputs import RawInput, list_raw_inputs
from actiseg_data.make.prepare.report_making import make_prepare_report
from actiseg_data.make.prepare.staging import (
    DERIVED,
    check_folders,
    check_place,
    name_report,
    recover,
    stage_split,
)
from actiseg_data.make.prepare.survey import Context, Survey, survey_file
from actiseg_data.make.prepare.video_drawing import (
    VideoJob,
    draw_video,
    refuse_without_images,
)
from actiseg_data.records.licences import VISOR_LICENSE, VISOR_NOTICE, write_licences


def prepare_visor(
    *,
    annotations: Path | Sequence[Path],
    split: str,
    frame_mapping: Path,
    narrations: Sequence[Path],
    noun_classes: Path,
    out: Path,
    images: Path | None = None,
    human_labels: Sequence[Path] = (),
    hos_corrections: Path | None = None,
    workers: int = 1,
    progress: ProgressCallback | None = None,
) -> PrepareReport:
    """Add a split, built from raw VISOR annotations, to an ActionVOS root.

    Files that a killed run has left are removed first.

    Parameters
    ----------
    annotations : Path or sequence of Path
        Folder of VISOR JSON files (``.json``, ``.json.gz``), see `find_annotation_files`, or the
        files themselves: sparse annotations, or dense interpolations.
    split : str
        ``train`` or ``val``. Only val drops the contacts of unsure frames.
    frame_mapping : Path
        VISOR's ``frame_mapping.json``.
    narrations : sequence of Path
        EPIC-KITCHENS-100 tables.
    noun_classes : Path
        ``EPIC_100_noun_classes_v2.csv``.
    out : Path
        The ActionVOS root.
    images : Path, optional
        Folder with VISOR's frames. It must have at least one frame of the split.
    human_labels : sequence of Path
        Human-labelled lists, which are written under their own stems.
    hos_corrections : Path, optional
        VISOR-HOS's corrections of contacts.
    workers : int
        Number of processes. The result does not depend on it.
    progress : callable, optional
        Called with the number of drawn videos and of all videos.

    Raises
    ------
    InputError
        With every problem of the input, and if the split already exists. The root is then
        unchanged.
    """
    check_split(split)
    load_cv2()  # fail now, not halfway
    paths = SourcePaths(
        frame_mapping, tuple(narrations), noun_classes, tuple(human_labels), hos_corrections
    )
    sources = read_sources(paths, split)
    names = (split, *(planned.name for planned in sources.lists))
    folders = {"annotations": annotations} if isinstance(annotations, Path) else {}
    recover(out, split)
    check_place(out, split, names, folders | ({"images": images} if images else {}))
    if images is not None and not images.is_dir():
        raise refuse("the folder of images is missing", images, "check the path")
    files = find_annotation_files(annotations, split)
    noise = describe_noise_of_files(files)
    surveyed = _survey(files, split, sources, workers)
    surveys = [survey for survey in surveyed if survey.video in sources.mapping]
    unknown = [
        ("unknown_videos", survey.video)
        for survey in surveyed
        if survey.video not in sources.mapping
    ]
    mapping = map_dense_frames(surveys, sources.mapping)
    plan = plan_split(surveys, mapping, sources.narrations, sources.lists)
    _refuse_empty(plan, annotations if isinstance(annotations, Path) else files[0].parent)
    actions = (*plan.derived, *plan.labelled)
    check_folders(out, split, tuple(action.folder for action in actions))
    jobs = _make_jobs(surveys, actions, split, sources.corrections, images)
    if images is not None:
        refuse_without_images(images, jobs)
    with stage_split(out, split) as root:
        results = run_parallel(draw_video, root, jobs, workers, progress)
        labels = {
            action.folder: of_action
            for job, result in zip(jobs, results, strict=True)
            for action, of_action in zip(job.actions, result.labels, strict=True)
        }
        sequences = tuple(_make_sequence(action, labels[action.folder]) for action in plan.derived)
        report = make_prepare_report(
            split=split,
            plan=plan,
            surveys=surveys,
            sequences=sequences,
            jobs=jobs,
            results=results,
            unknown=unknown,
            images=images,
            inputs=(*_list_annotations(split, surveyed), *sources.inputs),
            noise=noise,
        )
        _write_documents(root, split, sequences, plan.lists, report)
    return report


def _list_annotations(split: str, surveys: Iterable[Survey]) -> tuple[RawInput, ...]:
    """List the annotation files that were read, by name."""
    digests = {survey.path: survey.sha256 for survey in surveys}
    paths = sorted(digests, key=lambda path: path.name)
    return list_raw_inputs(split, "annotations", paths, digests)


def _survey(
    files: Sequence[Path], split: str, sources: PreparationSources, workers: int
) -> list[Survey]:
    """Survey all files, and sort them by video; two files of one video raise an `InputError`."""
    context = Context(split == "val", sources.corrections, sources.classes)
    surveyed = run_parallel(survey_file, context, files, workers)
    surveys = sorted(surveyed, key=lambda survey: survey.video)
    problems = ProblemCollector()
    for first, second in pairwise(surveys):
        if first.video == second.video:
            problems.add(
                f"has the video {second.video}, as {first.path} does", second.path, "remove one"
            )
    problems.raise_if_any()
    return surveys


def _refuse_empty(plan: PreparationPlan, annotations: Path) -> None:
    problems = ProblemCollector()
    if not plan.derived and not plan.labelled:
        problems.add(
            "no action has two annotated frames and an object: nothing can be prepared",
            annotations,
            "give the narration tables and the frame mapping that belong to these videos",
        )
    for planned in plan.lists:
        if not planned.kept:
            problems.add(
                f"none of its sequences can be written ({planned.absent} are of other videos, "
                f"{len(planned.left_out)} do not fit the annotations)",
                f"{planned.name}.json",
                "leave out `human_labels`, or give the videos' annotations",
            )
    problems.raise_if_any()


def _make_jobs(
    surveys: Iterable[Survey],
    actions: Iterable[PlannedAction],
    split: str,
    corrections: Corrections,
    images: Path | None,
) -> list[VideoJob]:
    """Make a job for each video that has actions.

    Actions are in order of time, because neighbours share their frames.
    """
    by_video: dict[str, list[PlannedAction]] = {}
    for action in actions:
        by_video.setdefault(action.video, []).append(action)
    return [
        VideoJob(
            path=survey.path,
            split=split,
            actions=tuple(
                sorted(by_video[survey.video], key=lambda a: (a.frames[0].epic, a.seq_id))
            ),
            corrections={name: corrections[name] for name in survey.objects if name in corrections},
            images=images,
        )
        for survey in surveys
        if survey.video in by_video
    ]


def _make_sequence(action: PlannedAction, labels: tuple[ObjectLabel, ...]) -> VideoSequence:
    """Make the sequence of the derived list for an action."""
    row = action.narration
    assert row is not None  # only actions of a row are in the derived list
    return VideoSequence(
        folder=action.folder,
        seq_id=action.seq_id,
        video=row.video,
        start=row.start,
        end=row.stop,
        narration=row.text,
        verb=row.verb,
        verb_class=row.verb_class,
        noun=row.noun,
        noun_class=row.noun_class,
        frames=tuple(frame.epic for frame in action.frames),
        objects=labels,
    )


def _write_documents(
    root: Path,
    split: str,
    sequences: Sequence[VideoSequence],
    lists: Iterable[ListPlan],
    report: PrepareReport,
) -> None:
    """Write the lists with their prompts and objects, the report, licence and notice."""
    documents = make_image_sets(split, sequences) if sequences else {}
    for planned in lists:
        documents |= make_image_sets(
            planned.name, (entry.sequence for entry in planned.kept), flags=True
        )
        documents[f"{planned.name}.json"] = [entry.record for entry in planned.kept]
    for file, document in documents.items():
        write_json(root / IMAGE_SETS / file, document)
    write_json(root / name_report(split), report.to_dict(), indent=1)
    write_licences(root, VISOR_LICENSE, VISOR_NOTICE + DERIVED + compose_noise_notice(report.noise))
