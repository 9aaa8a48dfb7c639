"""The contents of one annotation file and findings about it, without drawing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np

from actiseg_data.core.file_reading import record_digests
from actiseg_data.layouts.visor_json import (
    Entity,
    FloatArray,
    Frame,
    join_frames,
    read_video,
)
from actiseg_data.make.prepare.contacts import (
    GLOVES,
    HANDS,
    Corrections,
    correct_contacts,
    is_dropped,
    is_misspelt,
    iterate_touches,
)
from actiseg_data.make.prepare.noun_classes import NounClasses

SurveyFinding: TypeAlias = tuple[str, str]
"""Kind and place of unusual data; for kinds see `actiseg_data.make.prepare.preparation_report`."""


@dataclass(frozen=True)
class Survey:
    """One annotation file. `objects` are name and class id of what has a polygon, by frame name.

    `sha256` is of the content of the file, unpacked. `is_dense`: it has dense interpolations.
    """

    path: Path
    sha256: str
    video: str
    objects: dict[str, tuple[tuple[str, int], ...]]
    findings: tuple[SurveyFinding, ...]
    is_dense: bool = False


@dataclass(frozen=True)
class Context:
    """What files are surveyed with. `drop` says whether frames of unsure contacts are dropped."""

    drop: bool
    corrections: Corrections
    classes: NounClasses


def survey_file(context: Context, path: Path) -> Survey:
    """Read a file and list its findings; an `InputError` lists all problems of the file."""
    with record_digests() as digests:
        video = read_video(path)
    frames = join_frames(video)
    findings: list[SurveyFinding] = []
    if video.is_dense:
        findings.append(("dense_videos", video.name))
        counts = Counter(frame.name for frame in video.frames)
        findings += [("joined_frames", name) for name, count in counts.items() if count > 1]
    for frame in frames.values():
        findings += _survey_entities(frame, context.classes)
        if not video.is_dense:
            findings += _survey_contacts(frame, context.corrections, context.drop)
    findings += _survey_polygons(frames.values(), video.size)
    objects = {
        name: tuple((e.name, e.class_id) for e in frame.entities if e.polygons)
        for name, frame in frames.items()
    }
    return Survey(path, digests[path], video.name, objects, tuple(findings), video.is_dense)


def _survey_entities(frame: Frame, classes: NounClasses) -> Iterator[SurveyFinding]:
    seen: set[str] = set()
    for entity in frame.entities:
        place = f"{frame.name}: {entity.name}"
        if entity.name in seen:
            yield "repeated_names", place
        seen.add(entity.name)
        for position in entity.left_out:
            yield "short_polygons", f"{place}[{position}]"
        if not entity.polygons:
            yield "entities_without_polygon", place
        finding = classes.describe_class(entity.name, entity.class_id)
        if finding:
            yield finding, f"{place} (class {entity.class_id})"


def _survey_contacts(frame: Frame, corrections: Corrections, drop: bool) -> Iterator[SurveyFinding]:
    for entity in frame.entities:
        place = f"{frame.name}: {entity.name}"
        if entity.name in GLOVES:
            yield "gloves", place
        if is_misspelt(entity):
            yield "misspelt_hands", place
        if entity.name in corrections.get(frame.name, {}):
            yield "corrected_contacts", place
    frame = correct_contacts(frame, corrections)
    if drop and is_dropped(frame):
        yield "dropped_frames", frame.name
        return
    for entity in frame.entities:
        if entity.name in HANDS and entity.contact is None:
            yield "contacts_outside_frame", f"{frame.name}: {entity.name} (no contact given)"
    for touch in iterate_touches(frame):
        if touch.thing is None and touch.contact is not None:
            yield "contacts_outside_frame", f"{frame.name}: {touch.side} ({touch.contact[:40]})"


def _survey_polygons(frames: Iterable[Frame], size: tuple[int, int]) -> Iterator[SurveyFinding]:
    """List polygons that cross themselves or leave the image."""
    import shapely

    rings: list[tuple[str, FloatArray]] = [
        (_place(frame, entity, position), polygon)
        for frame in frames
        for entity in frame.entities
        for position, polygon in zip(entity.positions, entity.polygons, strict=True)
    ]
    if not rings:
        return
    # Close rings here: shapely needs four points, and closes only open rings.
    closed = [np.concatenate([polygon, polygon[:1]]) for _, polygon in rings]
    owner = np.repeat(np.arange(len(closed)), [len(ring) for ring in closed])
    simple = shapely.is_simple(shapely.linearrings(np.concatenate(closed), indices=owner))
    height, width = size
    for (place, polygon), is_simple in zip(rings, simple, strict=True):
        if not is_simple:
            yield "crossing_polygons", place
        if polygon.min() < 0 or polygon[:, 0].max() > width or polygon[:, 1].max() > height:
            yield "polygons_outside_image", place


def _place(frame: Frame, entity: Entity, position: int) -> str:
    return f"{frame.name}: {entity.name}[{position}]"
