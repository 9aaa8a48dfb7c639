"""`diff`: what changed between two noisy splits, releases or versions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import JsonFile, quote_path

MOST_ITEMS = 20
"""Most items of each medium that are printed without --all."""


def compare(
    a: Annotated[
        Path,
        typer.Argument(
            help="A noisy split, a release, an archive (.tar) of one, or a rebuild kit (.json).",
            show_default=False,
        ),
    ],
    b: Annotated[Path, typer.Argument(help="What to compare it with.", show_default=False)],
    config: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="NAME", help="Compare only this configuration of a release (repeatable)."
        ),
    ] = None,
    json_file: JsonFile = None,
    every: Annotated[
        bool,
        typer.Option("--all", help=f"Print all items, not only {MOST_ITEMS} of each medium."),
    ] = False,
) -> None:
    """Show what changed between two noisy splits, releases or versions.

    Exit with 0 if nothing differs, 1 if something does, 2 on an error. Sequences are matched by
    identity, not by number. Masks are compared by their digests: verify checks the files.

    Example: actiseg-noise diff release-1.0.0 release-1.1.0 --config text-40
    """
    from actiseg_data.layouts.report_files import check_report_file
    from actiseg_data.terminal.file_writing import write_report
    from actiseg_data.terminal.report_printing import print_report
    from actiseg_noise.differences.difference_report import describe_difference
    from actiseg_noise.differences.release_comparison import compare_splits

    if json_file is not None:
        check_report_file(json_file, [a, b], "json")
    difference = compare_splits(a, b, config or None)
    print_report(describe_difference(difference, None if every else MOST_ITEMS))
    write_report(json_file, difference.to_dict())
    if not difference.same:
        if not every and difference.longest > MOST_ITEMS:
            print(f"next: actiseg-noise diff {quote_path(a)} {quote_path(b)} --all")
        raise typer.Exit(1)
    if a.is_dir() and (a / "recipe.json").is_file():
        print(f"next: actiseg-noise verify {quote_path(a)}, which checks its files")
