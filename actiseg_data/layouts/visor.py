"""VISOR: a JSON document of polygons for each video, which `visor_json` reads."""

from __future__ import annotations

from actiseg_data.layouts.layout import DocumentKind, Layout

VISOR = Layout(
    key="visor",
    name="VISOR",
    documents=(
        DocumentKind(
            frozenset((b"video_annotations", b"interpolation")),
            "VISOR's dense interpolations (actiseg-noise prepare visor takes them)",
        ),
        DocumentKind(
            frozenset((b"video_annotations",)),
            "raw VISOR annotations (actiseg-noise prepare visor takes them)",
        ),
    ),
)
