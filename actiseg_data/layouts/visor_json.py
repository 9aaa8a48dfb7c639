"""Raw VISOR annotations: one JSON document per video, with polygons.

Each frame has entities: a name, an EPIC noun class, and polygons. Sparse annotations are from
people, in 1920 x 1080 pixels; for hands and gloves they also name the entity that they touch. Dense
interpolations between these frames are from a network, in 854 x 480 pixels, without contacts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path, PureWindowsPath
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    read_json,
)
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.names import check_name
from actiseg_data.layouts.image_sets import refuse_repeats

FloatArray: TypeAlias = NDArray[np.float64]

FULL = (1080, 1920)
"""(H, W) of the frames that the polygons of sparse annotations are drawn on."""

SMALL = (480, 854)
"""(H, W) of the frames of dense interpolations, and of ActionVOS's masks, weights and frames."""

MAX_COORDINATE = 100_000.0
"""Largest coordinate of a vertex, in pixels. Real vertices leave the image by up to 41."""

LEAST_POINTS = 3
"""Fewest points of a polygon. Shorter ones cover no pixel and are left out."""

MAX_POINTS = 10_000
"""Most vertices of an entity, in all of its polygons: bounds the cost of filling."""

MAX_ENTITIES = 255
"""Most entities of a frame: an index mask has no more ids."""


@dataclass(frozen=True, eq=False)
class Entity:
    """One annotated entity of a frame.

    Attributes
    ----------
    entity_id, name : str
        Its id and its name.
    class_id : int
        EPIC noun class.
    exhaustive : str
        VISOR's note on whether all instances are annotated.
    polygons : tuple of ndarray
        (N, 2) float64 x, y, N >= 3. Several are parts or holes; the file does not distinguish them.
    contact : str or None
        Of hands and gloves: the id of the touched entity, or one of VISOR's words for none.
    worn_on : tuple of str, str or None
        Of gloves: the hands that wear it; a plain text if VISOR has one.
    left_out : tuple of int
        Positions, among the polygons of the file, of those with fewer than 3 points.

    Dense interpolations have no `exhaustive`, which is empty then, and may have no id.
    """

    entity_id: str
    name: str
    class_id: int
    exhaustive: str
    polygons: tuple[FloatArray, ...]
    contact: str | None = None
    worn_on: tuple[str, ...] | str | None = None
    left_out: tuple[int, ...] = ()

    @property
    def positions(self) -> tuple[int, ...]:
        """The position of each polygon among those of the file."""
        left_out = set(self.left_out)
        total = len(self.polygons) + len(left_out)
        return tuple(index for index in range(total) if index not in left_out)


@dataclass(frozen=True, eq=False)
class Frame:
    """One annotated frame. `name` is VISOR's file name; `entities` are in painting order.

    The `subsequence` of an interpolated frame is the number of the interpolation.
    """

    name: str
    image_path: str
    subsequence: str
    entities: tuple[Entity, ...]


@dataclass(frozen=True, eq=False)
class Video:
    """One annotated video, its frames in the order of the file.

    In dense interpolations, a frame between two of them may occur twice, see `join_frames`.
    """

    name: str
    frames: tuple[Frame, ...]
    is_dense: bool = False

    @property
    def size(self) -> tuple[int, int]:
        """(H, W) of the frames that the polygons are drawn on."""
        return SMALL if self.is_dense else FULL


def read_video(path: Path) -> Video:
    """Read a VISOR JSON (``.json``, ``.json.gz``); all problems raise one `InputError`."""
    return parse_video(read_json(path, "annotation file"), path)


def parse_video(value: Any, path: Path) -> Video:
    """Parse the document of a VISOR JSON; all problems raise one `InputError`."""
    document = Cursor(value, str(path))
    _refuse_other_kinds(document, path)
    elements = list(document["video_annotations"].iterate_elements())
    is_dense = _are_interpolated([element.value for element in elements])
    problems = ProblemCollector()
    parse = partial(_parse_frame, is_dense=is_dense)
    frames: list[tuple[str, Frame]] = collect_valid(elements, parse, problems)
    problems.raise_if_any()
    videos = sorted({video for video, _ in frames})
    if not videos:
        raise refuse("has no frame", path, "fetch it again, or remove it")
    if len(videos) > 1:
        raise refuse(
            f"has frames of several videos: {', '.join(videos[:9])}",
            path,
            "write one file for each",
        )
    if not is_dense:
        refuse_repeats("frame", (frame.name for _, frame in frames), path, problems)
    return Video(videos[0], tuple(frame for _, frame in frames), is_dense)


