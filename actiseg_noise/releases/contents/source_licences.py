"""Compare LICENSE and NOTICE of a noisy split with those that its maker wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actiseg_data import __version__
from actiseg_data.layouts.split import Split
from actiseg_data.records.licence_terms import compose_licence, find_stated_licence
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.corruption.licence_notice import (
    compose_change,
    compose_source_licences,
    has_own_licence,
)
from actiseg_noise.releases.contents.release_texts import read_text
from actiseg_noise.split.noise_inputs import read_noise_inputs
from actiseg_noise.split.noisy_documents import SplitDocuments

_CHANGED = "\nChanged: "
"""With this begins the statement of what was changed."""


def find_licence_faults(out: Path, documents: SplitDocuments, source: Split) -> Iterator[str]:
    """Compare LICENSE and NOTICE of a noisy split with those of its source.

    The statement of what was changed is compared if this version of the toolkit wrote it.

    Yields
    ------
    str
        The name of a file that is not what `corrupt` or `import` writes.
    """
    license_text, notice_text = read_source_licences(out, source)
    if read_text(out / LICENSE_FILE) != license_text:
        yield LICENSE_FILE
    if extract_source_notice(out, documents) != notice_text:
        yield NOTICE_FILE


def read_source_licences(out: Path, source: Split) -> tuple[str, str]:
    """Return LICENSE and NOTICE of the source of a noisy split, as its maker composed them.

    The LICENSE of the noisy split says which licence the maker stated, if any.
    """
    stated = None
    if not has_own_licence(source) and (out / LICENSE_FILE).is_file():
        stated = find_stated_licence(read_text(out / LICENSE_FILE))
        text, _ = compose_licence(source.root)
        stated = None if stated is None or find_stated_licence(text) == stated else stated
    return compose_source_licences(source, stated)


def extract_source_notice(out: Path, documents: SplitDocuments) -> str | None:
    """Return what the NOTICE of a noisy split has of its source, or None if it lacks the change."""
    toolkit, text = str(documents.summary.get("toolkit")), read_text(out / NOTICE_FILE)
    if toolkit == f"actiseg {__version__}":
        change = compose_change(documents.recipe, read_noise_inputs(out))
        return text.removesuffix(change) if text.endswith(change) else None
    notice, mark, _ = text.rpartition(_CHANGED)
    return notice if mark else None
