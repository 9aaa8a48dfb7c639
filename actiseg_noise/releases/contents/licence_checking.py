"""Compare LICENSE and NOTICE of a noisy split with those that its maker wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from actiseg_data import __version__
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE, read_licences
from actiseg_noise.corruption.licence_notice import compose_change
from actiseg_noise.releases.metadata.licence_files import LICENSE_ADDITIONS
from actiseg_noise.releases.metadata.release_statements import NOTICE_ADDITIONS
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
    if _read(out / LICENSE_FILE) != license_text:
        yield LICENSE_FILE
    if _take_source_notice(out, documents) != notice_text:
        yield NOTICE_FILE


def find_archive_licence_faults(
    folder: Path, documents: SplitDocuments, release: Path
) -> Iterator[str]:
    """Compare LICENSE and NOTICE of an unpacked archive with those of its release.

    The latter begin with those of the source, and additions follow.

    Yields
    ------
    str
        One line for each file that is not what `corrupt` or `import` writes.
    """
    license_text = _read(folder / LICENSE_FILE)
    if not _is_extended(license_text, _read(release / LICENSE_FILE), LICENSE_ADDITIONS):
        yield f"{LICENSE_FILE}: is not that of the release"
    notice = _take_source_notice(folder, documents)
    if notice is None:
        yield f"{NOTICE_FILE}: does not state the changes as {documents.recipe.split} got them"
    elif not _is_extended(notice, _read(release / NOTICE_FILE), NOTICE_ADDITIONS):
        yield f"{NOTICE_FILE}: is not that of the release"


def _is_extended(text: str, whole: str, additions: Iterable[str]) -> bool:
    """Return whether a text is all of another one that precedes one of some additions."""
    return any(whole.startswith(f"{text.rstrip()}\n\n{addition}") for addition in additions)


def _read(path: Path) -> str:
    return path.read_text("utf-8", "replace") if path.is_file() else ""


def _take_source_notice(out: Path, documents: SplitDocuments) -> str | None:
    """Return what the NOTICE of a noisy split has of its source, or None if it lacks the change."""
    toolkit, text = str(documents.summary.get("toolkit")), _read(out / NOTICE_FILE)
    if toolkit == f"actiseg {__version__}":
        change = compose_change(documents.recipe, read_noise_inputs(out))
        return text.removesuffix(change) if text.endswith(change) else None
    notice, mark, _ = text.rpartition(_CHANGED)
    return notice if mark else None
