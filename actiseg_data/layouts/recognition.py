"""Recognition of datasets, so that a message can say what to do with a path.

Only names and the beginnings of files are read, which is fast for any dataset.
"""

from __future__ import annotations

import gzip
import io
import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.core.listing import is_archive, is_clutter, list_files, list_folders
from actiseg_data.core.names import format_name
from actiseg_data.layouts.davis import LISTS, has_sequences, is_davis

_HEAD_BYTES = 1 << 16
_ARCHIVE_BYTES = 1 << 18
_MOST_NAMES = 3

DAVIS = (
    "DAVIS or a dataset in its layout (actiseg-eval takes it as --gt; no other command does yet)"
)
_MASKS = "a folder of masks, <sequence>/<frame>.png (actiseg-eval takes it as --gt)"
_SPARSE = "raw VISOR annotations (actiseg-noise prepare visor takes them)"
_DENSE = (
    "VISOR's dense interpolations (no command takes them; actiseg-noise prepare visor takes "
    "VISOR's sparse annotations)"
)
_YOUTUBE = "YouTube-VOS (actiseg-eval takes its folder Annotations as --gt)"
_YOUTUBE_META = "the meta.json of YouTube-VOS (actiseg-eval takes the folder Annotations as --gt)"
_COCO = "COCO annotations (no command takes them yet)"
_RESULTS = "a list of COCO results, by image_id (no command takes it)"
_ACTIONS = "an ActionVOS action list (give the folder that has its ImageSets)"


def has_action_lists(root: Path) -> bool:
    """Return whether a folder is an ActionVOS root: it has lists that are JSON documents."""
    sets = root / LISTS
    return sets.is_dir() and bool(list_files(sets, ".json"))


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
        if path.is_dir() and not has_action_lists(path):
            return next((kind for look in _LOOKS if (kind := look(path)) is not None), None)
    return None


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
    tops = dict.fromkeys(name.removeprefix("./").split("/")[0] for name in names)
    data = [format_name(top) for top in tops if top and not is_clutter(top)]
    more = ", ..." if len(data) > _MOST_NAMES else ""
    return f" of {', '.join(data[:_MOST_NAMES])}{more}" if data else ""


_DAMAGED = (zipfile.BadZipFile, tarfile.TarError)


def _recognise_json(path: Path) -> str | None:
    """Recognise a document by the keys near its beginning."""
    with suppress(OSError, EOFError, zlib.error):
        opener = gzip.open if path.name.lower().endswith(".gz") else open
        with opener(path, "rb") as stream:
            head = stream.read(_HEAD_BYTES)
        keys = set(re.findall(rb'"([^"\\]{1,40})"\s*:', head))
        return next((kind for wanted, kind in _BY_KEYS if wanted <= keys), None)
    return None


_BY_KEYS: tuple[tuple[set[bytes], str], ...] = (
    ({b"video_annotations", b"interpolation"}, _DENSE),
    ({b"video_annotations"}, _SPARSE),
    ({b"seq_id", b"object_classes"}, _ACTIONS),
    ({b"videos", b"objects", b"category", b"frames"}, _YOUTUBE_META),
    ({b"images", b"file_name"}, _COCO),
    ({b"annotations", b"image_id"}, _COCO),
    ({b"categories", b"supercategory"}, _COCO),
    ({b"image_id", b"category_id"}, _RESULTS),
)
"""Kinds of documents by their required keys; the first match decides."""


def _look_around_root(root: Path) -> str | None:
    for entry in list_folders(root):
        if has_action_lists(entry.path):
            return f"a folder around an ActionVOS root (give its folder {format_name(entry.name)})"
        if is_davis(entry.path):
            return f"a folder around DAVIS (give its folder {format_name(entry.name)})"
    return None


def _look_for_youtube(root: Path) -> str | None:
    for folder in (root, root / "train", root / "valid", root / "val", root / "test"):
        if (folder / "meta.json").is_file():
            return _YOUTUBE
    return None


def _look_for_davis(root: Path) -> str | None:
    return DAVIS if is_davis(root) else None


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


def _look_for_masks(root: Path) -> str | None:
    return _MASKS if has_sequences(root) else None


def _look_for_archives(root: Path) -> str | None:
    files = list_files(root)
    packed = [format_name(file.name) for file in files if is_archive(file.name)]
    if not packed or list_folders(root):
        return None
    return f"a folder of archives such as {packed[0]} (unpack them, and give the folder)"


_LOOKS: tuple[Callable[[Path], str | None], ...] = (
    _look_for_youtube,
    _look_for_davis,
    _look_around_root,
    _look_at_documents,
    _look_for_masks,
    _look_for_archives,
)
"""Checks of a folder, in order; the first result decides."""
