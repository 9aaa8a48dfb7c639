"""What `publish` prints about a release that it made."""

from __future__ import annotations

import re
from collections.abc import Iterator

from actiseg_data.core.tables import ReportPart, Table
from actiseg_noise.releases.metadata.licence_files import list_terms
from actiseg_noise.releases.metadata.source_statements import find_code_address
from actiseg_noise.releases.publishing import Publication


def describe_publication(publication: Publication) -> Iterator[ReportPart]:
    """Describe the configurations of a release and the files in it."""
    contents = publication.contents
    rows = []
    for configuration in contents.configurations:
        files = [file for file in contents.files if file.configuration == configuration.name]
        sizes = {role: sum(file.size for file in files if file.role == role) for role in _ROLES}
        rows.append(
            (
                configuration.name,
                configuration.split.recipe.split,
                str(len(configuration.split.noisy.sequences)),
                *(format_size(sizes[role]) if sizes[role] else "" for role in _ROLES),
            )
        )
    yield Table("release", ("configuration", "split", "sequences", *_ROLES), tuple(rows))
    licences = ", ".join(list_terms(contents))
    yield f"licence: {licences}"
    yield from list_notes(publication)
    yield f"made {publication.path}"


def list_notes(publication: Publication) -> Iterator[str]:
    """List what a publication needs and the release does not state."""
    says = publication.contents.description
    if says.url is None:
        yield (
            "note: croissant.json has no address, which Croissant 1.1 requires: publish again with "
            "--url when the address is known"
        )
    elif _RESERVED.match(says.url):
        yield f"note: {says.url} is reserved for examples: publish again with the real --url"
    if says.doi is None:
        yield "note: there is no DOI; --doi states one"
    if says.maintenance is None:
        yield "note: there is no maintenance plan; --maintenance states one"
    if find_code_address() is None:
        yield "note: the documents have no address of actiseg's code: its package states none"


_RESERVED = re.compile(
    r"https?://(?:[^/]*\.)?(?:example\.(?:com|net|org)|[^/.]*\.?example)(?:[:/]|$)"
)
"""Hosts that are reserved for examples (RFC 2606)."""

_ROLES = ("kit", "parquet", "archive")


def format_size(size: int) -> str:
    """Format a number of bytes.

    >>> format_size(999), format_size(81_234), format_size(5_000_000)
    ('999 bytes', '81 kB', '5.0 MB')
    """
    if size < 1000:
        return f"{size} bytes"
    if size < 1_000_000:
        return f"{size / 1000:.0f} kB"
    return f"{size / 1_000_000:.1f} MB"