def join_frames(video: Video) -> dict[str, Frame]:
    """Return the frames of a video by name.

    A frame that occurs twice, at the end of one interpolation and at the start of the next, has the
    entities of both, each name once, the first one.
    """
    joined: dict[str, Frame] = {}
    for frame in video.frames:
        earlier = joined.get(frame.name)
        if earlier is not None:
            known = {entity.name for entity in earlier.entities}
            more = tuple(entity for entity in frame.entities if entity.name not in known)
            frame = replace(earlier, entities=earlier.entities + more)
        joined[frame.name] = frame
    return joined


def _refuse_other_kinds(document: Cursor, path: Path) -> None:
    """Raise `InputError` for a document of another kind, which it names if known."""
    if isinstance(document.value, dict) and "video_annotations" in document:
        return
    from actiseg_data.layouts.recognition import recognise_dataset  # it knows this layout, too

    kind = recognise_dataset(path)
    raise refuse(
        "is not an annotation file of VISOR: the key 'video_annotations' is missing"
        if kind is None
        else f"is {kind}",
        path,
        "give VISOR's annotations alone",
    )


def _are_interpolated(frames: list[Any]) -> bool:
    """Return whether frames are from VISOR's dense annotations.

    These name the frames that they interpolate between, and do not have two fields of sparse ones.
    """
    frames = [frame for frame in frames if isinstance(frame, dict)]
    images = [frame["image"] for frame in frames if isinstance(frame.get("image"), dict)]
    if any(key.startswith("interpolation") for image in images for key in image):
        return True
    lists = [frame.get("annotations") for frame in frames]
    entities = [entity for listed in lists if isinstance(listed, list) for entity in listed]
    return bool(entities) and not (
        any("subsequence" in image for image in images)
        or any(isinstance(entity, dict) and "exhaustive" in entity for entity in entities)
    )


def _parse_frame(cursor: Cursor, *, is_dense: bool) -> tuple[str, Frame]:
    """Parse a frame and the name of its video."""
    problems = ProblemCollector()
    texts: dict[str, str] = {}
    with problems.collect():
        image = cursor["image"]
        if is_dense:
            texts["subsequence"] = str(image.as_mapping().get("interpolation", ""))
        for field in ("video", "name", "image_path", "subsequence"):
            if field in texts:
                continue
            with problems.collect():
                texts[field] = image[field].as_text()
                _check_path(field, texts[field], image.where, problems)
    entities: list[Entity] = []
    with problems.collect():
        elements = list(cursor["annotations"].iterate_elements())
        if len(elements) > MAX_ENTITIES:
            problems.add(
                f"the frame has {len(elements)} entities, more than {MAX_ENTITIES}",
                cursor.where,
                "fetch the file again",
            )
        else:
            parse = partial(_parse_entity, is_dense=is_dense)
            entities = collect_valid(elements, parse, problems)
    problems.raise_if_any()
    ids = (entity.entity_id for entity in entities if entity.entity_id)
    refuse_repeats("entity id", ids, cursor.where, problems)
    frame = Frame(texts["name"], texts["image_path"], texts["subsequence"], tuple(entities))
    return texts["video"], frame


def _check_path(field: str, text: str, where: str, problems: ProblemCollector) -> None:
    """Check names and parts of the image path, which become paths; the sub-sequence does not."""
    if field == "image_path" and (not text or PureWindowsPath(text).anchor):  # / and C: alike
        problems.add(
            f"an image path must be relative and inside the folder, not {text[:80]!r}",
            where,
            "correct the file",
        )
        return
    parts = {"video": [text], "name": [text], "image_path": text.split("/")}.get(field, [])
    for part in parts:
        with problems.collect():
            check_name(part, "frame" if field == "name" else field.replace("_", " "), where)


