"""What a maintainer says about a release: everything else in it is derived."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date as Date
from datetime import datetime, timezone

from actiseg_data.core.arguments import check_string
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.names import as_names, is_plain_text
from actiseg_noise.releases.contents.privacy import find_emails, find_private_traces

_ORCID = re.compile(r"(\d{4}-\d{4}-\d{4}-\d{3}[\dX])$")
_VERSION = re.compile(r"(0|[1-9]\d{0,9})(\.(0|[1-9]\d{0,9})){2}(-[A-Za-z][0-9A-Za-z]{0,40})?")
_DOI = re.compile(r"(?:https://doi\.org/|doi:)?(10\.\d{4,9}/[^\s<>\"{}|\\^`]+)")
_URL = re.compile(r"https?://[^\s<>\"{}|\\^`]+")
_AUTHOR = re.compile(r"^(?P<name>[^<>()\[\]]+?)\s*(?:\((?P<orcid>[^()]*)\))?$")
_SEVERAL = re.compile(r";|\band\b", re.IGNORECASE)
_NUMBER = re.compile(r"\d+|\D+")


@dataclass(frozen=True)
class Author:
    """An author of a release.

    Attributes
    ----------
    name : str
        The name in full: given names and then the family name, or ``Family, Given``.
    orcid : str or None
        Sixteen digits in groups of four.
    """

    name: str
    orcid: str | None = None

    @property
    def given_names(self) -> str:
        """What follows the comma, or all words but the last; empty for a name of one word."""
        _, comma, given = self.name.partition(",")
        return given.strip() if comma else " ".join(self.name.split()[:-1])

    @property
    def family_name(self) -> str:
        """What precedes the comma, or the last word of the name."""
        family, comma, _ = self.name.partition(",")
        return family.strip() if comma else self.name.split()[-1]


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
    date : str or None
        Day of publication, such as ``2026-11-30``.
    """

    title: str
    authors: tuple[Author, ...]
    version: str = "1.0.0"
    url: str | None = None
    doi: str | None = None
    maintenance: str | None = None
    date: str | None = None


def make_description(
    *,
    title: str | None = None,
    author: str | Iterable[str] = (),
    version: str = "1.0.0",
    url: str | None = None,
    doi: str | None = None,
    maintenance: str | None = None,
    date: str | None = None,
) -> ReleaseDescription:
    """Check what a maintainer says about a release.

    Parameters
    ----------
    title : str
        The title of the release.
    author : str or iterable of str
        Who publishes it, each as `parse_author` reads it. At least one.
    version : str
        Three numbers, and perhaps a suffix after a hyphen: ``1.0.0``, ``2.0.0-rc1``. Croissant
        asks for this form.
    url : str, optional
        Where the release will be.
    doi : str, optional
        Its DOI, such as ``10.5281/zenodo.1234567``.
    maintenance : str, optional
        Who keeps the release up, and how to report errors.
    date : str, optional
        Day of publication, as ``YYYY-MM-DD``. Croissant and citations state it. Default: today.

    Raises
    ------
    InputError
        With everything that is missing or malformed.

    Examples
    --------
    >>> make_description(title="Noisy cups", author="Josiah Carberry").version
    '1.0.0'
    """
    problems = ProblemCollector()
    texts = {"title": title, "version": version, "url": url, "doi": doi, "maintenance": maintenance}
    texts |= {"date": date}
    for name, text in texts.items():
        if text is not None:
            with problems.collect():
                check_statement(check_string(text, name), name)
    problems.raise_if_any()
    if title is None or not _is_visible(title):
        problems.add("no title given", "`title`", "say what the release is, in a few words")
    authors = _parse_authors(as_names(author), problems)
    if maintenance is not None and not _is_visible(maintenance):
        problems.add("is empty", "`maintenance`", "say who keeps the release up, or leave it out")
    if not is_version(version):
        problems.add(f"{version!r:.60} is not a version", "`version`", "give one such as 1.0.0")
    if url is not None and not _URL.fullmatch(url):
        problems.add(f"{url!r:.60} is not a web address", "`url`", "begin it with https://")
    identifier = None if doi is None else _DOI.fullmatch(doi)
    if doi is not None and identifier is None:
        problems.add(f"{doi!r:.60} is not a DOI", "`doi`", "give one such as 10.5281/zenodo.123")
    day = datetime.now(timezone.utc).date().isoformat() if date is None else date
    if not _is_day(day):
        problems.add(f"{day!r:.40} is not a day", "`date`", "give one such as 2026-11-30")
    problems.raise_if_any()
    assert title is not None, "a missing title was refused"
    return ReleaseDescription(
        title=title.strip(),
        authors=authors,
        version=version,
        url=url,
        doi=None if identifier is None else identifier[1],
        maintenance=maintenance,
        date=day,
    )


