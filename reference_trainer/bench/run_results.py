"""The results of runs, and the file that keeps them: enough for all tables without predictions."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_schema, parse_json
from actiseg_data.core.errors import ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_bytes
from actiseg_data.records.baseline_record import NoisyLabelsSource
from reference_trainer.bench.result_members import parse_members
from reference_trainer.bench.run_name import RunName

RESULTS_SCHEMA = "actiseg/bench-results/1"
RESULTS_FILE = "results.jsonl.gz"
_MOST_BYTES = 1 << 28
_NULLABLE = ("training_seconds", "flops", "tuning_score", "record")


@dataclass(frozen=True)
class RunResult(RunName):
    """What is kept of a run.

    Attributes
    ----------
    settings : str
        `JobList.digest_settings` of the run.
    start : str
        Digest of the parameters of its start.
    problem : str
        Why it failed. Empty if it did not.
    seconds : float
        Processor time for training, prediction and measurement.
    training_seconds, flops : float or None
        None for the start itself.
    meter : mapping of str to list of float
        What the net has memorised after each epoch.
    tuning_score : float or None
        The figure of the plan on the noisy labels of the tuning split.
    record : mapping of str to value, or None
        The document of its `actiseg_eval.RunRecord`. None if it failed.
    predictions : str
        `actiseg_data.digest_raw_scores` of its predictions of the test split. Empty if it failed.
    device, torch : str
        Model of the device and release of PyTorch. Empty if they were not recorded.
    """

    settings: str
    start: str
    problem: str
    seconds: float
    training_seconds: float | None
    flops: float | None
    meter: Mapping[str, list[float]]
    tuning_score: float | None
    record: Mapping[str, Any] | None
    predictions: str
    device: str
    torch: str


@dataclass(frozen=True)
class Results:
    """The results of a benchmark.

    Attributes
    ----------
    plan : str
        The name of the plan.
    labels : mapping of str to float or None
        By ``arm/cell``, the figure of the noisy labels themselves, mean over folds.
    noises : mapping of str to tuple of NoisyLabelsSource
        By ``arm/cell``, what the training labels of each fold were made from.
    runs : tuple of RunResult
    """

    plan: str
    labels: Mapping[str, float | None]
    noises: Mapping[str, tuple[NoisyLabelsSource, ...]]
    runs: tuple[RunResult, ...]

    @property
    def machines(self) -> tuple[str, ...]:
        """The devices and releases of PyTorch that runs come from, as far as they are known."""
        known = {f"{run.device}, torch {run.torch}" for run in self.runs if run.device}
        return tuple(sorted(known))


def write_results(path: Path, results: Results) -> None:
    """Write results as lines of JSON, packed. Equal results give equal bytes."""
    heading = {
        "schema": RESULTS_SCHEMA,
        "plan": results.plan,
        "labels": dict(results.labels),
        "noises": {name: list(map(asdict, sources)) for name, sources in results.noises.items()},
    }
    lines: list[Mapping[str, Any]] = [heading, *map(asdict, results.runs)]
    text = "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    write_bytes(path, gzip.compress(text.encode(), mtime=0))


def read_results(path: Path) -> Results:
    """Read results that `write_results` wrote.

    Raises
    ------
    InputError
        If the file is missing, damaged or of another version, or if it repeats runs.
    """
    text = read_bytes(path, "results file", _MOST_BYTES)  # unpacked
    lines = [
        Cursor(parse_json(line, path), f"{path}: line {number}")
        for number, line in enumerate(text.splitlines(), 1)
    ]
    if not lines:
        raise refuse("is empty", path, f"give a {RESULTS_FILE}")
    top, *rows = lines
    check_schema(top, RESULTS_SCHEMA, RELEASE_HINT)
    runs = tuple(map(_parse_result, rows))
    _refuse_repeats(runs, path)
    return Results(
        plan=top["plan"].as_text(),
        labels={name: _parse_number(value) for name, value in top["labels"].iterate_members()},
        noises={
            name: tuple(map(_parse_noise, sources.iterate_elements()))
            for name, sources in top["noises"].iterate_members()
        },
        runs=runs,
    )


def _refuse_repeats(runs: Iterable[RunResult], path: Path) -> None:
    counts = Counter(run.name for run in runs)
    problems = ProblemCollector()
    for run, count in counts.items():
        if count > 1:
            method = f"{run.method}@{run.variant}" if run.variant else run.method
            what = (
                f"has the run {run.arm} {run.cell} {method} fold {run.fold} seed {run.seed} "
                f"{count} times"
            )
            problems.add(what, path, "leave each run once")
    problems.raise_if_any()


def _parse_noise(cursor: Cursor) -> NoisyLabelsSource:
    return NoisyLabelsSource(cursor["recipe"].as_text(), cursor["clean"].as_text())


def _parse_number(cursor: Cursor) -> float | None:
    return None if cursor.value is None else cursor.as_number()


def _parse_result(row: Cursor) -> RunResult:
    # The result of a job leaves out what the results of runs have as null.
    absent = [name for name in _NULLABLE if row[name].value is None]
    needed = [name for name in (*_NULLABLE, "meter", "predictions") if name not in absent]
    recorded = [name for name in ("device", "torch") if name in row]
    given = {name: row[name].value for name in (*needed, *recorded)}
    figures: dict[str, Any] = {"device": "", "torch": "", **dict.fromkeys(absent)}
    return RunResult(
        arm=row["arm"].as_text(),
        cell=row["cell"].as_text(),
        method=row["method"].as_text(),
        variant=row["variant"].as_text(),
        fold=row["fold"].as_integer(),
        seed=row["seed"].as_integer(),
        settings=row["settings"].as_text(),
        start=row["start"].as_text(),
        problem=row["problem"].as_text(),
        seconds=row["seconds"].as_number(),
        **figures | parse_members(Cursor(given, row.where), needed),
    )


def merge_runs(runs: Iterable[RunResult]) -> tuple[RunResult, ...]:
    """Return runs without repeats, in the order of their names."""
    known = {run.name: run for run in runs}
    return tuple(sorted(known.values(), key=lambda run: run.order))
