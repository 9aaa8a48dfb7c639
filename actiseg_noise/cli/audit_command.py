"""`audit`: measure any noisy split, and compare it with its recipe and its name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from actiseg_data.terminal.command_line import JsonFile
from actiseg_noise.cli.shared_options import LexiconFile, Quiet, Workers, make_stage_progress


def audit(
    noisy: Annotated[
        Path,
        typer.Argument(
            help="A noisy dataset, or a folder of noisy lists or masks, from any generator.",
            show_default=False,
        ),
    ],
    clean: Annotated[
        Optional[Path],
        typer.Option(
            help="The clean dataset, or a folder of clean masks to audit only masks. Default: the "
            "files' *_org keys and the split's source."
        ),
    ] = None,
    split: Annotated[
        Optional[str],
        typer.Option(help="Action list to audit. Default: that of the recipe, or the only one."),
    ] = None,
    lexicon_file: LexiconFile = None,
    json_file: JsonFile = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict", help="Exit with 1 if the split does not match its recipe or name."
        ),
    ] = False,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Measure any noisy split: flips, renames, collisions, contradictions and masks.

    Example: actiseg-noise audit ImageSets_noise20_classid_prompt --strict
    """
    from actiseg_data.layouts.report_files import check_report_file
    from actiseg_data.terminal.file_writing import write_report
    from actiseg_data.terminal.report_printing import print_report
    from actiseg_noise.measurement.audit_report import describe_audit
    from actiseg_noise.measurement.auditing import audit as run_audit

    if json_file is not None:
        check_report_file(json_file, [noisy] if clean is None else [noisy, clean], "json")
    result = run_audit(
        noisy,
        clean,
        split,
        lexicon=lexicon_file,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_report(describe_audit(result))
    write_report(json_file, result.to_dict())
    if strict and not result.ok:
        raise typer.Exit(1)
