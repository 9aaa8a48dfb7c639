"""The command line `actiseg-noise`: parse, call, print."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.errors import Refused, refuse

if TYPE_CHECKING:
    from actiseg_data.parallel import Progress
    from actiseg_data.records import Recipe

app = typer.Typer(
    help="Make and check noisy copies of ActionVOS annotations, the same on every machine.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
prepare_app = typer.Typer(
    help="Build an ActionVOS dataset from raw annotations.", no_args_is_help=True
)
app.add_typer(prepare_app, name="prepare")

Dataset = Annotated[
    Optional[Path],
    typer.Argument(
        help="ActionVOS root. Default: $ACTISEG_DATASET, else ./dataset_visor, else the sample.",
        show_default=False,
    ),
]
Workers = Annotated[int, typer.Option(min=1, help="Processes. The result does not depend on it.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress; errors and results only.")]
Only = Annotated[
    Optional[list[str]],
    typer.Option(metavar="SEQUENCE", help="Only this sequence folder (repeatable)."),
]


@app.command()
def corrupt(
    dataset: Dataset = None,
    kind: Annotated[
        Optional[str],
        typer.Option("--type", help="dilate, erode, jitter, or boundary (one of them per item)."),
    ] = None,
    rate: Annotated[
        Optional[float], typer.Option(help="Share of the eligible objects that get noise, 0 to 1.")
    ] = None,
    seed: Annotated[
        Optional[int], typer.Option(help="Another seed, another draw. Default: 0.")
    ] = None,
    split: Annotated[
        Optional[str], typer.Option(help="Action list to copy. Default: train.")
    ] = None,
    out: Annotated[
        Optional[Path],
        typer.Option(help="Folder to make. Default: ./<dataset>_<type>_r<rate>_s<seed>."),
    ] = None,
    target_iou: Annotated[
        Optional[float],
        typer.Option(help="IoU with the clean object that each is calibrated to. Default: 0.8."),
    ] = None,
    radius: Annotated[
        Optional[float],
        typer.Option(help="Fixed strength in mask pixels instead (jitter: RMS displacement)."),
    ] = None,
    correlation_length: Annotated[
        Optional[float],
        typer.Option(help="Correlation length of jitter in pixels. Default: by size."),
    ] = None,
    objects: Annotated[
        Optional[str], typer.Option(help="positive or all. Default: positive.")
    ] = None,
    overlap: Annotated[
        Optional[str],
        typer.Option(help="contest, reference or background. Default: contest."),
    ] = None,
    exact: Annotated[
        bool, typer.Option("--exact", help="Exactly this share of the split, by hash rank.")
    ] = False,
    setting: Annotated[
        Optional[list[str]],
        typer.Option("--set", metavar="KEY=VALUE", help="Any parameter of the type (repeatable)."),
    ] = None,
    recipe_file: Annotated[
        Optional[Path],
        typer.Option("--recipe", help="A recipe.json instead of all flags on noise above."),
    ] = None,
    only: Only = None,
    workers: Workers = 1,
    images: Annotated[str, typer.Option(help="How frames get in: link, copy or none.")] = "link",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another noisy split at --out.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check all masks, say what would be done, and stop.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a noisy copy of one split.

    Example: actiseg-noise corrupt dataset_visor --type boundary --rate 0.4 --workers 2
    """
    parameters = {
        name: value
        for name, value in (
            ("target_iou", target_iou),
            ("radius", radius),
            ("correlation_length", correlation_length),
        )
        if value is not None
    }
    flags = {
        name: value
        for name, value in (
            ("kind", kind),
            ("rate", rate),
            ("seed", seed),
            ("split", split),
            ("objects", objects),
            ("overlap", overlap),
            ("exact", exact or None),
        )
        if value is not None
    }
    recipe = _recipe(recipe_file, flags, parameters, setting or [])
    root = _locate(dataset)

    if dry_run:
        _dry_run(root, recipe, out, only or [], images, overwrite, workers, quiet)
        return
    from actiseg_noise.corrupt import corrupt as make

    done = make(
        root,
        recipe,
        out=out,
        only=only or [],
        workers=workers,
        images=images,
        overwrite=overwrite,
        stage=lambda name: _stage(name, quiet),
    )
    from actiseg_noise.console import print_corruption

    print_corruption(done.summary)
    if done.made:
        print(f"made {done.out} in {done.summary['seconds']} s; recipe {done.recipe_digest}")
    else:
        print(f"{done.out} was there already and is whole; recipe {done.recipe_digest}")
    print(f"next: actiseg-noise verify {_quoted(done.out)} --source {_quoted(root)}")


