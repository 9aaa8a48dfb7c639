"""A noisy split on disk while it is made: a partial folder that can be resumed, then the whole.

What stands at OUT is whole: work goes to ``OUT.partial``, and the folder gets its name last.
Nothing is removed that is not this toolkit's own.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.digests import json_digest
from actiseg_data.errors import Refused, refuse
from actiseg_data.files import DRAFT, is_occupied, write_bytes, write_json
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, Split, disk_name
from actiseg_data.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_data.masks import pixel_digest, read_index_mask, write_index_mask
from actiseg_data.records import (
    DIGESTS_FILE,
    LEDGER_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    LedgerRow,
    parse_ledger_row,
    read_recipe,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import Cursor, read_json
from actiseg_noise.apply import SequenceNoise

_WORK = "work"
_JOB_FILE = "job.json"
_LOCK_FILE = "lock"
_REPLACED = "replaced"

_DOCUMENTS = (RECIPE_FILE, LEDGER_FILE, SUMMARY_FILE, DIGESTS_FILE, LICENSE_FILE, NOTICE_FILE)
_CONTENT = {MASKS, FRAMES, IMAGE_SETS, _WORK, *_DOCUMENTS}


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


def is_own(folder: Path) -> bool:
    """Whether a folder is a noisy split of this toolkit and holds nothing else."""
    try:
        read_recipe(folder / RECIPE_FILE)
        read_summary(folder / SUMMARY_FILE)
        return {path.name for path in folder.iterdir()} <= _CONTENT
    except Refused:
        return False


def discard_partial(out: Path) -> None:
    """Remove the unfinished work beside `out`, if it is this toolkit's and no run is at it."""
    partial = partial_folder(out)
    if (partial / _WORK / _JOB_FILE).is_file():
        with _locked(partial):
            shutil.rmtree(partial)


@contextmanager
def open_partial(out: Path, job: dict[str, Any]) -> Iterator[Path]:
    """The partial folder of a job: made, or taken up where an equal job left it.

    job: what must be equal for work to be taken up. Raises `Refused` where another job's lies
    there, or where a run is at work in it.
    """
    partial = partial_folder(out)
    file = partial / _WORK / _JOB_FILE
    if _is_bare(partial):
        write_json(file, job)
    elif not file.is_file() or read_json(file) != job:
        raise refuse(
            "holds the unfinished work of another run",
            partial,
            "finish that run, remove the folder, or give --overwrite",
        )
    with _locked(partial):
        yield partial


def _is_bare(partial: Path) -> bool:
    """Whether a partial folder is absent, or was left before its job was written."""
    inside = partial.rglob("*") if partial.is_dir() else ()
    return all(path.name == _WORK or path.suffix == DRAFT for path in inside)


@contextmanager
def _locked(partial: Path) -> Iterator[None]:
    """Lock a partial folder. The system lets go of it when the process ends, however it ends, so
    that a killed run does not bar the next. Raises `Refused` where a run is at work in it."""
    with (partial / _WORK / _LOCK_FILE).open("w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows, where a second run fails on files that the first has open
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise refuse("another run is at work here", partial, "wait for it to end") from None
        yield


def write_sequence(
    partial: Path, split: Split, sequence: Sequence, noise: SequenceNoise, images: str
) -> SequenceRecord:
    """Write a sequence's noisy masks and frames, and then the record that says it is finished."""
    subset, folder = split.subsets[sequence.folder], disk_name(sequence.folder)
    for kind in (MASKS, FRAMES):
        _clear(partial / kind / subset / folder)  # what a killed run left, drafts included
    digests = {}
    for frame, mask in zip(sequence.frames, noise.masks, strict=True):
        name = mask_name(split, sequence, frame)
        write_index_mask(on_disk(partial, name), mask)
        digests[name] = pixel_digest(mask)
    _take_frames(split.folder(FRAMES, sequence), partial / FRAMES / subset / folder, images)
    document = {
        "rows": [row.to_json() for row in noise.rows],
        "digests": digests,
        "tally": dict(noise.tally),
        "bystander_ious": list(noise.bystander_ious),
    }
    write_json(_record_file(partial, sequence), document)
    return SequenceRecord(noise.rows, digests, noise.tally, noise.bystander_ious)


def finished_sequence(partial: Path, split: Split, sequence: Sequence) -> SequenceRecord | None:
    """The record of a sequence that is finished and whose masks are what it says, else None."""
    file = _record_file(partial, sequence)
    try:
        top = Cursor(read_json(file), str(file))
        record = SequenceRecord(
            rows=tuple(
                parse_ledger_row(json.loads(row.text()), row.where)
                for row in top["rows"].elements()
            ),
            digests={name: cursor.text() for name, cursor in top["digests"].members()},
            tally=Counter({name: count.integer() for name, count in top["tally"].members()}),
            bystander_ious=tuple(value.number() for value in top["bystander_ious"].elements()),
        )
        names = {mask_name(split, sequence, frame) for frame in sequence.frames}
        whole = record.digests.keys() == names and all(
            pixel_digest(read_index_mask(on_disk(partial, name))) == digest
            for name, digest in record.digests.items()
        )
    except (Refused, ValueError):
        return None  # absent, cut short or damaged: it is made again
    return record if whole else None


def finish(
    partial: Path,
    out: Path,
    image_sets: dict[str, Any],
    records: list[SequenceRecord],
    documents: dict[str, Any],
    *,
    overwrite: bool,
) -> None:
    """Write what belongs to the whole split, and give the folder its name.

    image_sets: documents by file name. records: one for each sequence. documents: further JSON
    documents by file name (recipe, summary). The rename comes last.
    """
    digests: dict[str, str] = {}
    for name, document in image_sets.items():
        write_json(partial / IMAGE_SETS / name, document)
        digests[f"{IMAGE_SETS}/{name}"] = json_digest(document)
    for record in records:
        digests |= record.digests
    lines = [row.to_json() + "\n" for record in records for row in record.rows]
    write_bytes(partial / LEDGER_FILE, "".join(lines).encode())
    write_json(partial / DIGESTS_FILE, digests, indent=1)
    for name, document in documents.items():
        write_json(partial / name, document, indent=2)
    _give_name(partial, out, overwrite)
    clear_work(out)


def _give_name(partial: Path, out: Path, overwrite: bool) -> None:
    if is_occupied(out):
        if not (overwrite and is_own(out)):
            raise refuse("something appeared here meanwhile", out, "move it away, and run again")
        # Into the work folder, which goes when the new split has its name.
        os.replace(out, partial / _WORK / _REPLACED)
    elif out.exists():
        out.rmdir()
    os.replace(partial, out)


def clear_work(out: Path) -> None:
    """Remove the work folder of a finished split, which a run killed at its very end leaves."""
    if (out / _WORK).is_dir():
        shutil.rmtree(out / _WORK)


def _record_file(partial: Path, sequence: Sequence) -> Path:
    return partial / _WORK / f"{disk_name(sequence.folder)}.json"


def _clear(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    elif path.exists():
        shutil.rmtree(path)


def _take_frames(source: Path, target: Path, images: str) -> None:
    if images == "none" or not source.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if images == "copy":
        shutil.copytree(source, target)
    else:
        # The partial and the final folder are siblings, so a relative link outlives the rename.
        target.symlink_to(os.path.relpath(source.resolve(), target.parent.resolve()), True)
