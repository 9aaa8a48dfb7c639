"""`actiseg-eval score`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.option_groups import expand_options
from actiseg_data.terminal.report_printing import print_report
from actiseg_eval.cli.output_flags import OutputFlags, make_output_flags
from actiseg_eval.cli.scoring_flags import IntervalFlags, RuleFlags, RunFlags, TruthFlags


@expand_options(
    truth_flags=TruthFlags,
    rules=RuleFlags,
    intervals=IntervalFlags,
    output=make_output_flags(),
    run=RunFlags,
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
    *,
    truth_flags: TruthFlags,
    rules: RuleFlags,
    strata: Annotated[
        Optional[Path],
        typer.Option(
            help="ledger.jsonl of a noisy split: also score by kind and strength of noise."
        ),
    ] = None,
    intervals: IntervalFlags,
    output: OutputFlags,
    run: RunFlags,
) -> None:
    """Score a folder of predictions against the ground truth.

    Example: actiseg-eval score preds/ --gt dataset_visor --metrics core,jf --workers 2
    """
    from actiseg_eval.reporting.score_tables import describe_report, make_score_page
    from actiseg_eval.scoring.folder_scoring import score as compute
    from actiseg_eval.scoring.scoring_options import make_bootstrap

    make_bootstrap(**intervals.keywords)  # refuses wrong values before it reads anything
    truth = truth_flags.open(preds)
    output.check((preds, truth.root), [preds] if strata is None else [preds, strata])
    report = compute(
        preds,
        gt=truth,
        strata=strata,
        **rules.keywords,
        **intervals.keywords,
        **run.keywords,
    )
    print_report(describe_report(report))
    output.write(report.to_dict(), lambda: make_score_page(report))
