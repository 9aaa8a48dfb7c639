"""What the commands share: options, the dataset that is meant, progress."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

if TYPE_CHECKING:
    from actiseg_data.parallel import Progress

Dataset = Annotated[
    Optional[Path],
    typer.Argument(
        help="ActionVOS root. Default: $ACTISEG_DATASET, else ./dataset_visor, else the sample.",
        show_default=False,
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes. The result does not depend on it.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; errors and results only.")]
Only = Annotated[
    Optional[list[str]],
    typer.Option(metavar="SEQUENCE", help="Only this sequence folder (repeatable)."),
]


def locate(dataset: Path | None) -> Path:
    """The dataset that is meant; the first line of output says which."""
    from actiseg_data.locate import locate_dataset

    root, how = locate_dataset(dataset)
    print(f"dataset: {root} ({how})", flush=True)
    return root


def staged(quiet: bool) -> Callable[[str], AbstractContextManager[Progress | None]]:
    """Shows the progress of each step of a command, or nothing."""
    from actiseg_noise.console import progress_of

    return lambda name: progress_of(name, quiet=quiet)


def quoted(path: Path) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))
