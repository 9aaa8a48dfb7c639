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
    """The note in a folder of predictions.

    Attributes
    ----------
    dataset : str
        The clean root, relative to the folder.
    split : str
        The split that was predicted.
    dataset_fingerprint : str
        Of that split, see `actiseg_data.layouts.actionvos.Split`.
    toolkit, model : str
        What made the predictions.
    recipe_digest : str or None
        Of the noise that the model was trained on; None for clean data.
    """

    dataset: str
    split: str
    dataset_fingerprint: str
    toolkit: str
    model: str
    recipe_digest: str | None

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        return {"schema": PREDICTIONS_SCHEMA, **asdict(self)}


def read_predictions_note(path: Path) -> PredictionsNote:
    """Read a `PREDICTIONS_FILE`; a damaged or foreign one raises an `InputError`."""
    document = read_json(path, "note of predictions")
    if isinstance(document, list):
        hint = f"if it is a list of COCO RLE, give {path}; else rename it"
        raise refuse("is a list, not a note about predictions", path, hint)
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
