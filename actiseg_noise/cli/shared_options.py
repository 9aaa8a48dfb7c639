"""What several commands share: options of their own, and those of all packages."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import (
    Quiet,
    Workers,
    announce_dataset,
    make_stage_progress,
)

__all__ = [
    "Dataset",
    "Only",
    "Quiet",
    "Workers",
    "announce_dataset",
    "make_stage_progress",
    "quoted",
]

Dataset = Annotated[
    Optional[Path],
    typer.Argument(
        help="ActionVOS root. Default: $ACTISEG_DATASET, else ./dataset_visor, "
        "else ./actiseg_sample, which corrupt makes if it is not there.",
        show_default=False,
    ),
]
Only = Annotated[
    Optional[list[str]],
    typer.Option(metavar="SEQUENCE", help="Only this sequence folder (repeatable)."),
]


def quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))
