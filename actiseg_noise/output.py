"""A noisy split on disk while it is made: a partial folder that can be resumed, then the whole.

What stands at OUT is whole: work goes to ``OUT.partial``, and the folder gets its name last.
Nothing is removed that is not this toolkit's own.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Set
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from actiseg_data import png
from actiseg_data.errors import Refused, refuse
from actiseg_data.files import DRAFT, is_occupied, write_json, writing
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, WEIGHTS, Split, disk_name
from actiseg_data.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_data.masks import PALETTE, pixel_digest, read_index_mask
from actiseg_data.records import (
    DIGESTS_FILE,
    LEDGER_FILE,
    LEXICON_FILE,
    RECIPE_FILE,
    SUMMARY_FILE,
    TextRow,
    read_recipe,
    read_summary,
)
from actiseg_data.sequences import Sequence
from actiseg_data.untrusted import read_json
from actiseg_noise.apply import FrameNoise
from actiseg_noise.journal import SequenceRecord

_WORK = "work"
_JOB_FILE = "job.json"
_LOCK_FILE = "lock"
_JOURNAL = "records"
_REPLACED = "replaced"

_DOCUMENTS = (
    RECIPE_FILE,
    LEDGER_FILE,
    SUMMARY_FILE,
    DIGESTS_FILE,
    LEXICON_FILE,
    LICENSE_FILE,
    NOTICE_FILE,
)
_CONTENT = {MASKS, FRAMES, WEIGHTS, IMAGE_SETS, _WORK, *_DOCUMENTS}


def mask_name(split: Split, sequence: Sequence, frame: str) -> str:
    """Path of a mask relative to its dataset, with forward slashes, as digests name it."""
    return f"{MASKS}/{split.subsets[sequence.folder]}/{sequence.folder}/{frame}.png"


def on_disk(root: Path, name: str) -> Path:
    """The file that a digest's relative path names under a root."""
    return root.joinpath(*(disk_name(part) for part in name.split("/")))


def partial_folder(out: Path) -> Path:
    """Where work goes until it is whole: beside `out`, so that renaming is one step."""
    return out.with_name(f"{out.name}.partial")


def journal_of(partial: Path) -> Path:
    """The folder of the records of finished sequences."""
    return partial / _WORK / _JOURNAL


def is_own(folder: Path) -> bool:
    """Whether a folder is a noisy split of this toolkit and holds nothing else."""
    try:
        read_recipe(folder / RECIPE_FILE)
        read_summary(folder / SUMMARY_FILE)
        return {path.name for path in folder.iterdir()} <= _CONTENT
    except Refused:
        return False


def discard_partial(out: Path) -> None:
    """Remove the unfinished work beside `out`, if it is this toolkit's. What it had replaced, if it
    was killed just then, is given its name again. Raises `Refused` where a run is at work in it."""
    partial = partial_folder(out)
    if not (partial / _WORK / _JOB_FILE).is_file():
        return
    with _locked(partial):
        replaced = partial / _WORK / _REPLACED
        if replaced.exists() and not is_occupied(out):
            os.replace(replaced, out)
        # What tells whose work it is goes last: killed meanwhile, the next run goes on with it.
        work = partial / _WORK
        kept = (work, work / _JOB_FILE, work / _LOCK_FILE)
        for path in (*partial.iterdir(), *work.iterdir()):
            if path not in kept:
                _clear(path)
        shutil.rmtree(partial)


@contextmanager
def open_partial(out: Path, job: dict[str, Any]) -> Iterator[Path]:
    """The partial folder of a job: made, or taken up where an equal job left it.

    job: what must be equal for work to be taken up. Raises `Refused` where another job's lies
    there, or where a run is at work in it.
    """
    partial = partial_folder(out)
    file = partial / _WORK / _JOB_FILE
    if _is_bare(partial) or file.is_file():
        with _locked(partial):
            if _is_bare(partial):
                write_json(file, job)
            if unfinished_job(out) == job:
                _clear_documents(partial)
                journal_of(partial).mkdir(exist_ok=True)
                yield partial
                return
    raise refuse(
        "holds the unfinished work of another run",
        partial,
        "finish that run, remove the folder, or give --overwrite",
    )


def _is_bare(partial: Path) -> bool:
    """Whether a partial folder is absent, or was left when it held no job yet or none any more."""
    work = partial / _WORK
    inside = partial.rglob("*") if partial.is_dir() else ()
    return all(path in (work, work / _LOCK_FILE) or path.suffix == DRAFT for path in inside)


def unfinished_job(out: Path) -> Any:
    """The job whose unfinished work lies beside `out`; None where there is none to be read."""
    try:
        return read_json(partial_folder(out) / _WORK / _JOB_FILE)
    except Refused:
        return None


def _clear_documents(partial: Path) -> None:
    """Remove lists, documents and their drafts, which are all written again at the end: a killed
    run may have left half of one, or one that the source has no more."""
    for path in (*partial.iterdir(), *(partial / _WORK).iterdir()):
        if path.name in (IMAGE_SETS, *_DOCUMENTS) or path.suffix == DRAFT:
            _clear(path)


@contextmanager
def _locked(partial: Path) -> Iterator[None]:
    """Lock a partial folder. The system lets go of it when the process ends, however it ends, so
    that a killed run does not bar the next. Raises `Refused` where a run is at work in it."""
    file = partial / _WORK / _LOCK_FILE
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        try:
            import fcntl
        except ImportError:  # Windows, where a second run fails on files that the first has open
            yield
            return
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The run that had the lock may have finished and moved or removed what was opened.
            held = file.exists() and os.path.samestat(file.stat(), os.fstat(lock.fileno()))
        except BlockingIOError:
            held = False
        except OSError as error:
            if error.errno not in (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK):
                raise
            held = True  # a file system without locks: two runs at once are the user's to avoid
        if not held:
            raise refuse("another run is at work here", partial, "wait for it to end")
        yield


