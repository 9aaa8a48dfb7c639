"""The notes in a dataset that say which of its frames are rendered."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_schema,
    read_json,
)
from actiseg_data.records.split_documents import SUMMARY_FILE, read_summary

RENDERED_SCHEMA = "actiseg/rendered/1"


def name_rendered_file(split: str) -> str:
    """Name of the file in a dataset's root that says which frames of a split are rendered."""
    return f"rendered-{split}.json"


def read_rendered(root: Path) -> dict[str, str]:
    """The sequences of a root whose frames are rendered: ``<train|val>/<sequence>`` -> a digest of
    what they were made of. Empty where all are photographs; `InputError` for a damaged note.
    """
    made_of: dict[str, str] = {}
    for path in sorted(root.glob(name_rendered_file("*"))):
        top = Cursor(read_json(path, "note of rendered frames"), str(path))
        check_schema(top, RENDERED_SCHEMA, RELEASE_HINT)
        made_of |= {name: cursor.as_text() for name, cursor in top["sequences"].iterate_members()}
    return made_of


def has_rendered_frames(root: Path) -> bool:
    """Whether frames of a root are painted, not photographs: rendered, of the built-in sample, or
    of a noisy copy of either. Tables of what was learnt from them, or predicted of them, say so.
    """
    if (root / "sample.json").is_file() or any(root.glob(name_rendered_file("*"))):
        return True
    summary = root / SUMMARY_FILE
    return summary.is_file() and read_summary(summary).get("rendered_frames") is True
