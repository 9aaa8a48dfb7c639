"""A noisy split on disk while it is made: a partial folder that can be resumed, then the whole.

What stands at OUT is whole: work goes to ``OUT.partial``, and the folder gets its name last.
Nothing is removed that is not this toolkit's own.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from actiseg_data.annotations import png
from actiseg_data.annotations.masks import PALETTE, digest_pixels, read_index_mask
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import DRAFT, is_occupied, open_atomic, write_json
from actiseg_data.core.listing import is_clutter, list_files, list_folder, list_folders
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, WEIGHTS, Split, escape_name
from actiseg_data.layouts.spelling import find_path, match_names
from actiseg_data.records.ledger_record import LEDGER_FILE, TextRow
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_data.records.recipe_record import RECIPE_FILE, read_recipe
from actiseg_data.records.split_documents import (
    DIGESTS_FILE,
    LEXICON_FILE,
    SUMMARY_FILE,
    read_summary,
)
from actiseg_noise.mask_noise.mask_weights import derive_weights, weigh_objects
from actiseg_noise.mask_noise.sequence_masks import FrameNoise
from actiseg_noise.split.clean_parts import Part
from actiseg_noise.split.journal import SequenceRecord

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


def on_disk(root: Path, name: str) -> Path:
    """The file that a digest's relative path names under a root."""
    return root.joinpath(*(escape_name(part) for part in name.split("/")))


@dataclass(frozen=True)
class Files:
    """The files of a noisy split, which another system may have unpacked.

    respelled: folders of sequences that it spelled otherwise, by how digests name them.
    """

    root: Path
    respelled: Mapping[str, str]

    def find(self, name: str) -> Path:
        """The file that a digest's relative path names, or where it would be."""
        folder, _, file = name.rpartition("/")
        spelling = self.respelled.get(folder)
        place = on_disk(self.root, folder) if spelling is None else self.root / spelling
        return find_path(place, escape_name(file))


def find_files(root: Path, names: Iterable[str]) -> Files:
    """The files of a noisy split that digests name by their relative paths."""
    wanted: dict[str, dict[str, str]] = {}
    for name in names:
        place, _, folder = name.rpartition("/")[0].rpartition("/")
        if place:
            wanted.setdefault(place, {})[escape_name(folder)] = folder
    respelled = {}
    for place, folders in wanted.items():
        there = root / place
        if there.is_dir():
            matches = match_names(folders, {entry.name for entry in list_folders(there)})
            for name, spelling in matches.names.items():
                if name != spelling:
                    respelled[f"{place}/{folders[name]}"] = f"{place}/{spelling}"
    return Files(root, respelled)


def partial_folder(out: Path) -> Path:
    """Where work goes until it is whole: beside `out`, so that renaming is one step."""
    return out.with_name(f"{out.name}.partial")


def journal_of(partial: Path) -> Path:
    """The folder of the records of finished sequences."""
    return partial / _WORK / _JOURNAL


def is_taken(path: Path) -> bool:
    """Whether a path is occupied: by a file, or by a folder that holds more than clutter."""
    return os.path.lexists(path) and (not path.is_dir() or bool(list_folder(path)))


def is_own(folder: Path) -> bool:
    """Whether a folder is a noisy split of this toolkit and holds nothing else but clutter."""
    try:
        read_recipe(folder / RECIPE_FILE)
        read_summary(folder / SUMMARY_FILE)
        return {entry.name for entry in list_folder(folder)} <= _CONTENT
    except InputError:
        return False


def discard_partial(out: Path) -> None:
    """Remove the unfinished work beside `out`, if it is this toolkit's. What it had replaced, if it
    was killed just then, is given its name again. Raises `InputError` where a run is at work in it.
    """
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

    job: what must be equal for work to be taken up. Raises `InputError` where another job's lies
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
    known = (work, work / _LOCK_FILE)
    return all(path in known or path.suffix == DRAFT or is_clutter(path.name) for path in inside)


def unfinished_job(out: Path) -> Any:
    """The job whose unfinished work lies beside `out`; None where there is none to be read."""
    try:
        return read_json(partial_folder(out) / _WORK / _JOB_FILE)
    except InputError:
        return None


def _clear_documents(partial: Path) -> None:
    """Remove lists, documents and their drafts, which are all written again at the end: a killed
    run may have left half of one, or one that the source has no more.
    """
    for path in (*partial.iterdir(), *(partial / _WORK).iterdir()):
        if path.name in (IMAGE_SETS, *_DOCUMENTS) or path.suffix == DRAFT:
            _clear(path)


@contextmanager
def _locked(partial: Path) -> Iterator[None]:
    """Lock a partial folder. The system lets go of it when the process ends, however it ends, so
    that a killed run does not bar the next. Raises `InputError` where a run is at work in it.
    """
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


