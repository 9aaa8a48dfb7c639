"""Check the documents of a release as those who download it will read them."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import InputError
from actiseg_data.records.licence_terms import find_licences
from actiseg_noise.releases.card import CARD_FILE
from actiseg_noise.releases.checksums import digest_file, list_release_files
from actiseg_noise.releases.croissant import CROISSANT_FILE
from actiseg_noise.releases.extra_packages import load_extra
from actiseg_noise.releases.release_note import NOTE_FILE, ReleaseNote

MOST_RECORDS = 50
"""How many records of each record set are read through Croissant, which is slow."""


def check_card(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Check the header of the card as the Hugging Face Hub reads it; yield a line for each fault.

    Raises
    ------
    InputError
        If huggingface_hub is not installed.
    """
    hub = load_extra("huggingface_hub")
    path = release / CARD_FILE
    if not path.is_file():
        yield f"{CARD_FILE}: is missing"
        return
    try:
        header: dict[str, Any] = vars(hub.DatasetCard(path.read_text("utf-8")).data)
    except Exception as error:  # whatever the library raises, the header cannot be read
        reason = next(iter(_list_lines(error)), type(error).__name__)
        yield f"{CARD_FILE}: its header cannot be read ({reason:.120})"
        return
    stated = _as_list(header.get("license")) or [header.get("license")]
    try:
        required = find_licences(note.licence, NOTE_FILE)
    except InputError as error:
        yield from (f"{problem.where}: {problem.what}" for problem in error.problems)
        required = ()
    for terms in required:
        if terms.hub not in stated:
            yield f"{CARD_FILE}: does not state the licence {terms.identifier}"
    configs = [entry for entry in _as_list(header.get("configs")) if isinstance(entry, dict)]
    names = {name for entry in configs if isinstance(name := entry.get("config_name"), str)}
    if note.data != "none" and names != set(note.configurations):
        yield f"{CARD_FILE}: its configurations are not those of the release"
    for config in configs:
        for entry in _as_list(config.get("data_files")):
            pattern = entry.get("path") if isinstance(entry, dict) else entry
            if not (isinstance(pattern, str) and _match_file(release, pattern)):
                shown = pattern if isinstance(pattern, str) else type(pattern).__name__
                yield f"{CARD_FILE}: names {shown!r:.120}, and no file fits"


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _match_file(release: Path, pattern: str) -> bool:
    """Return whether a file in the release fits a pattern of the card."""
    if ".." in pattern.split("/"):
        return False  # else it would search other folders
    try:
        return any(release.glob(pattern))
    except (ValueError, NotImplementedError, OSError):  # an empty or an absolute pattern
        return False


def check_croissant(release: Path) -> list[str]:
    """Validate ``croissant.json`` and read records through it; return a line for each fault.

    Raises
    ------
    InputError
        If mlcroissant is not installed.
    """
    path = release / CROISSANT_FILE
    if not path.is_file():
        return [f"{CROISSANT_FILE}: is missing"]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library says of its own code is no fault here
        return [f"{CROISSANT_FILE}: {line}" for line in _read_croissant(release, path)]


def _read_croissant(release: Path, path: Path) -> Iterator[str]:
    mlcroissant = load_extra("mlcroissant")
    logging.getLogger("absl").setLevel(logging.ERROR)  # its warnings become lines below
    try:
        dataset = mlcroissant.Dataset(str(path))
    except Exception as error:  # whatever a reader raises, the file cannot be read
        yield from _list_lines(error) or [f"cannot be read ({type(error).__name__})"]
        return
    yield from sorted(dataset.metadata.ctx.issues.warnings)
    yield from _compare_distribution(release, json.loads(path.read_text("utf-8")))
    for record_set in dataset.metadata.record_sets:
        try:
            for _ in islice(dataset.records(record_set.uuid), MOST_RECORDS):
                pass
        except Exception as error:  # whatever a reader raises, the records cannot be read
            reason = next(iter(_list_lines(error)), type(error).__name__)
            yield f"the records of {record_set.uuid} cannot be read ({reason})"


def _list_lines(error: Exception) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip()]


def _compare_distribution(release: Path, document: Any) -> Iterator[str]:
    """Find files that Croissant names and that are missing or have another digest or size."""
    files = set(list_release_files(release))
    entries = document.get("distribution", []) if isinstance(document, dict) else []
    for entry in entries if isinstance(entries, list) else [entries]:
        name = entry.get("contentUrl") if isinstance(entry, dict) else None
        if not isinstance(name, str) or "://" in name:
            continue
        if name not in files:
            yield f"names {name!r:.120}, which is missing"
        elif entry.get("sha256") != digest_file(release / name):
            yield f"its sha256 of {name} is not that of the file"
        elif entry.get("contentSize") != f"{(release / name).stat().st_size} B":
            yield f"its contentSize of {name} is not that of the file"
