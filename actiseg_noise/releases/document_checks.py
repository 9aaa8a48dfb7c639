"""Check the documents of a release as those who download it will read them."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from actiseg_data.core.errors import InputError, refuse
from actiseg_data.records.licence_terms import find_licences
from actiseg_noise.releases.croissant import CROISSANT_FILE
from actiseg_noise.releases.release_note import NOTE_FILE, ReleaseNote

CARD_FILE = "README.md"

MOST_RECORDS = 50
"""How many records of each record set are read through Croissant, which is slow."""


def check_card(release: Path, note: ReleaseNote) -> Iterator[str]:
    """Check the header of the card as the Hugging Face Hub reads it; yield a line for each fault.

    Raises
    ------
    InputError
        If huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import DatasetCard
    except ImportError:
        raise refuse_without("huggingface_hub") from None
    path = release / CARD_FILE
    if not path.is_file():
        yield f"{CARD_FILE}: is missing"
        return
    try:
        header: dict[str, Any] = vars(DatasetCard(path.read_text("utf-8")).data)
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        yield f"{CARD_FILE}: its header cannot be read ({str(error).splitlines()[0]:.120})"
        return
    licences = header.get("license")
    stated = set(licences) if isinstance(licences, list) else {licences}
    try:
        required = find_licences(note.licence, NOTE_FILE)
    except InputError as error:
        yield from (f"{problem.where}: {problem.what}" for problem in error.problems)
        required = ()
    for terms in required:
        if terms.hub not in stated:
            yield f"{CARD_FILE}: does not state the licence {terms.identifier}"
    configs = header.get("configs") or []
    names = {config.get("config_name") for config in configs}
    if note.data != "none" and names != set(note.configurations):
        yield f"{CARD_FILE}: its configurations are not those of the release"
    for config in configs:
        for entry in config.get("data_files", []):
            if not any(release.glob(str(entry.get("path")))):
                yield f"{CARD_FILE}: names {entry.get('path')!r:.120}, and no file fits"


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
    try:
        import mlcroissant
    except ImportError:
        raise refuse_without("mlcroissant") from None
    logging.getLogger("absl").setLevel(logging.ERROR)  # its warnings become lines below
    try:
        dataset = mlcroissant.Dataset(str(path))
    except (mlcroissant.ValidationError, ValueError, KeyError, TypeError) as error:
        yield from _list_lines(error)
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


def refuse_without(package: str) -> Exception:
    """Build the error for a package of the extra `[publish]` that is not installed."""
    return refuse(f"{package} is not installed", package, 'run pip install "actiseg[publish]"')


def _list_lines(error: Exception) -> list[str]:
    return [line.strip() for line in str(error).splitlines() if line.strip()]


def _compare_distribution(release: Path, document: dict[str, Any]) -> Iterator[str]:
    """Find files that Croissant names and the release does not have."""
    for entry in document.get("distribution", []):
        name = entry.get("contentUrl")
        if name is not None and "://" not in name and not (release / name).is_file():
            yield f"names {name!r:.120}, which is missing"
