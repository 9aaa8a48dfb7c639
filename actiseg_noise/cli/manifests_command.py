"""`manifests`: the published recipes, their golden digests and their pages."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress


def check(
    dataset: Annotated[
        Optional[Path],
        typer.Option(help="A dataset with known digests. Default: a new built-in sample."),
    ] = None,
    preset: Annotated[
        Optional[list[str]], typer.Option(help="Only this preset (repeatable).")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Check that presets are as published and give the golden digests here. Exit with 1 if not."""
    from actiseg_data.make.sample import make_sample
    from actiseg_noise.media.library_versions import list_versions
    from actiseg_noise.recipes.presets import load_preset, load_presets
    from actiseg_noise.recipes.published import load_index
    from actiseg_noise.verification.golden import derive, find_mismatches, recognise
    from actiseg_noise.verification.index_checks import RAISE_VERSION, list_index_faults

    names = [load_preset(name).name for name in preset or []] or list(load_presets())
    faults = list_index_faults(load_index(), load_presets())
    if preset:
        faults = [line for line in faults if line.partition(":")[0] in names]
    broken = {line.partition(":")[0] for line in faults}
    for line in faults:
        print(f"index: {line}")
    with tempfile.TemporaryDirectory() as folder:
        root = dataset or Path(folder) / "sample"
        if dataset is None:
            make_sample(root)
        known = recognise(root, workers)
        sound = [name for name in names if name not in broken]
        stage = make_stage_progress(quiet)
        outputs = derive(root, known.split, sound, workers, stage) if sound else {}
    lines = find_mismatches(known.name, outputs)
    for line in lines:
        print(f"mismatch: {line}")
    libraries = list_versions(masks=True, language=False)
    print(", ".join(f"{library} {version}" for library, version in libraries.items()))
    right = len(outputs.keys() - {line.partition(":")[0] for line in lines})
    print(f"{right} of {len(names)} presets match the golden digests of {known.name}")
    if lines:
        print(f"either a library makes other pixels, or a preset changed: {RAISE_VERSION}")
    if lines or faults:
        raise typer.Exit(1)


def derive(
    dataset: Annotated[Path, typer.Argument(help="ActionVOS root.", show_default=False)],
    split: Annotated[str, typer.Option(help="Action list to use.")] = "train",
    preset: Annotated[
        Optional[list[str]], typer.Option(help="Only this preset (repeatable).")
    ] = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Print the entries of presets in recipes.json, with what they make of a dataset."""
    from actiseg_data.layouts.opening import open_split
    from actiseg_noise.recipes.presets import load_preset
    from actiseg_noise.recipes.published import load_index
    from actiseg_noise.verification.golden import derive as derive_outputs
    from actiseg_noise.verification.golden import digest_clean_masks, digest_names
    from actiseg_noise.verification.index_checks import describe_entry

    opened = open_split(dataset, split)
    outputs = derive_outputs(dataset, split, preset or [], workers, make_stage_progress(quiet))
    clean, names = digest_clean_masks(opened, workers), digest_names(opened.sequences)
    known = [entry for entry in load_index().datasets.values() if entry.clean == clean]
    title = known[0].name if known else dataset.resolve().name
    document = {
        "datasets": {title: {"split": split, "clean": clean, "names": names}},
        "recipes": {
            name: [describe_entry(load_preset(name), title, output)]
            for name, output in outputs.items()
        },
    }
    print(json.dumps(document, indent=1))


def write_pages(
    to: Annotated[Path, typer.Option("--to", help="Folder for the pages.", show_default=False)],
) -> None:
    """Write a page in Markdown for each published recipe, and a page that lists them.

    Example: actiseg-noise manifests pages --to docs/recipes
    """
    from actiseg_data.core.files import write_bytes
    from actiseg_data.layouts.report_files import check_report_file
    from actiseg_noise.verification.recipe_pages import compose_pages

    pages = compose_pages()
    for name in pages:
        check_report_file(to / name, (), "to", makes_folder=True)
    to.mkdir(parents=True, exist_ok=True)
    for name, text in pages.items():
        write_bytes(to / name, text.encode())
    print(f"wrote {len(pages)} pages to {to}")
