"""`verify`, `inspect`, `preview`: is a noisy split what its recipe says, and what does it hold?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_noise.cli.shared_options import Only, Quiet, Workers, make_stage_progress, quoted


def verify(
    out: Annotated[Path, typer.Argument(help="The noisy split.", show_default=False)],
    source: Annotated[
        Optional[Path],
        typer.Option(help="The clean dataset: derive every pixel and word again and compare."),
    ] = None,
    only: Only = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Check a noisy split: by digests, and with --source pixel by pixel. Exit 1 on a mismatch.

    Without --source, how many items there were is taken as it is. Hidden files and the like are
    listed, but do not count as mismatches.

    Example: actiseg-noise verify actiseg_sample_text_r0.4_s0 --source actiseg_sample
    """
    from actiseg_data.core.names import format_names
    from actiseg_data.terminal.messages import MOST_LINES
    from actiseg_noise.verification.verification import verify as check

    found = check(out, source, only or [], workers, make_stage_progress(quiet))
    for line in found.mismatches[:MOST_LINES]:
        print(f"mismatch: {line}")
    if len(found.mismatches) > MOST_LINES:
        print(f"... and {len(found.mismatches) - MOST_LINES} more")
    if found.clutter:
        print(f"not ours: {format_names(found.clutter, 8)}")
    counts = ", ".join(f"{name.replace('_', ' ')} {n}" for name, n in found.counts.items())
    print(f"checked {out}: {counts}")
    if not found.ok:
        print(f"{len(found.mismatches)} mismatches")
        raise typer.Exit(1)
    print("all as it should be")
    if source is None:
        print(
            f"next: actiseg-noise verify {quoted(out)} --source DATASET, which derives every pixel "
            "and word again"
        )


Source = Annotated[
    Optional[Path],
    typer.Option(help="The clean dataset. Default: where the split's summary says that it was."),
]


def inspect(
    out: Annotated[Path, typer.Argument(help="The noisy split.", show_default=False)],
    source: Source = None,
    lexicon_file: Annotated[
        Optional[Path],
        typer.Option("--lexicon", help="For names and groups of classes. Default: EPIC's."),
    ] = None,
    json_file: Annotated[
        Optional[Path], typer.Option("--json", help="Write all figures to this file, too.")
    ] = None,
    only: Only = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Measure what a noisy split really holds: rates, words, IoU, where boundaries moved.

    Example: actiseg-noise inspect actiseg_sample_boundary_r0.4_s0
    """
    from actiseg_data.annotations.lexicon import read_lexicon
    from actiseg_data.core.files import write_json
    from actiseg_noise.cli.noise_tables import print_inspection
    from actiseg_noise.measurement.inspection import inspect as measure
    from actiseg_noise.split.noisy_split import refuse_inside

    if json_file is not None:
        refuse_inside(json_file, out, source)
    lexicon = None if lexicon_file is None else read_lexicon(lexicon_file)
    found = measure(out, source, only or [], workers, make_stage_progress(quiet), lexicon)
    print_inspection(found)
    if json_file is not None:
        write_json(json_file, found.to_dict(), indent=1)
        print(f"wrote {json_file}")


def preview(
    out: Annotated[Path, typer.Argument(help="The noisy split.", show_default=False)],
    sequence: Annotated[
        Optional[str],
        typer.Option(
            help="Sequence folder, as in the split's lists. Default: the one with most noise."
        ),
    ] = None,
    to: Annotated[
        Optional[Path],
        typer.Option(help="Picture to write: .png or .jpg. Without, only words are shown."),
    ] = None,
    source: Source = None,
    frame: Annotated[
        Optional[list[str]],
        typer.Option(help="Only this frame (repeatable). Default: up to four, spread evenly."),
    ] = None,
) -> None:
    """Show one sequence: its prompts before and after, and a sheet of masks, clean and noisy.

    Example: actiseg-noise preview actiseg_sample_boundary_r0.4_s0 --to preview.png
    """
    from actiseg_data.core.errors import refuse
    from actiseg_noise.cli.noise_tables import print_rewording
    from actiseg_noise.preview.sheet import (
        find_noisiest,
        find_rewording,
        make_preview,
        refuse_format,
        save_preview,
    )
    from actiseg_noise.split.noisy_split import refuse_inside

    if sequence is None:
        sequence, items = find_noisiest(out)
        print(f"{sequence} has most noise: {items} items")
    rewording = find_rewording(out, sequence)
    if rewording is None and to is None:
        raise refuse("has no text noise that could be shown here", out, "give --to sheet.png")
    if to is not None:
        refuse_inside(to, out, source)
        refuse_format(to)
        save_preview(make_preview(out, sequence, source, frame or []), to)
    if rewording is not None:
        print_rewording(rewording)
    if to is not None:
        print(f"wrote {to}")
