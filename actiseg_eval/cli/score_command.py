"""`actiseg-eval score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import JsonFile, Quiet, Workers, make_stage_progress
from actiseg_data.terminal.report_printing import print_report
from actiseg_eval.cli.scoring_flags import (
    Cluster,
    Filter,
    GroundTruthRoot,
    Level,
    MarkdownFile,
    MetricGroups,
    Missing,
    ProtocolName,
    Resamples,
    SequenceFile,
    SplitName,
    announce_truth,
    check_outputs,
    write_document,
    write_text,
)


def score(
    preds: Annotated[
        Path,
        typer.Argument(
            help="Folder with index masks <sequence>/<frame>.png, also below train/ or val/; or "
            "with binary masks <sequence>/<object id>/<frame>.png; or a .json list of COCO RLE; or "
            "a dataset, to score its masks.",
            show_default=False,
        ),
    ],
    gt: GroundTruthRoot = None,
    split: SplitName = None,
    sequences: SequenceFile = None,
    protocol: ProtocolName = "actionvos",
    metrics: MetricGroups = None,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    strata: Annotated[
        Optional[Path],
        typer.Option(
            help="ledger.jsonl of a noisy split: also score by kind and strength of noise."
        ),
    ] = None,
    level: Level = 0.95,
    resamples: Resamples = 10_000,
    cluster: Cluster = "video",
    json_file: JsonFile = None,
    csv_file: Annotated[
        Optional[Path],
        typer.Option("--csv", help="Also write all metrics and strata to this CSV file."),
    ] = None,
    markdown_file: MarkdownFile = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Score a folder of predictions against the ground truth.

    Example: actiseg-eval score preds/ --gt dataset_visor --metrics core,jf --workers 2
    """
    from actiseg_eval.reporting.score_tables import describe_report, format_csv, format_markdown
    from actiseg_eval.scoring.folder_scoring import score as compute
    from actiseg_eval.scoring.scoring_options import make_bootstrap

    make_bootstrap(level, resamples, cluster)  # refuses wrong values before it reads anything
    truth = announce_truth(preds, gt, split, sequences)
    read = [preds] if strata is None else [preds, strata]
    check_outputs((json_file, csv_file, markdown_file), (preds, truth.root), read)
    report = compute(
        preds,
        gt=truth,
        protocol=protocol,
        metrics=metrics,
        filter=filter_flagged,
        missing=missing,
        strata=strata,
        ci=level,
        resamples=resamples,
        cluster=cluster,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_report(describe_report(report))
    write_document(json_file, report.to_dict())
    if csv_file is not None:
        write_text(csv_file, format_csv(report))
    if markdown_file is not None:
        write_text(markdown_file, format_markdown(report))
