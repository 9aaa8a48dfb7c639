"""What the fields of a release's rows are, for its documents."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_noise.releases.data_files.parquet_shards import COLUMNS

_MEANINGS = {
    "sequence": "folder of the sequence: number, video and action",
    "frame": "name of the frame; null if the list has no masks",
    "object_id": "id of the object in the sequence, and its value in index masks",
    "prompt": "the phrase for the object, with noise",
    "prompt_clean": "the phrase without noise",
    "name": "the noun for the object, with noise",
    "name_clean": "the noun without noise",
    "class_id": "class of the object, with noise",
    "class_id_clean": "class without noise",
    "positive": "whether the object is active, that is, takes part in the action; with noise",
    "positive_clean": "the same without noise",
    "mask": "mask of the object with noise: PNG of 1 bit; pixels of the object are non-zero",
    "picture": (
        "the object before (left) and after the noise (right), drawn from masks: orange was "
        "gained, blue lost, grey is other objects"
    ),
    "kind": ("kind of mask noise, such as dilate; null if no noise was drawn for this object"),
    "kind_text": (
        "category (a flip) or within-category (a substitution); null if the text is unchanged"
    ),
    "iou": (
        "IoU of the mask with the clean mask, after overlaps; null if the mask is unchanged and no "
        "noise was drawn for it. Set with kind null: the object only lost pixels to a changed "
        "neighbour. 1 with a kind: the noise could not change the mask"
    ),
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
