"""Write the files of one sequence of a noisy split: masks, weights and photographs."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from actiseg_data.annotations import png
from actiseg_data.annotations.masks import PALETTE, digest_pixels, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import remove_path
from actiseg_data.core.listing import list_files
from actiseg_data.layouts.document_split import DocumentSplit
from actiseg_data.layouts.split import MASKS, WEIGHTS, Split
from actiseg_noise.mask_noise.frame_noise import FrameNoise
from actiseg_noise.mask_noise.mask_weights import derive_weights, weigh_objects
from actiseg_noise.split.clean_parts import CleanPart
from actiseg_noise.split.journal import SequenceRecord
from actiseg_noise.split.mask_documents import encode_changes
from actiseg_noise.split.split_files import resolve_name


def write_noisy(
    partial: Path, part: CleanPart, sequence: VideoSequence, frames: Iterable[FrameNoise]
) -> SequenceRecord:
    """Write a sequence's noisy masks and their weights.

    Parameters
    ----------
    partial : Path
        The partial folder.
    part : CleanPart
        The clean masks and weights of the sequence.
    sequence : VideoSequence
        The sequence.
    frames : iterable of FrameNoise
        Its noisy frames, in order. They are consumed one at a time.

    Returns
    -------
    SequenceRecord
        The record for the journal.
    """
    record = SequenceRecord.make_empty(sequence.folder)
    split = part.split
    if isinstance(split, DocumentSplit):
        frames = list(frames)  # as many as the document has in memory anyway
        named = zip(split.name_files(MASKS, sequence), frames, strict=True)
        record.segments.update(encode_changes(split, sequence, named))
    else:
        _clear_folders(partial, part, sequence)
    files: dict[str, list[str]] = {kind: [] for kind in part.kinds}
    ghosts = _find_ghost_views(sequence)
    names = dict(zip(part.kinds, part.list_names_by_kind(sequence), strict=True))
    for number, (noise, weights) in enumerate(part.pair_weights(sequence, frames)):
        made = {MASKS: (noise.clean, noise.mask)}
        if weights is not None:
            values = weigh_objects(noise.clean, weights)
            made[WEIGHTS] = (weights, derive_weights(noise.mask, values))
        for kind, (clean, new) in made.items():
            if not isinstance(split, DocumentSplit):
                # Not atomic: a sequence counts as finished only when it is in the journal.
                resolve_name(partial, names[kind][number]).write_bytes(png.encode(new, PALETTE))
            record.digests[names[kind][number]] = digest_pixels(new)
            if number not in ghosts:
                files[kind].append(digest_pixels(clean))
        record.rows.extend(row.to_json() for row in noise.rows)
        record.tally.update(noise.tally)
        record.bystander_ious.extend(noise.bystander_ious)
    record.clean_digests.update(files)
    return record


def _find_ghost_views(sequence: VideoSequence) -> frozenset[int]:
    """Find the positions of the views that show nothing but a ghost, which the source lacks."""
    if sequence.layers is None:
        return frozenset()
    views = enumerate(sequence.views)
    return frozenset(number for number, view in views if view.objects[0].model is not None)


def copy_files(partial: Path, part: CleanPart, sequence: VideoSequence) -> SequenceRecord:
    """Copy a sequence's masks and weights byte for byte; return the record for the journal."""
    record = SequenceRecord.make_empty(sequence.folder)
    record.clean_digests.update(part.digest_files(sequence))
    is_file = not isinstance(part.split, DocumentSplit)
    if is_file:
        _clear_folders(partial, part, sequence)
    for kind, names in zip(part.kinds, part.list_names_by_kind(sequence), strict=True):
        for name, path in zip(names, part.list_paths(kind, sequence), strict=True):
            if is_file:
                resolve_name(partial, name).write_bytes(read_bytes(path))
        record.digests.update(zip(names, record.clean_digests[kind], strict=True))
    return record


def take_frames(partial: Path, split: Split, sequence: VideoSequence, images: str) -> None:
    """Link or copy the frames of a sequence, if the source has them.

    `images` is ``link``, ``copy`` or ``none``.
    """
    name, source = split.name_frames_folder(sequence), split.find_frames_folder(sequence)
    if name is None or source is None:
        return
    target = resolve_name(partial, name)
    remove_path(target)  # from a killed run
    if images == "none" or not source.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if images == "copy":
        target.mkdir()
        for frame in list_files(source):
            # Not `copytree`, which would copy a read-only mode from the source's folders.
            shutil.copy2(frame.path, target)
    else:
        # The partial and the final folder are siblings, so a relative link survives the rename.
        target.symlink_to(os.path.relpath(source.resolve(), target.parent.resolve()), True)


def _clear_folders(partial: Path, part: CleanPart, sequence: VideoSequence) -> None:
    """Make empty folders for a sequence. A killed run may have left files in them."""
    names = part.list_names(sequence)
    folders = dict.fromkeys(resolve_name(partial, name).parent for name in names)
    for folder in folders:
        remove_path(folder)
        folder.mkdir(parents=True)


def is_finished(
    partial: Path, part: CleanPart, sequence: VideoSequence, record: SequenceRecord | None
) -> bool:
    """Return whether a sequence is complete.

    Its files must have the digests of the record, and the clean files must not have changed since.
    """
    if record is None or sorted(record.digests) != sorted(part.list_names(sequence)):
        return False
    names = {} if isinstance(part.split, DocumentSplit) else record.digests
    try:
        return all(
            digest_pixels(read_index_mask(resolve_name(partial, name))) == digest
            for name, digest in names.items()
        ) and record.clean_digests == part.digest_files(sequence)
    except InputError:
        return False
