"""`manifests`: golden digests of what the presets make."""

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
    """Check that the presets give the golden digests on this machine. Exit with 1 if not."""
    from actiseg_data.make.sample import make_sample
    from actiseg_noise.media.library_versions import list_versions
    from actiseg_noise.verification.golden import derive, find_mismatches, recognise

    with tempfile.TemporaryDirectory() as folder:
        root = dataset or Path(folder) / "sample"
        if dataset is None:
            make_sample(root)
        golden = recognise(root, workers)
        digests = derive(root, golden.split, preset or [], workers, make_stage_progress(quiet))
    lines = find_mismatches(golden, digests)
    for line in lines:
        print(f"mismatch: {line}")
    libraries = list_versions(masks=True, language=False)
    print(", ".join(f"{library} {version}" for library, version in libraries.items()))
    wrong = {line.partition(":")[0] for line in lines}
    right = len(digests.presets - wrong)
    print(f"{right} of {len(digests.presets)} presets match the golden digests of {golden.name}")
    if lines:
        raise typer.Exit(1)


def derive(
    dataset: Annotated[Path, typer.Argument(help="ActionVOS root.", show_default=False)],
    split: Annotated[str, typer.Option(help="Action list to use.")] = "train",
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Print the digests of the output of every preset on a dataset, as in golden.json."""
    from actiseg_data.layouts.opening import open_split
    from actiseg_noise.verification.golden import derive as derive_digests
    from actiseg_noise.verification.golden import digest_clean_masks, digest_names

    opened = open_split(dataset, split)
    digests = derive_digests(dataset, split, workers=workers, stage=make_stage_progress(quiet))
    document = {
        "split": split,
        "clean": digest_clean_masks(opened, workers),
        "names": digest_names(opened.sequences),
        "masks": digests.masks,
        "text": digests.text,
    }
    print(json.dumps(document, indent=1))
