"""The licences that this toolkit knows, and the one that a dataset states.

A licence is recognised only by what its file says in so many words. It is never guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import refuse, suggest
from actiseg_data.core.manifests import find_installed, load_installed
from actiseg_data.records.licences import LICENSE_FILE

SCHEMA = "actiseg/licences/1"

_TAG = re.compile(r"^SPDX-License-Identifier:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)


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


def identify_licence(dataset: Path) -> LicenceTerms:
    """Return the licence that the LICENSE file of a dataset states.

    The file states it by a line ``SPDX-License-Identifier: CC-BY-NC-4.0``, or by the address of
    exactly one known licence.

    Raises
    ------
    InputError
        If the dataset has no such file, or if the file does not state one known licence.
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
        return find_licence(next(iter(tags)), path)
    named = [terms for terms in load_licences().values() if terms.url.rstrip("/") in text]
    if tags or len(named) != 1:
        raise refuse("does not state one known licence", path, hint)
    return named[0]


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
