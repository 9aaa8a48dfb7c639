"""How every command line starts and ends."""

from __future__ import annotations

import pytest

from actiseg_data.terminal.entry_point import run_commands
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
