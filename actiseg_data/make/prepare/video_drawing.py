"""The part of a split from one video: draw masks, weights and frames, and return labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.annotations.sequences import ObjectLabel
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.files import write_bytes
from actiseg_data.core.listing import describe_contents
from actiseg_data.layouts.actionvos import FRAMES, MASKS, WEIGHTS, escape_name
from actiseg_data.layouts.photograph_search import list_photographs
from actiseg_data.layouts.visor_json import FULL, Frame, join_frames, read_video
from actiseg_data.make.prepare.automatic_labels import label_objects
from actiseg_data.make.prepare.contacts import Corrections, correct_contacts, is_dropped
from actiseg_data.make.prepare.frame_views import FrameView, view_frame
from actiseg_data.make.prepare.preparation_plan import PlannedAction
from actiseg_data.make.prepare.survey import SurveyFinding
from actiseg_data.make.prepare.timeline import FrameName
from actiseg_data.make.prepare.visor_images import find_image, read_small_jpeg
from actiseg_data.make.prepare.weight_maps import index_mask, make_weight_map


@dataclass(frozen=True)
class VideoJob:
    """The input for drawing the actions of one video."""

    path: Path
    split: str
    actions: tuple[PlannedAction, ...]
    corrections: Corrections
    images: Path | None

    @property
    def frames(self) -> frozenset[FrameName]:
        return frozenset(frame for action in self.actions for frame in action.frames)


@dataclass(frozen=True)
class VideoResult:
    """The result for one video: labels of each action, number of images, findings."""

    labels: tuple[tuple[ObjectLabel, ...], ...]
    images: int
    findings: tuple[SurveyFinding, ...]


def refuse_without_images(images: Path, jobs: Iterable[VideoJob]) -> None:
    """Raise an `InputError` if a folder of images has none of the frames to draw."""
    name, listed = "", cache(list_photographs)
    for job in jobs:
        frames = join_frames(read_video(job.path))
        for name in sorted(frame.visor for frame in job.frames):
            frame = frames[name]
            if find_image(images, job.split, job.actions[0].video, frame, listed) is not None:
                return
    raise refuse(
        f"has no image of any frame of the split, such as {name}; "
        f"it has {describe_contents(images)}",
        images,
        "unpack VISOR's rgb_frames and give the folder that holds them, or leave `images` out",
    )


def draw_video(root: Path, job: VideoJob) -> VideoResult:
    """Write the files of a video's actions below `root`; bad images raise an `InputError`."""
    video = read_video(job.path)
    frames = join_frames(video)
    labels: list[tuple[ObjectLabel, ...]] = []
    findings: list[SurveyFinding] = []
    for action, views in _view_frames(job, frames, video.size, findings):
        of_action = _label_sequence(action, views)
        labels.append(of_action)
        object_ids = {label.name: label.object_id for label in of_action}
        for frame in action.frames:
            view = views[frame]
            write_index_mask(
                _name_file(root, job, MASKS, action, f"{frame.epic}.png"),
                index_mask(view, object_ids),
            )
            write_index_mask(
                _name_file(root, job, WEIGHTS, action, f"{frame.epic}.png"),
                make_weight_map(view, of_action),
            )
    written = _write_images(root, job, frames, video.size, findings)
    return VideoResult(tuple(labels), written, tuple(findings))


def _name_file(root: Path, job: VideoJob, kind: str, action: PlannedAction, file: str) -> Path:
    return root / kind / job.split / escape_name(action.folder) / file


def _view_frames(
    job: VideoJob,
    frames: Mapping[str, Frame],
    frame_size: tuple[int, int],
    findings: list[SurveyFinding],
) -> Iterator[tuple[PlannedAction, dict[FrameName, FrameView]]]:
    """Iterate over actions and views of their frames. A view is kept until its last action."""
    last_use = {frame: n for n, action in enumerate(job.actions) for frame in action.frames}
    views: dict[FrameName, FrameView] = {}
    for position, action in enumerate(job.actions):
        for name in action.frames:
            if name not in views:
                frame = correct_contacts(frames[name.visor], job.corrections)
                # VISOR-HOS drops frames of unsure contacts from validation, never from training.
                # Dense interpolations have no contacts.
                use = frame_size == FULL and not (job.split == "val" and is_dropped(frame))
                views[name] = view_frame(frame, contacts=use, size=frame_size)
                findings += [("boxes_cut", f"{name.visor}: {box}") for box in views[name].cut_boxes]
        yield action, views
        for name in action.frames:
            if last_use[name] == position:
                del views[name]


def _label_sequence(
    action: PlannedAction, views: Mapping[FrameName, FrameView]
) -> tuple[ObjectLabel, ...]:
    """Label an action by its narration row, or else as its human-labelled list does."""
    in_box = {name for frame in action.frames for name in views[frame].in_box}
    if action.narration is not None:
        return label_objects(action.objects, action.narration.noun_classes, in_box)
    assert action.labelled is not None  # an action comes from a row or from a list
    return tuple(
        # The list's `positive` is from a person; the weights need the automatic one.
        replace(label, positive=label.handbox or label.narration)
        for label in action.labelled.objects
    )


def _write_images(
    root: Path,
    job: VideoJob,
    frames: Mapping[str, Frame],
    expected: tuple[int, int],
    findings: list[SurveyFinding],
) -> int:
    """Write the frames' images into the folders of all their actions; return their number."""
    if job.images is None:
        return 0
    problems = ProblemCollector()
    listed = cache(list_photographs)
    written = 0
    for name in sorted(job.frames, key=lambda frame: frame.epic):
        frame = frames[name.visor]
        source = find_image(job.images, job.split, job.actions[0].video, frame, listed)
        if source is None:
            findings.append(("missing_images", name.visor))
            continue
        with problems.collect():
            jpeg, (height, width) = read_small_jpeg(source)
            if (height, width) not in (FULL, expected):
                findings.append(("images_of_another_size", f"{name.visor}: {width} x {height}"))
            written += 1
            for action in job.actions:
                if name in action.frames:
                    write_bytes(_name_file(root, job, FRAMES, action, f"{name.epic}.jpg"), jpeg)
    problems.raise_if_any()
    return written
