"""`prepare`: build an ActionVOS dataset from raw annotations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import quote_path
from actiseg_noise.cli.prepare_action_command import print_action_result
from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress

if TYPE_CHECKING:
    from actiseg_data.make.prepare.preparation_report import PrepareReport


def prepare_split(
    annotations: Annotated[
        Path,
        typer.Option(
            help="Folder of VISOR's JSON files, sparse or dense, a folder above it, or one file."
        ),
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
        Optional[Path], typer.Option(help="VISOR-HOS corrections of hand contacts.")
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
    from actiseg_data.terminal.report_printing import print_report

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
    print_report(describe_preparation(report))
    print(f"made the split {split!r} in {out}; prepare-{split}.json lists all special cases")
    command = f"actiseg-noise corrupt {quote_path(out)} --split {split} --type boundary --rate 0.4"
    print(f"next: {command}")


def describe_preparation(report: PrepareReport) -> Iterator[str]:
    """Describe what was made, and count the special cases."""
    from actiseg_data.make.prepare.preparation_report import KINDS

    yield (
        f"{count_nouns(report.sequences, 'sequence')} of {count_nouns(report.videos, 'video')} in "
        f"{report.split}.json: {count_nouns(report.objects, 'object')}, {report.positive} of them "
        "active"
    )
    for human in report.lists:
        yield (
            f"{count_nouns(human.sequences, 'sequence')} in {human.name}.json: {human.absent} "
            f"others are of videos that are not in this dataset, {len(human.left_out)} do not fit, "
            f"{len(human.without_narration)} are in this list only"
        )
    yield (
        f"{count_nouns(report.folders, 'folder')}, {report.frames} distinct frames, "
        f"{count_nouns(report.masks, 'mask')}"
    )
    if report.images is not None:
        yield f"{count_nouns(report.images, 'frame has', 'frames have')} an image"
    yield f"numbering: {report.numbering.note}"
    if report.noise is not None:
        yield f"the annotations are a noisy copy: {report.noise}"
    for kind, count in report.counts.items():
        if count:
            yield f"{count:8d} {KINDS[kind]}"


def prepare_folder(
    root: Annotated[
        Path,
        typer.Argument(
            help="Folder of index masks: DAVIS, or <sequence>/<frame>.png.", show_default=False
        ),
    ],
    split: Annotated[
        str,
        typer.Option(
            help="Name of the action list to make. A list of this name in the folder chooses the "
            "sequences."
        ),
    ],
    out: Annotated[Path, typer.Option(help="ActionVOS root to make.")],
    licence: Annotated[
        Optional[str],
        typer.Option(
            metavar="SPDX",
            help="Licence of the masks, such as CC-BY-4.0. Default: the folder's LICENSE file.",
        ),
    ] = None,
    actions: Annotated[
        Optional[Path],
        typer.Option(
            metavar="TABLE",
            help="TSV or CSV with the columns sequence, object, action, and object_id if a "
            "sequence has several objects.",
        ),
    ] = None,
    images: Annotated[
        Optional[str],
        typer.Option(
            help="With --actions: link, copy or none, what happens with photographs in JPEGImages. "
            "Default: link."
        ),
    ] = None,
    photographed: Annotated[
        bool, typer.Option(help="With --actions: take only frames with a photograph.")
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Build an ActionVOS dataset from any folder of index masks, which has no labels.

    Every id is an object, but 255 is void, as in DAVIS and VOST: its pixels stay in the masks and
    are no object. If the folder has no other id, as DAVIS 2016, 255 is the object.

    With --actions, a table gives each sequence an object and an action, which make its prompts.

    Example: actiseg-noise prepare masks DAVIS/Annotations/480p --split val --out davis_root
    or: actiseg-noise prepare masks DAVIS --split val --out davis_root --actions actions.tsv
    """
    if actions is not None:
        _prepare_actions(
            root, split, out, actions, images or "link", photographed, licence, workers, quiet
        )
        return
    _refuse_without_actions(images=images, photographed=photographed)
    from actiseg_data.make.prepare.mask_preparation import prepare_masks

    made = prepare_masks(
        root, split, out, licence=licence, workers=workers, stage=make_stage_progress(quiet)
    )
    print(
        f"{count_nouns(made.sequences, 'sequence')}, {count_nouns(made.masks, 'mask')}, "
        f"{count_nouns(made.objects, 'object')}"
    )
    if made.void:
        print(
            f"{count_nouns(made.void, 'mask has', 'masks have')} void pixels (255), which are no "
            "object"
        )
    if made.skipped:
        print(f"{count_nouns(made.skipped, 'folder has', 'folders have')} no mask: left out")
    if made.empty:
        print(f"{count_nouns(made.empty, 'sequence shows', 'sequences show')} no object")
    if made.licence is None:
        print("the licence of the masks is not known: give --licence to publish noisy copies")
    print(f"made the split {split!r} in {out}")
    folder = quote_path(out)
    print(f"next: actiseg-noise corrupt {folder} --split {split} --type boundary --rate 0.4")
    print(f"      actiseg-noise import NOISY --clean {folder} --split {split} --out DIR")


def _refuse_without_actions(**given: object) -> None:
    from actiseg_data.core.errors import ProblemCollector

    problems = ProblemCollector()
    for name, value in given.items():
        if value:
            what = "has an effect only if a table of actions is given"
            problems.add(what, f"`{name}`", "give `actions`, or leave it out")
    problems.raise_if_any()


def _prepare_actions(
    root: Path,
    split: str,
    out: Path,
    actions: Path,
    images: str,
    photographed: bool,
    licence: str | None,
    workers: int,
    quiet: bool,
) -> None:
    from actiseg_data.make.prepare.mask_actions import prepare_mask_actions

    made = prepare_mask_actions(
        root,
        split,
        out,
        actions=actions,
        images=images,
        photographed=photographed,
        licence=licence,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_action_result(made, out, split)
