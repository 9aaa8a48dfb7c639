"""COCO: one JSON document with images and annotations, or with results."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.layouts.coco_instances import read_coco_instances
from actiseg_data.layouts.document_search import choose_document, list_documents, strip_gz
from actiseg_data.layouts.layout import DocumentKind, Layout
from actiseg_data.layouts.sequence_record import DatasetForm

_ANNOTATIONS = "COCO annotations"
_RESULTS = "a list of COCO results, by image_id (no command takes it)"

_KINDS = (
    DocumentKind(frozenset((b"images", b"file_name")), _ANNOTATIONS),
    DocumentKind(frozenset((b"annotations", b"image_id")), _ANNOTATIONS),
    DocumentKind(frozenset((b"categories", b"supercategory")), _ANNOTATIONS),
    DocumentKind(frozenset((b"image_id", b"category_id")), _RESULTS),
)
_KEYS = [kind.keys for kind in _KINDS if kind.description == _ANNOTATIONS]


def _is_root(root: Path) -> bool:
    """Return whether a folder has documents of annotations itself."""
    return root.is_dir() and bool(list_documents(root, _KEYS))


def _find_form(root: Path, split: str | None) -> tuple[DatasetForm, str]:
    """Find the document; see `FormFinder`. A split is a document, called by its name."""
    name, split = choose_document(root, split, _KEYS, "COCO annotations")
    return DatasetForm(COCO.key, "", mask_documents=(strip_gz(name),)), split


COCO = Layout(
    key="coco",
    name="COCO",
    description="COCO annotations",
    is_root=_is_root,
    documents=_KINDS,
    find_form=_find_form,
    may_overlap=True,
    owns_folder=False,
    read_masks=read_coco_instances,
    task="instance segmentation",
    is_video=False,
)
