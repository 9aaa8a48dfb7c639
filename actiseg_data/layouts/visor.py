"""VISOR: a JSON document of polygons for each video; `visor_json` reads the sparse annotations."""

from __future__ import annotations

from actiseg_data.layouts.layout import DocumentKind, Layout

VISOR = Layout(
    key="visor",
    name="VISOR",
    documents=(
        DocumentKind(
            frozenset((b"video_annotations", b"interpolation")),
            "VISOR's dense interpolations (no command takes them; actiseg-noise prepare visor "
            "takes VISOR's sparse annotations)",
        ),
        DocumentKind(
            frozenset((b"video_annotations",)),
            "raw VISOR annotations (actiseg-noise prepare visor takes them)",
        ),
    ),
)
