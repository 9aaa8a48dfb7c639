"""`sample`, `prepare` and `render`: clean datasets to work on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_noise.cli.shared_options import (
    Dataset,
    Quiet,
    Workers,
    announce_dataset,
    make_stage_progress,
    quoted,
)


def sample(
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
) -> None:
    """Make the built-in sample: a small synthetic dataset in the ActionVOS layout."""
    from actiseg_data.make.sample import make_sample

    print(make_sample(out))
    print(f"next: actiseg-noise corrupt {quoted(out)} --type boundary --rate 0.4")


def visor(
    annotations: Annotated[
        Path, typer.Option(help="Folder of VISOR's sparse JSON files, or the download above it.")
    ],
    frame_mapping: Annotated[Path, typer.Option(help="VISOR's frame_mapping.json (or .json.gz).")],
    narrations: Annotated[
        list[Path], typer.Option(help="EPIC-KITCHENS-100 narration CSV (repeatable).")
    ],
    noun_classes: Annotated[Path, typer.Option(help="EPIC_100_noun_classes_v2.csv.")],
    split: Annotated[str, typer.Option(help="train or val, as VISOR divides its videos.")],
    out: Annotated[Path, typer.Option(help="ActionVOS root to make, or to add the split to.")],
    images: Annotated[
        Optional[Path], typer.Option(help="Folder of VISOR's RGB frames, unpacked.")
    ] = None,
    human_labels: Annotated[
        Optional[list[Path]],
        typer.Option(help="Human-labelled list such as val_human.json (repeatable)."),
    ] = None,
    hos_corrections: Annotated[
        Optional[Path], typer.Option(help="Corrections of hand contacts, of VISOR-HOS.")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Build ActionVOS lists, prompts, masks and weights from raw EPIC-KITCHENS VISOR.

    Example: actiseg-noise prepare visor --annotations visor/val --split val --frame-mapping
    frame_mapping.json --narrations EPIC_100_validation.csv --noun-classes
    EPIC_100_noun_classes_v2.csv --out dataset_visor
    """
    from actiseg_data.make.prepare.preparation import prepare_visor
    from actiseg_noise.cli.noise_tables import print_preparation

    with make_stage_progress(quiet)("drawing videos") as progress:
        report = prepare_visor(
            annotations=annotations,
            split=split,
            frame_mapping=frame_mapping,
            narrations=narrations,
            noun_classes=noun_classes,
            out=out,
            images=images,
            human_labels=human_labels or [],
            hos_corrections=hos_corrections,
            workers=workers,
            progress=progress,
        )
    print_preparation(report)
    print(f"made the split {split!r} in {out}; prepare-{split}.json lists every place")
    print(f"next: actiseg-noise corrupt {quoted(out)} --split {split} --type boundary --rate 0.4")


def render(
    dataset: Dataset = None,
    split: Annotated[str, typer.Option(help="Action list whose frames to render.")] = "train",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace frames that are there.")
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Render frames from clean masks, for a dataset whose photographs are not at hand.

    Shapes, actions and labels stay real, pixels are made. The dataset is marked as rendered.

    Example: actiseg-noise render dataset_visor --split train --workers 2
    """
    from actiseg_data.make.render.split_rendering import render_split

    root = announce_dataset(dataset)
    print(
        render_split(
            root, split, overwrite=overwrite, workers=workers, stage=make_stage_progress(quiet)
        )
    )
    print(f"next: actiseg-train fit {quoted(root)} --out run")
