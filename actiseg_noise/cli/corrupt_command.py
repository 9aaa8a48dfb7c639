"""`corrupt`: make a noisy copy of a split."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_noise.cli.shared_options import (
    Dataset,
    Only,
    Quiet,
    Workers,
    announce_dataset,
    make_stage_progress,
    quoted,
)

if TYPE_CHECKING:
    from actiseg_data.annotations.lexicon import Lexicon
    from actiseg_data.records.split_records import Recipe


_MASKS, _WORDS = "Mask noise", "Text noise"


def corrupt(
    dataset: Dataset = None,
    kind: Annotated[
        Optional[str],
        typer.Option(
            "--type", help="boundary, text, mixed, dilate, category, ... (actiseg-noise types)."
        ),
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
        typer.Option(
            help="Folder to make. Default: ./<dataset>[_<split>]_<type or preset>_r<rate>_s<seed>, "
            "with six digits of the recipe's digest if it has settings that this does not show."
        ),
    ] = None,
    objects: Annotated[
        Optional[str],
        typer.Option(
            help="positive or all. Default: positive for masks, all for words, or the preset's."
        ),
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
        typer.Option(
            "--recipe",
            help="A recipe.json instead of flags on noise; --seed and --split override its own.",
        ),
    ] = None,
    target_iou: Annotated[
        Optional[float],
        typer.Option(
            help="IoU with the clean object that each is calibrated to. Default: 0.8.",
            rich_help_panel=_MASKS,
        ),
    ] = None,
    radius: Annotated[
        Optional[float],
        typer.Option(
            help="Fixed strength in mask pixels instead (jitter: RMS displacement).",
            rich_help_panel=_MASKS,
        ),
    ] = None,
    correlation_length: Annotated[
        Optional[float],
        typer.Option(
            help="Correlation length of jitter in pixels. Default: by size.",
            rich_help_panel=_MASKS,
        ),
    ] = None,
    overlap: Annotated[
        Optional[str],
        typer.Option(
            help="contest, reference, ascending or background. Default: contest.",
            rich_help_panel=_MASKS,
        ),
    ] = None,
    boundary_rate: Annotated[
        Optional[float],
        typer.Option(help="Of mixed noise: the rate for masks alone.", rich_help_panel=_MASKS),
    ] = None,
    text_rate: Annotated[
        Optional[float],
        typer.Option(help="Of mixed noise: the rate for words alone.", rich_help_panel=_WORDS),
    ] = None,
    mix: Annotated[
        Optional[float],
        typer.Option(
            help="Of text noise: the share of flips; the rest are substitutions. Default: 0.5.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    flip: Annotated[
        Optional[str],
        typer.Option(
            help="To which class: uniform, near, far, supercategory or matrix. Default: uniform.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    matrix: Annotated[
        Optional[Path],
        typer.Option(
            help="CSV of weights for --flip matrix: clean classes down, new ones across.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    pool: Annotated[
        Optional[str],
        typer.Option(
            help="Classes to flip to: those of the lexicon or the dataset. Default: lexicon.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    names: Annotated[
        Optional[str],
        typer.Option(
            help="Substitutes: class (another name of it) or sister (WordNet). Default: class.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    scope: Annotated[
        Optional[str],
        typer.Option(
            help="prompt (the object's name), both (its mention in the prompt's narration, too) or "
            "narration (of the sequence, instead). Default: prompt.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    protect: Annotated[
        Optional[list[str]],
        typer.Option(
            metavar="NAME",
            help="Never touch nor write this class (repeatable), such as 'left hand'.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    allow_collisions: Annotated[
        bool,
        typer.Option(
            "--allow-collisions",
            help="Let an object become what another in the clip is, as published.",
            rich_help_panel=_WORDS,
        ),
    ] = False,
    pipeline: Annotated[
        Optional[str],
        typer.Option(
            help="Installed spaCy pipeline for narrations, such as en_core_web_sm. Default: blank.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    lexicon_file: Annotated[
        Optional[Path],
        typer.Option(
            "--lexicon",
            help="A lexicon of your own (actiseg-noise lexicon build). Default: EPIC's.",
            rich_help_panel=_WORDS,
        ),
    ] = None,
    only: Only = None,
    workers: Workers = 1,
    with_clean: Annotated[
        Optional[str],
        typer.Option(
            metavar="LIST,...",
            help="Clean splits of the dataset to add to the copy, such as val,val_human.",
        ),
    ] = None,
    images: Annotated[
        str,
        typer.Option(
            help="How frames get in: link, copy or none. Masks, weights and lists are always files."
        ),
    ] = "link",
    weights: Annotated[
        str,
        typer.Option(
            help="Training weights, if the dataset has them: derive (from the masks in use) or "
            "none."
        ),
    ] = "derive",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace another noisy split at --out.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, say what would be done, and stop.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """Write a noisy copy of one split.

    Example: actiseg-noise corrupt dataset_visor --type boundary --rate 0.4 --workers 2
    or: actiseg-noise corrupt dataset_visor --type text --rate 0.4 --flip near
    or: actiseg-noise corrupt dataset_visor --preset actiseg-nl/mixed-60-21
    """
    from actiseg_noise.cli.recipe_flags import NoiseFlags, print_changes, recipe_of
    from actiseg_noise.corruption.request import name_output

    flags = NoiseFlags(
        values={
            "kind": kind,
            "preset": preset,
            "rate": rate,
            "text_rate": text_rate,
            "boundary_rate": boundary_rate,
            "seed": seed,
            "split": split,
            "objects": objects,
            "overlap": overlap,
            "scope": scope,
            "exact": exact or None,
        },
        parameters={
            "target_iou": target_iou,
            "radius": radius,
            "correlation_length": correlation_length,
            "mix": mix,
            "flip": flip,
            "names": names,
            "allow_collisions": allow_collisions or None,
        },
        settings=tuple(setting or ()),
        protect=tuple(protect or ()),
        matrix=matrix,
        pool=pool,
        pipeline=pipeline,
    )
    lexicon = None
    if lexicon_file is not None:
        from actiseg_data.annotations.lexicon import read_lexicon

        lexicon = read_lexicon(lexicon_file)
    # The sample is made only for a recipe that is sound, unless the recipe takes its classes.
    root = announce_dataset(dataset, make=True) if pool == "dataset" else None
    recipe = recipe_of(flags, recipe_file, lexicon, root)
    root = root or announce_dataset(dataset, make=True)
    if recipe_file is not None:
        print_changes(recipe_file, recipe)
    out = out or name_output(root, recipe, preset)
    clean = [] if with_clean is None else [name.strip() for name in with_clean.split(",")]
    request = _Request(
        root, recipe, out, only or [], images, overwrite, lexicon, clean, weights, workers
    )
    if dry_run:
        _dry_run(request, quiet)
    else:
        _make(request, quiet)


@dataclass(frozen=True)
class _Request:
    """What `corrupt` asks for, of the Python function of that name."""

    root: Path
    recipe: Recipe
    out: Path
    only: list[str]
    images: str
    overwrite: bool
    lexicon: Lexicon | None
    with_clean: list[str]
    weights: str
    workers: int


def _make(of: _Request, quiet: bool) -> None:
    from actiseg_noise.corruption.corruption import corrupt as make

    done = make(
        of.root,
        of.recipe,
        out=of.out,
        only=of.only,
        workers=of.workers,
        images=of.images,
        overwrite=of.overwrite,
        lexicon=of.lexicon,
        with_clean=of.with_clean,
        weights=of.weights,
        stage=make_stage_progress(quiet),
    )
    from actiseg_noise.cli.noise_tables import print_corruption

    print_corruption(done.summary)
    if done.made:
        print(f"made {done.out} in {done.summary['seconds']} s; recipe {done.recipe_digest}")
    else:
        print(f"{done.out} was there already and is whole; recipe {done.recipe_digest}")
    print(f"next: actiseg-noise preview {quoted(done.out)} --to preview.png")
    print(f"      actiseg-noise verify {quoted(done.out)} --source {quoted(of.root)}")


def _dry_run(of: _Request, quiet: bool) -> None:
    from actiseg_noise.corruption.corruption import forecast_corruption

    forecast = forecast_corruption(
        of.root,
        of.recipe,
        out=of.out,
        only=of.only,
        workers=of.workers,
        images=of.images,
        overwrite=of.overwrite,
        lexicon=of.lexicon,
        with_clean=of.with_clean,
        weights=of.weights,
        stage=make_stage_progress(quiet),
    )
    print(f"{forecast.sequences} sequences, {forecast.frames} frames, all sound")
    for line in forecast.lines:
        print(line)
    print(f"recipe {forecast.recipe_digest}; would make {forecast.out}; no noisy split was written")
