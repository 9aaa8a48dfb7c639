"""The command line `actiseg-train`: parse, call, print."""

from collections.abc import Callable
from typing import Any

from actiseg_data.terminal.entry_point import run_commands


def main() -> None:
    """Entry point: exit 0 done, 2 refused, 130 interrupted."""
    run_commands(_load)


def _load() -> Callable[[], Any]:
    from reference_trainer.cli.app import app

    return app
