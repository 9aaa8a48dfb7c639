"""`rebuild`: make a published noisy split again from its kit, and compare."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.termination import Termination
from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress

if TYPE_CHECKING:
    from actiseg_data.core.workers import ProgressCallback
    from actiseg_noise.kits.rebuild_result import Rebuild


_NOT_COMPARED = (
    "the split is made, and was not compared with the published one: remove it and rebuild again, "
    "or check it with actiseg-noise verify"
)


def rebuild(
    release: Annotated[
        Path, typer.Argument(help="A release, or the file of a rebuild kit.", show_default=False)
    ],
    config: Annotated[
        Optional[str],
        typer.Option(help="The configuration, such as text-40, if the release has several."),
    ] = None,
    source: Annotated[Optional[Path], typer.Option(help="The clean dataset.")] = None,
    visor: Annotated[
        Optional[list[Path]],
        typer.Option(
            help="Instead of --source: folder with the raw files of VISOR, at any depth "
            "(repeatable)."
        ),
    ] = None,
    out: Annotated[
        Optional[Path],
        typer.Option(help="Folder to make. Default: the name of the configuration."),
    ] = None,
    images: Annotated[
        str, typer.Option(help="How to add frames of --source: link, copy or none.")
    ] = "link",
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Make a published noisy split again from its rebuild kit, and compare the two.

    A part of the clean data rebuilds that part. Exit with 1 on a difference.

    Example: actiseg-noise rebuild release --config boundary-40 --source dataset_visor --out noisy
    """
    from actiseg_noise.kits.rebuilding import COMPARING
    from actiseg_noise.kits.rebuilding import rebuild as run_rebuild

    show = make_stage_progress(quiet)

    @contextmanager
    def show_stage(name: str) -> Iterator[ProgressCallback | None]:
        try:
            with show(name) as progress:
                yield progress
        except (KeyboardInterrupt, Termination):
            if name == COMPARING:
                print(_NOT_COMPARED, file=sys.stderr)
            raise

    result = run_rebuild(
        release,
        config=config,
        source=source,
        visor=visor or (),
        out=out,
        images=images,
        workers=workers,
        stage=show_stage,
    )
    _print_result(result)
    if not result.identical:
        raise typer.Exit(1)


def _print_result(result: Rebuild) -> None:
    from actiseg_data.core.names import format_names

    if result.absent:
        print(f"raw files that are not here: {format_names(result.absent, 8)}")
    if result.changed:
        print(f"raw files with another content: {format_names(result.changed, 8)}")
    print(
        f"rebuilt {result.name} in {result.out}: compared {result.sequences} of "
        f"{count_nouns(result.published, 'sequence')}, {result.lists} whole lists"
    )
    if not result.identical:
        print(
            f"{count_nouns(result.differing, 'sequence differs', 'sequences differ')}; "
            f"{result.out} is kept"
        )
    print(result.verdict)