def _parse_entity(cursor: Cursor, *, is_dense: bool) -> Entity:
    problems = ProblemCollector()
    texts: dict[str, str] = {}
    for field in ("id", "name", "exhaustive"):
        with problems.collect():
            if is_dense and field != "name" and cursor.as_mapping().get(field) is None:
                texts[field] = ""
                continue
            texts[field] = cursor[field].as_text()
            if not texts[field].strip():
                problems.add(f"the {field} is empty", cursor.where, "correct the file")
    class_id = -1
    with problems.collect():
        class_id = cursor["class_id"].as_integer()
    segments: list[FloatArray] = []
    with problems.collect():
        segments = collect_valid(_parse_segments(cursor["segments"]), _parse_polygon, problems)
        points = sum(map(len, segments))
        if points > MAX_POINTS:
            problems.add(
                f"the entity's polygons have {points} points, more than {MAX_POINTS}",
                cursor.where,
                "remove polygons, or fetch the file again",
            )
    contact = None
    with problems.collect():
        contact = _parse_optional_text(cursor, "in_contact_object")
    worn_on = None
    with problems.collect():
        worn_on = _parse_worn_on(cursor)
    problems.raise_if_any()
    return Entity(
        entity_id=texts["id"],
        name=texts["name"],
        class_id=class_id,
        exhaustive=texts["exhaustive"],
        polygons=tuple(polygon for polygon in segments if len(polygon) >= LEAST_POINTS),
        contact=contact,
        worn_on=worn_on,
        left_out=tuple(
            index for index, polygon in enumerate(segments) if len(polygon) < LEAST_POINTS
        ),
    )


def _parse_segments(cursor: Cursor) -> list[Cursor]:
    """Return the places of an entity's polygons; ``null`` has none."""
    return [] if cursor.value is None else list(cursor.iterate_elements())


def _parse_optional_text(cursor: Cursor, field: str) -> str | None:
    if cursor.as_mapping().get(field) is None:
        return None
    return cursor[field].as_text()


def _parse_worn_on(cursor: Cursor) -> tuple[str, ...] | str | None:
    value = cursor.as_mapping().get("on_which_hand")
    if isinstance(value, list):
        return tuple(hand.as_text() for hand in cursor["on_which_hand"].iterate_elements())
    return _parse_optional_text(cursor, "on_which_hand")


def _parse_polygon(cursor: Cursor) -> FloatArray:
    """Parse a polygon as (N, 2) float64, N >= 0; ``null`` has no point.

    The common case is checked as one array, not point by point.
    """
    points = _as_array([] if cursor.value is None else cursor.value)
    if points is None:
        raise _find_first_fault(cursor)
    if len(points) < LEAST_POINTS:
        return points  # left out, even if they are far outside
    if len(points) > MAX_POINTS:
        raise refuse(
            f"the polygon has {len(points)} points, more than {MAX_POINTS}",
            cursor.where,
            "remove the polygon, or fetch the file again",
        )
    # Infinite numbers also fail here.
    far = np.flatnonzero(~(np.abs(points) <= MAX_COORDINATE).all(axis=1))
    if len(far):
        raise refuse(
            f"the point {points[far[0]].tolist()} is far outside any frame",
            f"{cursor.where}[{far[0]}]",
            "correct the polygon, or fetch the file again",
        )
    return points


def _as_array(value: Any) -> FloatArray | None:
    """Convert a list of pairs of numbers to (N, 2) float64; return None for anything else."""
    try:
        if not {type(number) for number in chain.from_iterable(value)} <= {int, float}:
            return None
        points = np.array(value, np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    if not len(points):
        return np.zeros((0, 2))
    return points if points.ndim == 2 and points.shape[1] == 2 else None


def _find_first_fault(cursor: Cursor) -> InputError:
    """Build the error for a polygon that is not a list of pairs of numbers, with its place."""
    if isinstance(cursor.value, list) and set(map(type, cursor.value)) <= {int, float}:
        return refuse(
            "the polygon is a flat list of numbers, as in COCO; VISOR's are lists of [x, y]",
            cursor.where,
            "fetch VISOR's own file",
        )
    try:
        for point in cursor.iterate_elements():
            pair = list(point.iterate_elements())
            if len(pair) != 2:
                return refuse(
                    f"a point must have 2 coordinates, not {len(pair)}",
                    point.where,
                    "correct the file",
                )
            for coordinate in pair:
                coordinate.as_number()
    except InputError as refused:
        return refused
    return refuse("is not a polygon", cursor.where, "correct the file")
