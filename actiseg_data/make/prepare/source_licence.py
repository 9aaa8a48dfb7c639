"""The licence of a dataset that another one is prepared from. It is never guessed."""

from __future__ import annotations

from pathlib import Path

from actiseg_data.core.errors import InputError
from actiseg_data.core.names import check_text
from actiseg_data.records.licence_terms import find_licence

_FILES = ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "LICENCE.txt")

_UNKNOWN = """\
The licence of these masks is not known: the folder that they were copied from states none.
"""


def choose_licence(
    root: Path, licence: str | None, published: str | None = None
) -> tuple[str, str | None]:
    """Return the text of LICENSE, and what it is.

    Parameters
    ----------
    root : Path
        The source. A licence file in it is copied.
    licence : str or None
        SPDX identifier that the user gave; it comes before a licence file.
    published : str, optional
        SPDX identifier of the licence that the authors of the source have published. It holds if
        there is neither a given licence nor a file.

    Returns
    -------
    text : str
        The text.
    stated : str or None
        SPDX identifier, or name of the licence file; None if the licence is not known.

    Raises
    ------
    InputError
        If the given licence is not a known one.
    """
    terms = None if licence is None else find_licence(licence, "`licence`")
    own = next((root / name for name in _FILES if (root / name).is_file()), None)
    text = None if own is None else own.read_text("utf-8", "replace")
    if terms is None and text is None and published is not None:
        terms = find_licence(published, root)
    if terms is not None:
        body = text or terms.text or f"{terms.title}\n{terms.url}\n"
        return f"SPDX-License-Identifier: {terms.identifier}\n\n{body}", terms.identifier
    return (_UNKNOWN, None) if text is None or own is None else (text, own.name)


def name_source(root: Path) -> str:
    """Return the name of a source for a notice; a name that cannot be shown is left out."""
    try:
        return repr(check_text(root.resolve().name, "`root`"))
    except InputError:
        return "another folder"
