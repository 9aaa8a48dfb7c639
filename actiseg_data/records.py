"""What a noisy split leaves behind: recipe, ledger, summary, digests. Schemas and readers.

They stand here so that the evaluator and the trainer can read them without the noise package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from actiseg_data.digests import json_digest
from actiseg_data.errors import Problems, refuse
from actiseg_data.untrusted import Cursor, gather, parse_json, read_bytes, read_json

RECIPE_FILE = "recipe.json"
LEDGER_FILE = "ledger.jsonl"
SUMMARY_FILE = "summary.json"
DIGESTS_FILE = "digests.json"

RECIPE_SCHEMA = "actiseg/recipe/1"
SUMMARY_SCHEMA = "actiseg/summary/1"


@dataclass(frozen=True)
class Noise:
    """One noise of a recipe.

    kind: e.g. ``boundary``. algorithm: version of how the kind makes its pixels; a change of pixels
    raises it. rate: share of the eligible items that are touched, in [0, 1]. exact: take exactly
    that share of the split, by hash rank, instead of deciding for each item. objects: ``positive``
    or ``all``. overlap: who owns shared pixels. parameters: all of the kind's own.
    """

    kind: str
    algorithm: int
    rate: float
    exact: bool
    objects: str
    overlap: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Recipe:
    """All that decides the noise of a split, and nothing else: no time, path, host or version."""

    split: str
    seed: int
    noises: tuple[Noise, ...]

    def to_dict(self) -> dict[str, Any]:
        """The JSON document."""
        noises = [asdict(noise) | {"parameters": dict(noise.parameters)} for noise in self.noises]
        return {
            "schema": RECIPE_SCHEMA,
            "split": self.split,
            "seed": self.seed,
            "noises": noises,
        }

    @property
    def digest(self) -> str:
        """Equal for equal noise."""
        return json_digest(self.to_dict())


def parse_recipe(document: Any, where: str) -> Recipe:
    """A recipe from its JSON document; raises `Refused` for unknown or missing keys, wrong types.

    Whether kinds, algorithms and parameters are known is for the noise package to say.
    """
    top = Cursor(document, where)
    problems = Problems()
    _refuse_schema(top, RECIPE_SCHEMA)
    _refuse_unknown(top, ("schema", "split", "seed", "noises"), problems)
    noises = gather(list(top["noises"].elements()), parse_noise, problems)
    problems.raise_if_any()
    return Recipe(top["split"].text(), top["seed"].integer(), tuple(noises))


def parse_noise(cursor: Cursor) -> Noise:
    """One noise of a recipe or preset; raises `Refused` as `parse_recipe` does."""
    problems = Problems()
    _refuse_unknown(cursor, tuple(field.name for field in fields(Noise)), problems)
    problems.raise_if_any()
    return Noise(
        kind=cursor["kind"].text(),
        algorithm=cursor["algorithm"].integer(),
        rate=cursor["rate"].number(),
        exact=cursor["exact"].flag(),
        objects=cursor["objects"].text(),
        overlap=cursor["overlap"].text(),
        parameters=cursor["parameters"].mapping(),
    )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file; raises `Refused` where it is absent, damaged or not a recipe."""
    return parse_recipe(read_json(path, "recipe"), str(path))


_to_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class LedgerRow:
    """What happened to one selected object of one frame.

    sequence, frame: names on disk. object_id, object: id and clean name. kind: the noise that was
    drawn. parameters: what was drawn for it (``radius`` in pixels, ...). status: whether the target
    was met (see `actiseg_noise.boundary.kinds.Drawn`). iou_target: wanted IoU, None for a fixed
    radius. iou_drawn: IoU with the clean object before overlaps, iou: on disk. area: pixels of the
    clean object. area_ratio: of the drawn shape to the clean one.
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

    def to_json(self) -> str:
        """The row as one line of the ledger."""
        return _to_line(vars(self) | {"parameters": dict(self.parameters)})


def parse_ledger_row(document: Any, where: str) -> LedgerRow:
    """A ledger row from its JSON document; raises `Refused` where it is not one."""
    cursor = Cursor(document, where)
    target = cursor["iou_target"]
    return LedgerRow(
        sequence=cursor["sequence"].text(),
        frame=cursor["frame"].text(),
        object_id=cursor["object_id"].integer(),
        object=cursor["object"].text(),
        kind=cursor["kind"].text(),
        parameters=cursor["parameters"].mapping(),
        status=cursor["status"].text(),
        iou_target=None if target.value is None else target.number(),
        iou_drawn=cursor["iou_drawn"].number(),
        iou=cursor["iou"].number(),
        area=cursor["area"].integer(),
        area_ratio=cursor["area_ratio"].number(),
    )


def read_ledger(path: Path) -> Iterator[LedgerRow]:
    """The rows of a ledger file, in order; raises `Refused` at the first that is damaged."""
    for number, line in enumerate(read_bytes(path, "ledger").splitlines(), 1):
        where = f"{path}: line {number}"
        yield parse_ledger_row(parse_json(line, where), where)


def read_summary(path: Path) -> dict[str, Any]:
    """Read a summary file; raises `Refused` where it is absent, damaged or of another schema."""
    top = Cursor(read_json(path, "summary"), str(path))
    _refuse_schema(top, SUMMARY_SCHEMA)
    return top.mapping()


def read_digests(path: Path) -> dict[str, str]:
    """Read a digests file: relative path -> 32 hexadecimal digits."""
    top = Cursor(read_json(path, "digests file"), str(path))
    return {name: cursor.text() for name, cursor in top.members()}


def _refuse_schema(top: Cursor, known: str) -> None:
    schema = top["schema"].text()
    if schema != known:
        raise refuse(
            f"has the schema {schema!r}, this release knows {known!r}",
            top.where,
            "use the release of actiseg that wrote it, or a newer one",
        )


def _refuse_unknown(cursor: Cursor, known: tuple[str, ...], problems: Problems) -> None:
    for name in cursor.mapping():
        if name not in known:
            problems.add(f"the key {name!r} is unknown", cursor.where, f"keys: {', '.join(known)}")
