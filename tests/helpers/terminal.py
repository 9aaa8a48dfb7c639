"""A command line on a real terminal of a given width, and what a person reads there."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from dataclasses import dataclass

import pytest
from rich.cells import cell_len

_ESCAPES = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07]*\x07|[@-Z\\-_])")
_FRAME = re.compile(r"[\u2500-\u257f]")
"""Characters that boxes are drawn with."""

_INHERITED = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "ACTISEG_DATASET", "CI")


@dataclass(frozen=True)
class Screen:
    """What a command left on a terminal. code: its exit status. text: without escapes."""

    code: int
    text: str

    @property
    def words(self) -> list[str]:
        """Everything between blanks, commas and the lines of boxes."""
        return _FRAME.sub(" ", self.text).replace(",", " ").split()


def run_in_terminal(*arguments, columns=80, module="actiseg_eval.cli", cwd=None) -> Screen:
    """Run one of our command lines on a pseudo-terminal; skip the test if there is none."""
    pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")
    import fcntl
    import termios

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in _INHERITED}
    own = {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm", "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=cwd,
        env=inherited | own | {"PYTHONIOENCODING": "utf-8"},
    )
    os.close(theirs)
    received = bytearray()
    while chunk := _read(ours):
        received += chunk
    os.close(ours)
    text = received.decode().replace("\r\n", "\n")
    return Screen(process.wait(), _ESCAPES.sub("", text))


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # how Linux tells that the other end is closed
        return b""


def check_unbroken(narrow: Screen, wide: Screen, columns: int = 80) -> None:
    """Assert that no line is wider than a terminal, and that no word or number was broken.

    wide: the same command where everything has room.
    """
    assert narrow.code == wide.code == 0, narrow.text
    too_wide = [line for line in narrow.text.splitlines() if cell_len(line) > columns]
    assert not too_wide, "\n".join(too_wide)
    broken = sorted(set(wide.words) - set(narrow.words))
    assert not broken, f"{broken} are broken in:\n{narrow.text}"
    assert "…" not in narrow.text
