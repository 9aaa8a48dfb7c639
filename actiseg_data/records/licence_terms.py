"""The licences that this toolkit knows, and the one that a dataset states.

A licence is recognised only by what its file says in so many words. It is never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import ProblemCollector, refuse, suggest
from actiseg_data.core.manifests import find_installed, load_installed
from actiseg_data.records.licences import LICENSE_FILE

SCHEMA = "actiseg/licences/1"

_TAG = re.compile(r"^SPDX-License-Identifier:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)

_AND = re.compile(r"\s+AND\s+")
_OTHER_OPERATORS = re.compile(r"[()]|\b(?:OR|WITH)\b")


@dataclass(frozen=True)
class LicenceTerms:
    """A licence.

    Attributes
    ----------
    identifier : str
        The SPDX identifier, such as ``CC-BY-NC-4.0``.
    title : str
        The name in full.
    url : str
        Where its text is.
    hub : str
        The identifier on the Hugging Face Hub.
    text : str or None
        The full text. None for a licence whose text names the owner: there, only the LICENSE file
        of the dataset has the full text.
    """

    identifier: str
    title: str
    url: str
    hub: str
    text: str | None


def load_licences() -> dict[str, LicenceTerms]:
    """Load all known licences, by SPDX identifier.

    >>> load_licences()["CC-BY-NC-4.0"].hub
    'cc-by-nc-4.0'
    """
    top = load_installed("licences.json", SCHEMA)
    return {name: _parse_terms(name, entry) for name, entry in top["licences"].iterate_members()}


def find_licence(identifier: str, where: Path | str) -> LicenceTerms:
    """Return a known licence; for an unknown one, raise an `InputError` about `where`."""
    known = load_licences()
    if identifier not in known:
        what = f"names the licence {identifier!r}, which is unknown{suggest(identifier, known)}"
        raise refuse(what, where, f"use one of {', '.join(known)}")
    return known[identifier]


def find_licences(expression: str, where: Path | str) -> tuple[LicenceTerms, ...]:
    """Return the known licences of an SPDX expression, such as ``CC-BY-NC-4.0 AND MIT``.

    Raises
    ------
    InputError
        With every unknown licence, or if the expression has another operator than ``AND``: which
        licence holds then is not for a program to choose.

    Examples
    --------
    >>> [terms.hub for terms in find_licences("CC-BY-NC-4.0 AND MIT", "LICENSE")]
    ['cc-by-nc-4.0', 'mit']
    """
    if _OTHER_OPERATORS.search(expression):
        what = f"states {expression!r:.80}; of SPDX expressions, only those with AND are accepted"
        hint = "state all licences that apply, such as CC-BY-NC-4.0 AND MIT"
        raise refuse(what, where, hint)
    problems = ProblemCollector()
    licences = []
    for identifier in _AND.split(expression.strip()):
        with problems.collect():
            licences.append(find_licence(identifier, where))
    problems.raise_if_any()
    return tuple(dict.fromkeys(licences))


def join_licences(licences: Iterable[LicenceTerms]) -> str:
    """Join licences that all apply to one SPDX expression; `find_licences` reads it."""
    return " AND ".join(terms.identifier for terms in licences)


def identify_licences(dataset: Path) -> tuple[LicenceTerms, ...]:
    """Return the licences that the LICENSE file of a dataset states; all of them apply.

    The file states them by a line ``SPDX-License-Identifier: CC-BY-NC-4.0``, which can have several
    identifiers joined by ``AND``, or by the address of exactly one known licence.

    Raises
    ------
    InputError
        If the dataset has no such file, or if the file does not state known licences.
    """
    path = dataset / LICENSE_FILE
    hint = (
        f"write the licence of the dataset to {LICENSE_FILE}, with a line such as "
        "SPDX-License-Identifier: CC-BY-NC-4.0"
    )
    if not path.is_file():
        raise refuse("the licence of the dataset is unknown: there is no such file", path, hint)
    text = path.read_text("utf-8", "replace")
    tags = dict.fromkeys(_TAG.findall(text))
    if len(tags) == 1:
        return find_licences(next(iter(tags)), path)
    named = [terms for terms in load_licences().values() if terms.url.rstrip("/") in text]
    if tags or len(named) != 1:
        raise refuse("does not state one known licence", path, hint)
    return (named[0],)


_FILES = (LICENSE_FILE, "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt")
"""The names of a file with the licence of a dataset."""

_UNKNOWN = """\
The licence of this dataset is not known: the folder that it was copied from states none.
"""

_BEGINNING = "SPDX-License-Identifier:"


def compose_licence(
    dataset: Path, stated: str | None = None, published: str | None = None
) -> tuple[str, str | None]:
    """Compose the LICENSE of a copy of a dataset that may lack one. It is never guessed.

    Parameters
    ----------
    dataset : Path
        The dataset.
    stated : str, optional
        The SPDX identifier that the user stated; it comes before a licence file.
    published : str, optional
        The SPDX identifier that the authors of the dataset have published. It holds if there is
        neither a stated licence nor a file.

    Returns
    -------
    text : str
        The text for LICENSE.
    name : str or None
        The identifier or the file that it comes from; None if the licence is not known.

    Raises
    ------
    InputError
        If the stated licence is unknown.
    """
    terms = None if stated is None else find_licence(stated, "`licence`")
    own = next((dataset / name for name in _FILES if (dataset / name).is_file()), None)
    text = None if own is None else own.read_text("utf-8", "replace")
    if terms is None and text is None and published is not None:
        terms = find_licence(published, dataset)
    if terms is not None:
        body = text or terms.text or f"{terms.title}\n{terms.url}\n"
        return f"{_BEGINNING} {terms.identifier}\n\n{body}", terms.identifier
    return (_UNKNOWN, None) if text is None or own is None else (text, own.name)


def find_stated_licence(text: str) -> str | None:
    r"""Return the identifier that `compose_licence` put before the text of a licence, if it did.

    >>> find_stated_licence("SPDX-License-Identifier: MIT\n\nPermission ...")
    'MIT'
    """
    first, _, rest = text.partition("\n")
    known = first.startswith(_BEGINNING) and rest.startswith("\n")
    return first.removeprefix(_BEGINNING).strip() if known else None


def _parse_terms(identifier: str, entry: Cursor) -> LicenceTerms:
    file = entry["text"]
    text = (
        None
        if file.value is None
        else find_installed(f"licences/{file.as_text()}").read_text("utf-8")
    )
    return LicenceTerms(
        identifier=identifier,
        title=entry["title"].as_text(),
        url=entry["url"].as_text(),
        hub=entry["hub"].as_text(),
        text=text,
    )
