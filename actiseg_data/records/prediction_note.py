"""The note in a folder of predictions: what was predicted, and by which model."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_schema,
    read_json,
)
from actiseg_data.core.errors import refuse
from actiseg_data.core.names import check_name

PREDICTIONS_FILE = "predictions.json"

PREDICTIONS_SCHEMA = "actiseg/predictions/1"


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
    check_schema(top, PREDICTIONS_SCHEMA, RELEASE_HINT)
    recipe = top["recipe_digest"]
    return PredictionsNote(
        dataset=top["dataset"].as_text(),
        split=check_name(top["split"].as_text(), "split", top["split"].where),
        dataset_fingerprint=top["dataset_fingerprint"].as_text(),
        toolkit=top["toolkit"].as_text(),
        model=top["model"].as_text(),
        recipe_digest=None if recipe.value is None else recipe.as_text(),
    )
