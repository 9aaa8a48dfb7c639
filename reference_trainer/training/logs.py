"""Logs of a run: a CSV table, TensorBoard if it is installed, and a progress bar."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

LOG_FILE = "log.csv"
BOARD_FOLDER = "tensorboard"
_COLUMNS = ("step", "epoch", "net", "term", "value")


class RunLog:
    """Log the terms of each step and net: the loss, its parts, the learning rate, the gradient.

    Parameters
    ----------
    run : Path
        Folder of the run.
    step : int
        First step of this session. Rows of later steps, left by a killed process, are dropped.
    writes : bool
        Whether to write anything. Of several processes, only the first one does.

    Attributes
    ----------
    lost : int
        Rows that could not be written because the disk was full.
    """

    def __init__(self, run: Path, step: int, *, writes: bool = True) -> None:
        self.lost = 0
        self._writes = writes
        self._path = run / LOG_FILE
        self._rows: list[tuple[Any, ...]] = []
        self._board: Any = None
        if not writes:
            return
        self._drop_rows_from(step)
        if find_spec("tensorboard") is not None:
            with suppress(ImportError):
                from torch.utils.tensorboard import SummaryWriter

                self._board = SummaryWriter(str(run / BOARD_FOLDER), purge_step=step)

    def add(self, step: int, epoch: int, net: int, terms: Mapping[str, float]) -> None:
        """Collect the terms of a step."""
        for term, value in terms.items():
            self._rows.append((step, epoch, net, term, f"{value:.6g}"))
            if self._board is not None:
                self._board.add_scalar(f"net{net}/{term}", value, step)

    def write(self) -> None:
        """Write the collected rows."""
        rows, self._rows = self._rows, []
        if not self._writes:
            return
        try:
            with self._path.open("a", newline="", encoding="utf-8") as stream:
                csv.writer(stream, lineterminator="\n").writerows(rows)
            if self._board is not None:
                self._board.flush()
        except OSError:
            self.lost += len(rows)

    def close(self) -> None:
        self.write()
        if self._board is not None:
            with suppress(OSError):
                self._board.close()

    def _drop_rows_from(self, step: int) -> None:
        kept = io.StringIO()
        writer = csv.writer(kept, lineterminator="\n")
        writer.writerow(_COLUMNS)
        if self._path.is_file():
            with self._path.open(newline="", encoding="utf-8", errors="replace") as stream:
                for row in csv.reader(stream):
                    is_complete = len(row) == len(_COLUMNS) and row[0].isdigit()
                    if is_complete and int(row[0]) < step:
                        writer.writerow(row)
        with suppress(OSError):
            self._path.write_text(kept.getvalue(), encoding="utf-8")


class ProgressMeter:
    """Show the progress of a run on standard error: a bar on a terminal, else a line per 5 %."""

    def __init__(self, done: int, total: int, *, quiet: bool) -> None:
        self._total, self._last_share = total, -1
        self._quiet = quiet
        self._stack = ExitStack()
        self._bar: Any = None
        self._task: Any = None
        if not quiet and sys.stderr.isatty():
            self._open_bar(done)

    def __enter__(self) -> ProgressMeter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def advance(self, done: int, loss: float, speed: float) -> None:
        """Show the state after a step.

        Parameters
        ----------
        done : int
            Steps since the start of the run.
        loss : float
        speed : float
            Sequences per second.
        """
        text = f"loss {loss:.3f}, {speed:.1f} sequences/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=done, state=text)
        elif not self._quiet and (share := 20 * done // self._total) != self._last_share:
            self._last_share = share
            print(
                f"training: {5 * share} % ({done} of {self._total} steps), {text}", file=sys.stderr
            )

    def _open_bar(self, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        state = TextColumn("{task.fields[state]}")
        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), Remaining(), state)
        self._bar = self._stack.enter_context(Progress(*columns, console=Console(stderr=True)))
        self._task = self._bar.add_task("training", total=self._total, completed=done, state="")
