"""What a noisy split leaves behind: recipe, ledger, summary, digests; what a folder of predictions
says of itself, and a dataset of its frames. Schemas and readers.

They stand here so that the evaluator and the trainer can read them without the noise package.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeAlias

from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.validation import (
    Cursor,
    check_name,
    collect_valid,
    parse_json,
    read_bytes,
    read_json,
)

RECIPE_FILE = "recipe.json"
LEDGER_FILE = "ledger.jsonl"
SUMMARY_FILE = "summary.json"
DIGESTS_FILE = "digests.json"
LEXICON_FILE = "lexicon.json"
"""Of a split whose words were drawn from another lexicon than the installed one."""

PREDICTIONS_FILE = "predictions.json"

PREDICTIONS_SCHEMA = "actiseg/predictions/1"
RECIPE_SCHEMA = "actiseg/recipe/1"
SUMMARY_SCHEMA = "actiseg/summary/1"
RENDERED_SCHEMA = "actiseg/rendered/1"


@dataclass(frozen=True)
class Noise:
    """One noise of a recipe, on masks or on words.

    kind: e.g. ``boundary``. algorithm: version of how the kind makes its pixels or words; a change
    of them raises it. rate: share of the eligible items that are touched, in [0, 1]. exact: take
    exactly that share of the split, by hash rank, instead of deciding for each item. objects:
    ``positive`` or ``all``. overlap: of mask noise: who owns shared pixels; else None. scope:
    of text noise: where they change (``make_prompt``, ``both``, ``narration``); else None.
    parameters: all of the kind's own.
    """

    kind: str
    algorithm: int
    rate: float
    exact: bool
    objects: str
    overlap: str | None
    scope: str | None
    parameters: Mapping[str, Any]

    @property
    def medium(self) -> str:
        """What it changes: ``masks`` or ``text``."""
        return "text" if self.overlap is None else "masks"

    def to_dict(self) -> dict[str, Any]:
        """The noise as it stands in a recipe: without what its medium does not have."""
        members = asdict(self) | {"parameters": dict(self.parameters)}
        return {name: value for name, value in members.items() if value is not None}


@dataclass(frozen=True)
class Recipe:
    """All that decides the noise of a split, and nothing else: no time, path, host or version."""

    split: str
    seed: int
    noises: tuple[Noise, ...]

    @property
    def mask_noise(self) -> Noise | None:
        """Its mask noise, if it has any."""
        return next((noise for noise in self.noises if noise.medium == "masks"), None)

    @property
    def text_noise(self) -> Noise | None:
        """Its text noise, if it has any."""
        return next((noise for noise in self.noises if noise.medium == "text"), None)

    def to_dict(self) -> dict[str, Any]:
        """The JSON document."""
        return {
            "schema": RECIPE_SCHEMA,
            "split": self.split,
            "seed": self.seed,
            "noises": [noise.to_dict() for noise in self.noises],
        }

    @property
    def digest(self) -> str:
        """Equal for equal noise."""
        return digest_json(self.to_dict())


def parse_recipe(document: Any, where: str) -> Recipe:
    """A recipe from its JSON document; raises `InputError` for unknown or missing keys, wrong types.

    Whether kinds, algorithms and parameters are known is for the noise package to say.
    """
    top = Cursor(document, where)
    problems = ProblemCollector()
    _refuse_schema(top, RECIPE_SCHEMA)
    _refuse_unknown(top, ("schema", "split", "seed", "noises"), problems)
    noises = collect_valid(list(top["noises"].elements()), parse_noise, problems)
    problems.raise_if_any()
    split = check_name(top["split"].text(), "split", top["split"].where)
    return Recipe(split, top["seed"].integer(), tuple(noises))


def parse_noise(cursor: Cursor) -> Noise:
    """One noise of a recipe or preset; raises `InputError` as `parse_recipe` does."""
    problems = ProblemCollector()
    _refuse_unknown(cursor, tuple(field.name for field in fields(Noise)), problems)
    if ("overlap" in cursor) == ("scope" in cursor):
        problems.add(
            "must have either 'overlap' (mask noise) or 'scope' (text noise)",
            cursor.where,
            "correct the file",
        )
    problems.raise_if_any()
    return Noise(
        kind=cursor["kind"].text(),
        algorithm=cursor["algorithm"].integer(),
        rate=cursor["rate"].number(),
        exact=cursor["exact"].flag(),
        objects=cursor["objects"].text(),
        overlap=cursor["overlap"].text() if "overlap" in cursor else None,
        scope=cursor["scope"].text() if "scope" in cursor else None,
        parameters=cursor["parameters"].mapping(),
    )


def read_recipe(path: Path) -> Recipe:
    """Read a recipe file; raises `InputError` where it is absent, damaged or not a recipe."""
    return parse_recipe(read_json(path, "recipe"), str(path))


_to_line = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class MaskRow:
    """What happened to the mask of one selected object of one frame.

    sequence, frame: names on disk. object_id, object: id and clean name. kind: the noise that was
    drawn. parameters: what was drawn for it (``radius`` in pixels, ...). status: whether the target
    was met (see `actiseg_noise.mask_noise.outline_kinds.Drawn`). iou_target: wanted IoU, None for a fixed
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


