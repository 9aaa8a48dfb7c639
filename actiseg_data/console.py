"""What the person at the terminal sees: progress, problems, tables."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from actiseg_data.errors import Refused
from actiseg_data.parallel import Progress


@contextmanager
def progress_of(name: str, *, quiet: bool) -> Iterator[Progress | None]:
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


def print_problems(refused: Refused) -> None:
    """All problems on standard error, one after the other; of very many, the first and how many."""
    for problem in refused.problems[:MOST_LINES]:
        print(f"error: {problem.where}: {problem.what}", file=sys.stderr)
        print(f"  cure: {problem.cure}", file=sys.stderr)
    if len(refused.problems) > MOST_LINES:
        print(f"... and {len(refused.problems) - MOST_LINES} more", file=sys.stderr)
    if len(refused.problems) > 1:
        print(f"{len(refused.problems)} problems, nothing was made", file=sys.stderr)


def print_table(title: str, columns: list[str], rows: list[list[str]]) -> None:
    """A table on standard output; the first column is text, the others are figures.

    Texts may come from files: nothing in them is taken for markup. Nothing is cut off: what a
    terminal is too narrow for is folded, and what is not printed to a terminal is as wide as it
    needs to be.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left", title_style="bold")
    for position, column in enumerate(columns):
        justify: Literal["left", "right"] = "left" if position == 0 else "right"
        table.add_column(Text(column), justify=justify, overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    console = Console()
    if not sys.stdout.isatty():
        needed = console.measure(table, options=console.options.update(width=_WIDEST)).maximum
        console = Console(width=max(needed, _USUAL))
    console.print(table)


_USUAL, _WIDEST = 120, 10_000
"""Columns of what is not printed to a terminal."""