def write_sequence(
    partial: Path,
    split: Split,
    sequence: Sequence,
    frames: Iterable[FrameNoise],
    images: str,
) -> SequenceRecord:
    """Write a sequence's noisy masks and frames, and return what is to be recorded of it.

    frames: taken one at a time.
    """
    place = Path(split.subsets[sequence.folder], disk_name(sequence.folder))
    masks, pictures = partial / MASKS / place, partial / FRAMES / place
    for folder in (masks, pictures):
        _clear(folder)  # what a killed run left
    masks.mkdir(parents=True)
    record = SequenceRecord.empty(sequence.folder)
    for noise in frames:
        # In place: the sequence is finished when it is recorded, not before.
        file = masks / disk_name(f"{noise.frame}.png")
        file.write_bytes(png.encode(noise.mask, PALETTE))
        record.rows.extend(row.to_json() for row in noise.rows)
        record.digests[mask_name(split, sequence, noise.frame)] = pixel_digest(noise.mask)
        record.clean_digests.append(pixel_digest(noise.clean))
        record.tally.update(noise.tally)
        record.bystander_ious.extend(noise.bystander_ious)
    if images != "none":
        _take_folder(split.folder(FRAMES, sequence), pictures, copy=images == "copy")
    return record


def take_files(partial: Path, split: Split, sequences: Iterable[Sequence], images: str) -> None:
    """Take masks, weights and frames of sequences as they are, by links or copies. Those that the
    source lacks are left out.

    images: see `actiseg_noise.corrupt.corrupt`.
    """
    for sequence in sequences:
        if sequence.folder not in split.subsets:
            continue
        place = Path(split.subsets[sequence.folder], disk_name(sequence.folder))
        for kind in (MASKS, WEIGHTS, FRAMES):
            _clear(partial / kind / place)  # what a killed run left
            if kind != FRAMES or images != "none":
                source = split.folder(kind, sequence)
                only = {f"{frame}.png" for frame in sequence.frames} if kind == MASKS else None
                _take_folder(source, partial / kind / place, copy=images == "copy", only=only)


def is_finished(
    partial: Path, split: Split, sequence: Sequence, record: SequenceRecord | None
) -> bool:
    """Whether the noisy masks of a sequence are what its record says, and the clean masks are still
    those that they were made from."""
    names = [mask_name(split, sequence, frame) for frame in sequence.frames]
    if record is None or list(record.digests) != names:
        return False
    try:
        return all(
            pixel_digest(read_index_mask(on_disk(partial, name))) == digest
            for name, digest in record.digests.items()
        ) and record.clean_digests == [pixel_digest(mask) for mask in split.each_mask(sequence)]
    except Refused:
        return False


def written(
    partial: Path,
    image_sets: Mapping[str, str],
    rows: Mapping[str, Iterable[TextRow]],
    records: Iterable[SequenceRecord],
) -> Iterator[SequenceRecord]:
    """The records, one at a time, while ledger and digests are written from them.

    image_sets: digests of the lists by file name. rows: ledger rows on text by sequence folder,
    which stand before those on masks. Both files are there when the last record was taken.
    """
    lists = {f"{IMAGE_SETS}/{name}": digest for name, digest in image_sets.items()}
    with writing(partial / LEDGER_FILE) as ledger, writing(partial / DIGESTS_FILE) as digests:
        digests.write(b"{\n" + _members(lists))
        for record in records:
            lines = (*(row.to_json() for row in rows.get(record.folder, ())), *record.rows)
            ledger.write("".join(f"{line}\n" for line in lines).encode())
            if record.digests:
                digests.write(b",\n" + _members(record.digests))
            yield record
        digests.write(b"\n}\n")


def _members(digests: Mapping[str, str]) -> bytes:
    lines = (
        f" {json.dumps(name, ensure_ascii=False)}: {json.dumps(digest)}"
        for name, digest in digests.items()
    )
    return ",\n".join(lines).encode()


def finish(partial: Path, out: Path, *, overwrite: bool) -> None:
    """Give a folder that has all its documents its name. The rename comes last."""
    _give_name(partial, out, overwrite)
    clear_work(out)


def _give_name(partial: Path, out: Path, overwrite: bool) -> None:
    if is_occupied(out):
        if not (overwrite and is_own(out)):
            raise refuse("something appeared here meanwhile", out, "move it away, and run again")
        # Into the work folder, which goes when the new split has its name.
        _clear(partial / _WORK / _REPLACED)
        os.replace(out, partial / _WORK / _REPLACED)
    elif out.exists():
        out.rmdir()
    os.replace(partial, out)


def clear_work(out: Path) -> None:
    """Remove the work folder of a finished split, which a run killed at its very end leaves."""
    while (out / _WORK).is_dir():
        with suppress(FileNotFoundError):  # the run that made it is at the same
            shutil.rmtree(out / _WORK)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _take_folder(source: Path, target: Path, *, copy: bool, only: Set[str] | None = None) -> None:
    """Link a folder, or copy its files: those of some names, or all."""
    if not source.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if copy:
        target.mkdir()
        for picture in source.iterdir():
            if not picture.is_file() or (only is not None and picture.name not in only):
                continue
            # Not `copytree`: it would make folders that nobody may write to as the source's are.
            shutil.copy2(picture, target)
    else:
        # The partial and the final folder are siblings, so a relative link outlives the rename.
        target.symlink_to(os.path.relpath(source.resolve(), target.parent.resolve()), True)
