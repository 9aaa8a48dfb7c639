"""Shared parts of all commands: options, the choice of the dataset, progress."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data import __version__

if TYPE_CHECKING:
    from actiseg_data.core.workers import ProgressCallback


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"actiseg {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
    ),
]
Workers = Annotated[
    int, typer.Option(min=1, help="Number of processes. The result does not depend on it.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", help="Hide progress; show errors and results only.")
]


JsonFile = Annotated[
    Optional[Path], typer.Option("--json", help="Also write all results to this JSON file.")
]


def quote_path(path: Path) -> str:
    """Quote a path for a shell, so that a command does not take it for a flag.

    >>> quote_path(Path("my split")), quote_path(Path("--split"))
    ("'my split'", './--split')
    """
    text = str(path)
    return shlex.quote(f"./{text}" if text.startswith("-") else text)


def announce_dataset(dataset: Path | None, *, option: str = "DATASET", make: bool = False) -> Path:
    """Return the root of the dataset, and print it as the first line of output.

    For `option` and `make` see `actiseg_data.make.locate.locate_dataset`.
    """
    from actiseg_data.make.locate import locate_dataset

    root, how = locate_dataset(dataset, option=option, make=make)
    print(f"dataset: {root} ({how})", flush=True)
    return root


def make_stage_progress(
    quiet: bool,
) -> Callable[[str], AbstractContextManager[ProgressCallback | None]]:
    """Return a function that shows the progress of each step, or nothing if quiet."""
    from actiseg_data.terminal.progress_printing import show_progress

    return lambda name: show_progress(name, quiet=quiet)
