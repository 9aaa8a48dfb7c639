"""Writing files so that what stands under its final name is whole, and nothing else is lost."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

DRAFT = ".draft"
"""Ending of a file that is being written; one that a killed process left can be removed."""


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a sibling is written first, then renamed onto it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}{DRAFT}")
    try:
        draft.write_bytes(data)
        os.replace(draft, path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def write_json(path: Path, document: Any, *, indent: int | None = None) -> None:
    """Write a JSON document; key order is kept, non-ASCII text is written as it is."""
    text = json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False)
    write_bytes(path, (text + "\n").encode())


def is_occupied(path: Path) -> bool:
    """Whether something stands at a path that is not an empty folder."""
    return os.path.lexists(path) and (not path.is_dir() or any(path.iterdir()))
