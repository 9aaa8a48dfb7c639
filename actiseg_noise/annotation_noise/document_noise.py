"""The noise of one VISOR document: a pure function of the document and the recipe."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.layouts.visor_json import Entity, Video, parse_video
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.polygon_noise.entity_noise import (
    EntityIdentity,
    EntityNoise,
    corrupt_entity,
    draw_entity_selection,
)


@dataclass(frozen=True)
class AnnotationItem:
    """An entity that may get noise: its place in the document, and its identity."""

    frame: int
    place: int
    entity: Entity
    identity: EntityIdentity


@dataclass(frozen=True)
class DocumentNoise:
    """The noise of one document.

    Attributes
    ----------
    document : dict
        The noisy document. It differs from the clean one in ``segments`` alone.
    rows : tuple of MaskRow
        One ledger row for each noisy entity.
    tally : Counter
        Counts: ``frames``; ``items`` (entities with a polygon) and ``absent`` (entities without);
        ``polygons_clean`` and ``polygons_noisy`` of the selected; ``crossing_clean`` (selected
        entities whose clean polygons cross) and ``crossing_snapped`` (selected entities whose noisy
        polygons crossed after they were snapped), which are both repaired; ``kept`` (selected
        entities without area in the image, or with too little, which stay as they are);
        ``short_polygons`` (polygons of fewer than 3 points of selected entities, left out).
    """

    document: dict[str, Any]
    rows: tuple[MaskRow, ...]
    tally: Counter[str]


def list_items(video: Video) -> list[AnnotationItem]:
    """List the entities of a document that may get noise: all that have a polygon."""
    items = []
    for number, frame in enumerate(video.frames):
        seen: Counter[str] = Counter()
        for place, entity in enumerate(frame.entities):
            identity = EntityIdentity(video.name, frame.name, entity.name, seen[entity.name])
            seen[entity.name] += 1
            if entity.polygons:
                items.append(AnnotationItem(number, place, entity, identity))
    return items


def draw_document_selection(video: Video, seed: int) -> list[float]:
    """Draw the uniform numbers in [0, 1) that select the items of a document."""
    return [draw_entity_selection(seed, item.identity) for item in list_items(video)]


def corrupt_document(
    document: Mapping[str, Any], path: Path, noise: Noise, seed: int, threshold: float
) -> DocumentNoise:
    """Apply polygon noise to a VISOR document.

    Parameters
    ----------
    document : mapping
        The document, sparse annotations or dense interpolations. It is not changed.
    path : Path
        Its file, for messages.
    noise : Noise
        A checked noise of polygons.
    seed : int
        Seed of the recipe.
    threshold : float
        Entities with a selection draw below it get noise.

    Raises
    ------
    InputError
        With everything that is wrong in the document.
    """
    video = parse_video(document, path)
    noisy = _copy_entities(document)
    items = list_items(video)
    tally = Counter(frames=len(video.frames), items=len(items))
    tally["absent"] = sum(len(frame.entities) for frame in video.frames) - len(items)
    rows = []
    for item in items:
        if threshold < 1 and draw_entity_selection(seed, item.identity) >= threshold:
            continue
        drawn = corrupt_entity(item.entity.polygons, video.size, noise, seed, item.identity)
        entity = noisy["video_annotations"][item.frame]["annotations"][item.place]
        if drawn.noisy.polygons is not None:
            entity["segments"] = [polygon.tolist() for polygon in drawn.noisy.polygons]
        rows.append(_make_row(item, drawn, noise))
        tally.update(dict(_count_item(item, drawn)))
    return DocumentNoise(noisy, tuple(rows), +tally)


def _copy_entities(document: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a document down to its entities, whose members are shared."""
    frames = [
        {**frame, "annotations": [dict(entity) for entity in frame["annotations"]]}
        for frame in document["video_annotations"]
    ]
    return {**document, "video_annotations": frames}


def _make_row(item: AnnotationItem, drawn: EntityNoise, noise: Noise) -> MaskRow:
    noisy = drawn.noisy
    return MaskRow(
        sequence=item.identity.video,
        frame=item.identity.frame,
        object_id=item.place + 1,
        object=item.identity.name,
        kind=drawn.kind,
        parameters=noisy.details,
        status=noisy.status,
        iou_target=noise.parameters.get("target_iou"),
        iou_drawn=round(noisy.iou, 6),
        iou=round(noisy.iou, 6),
        area=round(drawn.area),
        area_ratio=noisy.area_ratio,
    )


def _count_item(item: AnnotationItem, drawn: EntityNoise) -> Iterator[tuple[str, int]]:
    clean, noisy = item.entity.polygons, drawn.noisy.polygons
    yield "polygons_clean", len(clean)
    yield "polygons_noisy", len(clean if noisy is None else noisy)
    yield "crossing_clean", int(drawn.was_crossing and noisy is not None)
    yield "crossing_snapped", int(drawn.noisy.is_repaired)
    yield "kept", int(noisy is None)
    yield "short_polygons", 0 if noisy is None else len(item.entity.left_out)
