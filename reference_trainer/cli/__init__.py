"""The command line `actiseg-train`."""

import os
import sys
from collections.abc import Callable
from typing import Any

from actiseg_data.terminal.entry_point import run_commands


def main() -> None:
    """Run the command line, and exit: 0 done, 2 input error, 130 interrupted.

    Of several processes that `torchrun` starts, only the first one prints.
    """
    if os.environ.get("RANK", "0") != "0":
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends
    run_commands(_load_app, spellings={"noisy": "--noisy", "noise": "--noise", "plan": "PLAN"})


def _load_app() -> Callable[[], Any]:
    from reference_trainer.cli.app import app

    return app
