"""The base install has the command `actiseg-train`, but not what it needs."""

from __future__ import annotations

from functools import partial

import pytest

from tests.helpers.command import run_alone

_ABSENT = """
import sys
sys.modules["torch"] = None
from reference_trainer.cli import main
main()
"""


run = partial(run_alone, code=_ABSENT)


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
