"""MeViS: ``mask_dict.json`` with the masks of each object, and the expressions that name them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations.categories import Category
from actiseg_data.annotations.masks import MAX_SIDE, IndexMask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import check_name, format_name
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
from actiseg_data.layouts.referring import (
    ReferringDocument,
    ReferringSequence,
    read_referring,
)
from actiseg_data.layouts.sequence_record import make_dataset_label, make_dataset_sequence

UNNAMED = "objects_without_expression"
EMPTY_VIDEOS = "videos_without_mask"

_HINT = "fetch mask_dict.json and meta_expressions.json again, of the same release"


@dataclass(frozen=True, eq=False)
class MevisMasks:
    """The masks of MeViS: for each object, one for each frame of its video, or null.

    A null mask has no layer. The objects of a video are those that its expressions name.

    Attributes
    ----------
    document : dict
        The parsed JSON.
    where : str
        The file, for messages.
    expressions : ReferringDocument
        The expressions.
    sequences, tally
        See `MaskDocument`.
    sizes : mapping of str to tuple of int
        (H, W) by sequence.
    """

    document: dict[str, list[Any]]
    where: str
    expressions: ReferringDocument
    sequences: tuple[VideoSequence, ...]
    tally: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]

    @property
    def categories(self) -> tuple[Category, ...]:
        """Empty: the objects have no categories."""
        return ()

    @property
    def takes_new_objects(self) -> bool:
        """Whether a false object can be added."""
        return False

    def get_size(self, sequence: VideoSequence) -> tuple[int, int]:
        """Return (H, W) of a sequence."""
        return self.sizes[sequence.folder]

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Iterate over the masks of a sequence's views."""
        size = self.sizes[sequence.folder]
        sources = {label.object_id: label.identity for label in sequence.objects}
        rows = {frame: index for index, frame in enumerate(sequence.frames)}
        for frame, object_id in sequence.layers or ():
            segment = self.document[sources[object_id]][rows[frame]]
            yield paint_patch(paint_segment(segment, size), size, object_id)

    def encode(
        self, sequence: VideoSequence, frame: str, label: ObjectLabel, mask: BoolArray
    ) -> Any:
        """Encode a mask as compressed RLE."""
        row = sequence.frames.index(frame)
        return encode_segment(mask, self.document[label.identity][row])

    def replace(
        self, changes: Mapping[MaskKey, DocumentChange], kept: Collection[str] | None = None
    ) -> dict[str, list[Any]]:
        """Return the document with changes, see `MaskDocument.replace`; a removed mask is null.

        `actiseg_data.layouts.dataset_split.DatasetSplit.cut_document` cuts the expressions in the
        same way.
        """
        owners = {
            label.identity: (sequence, label.object_id)
            for sequence in self.sequences
            for label in sequence.objects
        }
        noisy = {}
        for source, row in self.document.items():
            sequence, object_id = owners.get(source, (None, 0))
            if sequence is None:
                if kept is None:
                    noisy[source] = row
            elif kept is None or sequence.folder in kept:
                noisy[source] = [
                    _change_segment(segment, changes.get((sequence.folder, frame, object_id)))
                    for frame, segment in zip(sequence.frames, row, strict=True)
                ]
        return noisy


def _change_segment(segment: Any, change: DocumentChange | None) -> Any:
    return segment if change is None or change.segment is KEPT else change.segment


def read_mevis_masks(masks: Path, expressions: Path) -> MevisMasks:
    """Read ``mask_dict.json`` and ``meta_expressions.json``, see `parse_mevis_masks`."""
    listed = read_referring(expressions)
    return parse_mevis_masks(read_json(masks, "file of masks"), str(masks), listed)


def parse_mevis_masks(document: Any, where: str, expressions: ReferringDocument) -> MevisMasks:
    """Check the parsed masks of MeViS.

    Raises
    ------
    InputError
        With every fault and the objects that have it: no masks although an expression names the
        object, expressions of two videos that name it, another number of masks than the video has
        frames, masks that are no RLE, or of unequal size in one video.
    """
    if not isinstance(document, dict):
        raise refuse("is not an object with a list of masks for each object", where, _HINT)
    owners: dict[str, str] = {}
    faults = FaultGroups("object")
    sources: dict[str, list[str]] = {}
    sizes: dict[str, tuple[int, int]] = {}
    for video in expressions.sequences:
        sources[video.folder] = own = _list_sources(video)
        for source in own:
            if owners.setdefault(source, video.folder) != video.folder:
                faults.add("expressions of two videos name it", _HINT, format_name(source))
        if len(own) > MOST_OBJECTS:
            what = f"it is one of more than {MOST_OBJECTS} of a video"
            faults.add(what, "remove expressions", format_name(own[-1]))
        size = _check_masks(document, video, own, faults)
        if size is not None:
            sizes[video.folder] = size
    faults.raise_if_any(where)
    if not owners:
        what = "no expression names an object with masks by 'anno_id'"
        raise refuse(what, expressions.where, "give the expressions of a split with masks")
    sequences = tuple(
        _make_sequence(document, video, sources[video.folder])
        for video in expressions.sequences
        if video.folder in sizes
    )
    unnamed = len(document.keys() - owners.keys())
    tally = Counter({UNNAMED: unnamed, EMPTY_VIDEOS: len(expressions.sequences) - len(sequences)})
    return MevisMasks(document, where, expressions, sequences, +tally, sizes)


def _list_sources(video: ReferringSequence) -> list[str]:
    """List the ids of the objects that the expressions of a video name, in order."""
    named = [source for entry in video.expressions for source in entry.annotation_ids]
    return [str(source) for source in sort_ids(dict.fromkeys(named))]


def _make_sequence(
    document: dict[str, list[Any]], video: ReferringSequence, sources: list[str]
) -> VideoSequence:
    labels = [
        make_dataset_label(number, source_id=source) for number, source in enumerate(sources, 1)
    ]
    layers = [
        (frame, label.object_id)
        for row, frame in enumerate(video.frames)
        for label in labels
        if document[label.identity][row] is not None
    ]
    return make_dataset_sequence(video.folder, video.frames, labels, layers)


def _check_masks(
    document: dict[str, Any], video: ReferringSequence, sources: list[str], faults: FaultGroups
) -> tuple[int, int] | None:
    """Check the masks of a video's objects, and return their size; None without any."""
    size: tuple[int, int] | None = None
    for source in sources:
        name = format_name(source)
        row = document.get(source)
        if not isinstance(row, list) or len(row) != len(video.frames):
            what = "it does not have a list with a mask for each frame of its video"
            faults.add(what, _HINT, name)
            continue
        try:
            check_name(source, "object", "")
            for segment in row:
                if segment is not None:
                    size = _check_mask(segment, size)
        except InputError as error:
            faults.add_error(error, name)
        except ValueError as error:
            faults.add(str(error), _HINT, name)
    return size


def _check_mask(segment: Any, size: tuple[int, int] | None) -> tuple[int, int]:
    """Check a mask, and return its size, which must be that of the video if one is given."""
    if size is None:
        sides = segment.get("size") if isinstance(segment, dict) else None
        if not isinstance(sides, list) or not (
            len(sides) == 2 and all(type(side) is int and 0 < side <= MAX_SIDE for side in sides)
        ):
            raise ValueError(f"the RLE has no size of 1 to {MAX_SIDE} pixels a side")
        size = sides[0], sides[1]
    parse_rle(segment, size)
    return size
