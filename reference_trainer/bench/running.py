"""Run a benchmark: do what is missing, and keep the results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from actiseg_data.core.arguments import check_integer
from actiseg_data.core.errors import InputError, Problem, ProblemCollector, check_known, refuse
from actiseg_data.core.folder_locks import lock_folder
from actiseg_data.layouts.opening import open_action_split
from actiseg_data.records.baseline_record import NoisyLabelsSource
from reference_trainer.bench.jobs import DataJob, NoiseJob, RunJob
from reference_trainer.bench.matrix import Matrix, MatrixProgress
from reference_trainer.bench.plan import Arm, Plan, RootSource
from reference_trainer.bench.run_results import (
    RESULTS_FILE,
    Results,
    RunResult,
    merge_runs,
    write_results,
)
from reference_trainer.devices import pick_device

if TYPE_CHECKING:
    from reference_trainer.bench.job_records import JobRecord
    from reference_trainer.bench.job_work import Assignment

LOCK_FILE = ".lock"

Listener = Callable[[str, MatrixProgress], None]
"""Called with the path of each job that has ended, and the progress of the matrix."""


def open_matrix(plan: Plan, out: str | Path, arms: Iterable[str] | None = None) -> Matrix:
    """Open the matrix of a plan in a folder, which may be new.

    Raises
    ------
    InputError
        If an arm is unknown, or if jobs in the folder are not as the plan has them.
    """
    names = list(plan.arms) if arms is None else list(dict.fromkeys(arms))
    check_known(names, plan.arms, "arm", f"plan {plan.name}", f"use {', '.join(plan.arms)}")
    return Matrix(plan, names, Path(out))


def run_matrix(
    matrix: Matrix,
    out: str | Path,
    *,
    data: Mapping[str, str | Path] | None = None,
    processes: int = 1,
    on_the_fly: bool = False,
    device: str = "auto",
    starts_only: bool = False,
    listen: Listener = lambda path, progress: None,
    finish: Callable[[Results], None] = lambda results: None,
) -> Results:
    """Do all jobs of a matrix that have not ended, and write the results.

    A stopped matrix is continued by the same call, with equal results.

    Parameters
    ----------
    matrix : Matrix
    out : str or Path
        The folder of the benchmark.
    data : mapping of str to path, optional
        The datasets that the plan names, by these names.
    processes : int
        How many jobs are done side by side, each on one core.
    on_the_fly : bool
        Whether training labels get their noise while they are read, without a copy on disk.
    device : str
        ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
    starts_only : bool
        Whether to stop when the starts are trained. Results are not written then.
    listen : callable
    finish : callable
        Called with the results when all jobs have ended, while the folder is still locked.

    Raises
    ------
    InputError
        If a dataset or the device is missing, if another process works in the folder, or if an
        input of a run has changed.
    """
    from reference_trainer.bench.job_processes import run_jobs
    from reference_trainer.bench.job_work import Workplace

    check_processes(processes)
    pick_device(device)  # a wrong one is refused before any job
    folder = Path(out)
    roots = {name: Path(root).resolve() for name, root in (data or {}).items()}
    _refuse_missing_data(matrix, roots)
    place = Workplace(folder.resolve(), roots, on_the_fly, device)

    def accept(assignment: Assignment, record: JobRecord) -> None:
        matrix.add_record(assignment.job, record)
        listen(assignment.job.path, matrix.measure_progress())

    choose = matrix.choose_next_start if starts_only else matrix.choose_next
    with lock_bench(folder):
        matrix.read_records()
        _refuse_other_data(matrix, roots)
        try:
            if choose(set()) is not None:
                run_jobs(place, processes, choose, accept)
        finally:
            results = gather_results(matrix)
            if results.runs and not starts_only:
                write_results(folder / RESULTS_FILE, results)
        if not starts_only:
            finish(results)
    return results


def check_processes(processes: int) -> None:
    """Raise an `InputError` if there is no process to do jobs."""
    if check_integer(processes, "processes") < 1:
        raise refuse(f"{processes} is out of range", "`processes`", "give 1 or more")


def lock_bench(out: Path) -> AbstractContextManager[None]:
    """Return the lock of the folder of a benchmark."""
    hint = "wait for it to end, or give another folder as `out`"
    return lock_folder(out, out / LOCK_FILE, hint)


def check_roots(matrix: Matrix, roots: Mapping[str, Path]) -> None:
    """Raise an `InputError` with all given datasets that are unknown to the plan or missing."""
    problems = ProblemCollector()
    _collect_wrong_roots(matrix, roots, problems)
    problems.raise_if_any()


def _collect_wrong_roots(
    matrix: Matrix, roots: Mapping[str, Path], problems: ProblemCollector
) -> None:
    with problems.collect():
        known = _list_roots(matrix.plan.arms.values())
        check_known(roots, known, "dataset", "`data`", "use the names of the plan")
    for name, root in sorted(roots.items()):
        if not root.is_dir():
            problems.add("is not a folder", root, f"give the root of the dataset {name!r}")


def _refuse_missing_data(matrix: Matrix, roots: Mapping[str, Path]) -> None:
    """Raise an `InputError` with all datasets that are wrong, or needed and not given."""
    problems = ProblemCollector()
    _collect_wrong_roots(matrix, roots, problems)
    for name in sorted(_list_roots(matrix.jobs.arms) - set(roots)):
        what = f"the dataset {name!r} is not given"
        problems.add(what, "`data`", f"give {name}=ROOT, a dataset in the ActionVOS layout")
    problems.raise_if_any()


def _list_roots(arms: Iterable[Arm]) -> set[str]:
    """List the datasets that arms need from the user."""
    return {
        source.root
        for arm in arms
        for source in arm.data.values()
        if isinstance(source, RootSource)
    }


def _refuse_other_data(matrix: Matrix, roots: Mapping[str, Path]) -> None:
    """Raise an `InputError` if a dataset is another one than the benchmark was begun with."""
    problems = ProblemCollector()
    for job in matrix.list_all_jobs():
        record = matrix.get_record(job)
        if not isinstance(job, DataJob) or record is None or "source" not in record.result:
            continue
        source = job.source
        if isinstance(source, RootSource) and source.root in roots:
            root = roots[source.root]
            if open_action_split(root, source.split).fingerprint != record.result["source"]:
                problems.add(
                    f"has another list {source.split!r} than the dataset that {job.path} is from",
                    root,
                    "give that dataset, or another folder as `out`",
                )
    problems.raise_if_any()


def gather_results(matrix: Matrix) -> Results:
    """Gather the results of all runs of all arms that have ended."""
    results = [
        _make_result(run, matrix.jobs.digest_settings(run), record)
        for run in matrix.list_all_runs()
        if (record := matrix.get_record(run)) is not None
    ]
    scores: dict[str, list[float]] = {}
    noises: dict[str, list[NoisyLabelsSource]] = {}
    for job in matrix.list_all_jobs():
        record = matrix.get_record(job)
        if isinstance(job, NoiseJob) and job.scored and record is not None:
            arm, *_, cell, _ = job.path.split("/")
            score = record.result.get("labels")
            if score is not None:
                scores.setdefault(f"{arm}/{cell}", []).append(score)
            source = NoisyLabelsSource(record.result["recipe"], record.result["clean"])
            noises.setdefault(f"{arm}/{cell}", []).append(source)
    labels = {name: mean(values) for name, values in sorted(scores.items())}
    return Results(
        plan=matrix.plan.name,
        labels=labels,
        noises={name: tuple(sources) for name, sources in sorted(noises.items())},
        runs=merge_runs(results),
    )


def _make_result(run: RunJob, settings: str, record: JobRecord) -> RunResult:
    result = record.result
    return RunResult(
        **asdict(run.name),
        settings=settings,
        start=record.inputs.get(run.start, ""),
        problem=record.problem,
        seconds=record.seconds,
        training_seconds=result.get("training_seconds"),
        flops=result.get("flops"),
        meter=result.get("meter", {}),
        tuning_score=result.get("tuning_score"),
        record=result.get("record"),
        predictions=result.get("predictions", ""),
        device=result.get("device", ""),
        torch=result.get("torch", ""),
    )


def check_predictions(matrix: Matrix, out: str | Path) -> list[str]:
    """Measure all kept predictions again.

    Returns
    -------
    list of str
        The runs whose figures differ from those that were kept, or whose predictions are gone.
    """
    from reference_trainer.bench.job_work import (
        Workplace,
        digest_predictions,
        measure_run,
        measure_tuning,
    )

    place = Workplace(Path(out).resolve(), {}, on_the_fly=False, device="cpu")
    different = []
    for run in matrix.list_runs():
        record = matrix.get_record(run)
        if record is None or record.has_failed:
            continue
        try:
            measured = measure_run(place, run)
            digest = digest_predictions(place, run)
            score = measure_tuning(place.find(run.path), run)
        except InputError as error:
            different.append(f"{run.path}: {_join(error.problems)}")
            continue
        differences = []
        if measured.to_dict() != record.result["record"]:
            differences.append("other figures")
        elif digest != record.result["predictions"]:
            differences.append("other raw scores")
        if score != record.result["tuning_score"]:
            differences.append("another tuning score")
        if differences:
            different.append(f"{run.path}: has {' and '.join(differences)}")
    return different


def _join(problems: Iterable[Problem]) -> str:
    return "; ".join(f"{problem.where}: {problem.what}" for problem in problems)
