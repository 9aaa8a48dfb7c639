"""The polygons of one VISOR file, as masks of the objects of a video."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import IndexMask
from actiseg_data.annotations.polygons import BoolArray, Patch, fill_closed
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import check_name
from actiseg_data.layouts.mask_document import (
    KEPT,
    MOST_OBJECTS,
    DocumentChange,
    FaultGroups,
    MaskKey,
    paint_patch,
    sort_ids,
)
from actiseg_data.layouts.sequence_record import make_dataset_label, make_dataset_sequence
from actiseg_data.layouts.visor_json import FULL, Entity, FloatArray, Video, parse_video

_ESCAPES = str.maketrans({"/": "%2F", "\\": "%5C"})
"""VISOR has names such as ``crisp/chips``, and an object id is a part of a path."""

Place = tuple[str, str]
"""The name of a frame, and the identity of an object."""


def fill_polygons(polygons: tuple[FloatArray, ...], size: tuple[int, int] = FULL) -> Patch:
    """Fill polygons even-odd, with vertices cut to whole pixels toward zero."""
    return fill_closed([polygon.astype(np.int64) for polygon in polygons], size)


@dataclass(frozen=True, eq=False)
class VisorDocument:
    """The polygons of a video of VISOR. An entity without a polygon has no mask.

    The objects are called by their names. If a frame has a name several times, the second one is
    ``name#2``, and so on.

    Attributes
    ----------
    document : dict
        The parsed JSON.
    sequences, tally
        See `MaskDocument`. There is one sequence, called like the video.
    size : tuple of int
        (H, W) of the frames.
    entities : mapping of (str, str) to Entity
        The entities with polygons by frame and identity.
    positions : mapping of (str, str) to (int, int)
        The positions of their frame and of them in the document.
    """

    document: dict[str, Any]
    sequences: tuple[VideoSequence, ...]
    tally: Mapping[str, int]
    size: tuple[int, int]
    entities: Mapping[Place, Entity]
    positions: Mapping[Place, tuple[int, int]]

    @property
    def takes_new_objects(self) -> bool:
        """False: false objects are not drawn as polygons."""
        return False

    @property
    def categories(self) -> tuple[Category, ...]:
        """None: the names of VISOR's classes are in another document."""
        return ()

    def get_size(self, sequence: VideoSequence) -> tuple[int, int]:
        """Return (H, W) of the frames."""
        return self.size

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Iterate over the masks of a sequence's views, filled even-odd."""
        for view in sequence.views:
            label = view.objects[0]
            polygons = self.entities[view.frame, label.identity].polygons
            yield paint_patch(fill_polygons(polygons, self.size), self.size, label.object_id)

    def encode(
        self, sequence: VideoSequence, frame: str, label: ObjectLabel, mask: BoolArray
    ) -> Any:
        """Raise an `InputError`: pixels do not say which polygons they were filled from."""
        what = "has polygons, which noise of pixels cannot change"
        raise refuse(what, sequence.folder, "choose noise of polygons")

    def digest_segments(self, frame: str, identity: str) -> str:
        """Digest the polygons of an object in a frame, as the document has them."""
        position = self.positions.get((frame, identity))
        return digest_json(None if position is None else self._get_entity(position)["segments"])

    def _get_entity(self, position: tuple[int, int]) -> dict[str, Any]:
        frame, entity = position
        annotations: list[dict[str, Any]] = self.document["video_annotations"][frame]["annotations"]
        return annotations[entity]

    def replace(
        self, changes: Mapping[MaskKey, DocumentChange], kept: Collection[str] | None = None
    ) -> dict[str, Any] | None:
        """Return the document with changes, see `MaskDocument.replace`.

        An entity changes in ``segments`` alone, and in ``class_id`` if it gets another class. None
        if the sequence is not kept.
        """
        (sequence,) = self.sequences
        if kept is not None and sequence.folder not in kept:
            return None
        frames = [
            {**frame, "annotations": [dict(entity) for entity in frame["annotations"]]}
            for frame in self.document["video_annotations"]
        ]
        identities = {label.object_id: label.identity for label in sequence.objects}
        for (_, name, object_id), change in changes.items():
            frame, position = self.positions[name, identities[object_id]]
            entity = frames[frame]["annotations"][position]
            if change.segment is not KEPT:
                entity["segments"] = [] if change.segment is None else change.segment
            if change.class_id is not None:
                entity["class_id"] = change.class_id
        return {**self.document, "video_annotations": frames}


def read_visor_document(path: Path) -> VisorDocument:
    """Read a VISOR file as masks; all problems raise one `InputError`."""
    document = read_json(path, "annotation file")
    return make_visor_document(document, parse_video(document, path), str(path))


def make_visor_document(document: dict[str, Any], video: Video, where: str) -> VisorDocument:
    """Name the objects of a video.

    Raises
    ------
    InputError
        With every name of a frame or an object that cannot be part of a path; if there are more
        objects than `MOST_OBJECTS`.
    """
    faults = FaultGroups("frame")
    entities: dict[Place, Entity] = {}
    positions: dict[Place, tuple[int, int]] = {}
    frames: dict[str, set[str]] = {}
    tally = Counter[str]()
    for number, frame in enumerate(video.frames):
        name = Path(frame.name).stem
        known = frames.setdefault(name, set())
        for position, entity in enumerate(frame.entities):
            identity = _name_object(entity.name, known)
            known.add(identity)
            if not entity.polygons:
                tally["entities_without_polygon"] += 1
                continue
            try:
                check_name(identity, "object", where)
            except InputError as error:
                faults.add_error(error, name)
            entities[name, identity] = entity
            positions[name, identity] = number, position
    faults.raise_if_any(where)
    labels = _make_labels(entities, where)
    numbers = {label.identity: label.object_id for label in labels}
    layers = [(frame, numbers[identity]) for frame, identity in entities]
    sequence = make_dataset_sequence(video.name, frames, labels, _sort_layers(layers, frames))
    return VisorDocument(document, (sequence,), tally, video.size, entities, positions)


def _name_object(name: str, known: Collection[str]) -> str:
    """Return the identity of an object whose name others of the frame may have.

    >>> _name_object("cup", {"cup", "cup#2"}), _name_object("crisp/chips", {})
    ('cup#3', 'crisp%2Fchips')
    """
    plain = name.translate(_ESCAPES)
    numbered = (f"{plain}#{number}" for number in count(2))
    return plain if plain not in known else next(n for n in numbered if n not in known)


def _make_labels(entities: Mapping[Place, Entity], where: str) -> list[ObjectLabel]:
    """Make the labels of all objects; each has the class and the name of its first entity."""
    first: dict[str, Entity] = {}
    for (_, identity), entity in entities.items():
        first.setdefault(identity, entity)
    if len(first) > MOST_OBJECTS:
        what = f"has {len(first)} objects, more than {MOST_OBJECTS}"
        raise refuse(what, where, "divide the document")
    return [
        make_dataset_label(
            number, first[str(identity)].name, first[str(identity)].class_id, identity
        )
        for number, identity in enumerate(sort_ids(list(first)), 1)
    ]


def _sort_layers(layers: list[tuple[str, int]], frames: Collection[str]) -> list[tuple[str, int]]:
    """Sort masks by frame and object; a frame may occur twice in the document."""
    order = {frame: number for number, frame in enumerate(frames)}
    return sorted(layers, key=lambda layer: (order[layer[0]], layer[1]))