@dataclass(frozen=True)
class TextRow:
    """What happened to the words of one selected object of a sequence, or to its narration.

    sequence: name on disk. object_id, object: id and clean name; None and the noun that was
    replaced for a narration. kind: ``category`` or ``within-category``. parameters: how the words
    were drawn. class_id_org, class_id: before and after. name: the new one. prompt_org, prompt:
    the prompt in the style ``promptaction``, or the narration. synset_org, synset: WordNet 3.0.
    similarity: of the two synsets, see `actiseg_data.annotations.lexicon.measure_similarity`.
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

    def to_json(self) -> str:
        """The row as one line of the ledger, with the members of a `MaskRow` that it lacks."""
        lacking = dict.fromkeys(("frame", "iou_target", "iou_drawn", "iou", "area_ratio"))
        return _to_line(vars(self) | {"parameters": dict(self.parameters)} | lacking)


LedgerRow: TypeAlias = MaskRow | TextRow


def parse_ledger_row(document: Any, where: str) -> LedgerRow:
    """A ledger row from its JSON document; raises `InputError` where it is not one."""
    cursor = Cursor(document, where)
    return _mask_row(cursor) if cursor["frame"].value is not None else _text_row(cursor)


def _text_row(cursor: Cursor) -> TextRow:
    object_id = cursor["object_id"]
    return TextRow(
        sequence=cursor["sequence"].text(),
        object_id=None if object_id.value is None else object_id.integer(),
        object=cursor["object"].text(),
        kind=cursor["kind"].text(),
        parameters=cursor["parameters"].mapping(),
        class_id_org=cursor["class_id_org"].integer(),
        class_id=cursor["class_id"].integer(),
        name=cursor["name"].text(),
        prompt_org=cursor["prompt_org"].text(),
        prompt=cursor["prompt"].text(),
        synset_org=cursor["synset_org"].text(),
        synset=cursor["synset"].text(),
        similarity=cursor["similarity"].number(),
    )


def _mask_row(cursor: Cursor) -> MaskRow:
    target = cursor["iou_target"]
    return MaskRow(
        sequence=cursor["sequence"].text(),
        frame=cursor["frame"].text(),
        object_id=_bounded(cursor["object_id"], 1, 255),
        object=cursor["object"].text(),
        kind=cursor["kind"].text(),
        parameters=cursor["parameters"].mapping(),
        status=cursor["status"].text(),
        iou_target=None if target.value is None else target.number(),
        iou_drawn=_share(cursor["iou_drawn"]),
        iou=_share(cursor["iou"]),
        area=_bounded(cursor["area"], 0, 1 << 30),
        area_ratio=cursor["area_ratio"].number(),
    )


def _bounded(cursor: Cursor, least: int, most: int) -> int:
    number = cursor.integer()
    if not least <= number <= most:
        raise refuse(f"{number} is not from {least} to {most}", cursor.where, "correct the file")
    return number


def _share(cursor: Cursor) -> float:
    number = cursor.number()
    if not 0 <= number <= 1:
        raise refuse(f"{number} is not from 0 to 1", cursor.where, "correct the file")
    return number


def read_ledger(path: Path) -> Iterator[LedgerRow]:
    """The rows of a ledger file, in order; raises `InputError` at the first that is damaged."""
    for number, line in enumerate(read_bytes(path, "ledger").splitlines(), 1):
        where = f"{path}: line {number}"
        yield parse_ledger_row(parse_json(line, where), where)


def read_mask_rows(path: Path) -> Iterator[MaskRow]:
    """The rows of a ledger file that are about masks."""
    return (row for row in read_ledger(path) if isinstance(row, MaskRow))


def read_summary(path: Path) -> dict[str, Any]:
    """Read a summary file; raises `InputError` where it is absent, damaged or of another schema."""
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


def _refuse_unknown(cursor: Cursor, known: tuple[str, ...], problems: ProblemCollector) -> None:
    for name in cursor.mapping():
        if name not in known:
            what = f"the key {name!r} is unknown{suggest(name, known)}"
            problems.add(what, cursor.where, f"keys: {', '.join(known)}")


@dataclass(frozen=True)
class PredictionsNote:
    """What a folder of predictions says of itself.

    dataset: the clean root, relative to the folder. split: the list that was predicted.
    dataset_fingerprint: of that list, see `actiseg_data.layouts.actionvos.Split`. toolkit, model:
    what made them. recipe_digest: of the noise that the model learnt from, None of none.
    """

    dataset: str
    split: str
    dataset_fingerprint: str
    toolkit: str
    model: str
    recipe_digest: str | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON document."""
        return {"schema": PREDICTIONS_SCHEMA, **asdict(self)}


