"""YouTube-VOS, and the datasets in its layout: MOSE, Ref-YouTube-VOS, converted Ref-DAVIS.

::

    ROOT/<subset>/Annotations/<video>/<frame>.png     index masks of every fifth frame
    ROOT/<subset>/JPEGImages/<video>/<frame>.jpg
    ROOT/<subset>/meta.json                           objects, categories, frames of each object
    ROOT/meta_expressions/<subset>/meta_expressions.json

A subset is ``train``, ``valid``, ``val`` or ``test``. A root may also be one subset. An object may
appear late: its first mask is its first frame.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.layouts.davis import PHOTOGRAPHS, has_sequences
from actiseg_data.layouts.layout import DocumentKind, Layout
from actiseg_data.layouts.mask_folders import FolderSplit, open_folder
from actiseg_data.layouts.meta_categories import META
from actiseg_data.layouts.referring import EXPRESSIONS_FILE
from actiseg_data.layouts.sequence_record import DatasetForm
from actiseg_data.layouts.subset_choice import choose_subset, name_only_subset

_SUBSETS = ("train", "valid", "val", "test")
_MASKS = "Annotations"


def _is_root(root: Path) -> bool:
    """Return whether a folder has subsets, or a ``meta.json`` as a subset has it."""
    return (root / META).is_file() or bool(_list_subsets(root))


def _list_subsets(root: Path) -> list[str]:
    """List the subsets of a root that have masks or a ``meta.json``."""
    return [
        subset
        for subset in _SUBSETS
        if (root / subset / _MASKS).is_dir() or (root / subset / META).is_file()
    ]


def _find_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the files of a subset; see `FormFinder`. The default is ``train``, or the only one."""
    subsets = _list_subsets(root)
    if not subsets:
        name = name_only_subset(root, split)
        return _make_form(root, "", name), name
    split = choose_subset(root, subsets, split)
    return _make_form(root, f"{split}/", split), split


def _make_form(root: Path, top: str, subset: str) -> DatasetForm:
    masks = root / top / _MASKS
    if not (masks.is_dir() and has_sequences(masks)):
        raise refuse("has no masks (<video>/<frame>.png)", masks, "fetch the masks of the subset")
    documents = [f"{top}{META}"]
    documents += [f"{folder}{EXPRESSIONS_FILE}" for folder in (top, f"meta_expressions/{subset}/")]
    return DatasetForm(
        layout=YOUTUBE_VOS.key,
        masks=f"{top}{_MASKS}",
        photographs=f"{top}{PHOTOGRAPHS}",
        documents=tuple(name for name in documents if (root / name).is_file()),
    )


def _open_masks(root: Path, split: str | None, whole: bool) -> FolderSplit:
    """Open the masks of a subset; see `MaskOpener`. The default is ``valid``, or the only one."""
    subsets = _list_subsets(root)
    if split is None and "valid" in subsets:
        split = "valid"
    form, name = _find_form(root, split)
    return replace(open_folder(root / form.masks), name=name)


YOUTUBE_VOS = Layout(
    key="youtube-vos",
    name="YouTube-VOS",
    description="YouTube-VOS or a dataset in its layout",
    is_root=_is_root,
    documents=(
        DocumentKind(
            frozenset((b"videos", b"objects", b"category", b"frames")),
            "the meta.json of YouTube-VOS (give the folder that has it)",
        ),
    ),
    open_masks=_open_masks,
    find_form=_find_form,
)
