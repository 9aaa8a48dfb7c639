"""Escape untrusted text for the formats of a release's documents."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\s]+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~&@$^])")
_BLOCK_START = re.compile(r"^(?:([-+=])|(\d{1,9})([.)])(?=\s|$))")
_WEB = re.compile(r"(?i)(www)(\.)|(https?|ftp|mailto|xmpp)(:)")
_BIBTEX = {
    "\\": r"{\textbackslash}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "_": r"\_",
    "#": r"\#",
    "$": r"\$",
    "~": r"{\textasciitilde}",
    "^": r"{\textasciicircum}",
    '"': r"{\textquotedbl}",
}


def flatten_text(text: str) -> str:
    r"""Put a text on one line: each run of spaces and control characters becomes one space.

    >>> flatten_text(" a\n\tcup ")
    'a cup'
    """
    return _CONTROL.sub(" ", text).strip()


def escape_markdown(text: str) -> str:
    r"""Escape a text for a paragraph, a heading or a table cell in Markdown.

    The text is shown as it is: it has no markup, no HTML and no links, and it stays on one line.

    >>> escape_markdown("a|b <i>"), escape_markdown("- 1"), escape_markdown("2. cup")
    ('a\\|b \\<i\\>', '\\- 1', '2\\. cup')
    """
    flat = _MARKDOWN.sub(r"\\\1", flatten_text(text))
    flat = _WEB.sub(lambda match: "\\".join(filter(None, match.groups())), flat)
    return _BLOCK_START.sub(
        lambda match: f"\\{match[1]}" if match[1] else f"{match[2]}\\{match[3]}", flat
    )


def link_addresses(text: str, addresses: Iterable[str]) -> str:
    """Escape a text for Markdown, with links for some web addresses in it.

    >>> link_addresses("See https://a.org/b.", ["https://a.org/b"])
    'See <https://a.org/b>.'
    """
    escaped = escape_markdown(text)
    for address in sorted(set(addresses), key=lambda address: (-len(address), address)):
        escaped = escaped.replace(escape_markdown(address), f"<{address}>")
    return escaped


def quote_block(text: str) -> str:
    r"""Quote a text of several lines in Markdown, as a block of code that the text cannot end.

    >>> print(quote_block("a\nb"))
    ```text
    a
    b
    ```
    """
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    lines = [re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", " ", line) for line in text.strip().splitlines()]
    return "\n".join([f"{fence}text", *lines, fence])


def escape_bibtex(text: str) -> str:
    r"""Escape a text for a BibTeX field in braces.

    >>> escape_bibtex("50 % of {cups} & more")
    '50 \\% of \\{cups\\} \\& more'
    """
    return "".join(_BIBTEX.get(character, character) for character in flatten_text(text))


def escape_csv(text: str) -> str:
    """Return a CSV cell of one line that spreadsheets do not take for a formula.

    >>> escape_csv("=1+1"), escape_csv("cup")
    ("'=1+1", 'cup')
    """
    flat = flatten_text(text)
    return f"'{flat}" if flat[:1] in ("=", "+", "-", "@") else flat
