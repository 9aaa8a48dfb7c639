"""Tables that fit the width of the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from rich.table import Table

from actiseg_data.terminal.messages import wrap_words


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """Print a table to standard output; the first column is text, the others are numbers.

    Texts may come from files, so nothing in them is read as markup, and nothing is cut off. Output
    that is not a terminal is as wide as it needs to be. If a terminal is too narrow, the columns
    are divided among several tables, each with the first column. If not even one column fits next
    to the first, each row becomes a paragraph. Words and numbers are broken only if they are wider
    than the terminal.
    """
    from rich.console import Console
    from rich.text import Text

    console, titles = Console(), [title] if title else []
    if sys.stdout.isatty():
        titles = wrap_words(title, console.width)
    else:
        console = Console(width=max(_measure_table(_measure_columns([columns, *rows])), _USUAL))
    for line in titles:
        console.print(Text(line, style="bold"), soft_wrap=True)
    tables = [
        [[row[position] for position in (0, *block)] for row in (columns, *rows)]
        for block in divide_columns(columns, rows, console.width)
    ]
    fitted = [_fit_widths(table, console.width) for table in tables]
    widths = [fitting for fitting in fitted if fitting is not None]
    if len(widths) < len(tables):
        _print_paragraphs(columns, rows, console.width)
        return
    for table, fitting in zip(tables, widths, strict=True):
        console.print(_build_table(table, fitting))


_USUAL = 120
"""Least width of output that is not a terminal."""


def divide_columns(columns: list[str], rows: list[list[str]], width: int) -> list[list[int]]:
    """Divide the columns after the first among tables of at most `width` cells.

    Returns
    -------
    list of list of int
        Positions of columns, table by table: one table if it fits with heads on several lines,
        otherwise as many columns in each as fit whole.

    Examples
    --------
    >>> divide_columns(["name", "J", "F"], [["bike-packing", "0.5000", "0.6000"]], 30)
    [[1], [2]]
    >>> divide_columns(["name", "J", "F"], [["bike-packing", "0.5000", "0.6000"]], 40)
    [[1, 2]]
    """
    every = list(range(1, len(columns)))
    heads = [_find_longest(text) for text in columns]
    if _measure_table(_measure_columns([heads, *rows])) <= width:
        return [every]
    widths = _measure_columns([columns, *rows])
    # A long first column may take several lines, if its words allow that.
    words = max(_measure_columns([[_find_longest(row[0])] for row in (columns, *rows)]))
    widths[0] = min(widths[0], max(words, width // 3))
    blocks: list[list[int]] = []
    for position in every:
        together = [*blocks[-1], position] if blocks else []
        if together and _measure_table([widths[position] for position in (0, *together)]) <= width:
            blocks[-1] = together
        else:
            blocks.append([position])
    return blocks or [[]]


def _fit_widths(rows: list[list[str]], width: int) -> list[int] | None:
    """Fit the columns of a table to a width; return None if words would have to be broken.

    The widest columns are narrowed first, heads before cells.
    """
    heads, *body = rows
    widths = _measure_columns(rows)
    shortest_heads = [_find_longest(text) for text in heads]
    for narrowed in (body, [[_find_longest(text) for text in row] for row in body]):
        least = _measure_columns([shortest_heads, *narrowed])
        while _measure_table(widths) > width:
            able = [position for position, have in enumerate(widths) if have > least[position]]
            if not able:
                break
            widths[max(able, key=lambda position: widths[position])] -= 1
    return widths if _measure_table(widths) <= width else None


def _measure_columns(rows: list[list[str]]) -> list[int]:
    """Measure the cells that each column needs for its widest text."""
    from rich.cells import cell_len

    return [max(map(cell_len, texts)) for texts in zip(*rows, strict=True)]


def _measure_table(widths: list[int]) -> int:
    """Measure the cells of a table, with a blank around each text and lines between."""
    return sum(widths) + 3 * len(widths) + 1


def _find_longest(text: str) -> str:
    """Find the widest word of a text."""
    from rich.cells import cell_len

    return max(text.split(), key=cell_len, default="")


def _build_table(rows: list[list[str]], widths: list[int]) -> Table:
    """Build a table whose first row is the heads."""
    from rich.table import Table
    from rich.text import Text

    table = Table()
    for position, (head, width) in enumerate(zip(rows[0], widths, strict=True)):
        justify: Literal["left", "right"] = "left" if position == 0 else "right"
        table.add_column(Text(head), justify=justify, overflow="fold", width=width)
    for row in rows[1:]:
        table.add_row(*map(Text, row))
    return table


def _print_paragraphs(columns: list[str], rows: list[list[str]], width: int) -> None:
    """Print each row as text.

    The first cell has its own line, and each number follows the head of its column.
    """
    for name, *figures in rows:
        cells = [f"{head} {text}".strip() for head, text in zip(columns[1:], figures, strict=True)]
        lines = [f"  {line}" for line in wrap_words(", ".join(cells), width - 2)]
        print("\n".join([*wrap_words(name, width), *lines]))