@app.command()
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

    found = check(out, source, only or [], workers, lambda name: _stage(name, quiet))
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
            f"next: actiseg-noise verify {_quoted(out)} --source DATASET, which derives every pixel"
        )


@app.command()
def sample(
    out: Annotated[Path, typer.Argument(help="Folder to make.", show_default=False)],
) -> None:
    """Make the built-in sample: a small synthetic dataset in the ActionVOS layout."""
    from actiseg_data.sample import make_sample

    print(make_sample(out))
    print(f"next: actiseg-noise corrupt {_quoted(out)} --type boundary --rate 0.4")


@prepare_app.callback()
def prepare() -> None:
    """Build an ActionVOS dataset from raw annotations."""


@prepare_app.command()
def visor(
    annotations: Annotated[
        Path, typer.Option(help="Folder of VISOR's sparse JSON files (.json or .json.gz).")
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
    from actiseg_data.prepare.visor import prepare_visor
    from actiseg_noise.console import print_preparation

    with _stage("drawing videos", quiet) as progress:
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
    print(f"next: actiseg-noise corrupt {_quoted(out)} --split {split} --type boundary --rate 0.4")


def _recipe(
    file: Path | None, flags: dict[str, Any], parameters: dict[str, Any], settings: list[str]
) -> Recipe:
    from actiseg_noise.kinds import KIND_SPECS
    from actiseg_noise.recipe import load_recipe, make_recipe, parse_setting

    if file is not None:
        given = [*flags, *parameters, *(["set"] if settings else [])]
        if given:
            named = ", ".join("--" + {"kind": "type"}.get(n, n).replace("_", "-") for n in given)
            raise refuse(
                f"{named} cannot stand beside a recipe file", "--recipe", "leave out one of them"
            )
        return load_recipe(file)
    if "kind" not in flags or "rate" not in flags:
        raise refuse(
            "what noise to make is not said",
            "corrupt",
            f"give --type ({', '.join(KIND_SPECS)}) and --rate, or --recipe FILE",
        )
    parameters |= dict(map(parse_setting, settings))
    return make_recipe(flags.pop("kind"), flags.pop("rate"), parameters=parameters, **flags)


def _locate(dataset: Path | None) -> Path:
    from actiseg_data.locate import locate_dataset

    root, how = locate_dataset(dataset)
    print(f"dataset: {root} ({how})", flush=True)
    return root


def _dry_run(
    root: Path,
    recipe: Recipe,
    out: Path | None,
    only: list[str],
    images: str,
    overwrite: bool,
    workers: int,
    quiet: bool,
) -> None:
    from actiseg_noise.plan import make_plan
    from actiseg_noise.request import prepare_request

    request = prepare_request(root, recipe, out, only, images, overwrite)
    with _stage("checking masks", quiet) as progress:
        plan = make_plan(request.split, recipe, request.sequences, workers, progress)
    frames = sum(len(sequence.frames) for sequence in plan.sequences)
    print(f"{len(plan.sequences)} sequences, {frames} frames, all masks sound")
    print(f"{plan.selected} of {plan.items} items would get noise; recipe {recipe.digest}")
    print(f"would make {request.out}; no noisy split was written")


def _stage(name: str, quiet: bool) -> AbstractContextManager[Progress | None]:
    from actiseg_noise.console import progress_of

    return progress_of(name, quiet=quiet)


def _quoted(path: Path) -> str:
    import shlex

    return shlex.quote(str(path))


def main() -> None:
    """Entry point: exit 0 done, 1 mismatch, 2 refused, 130 interrupted."""
    from actiseg_noise.console import print_problems

    try:
        app()
    except Refused as refused:
        print_problems(refused)
        sys.exit(2)
    except OSError as error:
        # What no check foresaw: a folder that may not be entered, a disk that is gone.
        problem = error.strerror or str(error)
        print_problems(refuse(problem, error.filename or "the system", "check place and rights"))
        sys.exit(2)


if __name__ == "__main__":
    main()
