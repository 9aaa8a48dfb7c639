"""What changed between the versions of a release."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import refuse
from actiseg_noise.differences.difference_report import describe_changes
from actiseg_noise.differences.release_comparison import compare_splits
from actiseg_noise.releases.contents.description import order_version
from actiseg_noise.releases.contents.release_note import ReleaseNote, read_note


def read_previous(previous: Path, version: str) -> ReleaseNote:
    """Read the note of the release before; raise `InputError` if its version is not lower."""
    note = read_note(previous)
    before = note.description.version
    hint = "give a higher version as `version`"
    if before == version:
        raise refuse(f"already has the version {version}", previous, hint)
    if order_version(before) > order_version(version):
        what = f"has the version {before}, and the next release cannot have the lower {version}"
        raise refuse(what, previous, hint)
    return note


def describe_history(
    previous: Path, note: ReleaseNote, release: Path
) -> dict[str, tuple[str, ...]]:
    """Describe what changed since each earlier version, the newest first.

    Parameters
    ----------
    previous : Path
        The release before.
    note : ReleaseNote
        Its note.
    release : Path
        The new release, with its kits and archives.
    """
    changes = describe_changes(compare_splits(previous, release))
    return {note.description.version: changes, **note.changes}
