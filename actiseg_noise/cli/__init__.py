"""The command line `actiseg-noise`: parse, call, print."""

from __future__ import annotations

import sys
from collections.abc import Callable

import typer

from actiseg_data.errors import Refused, refuse
from actiseg_noise.cli import checking, datasets, making, manifests

app = typer.Typer(
    help="Make and check noisy copies of ActionVOS annotations, the same on every machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    making.corrupt,
    checking.verify,
    checking.inspect,
    checking.preview,
    manifests.types,
    manifests.presets,
    datasets.sample,
):
    app.command()(command)


def _group(name: str, text: str, *commands: Callable[..., None]) -> None:
    group = typer.Typer(help=text, no_args_is_help=True)
    group.callback()(lambda: None)  # keeps the name of a group's only command
    for command in commands:
        group.command()(command)
    app.add_typer(group, name=name)


_group("prepare", "Build an ActionVOS dataset from raw annotations.", datasets.visor)
_group("manifests", "Golden digests of the presets.", manifests.check, manifests.derive)


def main() -> None:
    """Entry point: exit 0 done, 1 mismatch, 2 refused, 130 interrupted."""
    from actiseg_noise.console import print_problems

    try:
        app()
    except Refused as refused:
        print_problems(refused)
        sys.exit(2)
    except OSError as error:
        # What no check foresaw: a folder that may not be entered, a disk that is gone.
        problem = error.strerror or str(error)
        print_problems(refuse(problem, error.filename or "the system", "check place and rights"))
        sys.exit(2)
