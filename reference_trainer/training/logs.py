"""What a run tells while it goes on: a CSV table, TensorBoard where it is installed, a bar."""

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


class Log:
    """The log of a run, one row for each step, net and term: the loss, its parts, the rate, the
    norm of the gradient.

    run: its folder. step: the run goes on from here; rows of later steps, which a killed run left,
    are dropped. A row that cannot be written, on a full disk, is counted in `lost`.
    """

    def __init__(self, run: Path, step: int) -> None:
        self.lost = 0
        self._path = run / LOG_FILE
        self._rows: list[tuple[Any, ...]] = []
        self._board: Any = None
        self._keep_before(step)
        if find_spec("tensorboard") is not None:
            with suppress(ImportError):
                from torch.utils.tensorboard import SummaryWriter

                self._board = SummaryWriter(str(run / BOARD_FOLDER), purge_step=step)

    def add(self, step: int, epoch: int, net: int, terms: Mapping[str, float]) -> None:
        """Take in what there is to tell of a step."""
        for term, value in terms.items():
            self._rows.append((step, epoch, net, term, f"{value:.6g}"))
            if self._board is not None:
                self._board.add_scalar(f"net{net}/{term}", value, step)

    def write(self) -> None:
        """Write what was taken in."""
        rows, self._rows = self._rows, []
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

    def _keep_before(self, step: int) -> None:
        kept = io.StringIO()
        writer = csv.writer(kept, lineterminator="\n")
        writer.writerow(_COLUMNS)
        if self._path.is_file():
            with self._path.open(newline="", encoding="utf-8", errors="replace") as stream:
                for row in csv.reader(stream):
                    whole = len(row) == len(_COLUMNS) and row[0].isdigit()
                    if whole and int(row[0]) < step:
                        writer.writerow(row)
        with suppress(OSError):
            self._path.write_text(kept.getvalue(), encoding="utf-8")


class Meter:
    """How far a run is, on standard error: a bar on a terminal, else a line per 5 %."""

    def __init__(self, done: int, total: int, *, quiet: bool) -> None:
        self._total, self._first, self._shown = total, done, -1
        self._quiet = quiet
        self._stack = ExitStack()
        self._bar: Any = None
        self._task: Any = None
        if not quiet and sys.stderr.isatty():
            self._open_bar(done)

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def advance(self, done: int, loss: float, clips_per_second: float) -> None:
        """done: steps since the run began."""
        text = f"loss {loss:.3f}, {clips_per_second:.1f} clips/s"
        if self._bar is not None:
            self._bar.update(self._task, completed=done, told=text)
        elif not self._quiet and (share := 20 * done // self._total) != self._shown:
            self._shown = share
            print(
                f"training: {5 * share} % ({done} of {self._total} steps), {text}", file=sys.stderr
            )

    def _open_bar(self, done: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
        from rich.progress import TimeRemainingColumn as Remaining

        told = TextColumn("{task.fields[told]}")
        columns = (TextColumn("training"), BarColumn(), MofNCompleteColumn(), Remaining(), told)
        self._bar = self._stack.enter_context(Progress(*columns, console=Console(stderr=True)))
        self._task = self._bar.add_task("training", total=self._total, completed=done, told="")
