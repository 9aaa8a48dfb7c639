"""SA-V: a JSON document of masklets for each video, ``<video>_manual.json`` or ``_auto.json``.

A masklet is the masks of one object, which may overlap those of others. Videos have 24 frames a
second, and masks for every fourth frame.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import MAX_SIDE, IndexMask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_name
from actiseg_data.layouts.coco_segments import encode_segment, paint_segment, parse_rle
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

FRAME_STEP = 4
"""Frames of the video from one frame with masks to the next."""

_HINT = "correct the file, or fetch it again"
_DIGITS = 10
"""Decimals of the published statistics."""

_BUCKETS = (("small", 32**2), ("medium", 96**2))
"""Names of sizes, and the average area in pixels below which a masklet has them."""


@dataclass(frozen=True, eq=False)
class SavVideo:
    """The masklets of a video of SA-V.

    A mask that is null in the document has no layer.

    Attributes
    ----------
    document : dict
        The parsed JSON.
    where : str
        The file, for messages.
    sequences, tally
        See `MaskDocument`. There is one sequence.
    size : tuple of int
        (H, W).
    positions : mapping of int to int
        Where each object is among the masklets.
    """

    document: dict[str, Any]
    where: str
    sequences: tuple[VideoSequence, ...]
    tally: Mapping[str, int]
    size: tuple[int, int]
    positions: Mapping[int, int]

    @property
    def categories(self) -> tuple[Category, ...]:
        """Empty: the objects have no categories."""
        return ()

    @property
    def takes_new_objects(self) -> bool:
        """Whether a false object can be added."""
        return True

    def get_size(self, sequence: VideoSequence) -> tuple[int, int]:
        """Return (H, W) of a sequence."""
        return self.size

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Iterate over the masks of a sequence's views."""
        rows = dict(zip(sequence.frames, self.document["masklet"], strict=True))
        for frame, object_id in sequence.layers or ():
            segment = rows[frame][self.positions[object_id]]
            yield paint_patch(paint_segment(segment, self.size), self.size, object_id)

    def encode(
        self, sequence: VideoSequence, frame: str, label: ObjectLabel, mask: BoolArray
    ) -> Any:
        """Encode a mask as compressed RLE."""
        row = self.document["masklet"][sequence.frames.index(frame)]
        position = self.positions.get(label.object_id)
        return encode_segment(mask, None if position is None else row[position])

    def replace(
        self, changes: Mapping[MaskKey, DocumentChange], kept: Collection[str] | None = None
    ) -> dict[str, Any] | None:
        """Return the document with changes, see `MaskDocument.replace`.

        A removed mask becomes one without a pixel, because all frames list all masklets. The
        statistics of a masklet with changes are computed again. None if the sequence is not kept.
        """
        (sequence,) = self.sequences
        if kept is not None and sequence.folder not in kept:
            return None
        added = {
            object_id: change.added
            for (_, _, object_id), change in sorted(changes.items())
            if change.added is not None
        }
        own = len(self.positions)
        positions = {**self.positions, **{n: own + i for i, n in enumerate(added)}}
        blank = encode_segment(np.zeros(self.size, bool), None)
        shown = {frame for frame, _ in sequence.layers or ()}
        rows = [
            [*row, *(blank if frame in shown else None for _ in added)]
            for frame, row in zip(sequence.frames, self.document["masklet"], strict=True)
        ]
        touched: set[int] = set()
        for index, frame in enumerate(sequence.frames):
            for object_id, position in positions.items():
                change = changes.get((sequence.folder, frame, object_id))
                if change is None or change.segment is KEPT:
                    continue
                segment = change.segment
                rows[index][position] = blank if segment is None else segment
                touched.add(position)
        if not touched:
            return self.document
        noisy = {**self.document, "masklet": rows}
        _add_masklets(noisy, own, [str(label.source_id) for label in added.values()])
        for position in sorted(touched):
            _update_statistics(noisy, [row[position] for row in rows], position, self.size)
        return noisy


def _add_masklets(document: dict[str, Any], own: int, source_ids: list[str]) -> None:
    """Add false objects to the lists of a document that have a value for each masklet."""
    if not source_ids:
        return
    for key, values in document.items():
        if key.startswith("masklet_") and isinstance(values, list) and len(values) == own:
            more = map(int, source_ids) if key == "masklet_id" else (None for _ in source_ids)
            document[key] = [*values, *more]
    if document.get("masklet_num") == own:
        document["masklet_num"] = own + len(source_ids)


def read_sav_video(path: Path) -> SavVideo:
    """Read the masklets of a video (``.json``, ``.json.gz``), see `parse_sav_video`."""
    return parse_sav_video(read_json(path, "file of masklets"), str(path))


