"""The names of an archive's members, which every system can unpack, and the table of originals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import ProblemCollector
from actiseg_data.core.names import MAX_NAME_BYTES
from actiseg_data.layouts.split import IN_DOCUMENT

RESTORE_NAMES = (
    "while IFS=$'\\t' read -r path name; do "
    'mv -- "$path" "$(dirname "$path")/$name"; done < NAMES.tsv'
)
"""A line for bash that gives an unpacked archive the original names, in the folder of the split.
Code other than this toolkit's, such as the public ActionVOS loader, looks for these."""

_FORBIDDEN = re.compile(r'[:<>"|?*]')
"""Characters that Windows forbids in names. `check_name` refuses the others."""


@dataclass(frozen=True)
class ArchiveNames:
    """The spelling of a split's paths in an archive.

    Attributes
    ----------
    written : mapping of str to str
        For each relative path of the split, and for each folder of one, the path in the archive.
    """

    written: Mapping[str, str]

    @property
    def respelled(self) -> list[tuple[str, str]]:
        """The path in the archive, and the original name, of what has another name there."""
        rows = [
            (path, original.rpartition("/")[2])
            for original, path in self.written.items()
            if path.rpartition("/")[2] != original.rpartition("/")[2]
        ]
        return sorted(rows, key=lambda row: (-row[0].count("/"), row[0].encode()))

    @property
    def table(self) -> bytes | None:
        """The content of `NAMES_FILE`, or None if all names are the original ones."""
        lines = [f"{path}\t{original}\n" for path, original in self.respelled]
        return "".join(lines).encode() if lines else None


def spell_names(names: Iterable[str], where: Path) -> ArchiveNames:
    """Spell relative paths so that every system can unpack them.

    Characters that Windows forbids are escaped as in an address. If two names of a folder differ in
    the case of letters only, the capitals of the second are escaped.

    Parameters
    ----------
    names : iterable of str
        Relative paths with forward slashes, as in ``digests.json``. Masks in documents have none.
    where : Path
        The split, for messages.

    Raises
    ------
    InputError
        With every name that is longer than 200 bytes then, or equal to another one.

    Examples
    --------
    >>> spell_names(["take_cup:big/0.png"], Path("split")).respelled
    [('take_cup%3Abig', 'take_cup:big')]
    """
    problems = ProblemCollector()
    written: dict[str, str] = {}
    taken: set[str] = set()
    files = {name for name in names if IN_DOCUMENT not in name}
    for name in sorted(files, key=str.swapcase):  # names with fewer capitals come first
        parent, target = "", ""
        for part in name.split("/"):
            path = f"{parent}/{part}" if parent else part
            if path not in written:
                written[path] = _spell_part(part, f"{target}/" if target else "", taken)
                spelling = written[path]
                if spelling.casefold() in taken:
                    what = f"{path!r} would have the name of another file in an archive"
                    problems.add(what, where, "rename it at the source")
                elif len(spelling.rpartition("/")[2].encode()) > MAX_NAME_BYTES:
                    what = f"{path[:80]!r} is too long with its special characters escaped"
                    problems.add(what, where, "rename it at the source")
                taken.add(spelling.casefold())
            parent, target = path, written[path]
    problems.raise_if_any()
    return ArchiveNames(written)


def _spell_part(part: str, parent: str, taken: set[str]) -> str:
    """Spell one component of a path; `parent` is the spelling of its folder, with a slash."""
    spelling = parent + _FORBIDDEN.sub(lambda match: _escape(match[0]), part)
    if spelling.casefold() not in taken:
        return spelling
    return parent + "".join(
        _escape(character)
        if character != character.lower() or _FORBIDDEN.match(character)
        else character
        for character in part
    )


def _escape(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
