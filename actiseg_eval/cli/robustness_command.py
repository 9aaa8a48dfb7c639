"""`actiseg-eval robustness`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
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


@expand_options(
    truth_flags=TruthFlags,
    rules=ComparableRuleFlags,
    intervals=IntervalFlags,
    output=make_output_flags(),
    run=RunFlags,
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
    *,
    truth_flags: TruthFlags,
    rules: ComparableRuleFlags,
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
            help="Method that the others are compared with. Default: the one in the YAML file, "
            "else plain, else the first."
        ),
    ] = None,
    frozen: Annotated[
        Optional[list[Path]],
        typer.Option(
            help="Predictions of the net that all methods start from (repeatable, for seeds). "
            "Shares are above its score; by default, above that of blank masks."
        ),
    ] = None,
    primary: Primary = None,
    seed_deviation: SeedDeviation = None,
    drop: Annotated[
        float,
        typer.Option(help="Share of a score above the floor that is lost at the breaking point."),
    ] = 0.1,
    intervals: IntervalFlags,
    output: OutputFlags,
    run: RunFlags,
) -> None:
    """Measure robustness to noise: metrics by level, area under the curve, breaking point.

    Example: actiseg-eval robustness runs.yaml --gt dataset_visor --workers 2
    """
    from actiseg_eval.noise_levels.measuring import robustness
    from actiseg_eval.noise_levels.robustness_tables import (
        describe_robustness,
        make_robustness_page,
    )
    from actiseg_eval.noise_levels.runs import read_runs
    from actiseg_eval.scoring.scoring_options import make_bootstrap

    make_bootstrap(**intervals.keywords)  # refuses wrong values before it reads anything
    check_metric_names(metric, rules)
    known = read_runs(runs, baseline)
    if frozen:
        known = replace(known, frozen=tuple(frozen))
    truth = TruthFlags(
        gt=truth_flags.gt or known.truth,
        split=known.split if truth_flags.split is None else truth_flags.split,
        layout=truth_flags.layout,
        sequences=truth_flags.sequences or known.sequences,
    ).open(known.folders[0])
    output.check((*known.folders, *known.labels.values(), truth.root), (runs,))
    result = robustness(
        known,
        gt=truth,
        primary=primary,
        seed_deviation=seed_deviation,
        drop=drop,
        **rules.keywords,
        **intervals.keywords,
        **run.keywords,
    )
    print_report(describe_robustness(result, metric or ()))
    output.write(result.to_dict(), lambda: make_robustness_page(result, metric or ()))