def check_statement(text: str, parameter: str) -> str:
    """Check a text for publication, and return it.

    Raises
    ------
    InputError
        If it has control characters or is not Unicode, see `actiseg_data.core.names.is_plain_text`,
        or if it has a path of a machine, which `check_release` would find.
    """
    where = f"`{parameter}`"
    if not is_plain_text(text):
        what = f"has control characters, or bytes that are not text: {text!a:.80}"
        raise refuse(what, where, "give plain text")
    for trace in find_private_traces(text, given=find_emails(text)):
        raise refuse(trace, where, "leave out what looks like a path of your machine")
    return text


def _is_visible(text: str) -> bool:
    """Return whether a text has more than blanks and characters that show nothing."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def is_version(text: str) -> bool:
    """Return whether a text is three numbers, and perhaps a suffix after a hyphen."""
    return _VERSION.fullmatch(text) is not None


def order_version(version: str) -> tuple[object, ...]:
    """Return a key that orders versions; a version with a suffix comes before the one without.

    >>> sorted(["1.0.0", "1.0.0-rc10", "1.0.0-rc2", "0.9.10"], key=order_version)
    ['0.9.10', '1.0.0-rc2', '1.0.0-rc10', '1.0.0']
    """
    numbers, _, suffix = version.partition("-")
    parts = [
        (part.isdigit(), int(part) if part.isdigit() else 0, part)
        for part in _NUMBER.findall(suffix)
    ]
    return (*map(int, numbers.split(".")), not suffix, parts)


def _is_day(text: str) -> bool:
    try:
        return Date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _parse_authors(names: tuple[str, ...], problems: ProblemCollector) -> tuple[Author, ...]:
    """Read all authors; add a problem for each that is none, or is there twice."""
    authors: list[Author] = []
    hint = "name who publishes the release, such as 'Josiah Carberry (0000-0002-1825-0097)'"
    if not names:
        problems.add("no author given", "`author`", hint)
    for name in names:
        with problems.collect():
            author = parse_author(name)
            if any(_is_same(author, second) for second in authors):
                raise refuse(f"names {author.name!r:.80} twice", "`author`", "name each once")
            authors.append(author)
    return tuple(authors)


def _is_same(author: Author, second: Author) -> bool:
    if author.orcid is not None and second.orcid is not None:
        return author.orcid == second.orcid
    names = (f"{entry.given_names} {entry.family_name}".casefold() for entry in (author, second))
    return len(set(names)) == 1


def parse_author(text: str) -> Author:
    """Read an author, given as ``Name`` or ``Name (ORCID)``.

    The name is ``Given Family`` or ``Family, Given``.

    Raises
    ------
    InputError
        If there is no name, if there are several, or if the ORCID is not one: its last digit is a
        check digit (ISO 7064, MOD 11-2).

    Examples
    --------
    >>> parse_author("Josiah Carberry (0000-0002-1825-0097)")
    Author(name='Josiah Carberry', orcid='0000-0002-1825-0097')
    """
    check_statement(check_string(text, "author"), "author")
    match = _AUTHOR.match(text.strip())
    hint = "give a name, or a name and an ORCID: 'Josiah Carberry (0000-0002-1825-0097)'"
    if match is None or not any(character.isalpha() for character in match["name"]):
        raise refuse(f"{text!r:.80} is not the name of an author", "`author`", hint)
    if _ORCID.search(match["name"]):
        raise refuse(f"{text!r:.80} has an ORCID outside brackets", "`author`", hint)
    family, comma, given = match["name"].partition(",")
    if _SEVERAL.search(match["name"]) or "," in given:
        raise refuse(f"{text!r:.80} names several authors", "`author`", "give `author` for each")
    if comma and not (family.strip() and given.strip()):
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
