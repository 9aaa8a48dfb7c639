"""The command `actiseg-train detect`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.core.tables import Table, render_text
from actiseg_data.terminal.command_line import JsonFile, Quiet, make_stage_progress
from reference_trainer.cli.trainer_arguments import DeviceOption, RunArgument, require_torch


def detect(
    run: RunArgument,
    dataset: Annotated[
        Optional[Path],
        typer.Argument(help="The clean dataset. Default: as in the run.", show_default=False),
    ] = None,
    noisy: Annotated[
        Optional[Path],
        typer.Option(help="The noisy copy that was trained on. Default: as in the run."),
    ] = None,
    noise: Annotated[
        Optional[Path],
        typer.Option(help="The recipe of the noise on the fly. Default: as in the run."),
    ] = None,
    top: Annotated[
        Optional[int],
        typer.Option(help="k of the precision at k. Default: the number of wrong labels."),
    ] = None,
    mask_iou: Annotated[
        float, typer.Option(help="Masks with a lower mean IoU with the clean mask are wrong.")
    ] = 0.9,
    device: DeviceOption = None,
    json_file: JsonFile = None,
    quiet: Quiet = False,
) -> None:
    """Tell how well the losses of a run find its wrong labels, which the ledger names.

    Example: actiseg-train detect run dataset_visor --noisy dataset_visor_text_r0.4_s0
    """
    require_torch()
    from actiseg_data.terminal.file_writing import write_report
    from reference_trainer.inference.detection import detect as detect_labels

    report = detect_labels(
        run,
        dataset,
        noisy,
        noise=noise,
        top=top,
        mask_iou=mask_iou,
        device=device or "auto",
        stage=make_stage_progress(quiet),
    )
    columns = ["wrong", "among", "objects", "errors", "by", "AUROC ↑", "precision ↑", "at k"]
    rows = [
        [
            *(detection.wrong, detection.among, str(detection.objects), str(detection.errors)),
            *(detection.signal, f"{detection.auroc:.4f}", f"{detection.precision:.4f}"),
            str(detection.count),
        ]
        for detection in report.detections
    ]
    print(f"wrong labels by the losses of {report.strategy}")
    if rows:
        print(render_text(Table("", columns, rows)))
    print(
        "loss: of the strategy, with all of its terms; activity, masks: the plain losses of these. "
        "Masks are wrong below a mean IoU of "
        f"{report.mask_iou:g}, prompts if they name another thing"
    )
    for note in report.notes:
        print(f"note: {note}")
    write_report(json_file, report.to_dict())
