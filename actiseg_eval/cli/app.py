"""The commands of `actiseg-eval`, assembled."""

from __future__ import annotations

import typer

from actiseg_data.terminal.command_line import Version
from actiseg_eval.cli.compare_command import compare
from actiseg_eval.cli.metrics_command import explain_metrics
from actiseg_eval.cli.protocols_command import show_protocols
from actiseg_eval.cli.raw_scores_command import score_raw
from actiseg_eval.cli.robustness_command import measure_robustness
from actiseg_eval.cli.score_command import score

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def _describe(version: Version = False) -> None:
    """Score predicted masks of videos exactly, under explicit rules."""


app.command("score")(score)
app.command("compare")(compare)
app.command("robustness")(measure_robustness)
app.command("raw-scores")(score_raw)
app.command("protocols")(show_protocols)
app.command("metrics")(explain_metrics)
