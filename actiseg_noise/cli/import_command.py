"""`import`: make a noisy split of this toolkit from anybody's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import quote_path
from actiseg_noise.cli.shared_options import LexiconFile, Quiet, Workers, make_stage_progress

_OTHER_OBJECTS = 0.1
"""Noise leaves a higher median IoU, unless most objects are other ones."""


def import_noisy(
    noisy: Annotated[
        Path,
        typer.Argument(
            help="A noisy dataset, or a folder of noisy lists or masks, from any generator.",
            show_default=False,
        ),
    ],
    clean: Annotated[
        Path, typer.Option(help="The clean dataset (an ActionVOS root).", show_default=False)
    ],
    out: Annotated[Path, typer.Option(help="Folder to make.", show_default=False)],
    split: Annotated[
        Optional[str],
        typer.Option(help="Action list to import. Default: the only one; for masks alone, train."),
    ] = None,
    lexicon_file: LexiconFile = None,
    images: Annotated[str, typer.Option(help="How to add frames: link, copy or none.")] = "link",
    weights: Annotated[
        str,
        typer.Option(
            help="Training weights, if the clean dataset has them: derive (from the noisy masks) "
            "or none."
        ),
    ] = "derive",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another noisy split at --out.")
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Make a noisy split of this toolkit from a noisy split of any generator.

    Example: actiseg-noise import ImageSets_noise20 --clean dataset_visor --out noise20
    """
    from actiseg_data.terminal.report_printing import print_report
    from actiseg_noise.cli.corruption_report import describe_corruption
    from actiseg_noise.kits.importing import import_split

    result = import_split(
        noisy,
        clean,
        out,
        split,
        lexicon=lexicon_file,
        images=images,
        weights=weights,
        overwrite=overwrite,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    made = result.corruption
    print_report(describe_corruption(made.summary))
    if result.absent:
        print(
            f"{count_nouns(len(result.absent), 'sequence')} of the clean split not in {noisy}: "
            "left out"
        )
    if result.strangers:
        print(
            f"{count_nouns(len(result.strangers), 'sequence')} of {noisy} not in the clean split: "
            "ignored"
        )
    if result.unpaired:
        print(
            f"{count_nouns(result.unpaired, 'mask')} of {noisy} of no frame of the clean split: "
            "ignored"
        )
    if result.renumbered:
        print(
            f"{count_nouns(result.renumbered, 'sequence has', 'sequences have')} another number "
            f"in {noisy}: names without the number, and frames, decided which they are"
        )
    if result.median_iou is not None and result.median_iou < _OTHER_OBJECTS:
        print(
            "objects seem to be numbered in another way: the median IoU of objects with noise is "
            f"{result.median_iou:.2f}"
        )
    state = "made" if made.made else "exists already and is complete:"
    print(f"{state} {made.out}; recipe {made.recipe_digest}")
    folder = quote_path(made.out)
    print(f"next: actiseg-noise audit {folder} --strict")
    print(f"      actiseg-noise publish {folder} --to release")
