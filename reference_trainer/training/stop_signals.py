"""Requests to stop a run: SIGTERM, and Ctrl-C."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any

from reference_trainer.training.processes import Processes
from reference_trainer.training.run_state import Run


class StopRequest:
    """A signal that asked the run to stop, if one arrived."""

    def __init__(self) -> None:
        self.signal: signal.Signals | None = None

    def accept_signal(self, number: int, frame: FrameType | None) -> None:
        if self.signal is not None:  # the second signal stops the run at once
            raise KeyboardInterrupt
        self.signal = signal.Signals(number)

    def spread(self, processes: Processes) -> None:
        """Stop all processes after the same step, if one of them got a signal."""
        if processes.count > 1 and processes.sum_numbers(self.signal is not None):
            self.signal = self.signal or signal.SIGTERM

    def exit_if_requested(self, run: Run, saved: bool) -> None:
        """Exit with the signal's code, unless the run is complete."""
        if self.signal is None or run.step == run.last_step:
            return
        result = "saved" if saved else f"which could not be saved; {run.checkpoint_note}"
        if not run.processes.is_first:
            raise SystemExit(128 + self.signal.value)
        print(
            f"stopped by {self.signal.name} after step {run.step} of {run.last_step}, {result}; "
            f"continue with: actiseg-train resume {run.folder}"
        )
        raise SystemExit(128 + self.signal.value)


@contextmanager
def catch_stop_signals() -> Iterator[StopRequest]:
    """Collect signals, so that the run can finish its step and save before it stops."""
    request = StopRequest()
    previous: dict[signal.Signals, Any] = {}
    with suppress(ValueError):  # outside the main thread, the caller handles signals
        for number in (signal.SIGTERM, signal.SIGINT):
            previous[number] = signal.signal(number, request.accept_signal)
    try:
        yield request
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
