"""VISOR: a JSON document of polygons for each video.

::

    ROOT/<video>.json                      also packed, .json.gz
    ROOT/train/<video>.json, ROOT/val/...  or so, as in the download
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.listing import list_files
from actiseg_data.core.names import format_names
from actiseg_data.layouts.actionvos import SUBSETS
from actiseg_data.layouts.document_search import read_keys, strip_ending, strip_gz
from actiseg_data.layouts.layout import DocumentKind, Layout
from actiseg_data.layouts.sequence_record import DatasetForm
from actiseg_data.layouts.visor_document import read_visor_document

VISOR_KEY = "visor"
_MARK = b"video_annotations"


def _list_documents(folder: Path) -> list[str]:
    """List the JSON files of a folder, if one of them has annotations of VISOR."""
    files = list_files(folder, ".json", ".json.gz") if folder.is_dir() else []
    is_visor = any(_MARK in read_keys(file.path) for file in files)
    return [file.name for file in files] if is_visor else []


def _iterate_subsets(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield the names of the splits that have a folder of their own, and their documents."""
    for split in SUBSETS:
        for folder in (split, f"annotations/{split}"):
            names = _list_documents(root / folder)
            if names:
                yield split, [f"{folder}/{name}" for name in names]
                break


def _is_root(root: Path) -> bool:
    return bool(_list_documents(root)) or any(True for _ in _iterate_subsets(root))


def _find_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the documents of a split; see `FormFinder`.

    Documents in the root itself are all of a split, ``all``, unless the folder or the caller names
    one of VISOR's. One of them alone is a split that is called like it.
    """
    own = _list_documents(root)
    single = {strip_ending(name): [name] for name in own}
    whole = dict.fromkeys(("all", *SUBSETS), own)
    splits = whole | single if own else dict(_iterate_subsets(root))
    if not splits:
        raise refuse("has no annotations of VISOR", root, "give the folder that has them")
    if split is None:
        folder = root.resolve().name
        split = folder if own and folder in SUBSETS else next(iter(splits))
    if split not in splits:
        known = [name for name in splits if name not in single]
        raise refuse(
            f"there is no split {split!r}{suggest(split, splits)}",
            root,
            f"give one of {format_names(known)} as `split`",
        )
    documents = tuple(map(strip_gz, splits[split]))
    return DatasetForm(VISOR_KEY, "", mask_documents=documents), split


VISOR = Layout(
    key=VISOR_KEY,
    name="VISOR",
    description="raw VISOR annotations (actiseg-noise prepare visor takes them)",
    is_root=_is_root,
    documents=(
        DocumentKind(
            frozenset((_MARK, b"interpolation")),
            "VISOR's dense interpolations (actiseg-noise prepare visor takes them)",
        ),
        DocumentKind(
            frozenset((_MARK,)),
            "raw VISOR annotations (actiseg-noise prepare visor takes them)",
        ),
    ),
    find_form=_find_form,
    owns_folder=False,
    read_masks=read_visor_document,
    may_overlap=True,
    has_polygons=True,
)
