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
    """Return the name of the note in a root about the rendered frames of a split."""
    return f"rendered-{split}.json"


def read_rendered(root: Path) -> dict[str, str]:
    """Read which sequences of a root have rendered frames.

    Returns
    -------
    dict of str to str
        ``<train|val>/<sequence>`` to a digest of what the frames were rendered from. Empty if all
        frames are photographs.
    """
    made_of: dict[str, str] = {}
    for path in sorted(root.glob(name_rendered_file("*"))):
        top = Cursor(read_json(path, "note of rendered frames"), str(path))
        check_schema(top, RENDERED_SCHEMA, RELEASE_HINT)
        made_of |= {name: cursor.as_text() for name, cursor in top["sequences"].iterate_members()}
    return made_of


def has_rendered_frames(root: Path) -> bool:
    """Return whether frames of a root are not photographs.

    They are rendered, or from the built-in sample, or from a noisy copy of either. Tables of
    results on such data say so.
    """
    if (root / "sample.json").is_file() or any(root.glob(name_rendered_file("*"))):
        return True
    summary = root / SUMMARY_FILE
    return summary.is_file() and read_summary(summary).get("rendered_frames") is True
