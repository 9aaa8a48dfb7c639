"""What the fields of a release's rows are, for its documents."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_noise.releases.parquet_shards import COLUMNS

_MEANINGS = {
    "sequence": "folder of the sequence: number, video and action",
    "frame": "name of the frame; null in a release without masks",
    "object_id": "id of the object in the sequence, and its value in index masks",
    "prompt": "the phrase for the object, with noise",
    "prompt_clean": "the phrase without noise",
    "name": "the noun for the object, with noise",
    "name_clean": "the noun without noise",
    "class_id": "class of the object, with noise",
    "class_id_clean": "class without noise",
    "positive": "whether the object takes part in the action",
    "mask": "mask of the object with noise: PNG, not 0 inside",
    "picture": "the object before and after noise, drawn from masks",
    "kind": "kind of mask noise; null without noise",
    "kind_text": "kind of text noise; null without noise",
    "iou": "IoU of the noisy and the clean mask on disk; null without mask noise",
    "image": "the frame",
}


@dataclass(frozen=True)
class RowField:
    """A field of a row.

    Attributes
    ----------
    name : str
        Its column.
    kind : str
        Its type, as `COLUMNS` has it.
    meaning : str
        What it has, in a few words.
    """

    name: str
    kind: str
    meaning: str


def list_row_fields(*, frames: bool) -> tuple[RowField, ...]:
    """List the fields of a row, with or without the frame."""
    columns = COLUMNS | ({"image": "image"} if frames else {})
    return tuple(RowField(name, kind, _MEANINGS[name]) for name, kind in columns.items())
