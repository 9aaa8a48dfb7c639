"""Write the documents with masks of a noisy copy, from the records of its sequences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import refuse
from actiseg_data.core.files import write_json
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.mask_document import KEPT, DocumentChange, MaskKey
from actiseg_data.layouts.polygon_split import PolygonSplit
from actiseg_data.layouts.split import MASKS, Split
from actiseg_noise.mask_noise.frame_noise import FrameNoise


def refuse_ghosts(split: Split) -> None:
    """Raise an `InputError` for a split whose documents take no false object."""
    if not isinstance(split, DocumentSplit):
        return
    for name in split.form.mask_documents[:1]:
        if not split.open_document(name).document.takes_new_objects:
            raise refuse(
                "has no place for false objects: each object is named by an expression",
                split.root,
                "choose other noise than ghost",
            )


def refuse_polygons(split: Split) -> None:
    """Raise an `InputError` for a split of polygons, which noise of pixels cannot change."""
    if isinstance(split, PolygonSplit):
        raise refuse(
            "has polygons, and the recipe has noise of masks",
            split.root,
            "give the type of noise instead of a recipe, or prepare the dataset first",
        )


def encode_changes(
    split: DocumentSplit, sequence: VideoSequence, frames: Iterable[tuple[str, FrameNoise]]
) -> dict[str, Any]:
    """Encode the changed masks of a sequence in the form of its document.

    Parameters
    ----------
    split : DocumentSplit
        The clean split.
    sequence : VideoSequence
        The sequence, with its ghosts.
    frames : iterable of (str, FrameNoise)
        The name and the noise of each view, in order.

    Returns
    -------
    dict of str to any
        The new segment of each changed mask by its name, or None if it has no pixel left.
    """
    document = split.open_document(str(sequence.document)).document
    segments: dict[str, Any] = {}
    for view, (name, noise) in zip(sequence.views, frames, strict=True):
        if np.array_equal(noise.clean, noise.mask):
            continue
        label, member = view.objects[0], noise.mask > 0
        segments[name] = (
            document.encode(sequence, view.frame, label, member) if member.any() else None
        )
    return segments


def compose_mask_document(
    split: DocumentSplit,
    name: str,
    sequences: Iterable[VideoSequence],
    segments: Mapping[str, Any],
    classes: Mapping[tuple[str, int], int] | None = None,
) -> Any:
    """Compose a document with masks of a noisy copy.

    Parameters
    ----------
    split : DocumentSplit
        The clean split.
    name : str
        The document.
    sequences : iterable of VideoSequence
        The sequences of the copy, with their ghosts.
    segments : mapping of str to any
        See `encode_changes`.
    classes : mapping of (str, int) to int, optional
        New categories, by sequence folder and object id.
    """
    document = split.open_document(name).document
    own = [sequence for sequence in sequences if sequence.document == name]
    changes: dict[MaskKey, DocumentChange] = {}
    for sequence in own:
        for view, place in zip(sequence.views, split.name_files(MASKS, sequence), strict=True):
            label = view.objects[0]
            segment = segments.get(place, KEPT)
            class_id = (classes or {}).get((sequence.folder, label.object_id))
            is_new = label.model is not None and segment not in (KEPT, None)
            if segment is not KEPT or class_id is not None:
                key = sequence.folder, view.frame, label.object_id
                changes[key] = DocumentChange(segment, class_id, label if is_new else None)
    kept = {sequence.folder for sequence in own}
    is_whole = kept >= {sequence.folder for sequence in document.sequences}
    return document.replace(changes, None if is_whole else kept)


def write_mask_documents(
    partial: Path,
    split: DocumentSplit,
    sequences: Iterable[VideoSequence],
    segments: Mapping[str, Any],
    classes: Mapping[tuple[str, int], int] | None = None,
) -> dict[str, str]:
    """Write the documents of some sequences into a folder; return their digests by name."""
    sequences = tuple(sequences)
    digests = {}
    for name in dict.fromkeys(sequence.document for sequence in sequences):
        assert name is not None, "every sequence is in a document"
        content = compose_mask_document(split, name, sequences, segments, classes)
        write_json(partial / name, content)
        digests[name] = digest_json(content)
    return digests
