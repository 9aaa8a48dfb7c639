"""The command line `actiseg-eval`: parse, call, print."""

import sys
from collections.abc import Callable
from typing import Any

from actiseg_data.terminal.entry_point import run_commands


def main() -> None:
    """Run the command line. Exit 0 if done, 2 for an input error, 130 if interrupted."""
    has_metric = sys.argv[1:2] in (["compare"], ["robustness"])
    run_commands(_load, renamed={"--figure": "--metric"} if has_metric else None)


def _load() -> Callable[[], Any]:
    from actiseg_eval.cli.app import app

    return app
