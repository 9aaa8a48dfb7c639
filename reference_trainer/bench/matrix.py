"""The state of a matrix of runs on disk: what has ended, what fits the plan, what comes next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from actiseg_data.core.errors import ProblemCollector
from reference_trainer.bench.job_records import JobRecord, read_job_record
from reference_trainer.bench.job_work import Assignment
from reference_trainer.bench.jobs import Job, JobList, RunJob, StartJob, digest_job
from reference_trainer.bench.plan import Plan, Settings
from reference_trainer.bench.tuning import TunedMethod, tune_methods


@dataclass(frozen=True)
class MatrixProgress:
    """How far a matrix is.

    Attributes
    ----------
    runs, done, failed : int
        The runs that are known to be needed, and those that have ended well or failed.
    """

    runs: int
    done: int
    failed: int

    @property
    def missing(self) -> int:
        return self.runs - self.done - self.failed


class Matrix:
    """The jobs of some arms of a plan, and the records of those that have ended.

    Parameters
    ----------
    plan : Plan
    arms : iterable of str
    out : Path
        The folder of the benchmark.
    """

    def __init__(self, plan: Plan, arms: Iterable[str], out: Path) -> None:
        self.plan = plan
        self.jobs = JobList(plan, arms)
        self._whole = JobList(plan, plan.arms)
        self._out = out
        self._records: dict[str, JobRecord] = {}
        self._looked: set[str] = set()
        self.read_records()

    def read_records(self) -> None:
        """Read the records on disk, which another process may have written.

        Raises
        ------
        InputError
            With all jobs on disk, of any arm, that are not as the plan has them, or whose records
            are damaged.
        """
        self._records.clear()
        self._looked.clear()
        self._refuse_damage()
        problems = ProblemCollector()
        for job in self.list_all_jobs():
            record = None
            with problems.collect():
                record = self.get_record(job)
            if record is None:
                continue
            where = str(self._out / job.path)
            if record.job != digest_job(job):
                problems.add(
                    "was made with another configuration, or by another release",
                    where,
                    "give another folder as `out`, or remove this one to make it again",
                )
            for needed, output in record.inputs.items():
                made = self._records.get(needed)
                if made is not None and made.output != output:
                    problems.add(
                        f"was made from another state of {needed}",
                        where,
                        "remove it to make it again",
                    )
        problems.raise_if_any()

    def _refuse_damage(self) -> None:
        """Raise an `InputError` with all damaged records of jobs that need not wait for tuning."""
        problems = ProblemCollector()
        runs = self._whole.list_runs(None)
        for job in [*self._whole.list_inputs(runs), *runs]:
            with problems.collect():
                self.get_record(job)
        problems.raise_if_any()

    def get_record(self, job: Job) -> JobRecord | None:
        """Return the record of a job; None if it has not ended."""
        if job.path not in self._looked:
            record = read_job_record(self._out / job.path, job.members)
            self._looked.add(job.path)
            if record is not None:
                self._records[job.path] = record
        return self._records.get(job.path)

    def add_record(self, job: Job, record: JobRecord) -> None:
        """Take note of a job that has ended."""
        self._looked.add(job.path)
        self._records[job.path] = record

    def tune(self) -> dict[str, TunedMethod]:
        """Return what tuning chose, for all methods for which that is known."""
        return tune_methods(self.plan, self._get_tuning_score)

    def _get_tuning_score(self, run: RunJob) -> float | None:
        record = self.get_record(run)
        if record is None:
            return None
        score = record.result.get("tuning_score")
        return -math.inf if score is None else float(score)

    def list_runs(self) -> list[RunJob]:
        """List the runs of these arms that are known to be needed."""
        return self.jobs.list_runs(self._choose_values())

    def list_all_runs(self) -> list[RunJob]:
        """List the runs of all arms of the plan that are known to be needed."""
        return self._whole.list_runs(self._choose_values())

    def list_all_jobs(self) -> list[Job]:
        """List the runs of all arms, and before them what they need."""
        runs = self.list_all_runs()
        return [*self._whole.list_inputs(runs), *runs]

    def _choose_values(self) -> Mapping[str, Settings]:
        return {name: choice.knob for name, choice in self.tune().items()}

    def measure_progress(self) -> MatrixProgress:
        """Count the runs."""
        runs = self.list_runs()
        records = [record for run in runs if (record := self.get_record(run)) is not None]
        failed = sum(record.has_failed for record in records)
        return MatrixProgress(len(runs), len(records) - failed, failed)

    def list_starts(self) -> list[StartJob]:
        """List the starts of the runs of these arms, and those that these begin with."""
        inputs = self.jobs.list_inputs(self.list_runs())
        return [job for job in inputs if isinstance(job, StartJob)]

    def choose_next(self, busy: set[str]) -> Assignment | None:
        """Choose a job whose inputs are there: runs in their order, and what they need first."""
        return self._choose(self.list_runs(), busy)

    def choose_next_start(self, busy: set[str]) -> Assignment | None:
        """Choose a job as `choose_next` does, of starts and what they need."""
        return self._choose(self.list_starts(), busy)

    def _choose(self, wanted: Sequence[RunJob | StartJob], busy: set[str]) -> Assignment | None:
        for goal in wanted:
            if self.get_record(goal) is None and goal.path not in busy:
                job = self._find_first([*self.jobs.list_inputs([goal]), goal], busy)
                if job is not None:
                    inputs = {path: self._records[path].output for path in job.needs}
                    return Assignment(job, inputs)
        return None

    def _find_first(self, chain: list[Job], busy: set[str]) -> Job | None:
        """Return the first job of a chain that has not ended and can be done now."""
        for job in chain:
            if self.get_record(job) is not None or job.path in busy:
                continue
            needed = [self.get_record(self._whole.make_input(path)) for path in job.needs]
            if all(record is not None and not record.has_failed for record in needed):
                return job
        return None
