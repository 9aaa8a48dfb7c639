"""MeViS: masks in one JSON document, expressions in another.

::

    ROOT/<subset>/mask_dict.json            RLE of each object and frame
    ROOT/<subset>/meta_expressions.json     expressions, and the objects that they mean
    ROOT/<subset>/JPEGImages/<video>/<frame>.jpg

A root may also be one subset.
"""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_data.layouts.davis import PHOTOGRAPHS
from actiseg_data.layouts.document_search import find_document
from actiseg_data.layouts.layout import Layout
from actiseg_data.layouts.mask_document import MaskDocument
from actiseg_data.layouts.mevis_json import read_mevis_masks
from actiseg_data.layouts.referring import EXPRESSIONS_FILE
from actiseg_data.layouts.sequence_record import DatasetForm
from actiseg_data.layouts.subset_choice import choose_subset, name_only_subset

_SUBSETS = ("train", "valid", "valid_u", "val", "test")
_MASKS = "mask_dict.json"


def _has_masks(folder: Path) -> bool:
    return find_document(folder, _MASKS).is_file()


def _is_root(root: Path) -> bool:
    return root.is_dir() and (_has_masks(root) or bool(_list_subsets(root)))


def _list_subsets(root: Path) -> list[str]:
    return [subset for subset in _SUBSETS if _has_masks(root / subset)]


def _find_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the documents of a subset; see `FormFinder`. The default is ``train``, or the first."""
    if _has_masks(root):
        return _make_form(""), name_only_subset(root, split)
    subsets = _list_subsets(root)
    if not subsets:
        raise refuse(f"has no {_MASKS}", root, "give the folder that has it")
    split = choose_subset(root, subsets, split)
    return _make_form(f"{split}/"), split


def _make_form(top: str) -> DatasetForm:
    return DatasetForm(
        layout=MEVIS.key,
        masks="",
        photographs=f"{top}{PHOTOGRAPHS}",
        documents=(f"{top}{EXPRESSIONS_FILE}",),
        mask_documents=(f"{top}{_MASKS}",),
    )


def read_masks(path: Path) -> MaskDocument:
    """Read ``mask_dict.json``, and the expressions beside it."""
    return read_mevis_masks(path, find_document(path.parent, EXPRESSIONS_FILE))


MEVIS = Layout(
    key="mevis",
    name="MeViS",
    description="MeViS",
    is_root=_is_root,
    find_form=_find_form,
    may_overlap=True,
    read_masks=read_masks,
)
