"""The command `actiseg-train threshold`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from actiseg_data.terminal.command_line import Quiet, make_stage_progress, quote_path
from reference_trainer.cli.trainer_arguments import ThresholdOption, require_torch


def threshold(
    preds: Annotated[
        Path, typer.Argument(help="Output of `predict`, with raw scores.", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="New folder.")],
    activity: ThresholdOption = 0.75,
    quiet: Quiet = False,
) -> None:
    """Make masks for another activity threshold from the raw scores, without the model.

    Example: actiseg-train threshold preds --activity-threshold 0.5 --out preds_050
    """
    require_torch()
    from reference_trainer.inference.predictor import rethreshold

    print(rethreshold(preds, out, activity, stage=make_stage_progress(quiet)))
    print(f"next: actiseg-eval score {quote_path(out)}")
