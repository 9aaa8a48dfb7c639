"""`preview`: show the prompts and masks of one sequence, clean and noisy."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.errors import refuse
from actiseg_data.core.plurals import count_nouns
from actiseg_noise.cli.shared_options import CleanSource, NoisySplitFolder

if TYPE_CHECKING:
    from actiseg_data.records.ledger_record import LabelRow, TextRow


_NO_NOISE = "the split has no noise; {} is its first sequence"


def preview(
    out: NoisySplitFolder,
    sequence: Annotated[
        Optional[str],
        typer.Option(
            help="Sequence folder, as in the split's lists. Default: the one with the most noise."
        ),
    ] = None,
    to: Annotated[
        Optional[Path],
        typer.Option(help="Image to write: .png or .jpg. Default: show the text only."),
    ] = None,
    source: CleanSource = None,
    frame: Annotated[
        Optional[list[str]],
        typer.Option(help="Show only this frame (repeatable). Default: up to four, spread evenly."),
    ] = None,
) -> None:
    """Show one sequence: its prompts before and after, and an image of clean and noisy masks.

    Example: actiseg-noise preview actiseg_sample_boundary_r0.4_s0 --to preview.png
    """
    from actiseg_noise.preview.noisy_sequences import find_flips, find_noisiest, find_rewording
    from actiseg_noise.preview.sheet import make_preview, refuse_format, save_preview
    from actiseg_noise.split.noisy_split import check_report_on

    if to is not None:
        check_report_on(out, source, to, "to")
        refuse_format(to)
    chosen, items = (sequence, None) if sequence is not None else find_noisiest(out)
    rewording, flips = find_rewording(out, chosen), find_flips(out, chosen)
    if rewording is None and flips is None and to is None:
        raise refuse("has no text noise to show", out, "give --to sheet.png")
    if to is not None:
        save_preview(make_preview(out, chosen, source, frame or []), to)
    if items is not None:
        print(
            f"{chosen} has the most noise: {count_nouns(items, 'item')}"
            if items
            else _NO_NOISE.format(chosen)
        )
    if rewording is not None:
        print_rewording(rewording)
    if flips is not None:
        print_flips(flips)
    if to is not None:
        print(f"wrote {to}")


def print_rewording(rows: Sequence[TextRow]) -> None:
    """Print prompts, or a narration, before and after; changed words are in brackets."""
    from actiseg_noise.text_noise.word_diff import mark_changes

    for row in rows:
        print(row.prompt_org)
        print(f"  {mark_changes(row.prompt_org, row.prompt)}   ({row.kind})")
    if not rows:
        print("no words of this sequence were changed")


def print_flips(rows: Sequence[LabelRow]) -> None:
    """Print the objects whose label changed."""
    for row in rows:
        label = row.category_name or ("active" if row.value else "inactive")
        print(f"{row.object}: labelled as {label}   ({row.kind})")
    if not rows:
        print("no label of this sequence was changed")
