"""`render`: render frames for a dataset without photographs."""

from __future__ import annotations

from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import quote_path
from actiseg_noise.cli.shared_options import (
    Dataset,
    LayoutKey,
    Quiet,
    Workers,
    announce_dataset,
    make_stage_progress,
)


def render(
    dataset: Dataset = None,
    split: Annotated[
        Optional[str],
        typer.Option(help="List of the frames to render. Default: train, or that of the layout."),
    ] = None,
    layout: LayoutKey = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace existing frames.")
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Render frames from clean masks, for a dataset without photographs.

    Shapes, actions and labels are real, pixels are synthetic. The dataset is marked as rendered.

    Example: actiseg-noise render dataset_visor --split train --workers 2
    """
    from actiseg_data.make.render.split_rendering import render_split

    root = announce_dataset(dataset)
    stage = make_stage_progress(quiet)
    print(
        render_split(root, split, layout=layout, overwrite=overwrite, workers=workers, stage=stage)
    )
    print(f"next: actiseg-train fit {quote_path(root)} --out run")
