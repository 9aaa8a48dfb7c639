"""The command `actiseg-train predict`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import (
    Quiet,
    announce_dataset,
    make_stage_progress,
    quote_path,
)
from reference_trainer.cli.trainer_arguments import (
    DatasetArgument,
    DeviceOption,
    RunArgument,
    ThresholdOption,
    require_torch,
)


def predict(
    run: RunArgument,
    dataset: DatasetArgument = None,
    split: Annotated[str, typer.Option(help="Action list to predict.")] = "val_human",
    out: Annotated[Optional[Path], typer.Option(help="New folder. Default: RUN/<split>.")] = None,
    noisy: Annotated[
        Optional[Path],
        typer.Option(
            help="Noisy copy of the split: its prompts are used, and scores are with its labels."
        ),
    ] = None,
    threshold: ThresholdOption = 0.75,
    encoder: Annotated[
        Optional[str],
        typer.Option(help="Encoder of the run; required for a package.module:factory."),
    ] = None,
    device: DeviceOption = None,
    quiet: Quiet = False,
) -> None:
    """Predict a split: write index masks with the objects' ids, and the raw scores.

    Example: actiseg-train predict run dataset_visor --split val_human --out preds
    """
    require_torch()
    from reference_trainer.inference.predictor import predict as predict_split

    root = announce_dataset(dataset)
    folder = run / split if out is None else out
    report = predict_split(
        run,
        root,
        split,
        folder,
        noisy=noisy,
        activity_threshold=threshold,
        device=device or "auto",
        encoder=encoder,
        stage=make_stage_progress(quiet),
    )
    print(report)
    print(f"next: actiseg-eval score {quote_path(folder)}")
