"""COCO's instance annotations: images, categories, and a segment for each object of an image."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.annotations.categories import Category, parse_coco_categories
from actiseg_data.annotations.masks import MAX_SIDE, IndexMask
from actiseg_data.annotations.polygons import BoolArray
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.names import check_name, check_text, format_name
from actiseg_data.layouts.coco_segments import (
    check_segment,
    encode_segment,
    measure_segment,
    paint_segment,
)
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

CROWDS = "crowds_left_alone"
EMPTY_IMAGES = "images_without_annotation"

_Id: TypeAlias = "int | str"
_Json: TypeAlias = "dict[str, Any]"

_CORRECT = "correct the file, or fetch it again"
_SEPARATORS = re.compile(r"[/\\]")


@dataclass(frozen=True)
class _Image:
    """An image: the sequence that it is, its frame, and its size (H, W)."""

    folder: str
    frame: str
    size: tuple[int, int]


@dataclass(frozen=True, eq=False)
class CocoInstances:
    """A document of COCO instances; each image is a sequence of one frame.

    An image with more than `MOST_OBJECTS` annotations is several sequences of one video: ``7``,
    ``7+2``, ``7+3`` for the image 7, by the ids of the annotations. Crowds are no objects.

    Attributes
    ----------
    document : dict
        The parsed JSON.
    where : str
        The file, for messages.
    sequences, tally
        See `MaskDocument`.
    sizes : mapping of str to tuple of int
        (H, W) by image.
    annotations : mapping of str to mapping of int to dict
        The annotations by sequence and object id.
    """

    document: _Json
    where: str
    sequences: tuple[VideoSequence, ...]
    tally: Mapping[str, int]
    sizes: Mapping[str, tuple[int, int]]
    annotations: Mapping[str, Mapping[int, _Json]]

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories in the order of the document."""
        return parse_coco_categories(self.document["categories"])

    @property
    def takes_new_objects(self) -> bool:
        """Whether a false object can be added."""
        return True

    def get_size(self, sequence: VideoSequence) -> tuple[int, int]:
        """Return (H, W) of a sequence, also if it has no annotation left."""
        return self.sizes[sequence.video]

    def iterate_masks(self, sequence: VideoSequence) -> Iterator[IndexMask]:
        """Iterate over the masks of a sequence's views."""
        size, annotations = self.get_size(sequence), self.annotations[sequence.folder]
        for _, object_id in sequence.layers or ():
            annotation = annotations[object_id]
            try:
                patch = paint_segment(annotation["segmentation"], size)
            except ValueError as error:
                place = f"{self.where}: annotation {annotation['id']}"
                raise refuse(str(error), place, _CORRECT) from None
            yield paint_patch(patch, size, object_id)

    def encode(
        self, sequence: VideoSequence, frame: str, label: ObjectLabel, mask: BoolArray
    ) -> Any:
        """Encode a mask in the form of the annotation's own segment, see `encode_segment`."""
        annotation = self.annotations[sequence.folder].get(label.object_id, {})
        return encode_segment(mask, annotation.get("segmentation"))

    def replace(
        self, changes: Mapping[MaskKey, DocumentChange], kept: Collection[str] | None = None
    ) -> _Json:
        """Return the document with changes, see `MaskDocument.replace`.

        ``area`` and ``bbox`` of a changed segment are those of its mask; whole numbers stay whole
        numbers. An image stays with its
        crowds if any of its sequences does.
        """
        chosen = [s for s in self.sequences if kept is None or s.folder in kept]
        written: dict[_Id, _Json | None] = {}
        image_ids: set[_Id] = set()
        for sequence in chosen:
            (frame,) = sequence.frames
            size = self.get_size(sequence)
            for object_id, annotation in self.annotations[sequence.folder].items():
                change = changes.get((sequence.folder, frame, object_id), DocumentChange())
                written[annotation["id"]] = _change_annotation(annotation, change, size)
                image_ids.add(annotation["image_id"])

        def is_kept(image_id: _Id) -> bool:
            return kept is None or image_id in image_ids

        annotations = []
        for annotation in self.document["annotations"]:
            if _is_crowd(annotation):
                if is_kept(annotation["image_id"]):
                    annotations.append(annotation)
                continue
            noisy = written.get(annotation["id"])
            if noisy is not None:
                annotations.append(noisy)
        annotations += self._make_added(changes)
        images = [image for image in self.document["images"] if is_kept(image["id"])]
        return {**self.document, "images": images, "annotations": annotations}

    def _make_added(self, changes: Mapping[MaskKey, DocumentChange]) -> Iterator[_Json]:
        """Make the annotations of the false objects among some changes."""
        known = {str(annotation["id"]) for annotation in self.document["annotations"]}
        image_ids = {
            folder: next(iter(own.values()))["image_id"] for folder, own in self.annotations.items()
        }
        sizes = {sequence.folder: self.get_size(sequence) for sequence in self.sequences}
        for (folder, _, _), change in changes.items():
            if change.added is None:
                continue
            if str(change.added.source_id) in known:
                what = f"has the annotation id {change.added.source_id}, which a false object got"
                raise refuse(what, self.where, "give its annotations ids below 10**12")
            area, box = measure_segment(change.segment, sizes[folder])
            class_id = change.added.class_id if change.class_id is None else change.class_id
            yield {
                "id": int(str(change.added.source_id)),
                "image_id": image_ids[folder],
                "category_id": class_id,
                "segmentation": change.segment,
                "area": float(area),
                "bbox": [float(number) for number in box],
                "iscrowd": 0,
            }


