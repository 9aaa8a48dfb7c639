"""Files and folders that appear under their final names only when they are complete."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from actiseg_data.core.arguments import refuse_type
from actiseg_data.core.errors import refuse
from actiseg_data.core.listing import is_clutter, list_folder

PathLike: TypeAlias = str | os.PathLike[str]
"""What public functions take as a path; see `as_path`."""

DRAFT = ".draft"
"""Ending of a file that is being written. If a killed process left one, it can be removed."""


@contextmanager
def open_atomic(path: Path) -> Iterator[BinaryIO]:
    """Open a file that is written completely or not at all.

    A draft next to it is written first and renamed at the end. Parent folders are made. A device or
    a pipe, such as ``/dev/stdout``, is written to and not replaced.
    """
    if _is_device(path):
        with path.open("wb") as stream:
            yield stream
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}{DRAFT}")
    try:
        with draft.open("wb") as stream:
            yield stream
        os.replace(draft, path)
    except BaseException as error:
        with suppress(OSError):  # a folder that refuses the draft has none to remove
            draft.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(draft)):
            # Name the file that the caller knows, not the draft.
            raise OSError(error.errno, error.strerror or str(error), str(path)) from error
        raise


def _is_device(path: Path) -> bool:
    """Return whether a path leads to a device, a pipe, or a stream of this process."""
    if not path.exists() or path.is_dir():
        return False
    return not path.is_file() or (path.is_symlink() and os.readlink(path).startswith("/proc/"))


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file completely or not at all, see `open_atomic`."""
    with open_atomic(path) as stream:
        stream.write(data)


def write_json(path: Path, document: Any, *, indent: int | None = None) -> None:
    """Write a JSON document as `encode_json` encodes it."""
    write_bytes(path, encode_json(document, indent=indent))


def encode_json(document: Any, *, indent: int | None = None) -> bytes:
    r"""Encode a JSON document as bytes of a file: key order and non-ASCII text are kept.

    Unpaired surrogates, which JSON allows and UTF-8 cannot encode, are written as escapes.

    >>> encode_json({"b": "café", "a": 1}).decode()
    '{"b": "café", "a": 1}\n'
    """
    plain, escaped = (
        json.JSONEncoder(indent=indent, ensure_ascii=ascii_only, allow_nan=False)
        for ascii_only in (False, True)
    )
    try:
        return f"{plain.encode(document)}\n".encode()
    except UnicodeEncodeError:
        return f"{escaped.encode(document)}\n".encode()


def as_path(path: PathLike, parameter: str = "path") -> Path:
    """Return a path that a caller gave as text or as any path object.

    Anything else raises an `InputError` that names the caller's parameter.

    >>> as_path("dataset_visor").name
    'dataset_visor'
    """
    if isinstance(path, Path):
        return path
    try:
        return Path(os.fspath(path))
    except TypeError:  # also for bytes
        raise refuse_type(path, "a path", parameter) from None


def is_occupied(path: Path) -> bool:
    """Return whether a path has a file, or a folder that holds more than clutter.

    See `actiseg_data.core.listing.is_clutter`. An `InputError` is raised if the folder cannot be
    listed.
    """
    return os.path.lexists(path) and (not path.is_dir() or bool(list_folder(path)))


def check_free(out: Path, parameter: str | None = "out") -> None:
    """Raise an `InputError` if a new folder cannot have the path `out`.

    Parameters
    ----------
    out : Path
        The path of the new folder.
    parameter : str or None
        The parameter that gave the path, for the hint. None if it needs no name.
    """
    place = "" if parameter is None else f" as `{parameter}`"
    if out.name in ("", ".."):
        raise refuse("does not name a new folder", out, f"give a new folder{place}")
    if is_occupied(out):
        raise refuse("already exists", out, f"give another folder{place}")


@contextmanager
def new_folder(out: Path, parameter: str | None = "out") -> Iterator[Path]:
    """Build a new folder under a temporary name and rename it to `out` when it is complete.

    If the block fails, nothing is left of the folder. Hidden files and other clutter that `out`
    already holds are kept. If another process creates `out` meanwhile, an `OSError` is raised and
    its files stay.

    Parameters
    ----------
    out : Path
        The path that the folder gets in the end; parent folders are made.
    parameter : str or None
        The parameter that gave the path, for the hint. None if it needs no name.

    Yields
    ------
    Path
        An empty folder on the same file system as `out`.

    Raises
    ------
    InputError
        If `out` already exists, see `is_occupied`.
    OSError
        If the disk refuses. Its file name is `out`, never the temporary name.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with new_folder(Path(parent, "masks")) as folder:
    ...         write_bytes(folder / "0.txt", b"0")
    ...     os.listdir(parent), os.listdir(Path(parent, "masks"))
    (['masks'], ['0.txt'])
    """
    check_free(out, parameter)
    out.parent.mkdir(parents=True, exist_ok=True)
    partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", suffix=".partial", dir=out.parent))
    try:
        whole = partial / out.name  # mkdtemp makes a private folder; this one has usual rights
        whole.mkdir()
        yield whole
        _replace_empty(whole, out)
    except OSError as error:
        if error.filename is None or Path(error.filename).is_relative_to(partial):
            # Name the folder that the caller knows, not the temporary one.
            raise OSError(error.errno, error.strerror or str(error), str(out)) from error
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _replace_empty(whole: Path, out: Path) -> None:
    """Rename a complete folder to `out`, which may be a folder of clutter."""
    if out.is_dir():
        move_clutter(out, whole)
        out.rmdir()
    whole.rename(out)


def move_clutter(source: Path, target: Path) -> None:
    """Move hidden files and other clutter of a folder into one that replaces it.

    What the new folder already has stays.
    """
    for path in list(source.iterdir()):
        if is_clutter(path.name) and not os.path.lexists(target / path.name):
            os.replace(path, target / path.name)


def remove_path(path: Path) -> None:
    """Remove a file, a link, or a folder with all that it holds, if it exists.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     write_bytes(Path(parent, "masks", "0.txt"), b"0")
    ...     remove_path(Path(parent, "masks"))
    ...     os.listdir(parent)
    []
    """
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def check_outside(path: Path, roots: Iterable[Path], parameter: str) -> None:
    """Raise an `InputError` if an output would be an input, or inside one.

    Parameters
    ----------
    path : Path
        The output. Links in it are followed.
    roots : iterable of Path
        The inputs: datasets, predictions.
    parameter : str
        The parameter that gave the path, for the hint.
    """
    target = Path(os.path.realpath(path))
    for root in roots:
        source = Path(os.path.realpath(root))
        if target.is_relative_to(source):
            what = f"{'is' if target == source else 'is inside'} the input {root}"
            raise refuse(what, path, f"give a path outside it as `{parameter}`")


def refuse_same(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Raise an `InputError` if a report would overwrite an input or another report."""
    taken = {os.path.realpath(path) for path in inputs}
    for path in outputs:
        target = os.path.realpath(path)
        if target in taken:
            raise refuse("is an input, or another report", path, "give another name")
        taken.add(target)
