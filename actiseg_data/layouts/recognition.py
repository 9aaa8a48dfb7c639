"""Recognition of datasets, so that a message can say what to do with a path.

Only names and the beginnings of files are read, which is fast for any dataset.
"""

from __future__ import annotations

import io
import lzma
import tarfile
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.core.listing import is_archive, is_clutter, list_files, list_folders
from actiseg_data.core.names import format_name
from actiseg_data.layouts import layout_table
from actiseg_data.layouts.document_search import read_keys

_ARCHIVE_BYTES = 1 << 18
_LARGE_MEMBER = 1 << 28
"""Bytes of a member that is surely not in the beginning: tarfile would count to its end."""

_MOST_NAMES = 3


def recognise_dataset(path: Path) -> str | None:
    """Describe a file or folder, and the command that takes it.

    Known are archives, DAVIS, YouTube-VOS, COCO, VISOR's sparse annotations and dense
    interpolations, plain folders of masks, and a folder around an ActionVOS root. No path raises an
    error.

    Returns
    -------
    str or None
        Such as ``raw VISOR annotations (actiseg-noise prepare visor takes them)``. None for an
        ActionVOS root and for anything unknown.

    Examples
    --------
    >>> recognise_dataset(Path("no/such/folder"))
    """
    with suppress(OSError, InputError):
        if path.is_file():
            return _recognise_file(path)
        if path.is_dir():
            return _recognise_folder(path)
    return None


def _recognise_folder(root: Path) -> str | None:
    layout = layout_table.find_layout(root)
    if layout is not None:
        return layout.description
    description = _look_around_root(root) or _look_at_documents(root)
    if description is None and layout_table.PLAIN_LAYOUT.is_root(root):
        description = layout_table.PLAIN_LAYOUT.description
    return description or _look_for_archives(root)


def _recognise_file(path: Path) -> str | None:
    name = path.name.lower()
    if is_archive(name):
        return f"an archive{_describe_folder(path)} (unpack it, and give the folder)"
    if name.endswith((".json", ".json.gz")):
        return _recognise_json(path)
    return None


def _describe_folder(path: Path) -> str:
    """Name the top-level contents of an archive, as far as its beginning or index shows them."""
    names: list[str] = []
    with suppress(OSError, EOFError, zlib.error, lzma.LZMAError, *_DAMAGED):
        if path.name.lower().endswith(".zip"):
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        else:
            with path.open("rb") as stream:
                head = io.BytesIO(stream.read(_ARCHIVE_BYTES))
            with tarfile.open(fileobj=head, mode="r|*") as packed:
                for member in packed:
                    names.append(member.name)
                    if member.size > _LARGE_MEMBER:
                        break
    tops = dict.fromkeys(name.removeprefix("./").split("/")[0] for name in names)
    data = [format_name(top) for top in tops if top and not is_clutter(top)]
    more = ", ..." if len(data) > _MOST_NAMES else ""
    return f" of {', '.join(data[:_MOST_NAMES])}{more}" if data else ""


_DAMAGED = (zipfile.BadZipFile, tarfile.TarError)


def _recognise_json(path: Path) -> str | None:
    """Recognise a document by the keys near its beginning."""
    keys = read_keys(path)
    kinds = (kind for layout in layout_table.LAYOUTS for kind in layout.documents)
    return next((kind.description for kind in kinds if kind.keys <= keys), None)


def _look_around_root(root: Path) -> str | None:
    for entry in list_folders(root):
        layout = layout_table.find_layout(entry.path)
        if layout is not None:
            return f"a folder around {layout.name} (give its folder {format_name(entry.name)})"
    return None


def _look_at_documents(root: Path) -> str | None:
    """Recognise the JSON documents of a folder, or of one below it."""
    below = [entry.path for entry in list_folders(root) if entry.name.lower() in _PLACES]
    places = [root, *below, *(entry.path for place in below for entry in list_folders(place))]
    for place in places:
        for file in list_files(place, ".json", ".json.gz")[:_MOST_NAMES]:
            kind = _recognise_json(file.path)
            if kind is not None:
                return kind
    return None


_PLACES = (
    "annotations",
    "train",
    "val",
    "groundtruth-sparseannotations",
    "interpolations-denseannotations",
)
"""Folders, in lower case, in which datasets keep their JSON documents."""


def _look_for_archives(root: Path) -> str | None:
    files = list_files(root)
    packed = [format_name(file.name) for file in files if is_archive(file.name)]
    if not packed or list_folders(root):
        return None
    return f"a folder of archives such as {packed[0]} (unpack them, and give the folder)"