def read_predictions_note(path: Path) -> PredictionsNote:
    """Read a `PREDICTIONS_FILE`; raises `InputError` where it is damaged or of another schema."""
    document = read_json(path, "note of predictions")
    if isinstance(document, list):
        hint = f"if it is one of COCO RLE, give {path}; else call it something else"
        raise refuse("is a list, and no note of what was predicted", path, hint)
    top = Cursor(document, str(path))
    _refuse_schema(top, PREDICTIONS_SCHEMA)
    recipe = top["recipe_digest"]
    return PredictionsNote(
        dataset=top["dataset"].text(),
        split=check_name(top["split"].text(), "split", top["split"].where),
        dataset_fingerprint=top["dataset_fingerprint"].text(),
        toolkit=top["toolkit"].text(),
        model=top["model"].text(),
        recipe_digest=None if recipe.value is None else recipe.text(),
    )


def name_rendered_file(split: str) -> str:
    """Name of the file in a dataset's root that says which frames of a split are rendered."""
    return f"rendered-{split}.json"


def read_rendered(root: Path) -> dict[str, str]:
    """The sequences of a root whose frames are rendered: ``<train|val>/<sequence>`` -> a digest of
    what they were made of. Empty where all are photographs; `InputError` for a damaged note.
    """
    made_of: dict[str, str] = {}
    for path in sorted(root.glob(name_rendered_file("*"))):
        top = Cursor(read_json(path, "note of rendered frames"), str(path))
        _refuse_schema(top, RENDERED_SCHEMA)
        made_of |= {name: cursor.text() for name, cursor in top["sequences"].members()}
    return made_of


def has_rendered_frames(root: Path) -> bool:
    """Whether frames of a root are painted, not photographs: rendered, of the built-in sample, or
    of a noisy copy of either. Tables of what was learnt from them, or predicted of them, say so.
    """
    if (root / "sample.json").is_file() or any(root.glob(name_rendered_file("*"))):
        return True
    summary = root / SUMMARY_FILE
    return summary.is_file() and read_summary(summary).get("rendered_frames") is True
