"""Find what a published text must not have: paths of a machine, and addresses of persons."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

_FOLDERS = (
    "home|Users|root|tmp|mnt|media|var|private|opt|srv|etc|usr|data|work|workspace|scratch|"
    "storage|nfs|gpfs|lustre|Volumes|content|kaggle"
)
_PATHS = (
    re.compile(rf"(?<![\w.:/~%)-])/(?:{_FOLDERS})/[^\s\"'<>|`]+"),
    re.compile(r"\bfile://[^\s\"'<>|`]+"),
    re.compile(r"(?<![\w/])[A-Za-z]:(?:\\\\?|/)(?!/)[\w.$ -]+(?:\\|/)[^\s\"'<>|`]*"),
    re.compile(r"(?<![\\:\w])\\\\\\?\\?[\w.-]+\\\\?[\w.$-]+"),
    re.compile(r"(?<![\w/])~[\w-]*/[^\s\"'<>|`]+"),
)
"""Absolute paths of Linux and macOS, addresses of files, drives and shares of Windows, homes."""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}\b")


def find_emails(text: str) -> set[str]:
    """Find the e-mail addresses in a text.

    >>> find_emails("Write to cups@example.org. See actiseg/mixed-40@1.")
    {'cups@example.org'}
    """
    return set(_EMAIL.findall(text))


def find_private_traces(text: str, given: Collection[str] = ()) -> Iterator[str]:
    """Find paths of a machine, and e-mail addresses that nobody gave for publication.

    Parameters
    ----------
    text : str
        The text.
    given : collection of str
        The addresses that may be published.

    Yields
    ------
    str
        One line for each path and address.

    Examples
    --------
    >>> list(find_private_traces("made from /home/ada/visor, see https://example.org/home/ada"))
    ["names the path '/home/ada/visor'"]
    """
    home = str(Path.home())
    paths = [match[0].rstrip(".,;:)") for pattern in _PATHS for match in pattern.finditer(text)]
    if len(home) > len("/root") and home in text:
        paths.append(home)
    for path in dict.fromkeys(paths):
        yield f"names the path {path!r:.120}"
    for address in sorted(find_emails(text) - set(given)):
        yield f"has the e-mail address {address!r:.120}, which nobody gave"
