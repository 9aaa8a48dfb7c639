"""Staging of a split: it is built in its own folder and moved into the root when it is complete.

A marker in the staging folder lists what will be moved. None of these targets existed before, so an
entry that is missing from the staging folder has been moved already and can be rolled back: at once
after a failure, by the next run after a kill. Without the marker, nothing or everything was moved.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from actiseg_data.core.documents import Cursor, read_json
from actiseg_data.core.errors import InputError, ProblemCollector, refuse
from actiseg_data.core.files import remove_path, write_json
from actiseg_data.layouts.action_lists import list_splits
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, SUBSETS, WEIGHTS, escape_name
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE

DERIVED = """\

What was derived: index masks (Annotations_Sparse) from VISOR's polygons, resampled to 854 x 480;
training weights (Weights_Sparse) and the labels `handbox`, `narration` and `positive` (ImageSets)
from polygons, hand contacts and narrations; prompts (ImageSets) from object names and narrations;
frames (JPEGImages_Sparse), where there are any, from VISOR's frames, resized. prepare-*.json lists
what was unusual in the sources and how it was handled.
"""

_MOVES = "moves.json"
_KINDS = (MASKS, WEIGHTS, FRAMES)
_SHARED = (LICENSE_FILE, NOTICE_FILE)  # an earlier split of the root may have them already


def check_place(out: Path, split: str, lists: tuple[str, ...], inputs: dict[str, Path]) -> None:
    """Raise an `InputError` if a split cannot be added to the root `out`.

    `lists` are the names of all action lists to be written, `inputs` the folders that are read, by
    parameter.
    """
    problems = ProblemCollector()
    for option, folder in inputs.items():
        if out.resolve().is_relative_to(folder.resolve()):
            problems.add(f"is inside the {option} folder", out, "give another `out`")
    if out.exists() and not out.is_dir():
        problems.add("is a file, not a folder", out, "give another `out`")
    taken = [out / IMAGE_SETS / file for name in lists for file in name_image_sets_files(name)]
    taken += [out / kind / split for kind in _KINDS]
    taken.append(out / name_report(split))
    for path in taken:
        if os.path.lexists(path):
            problems.add(
                f"the split {split!r} already exists", path, "remove it, or give another `out`"
            )
    problems.raise_if_any()


def check_folders(out: Path, split: str, folders: tuple[str, ...]) -> None:
    """Raise an `InputError` if the other subfolder of the root has one of the sequences."""
    problems = ProblemCollector()
    for subset in SUBSETS:
        for folder in folders if subset != split else ():
            path = out / MASKS / subset / escape_name(folder)
            if path.exists():
                problems.add(
                    f"the root has the sequence under {subset}/", path, "give another `out`"
                )
    problems.raise_if_any()


def name_report(split: str) -> str:
    """Return the name of the file in the root that reports on a prepared split."""
    return f"prepare-{split}.json"


def recover(out: Path, split: str) -> None:
    """Roll back what a killed run has left in the root `out`, if anything.

    An `InputError` is raised if the disk refuses. The next run then tries again.
    """
    partial = _name_partial(out, split)
    if not partial.is_dir():
        return
    try:
        _take_back(partial, out, split)
        shutil.rmtree(partial)
    except OSError as error:
        where = error.filename or partial
        what = f"an interrupted run's files cannot be removed ({error.strerror})"
        raise refuse(what, where, "remove them by hand") from None


@contextmanager
def stage_split(out: Path, split: str) -> Iterator[Path]:
    """Yield a new folder to build a split in, and move its contents into the root `out` at the end.

    Existing files are never replaced. If the block fails, the root is as it was before. An
    `InputError` is raised if the disk refuses. Call `recover` first.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    partial = _name_partial(out, split)
    try:
        partial.mkdir(parents=True)
        yield partial
        _publish(partial, out, split)
    except BaseException as error:
        _restore_root(partial, out, split, made)
        if isinstance(error, OSError):
            where = error.filename or out
            raise refuse(
                f"cannot be written ({error.strerror})", where, "free disk space"
            ) from None
        raise


def _name_partial(out: Path, split: str) -> Path:
    return out / f".prepare-{split}.partial"


def _publish(partial: Path, out: Path, split: str) -> None:
    moves = [
        (source, target)
        for source, target in _list_moves(partial, out, split)
        if not (source.name in _SHARED and target.exists())
    ]
    folders = dict.fromkeys(target.parent for _, target in moves if not target.parent.exists())
    document = {
        "folders": [folder.relative_to(out).as_posix() for folder in folders],
        "targets": [target.relative_to(out).as_posix() for _, target in moves],
    }
    write_json(partial / _MOVES, document)
    for folder in folders:
        folder.mkdir()
    for source, target in moves:
        if os.path.lexists(target):
            raise refuse("appeared during the run", target, "remove it, or run again")
        os.replace(source, target)
    (partial / _MOVES).unlink()  # from here on the split is complete
    shutil.rmtree(partial, ignore_errors=True)


def _list_moves(partial: Path, out: Path, split: str) -> Iterator[tuple[Path, Path]]:
    """List sources and targets, folders whole; the lists, which show the split, come last."""
    kinds = [partial / kind / split for kind in _KINDS]
    documents = sorted(path for path in partial.iterdir() if path.is_file())
    lists = sorted((partial / IMAGE_SETS).iterdir(), key=lambda path: (-len(path.name), path.name))
    for source in (*(kind for kind in kinds if kind.is_dir()), *documents, *lists):
        yield source, out / source.relative_to(partial)


def _restore_root(partial: Path, out: Path, split: str, made: list[Path]) -> None:
    """Undo everything, and keep the first error. The marker stays if something cannot be undone."""
    with suppress(OSError, InputError):
        _take_back(partial, out, split)
        shutil.rmtree(partial)
        for folder in made:
            folder.rmdir()


def _take_back(partial: Path, out: Path, split: str) -> None:
    """Remove what was moved according to the marker: the lists first, the marker last."""
    marker = partial / _MOVES
    if not marker.exists():
        return
    document = Cursor(read_json(marker, "marker"), str(marker))
    for target in reversed(
        [_check_target(cursor, split) for cursor in document["targets"].iterate_elements()]
    ):
        if os.path.lexists(partial / target) or (target in _SHARED and list_splits(out)):
            continue  # not moved, or shared by another split
        remove_path(out / target)
    for folder in [cursor.as_text() for cursor in document["folders"].iterate_elements()]:
        if folder in (*_KINDS, IMAGE_SETS):
            with suppress(OSError):  # another split's files are there
                (out / folder).rmdir()
    marker.unlink()


def _check_target(cursor: Cursor, split: str) -> str:
    """Check that a target of the marker is one that `stage_split` writes, because it is removed."""
    target = cursor.as_text()
    folder, _, name = target.rpartition("/")
    document = folder == IMAGE_SETS and name.endswith(".json")
    if not document and target not in (
        *(f"{kind}/{split}" for kind in _KINDS),
        *(name_report(split), *_SHARED),
    ):
        raise refuse("is not a file of a split", cursor.where, "remove the folder that contains it")
    return target
