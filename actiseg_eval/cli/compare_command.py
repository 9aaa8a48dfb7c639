"""`actiseg-eval compare`."""

from __future__ import annotations

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
    Missing,
    ProtocolName,
    SequenceFile,
    SplitName,
    announce_truth,
    check_metric_names,
    check_outputs,
    write_document,
)


def compare(
    methods: Annotated[
        list[str],
        typer.Argument(
            help="Folders of predictions, or name=folder,folder for the seeds of one method.",
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
        typer.Option(help="Show only this metric, such as giou (repeatable). Default: all."),
    ] = None,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    level: Level = 0.95,
    resamples: Annotated[
        int, typer.Option(help="Number of resamples for intervals and p values.")
    ] = 10_000,
    cluster: Cluster = "video",
    json_file: JsonFile = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Compare methods on the same sequences, and test whether one is significantly better.

    Example: actiseg-eval compare ours=run1,run2,run3 elr=run4,run5,run6 --gt dataset_visor
    """
    from actiseg_eval.comparison.comparing import compare as compute
    from actiseg_eval.comparison.comparison_tables import describe_comparison
    from actiseg_eval.comparison.methods import parse_methods
    from actiseg_eval.resampling.bootstrap import Bootstrap

    Bootstrap(level, resamples, cluster)  # refuses wrong values before it reads anything
    parsed = parse_methods(methods)
    check_metric_names(metric, protocol, metrics)
    folders = [run for method in parsed for run in method.runs]
    truth = announce_truth(folders[0], gt, split, sequences)
    check_outputs((json_file,), (*folders, truth.root))
    comparison = compute(
        parsed,
        gt=truth,
        protocol=protocol,
        metrics=metrics,
        filter=filter_flagged,
        missing=missing,
        ci=level,
        resamples=resamples,
        cluster=cluster,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_report(describe_comparison(comparison, metric or ()))
    write_document(json_file, comparison.to_dict())
