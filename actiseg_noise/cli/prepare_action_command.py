"""`prepare vost` and `prepare vscos`: build an ActionVOS dataset as ActionVOS does from these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.names import format_names
from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import quote_path
from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress

if TYPE_CHECKING:
    from actiseg_data.make.prepare.action_preparation import ActionPreparation

Split = Annotated[str, typer.Option(help="train or val. It is also the name of the action list.")]
Out = Annotated[Path, typer.Option(help="ActionVOS root to make.")]
Images = Annotated[str, typer.Option(help="link, copy or none: what happens with photographs.")]
_LICENCE = "Licence of the masks, such as CC-BY-4.0. Default: the folder's LICENSE file"


def prepare_vost_split(
    root: Annotated[
        Path,
        typer.Argument(
            help="VOST, unpacked: ImageSets, JPEGImages, Annotations_raw.", show_default=False
        ),
    ],
    split: Split,
    out: Out,
    objects: Annotated[
        str,
        typer.Option(
            help="merged: one object per sequence, as in ActionVOS. instances: the ids of VOST."
        ),
    ] = "merged",
    lexicon: Annotated[
        Optional[str],
        typer.Option(
            metavar="FILE",
            help="Lexicon that gives objects their classes, which text noise needs: a file, or "
            "epic for that of EPIC-KITCHENS. Default: no classes, as in ActionVOS.",
        ),
    ] = None,
    images: Images = "link",
    licence: Annotated[
        Optional[str],
        typer.Option(
            metavar="SPDX", help=f"{_LICENCE}, else CC-BY-NC-SA-4.0, which VOST's page states."
        ),
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Build an ActionVOS dataset from VOST, whose sequences are named after actions.

    Frames are those with a mask. Pixels of 255 are void: they stay in the masks and are of no
    object.

    Example: actiseg-noise prepare vost VOST --split val --out dataset_vost
    """
    from actiseg_data.make.prepare.vost import prepare_vost

    made = prepare_vost(
        root,
        split,
        out,
        objects=objects,
        lexicon=lexicon,
        images=images,
        licence=licence,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_action_result(made, out, split)


def prepare_vscos_split(
    root: Annotated[
        Path,
        typer.Argument(help="VSCOS, unpacked: the folder of EPIC_val_split.", show_default=False),
    ],
    split: Split,
    out: Out,
    images: Images = "link",
    licence: Annotated[
        Optional[str], typer.Option(metavar="SPDX", help=f"{_LICENCE}; VSCOS states none.")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Build an ActionVOS dataset from VSCOS, whose clips are actions of EPIC-KITCHENS.

    Frames are those with a mask, and the object has the id 1 in all masks. Clips without masks are
    left out.

    Example: actiseg-noise prepare vscos VSCOS --split val --out dataset_vscos
    """
    from actiseg_data.make.prepare.vscos import prepare_vscos

    made = prepare_vscos(
        root,
        split,
        out,
        images=images,
        licence=licence,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_action_result(made, out, split)


def print_action_result(made: ActionPreparation, out: Path, split: str) -> None:
    """Print what was made, and the next command."""
    for line in describe_action_preparation(made):
        print(line)
    folder = quote_path(out)
    print(f"made the split {split!r} in {out}")
    print(f"next: actiseg-noise corrupt {folder} --split {split} --type boundary --rate 0.4")


_BLENDED = "those of at least half white are the object"
_UNNAMED = "it is inactive, and called object <id>"
_UNCLASSIFIED = "of no class of the lexicon, or of several"


def describe_action_preparation(made: ActionPreparation) -> Iterator[str]:
    """Describe what was made, and count the special cases."""
    yield (
        f"{count_nouns(made.sequences, 'sequence')}, {count_nouns(made.masks, 'mask')}, "
        f"{count_nouns(made.objects, 'object')}, {count_nouns(made.photographs, 'photograph')}"
    )
    counted = (
        (made.skipped, "listed sequence has", "listed sequences have", "no masks: left out"),
        (made.empty, "sequence shows", "sequences show", "no object"),
        (made.merged, "mask", "masks", "had several objects, which became one"),
        (made.void, "mask has", "masks have", "void pixels (255), which are of no object"),
        (made.blended, "mask has", "masks have", f"blended pixels: {_BLENDED}"),
        (made.absent, "frame has", "frames have", "no photograph"),
        (made.unnamed, "object has", "objects have", f"no row: {_UNNAMED}"),
        (made.unclassified, "object has", "objects have", f"a name {_UNCLASSIFIED}"),
    )
    for count, singular, plural, what in counted:
        if count:
            yield f"{count_nouns(count, singular, plural)} {what}"
    if made.unknown:
        names = format_names(made.unknown)
        unknown = count_nouns(len(made.unknown), "sequence")
        yield f"{unknown} of the table without a folder: left out ({names})"
    if made.licence is None:
        yield "the licence of the masks is not known: give --licence to publish noisy copies"
