"""Compare LICENSE and NOTICE of a noisy split with those that its maker wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actiseg_data import __version__
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE, read_licences
from actiseg_noise.corruption.licence_notice import compose_change
from actiseg_noise.releases.contents.release_texts import read_text
from actiseg_noise.split.noise_inputs import read_noise_inputs
from actiseg_noise.split.noisy_documents import SplitDocuments

_CHANGED = "\nChanged: "
"""With this begins the statement of what was changed."""


def find_licence_faults(out: Path, documents: SplitDocuments, source: Path) -> Iterator[str]:
    """Compare LICENSE and NOTICE of a noisy split with those of its source.

    The statement of what was changed is compared if this version of the toolkit wrote it.

    Yields
    ------
    str
        The name of a file that is not what `corrupt` or `import` writes.
    """
    license_text, notice_text = read_licences(source)
    if read_text(out / LICENSE_FILE) != license_text:
        yield LICENSE_FILE
    if extract_source_notice(out, documents) != notice_text:
        yield NOTICE_FILE


def extract_source_notice(out: Path, documents: SplitDocuments) -> str | None:
    """Return what the NOTICE of a noisy split has of its source, or None if it lacks the change."""
    toolkit, text = str(documents.summary.get("toolkit")), read_text(out / NOTICE_FILE)
    if toolkit == f"actiseg {__version__}":
        change = compose_change(documents.recipe, read_noise_inputs(out))
        return text.removesuffix(change) if text.endswith(change) else None
    notice, mark, _ = text.rpartition(_CHANGED)
    return notice if mark else None
