"""The noise of the polygons of one sequence: a pure function of its document and the recipe."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from actiseg_data.annotations.sequences import VideoSequence, View
from actiseg_data.layouts.visor_document import VisorDocument
from actiseg_data.layouts.visor_json import Entity
from actiseg_data.records.ledger_record import MaskRow
from actiseg_data.records.recipe_record import Noise
from actiseg_noise.polygon_noise.entity_noise import (
    EntityIdentity,
    EntityNoise,
    corrupt_entity,
    draw_entity_selection,
)


@dataclass(frozen=True)
class SequencePolygons:
    """The noise of the polygons of one sequence.

    Attributes
    ----------
    segments : dict of int to list
        The noisy polygons, as the document has them, by the position of the view.
    rows : tuple of MaskRow
        One ledger row for each object that was selected in a frame.
    tally : Counter
        Counts: ``items``; ``polygons_clean`` and ``polygons_noisy`` of the selected;
        ``crossing_clean`` (selected objects whose clean polygons cross) and ``crossing_snapped``
        (selected objects whose noisy polygons crossed after they were snapped), which are both
        repaired; ``kept`` (selected objects without area in the image, or with too little, which
        stay as they are); ``short_polygons`` (polygons of fewer than 3 points of selected objects,
        left out).
    """

    segments: dict[int, list[Any]]
    rows: tuple[MaskRow, ...]
    tally: Counter[str]


def draw_polygon_selection(seed: int, sequence: VideoSequence) -> array[float]:
    """Draw the uniform numbers in [0, 1) that select the objects in the frames of a sequence."""
    identities = (_identify_entity(sequence, view) for view in sequence.views)
    return array("d", (draw_entity_selection(seed, identity) for identity in identities))


def corrupt_polygons(
    sequence: VideoSequence, document: VisorDocument, noise: Noise, seed: int, threshold: float
) -> SequencePolygons:
    """Apply noise to the polygons of a sequence.

    Parameters
    ----------
    sequence : VideoSequence
        A sequence of the document.
    document : VisorDocument
        Its clean polygons.
    noise : Noise
        A checked noise of polygons.
    seed : int
        Seed of the recipe.
    threshold : float
        Objects with a selection draw below it get noise.
    """
    segments: dict[int, list[Any]] = {}
    rows = []
    tally = Counter(items=len(sequence.views))
    for number, view in enumerate(sequence.views):
        identity = _identify_entity(sequence, view)
        if threshold < 1 and draw_entity_selection(seed, identity) >= threshold:
            continue
        entity = document.entities[view.frame, view.objects[0].identity]
        drawn = corrupt_entity(entity.polygons, document.size, noise, seed, identity)
        if drawn.noisy.polygons is not None:
            segments[number] = [polygon.tolist() for polygon in drawn.noisy.polygons]
        rows.append(_make_row(sequence, view, drawn, noise))
        tally.update(dict(_count_item(entity, drawn)))
    return SequencePolygons(segments, tuple(rows), tally)


def _identify_entity(sequence: VideoSequence, view: View) -> EntityIdentity:
    return EntityIdentity(sequence.folder, view.frame, view.objects[0].identity)


def _make_row(sequence: VideoSequence, view: View, drawn: EntityNoise, noise: Noise) -> MaskRow:
    label, noisy = view.objects[0], drawn.noisy
    return MaskRow(
        sequence=sequence.folder,
        frame=view.frame,
        object_id=label.object_id,
        object=label.name,
        kind=drawn.kind,
        parameters=noisy.details,
        status=noisy.status,
        iou_target=noise.parameters.get("target_iou"),
        iou_drawn=round(noisy.iou, 6),
        iou=round(noisy.iou, 6),
        area=round(drawn.area),
        area_ratio=noisy.area_ratio,
    )


def _count_item(entity: Entity, drawn: EntityNoise) -> Iterator[tuple[str, int]]:
    clean, noisy = entity.polygons, drawn.noisy.polygons
    yield "polygons_clean", len(clean)
    yield "polygons_noisy", len(clean if noisy is None else noisy)
    yield "crossing_clean", int(drawn.was_crossing and noisy is not None)
    yield "crossing_snapped", int(drawn.noisy.is_repaired)
    yield "kept", int(noisy is None)
    yield "short_polygons", 0 if noisy is None else len(entity.left_out)