def parse_sav_video(document: Any, where: str) -> SavVideo:
    """Check a parsed document of masklets.

    Frames have the names of SA-V's photographs: ``00000``, ``00004``, ... If the document has a row
    of masks for every frame of the video, they are ``00000``, ``00001``, ...

    Raises
    ------
    InputError
        With every fault: missing keys, no size, masklet ids that occur twice, rows of another
        number of masks, and masks that are no RLE or of another size than the video.
    """
    top = Cursor(document, where)
    problems = ProblemCollector()
    folder, size = "", (0, 0)
    ids: list[int] = []
    rows: list[Any] = []
    with problems.collect():
        folder = check_name(top["video_id"].as_text(), "video", where)
    with problems.collect():
        height, width = (_parse_side(top[f"video_{side}"]) for side in ("height", "width"))
        size = height, width
    with problems.collect():
        ids = _parse_ids(top["masklet_id"])
    with problems.collect():
        rows = [row.value for row in top["masklet"].iterate_elements()]
        if not rows:
            problems.add("has no frame with masks", where, _HINT)
    problems.raise_if_any()
    _check_rows(rows, len(ids), size, where)
    frames = [f"{number:05d}" for number in _number_frames(document, len(rows))]
    positions = {n: ids.index(source) for n, source in enumerate(map(int, sort_ids(ids)), 1)}
    labels = [make_dataset_label(n, source_id=ids[position]) for n, position in positions.items()]
    layers = [
        (frame, number)
        for frame, row in zip(frames, rows, strict=True)
        for number, position in positions.items()
        if row[position] is not None
    ]
    sequence = make_dataset_sequence(folder, frames, labels, layers)
    return SavVideo(document, where, (sequence,), {}, size, positions)


def _parse_side(cursor: Cursor) -> int:
    side = cursor.as_integer()
    if not 0 < side <= MAX_SIDE:
        raise refuse(f"{side} is no number of pixels from 1 to {MAX_SIDE}", cursor.where, _HINT)
    return side


def _parse_ids(cursor: Cursor) -> list[int]:
    ids = [element.as_integer() for element in cursor.iterate_elements()]
    if any(abs(number) >= 1 << 63 for number in ids):
        raise refuse("has a masklet id that is too large", cursor.where, _HINT)
    if not ids or len(set(ids)) < len(ids):
        raise refuse("has no masklet id, or one that occurs twice", cursor.where, _HINT)
    if len(ids) > MOST_OBJECTS:
        what = f"has {len(ids)} masklets, more than {MOST_OBJECTS}"
        raise refuse(what, cursor.where, "divide the document")
    return ids


def _check_rows(rows: list[Any], masklets: int, size: tuple[int, int], where: str) -> None:
    """Raise an `InputError` with all masks that cannot be read."""
    faults = FaultGroups("mask")
    for index, row in enumerate(rows):
        if not isinstance(row, list) or len(row) != masklets:
            what = f"the frame does not have a list of {masklets} masks, one for each masklet id"
            faults.add(what, _HINT, f"[{index}]")
            continue
        for position, segment in enumerate(row):
            if segment is not None:
                try:
                    parse_rle(segment, size)
                except ValueError as error:
                    faults.add(str(error), _HINT, f"[{index}][{position}]")
    faults.raise_if_any(f"{where}: masklet")


def _number_frames(document: dict[str, Any], count: int) -> range:
    """Return the numbers of the frames with masks."""
    step = 1 if document.get("video_frame_count") == count else FRAME_STEP
    return range(0, count * step, step)


def _update_statistics(
    document: dict[str, Any], segments: list[Any], position: int, size: tuple[int, int]
) -> None:
    """Compute the statistics of one masklet again, as far as the document has them."""
    areas = [0 if rle is None else int(parse_rle(rle, size)[1::2].sum()) for rle in segments]
    for key, measure in _STATISTICS.items():
        values = document.get(key)
        if isinstance(values, list) and position < len(values):
            document[key] = [*values[:position], measure(areas, size), *values[position + 1 :]]


def _average_area(areas: list[int], size: tuple[int, int]) -> float:
    visible = [area for area in areas if area]
    return round(sum(visible) / max(len(visible), 1), _DIGITS)


def _average_share(areas: list[int], size: tuple[int, int]) -> float:
    visible = [area for area in areas if area]
    return round(sum(visible) / max(len(visible), 1) / (size[0] * size[1]), _DIGITS)


def _name_bucket(areas: list[int], size: tuple[int, int]) -> str:
    average = _average_area(areas, size)
    return next((name for name, limit in _BUCKETS if average < limit), "large")


def _count_changes(areas: list[int], size: tuple[int, int]) -> int:
    """Count how often the object disappears or comes back after it first appears."""
    visible = [area > 0 for area in areas]
    first = visible.index(True) if any(visible) else len(visible)
    return sum(before != after for before, after in pairwise(visible[first:]))


def _find_first(areas: list[int], size: tuple[int, int]) -> float | None:
    """Return the row of the first mask with a pixel."""
    return next((float(index) for index, area in enumerate(areas) if area), None)


_STATISTICS: Mapping[str, Callable[[list[int], tuple[int, int]], Any]] = {
    "masklet_size_rel": _average_share,
    "masklet_size_abs": _average_area,
    "masklet_size_bucket": _name_bucket,
    "masklet_visibility_changes": _count_changes,
    "masklet_first_appeared_frame": _find_first,
}
"""What SA-V states about a masklet that depends on its masks."""
