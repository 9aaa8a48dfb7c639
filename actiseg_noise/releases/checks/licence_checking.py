"""Compare LICENSE and NOTICE of an archive with those of its release."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from actiseg_data.records.licences import LICENSE_FILE, NOTICE_FILE
from actiseg_noise.releases.contents.release_texts import read_text
from actiseg_noise.releases.contents.source_licences import extract_source_notice
from actiseg_noise.releases.metadata.licence_files import LICENSE_ADDITIONS
from actiseg_noise.releases.metadata.release_statements import NOTICE_ADDITIONS
from actiseg_noise.split.noisy_documents import SplitDocuments


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
    license_text = read_text(folder / LICENSE_FILE)
    if not _is_extended(license_text, read_text(release / LICENSE_FILE), LICENSE_ADDITIONS):
        yield f"{LICENSE_FILE}: is not that of the release"
    notice = extract_source_notice(folder, documents)
    if notice is None:
        yield f"{NOTICE_FILE}: does not state the changes as {documents.recipe.split} got them"
    elif not _is_extended(notice, read_text(release / NOTICE_FILE), NOTICE_ADDITIONS):
        yield f"{NOTICE_FILE}: is not that of the release"


def _is_extended(text: str, whole: str, additions: Iterable[str]) -> bool:
    """Return whether a text is all of another one that precedes one of some additions."""
    return any(whole.startswith(f"{text.rstrip()}\n\n{addition}") for addition in additions)
