"""The command line `actiseg-eval`: parse, call, print."""

from collections.abc import Callable
from typing import Any

from actiseg_data.terminal.entry_point import run_commands


def main() -> None:
    """Run the command line. Exit 0 if done, 2 for an input error, 130 if interrupted."""
    run_commands(_load, renamed={"--figure": "--metric"})


def _load() -> Callable[[], Any]:
    from actiseg_eval.cli.app import app

    return app
