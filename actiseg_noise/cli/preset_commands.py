"""`types`, `presets`, `manifests`: kinds of noise, named recipes, digests of what they make."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from actiseg_data.core.errors import refuse, suggest
from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress

if TYPE_CHECKING:
    from actiseg_noise.recipes.presets import Preset


def types(
    name: Annotated[Optional[str], typer.Argument(help="One type, with its parameters.")] = None,
) -> None:
    """List the types of noise, or show one with its parameters, which --set reaches.

    Example: actiseg-noise types jitter
    """
    from actiseg_noise.recipes.kind_specs import KIND_SPECS, MIXED

    if name is None:
        for medium in ("masks", "text"):
            print(f"on {'words' if medium == 'text' else medium}:")
            for kind, spec in KIND_SPECS.items():
                if spec.medium == medium:
                    print(f"  {kind:16s} {spec.summary}")
        print("on both:")
        for kind, parts in MIXED.items():
            print(f"  {kind:16s} {' and '.join(parts)}")
        print("next: actiseg-noise types NAME")
        return
    if name in MIXED:
        print(f"{name}: {' and '.join(MIXED[name])}; their parameters are told by their names")
        print(f"next: actiseg-noise corrupt --type {name} --text-rate 0.4 --boundary-rate 0.2")
        return
    if name not in KIND_SPECS:
        known = ", ".join([*KIND_SPECS, *MIXED])
        near = suggest(name, [*KIND_SPECS, *MIXED])
        raise refuse(f"there is no type {name!r}{near}", "types", f"use one of {known}")
    spec = KIND_SPECS[name]
    print(f"{name}: {spec.summary}; algorithm {spec.algorithm}")
    for parameter, of in spec.parameters.items():
        print(f"  {parameter} = {json.dumps(of.default)} ({of.wanted})")
    print(f"next: actiseg-noise corrupt --type {name} --rate 0.4")


def presets(
    name: Annotated[
        Optional[str], typer.Argument(help="One preset, with its source and recipe.")
    ] = None,
) -> None:
    """List the named recipes, or show one with its source, constants and differences.

    Example: actiseg-noise presets smart/de-EAD
    """
    from actiseg_noise.recipes.presets import load_preset, load_presets

    if name is None:
        _list(list(load_presets().values()))
        print("next: actiseg-noise presets NAME, or actiseg-noise corrupt --preset NAME")
        return
    _describe(load_preset(name))
    print(f"next: actiseg-noise corrupt --preset {name}")


def _list(known: list[Preset]) -> None:
    family = None
    for preset in known:
        if preset.source is not family:
            family = preset.source
            print(f"{family.title} ({family.paper})")
        print(f"  {preset.name:22s} {preset.summary}")


def _describe(preset: Preset) -> None:
    source = preset.source
    print(f"{preset.name}: {preset.summary}")
    print(f"source: {source.title}; {source.paper}; {source.code}; licence: {source.licence}")
    for line in source.differences:
        print(f"differs: {line}")
    for noise in preset.noises:
        where = f"overlap {noise.overlap}" if noise.scope is None else f"scope {noise.scope}"
        rules = f"rate {noise.rate:g}, objects {noise.objects}, {where}"
        print(f"type {noise.kind}, algorithm {noise.algorithm}, {rules}")
        for name, value in noise.parameters.items():
            print(f"  {name} = {json.dumps(value)}")


def check(
    dataset: Annotated[
        Optional[Path],
        typer.Option(help="A dataset whose digests are known. Default: a fresh built-in sample."),
    ] = None,
    preset: Annotated[
        Optional[list[str]], typer.Option(help="Only this preset (repeatable).")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Do the presets make the golden pixels and words here? Exit 1 if not."""
    from actiseg_data.make.sample import make_sample
    from actiseg_noise.split.library_versions import list_versions
    from actiseg_noise.verification.golden import derive, find_mismatches, recognise

    with tempfile.TemporaryDirectory() as folder:
        root = dataset or Path(folder) / "sample"
        if dataset is None:
            make_sample(root)
        golden = recognise(root, workers)
        found = derive(root, golden.split, preset or [], workers, make_stage_progress(quiet))
    lines = find_mismatches(golden, found)
    for line in lines:
        print(f"mismatch: {line}")
    print(
        ", ".join(
            f"{library} {version}"
            for library, version in list_versions(masks=True, language=False).items()
        )
    )
    wrong = {line.partition(":")[0] for line in lines}
    right = len(found.presets - wrong)
    print(f"{right} of {len(found.presets)} presets as they should be on {golden.name}")
    if lines:
        raise typer.Exit(1)


def derive(
    dataset: Annotated[Path, typer.Argument(help="ActionVOS root.", show_default=False)],
    split: Annotated[str, typer.Option(help="Action list to use.")] = "train",
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Print the digests of what every preset makes of a dataset, as golden.json holds them."""
    from actiseg_data.layouts.actionvos import open_split
    from actiseg_noise.verification.golden import digest_clean_masks, digest_names
    from actiseg_noise.verification.golden import derive as make

    opened = open_split(dataset, split)
    found = make(dataset, split, workers=workers, stage=make_stage_progress(quiet))
    document = {
        "split": split,
        "clean": digest_clean_masks(opened, workers),
        "names": digest_names(opened.sequences),
        "masks": found.masks,
        "text": found.text,
    }
    print(json.dumps(document, indent=1))
