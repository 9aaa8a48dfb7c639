"""`corrupt`: write a noisy copy of a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.core.plurals import count_nouns
from actiseg_data.records.recipe_record import CLASS
from actiseg_data.terminal.command_line import quote_path
from actiseg_data.terminal.option_groups import expand_options
from actiseg_noise.cli.kind_flags import make_kind_options
from actiseg_noise.cli.recipe_options import (
    RecipeOptions,
    make_recipe_from_options,
    print_changes,
)
from actiseg_noise.cli.shared_options import (
    Dataset,
    LayoutKey,
    Only,
    Quiet,
    Workers,
    announce_dataset,
    make_stage_progress,
)

if TYPE_CHECKING:
    from actiseg_data.annotations.lexicon import Lexicon
    from actiseg_data.core.progress import StageProgress
    from actiseg_data.records.recipe_record import Recipe
    from actiseg_noise.corruption.request import CorruptionOptions


@dataclass(frozen=True)
class OutputOptions:
    """Options that describe the folder to make."""

    out: Annotated[
        Optional[Path],
        typer.Option(
            help="Folder to make. Default: ./<dataset>[_<split>]_<type or preset>_r<rate>_s<seed>, "
            "plus six digits of the recipe's digest if these do not identify the recipe."
        ),
    ] = None
    with_clean: Annotated[
        Optional[str],
        typer.Option(
            metavar="LIST,...",
            help="Clean splits of the dataset to add to the copy, such as val,val_human.",
        ),
    ] = None
    images: Annotated[
        str,
        typer.Option(
            help="How to add frames: link, copy or none. Masks, weights and lists are always files."
        ),
    ] = "link"
    weights: Annotated[
        str,
        typer.Option(
            help="Training weights, if the dataset has them: derive (from the masks "
            "of the copy) or none."
        ),
    ] = "derive"
    licence: Annotated[
        Optional[str],
        typer.Option(
            metavar="SPDX",
            help="Licence of a dataset without action lists, such as BSD-3-Clause. Default: its "
            "LICENSE file.",
        ),
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another noisy split at --out.")
    ] = False
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Check everything, print what would be done, and write nothing."
        ),
    ] = False


@expand_options(noise=RecipeOptions, kind_options=make_kind_options(), output=OutputOptions)
def corrupt(
    dataset: Dataset = None,
    *,
    noise: RecipeOptions,
    kind_options: Any,
    layout: LayoutKey = None,
    only: Only = None,
    workers: Workers = 1,
    output: OutputOptions,
    quiet: Quiet = False,
) -> None:
    """Write a noisy copy of one split.

    Example: actiseg-noise corrupt dataset_visor --type boundary --rate 0.4 --workers 2
    or: actiseg-noise corrupt dataset_visor --type text --rate 0.4 --flip near
    or: actiseg-noise corrupt dataset_visor --preset actiseg-nl/mixed-60-21
    """
    from actiseg_noise.corruption.recipe_choice import fit_recipe
    from actiseg_noise.corruption.request import CorruptionOptions, name_output
    from actiseg_noise.split.noise_inputs import NoiseInputs

    lexicon = _read_lexicon(noise.lexicon)
    # The sample is made only for a valid recipe, unless the recipe needs the sample's classes.
    needs_classes = noise.pool == "dataset" or (noise.kind == CLASS and noise.matrix)
    root = announce_dataset(dataset, make=True) if needs_classes else None
    recipe = make_recipe_from_options(noise, vars(kind_options), lexicon, root, layout)
    root = root or announce_dataset(dataset, make=True)
    if noise.recipe is not None:
        print_changes(noise.recipe, recipe)
    else:
        recipe = fit_recipe(
            recipe,
            root,
            split=noise.split,
            layout=layout,
            objects=noise.objects,
            overlap=noise.overlap,
        )
    lists = [] if output.with_clean is None else output.with_clean.split(",")
    options = CorruptionOptions(
        out=output.out or name_output(root, recipe, noise.preset),
        only=tuple(only) if only else None,
        images=output.images,
        weights=output.weights,
        with_clean=tuple(name.strip() for name in lists),
        overwrite=output.overwrite,
        inputs=NoiseInputs(lexicon),
        layout=layout,
        licence=output.licence,
    )
    run = _forecast if output.dry_run else _write
    run(root, recipe, options, workers, make_stage_progress(quiet))


def _read_lexicon(path: Path | None) -> Lexicon | None:
    from actiseg_data.annotations.lexicon import read_lexicon

    return None if path is None else read_lexicon(path)


def _write(
    root: Path, recipe: Recipe, options: CorruptionOptions, workers: int, stage: StageProgress
) -> None:
    from actiseg_data.terminal.report_printing import print_report
    from actiseg_noise.cli.corruption_report import describe_corruption
    from actiseg_noise.corruption.corruption import write_noisy_split
    from actiseg_noise.recipes.published import name_recipe

    result = write_noisy_split(root, recipe, options, workers, stage)
    print_report(describe_corruption(result.summary))
    published = name_recipe(recipe)
    title = f"recipe {result.recipe_digest}" + (f" ({published})" if published else "")
    if result.made:
        print(f"made {result.out} in {result.summary['seconds']} s; {title}")
    else:
        print(f"{result.out} exists already and is complete; {title}")
    noisy = quote_path(result.out)
    print(f"next: actiseg-noise preview {noisy} --to preview.png")
    print(f"      actiseg-noise verify {noisy} --source {quote_path(root)}")


def _forecast(
    root: Path, recipe: Recipe, options: CorruptionOptions, workers: int, stage: StageProgress
) -> None:
    from actiseg_noise.corruption.corruption import forecast_corruption

    forecast = forecast_corruption(root, recipe, options, workers, stage)
    print(
        f"{count_nouns(forecast.sequences, 'sequence')}, {count_nouns(forecast.frames, 'frame')}, "
        "no problem"
    )
    for line in forecast.lines:
        print(line)
    print(f"recipe {forecast.recipe_digest}; would make {forecast.out}; no noisy split was written")
