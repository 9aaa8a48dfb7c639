"""Files that a command writes besides its printed report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actiseg_data.core.files import write_bytes, write_json


def write_report(path: Path | None, document: dict[str, Any]) -> None:
    """Write a report as JSON, if the user gave a path, and say so."""
    if path is not None:
        write_json(path, document, indent=1)
        print(f"wrote {path}")


def write_text(path: Path, text: str) -> None:
    """Write a text file and say so."""
    write_bytes(path, text.encode(errors="backslashreplace"))
    print(f"wrote {path}")
