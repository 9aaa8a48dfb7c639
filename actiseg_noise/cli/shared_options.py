"""Options that several commands of this package share, and those of all packages."""

from __future__ import annotations

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
    "CleanSource",
    "Dataset",
    "LayoutKey",
    "LexiconFile",
    "NoisySplitFolder",
    "Only",
    "Quiet",
    "Workers",
    "announce_dataset",
    "make_stage_progress",
]

Dataset = Annotated[
    Optional[Path],
    typer.Argument(
        help="Dataset: ActionVOS, DAVIS, COCO or another layout (see docs/layouts.md). Default: "
        "$ACTISEG_DATASET, else ./dataset_visor, else ./actiseg_sample, which corrupt makes if it "
        "does not exist.",
        show_default=False,
    ),
]
LayoutKey = Annotated[
    Optional[str],
    typer.Option(
        "--layout",
        metavar="NAME",
        help="Layout of the dataset, such as davis. Default: the one that it has.",
    ),
]
NoisySplitFolder = Annotated[
    Path, typer.Argument(help="The noisy split.", show_default=False, file_okay=False)
]
CleanSource = Annotated[
    Optional[Path],
    typer.Option(help="The clean dataset. Default: the one that the split's summary names."),
]
LexiconFile = Annotated[
    Optional[Path],
    typer.Option("--lexicon", help="A lexicon file. Default: the lexicon of EPIC-KITCHENS."),
]
Only = Annotated[
    Optional[list[str]],
    typer.Option(
        metavar="SEQUENCE", help="Process only this sequence, named by its folder (repeatable)."
    ),
]
