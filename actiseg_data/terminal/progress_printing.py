"""Progress of long steps on standard error."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from actiseg_data.core.workers import ProgressCallback

if TYPE_CHECKING:
    pass


@contextmanager
def show_progress(name: str, *, quiet: bool) -> Iterator[ProgressCallback | None]:
    """Show the progress of a long step on standard error: a bar on a terminal, else 5 % lines."""
    if quiet:
        yield None
    elif sys.stderr.isatty():
        yield from _show_bar(name)
    else:
        yield _make_line_printer(name)


def _show_bar(name: str) -> Iterator[ProgressCallback]:
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


def _make_line_printer(name: str) -> ProgressCallback:
    shown = -1

    def advance(done: int, total: int) -> None:
        nonlocal shown
        step = 20 * done // max(total, 1)
        if step != shown:
            shown = step
            print(f"{name}: {5 * step} % ({done} of {total})", file=sys.stderr, flush=True)

    return advance
