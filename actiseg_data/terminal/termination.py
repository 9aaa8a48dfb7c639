"""Signals that end a command: it cleans up as it does when the user interrupts it."""

from __future__ import annotations

import signal
import threading
from types import FrameType

_SIGNALS = ("SIGTERM", "SIGHUP")
"""A system that ends a job, and a terminal that is closed. Windows has no SIGHUP."""


class Termination(BaseException):
    """The process was asked to end.

    Attributes
    ----------
    code : int
        The exit code, which shells give: 128 and the number of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.code = 128 + number


def raise_terminations() -> None:
    """Raise `Termination` where a signal asks the process to end.

    Without this, Python ends at once and leaves temporary folders and unfinished files. A signal
    that the caller ignores, as ``nohup`` does, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        return  # only the main thread can take signals
    for name in _SIGNALS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, _end_command)


def _end_command(number: int, frame: FrameType | None) -> None:
    for name in _SIGNALS:  # a second signal must not stop the removal of temporary folders
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Termination(number)
