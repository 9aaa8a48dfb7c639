"""`inspect`: measure the realised noise of a split that this toolkit made."""

from __future__ import annotations

from actiseg_data.terminal.command_line import JsonFile
from actiseg_noise.cli.shared_options import (
    CleanSource,
    LexiconFile,
    NoisySplitFolder,
    Only,
    Quiet,
    Workers,
    make_stage_progress,
)


def inspect(
    out: NoisySplitFolder,
    source: CleanSource = None,
    lexicon_file: LexiconFile = None,
    json_file: JsonFile = None,
    only: Only = None,
    workers: Workers = 1,
    quiet: Quiet = False,
) -> None:
    """Measure the realised noise of a split: rates, names, IoU and boundary shifts.

    Example: actiseg-noise inspect actiseg_sample_boundary_r0.4_s0
    """
    from actiseg_data.terminal.file_writing import write_report
    from actiseg_data.terminal.report_printing import print_report
    from actiseg_noise.measurement.inspection import inspect as run_inspection
    from actiseg_noise.measurement.inspection_report import describe_inspection
    from actiseg_noise.split.noisy_split import check_report_on

    if json_file is not None:
        check_report_on(out, source, json_file, "json")
    inspection = run_inspection(
        out,
        source,
        only=only or None,
        lexicon=lexicon_file,
        workers=workers,
        stage=make_stage_progress(quiet),
    )
    print_report(describe_inspection(inspection))
    write_report(json_file, inspection.to_dict())
