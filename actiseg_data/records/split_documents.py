"""Other documents of a noisy split: summary, digests, lexicon."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from actiseg_data.core.documents import (
    RELEASE_HINT,
    Cursor,
    check_schema,
    read_json,
)

SUMMARY_FILE = "summary.json"
DIGESTS_FILE = "digests.json"
LEXICON_FILE = "lexicon.json"
"""The lexicon of a split, if it is not the installed one."""
SUMMARY_SCHEMA = "actiseg/summary/1"
CLEAN_DATASET = "clean_dataset"
"""The source that the summary names, relative to the noisy split, if its path says nothing to a
reader: in an archive, and after a rebuild from raw files. Who has the clean dataset can put it, or
a link to it, there."""


def read_summary(path: Path) -> dict[str, Any]:
    """Read a summary file; a missing, damaged or foreign one raises an `InputError`."""
    top = Cursor(read_json(path, "summary"), str(path))
    check_schema(top, SUMMARY_SCHEMA, RELEASE_HINT)
    return top.as_mapping()


def read_digests(path: Path) -> dict[str, str]:
    """Read a digests file: relative path to 32 hexadecimal digits."""
    top = Cursor(read_json(path, "digests file"), str(path))
    return {name: cursor.as_text() for name, cursor in top.iterate_members()}