def _change_annotation(
    annotation: _Json, change: DocumentChange, size: tuple[int, int]
) -> _Json | None:
    """Return an annotation after a change; None if it is removed."""
    if change.segment is None:
        return None
    noisy = annotation
    if change.segment is not KEPT:
        area, box = measure_segment(change.segment, size)
        true = {"area": [area], "bbox": list(box)}
        known = {
            key: _convert_numbers(numbers, annotation[key])
            for key, numbers in true.items()
            if key in annotation
        }
        noisy = {**noisy, **known, "segmentation": change.segment}
    if change.class_id is not None:
        noisy = {**noisy, "category_id": change.class_id}
    return noisy


def _convert_numbers(numbers: list[int], pattern: Any) -> Any:
    """Convert whole numbers to floats, unless another value has whole numbers alone.

    >>> _convert_numbers([7], 1.5), _convert_numbers([7], 1), _convert_numbers([7, 8], [1, 2])
    (7.0, 7, [7, 8])
    """
    listed = pattern if isinstance(pattern, list) else [pattern]
    is_whole = bool(listed) and {type(number) for number in listed} == {int}
    converted = numbers if is_whole else [float(number) for number in numbers]
    return converted if len(numbers) > 1 else converted[0]


def read_coco_instances(path: Path) -> CocoInstances:
    """Read a document of COCO instances (``.json``, ``.json.gz``), see `parse_coco_instances`."""
    return parse_coco_instances(read_json(path, "annotation file"), str(path))


def parse_coco_instances(document: Any, where: str) -> CocoInstances:
    """Check a parsed document of COCO instances.

    Raises
    ------
    InputError
        With every fault and the items that have it: images without a name or size, ids that occur
        twice, annotations of unknown images or categories, and degenerate segments: without a
        polygon, with a polygon of fewer than 3 points or an odd number of coordinates, with a point
        far outside, with runs of another size or that do not fill the image.
    """
    lists = _list_members(document, where)
    image_faults, faults = FaultGroups("image"), FaultGroups("annotation")
    category_faults = FaultGroups("category")
    images = _parse_images(lists["images"], image_faults)
    names = _parse_categories(lists["categories"], category_faults)
    tally: Counter[str] = Counter()
    by_image = _sort_annotations(lists["annotations"], images, names, faults, tally)
    problems = [
        problem
        for group in (image_faults, category_faults, faults)
        for problem in group.list_problems(where)
    ]
    if problems:
        raise InputError(problems)
    sound = {identity: image for identity, image in images.items() if image is not None}
    return _arrange(document, where, sound, by_image, names, tally)


def _arrange(
    document: _Json,
    where: str,
    images: Mapping[_Id, _Image],
    by_image: Mapping[_Id, Mapping[_Id, _Json]],
    names: Mapping[int, str],
    tally: Counter[str],
) -> CocoInstances:
    """Arrange checked annotations in sequences."""
    sequences: list[VideoSequence] = []
    sizes: dict[str, tuple[int, int]] = {}
    annotations: dict[str, dict[int, _Json]] = {}
    folders = {image.folder for image in images.values()}
    for image_id, image in images.items():
        own = by_image.get(image_id, {})
        sizes[image.folder] = image.size
        tally[EMPTY_IMAGES] += not own
        ordered = [own[number] for number in sort_ids(own)]
        for start in range(0, len(ordered), MOST_OBJECTS):
            part = dict(enumerate(ordered[start : start + MOST_OBJECTS], 1))
            folder = f"{image.folder}+{start // MOST_OBJECTS + 1}" if start else image.folder
            if start and folder in folders:
                raise refuse(f"the image id {folder} is that of a part of another", where, _CORRECT)
            sequence = _make_sequence(folder, image.frame, part, names)
            sequences.append(replace(sequence, video=image.folder))
            annotations[folder] = part
    return CocoInstances(document, where, tuple(sequences), +tally, sizes, annotations)


def _list_members(document: Any, where: str) -> dict[str, list[Any]]:
    """Return the three lists of a document of instances."""
    members = ("images", "annotations", "categories")
    if not isinstance(document, dict) or not set(members) <= document.keys():
        raise refuse(
            "is not a document of COCO instances: these have the keys 'images', 'annotations' and "
            "'categories'",
            where,
            "give a file such as instances_val2017.json",
        )
    top = Cursor(document, where)
    return {name: [item.value for item in top[name].iterate_elements()] for name in members}


