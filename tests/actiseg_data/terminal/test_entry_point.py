"""How every command line starts and ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from actiseg_data.terminal.entry_point import run_commands
from actiseg_data.terminal.termination import raise_terminations
from tests.helpers.command import run_alone

PRINT = """
from actiseg_data.terminal.entry_point import run_commands
run_commands(lambda: lambda: print("gIoU \u2191, caf\u00e9, \U0001f600"))
"""


@pytest.mark.parametrize(
    ("encoding", "printed"),
    [
        ("ascii", r"gIoU ^, caf\xe9, \U0001f600"),
        ("cp1252", "gIoU ^, café, \\U0001f600"),
        ("utf-8", "gIoU ↑, café, 😀"),
    ],
)
def test_text_that_the_stream_cannot_encode_is_printed_as_ascii(encoding, printed):
    done = run_alone(code=PRINT, PYTHONIOENCODING=encoding, text_encoding=encoding)
    assert (done.returncode, done.stdout.strip()) == (0, printed), done.stderr


def test_an_interrupt_is_said_and_has_its_exit_code(capsys):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as stopped:
        run_commands(lambda: interrupt)
    assert stopped.value.code == 130
    assert capsys.readouterr().err == "interrupted\n"


WORK = """
import sys, time
from pathlib import Path
from actiseg_data.core.files import new_folder, open_atomic
from actiseg_data.core.workers import start_workers
from actiseg_data.terminal.entry_point import run_commands

def work():
    here = Path(sys.argv[1])
    with start_workers(2, "json"), new_folder(here / "out"), open_atomic(here / "file"):
        print("ready", flush=True)
        time.sleep(60)

if __name__ == "__main__":
    run_commands(lambda: work)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signals")
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129), ("SIGINT", 130)])
def test_a_signal_that_ends_a_command_leaves_nothing_behind(tmp_path, name, code):
    script, folder = tmp_path / "work.py", tmp_path / "folder"
    script.write_text(WORK)
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, script, folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout.readline() == "ready\n"
    assert list(folder.iterdir())
    process.send_signal(getattr(signal, name))
    _, errors = process.communicate()
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert not list(folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such signal")
def test_a_signal_that_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        raise_terminations()
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
