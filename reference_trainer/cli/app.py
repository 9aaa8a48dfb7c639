"""The commands of `actiseg-train`, each from its own module."""

from __future__ import annotations

import typer

from actiseg_data.terminal.command_line import Version
from reference_trainer.cli.bench_command import bench
from reference_trainer.cli.detect_command import detect
from reference_trainer.cli.fit_command import fit, resume
from reference_trainer.cli.predict_command import predict
from reference_trainer.cli.strategies_command import list_strategies
from reference_trainer.cli.threshold_command import threshold

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False)


@app.callback()
def _main(version: Version = False) -> None:
    """Train a small baseline for ActionVOS on clean or noisy labels; it has several strategies."""


for command in (fit, resume, predict, threshold, detect, bench):
    app.command()(command)
app.command("strategies")(list_strategies)
