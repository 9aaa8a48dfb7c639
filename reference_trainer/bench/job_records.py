"""What is known of a job that has ended: a document in its folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_schema, parse_json
from actiseg_data.core.errors import InputError, Problem, ProblemCollector
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.files import write_json
from reference_trainer.bench.result_members import parse_members

JOB_SCHEMA = "actiseg/bench-job/1"
JOB_FILE = "job.json"


@dataclass(frozen=True)
class JobRecord:
    """The end of a job.

    Attributes
    ----------
    job : str
        Digest of what decides its result.
    inputs : mapping of str to str
        By the path of each job that it needed, the output that it was made from.
    output : str
        Digest of what it made. Empty if it failed.
    seconds : float
        Processor time that it took.
    problem : str
        Why it failed. Empty if it did not.
    result : mapping of str to value
        What tables need.
    """

    job: str
    inputs: Mapping[str, str]
    output: str
    seconds: float
    problem: str
    result: Mapping[str, Any]

    @property
    def has_failed(self) -> bool:
        return bool(self.problem)


def write_job_record(folder: Path, record: JobRecord) -> None:
    """Write the record of a job into its folder."""
    write_json(folder / JOB_FILE, {"schema": JOB_SCHEMA, **asdict(record)})


def read_job_record(folder: Path, members: Iterable[str] = ()) -> JobRecord | None:
    """Read the record of a job; None if it has not ended.

    Parameters
    ----------
    folder : Path
        The folder of the job.
    members : iterable of str
        What its result must have, if it has not failed.

    Raises
    ------
    InputError
        If the record is damaged, or of another version.
    """
    file = folder / JOB_FILE
    if not file.is_file():
        return None
    data = read_bytes(file, "record of a job")
    try:
        top = Cursor(parse_json(data, file), str(file))
        schema = top["schema"].as_text()
        record = _parse_record(top, members) if schema == JOB_SCHEMA else None
    except InputError as error:
        hint = f"remove {folder} to do the job again"
        raise InputError(Problem(item.what, item.where, hint) for item in error.problems) from None
    check_schema(top, JOB_SCHEMA, RELEASE_HINT)
    return record


def _parse_record(top: Cursor, members: Iterable[str]) -> JobRecord:
    problems = ProblemCollector()
    parsed: dict[str, Any] = {"problem": ""}
    for name in ("job", "output", "problem"):
        with problems.collect():
            parsed[name] = top[name].as_text()
    with problems.collect():
        parsed["inputs"] = {name: made.as_text() for name, made in top["inputs"].iterate_members()}
    with problems.collect():
        parsed["seconds"] = top["seconds"].as_number()
    with problems.collect():
        parsed["result"] = parse_members(top["result"], () if parsed["problem"] else members)
    problems.raise_if_any()
    return JobRecord(**parsed)
