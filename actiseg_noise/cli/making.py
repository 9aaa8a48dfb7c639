"""`corrupt`: make a noisy copy of a split."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.errors import refuse
from actiseg_noise.cli.options import Dataset, Only, Quiet, Workers, locate, quoted, staged

if TYPE_CHECKING:
    from actiseg_data.records import Recipe


def corrupt(
    dataset: Dataset = None,
    kind: Annotated[
        Optional[str],
        typer.Option("--type", help="dilate, erode, jitter, boundary, ... (actiseg-noise types)."),
    ] = None,
    preset: Annotated[
        Optional[str],
        typer.Option(help="A named recipe (actiseg-noise presets); flags stand over its values."),
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
        typer.Option(help="Folder to make. Default: ./<dataset>_<type or preset>_r<rate>_s<seed>."),
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
        Optional[str], typer.Option(help="positive or all. Default: positive, or the preset's.")
    ] = None,
    overlap: Annotated[
        Optional[str],
        typer.Option(help="contest, reference, ascending or background. Default: contest."),
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
    or: actiseg-noise corrupt dataset_visor --preset actiseg-nl/mask-9
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
            ("preset", preset),
            ("rate", rate),
            ("seed", seed),
            ("split", split),
            ("objects", objects),
            ("overlap", overlap),
            ("exact", exact or None),
        )
        if value is not None
    }
    from actiseg_noise.request import default_out

    recipe = _recipe(recipe_file, flags, parameters, setting or [])
    root = locate(dataset)
    out = out or default_out(root, recipe, preset)

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
        stage=staged(quiet),
    )
    from actiseg_noise.console import print_corruption

    print_corruption(done.summary)
    if done.made:
        print(f"made {done.out} in {done.summary['seconds']} s; recipe {done.recipe_digest}")
    else:
        print(f"{done.out} was there already and is whole; recipe {done.recipe_digest}")
    print(f"next: actiseg-noise verify {quoted(done.out)} --source {quoted(root)}")


def _recipe(
    file: Path | None, flags: dict[str, Any], parameters: dict[str, Any], settings: list[str]
) -> Recipe:
    from actiseg_noise.kinds import KIND_SPECS
    from actiseg_noise.presets import load_preset
    from actiseg_noise.recipe import load_recipe, make_recipe, parse_setting

    if file is not None:
        given = [*flags, *parameters, *(["set"] if settings else [])]
        if given:
            named = ", ".join("--" + {"kind": "type"}.get(n, n).replace("_", "-") for n in given)
            raise refuse(
                f"{named} cannot stand beside a recipe file", "--recipe", "leave out one of them"
            )
        return load_recipe(file)
    parameters |= dict(map(parse_setting, settings))
    if "preset" in flags:
        preset = load_preset(flags.pop("preset"))
        kinds = [noise.kind for noise in preset.noises]
        if flags.pop("kind", kinds[0]) not in kinds:
            raise refuse(f"{preset.name} is of type {kinds[0]}", "--type", "leave it out")
        return preset.recipe(parameters=parameters, **flags)
    if "kind" not in flags or "rate" not in flags:
        raise refuse(
            "what noise to make is not said",
            "corrupt",
            f"give --type ({', '.join(KIND_SPECS)}) and --rate, or --preset NAME, or --recipe FILE",
        )
    return make_recipe(flags.pop("kind"), flags.pop("rate"), parameters=parameters, **flags)


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
    from actiseg_data.parallel import run
    from actiseg_noise.plan import make_plan, selection_draws
    from actiseg_noise.request import prepare_request

    request = prepare_request(root, recipe, out, only, images, overwrite)
    stage = staged(quiet)
    with stage("checking masks") as progress:
        plan = make_plan(request.split, recipe, request.sequences, workers, progress)
    with stage("counting") as progress:
        shared = (plan.split, recipe)
        found = run(selection_draws, shared, plan.sequences, workers, progress)
    draws = [draw for of in found for draw in of]
    selected = sum(draw < plan.threshold for draw in draws)
    frames = sum(len(sequence.frames) for sequence in plan.sequences)
    print(f"{len(plan.sequences)} sequences, {frames} frames, all masks sound")
    print(f"{selected} of {len(draws)} items would get noise; recipe {recipe.digest}")
    print(f"would make {request.out}; no noisy split was written")
