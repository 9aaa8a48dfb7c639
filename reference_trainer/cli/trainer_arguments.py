"""Arguments and helpers that several commands of `actiseg-train` share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

DatasetArgument = Annotated[
    Optional[Path],
    typer.Argument(
        help="ActionVOS root. Default: $ACTISEG_DATASET, else ./dataset_visor, "
        "else ./actiseg_sample.",
        show_default=False,
    ),
]
RunArgument = Annotated[
    Path, typer.Argument(help="The folder of a run that `fit` made.", show_default=False)
]
DeviceOption = Annotated[
    Optional[str],
    typer.Option(help="auto, cpu, cuda or cuda:N. Default: auto, a GPU if there is one."),
]
ENCODER_NAMES = "tiny, lite0, hf:NAME or package.module:factory"
ThresholdOption = Annotated[
    float,
    typer.Option("--activity-threshold", help="Objects with a lower activity get no pixels."),
]


def require_torch() -> None:
    """Raise an error if PyTorch is not installed, as in the base installation."""
    from importlib.util import find_spec

    from actiseg_data.core.errors import refuse

    try:  # finding the package is fast, importing it is not
        is_installed = find_spec("torch") is not None
    except (ImportError, ValueError):
        is_installed = False
    if not is_installed:
        hint = 'install it: pip install "actiseg[train]"'
        raise refuse("PyTorch is not installed", "actiseg-train", hint)
