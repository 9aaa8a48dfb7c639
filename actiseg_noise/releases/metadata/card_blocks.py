"""Blocks of Markdown from escaped text: tables, lists, code and statements."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from actiseg_noise.releases.contents.escaping import link_addresses
from actiseg_noise.releases.contents.release_contents import ReleaseContents
from actiseg_noise.releases.metadata.source_statements import list_addresses


def format_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], addresses: Iterable[str] = ()
) -> str:
    r"""Format a Markdown table; every cell is escaped, and given addresses become links.

    >>> print(format_table(["kind"], [["a|b"]]))
    | kind |
    |---|
    | a\|b |
    """
    lines = [
        "| " + " | ".join(link_addresses(cell, addresses) for cell in row) + " |"
        for row in (columns, *rows)
    ]
    return "\n".join([lines[0], "|---" * len(columns) + "|", *lines[1:]])


def format_code(language: str, lines: Iterable[str]) -> str:
    r"""Format a block of code.

    >>> print(format_code("sh", ["ls"]))
    ```sh
    ls
    ```
    """
    return "\n".join([f"```{language}", *lines, "```"])


def format_statement(contents: ReleaseContents, text: str) -> str:
    """Escape a statement; addresses of the release become links."""
    return link_addresses(text, list_addresses(contents))


def format_list(contents: ReleaseContents, lines: Iterable[str]) -> str:
    """Format statements as a list."""
    return "\n".join(f"* {format_statement(contents, line)}" for line in lines)