def write_noisy(
    partial: Path, part: Part, sequence: VideoSequence, frames: Iterable[FrameNoise]
) -> SequenceRecord:
    """Write a sequence's noisy masks and their weights; returns what is to be recorded of it.

    frames: taken one at a time.
    """
    _clear_folders(partial, part, sequence)
    record = SequenceRecord.empty(sequence.folder)
    files: dict[str, list[str]] = {kind: [] for kind in part.kinds}
    names = dict(zip(part.kinds, part.names_by_kind(sequence), strict=True))
    for number, (noise, weights) in enumerate(part.weighed(sequence, frames)):
        made = {MASKS: (noise.clean, noise.mask)}
        if weights is not None:
            values = weigh_objects(noise.clean, weights)
            made[WEIGHTS] = (weights, derive_weights(noise.mask, values))
        for kind, (clean, new) in made.items():
            # In place: the sequence is finished when it is recorded, not before.
            on_disk(partial, names[kind][number]).write_bytes(png.encode(new, PALETTE))
            record.digests[names[kind][number]] = digest_pixels(new)
            files[kind].append(digest_pixels(clean))
        record.rows.extend(row.to_json() for row in noise.rows)
        record.tally.update(noise.tally)
        record.bystander_ious.extend(noise.bystander_ious)
    record.clean_digests.update(files)
    return record


def copy_files(partial: Path, part: Part, sequence: VideoSequence) -> SequenceRecord:
    """Copy a sequence's masks and weights, byte for byte; returns what is to be recorded of it."""
    _clear_folders(partial, part, sequence)
    record = SequenceRecord.empty(sequence.folder)
    record.clean_digests.update(part.digests(sequence))
    for kind, names in zip(part.kinds, part.names_by_kind(sequence), strict=True):
        for name, path in zip(names, part.paths(kind, sequence), strict=True):
            on_disk(partial, name).write_bytes(read_bytes(path))
        record.digests.update(zip(names, record.clean_digests[kind], strict=True))
    return record


def take_frames(partial: Path, split: Split, sequence: VideoSequence, images: str) -> None:
    """Take the frames of a sequence, if the source has them, by a link or as copies.

    images: see `actiseg_noise.corruption.corruption.corrupt`.
    """
    if sequence.folder not in split.subsets:
        return
    target = partial / FRAMES / split.subsets[sequence.folder] / escape_name(sequence.folder)
    _clear(target)  # what a killed run left
    source = split.find_folder(FRAMES, sequence)
    if images == "none" or not source.is_dir():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    if images == "copy":
        target.mkdir()
        for picture in list_files(source):
            # Not `copytree`: it would make folders that nobody may write to as the source's are.
            shutil.copy2(picture.path, target)
    else:
        # The partial and the final folder are siblings, so a relative link outlives the rename.
        target.symlink_to(os.path.relpath(source.resolve(), target.parent.resolve()), True)


def _clear_folders(partial: Path, part: Part, sequence: VideoSequence) -> None:
    """Make empty folders for a sequence, without what a killed run left there."""
    for names in part.names_by_kind(sequence):
        folder = on_disk(partial, names[0]).parent
        _clear(folder)
        folder.mkdir(parents=True)


def is_finished(
    partial: Path, part: Part, sequence: VideoSequence, record: SequenceRecord | None
) -> bool:
    """Whether the files of a sequence are what its record says, and the clean ones are still those
    that they were made from.
    """
    if record is None or sorted(record.digests) != sorted(part.names(sequence)):
        return False
    try:
        return all(
            digest_pixels(read_index_mask(on_disk(partial, name))) == digest
            for name, digest in record.digests.items()
        ) and record.clean_digests == part.digests(sequence)
    except InputError:
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
    with (
        open_atomic(partial / LEDGER_FILE) as ledger,
        open_atomic(partial / DIGESTS_FILE) as digests,
    ):
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
    if is_taken(out) and not (overwrite and is_own(out)):
        raise refuse("something appeared here meanwhile", out, "move it away, and run again")
    if os.path.lexists(out):
        # Into the work folder, which goes when the new split has its name.
        _clear(partial / _WORK / _REPLACED)
        os.replace(out, partial / _WORK / _REPLACED)
    os.replace(partial, out)


def clear_work(out: Path) -> None:
    """Remove the work folder of a finished split, which a run killed at its very end leaves. Hidden
    files of the split that it replaced, such as ``.git``, are kept.
    """
    replaced = out / _WORK / _REPLACED
    with suppress(FileNotFoundError):  # the run that made it is at the same
        for path in replaced.iterdir():
            if is_clutter(path.name) and not os.path.lexists(out / path.name):
                os.replace(path, out / path.name)
    while (out / _WORK).is_dir():
        with suppress(FileNotFoundError):  # the run that made it is at the same
            shutil.rmtree(out / _WORK)


def _clear(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
