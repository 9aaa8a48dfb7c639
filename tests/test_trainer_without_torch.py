"""The base install has the command `actiseg-train`, but not what it needs."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

_ABSENT = """
import sys
sys.modules["torch"] = None
from reference_trainer.cli import main
main()
"""


def run(*arguments):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(
        [sys.executable, "-c", _ABSENT, *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "nowhere", "--out", "run"),
        ("resume", "run"),
        ("predict", "run", "nowhere"),
        ("threshold", "preds", "--out", "other"),
        ("strategies",),
    ],
)
def test_every_command_says_what_to_install(arguments):
    done = run(*arguments)
    assert done.returncode == 2
    assert "PyTorch is not installed" in done.stderr
    assert "actiseg[train]" in done.stderr
    assert "Traceback" not in done.stderr


def test_help_needs_no_torch():
    for arguments in (("--help",), ("fit", "--help")):
        done = run(*arguments)
        assert (done.returncode, done.stderr) == (0, "")
