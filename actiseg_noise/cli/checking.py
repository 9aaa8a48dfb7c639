"""`verify`, `inspect`, `preview`: is a noisy split what its recipe says, and what does it hold?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_noise.cli.options import Only, Quiet, Workers, quoted, staged


def verify(
    out: Annotated[Path, typer.Argument(help="The noisy split.", show_default=False)],
    source: Annotated[
        Optional[Path],
        typer.Option(help="The clean dataset: derive every pixel again and compare."),
    ] = None,
    only: Only = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Check a noisy split: by digests, and with --source pixel by pixel. Exit 1 on a mismatch."""
    from actiseg_noise.verify import verify as check

    found = check(out, source, only or [], workers, staged(quiet))
    for line in found.mismatches:
        print(f"mismatch: {line}")
    counts = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found.counts.items())
    print(f"checked {out}: {counts}")
    if not found.ok:
        print(f"{len(found.mismatches)} mismatches")
        raise typer.Exit(1)
    print("all as it should be")
    if source is None:
        print(
            f"next: actiseg-noise verify {quoted(out)} --source DATASET, which derives every pixel"
        )