def _make_sequence(
    folder: str, frame: str, annotations: Mapping[int, _Json], names: Mapping[int, str]
) -> VideoSequence:
    labels = [
        make_dataset_label(
            number,
            source_id=annotation["id"],
            name=names[annotation["category_id"]],
            class_id=annotation["category_id"],
        )
        for number, annotation in annotations.items()
    ]
    return make_dataset_sequence(folder, [frame], labels, [(frame, n) for n in annotations])


def _parse_images(listed: list[Any], faults: FaultGroups) -> dict[_Id, _Image | None]:
    """Parse images by id. A faulty one is None, because its annotations have no fault for it."""
    images: dict[_Id, _Image | None] = {}
    folders: set[str] = set()
    for position, value in enumerate(listed):
        identity = _get_id(value)
        name = f"at position {position}" if identity is None else format_name(str(identity))
        if identity is None:
            faults.add("has no id, a whole number or a text", _CORRECT, name)
            continue
        images[identity] = None
        size = tuple(value.get(side) for side in ("height", "width"))
        if not all(type(side) is int and 0 < side <= MAX_SIDE for side in size):
            what = f"has no height and width, whole numbers from 1 to {MAX_SIDE}"
            faults.add(what, "add the size of the image in pixels", name)
            continue
        try:
            folder = check_name(str(identity), "image", "")
            file_name = value.get("file_name")
            stem = _SEPARATORS.split(file_name)[-1] if isinstance(file_name, str) else ""
            frame = check_name(stem.rpartition(".")[0] or stem, "file", "")
        except InputError as error:
            faults.add_error(error, name)
            continue
        if folder in folders:
            faults.add("has the id of another image", _CORRECT, name)
        folders.add(folder)
        images[identity] = _Image(folder, frame, size)
    return images


def _parse_categories(listed: list[Any], faults: FaultGroups) -> dict[int, str]:
    """Parse the names of categories by id; also of those with a faulty name."""
    names: dict[int, str] = {}
    for position, value in enumerate(listed):
        identity, name = _get_id(value), value.get("name") if isinstance(value, dict) else None
        if not isinstance(identity, int) or not isinstance(name, str):
            what = "has no id, a whole number, and a name"
            faults.add(what, _CORRECT, f"at position {position}")
            if isinstance(identity, int):
                names[identity] = ""
            continue
        if identity in names:
            faults.add("has the id of another category", _CORRECT, str(identity))
        names[identity] = name
        try:
            check_text(name, "")
        except InputError as error:
            faults.add_error(error, str(identity))
    return names


def _sort_annotations(
    listed: list[Any],
    images: Mapping[_Id, _Image | None],
    names: Mapping[int, str],
    faults: FaultGroups,
    tally: Counter[str],
) -> dict[_Id, dict[_Id, _Json]]:
    """Return the checked annotations by image and id, without crowds."""
    by_image: dict[_Id, dict[_Id, _Json]] = {}
    known: set[str] = set()
    for position, value in enumerate(listed):
        identity = _get_id(value)
        if identity is None:
            what = "has no id, a whole number or a text"
            faults.add(what, _CORRECT, f"at position {position}")
            continue
        name = format_name(str(identity))
        if str(identity) in known:
            faults.add("has the id of another annotation", _CORRECT, name)
        known.add(str(identity))
        if isinstance(identity, str):
            try:
                check_name(identity, "annotation", "")
            except InputError as error:
                faults.add_error(error, name)
        image_id, category = value.get("image_id"), value.get("category_id")
        if not _is_id(image_id) or image_id not in images:
            faults.add("is of an image that is not listed", _CORRECT, name)
        elif type(category) is not int or category not in names:
            faults.add("has a category that is not listed", _CORRECT, name)
        elif value.get("iscrowd", 0) not in (0, 1):
            faults.add("must have 0 or 1 as 'iscrowd'", _CORRECT, name)
        elif _is_crowd(value):
            tally[CROWDS] += 1
        elif (image := images[image_id]) is not None and _has_sound_segment(
            value, image.size, name, faults
        ):
            by_image.setdefault(image_id, {})[identity] = value
    return by_image


def _has_sound_segment(
    annotation: _Json, size: tuple[int, int], name: str, faults: FaultGroups
) -> bool:
    if annotation.get("segmentation") is None:
        faults.add("has no segmentation", "give instance annotations with segments", name)
        return False
    try:
        check_segment(annotation["segmentation"], size)
    except ValueError as error:
        faults.add(str(error), "correct the annotation, or remove it", name)
        return False
    return True


def _is_crowd(annotation: _Json) -> bool:
    return bool(annotation.get("iscrowd", 0) == 1)


def _is_id(value: Any) -> bool:
    return type(value) is str or (type(value) is int and abs(value) < 1 << 63)


def _get_id(value: Any) -> _Id | None:
    """Return the id of an item; None if it has none."""
    identity: Any = value.get("id") if isinstance(value, dict) else None
    return identity if _is_id(identity) and identity != "" else None
