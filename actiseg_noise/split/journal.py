"""Records of finished sequences, so that an interrupted run can be resumed.

Each record is one line of JSON. Every process appends to a file of its own, named by run and
process, because one file per sequence would be far slower. A line ends with its digest, so that a
line that was cut short or damaged is ignored.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_ENDING = ".jsonl"


@dataclass(frozen=True)
class SequenceRecord:
    """The results of a finished sequence.

    Attributes
    ----------
    folder : str
        Sequence folder.
    rows : list of str
        Ledger rows as lines of JSON.
    digests : dict of str to str
        Digests of the masks and weights that were written, by relative path.
    clean_digests : dict of str to list of str
        Digests of the files that they were made from, see
        `actiseg_noise.split.clean_parts.CleanPart.digest_files`.
    tally : Counter of str
        Counts, see `actiseg_noise.mask_noise.sequence_masks.FrameNoise`.
    bystander_ious : list of float
        IoU of each cut bystander, as in `FrameNoise`.
    segments : dict of str to any
        Of a document with masks: see `actiseg_noise.split.mask_documents.encode_changes`.
    """

    folder: str
    rows: list[str]
    digests: dict[str, str]
    clean_digests: dict[str, list[str]]
    tally: Counter[str]
    bystander_ious: list[float]
    segments: dict[str, Any]

    @classmethod
    def make_empty(cls, folder: str) -> SequenceRecord:
        """Make the record of a sequence that is not processed yet."""
        return cls(folder, [], {}, {}, Counter(), [], {})


@dataclass(frozen=True)
class Place:
    """The position of a record in a journal.

    Attributes
    ----------
    file : Path
        The journal file.
    start : int
        Offset of the line in bytes.
    length : int
        Length of the line in bytes.
    """

    file: Path
    start: int
    length: int


def number_run(journal: Path) -> int:
    """Return a number for this run that is larger than those of all earlier runs."""
    return 1 + max((_parse_run(file) for file in journal.glob(f"*{_ENDING}")), default=0)


def append(journal: Path, run: int, record: SequenceRecord) -> None:
    """Append a record to this process's file. The main process gets `run` from `number_run`."""
    text = json.dumps(vars(record)).encode()
    parts = (json.dumps(record.folder).encode(), text, _compute_digest(text))
    with (journal / f"{run}-{os.getpid()}{_ENDING}").open("ab") as stream:
        # The first line feed ends a line that an interrupted write may have left incomplete.
        stream.write(b"\n" + b"\t".join(parts) + b"\n")


def find_records(journal: Path) -> dict[str, Place]:
    """Find the last record of each sequence, by sequence folder."""
    places = {}
    for file in sorted(journal.glob(f"*{_ENDING}"), key=_parse_run):
        with file.open("rb") as stream:
            start = 0
            for line in stream:
                name = line.partition(b"\t")[0]
                if line.endswith(b"\n") and len(line) > 1:
                    places[_parse_name(name)] = Place(file, start, len(line))
                start += len(line)
    return places


def read_record(place: Place) -> SequenceRecord | None:
    """Read a record. Return None if it is damaged."""
    with place.file.open("rb") as stream:
        stream.seek(place.start)
        _, text, digest = (*stream.read(place.length).rstrip(b"\n").split(b"\t"), b"", b"")[:3]
    if _compute_digest(text) != digest:
        return None
    document = json.loads(text)  # as `append` wrote it
    return SequenceRecord(**document | {"tally": Counter(document["tally"])})


def _compute_digest(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()


def _parse_run(file: Path) -> int:
    run = file.name.partition("-")[0]
    return int(run) if run.isdecimal() else 0


def _parse_name(text: bytes) -> str:
    try:
        return str(json.loads(text))
    except (ValueError, RecursionError):
        return ""
