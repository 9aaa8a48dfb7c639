"""What the commands of all packages share: options, the dataset that is meant, progress."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from actiseg_data.parallel import Progress

Workers = Annotated[int, typer.Option(min=1, help="Processes. The result does not depend on it.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; errors and results only.")]


def locate(dataset: Path | None) -> Path:
    """The dataset that is meant; the first line of output says which."""
    from actiseg_data.locate import locate_dataset

    root, how = locate_dataset(dataset)
    print(f"dataset: {root} ({how})", flush=True)
    return root


def staged(quiet: bool) -> Callable[[str], AbstractContextManager[Progress | None]]:
    """Shows the progress of each step of a command, or nothing."""
    from actiseg_data.console import progress_of

    return lambda name: progress_of(name, quiet=quiet)
