"""The result of a rebuild: identical, identical for a part, or the first difference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.plurals import count_nouns

ORIGINS = {
    "source": "the clean dataset is another one",
    "tool": "the clean dataset is the published one, so the toolkit or a library makes other noise",
    "preparation": "the raw files are the published ones, so the toolkit or a library prepares "
    "another dataset",
}
"""Whose version a difference comes from."""


@dataclass(frozen=True)
class FirstDifference:
    """The first difference between a rebuilt split and the published one.

    Attributes
    ----------
    file : str
        The file in the rebuilt split.
    what : str
        What differs.
    origin : str
        One of `ORIGINS`.
    raw_file : str or None
        The raw file with another content that explains it.
    versions : tuple of (str, str, str)
        Toolkit and libraries whose versions differ: name, published version, version here.
    """

    file: str
    what: str
    origin: str
    raw_file: str | None = None
    versions: tuple[tuple[str, str, str], ...] = ()

    def describe(self) -> str:
        """Describe the difference and whose version it is, on one line."""
        reason = ORIGINS[self.origin]
        if self.raw_file is not None:
            reason += f": {self.raw_file} has another content than the published one"
        elif self.origin != "source":
            changed = [
                f"{name} {current} (published: {published})"
                for name, published, current in self.versions
            ]
            equal = "all their versions are equal, so the kit may have been changed as well"
            reason += f": {', '.join(changed) or equal}"
        return f"{self.file}: {self.what}; {reason}"


@dataclass(frozen=True)
class Rebuild:
    """The result of `rebuild`.

    Attributes
    ----------
    out : Path
        The rebuilt split. It is kept even if it differs.
    name : str
        The configuration.
    sequences, published : int
        How many sequences were compared, and how many the published split has.
    clean : dict of str to (int, int)
        The same for each clean list of the published split.
    lists : int
        How many whole lists and companion files were compared.
    differing : int
        How many sequences differ.
    difference : FirstDifference or None
        The first difference, if there is one.
    changed, absent : tuple of str
        Raw files with another content than the published ones, and those that are not here.
    """

    out: Path
    name: str
    sequences: int
    published: int
    clean: dict[str, tuple[int, int]]
    lists: int
    differing: int
    difference: FirstDifference | None
    changed: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()

    @property
    def identical(self) -> bool:
        """Whether everything that was compared is identical."""
        return self.difference is None and self.sequences > 0

    @property
    def whole(self) -> bool:
        """Whether all sequences were compared."""
        pairs = [(self.sequences, self.published), *self.clean.values()]
        return all(count == total for count, total in pairs)

    @property
    def verdict(self) -> str:
        """The result in one line."""
        if self.difference is not None:
            return f"differs: {self.difference.describe()}"
        if self.whole:
            return "identical to the published split"
        parts = f"{self.sequences} of {count_nouns(self.published, 'sequence')}"
        for name, (count, total) in self.clean.items():
            if count != total:
                parts += f", and {count} of {total} of the clean list {name}"
        return f"identical to the published split for {parts}"

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain values."""
        values = asdict(self) | {"out": str(self.out), "verdict": self.verdict}
        return values | {"identical": self.identical, "whole": self.whole}
