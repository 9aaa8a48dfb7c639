"""`verify`: compare a noisy split with its digests and its recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import quote_path
from actiseg_noise.cli.shared_options import (
    NoisySplitFolder,
    Only,
    Quiet,
    Workers,
    make_stage_progress,
)


def verify(
    out: NoisySplitFolder,
    source: Annotated[
        Optional[Path],
        typer.Option(help="The clean dataset: reproduce every pixel and word from it."),
    ] = None,
    only: Only = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Check a noisy split against its digests and, with --source, pixel by pixel.

    Exit with 1 on a mismatch. Without --source, the item counts of the summary are not checked.
    Hidden files and the like are listed, but are not mismatches.

    Example: actiseg-noise verify actiseg_sample_text_r0.4_s0 --source actiseg_sample
    """
    from actiseg_data.core.names import format_names
    from actiseg_data.terminal.messages import MOST_LINES
    from actiseg_noise.verification.verification import verify as run_verification

    result = run_verification(out, source, only or None, workers, make_stage_progress(quiet))
    for line in result.mismatches[:MOST_LINES]:
        print(f"mismatch: {line}")
    if len(result.mismatches) > MOST_LINES:
        print(f"... and {len(result.mismatches) - MOST_LINES} more")
    if result.clutter:
        print(f"not part of the split: {format_names(result.clutter, 8)}")
    counts = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in result.counts.items())
    print(f"checked {out}: {counts}")
    if not result.ok:
        print(f"{len(result.mismatches)} mismatches")
        raise typer.Exit(1)
    print("no mismatch")
    if source is None:
        command = f"actiseg-noise verify {quote_path(out)} --source DATASET"
        print(f"next: {command}, which reproduces every pixel and word")
