"""`actiseg-eval compare`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.option_groups import expand_options
from actiseg_data.terminal.report_printing import print_report
from actiseg_eval.cli.output_flags import OutputFlags, make_output_flags
from actiseg_eval.cli.scoring_flags import (
    ComparableRuleFlags,
    IntervalFlags,
    Primary,
    RunFlags,
    SeedDeviation,
    TruthFlags,
    check_metric_names,
)


@dataclass(frozen=True)
class SignificanceFlags(IntervalFlags):
    """How to make confidence intervals and p values."""

    resamples: Annotated[
        int, typer.Option(help="Number of resamples for intervals and p values.")
    ] = 10_000


@expand_options(
    truth_flags=TruthFlags,
    rules=ComparableRuleFlags,
    intervals=SignificanceFlags,
    output=make_output_flags(),
    run=RunFlags,
)
def compare(
    methods: Annotated[
        list[str],
        typer.Argument(
            help="Folders of predictions, or name=folder,folder for the seeds of one method.",
            show_default=False,
        ),
    ],
    *,
    truth_flags: TruthFlags,
    rules: ComparableRuleFlags,
    metric: Annotated[
        Optional[list[str]],
        typer.Option(help="Show only this metric, such as giou (repeatable). Default: all."),
    ] = None,
    primary: Primary = None,
    seed_deviation: SeedDeviation = None,
    equivalence: Annotated[
        Optional[float],
        typer.Option(
            help="Test whether methods differ by less than this in the primary metric, such as "
            "0.02."
        ),
    ] = None,
    intervals: SignificanceFlags,
    output: OutputFlags,
    run: RunFlags,
) -> None:
    """Compare methods on the same sequences, and test whether one is significantly better.

    Example: actiseg-eval compare ours=run1,run2,run3 elr=run4,run5,run6 --gt dataset_visor
    """
    from actiseg_eval.comparison.comparing import compare as compute
    from actiseg_eval.comparison.comparison_tables import (
        describe_comparison,
        make_comparison_page,
    )
    from actiseg_eval.comparison.methods import parse_methods
    from actiseg_eval.scoring.scoring_options import require_bootstrap

    require_bootstrap(**intervals.keywords)  # refuses wrong values before it reads anything
    parsed = parse_methods(methods)
    check_metric_names(metric, rules)
    folders = [folder for method in parsed for folder in method.runs]
    truth = truth_flags.open(folders[0])
    output.check((*folders, truth.root))
    comparison = compute(
        parsed,
        gt=truth,
        primary=primary,
        seed_deviation=seed_deviation,
        equivalence=equivalence,
        **rules.keywords,
        **intervals.keywords,
        **run.keywords,
    )
    print_report(describe_comparison(comparison, metric or ()))
    output.write(comparison.to_dict(), lambda: make_comparison_page(comparison, metric or ()))
