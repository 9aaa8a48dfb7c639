"""Tables of text, as data, and their renderings; `FORMATS` has the formats of files."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
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


@dataclass(frozen=True)
class ReportPage:
    """A report to write to a file. Names and paths in its texts are in backticks.

    Attributes
    ----------
    title : str
    introduction : str
        What the report is about.
    notices : sequence of str
        Warnings, to be noticed first.
    parts : sequence of ReportPart
        The tables in their order, and paragraphs between them.
    notes : sequence of str
        What the tables mean.
    rows : Table
        All results in one table, for programs.
    """

    title: str
    introduction: str
    notices: Sequence[str]
    parts: Sequence[ReportPart]
    notes: Sequence[str]
    rows: Table


def format_cell(value: object) -> str:
    """Format a value for programs: a number with all digits, nothing for None.

    >>> format_cell(0.1), format_cell(None)
    ('0.1', '')
    """
    return "" if value is None else str(value)


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


def render_markdown_page(page: ReportPage) -> str:
    r"""Return a report as a Markdown page.

    >>> render_markdown_page(ReportPage("Scores", "Of `a`.", ["blank"], [], [], Table("", [], [])))
    '# Scores\n\nOf `a`.\n\n**blank**\n'
    """
    blocks = [f"# {page.title}", page.introduction, *(f"**{notice}**" for notice in page.notices)]
    for part in page.parts:
        if isinstance(part, str):
            blocks.append(part)
        else:
            blocks += [f"## {part.title}"] if part.title else []
            blocks.append("\n".join(render_markdown(part)))
    if page.notes:
        blocks.append("\n".join(f"* {note}" for note in page.notes))
    return "\n\n".join(blocks) + "\n"


@dataclass(frozen=True)
class TableFormat:
    """A format of files that have the tables of a report.

    Attributes
    ----------
    content : str
        What a file has, for the help of the flag that names the file.
    render : callable
        Returns the text of a file.
    """

    content: str
    render: Callable[[ReportPage], str]


FORMATS: Mapping[str, TableFormat] = {
    "csv": TableFormat("all metrics to this CSV file", lambda page: render_csv(page.rows)),
    "markdown": TableFormat("the tables to this Markdown file", render_markdown_page),
}
"""The formats of tables by name. The commands that write tables have a flag for each."""
