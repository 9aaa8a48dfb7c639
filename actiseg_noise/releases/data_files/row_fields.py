"""What the fields of a release's rows are, for its documents."""

from __future__ import annotations

from dataclasses import dataclass

from actiseg_data.layouts.sequence_record import SEQUENCES_FILE
from actiseg_noise.releases.contents.data_kind import DataKind
from actiseg_noise.releases.data_files.parquet_shards import COLUMNS

_PICTURE = (
    "the object before (left) and after the noise (right), drawn from masks: orange was gained, "
    "blue lost"
)
_UNCHANGED = "1 with a kind: the noise could not change the mask"

_MEANINGS = {
    "sequence": "folder of the sequence: number, video and action",
    "frame": "name of the frame; null if the split has no masks",
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
    "picture": f"{_PICTURE}, grey is other objects",
    "kind": ("kind of mask noise, such as dilate; null if no noise was drawn for this object"),
    "kind_text": (
        "category (a flip) or within-category (a substitution); null if the text is unchanged"
    ),
    "iou": (
        "IoU of the mask with the clean mask, after overlaps; null if the mask is unchanged and no "
        "noise was drawn for it. Set with kind null: the object only lost pixels to a changed "
        f"neighbour. {_UNCHANGED}"
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


def list_row_fields(kind: DataKind, *, frames: bool) -> tuple[RowField, ...]:
    """List the fields of a row of a kind of data, with or without the frame."""
    columns = COLUMNS | ({"image": "image"} if frames else {})
    meanings = _MEANINGS | ({} if kind.has_actions else _describe_dataset_fields(kind))
    return tuple(RowField(name, type_, meanings[name]) for name, type_ in columns.items())


def _describe_dataset_fields(kind: DataKind) -> dict[str, str]:
    """Say what the fields have in a dataset without action lists, if that differs."""
    own = f"{SEQUENCES_FILE} in the archive has its own id in the source"
    noun = "category" if kind.has_categories else "name"
    meanings = {
        "sequence": "name of the sequence" if kind.layout.is_video else "id of the image",
        "frame": f"name of the {kind.frame}",
        "object_id": "id of the object in the sequence, and its value in index masks",
        "prompt": "the first referring expression for the object, with noise",
        "prompt_clean": "the expression without noise",
        "name": f"{noun} of the object, with noise",
        "name_clean": f"{noun} without noise",
        "positive": "true: the source does not say which objects are active",
        "positive_clean": "the same",
    }
    if kind.has_categories:
        meanings["class_id"] = "id of the category, with noise"
        meanings["class_id_clean"] = "id without noise"
    if kind.has_layers:
        place = "sequence" if kind.layout.is_video else "image"
        meanings["object_id"] = f"number of the object in the {place}; {own}"
        meanings["picture"] = _PICTURE
        meanings["iou"] = (
            f"IoU of the mask with the clean mask; null if no noise was drawn for it. {_UNCHANGED}"
        )
    if not kind.has_prompts:
        meanings |= dict.fromkeys(("prompt", "prompt_clean"), "null: the source has no prompts")
    if not kind.has_names:
        meanings["name"] = "name of the object, made of its id, because the source has no names"
        meanings["name_clean"] = "the same"
        meanings |= dict.fromkeys(("class_id", "class_id_clean"), "-1: the source has no classes")
    if not kind.layout.is_video:
        meanings["image"] = "the photograph"
    return meanings
