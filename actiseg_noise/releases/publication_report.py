"""What `publish` prints about a release that it made."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.core.tables import ReportPart, Table
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
    licences = ", ".join(terms.identifier for terms in contents.licences)
    yield f"licence: {licences}"
    if contents.description.url is None:
        yield (
            "croissant.json has no address, which Croissant 1.1 requires: publish again with --url "
            "when the address is known"
        )
    yield f"made {publication.path}"


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
