"""Read the texts of releases and noisy splits that are to be checked."""

from __future__ import annotations

from pathlib import Path


def read_text(path: Path) -> str:
    """Read a text; bytes that are no UTF-8 are replaced, and a missing file is empty."""
    return path.read_text("utf-8", "replace") if path.is_file() else ""
