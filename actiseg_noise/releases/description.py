"""What a maintainer says about a release: everything else in it is derived."""

from __future__ import annotations

import re
from dataclasses import dataclass

from actiseg_data.core.errors import refuse

_ORCID = re.compile(r"(\d{4}-\d{4}-\d{4}-\d{3}[\dX])$")
_AUTHOR = re.compile(r"^(?P<name>[^<>()\[\]]+?)\s*(?:\((?P<orcid>[^()]*)\))?$")


@dataclass(frozen=True)
class Author:
    """An author of a release.

    Attributes
    ----------
    name : str
        The name in full, as it is cited: given names and then the family name.
    orcid : str or None
        Sixteen digits in groups of four.
    """

    name: str
    orcid: str | None = None

    @property
    def given_names(self) -> str:
        """All words of the name but the last; empty for a name of one word."""
        return " ".join(self.name.split()[:-1])

    @property
    def family_name(self) -> str:
        """The last word of the name."""
        return self.name.split()[-1]


@dataclass(frozen=True)
class ReleaseDescription:
    """What the maintainer says about a release.

    Attributes
    ----------
    title : str
        The title.
    authors : tuple of Author
        Those who publish the noisy labels.
    version : str
        Such as ``1.0.0``.
    url, doi : str or None
        Where the release is, or will be.
    maintenance : str or None
        Who keeps it up, and how to report errors.
    """

    title: str
    authors: tuple[Author, ...]
    version: str = "1.0.0"
    url: str | None = None
    doi: str | None = None
    maintenance: str | None = None


def parse_author(text: str) -> Author:
    """Read an author, given as ``Name`` or ``Name (ORCID)``.

    Raises
    ------
    InputError
        If there is no name, or if the ORCID is not one: its last digit is a check digit
        (ISO 7064, MOD 11-2).

    Examples
    --------
    >>> parse_author("Josiah Carberry (0000-0002-1825-0097)")
    Author(name='Josiah Carberry', orcid='0000-0002-1825-0097')
    """
    match = _AUTHOR.match(text.strip())
    hint = "give a name, or a name and an ORCID: 'Josiah Carberry (0000-0002-1825-0097)'"
    if match is None or not match["name"].strip():
        raise refuse(f"{text!r:.80} is not the name of an author", "`author`", hint)
    if match["orcid"] is None:
        return Author(match["name"].strip())
    orcid = _ORCID.search(match["orcid"].strip())
    if orcid is None or compute_check_digit(orcid[1][:-1]) != orcid[1][-1]:
        raise refuse(f"{match['orcid']!r:.80} is not an ORCID", "`author`", hint)
    return Author(match["name"].strip(), orcid[1])


def compute_check_digit(digits: str) -> str:
    """Compute the check digit of an ORCID (ISO 7064, MOD 11-2).

    >>> compute_check_digit("0000-0002-1825-009")
    '7'
    """
    total = 0
    for digit in digits.replace("-", ""):
        total = (total + int(digit)) * 2
    result = (12 - total % 11) % 11
    return "X" if result == 10 else str(result)
