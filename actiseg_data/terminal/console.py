"""What the person at the terminal sees: progress, problems, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from actiseg_data.core.errors import InputError
from actiseg_data.core.workers import Progress

if TYPE_CHECKING:
    from rich.table import Table


@contextmanager
def show_progress(name: str, *, quiet: bool) -> Iterator[Progress | None]:
    """Progress of one long step on standard error: a bar on a terminal, else a line per 5 %."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        yield from _bar(name)
    else:
        yield _lines(name)


def _bar(name: str) -> Iterator[Progress]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.progress import (
        Progress as Bar,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _lines(name: str) -> Progress:
    shown = -1

    def advance(done: int, total: int) -> None:
        nonlocal shown
        step = 20 * done // max(total, 1)
        if step != shown:
            shown = step
            print(f"{name}: {5 * step} % ({done} of {total})", file=sys.stderr, flush=True)

    return advance


MOST_LINES = 400
"""Problems or mismatches that are printed: nobody reads more, and many are mostly of one kind."""


_ARGUMENTS = {"dataset": "DATASET", "predictions": "PREDS", "run": "RUN", "settings": "--set"}
"""Parameters of the Python API that the commands spell in another way, such as arguments."""


def spell_flag(parameter: str) -> str:
    """Spell a parameter of the Python API as a command line has it.

    >>> spell_flag("text_rate"), spell_flag("dataset")
    ('--text-rate', 'DATASET')
    """
    return _ARGUMENTS.get(parameter) or f"--{parameter.replace('_', '-')}"


def print_problems(error: InputError) -> None:
    """Print all problems to standard error; of very many, the first and how many more there are."""
    for problem in error.problems[:MOST_LINES]:
        print("error:", problem.name_parameters(spell_flag, "\n  hint: "), file=sys.stderr)
    if len(error.problems) > MOST_LINES:
        print(f"... and {len(error.problems) - MOST_LINES} more", file=sys.stderr)
    if len(error.problems) > 1:
        print(f"{len(error.problems)} problems, nothing was made", file=sys.stderr)


def print_note(text: str) -> None:
    """A line of running text on standard output.

    A terminal gets it wrapped between words, each line with the blanks that the text begins with. A
    word that is longer than a line, such as a path, stays whole.
    """
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console

    indent = text[: len(text) - len(text.lstrip())]
    for line in wrap_words(text, Console().width - len(indent)):
        print(f"{indent}{line}")


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on standard output; the first column is text, the others are figures.

    Texts may come from files: nothing in them is taken for markup. Nothing is cut off. What is not
    printed to a terminal is as wide as it needs to be. If a terminal is too narrow, the columns are
    divided among several tables, each with the first column; if even one column does not fit next
    to the first, each row is a paragraph. No word or number is broken unless it is wider than the
    terminal.
    """
    from rich.console import Console
    from rich.text import Text

    console, titles = Console(), [title] if title else []
    if sys.stdout.isatty():
        titles = wrap_words(title, console.width)
    else:
        console = Console(width=max(_table_width(_widths([columns, *rows])), _USUAL))
    for line in titles:
        console.print(Text(line, style="bold"), soft_wrap=True)
    tables = [
        [[row[at] for at in (0, *block)] for row in (columns, *rows)]
        for block in divide_columns(columns, rows, console.width)
    ]
    found = [_fit_widths(table, console.width) for table in tables]
    widths = [fitting for fitting in found if fitting is not None]
    if len(widths) < len(tables):
        _print_paragraphs(columns, rows, console.width)
        return
    for table, fitting in zip(tables, widths, strict=True):
        console.print(_table(table, fitting))


_USUAL = 120
"""Columns of what is not printed to a terminal."""


def wrap_words(text: str, width: int) -> list[str]:
    """Lines of at most so many cells; a wider word has a line of its own, unbroken.

    >>> wrap_words("one two three", 7)
    ['one two', 'three']
    """
    from rich.cells import cell_len

    lines: list[str] = []
    for word in text.split():
        if lines and cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def divide_columns(columns: list[str], rows: list[list[str]], width: int) -> list[list[int]]:
    """Divide the columns after the first among tables of at most `width` cells.

    Returns positions of columns, table by table: one table if it fits with heads on several lines;
    else as many as each line takes whole.

    >>> divide_columns(["name", "J", "F"], [["bike-packing", "0.5000", "0.6000"]], 30)
    [[1], [2]]
    >>> divide_columns(["name", "J", "F"], [["bike-packing", "0.5000", "0.6000"]], 40)
    [[1, 2]]
    """
    every = list(range(1, len(columns)))
    heads = [_longest(text) for text in columns]
    if _table_width(_widths([heads, *rows])) <= width:
        return [every]
    widths = _widths([columns, *rows])
    # A long first column may take several lines, if its words allow that.
    words = max(_widths([[_longest(row[0])] for row in (columns, *rows)]))
    widths[0] = min(widths[0], max(words, width // 3))
    blocks: list[list[int]] = []
    for position in every:
        together = [*blocks[-1], position] if blocks else []
        if together and _table_width([widths[at] for at in (0, *together)]) <= width:
            blocks[-1] = together
        else:
            blocks.append([position])
    return blocks or [[]]


def _fit_widths(rows: list[list[str]], width: int) -> list[int] | None:
    """Cells for each column: the widest give way, heads first, but no word is broken.

    None if there is not enough room for that.
    """
    heads, *body = rows
    widths = _widths(rows)
    shortest_heads = [_longest(text) for text in heads]
    for narrowed in (body, [[_longest(text) for text in row] for row in body]):
        least = _widths([shortest_heads, *narrowed])
        while _table_width(widths) > width:
            able = [at for at, have in enumerate(widths) if have > least[at]]
            if not able:
                break
            widths[max(able, key=lambda at: widths[at])] -= 1
    return widths if _table_width(widths) <= width else None


def _widths(rows: list[list[str]]) -> list[int]:
    """Cells that each column needs for its widest text."""
    from rich.cells import cell_len

    return [max(map(cell_len, texts)) for texts in zip(*rows, strict=True)]


def _table_width(widths: list[int]) -> int:
    """Cells of a table, with a blank on both sides of each text and lines between."""
    return sum(widths) + 3 * len(widths) + 1


def _longest(text: str) -> str:
    """The widest word of a text."""
    from rich.cells import cell_len

    return max(text.split(), key=cell_len, default="")


def _table(rows: list[list[str]], widths: list[int]) -> Table:
    """The first row is the heads."""
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
    """Print each row as text: its first cell on a line, then each figure after the head of its
    column.
    """
    for name, *figures in rows:
        cells = [f"{head} {text}".strip() for head, text in zip(columns[1:], figures, strict=True)]
        lines = [f"  {line}" for line in wrap_words(", ".join(cells), width - 2)]
        print("\n".join([*wrap_words(name, width), *lines]))
