"""The command `actiseg-train bench`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.plurals import count_nouns
from actiseg_data.terminal.command_line import Quiet
from actiseg_data.terminal.report_printing import print_report
from actiseg_data.terminal.termination import Termination
from reference_trainer.cli.trainer_arguments import DeviceOption, require_torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reference_trainer.bench.bench_report import BenchReport
    from reference_trainer.bench.matrix import Matrix, MatrixProgress
    from reference_trainer.bench.plan import Plan
    from reference_trainer.bench.run_results import Results


def bench(
    plan: Annotated[
        str,
        typer.Argument(
            help="quick, equal-terms, actiseg-nl, visor-photographs, or a YAML file.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder of the benchmark. It may have been begun.")],
    arms: Annotated[
        Optional[list[str]],
        typer.Option("--arm", help="Run this arm (repeatable). Default: all."),
    ] = None,
    data: Annotated[
        Optional[list[str]],
        typer.Option(metavar="NAME=ROOT", help="A dataset that the plan names (repeatable)."),
    ] = None,
    processes: Annotated[
        Optional[int], typer.Option(help="Jobs side by side, each on one core. Default: 1.")
    ] = None,
    on_the_fly: Annotated[
        bool,
        typer.Option("--on-the-fly", help="Add noise while labels are read: no copy is written."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the cells, their hours and what is left.")
    ] = False,
    starts: Annotated[
        bool, typer.Option("--starts", help="Train the starts alone, and print their digests.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Measure all kept predictions again; exit 1 if any differ."),
    ] = False,
    results: Annotated[
        Optional[Path],
        typer.Option(help="Make the tables from a results.jsonl.gz of this plan; run nothing."),
    ] = None,
    device: DeviceOption = None,
    quiet: Quiet = False,
) -> None:
    """Run a benchmark of methods on noisy labels; write its results and tables to OUT.

    Run the same command again to continue a benchmark that was stopped.

    Example: actiseg-train bench quick --out bench --processes 2
    """
    require_torch()
    from reference_trainer.bench.bench_report_making import make_report
    from reference_trainer.bench.plan_file import load_plan
    from reference_trainer.bench.results_checks import check_results
    from reference_trainer.bench.run_results import read_results
    from reference_trainer.bench.running import (
        check_processes,
        check_roots,
        open_matrix,
        run_matrix,
    )

    if sum((dry_run, starts, check, results is not None)) > 1:
        where = "`dry_run`, `starts`, `check`, `results`"
        raise refuse("exclude one another", where, "give one of them")
    unused = {"data": data, "processes": processes, "on_the_fly": on_the_fly, "device": device}
    if results is not None:
        _refuse_unused("results", {"arm": arms, **unused})
    if check:
        _refuse_unused("check", unused)
    side_by_side = 1 if processes is None else processes
    check_processes(side_by_side)
    loaded = load_plan(plan)
    if results is not None:
        kept = read_results(results)
        check_results(loaded, kept, str(results))
        _write_kept_tables(loaded, kept, out, quiet=quiet)
        return
    matrix = open_matrix(loaded, out, arms)
    if check:
        _check(matrix, out)
        return
    roots = _parse_data(data or [])
    check_roots(matrix, roots)
    if dry_run or not quiet:
        _print_costs(matrix, roots, side_by_side)
    if dry_run:
        return

    def write(finished: Results) -> None:
        _write_tables(make_report(loaded, finished), finished, out, quiet=quiet)

    try:
        run_matrix(
            matrix,
            out,
            data=roots,
            processes=side_by_side,
            on_the_fly=on_the_fly,
            device="auto" if device is None else device,
            starts_only=starts,
            listen=_Listener(quiet=quiet).report,
            finish=write,
        )
    except (KeyboardInterrupt, Termination):
        print("what was done is kept: run the same command again to continue", file=sys.stderr)
        raise
    if starts:
        _print_starts(matrix, out)


def _refuse_unused(flag: str, options: Mapping[str, Any]) -> None:
    """Raise an `InputError` with all options that were given and have no effect with a flag."""
    problems = ProblemCollector()
    for name, value in options.items():
        if value not in (None, False, []):
            problems.add(f"has no effect with `{flag}`", f"`{name}`", "leave it out")
    problems.raise_if_any()


def _parse_data(values: list[str]) -> dict[str, Path]:
    roots = {}
    for value in values:
        name, sign, root = value.partition("=")
        if not sign or not name or not root:
            raise refuse(f"{value!r} is not a name and a folder", "`data`", "give NAME=ROOT")
        roots[name] = Path(root)
    return roots


class _Listener:
    """Prints a line for each job that has ended."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._start = time.monotonic()

    def report(self, path: str, progress: MatrixProgress) -> None:
        """Print the job, and how far the matrix is."""
        if self._quiet:
            return
        minutes = (time.monotonic() - self._start) / 60
        failed = f", {progress.failed} failed" if progress.failed else ""
        done = f"{progress.done + progress.failed} of {count_nouns(progress.runs, 'run')}{failed}"
        print(f"{path} ({done}, {minutes:.0f} min)", flush=True)


