"""The command line `actiseg-noise`: parse, call, print."""

from collections.abc import Callable
from typing import Any

from actiseg_data.terminal.entry_point import run_commands


def main() -> None:
    """Run the command line; exit 0 done, 1 mismatch, 2 input error, 130 interrupted."""
    run_commands(_load)


def _load() -> Callable[[], Any]:
    from actiseg_noise.cli.app import app

    return app
