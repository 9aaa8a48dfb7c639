"""`sample`: make the built-in sample."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actiseg_data.terminal.command_line import quote_path


def sample(
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
) -> None:
    """Make the built-in sample: a small synthetic dataset in the ActionVOS layout."""
    from actiseg_data.make.sample import make_sample

    print(make_sample(out))
    print(f"next: actiseg-noise corrupt {quote_path(out)} --type boundary --rate 0.4")
