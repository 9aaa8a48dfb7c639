"""`actiseg-eval robustness`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import JsonFile, Quiet, Workers, make_stage_progress
from actiseg_data.terminal.report_printing import print_report
from actiseg_eval.cli.scoring_flags import (
    Cluster,
    ComparableGroups,
    Filter,
    GroundTruthRoot,
    Level,
    MarkdownFile,
    Missing,
    ProtocolName,
    Resamples,
    SequenceFile,
    SplitName,
    announce_truth,
    check_metric_names,
    check_outputs,
    write_document,
    write_text,
)


def measure_robustness(
    runs: Annotated[
        Path,
        typer.Argument(
            help="YAML file of methods, noise levels and folders of predictions; or a folder with "
            "<method>/<level>/, with levels such as clean, 0.2, r0.2 or 20%, and 0.2_s1, 0.2_s2 "
            "for several seeds. Noisy copies of the dataset go to labels/<level>/.",
            show_default=False,
        ),
    ],
    gt: GroundTruthRoot = None,
    split: SplitName = None,
    sequences: SequenceFile = None,
    protocol: ProtocolName = "actionvos",
    metrics: ComparableGroups = None,
    metric: Annotated[
        Optional[list[str]],
        typer.Option(
            help="Show this metric, such as giou (repeatable). Default: giou, p_miou, n_miou, or "
            "those of the protocol. --json has all."
        ),
    ] = None,
    baseline: Annotated[
        Optional[str],
        typer.Option(
            help="Method that the others are compared with on clean data. Default: as the YAML "
            "file says, else plain, else the first."
        ),
    ] = None,
    drop: Annotated[
        float, typer.Option(help="Share of a score that is lost at the breaking point.")
    ] = 0.1,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    level: Level = 0.95,
    resamples: Resamples = 10_000,
    cluster: Cluster = "video",
    json_file: JsonFile = None,
    markdown_file: MarkdownFile = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Measure the robustness to noise: metrics by level, area under the curve, breaking point.

    Example: actiseg-eval robustness runs.yaml --gt dataset_visor --workers 2
    """
    from actiseg_eval.noise_levels.measuring import robustness
    from actiseg_eval.noise_levels.robustness_tables import describe_robustness, format_robustness
    from actiseg_eval.noise_levels.runs import read_runs
    from actiseg_eval.scoring.scoring_options import make_bootstrap

    make_bootstrap(level, resamples, cluster)  # refuses wrong values before it reads anything
    check_metric_names(metric, protocol, metrics)
    known = read_runs(runs, baseline)
    truth = announce_truth(
        known.folders[0],
        gt or known.truth,
        known.split if split is None else split,
        sequences or known.sequences,
    )
    folders = (*known.folders, *known.labels.values(), truth.root)
    check_outputs((json_file, markdown_file), folders, (runs,))
    result = robustness(
        known,
        gt=truth,
        protocol=protocol,
        metrics=metrics,
        drop=drop,
        filter=filter_flagged,
        missing=missing,
        ci=level,
        resamples=resamples,
        cluster=cluster,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_report(describe_robustness(result, metric or ()))
    write_document(json_file, result.to_dict())
    if markdown_file is not None:
        write_text(markdown_file, format_robustness(result, metric or ()))
