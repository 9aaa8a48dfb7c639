"""The commands of `actiseg-noise`, put together."""

from __future__ import annotations

from collections.abc import Callable

import typer

from actiseg_data.terminal.command_line import Version
from actiseg_noise.cli import audit_command as auditing
from actiseg_noise.cli import checking_commands as checking
from actiseg_noise.cli import corrupt_command as making
from actiseg_noise.cli import dataset_commands as datasets
from actiseg_noise.cli import lexicon_commands as lexicon
from actiseg_noise.cli import preset_commands as manifests

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _main(version: Version = False) -> None:
    """Make and check noisy copies of ActionVOS annotations, the same on every machine."""


for command in (
    making.corrupt,
    checking.verify,
    checking.inspect,
    checking.preview,
    auditing.audit,
    manifests.types,
    manifests.presets,
    datasets.sample,
    datasets.render,
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
_group(
    "lexicon",
    "The names of things: make a lexicon, look into it.",
    lexicon.build,
    lexicon.show,
    lexicon.coverage,
)
