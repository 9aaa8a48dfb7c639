"""A split is built beside its place and moved there when whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from actiseg_data.errors import Problems, refuse
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, SUBSETS, WEIGHTS, disk_name
from actiseg_data.licences import LICENSE_FILE, NOTICE_FILE

DERIVED = """\

What was derived: index masks (Annotations_Sparse) from VISOR's polygons, resampled to 854 x 480;
training weights (Weights_Sparse) and the labels `handbox`, `narration` and `positive` (ImageSets)
from polygons, hand contacts and narrations; prompts (ImageSets) from object names and narrations;
frames (JPEGImages_Sparse), where there are any, from VISOR's frames, resized. prepare-*.json lists
what was unusual in the sources and how it was handled.
"""

_SHARED = (LICENSE_FILE, NOTICE_FILE)  # an earlier split of the root has brought them


def check_place(out: Path, split: str, lists: tuple[str, ...], inputs: dict[str, Path]) -> None:
    """Raise `Refused` if a split cannot be added to the root `out`.

    lists: names of all action lists to be written. inputs: folders that are read, by option.
    """
    problems = Problems()
    for option, folder in inputs.items():
        if out.resolve().is_relative_to(folder.resolve()):
            problems.add(f"lies inside the {option} folder", out, "give another --out")
    if out.exists() and not out.is_dir():
        problems.add("is a file, not a folder", out, "give another --out")
    taken = [out / IMAGE_SETS / f"{name}.json" for name in lists]
    taken += [out / kind / split for kind in (MASKS, WEIGHTS, FRAMES)]
    taken.append(out / report_name(split))
    for path in taken:
        if path.exists():
            problems.add(
                f"the split {split!r} is there already", path, "remove it, or give another --out"
            )
    problems.raise_if_any()


def check_folders(out: Path, split: str, folders: tuple[str, ...]) -> None:
    """Raise `Refused` if the other sub-folder of the root has one of the sequences."""
    problems = Problems()
    for other in SUBSETS:
        for folder in folders if other != split else ():
            path = out / MASKS / other / disk_name(folder)
            if path.exists():
                problems.add(
                    f"the root has the sequence under {other}/", path, "give another --out"
                )
    problems.raise_if_any()


def report_name(split: str) -> str:
    """The file in the root that says how a split was prepared."""
    return f"prepare-{split}.json"


@contextmanager
def staging(out: Path, split: str) -> Iterator[Path]:
    """A fresh folder to build a split in; at the end what it holds is moved into the root `out`.

    If the block fails, the root is as it was before. Raises `Refused` where the disk refuses.
    """
    made = [folder for folder in (out, *out.parents) if not folder.exists()]
    partial = out / f".prepare-{split}.partial"
    moved: list[Path] = []
    try:
        if partial.exists():
            shutil.rmtree(partial)
        partial.mkdir(parents=True)
        yield partial
        for source, target in _moves(partial, out, split):
            if target.exists() and source.name in _SHARED:
                continue
            if not target.parent.exists():
                target.parent.mkdir()
                moved.append(target.parent)
            os.replace(source, target)
            moved.append(target)
        shutil.rmtree(partial)
    except BaseException as error:
        for path in reversed(moved):
            _remove(path)
        shutil.rmtree(partial, ignore_errors=True)
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            where = error.filename or out
            raise refuse(f"cannot be written ({error.strerror})", where, "make room") from None
        raise


def _moves(partial: Path, out: Path, split: str) -> Iterator[tuple[Path, Path]]:
    """What goes where, folders whole; the action lists come last: they make a split seen."""
    kinds = [partial / kind / split for kind in (MASKS, WEIGHTS, FRAMES)]
    documents = sorted(path for path in partial.iterdir() if path.is_file())
    lists = sorted((partial / IMAGE_SETS).iterdir(), key=lambda path: (-len(path.name), path.name))
    for source in (*(kind for kind in kinds if kind.is_dir()), *documents, *lists):
        yield source, out / source.relative_to(partial)


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
