"""The list of the sequences of a dataset without action lists, as noisy copies have it.

Folders of masks do not say which objects a sequence has, and noise may remove the last pixel of
one. A noisy copy therefore lists its sequences in ``sequences.json``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from actiseg_data.annotations.masks import MAX_SIDE
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_schema, collect_valid
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import check_name, refuse_value
from actiseg_data.layouts.image_sets import refuse_repeats

SEQUENCES_FILE = "sequences.json"
SEQUENCES_SCHEMA = "actiseg/sequences/1"

_OBJECT_IDS = frozenset(map(str, range(1, 256)))


@dataclass(frozen=True)
class DatasetForm:
    """Where a dataset without action lists keeps its files, relative to its root.

    Attributes
    ----------
    layout : str
        The name of its layout, as ``--layout`` takes it.
    masks : str
        The folder of the sequences' masks; empty for the root itself.
    photographs : str or None
        The folder of the sequences' photographs, if there is one.
    documents : tuple of str
        The lists and other documents that belong to the split.
    mask_documents : tuple of str
        The documents that have the masks; empty if they are in files.
    by_object : bool
        Whether each object has a folder with a mask for each frame:
        ``<sequence>/<object>/<frame>.png``. Otherwise it is ``<sequence>/<frame>.png``.
    """

    layout: str
    masks: str
    photographs: str | None = None
    documents: tuple[str, ...] = ()
    mask_documents: tuple[str, ...] = ()
    by_object: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the form as in ``sequences.json``."""
        lists = {name: list(getattr(self, name)) for name in ("documents", "mask_documents")}
        return vars(self) | lists


def make_dataset_sequence(
    folder: str,
    frames: Iterable[str],
    objects: Iterable[ObjectLabel] = (),
    layers: Iterable[tuple[str, int]] | None = None,
) -> VideoSequence:
    """Make a sequence of a dataset without actions.

    >>> make_dataset_sequence("bear", ["00000"]).identity
    ('bear',)
    """
    return VideoSequence(
        folder=folder,
        seq_id=0,
        video=folder,
        start=0,
        end=0,
        narration="",
        verb="",
        verb_class=-1,
        noun="",
        noun_class=-1,
        frames=tuple(frames),
        objects=tuple(objects),
        layers=None if layers is None else tuple(layers),
        is_action=False,
    )


def make_dataset_label(
    object_id: int,
    name: str | None = None,
    class_id: int = -1,
    source_id: int | str | None = None,
) -> ObjectLabel:
    """Make the label of an object of a dataset without actions.

    The dataset's own id of the object is `source_id`, by default `object_id`. An object without a
    name is called by it.

    >>> make_dataset_label(3).name
    'object 3'
    >>> make_dataset_label(1, source_id=0).name
    'object 0'
    """
    own = str(object_id if source_id is None else source_id)
    return ObjectLabel(
        object_id=object_id,
        name=_name_by_id(own) if name is None else name,
        class_id=class_id,
        positive=True,
        handbox=False,
        narration=False,
        source_id=own,
    )


def _name_by_id(source_id: str) -> str:
    return f"object {source_id}"


def has_name(label: ObjectLabel) -> bool:
    """Return whether an object has a name in its dataset.

    >>> has_name(make_dataset_label(3)), has_name(make_dataset_label(3, "cup"))
    (False, True)
    """
    return label.source_id is None or label.name != _name_by_id(label.source_id)


def make_sequence_record(
    form: DatasetForm, split: str, sequences: Iterable[VideoSequence]
) -> dict[str, Any]:
    """Make the document ``sequences.json``."""
    return {
        "schema": SEQUENCES_SCHEMA,
        "split": split,
        "form": form.to_dict(),
        "sequences": [make_sequence_entry(sequence) for sequence in sequences],
    }


def make_sequence_entry(sequence: VideoSequence) -> dict[str, Any]:
    """Make the entry of one sequence in ``sequences.json``."""
    entry: dict[str, Any] = {
        "sequence": sequence.folder,
        "frames": list(sequence.frames),
        "objects": {
            str(label.object_id): {
                "name": label.name,
                "class_id": label.class_id,
                "source_id": label.source_id,
                **({} if label.model is None else {"model": label.model}),
            }
            for label in sequence.objects
        },
    }
    if sequence.layers is not None:
        entry["layers"] = [list(layer) for layer in sequence.layers]
    if sequence.video != sequence.folder:
        entry["video"] = sequence.video
    if sequence.document is not None:
        entry |= {"document": sequence.document, "size": list(sequence.size or ())}
    return entry


