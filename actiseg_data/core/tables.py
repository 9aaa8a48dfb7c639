"""Tables of text, as data, and their renderings in Markdown, CSV, HTML and plain text."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Table:
    """A table of text. The first column names the rows, the others have values.

    Attributes
    ----------
    title : str
        Printed above the table. Empty for a table that continues the one before.
    columns : sequence of str
        The column heads.
    rows : sequence of sequences of str
        As many cells as there are columns in each row.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


ReportPart: TypeAlias = "str | Table"
"""A note of one paragraph, or a table."""


def render_markdown(table: Table) -> list[str]:
    """Return the lines of a Markdown table, without its title.

    >>> render_markdown(Table("", ["mode", "units"], [["miss", "3"]]))
    ['| mode | units |', '|---|---:|', '| miss | 3 |']
    """
    heads, *body = (
        "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
        for row in (table.columns, *table.rows)
    )
    return [heads, "|---|" + "---:|" * (len(table.columns) - 1), *body]


def render_csv(table: Table) -> str:
    r"""Return the table as CSV, without its title.

    >>> render_csv(Table("", ["mode", "units"], [["miss", "3"]]))
    'mode,units\nmiss,3\n'
    """
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([table.columns, *table.rows])
    return stream.getvalue()


def render_html(table: Table) -> str:
    """Return the table as HTML, for notebooks.

    >>> render_html(Table("", ["J"], [["<1"]]))
    '<table><tr><th>J</th></tr><tr><td>&lt;1</td></tr></table>'
    """
    caption = f"<caption>{html.escape(table.title)}</caption>" if table.title else ""
    heads = "".join(f"<th>{html.escape(head)}</th>" for head in table.columns)
    rows = (
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in table.rows
    )
    return f"<table>{caption}<tr>{heads}</tr>{''.join(rows)}</table>"


def render_report_html(parts: Iterable[ReportPart]) -> str:
    """Return a report of notes and tables as HTML.

    >>> render_report_html(["2 sequences"])
    '<p>2 sequences</p>'
    """
    return "".join(
        f"<p>{html.escape(part)}</p>" if isinstance(part, str) else render_html(part)
        for part in parts
    )


def render_text(table: Table) -> str:
    r"""Return the table in columns aligned to the right, without its title.

    >>> render_text(Table("", ["J", "F-recall"], [["0.5000", "0.6000"]]))
    '     J  F-recall\n0.5000    0.6000'
    """
    lines = [table.columns, *table.rows]
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
