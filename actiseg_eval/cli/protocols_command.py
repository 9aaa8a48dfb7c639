"""`actiseg-eval protocols`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.option_groups import expand_options
from actiseg_data.terminal.report_printing import print_report
from actiseg_eval.cli.scoring_flags import Filter, Missing, RunFlags, TruthFlags


@expand_options(truth_flags=TruthFlags, run=RunFlags)
def show_protocols(
    preds: Annotated[
        Optional[Path],
        typer.Argument(help="Predictions: also show where the protocols differ on them."),
    ] = None,
    *,
    truth_flags: TruthFlags,
    filter_flagged: Filter = True,
    missing: Missing = "error",
    run: RunFlags,
) -> None:
    """Show the protocols side by side, and where they differ on given predictions.

    Example: actiseg-eval protocols preds/ --gt dataset_visor
    """
    from actiseg_eval.comparison.protocol_differences import (
        compare_protocols,
        describe_protocol_comparison,
        describe_protocols,
    )
    from actiseg_eval.protocols import load_protocols

    if preds is None:
        print_report(describe_protocols(load_protocols()))
        print("next: actiseg-eval protocols PREDS, which shows where they differ on these")
        return
    comparison = compare_protocols(
        preds,
        gt=truth_flags.open(preds),
        filter=filter_flagged,
        missing=missing,
        **run.keywords,
    )
    print_report(describe_protocol_comparison(comparison))
