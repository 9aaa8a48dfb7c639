"""The rows of a release: one for each object in each frame, with its text, mask and noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from actiseg_data.annotations.masks import find_ids
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.layouts.actionvos import MASKS, Split
from actiseg_data.layouts.image_sets import (
    MAIN_STYLE,
    name_expressions_file,
    name_objects_file,
)
from actiseg_data.records.ledger_record import MaskRow, TextRow
from actiseg_noise.differences.split_snapshot import ObjectWords
from actiseg_noise.releases.pictures import draw_change, encode_binary_mask
from actiseg_noise.releases.release_contents import Configuration

_NONE = ObjectWords(None, None, {})

Words: TypeAlias = Mapping[str, Mapping[int, ObjectWords]]
"""The words of a split, by sequence folder and object id."""


@dataclass(frozen=True)
class RowSource:
    """What the rows of one list of a configuration are made from.

    Attributes
    ----------
    name : str
        Name of the list.
    noisy, clean : Split
        The list in the noisy split and in the source.
    words, clean_words : Words
        The words in both.
    mask_rows : mapping of str to mapping
        The ledger's rows for masks: by sequence folder, then by frame and object id.
    text_rows : mapping of str to mapping
        The ledger's rows for objects' text: by sequence folder, then by object id.
    frames : bool
        Whether rows have photographs.
    """

    name: str
    noisy: Split
    clean: Split
    words: Words
    clean_words: Words
    mask_rows: Mapping[str, Mapping[tuple[str, int], MaskRow]] = field(default_factory=dict)
    text_rows: Mapping[str, Mapping[int | None, TextRow]] = field(default_factory=dict)
    frames: bool = False


def open_row_sources(configuration: Configuration, *, frames: bool) -> tuple[RowSource, ...]:
    """Open the noisy list of a configuration, and the clean lists that were added to it."""
    documents, clean = configuration.documents, configuration.split.source
    noisy, *added = documents.open_parts(configuration.folder)
    mask_rows: dict[str, dict[tuple[str, int], MaskRow]] = {}
    for row in documents.mask_rows:
        mask_rows.setdefault(row.sequence, {})[row.frame, row.object_id] = row
    text_rows: dict[str, dict[int | None, TextRow]] = {}
    for text_row in documents.text_rows:
        text_rows.setdefault(text_row.sequence, {})[text_row.object_id] = text_row
    first = RowSource(
        noisy.split.name,
        noisy.split,
        clean,
        _read_words(noisy.split),
        _read_words(clean),
        mask_rows,
        text_rows,
        frames,
    )
    others = []
    for part in added:
        words = _read_words(part.split)
        others.append(
            RowSource(part.split.name, part.split, part.split, words, words, frames=frames)
        )
    return first, *others


def make_rows(source: RowSource, sequence: VideoSequence) -> list[dict[str, Any]]:
    """Make the rows of one sequence, in the order of frames and object ids.

    Images are bytes of files.

    An object that is in neither of the two masks of a frame has no row there. Without masks, each
    object has one row.

    Raises
    ------
    InputError
        With every mask that is missing or damaged.
    """
    if not (source.clean.root / MASKS).is_dir():
        labels = sequence.objects
        return [_describe(source, sequence, label.object_id) for label in labels]
    rows = []
    pairs = zip(
        sequence.frames,
        source.clean.iterate_masks(source.clean[sequence.folder]),
        source.noisy.iterate_masks(sequence),
        strict=True,
    )
    photographs = source.noisy.frames(sequence) if source.frames else [None] * len(sequence.frames)
    for number, (frame, clean, noisy) in enumerate(pairs):
        present = sorted({*find_ids(clean), *find_ids(noisy)})
        for object_id in present:
            noise = source.mask_rows.get(sequence.folder, {}).get((frame, object_id))
            row = _describe(source, sequence, object_id) | {
                "frame": frame,
                "mask": encode_binary_mask(noisy == object_id),
                "picture": draw_change(clean, noisy, object_id),
                "kind": None if noise is None else noise.kind,
                "iou": None if noise is None else noise.iou,
            }
            photograph = photographs[number]
            if photograph is not None:
                row["image"] = photograph.read_bytes()
            rows.append(row)
    return rows


def _describe(source: RowSource, sequence: VideoSequence, object_id: int) -> dict[str, Any]:
    """Describe an object of a sequence: its words before and after noise."""
    label = next(entry for entry in sequence.objects if entry.object_id == object_id)
    noise = source.text_rows.get(sequence.folder, {}).get(object_id)
    words = source.words.get(sequence.folder, {}).get(object_id, _NONE)
    clean = source.clean_words.get(sequence.folder, {}).get(object_id, _NONE)
    return {
        "sequence": sequence.folder,
        "object_id": object_id,
        "positive": label.positive,
        "prompt": words.prompts.get(MAIN_STYLE),
        "prompt_clean": clean.prompts.get(MAIN_STYLE),
        "name": words.name,
        "name_clean": clean.name,
        "class_id": words.class_id,
        "class_id_clean": clean.class_id,
        "kind_text": None if noise is None else noise.kind,
    }


def _read_words(split: Split) -> Words:
    """Read class, name and prompt of every object, from the files of the split that exist.

    Without an objects file, class and name are those of the action list.
    """
    if split.has_document(name_objects_file(split.name)):
        named = {
            folder: {entry.object_id: (entry.class_id, entry.category) for entry in entries}
            for folder, entries in split.read_objects().items()
        }
    else:
        named = {
            sequence.folder: {
                label.object_id: (label.class_id, label.name) for label in sequence.objects
            }
            for sequence in split.sequences
        }
    prompts: dict[str, dict[int | None, dict[str, str]]] = {}
    if split.has_document(name_expressions_file(split.name, MAIN_STYLE)):
        prompts = {
            folder: {entry.object_id: {MAIN_STYLE: entry.exp} for entry in expressions}
            for folder, expressions in split.read_expressions().items()
        }
    return {
        folder: {
            object_id: ObjectWords(class_id, name, prompts.get(folder, {}).get(object_id, {}))
            for object_id, (class_id, name) in objects.items()
        }
        for folder, objects in named.items()
    }
