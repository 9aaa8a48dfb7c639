"""The ledger of a noisy split: one row for each selected item."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.core.documents import (
    Cursor,
    parse_json,
)
from actiseg_data.core.errors import refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.records.recipe_record import CLASS, OBJECT_KINDS

LEDGER_FILE = "ledger.jsonl"


_to_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class MaskRow:
    """One change of one object's mask in one frame.

    An object has at most one row for its outline, and one for each kind of whole-object noise. A
    row of such noise has the same IoU as ``iou_drawn`` and ``iou``; the IoU, the area and the area
    ratio of an object that the clean mask lacks are 0.

    Attributes
    ----------
    sequence, frame : str
        Names on disk.
    object_id : int
        The object's id.
    object : str
        Its clean name.
    kind : str
        The noise that was drawn.
    parameters : mapping
        What was drawn for it, such as ``radius`` in pixels.
    status : str
        Whether the target was met.
    iou_target : float or None
        Target IoU; None for a fixed radius.
    iou_drawn, iou : float
        IoU with the clean object, before overlaps and on disk.
    area : int
        Pixels of the clean object; 0 if only the noisy mask has it.
    area_ratio : float
        Area of the drawn shape relative to the clean one.
    """

    sequence: str
    frame: str
    object_id: int
    object: str
    kind: str
    parameters: Mapping[str, Any]
    status: str
    iou_target: float | None
    iou_drawn: float
    iou: float
    area: int
    area_ratio: float

    @property
    def is_whole(self) -> bool:
        """Whether the row is about noise of whole objects."""
        return self.kind in OBJECT_KINDS

    def to_json(self) -> str:
        """Return the row as one line of the ledger."""
        return _to_line(vars(self) | {"parameters": dict(self.parameters)})


@dataclass(frozen=True)
class TextRow:
    """The change of one noun of a sequence: of an object's prompt, a narration, or an expression.

    Attributes
    ----------
    sequence : str
        Name on disk.
    object_id : int or None
        The object's id; None for a narration, and for an expression that does not refer to one.
    object : str
        The object's clean name; for a narration or an expression the replaced noun.
    kind : str
        ``category`` or ``within-category``.
    parameters : mapping
        How the text was drawn, and which noun of an expression it is.
    class_id_org, class_id : int
        Class before and after.
    name : str
        The new name.
    prompt_org, prompt : str
        The prompt in the style ``promptaction``, the narration, or the expression.
    synset_org, synset : str
        WordNet 3.0.
    similarity : float
        Of the two synsets, see `actiseg_data.annotations.hypernyms.measure_similarity`.
    """

    sequence: str
    object_id: int | None
    object: str
    kind: str
    parameters: Mapping[str, Any]
    class_id_org: int
    class_id: int
    name: str
    prompt_org: str
    prompt: str
    synset_org: str
    synset: str
    similarity: float

    @property
    def names_another(self) -> bool:
        """Whether the new name is of another thing; a sister term is, although its class stays."""
        return self.kind == "category"

    def to_json(self) -> str:
        """Return the row as one line of the ledger, with null for members of a `MaskRow`."""
        lacking = dict.fromkeys(("frame", "iou_target", "iou_drawn", "iou", "area_ratio"))
        return _to_line(vars(self) | {"parameters": dict(self.parameters)} | lacking)


@dataclass(frozen=True)
class LabelRow:
    """The change of a label of one selected object of a sequence.

    Attributes
    ----------
    sequence : str
        Name on disk.
    object_id : int
        The object's id.
    object : str
        Its clean name.
    kind : str
        ``activity`` or ``class``.
    parameters : mapping
        How the label was drawn.
    value_org, value : bool or mapping
        The label before and after: whether the object is active, or ``id`` and ``name`` of its
        category. A category may be drawn for itself.
    """

    sequence: str
    object_id: int
    object: str
    kind: str
    parameters: Mapping[str, Any]
    value_org: bool | Mapping[str, Any]
    value: bool | Mapping[str, Any]

    @property
    def category_id(self) -> int:
        """Of kind ``class``: the id of the category after the noise; otherwise -1."""
        return -1 if isinstance(self.value, bool) else int(self.value["id"])

    @property
    def category_name(self) -> str:
        """Of kind ``class``: the name of the category after the noise; otherwise empty."""
        return "" if isinstance(self.value, bool) else str(self.value["name"])

    @property
    def has_changed(self) -> bool:
        """Whether the label is another one than before. A category may be drawn for itself."""
        return self.value != self.value_org

    def to_json(self) -> str:
        """Return the row as one line of the ledger, with null for members of a `MaskRow`."""
        lacking = dict.fromkeys(("frame", "iou_target", "iou_drawn", "iou", "area_ratio"))
        return _to_line(vars(self) | lacking)


LedgerRow: TypeAlias = MaskRow | TextRow | LabelRow


def parse_ledger_row(document: Any, where: str) -> LedgerRow:
    """Parse the JSON document of a ledger row."""
    cursor = Cursor(document, where)
    if cursor["frame"].value is not None:
        return _parse_mask_row(cursor)
    return _parse_label_row(cursor) if "value" in cursor else _parse_text_row(cursor)


def _parse_label_row(cursor: Cursor) -> LabelRow:
    kind = cursor["kind"].as_text()
    read = _parse_category if kind == CLASS else Cursor.as_flag
    return LabelRow(
        sequence=cursor["sequence"].as_text(),
        object_id=cursor["object_id"].as_integer(),
        object=cursor["object"].as_text(),
        kind=kind,
        parameters=cursor["parameters"].as_mapping(),
        value_org=read(cursor["value_org"]),
        value=read(cursor["value"]),
    )


def _parse_category(cursor: Cursor) -> dict[str, Any]:
    return {"id": cursor["id"].as_integer(), "name": cursor["name"].as_text()}


def _parse_text_row(cursor: Cursor) -> TextRow:
    object_id = cursor["object_id"]
    return TextRow(
        sequence=cursor["sequence"].as_text(),
        object_id=None if object_id.value is None else object_id.as_integer(),
        object=cursor["object"].as_text(),
        kind=cursor["kind"].as_text(),
        parameters=cursor["parameters"].as_mapping(),
        class_id_org=cursor["class_id_org"].as_integer(),
        class_id=cursor["class_id"].as_integer(),
        name=cursor["name"].as_text(),
        prompt_org=cursor["prompt_org"].as_text(),
        prompt=cursor["prompt"].as_text(),
        synset_org=cursor["synset_org"].as_text(),
        synset=cursor["synset"].as_text(),
        similarity=cursor["similarity"].as_number(),
    )


def _parse_mask_row(cursor: Cursor) -> MaskRow:
    target = cursor["iou_target"]
    return MaskRow(
        sequence=cursor["sequence"].as_text(),
        frame=cursor["frame"].as_text(),
        object_id=_parse_bounded(cursor["object_id"], 1, 255),
        object=cursor["object"].as_text(),
        kind=cursor["kind"].as_text(),
        parameters=cursor["parameters"].as_mapping(),
        status=cursor["status"].as_text(),
        iou_target=None if target.value is None else target.as_number(),
        iou_drawn=_parse_share(cursor["iou_drawn"]),
        iou=_parse_share(cursor["iou"]),
        area=_parse_bounded(cursor["area"], 0, 1 << 30),
        area_ratio=cursor["area_ratio"].as_number(),
    )


def _parse_bounded(cursor: Cursor, least: int, most: int) -> int:
    number = cursor.as_integer()
    if not least <= number <= most:
        raise refuse(f"{number} is not from {least} to {most}", cursor.where, "correct the file")
    return number


def _parse_share(cursor: Cursor) -> float:
    number = cursor.as_number()
    if not 0 <= number <= 1:
        raise refuse(f"{number} is not from 0 to 1", cursor.where, "correct the file")
    return number


def name_kinds(rows: Iterable[MaskRow]) -> dict[tuple[str, str, int], str]:
    """Name the kinds of noise of each object, by sequence, frame and object id.

    Several kinds are joined by a plus sign, in the order in which they were applied.
    """
    kinds: dict[tuple[str, str, int], str] = {}
    for row in rows:
        item = (row.sequence, row.frame, row.object_id)
        kinds[item] = f"{kinds[item]}+{row.kind}" if item in kinds else row.kind
    return kinds


def read_ledger(path: Path) -> Iterator[LedgerRow]:
    """Read the rows of a ledger file in order; the first damaged one raises an `InputError`."""
    for number, line in enumerate(read_bytes(path, "ledger").splitlines(), 1):
        where = f"{path}: line {number}"
        yield parse_ledger_row(parse_json(line, where), where)


def read_mask_rows(path: Path) -> Iterator[MaskRow]:
    """Read the rows of a ledger file that are about masks."""
    return (row for row in read_ledger(path) if isinstance(row, MaskRow))
