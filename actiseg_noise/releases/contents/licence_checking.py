"""Compare LICENSE and NOTICE of a noisy split with those that its maker wrote."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from actiseg_data import __version__
from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE, read_licences
from actiseg_noise.corruption.licence_notice import compose_change
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

    The latter begin with those of the source.

    Yields
    ------
    str
        One line for each file that is not what `corrupt` or `import` writes.
    """
    whole = _read(release / LICENSE_FILE)
    if not whole.startswith(_read(folder / LICENSE_FILE).rstrip()) or not whole.strip():
        yield f"{LICENSE_FILE}: is not that of the release"
    notice = _take_source_notice(folder, documents)
    if notice is None:
        yield f"{NOTICE_FILE}: does not state the changes as {documents.recipe.split} got them"
    elif not _read(release / NOTICE_FILE).startswith(notice.rstrip()):
        yield f"{NOTICE_FILE}: is not that of the release"


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
