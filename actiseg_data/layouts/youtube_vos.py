"""YouTube-VOS: the layout of DAVIS, and a ``meta.json`` with the categories of the objects."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.layouts.layout import DocumentKind, Layout

_SUBSETS = ("train", "valid", "val", "test")


def _has_meta(root: Path) -> bool:
    return any((root / subset / "meta.json").is_file() for subset in ("", *_SUBSETS))


YOUTUBE_VOS = Layout(
    name="YouTube-VOS",
    description="YouTube-VOS (actiseg-eval takes its folder Annotations as --gt)",
    is_root=_has_meta,
    documents=(
        DocumentKind(
            frozenset((b"videos", b"objects", b"category", b"frames")),
            "the meta.json of YouTube-VOS (actiseg-eval takes the folder Annotations as --gt)",
        ),
    ),
)
