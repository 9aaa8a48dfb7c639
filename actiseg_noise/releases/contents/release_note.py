"""The note in a release: what the maintainer said about it, and what it has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_schema, read_json
from actiseg_data.core.errors import refuse
from actiseg_data.core.names import check_name, check_text, refuse_value
from actiseg_data.records.licence_terms import join_licences
from actiseg_noise.releases.contents.description import Author, ReleaseDescription, is_version
from actiseg_noise.releases.contents.release_contents import DATA_CHOICES, ReleaseContents

NOTE_FILE = "release.json"
NOTE_SCHEMA = "actiseg/release/1"


@dataclass(frozen=True)
class ReleaseNote:
    """The note in a release.

    Attributes
    ----------
    description : ReleaseDescription
        What the maintainer said.
    data : str
        One of `DATA_CHOICES`.
    licence : str
        SPDX expression of the source's licences, such as ``CC-BY-NC-4.0 AND MIT``.
    frames_licence : str or None
        That of the photographs, if they are in the release.
    configurations : tuple of str
        The names of the configurations.
    changes : mapping of str to tuple of str
        See `ReleaseContents.changes`.
    """

    description: ReleaseDescription
    data: str
    licence: str
    frames_licence: str | None
    configurations: tuple[str, ...]
    changes: Mapping[str, tuple[str, ...]]

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON document."""
        changes = {version: list(lines) for version, lines in self.changes.items()}
        return {"schema": NOTE_SCHEMA, **asdict(self), "changes": changes}


def make_note(contents: ReleaseContents) -> ReleaseNote:
    """Make the note of a release."""
    frames = contents.frames_licence
    return ReleaseNote(
        description=contents.description,
        data=contents.data,
        licence=join_licences(contents.source.licences),
        frames_licence=None if frames is None else frames.identifier,
        configurations=tuple(entry.name for entry in contents.configurations),
        changes=contents.changes,
    )


def read_note(release: Path) -> ReleaseNote:
    """Read the note of a release folder.

    Raises
    ------
    InputError
        If the folder is not a release, or if its note is damaged or of a newer schema.
    """
    path = release / NOTE_FILE
    if not path.is_file():
        why = f"it has no {NOTE_FILE}" if release.is_dir() else "there is no such folder"
        hint = "give a folder that actiseg-noise publish made"
        raise refuse(f"is not a release: {why}", release, hint)
    top = Cursor(read_json(path, "note of a release"), str(path))
    check_schema(top, NOTE_SCHEMA, RELEASE_HINT)
    data, frames = top["data"].as_text(), top["frames_licence"]
    if data not in DATA_CHOICES:
        raise refuse(f"names the data {data!r:.40}, which is unknown", path, RELEASE_HINT)
    return ReleaseNote(
        description=_parse_description(top["description"]),
        data=data,
        licence=top["licence"].as_text(),
        frames_licence=_parse_optional(frames),
        configurations=_parse_configurations(top["configurations"]),
        changes={
            check_text(version, lines.where): tuple(
                line.as_text() for line in lines.iterate_elements()
            )
            for version, lines in top["changes"].iterate_members()
        },
    )


def _parse_description(cursor: Cursor) -> ReleaseDescription:
    return ReleaseDescription(
        title=cursor["title"].as_text(),
        authors=tuple(
            Author(_parse_author_name(author["name"]), _parse_optional(author["orcid"]))
            for author in cursor["authors"].iterate_elements()
        ),
        version=_parse_version(cursor["version"]),
        url=_parse_optional(cursor["url"]),
        doi=_parse_optional(cursor["doi"]),
        maintenance=_parse_optional(cursor["maintenance"]),
        date=_parse_optional(cursor["date"]),
    )


def _parse_author_name(cursor: Cursor) -> str:
    name = cursor.as_text()
    if not name.strip():
        raise refuse_value("the name of an author", name, cursor.where)
    return name


def _parse_configurations(cursor: Cursor) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for entry in cursor.iterate_elements():
        name = check_name(entry.as_text(), "configuration", entry.where)
        if name in names:
            raise refuse(f"names {name!r} a second time", entry.where, RELEASE_HINT)
        names[name] = None
    return tuple(names)


def _parse_version(cursor: Cursor) -> str:
    version = cursor.as_text()
    if not is_version(version):
        raise refuse_value("a version such as 1.0.0", version, cursor.where)
    return version


def _parse_optional(cursor: Cursor) -> str | None:
    return None if cursor.value is None else cursor.as_text()