def _print_costs(matrix: Matrix, roots: Mapping[str, Path], processes: int) -> None:
    from reference_trainer.bench.costs import estimate_costs, estimate_run

    total = left = 0.0
    estimates = estimate_costs(matrix, roots)
    for used in matrix.jobs.arms:
        size = estimate_run(used, roots)
        clips = count_nouns(size.clips, "training clip")
        assumed = "" if size.known else " (assumed: the dataset is not given)"
        print(f"{used.name}: {clips}{assumed}, {count_nouns(size.steps, 'step')} a run")
        if size.encoder != "tiny":
            print(f"{used.name}: hours are those of the encoder tiny on a CPU, not {size.encoder}")
    for (arm, cell), cost in estimates.items():
        about = matrix.plan.cells[cell].about
        print(
            f"{arm} {cell} ({about}): {count_nouns(cost.runs, 'run')}, "
            f"{_format_hours(cost.hours)}; {cost.missing} missing, {_format_hours(cost.hours_left)}"
        )
        total, left = total + cost.hours, left + cost.hours_left
    source = "from runs that have ended" if any(c.measured for c in estimates.values()) else "rough"
    share = _format_hours(left / max(processes, 1))
    print(
        f"processor time of all runs: {_format_hours(total)}; left: {_format_hours(left)}, {share} "
        f"with {count_nouns(processes, 'process', 'processes')} (estimate, {source})"
    )
    waiting = matrix.jobs.list_waiting(matrix.tune())
    if waiting:
        print(f"further runs follow when tuning has chosen their values: {', '.join(waiting)}")


def _format_hours(hours: float) -> str:
    """Format a time.

    >>> _format_hours(0.05), _format_hours(2.54)
    ('3 min', '2.5 h')
    """
    return f"{60 * hours:.0f} min" if hours < 1 else f"{hours:.1f} h"


def _check(matrix: Matrix, out: Path) -> None:
    from reference_trainer.bench.running import check_predictions

    if not matrix.measure_progress().done:
        raise refuse("has no finished run", out, "give the folder of a benchmark")
    different = check_predictions(matrix, out)
    for line in different:
        print(line)
    done = matrix.measure_progress().done
    print(f"{done - len(different)} of {count_nouns(done, 'run')} have the figures that were kept")
    if different:
        raise typer.Exit(1)


def _print_starts(matrix: Matrix, out: Path) -> None:
    """Print where each start is, its digest, and whether the kept results come from it."""
    from reference_trainer.bench.job_work import TRAINING
    from reference_trainer.bench.kept_starts import load_kept_starts

    kept = load_kept_starts(matrix.plan.name)
    for start in matrix.list_starts():
        record = matrix.get_record(start)
        assert record is not None, "all starts have ended"
        note = ""
        if start.path in kept:
            is_equal = kept[start.path] == record.output
            note = ": that of the kept results" if is_equal else f": the kept is {kept[start.path]}"
        print(f"{out / start.path / TRAINING}: {record.output}{note}")


def _write_kept_tables(plan: Plan, results: Results, out: Path, *, quiet: bool) -> None:
    from reference_trainer.bench.bench_report_making import make_report
    from reference_trainer.bench.running import lock_bench

    report = make_report(plan, results)
    with lock_bench(out):
        _write_tables(report, results, out, quiet=quiet)


def _write_tables(report: BenchReport, results: Results, out: Path, *, quiet: bool) -> None:
    """Write the tables into a folder that is locked."""
    from reference_trainer.bench.bench_tables import describe_overview
    from reference_trainer.bench.report_writing import write_bench_report

    written = write_bench_report(report, results, out)
    if not quiet:
        print_report(describe_overview(report))
        if len(results.machines) > 1:
            print(f"runs come from several devices or releases: {'; '.join(results.machines)}")
    print(f"{', '.join(path.name for path in written)} in {out}")
