"""A noisy split on disk while it is made: a partial folder that can be resumed, then the whole."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.digests import json_digest
from actiseg_data.errors import Refused, refuse
from actiseg_data.files import write_bytes, write_json
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, Split, disk_name
from actiseg_data.layouts.image_sets import PROMPT_STYLES, expressions_file, objects_file
from actiseg_data.masks import pixel_digest, read_index_mask, write_index_mask
from actiseg_data.records import (
    DIGESTS_FILE,
    LEDGER_FILE,
    RECIPE_FILE,
    LedgerRow,
    parse_ledger_row,
)
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import Cursor, read_json
from actiseg_noise.apply import SequenceNoise

_JOB_FILE = "job.json"
_WORK_FOLDER = "work"


@dataclass(frozen=True)
class SequenceRecord:
    """What is kept of a finished sequence: the ledger rows, mask digests by path, and counts."""

    rows: tuple[LedgerRow, ...]
    digests: dict[str, str]
    tally: Counter[str]
    bystander_ious: tuple[float, ...]


def mask_name(split: Split, sequence: Sequence, frame: str) -> str:
    """Path of a mask relative to its dataset, with forward slashes, as digests name it."""
    return f"{MASKS}/{split.subsets[sequence.folder]}/{sequence.folder}/{frame}.png"


def on_disk(root: Path, name: str) -> Path:
    """The file that a digest's relative path names under a root."""
    return root.joinpath(*(disk_name(part) for part in name.split("/")))


def partial_folder(out: Path) -> Path:
    """Where work goes until it is whole: beside `out`, so that renaming is one step."""
    return out.with_name(f"{out.name}.partial")


def open_partial(out: Path, job: dict[str, Any]) -> Path:
    """Make the partial folder of a job, or take up the one that an equal job left.

    job: what must be equal for work to be taken up. Raises `Refused` where another job's lies
    there.
    """
    partial = partial_folder(out)
    file = partial / _JOB_FILE
    if partial.exists():
        if not file.is_file() or read_json(file) != job:
            raise refuse(
                "holds the unfinished work of another run",
                partial,
                "finish that run, remove the folder, or give --overwrite",
            )
        return partial
    partial.mkdir(parents=True)
    write_json(file, job)
    return partial


def write_sequence(
    partial: Path, split: Split, sequence: Sequence, noise: SequenceNoise, images: str
) -> SequenceRecord:
    """Write a sequence's noisy masks and frames, and then the record that says it is finished."""
    digests = {}
    for frame, mask in zip(sequence.frames, noise.masks, strict=True):
        name = mask_name(split, sequence, frame)
        write_index_mask(on_disk(partial, name), mask)
        digests[name] = pixel_digest(mask)
    _take_frames(partial, split, sequence, images)
    document = {
        "rows": [row.to_json() for row in noise.rows],
        "digests": digests,
        "tally": dict(noise.tally),
        "bystander_ious": list(noise.bystander_ious),
    }
    write_json(_record_file(partial, sequence), document)
    return SequenceRecord(noise.rows, digests, noise.tally, noise.bystander_ious)


def finished_sequence(partial: Path, sequence: Sequence) -> SequenceRecord | None:
    """The record of a sequence that is finished and whose masks are what it says, else None."""
    file = _record_file(partial, sequence)
    if not file.is_file():
        return None
    try:
        top = Cursor(read_json(file), str(file))
        digests = {name: cursor.text() for name, cursor in top["digests"].members()}
        for name, digest in digests.items():
            if pixel_digest(read_index_mask(on_disk(partial, name))) != digest:
                return None
    except Refused:
        return None
    return SequenceRecord(
        rows=tuple(
            parse_ledger_row(json.loads(row.text()), row.where) for row in top["rows"].elements()
        ),
        digests=digests,
        tally=Counter({name: count.integer() for name, count in top["tally"].members()}),
        bystander_ious=tuple(value.number() for value in top["bystander_ious"].elements()),
    )


def image_sets_of(split: Split, sequences: tuple[Sequence, ...]) -> Iterator[tuple[str, Any]]:
    """The ImageSets documents of some sequences, by file name, as the source has them."""
    folders = {sequence.folder for sequence in sequences}
    records = [
        record
        for sequence, record in zip(split.sequences, split.records, strict=True)
        if sequence.folder in folders
    ]
    yield f"{split.name}.json", records
    companions = [expressions_file(split.name, style) for style in PROMPT_STYLES]
    for name in [*companions, objects_file(split.name)]:
        if split.has_document(name):
            document = split.document(name)
            videos = document["videos"]
            kept = {folder: video for folder, video in videos.items() if folder in folders}
            yield name, document | {"videos": kept}


def finish(
    partial: Path,
    out: Path,
    split: Split,
    sequences: tuple[Sequence, ...],
    records: list[SequenceRecord],
    documents: dict[str, Any],
) -> None:
    """Write what belongs to the whole split, and give the folder its name.

    records: one for each sequence. documents: JSON documents by file name (recipe, summary). The
    rename comes last: what stands at `out` is whole.
    """
    digests: dict[str, str] = {}
    for name, document in image_sets_of(split, sequences):
        write_json(partial / IMAGE_SETS / name, document)
        digests[f"{IMAGE_SETS}/{name}"] = json_digest(document)
    for record in records:
        digests |= record.digests
    lines = [row.to_json() + "\n" for record in records for row in record.rows]
    write_bytes(partial / LEDGER_FILE, "".join(lines).encode())
    write_json(partial / DIGESTS_FILE, digests, indent=1)
    for name, document in documents.items():
        write_json(partial / name, document, indent=2)
    shutil.rmtree(partial / _WORK_FOLDER)
    (partial / _JOB_FILE).unlink()
    if out.exists():  # an empty folder, or one that --overwrite gave up
        shutil.rmtree(out)
    os.replace(partial, out)


def is_own(folder: Path) -> bool:
    """Whether a folder was made by this toolkit and may be overwritten when that is asked for."""
    return (folder / RECIPE_FILE).is_file() and (folder / DIGESTS_FILE).is_file()


def discard_partial(out: Path) -> None:
    """Remove the unfinished work beside `out`, if it is this toolkit's."""
    partial = partial_folder(out)
    if (partial / _JOB_FILE).is_file() or is_own(partial):
        shutil.rmtree(partial)


def _record_file(partial: Path, sequence: Sequence) -> Path:
    return partial / _WORK_FOLDER / f"{disk_name(sequence.folder)}.json"


def _take_frames(partial: Path, split: Split, sequence: Sequence, images: str) -> None:
    source = split.folder(FRAMES, sequence)
    if images == "none" or not source.is_dir():
        return
    target = partial / FRAMES / split.subsets[sequence.folder] / disk_name(sequence.folder)
    target.parent.mkdir(parents=True, exist_ok=True)
    if images == "copy":
        shutil.copytree(source, target, dirs_exist_ok=True)
        return
    target.unlink(missing_ok=True)
    # `partial` and the final folder are siblings, so a relative link holds after the rename.
    target.symlink_to(os.path.relpath(source.resolve(), target.parent.resolve()), True)
