"""`actiseg-eval raw-scores`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.option_groups import expand_options
from actiseg_data.terminal.report_printing import print_report
from actiseg_eval.cli.output_flags import OutputFlags, make_output_flags
from actiseg_eval.cli.scoring_flags import Filter, IntervalFlags, Missing, RunFlags, TruthFlags


@expand_options(
    truth_flags=TruthFlags, intervals=IntervalFlags, output=make_output_flags(), run=RunFlags
)
def score_raw(
    methods: Annotated[
        list[str],
        typer.Argument(
            help="Folders of predictions with scores.json and scores.npz, or name=folder,folder "
            "for the seeds of one method.",
            show_default=False,
        ),
    ],
    *,
    truth_flags: TruthFlags,
    frozen: Annotated[
        Optional[str],
        typer.Option(help="Predictions of the net that the methods started from (folder,folder)."),
    ] = None,
    clean: Annotated[
        Optional[str],
        typer.Option(help="Predictions of the run on clean labels (folder,folder)."),
    ] = None,
    tuning: Annotated[
        Optional[list[str]],
        typer.Option(
            help="name=folder,folder: predictions of a tuning split, which set the gates "
            "(repeatable: once for each method, frozen and clean too)."
        ),
    ] = None,
    tuning_gt: Annotated[
        Optional[Path],
        typer.Option(help="Ground truth of the tuning split. Default: as predictions.json says."),
    ] = None,
    tuning_split: Annotated[
        Optional[str], typer.Option(help="The tuning split. Default: as predictions.json says.")
    ] = None,
    n_rate: Annotated[
        float, typer.Option(help="Largest n-rate on the tuning split, which sets the gates.")
    ] = 0.1,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    intervals: IntervalFlags,
    output: OutputFlags,
    run: RunFlags,
) -> None:
    """Score activity without a threshold, masks without the gate, and what of clean labels is kept.

    Example: actiseg-eval raw-scores plain=run1,run2 gce=run3 --frozen start --clean clean
    """
    from actiseg_eval.comparison.methods import parse_methods
    from actiseg_eval.raw_scores.raw_score_measuring import measure_raw_scores
    from actiseg_eval.raw_scores.raw_score_tables import describe_raw_scores, make_raw_score_page
    from actiseg_eval.scoring.scoring_options import make_bootstrap

    make_bootstrap(**intervals.keywords)  # refuses wrong values before it reads anything
    parsed = parse_methods(methods, least=1)
    tuned = parse_methods(tuning, least=1, parameter="tuning") if tuning else None
    ends = [folder for text in (frozen, clean) if text for folder in text.split(",")]
    folders = [folder for method in (*parsed, *(tuned or ())) for folder in method.runs]
    truth = truth_flags.open(parsed[0].runs[0])
    output.check((*folders, *map(Path, ends), truth.root))
    report = measure_raw_scores(
        parsed,
        gt=truth,
        frozen=None if frozen is None else frozen.split(","),
        clean=None if clean is None else clean.split(","),
        tuning=tuned,
        tuning_gt=tuning_gt,
        tuning_split=tuning_split,
        n_rate=n_rate,
        filter=filter_flagged,
        missing=missing,
        **intervals.keywords,
        **run.keywords,
    )
    print_report(describe_raw_scores(report))
    output.write(report.to_dict(), lambda: make_raw_score_page(report))
