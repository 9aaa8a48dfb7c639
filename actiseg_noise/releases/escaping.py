"""Escape texts for the formats of a release. Names and prompts are not trusted."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

_SPACES = re.compile(r"\s+")
_MARKDOWN = re.compile(r"([\\`*_\[\]|~]|^[#+-]|(?<=\w):(?=//)|(?<=^\d)[.)])")
_BIBTEX = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "%": r"\%",
    "&": r"\&",
    "#": r"\#",
    "$": r"\$",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
}


def escape_markdown(text: str) -> str:
    r"""Escape a text for one line or table cell of Markdown: no markup, no HTML, no link.

    >>> escape_markdown("cut <b>|</b> apple_1")
    'cut &lt;b&gt;\\|&lt;/b&gt; apple\\_1'
    """
    flat = _SPACES.sub(" ", text).strip()
    return html.escape(_MARKDOWN.sub(r"\\\1", flat), quote=False)


def escape_bibtex(text: str) -> str:
    r"""Escape a text for a field of BibTeX in braces.

    >>> escape_bibtex("50% of {cups} & pans_1")
    '50\\% of \\{cups\\} \\& pans\\_1'
    """
    flat = _SPACES.sub(" ", text).strip()
    return "".join(_BIBTEX.get(character, character) for character in flat)


def render_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    r"""Return the lines of a Markdown table, with escaped cells.

    >>> render_table(["kind", "n"], [["a|b", "3"]])
    ['| kind | n |', '|---|---:|', '| a\\\\|b | 3 |']
    """
    body = [[escape_markdown(cell) for cell in row] for row in (columns, *rows)]
    lines = ["| " + " | ".join(cells) + " |" for cells in body]
    return [lines[0], "|---|" + "---:|" * (len(columns) - 1), *lines[1:]]
