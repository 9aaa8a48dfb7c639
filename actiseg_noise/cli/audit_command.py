"""`audit`: what does a noisy split hold, and is it what its name claims?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_noise.cli.shared_options import Quiet, Workers, make_stage_progress


def audit(
    noisy: Annotated[
        Path,
        typer.Argument(
            help="A noisy dataset, or a folder of noisy lists or masks, whoever made it.",
            show_default=False,
        ),
    ],
    clean: Annotated[
        Optional[Path],
        typer.Option(
            help="The clean dataset, or for masks alone a folder of clean ones. Default: the "
            "files' *_org keys, the split's source."
        ),
    ] = None,
    split: Annotated[
        Optional[str], typer.Option(help="Its list. Default: the recipe's, or the only one.")
    ] = None,
    lexicon_file: Annotated[
        Optional[Path], typer.Option("--lexicon", help="A lexicon of your own. Default: EPIC's.")
    ] = None,
    json_file: Annotated[
        Optional[Path], typer.Option("--json", help="Write all figures to this file, too.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit 1 where it is not what it claims to be.")
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Measure any noisy split: flips, renames, collisions, contradictions, masks.

    Example: actiseg-noise audit ImageSets_noise20_classid_prompt --strict
    """
    from actiseg_data.annotations.lexicon import read_lexicon
    from actiseg_data.core.files import refuse_inside_of, write_json
    from actiseg_noise.cli.noise_tables import print_audit
    from actiseg_noise.measurement.auditing import audit as measure

    if json_file is not None:
        refuse_inside_of(json_file, (noisy, *((clean,) if clean is not None else ())))
    lexicon = None if lexicon_file is None else read_lexicon(lexicon_file)
    found = measure(noisy, clean, split, lexicon, workers, make_stage_progress(quiet))
    print_audit(found)
    if json_file is not None:
        write_json(json_file, found.to_dict(), indent=1)
        print(f"wrote {json_file}")
    if strict and not found.ok:
        raise typer.Exit(1)