def parse_sequence_record(
    document: Any, where: str
) -> tuple[DatasetForm, str, tuple[VideoSequence, ...]]:
    """Parse the document ``sequences.json``: its form, split and sequences.

    Raises
    ------
    InputError
        With every fault.
    """
    top = Cursor(document, where)
    check_schema(top, SEQUENCES_SCHEMA, RELEASE_HINT)
    problems = ProblemCollector()
    form = parse_form(top["form"])
    split = check_name(top["split"].as_text(), "split", top["split"].where)
    elements = list(top["sequences"].iterate_elements())
    sequences = tuple(collect_valid(elements, _parse_entry, problems))
    for sequence in sequences:
        if sequence.document is not None and sequence.document not in form.mask_documents:
            what = f"{sequence.folder} names an unknown document"
            problems.add(what, where, "make the split again")
    problems.raise_if_any()
    refuse_repeats("sequence", (sequence.folder for sequence in sequences), where, problems)
    return form, split, sequences


def parse_form(cursor: Cursor) -> DatasetForm:
    """Parse the form of a dataset; raise `InputError` for an unsafe path."""

    def parse_path(member: Cursor) -> str:
        text = member.as_text()
        for part in text.split("/") if text else ():
            check_name(part, "file", member.where)
        return text

    photographs = cursor["photographs"]
    return DatasetForm(
        layout=cursor["layout"].as_text(),
        masks=parse_path(cursor["masks"]),
        photographs=None if photographs.value is None else parse_path(photographs),
        documents=tuple(map(parse_path, cursor["documents"].iterate_elements())),
        mask_documents=tuple(map(parse_path, cursor["mask_documents"].iterate_elements())),
        by_object=cursor["by_object"].as_flag(),
    )


def _parse_entry(cursor: Cursor) -> VideoSequence:
    folder = check_name(cursor["sequence"].as_text(), "sequence", cursor.where)
    frames = [
        check_name(frame.as_text(), "frame", frame.where)
        for frame in cursor["frames"].iterate_elements()
    ]
    labels = []
    for number, entry in cursor["objects"].iterate_members():
        if number not in _OBJECT_IDS:
            what = f"{number[:20]!r} is not an object id"
            raise refuse(what, entry.where, "use whole numbers from 1 to 255")
        class_id, source_id = entry["class_id"].as_integer(), entry["source_id"].as_text()
        check_name(source_id, "object", entry["source_id"].where)
        label = make_dataset_label(int(number), entry["name"].as_text(), class_id, source_id)
        model = entry["model"].as_text() if "model" in entry else None
        labels.append(replace(label, model=model))
    layers = None
    if "layers" in cursor:
        layers = [_parse_layer(layer) for layer in cursor["layers"].iterate_elements()]
        known = {label.object_id for label in labels}
        if any(frame not in frames or number not in known for frame, number in layers):
            what = "has a layer of an unknown frame or object"
            raise refuse(what, cursor["layers"].where, "make the split again")
    problems = ProblemCollector()
    refuse_repeats("frame", frames, cursor.where, problems)
    refuse_repeats("object", (label.source_id for label in labels), cursor.where, problems)
    sequence = make_dataset_sequence(folder, frames, labels, layers)
    if "video" in cursor:
        video = check_name(cursor["video"].as_text(), "video", cursor["video"].where)
        sequence = replace(sequence, video=video)
    if "document" in cursor:
        height, width = map(_parse_side, _parse_pair(cursor["size"], "[height, width]"))
        sequence = replace(sequence, document=cursor["document"].as_text(), size=(height, width))
    return sequence


def _parse_pair(cursor: Cursor, what: str) -> tuple[Cursor, Cursor]:
    elements = tuple(cursor.iterate_elements())
    if len(elements) != 2:
        raise refuse_value(what, cursor.value, cursor.where)
    return elements[0], elements[1]


def _parse_side(cursor: Cursor) -> int:
    side = cursor.as_integer()
    if not 1 <= side <= MAX_SIDE:
        raise refuse(f"{side} is not from 1 to {MAX_SIDE}", cursor.where, "make the split again")
    return side


def _parse_layer(cursor: Cursor) -> tuple[str, int]:
    frame, number = _parse_pair(cursor, "[frame, object id]")
    return frame.as_text(), number.as_integer()
