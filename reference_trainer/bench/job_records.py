"""What is known of a job that has ended: a document in its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from actiseg_data.core.documents import RELEASE_HINT, Cursor, check_schema, read_json
from actiseg_data.core.files import write_json

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


def read_job_record(folder: Path) -> JobRecord | None:
    """Read the record of a job; None if it has not ended.

    Raises
    ------
    InputError
        If the record is damaged, or of another version.
    """
    file = folder / JOB_FILE
    if not file.is_file():
        return None
    top = Cursor(read_json(file, "record of a job"), str(file))
    check_schema(top, JOB_SCHEMA, RELEASE_HINT)
    return JobRecord(
        job=top["job"].as_text(),
        inputs={name: member.as_text() for name, member in top["inputs"].iterate_members()},
        output=top["output"].as_text(),
        seconds=top["seconds"].as_number(),
        problem=top["problem"].as_text(),
        result=top["result"].as_mapping(),
    )
