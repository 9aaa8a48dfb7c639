"""COCO: one JSON document with images and annotations, or with results."""

from __future__ import annotations

from actiseg_data.layouts.layout import DocumentKind, Layout

_ANNOTATIONS = "COCO annotations (no command takes them yet)"
_RESULTS = "a list of COCO results, by image_id (no command takes it)"

COCO = Layout(
    key="coco",
    name="COCO",
    documents=(
        DocumentKind(frozenset((b"images", b"file_name")), _ANNOTATIONS),
        DocumentKind(frozenset((b"annotations", b"image_id")), _ANNOTATIONS),
        DocumentKind(frozenset((b"categories", b"supercategory")), _ANNOTATIONS),
        DocumentKind(frozenset((b"image_id", b"category_id")), _RESULTS),
    ),
)
