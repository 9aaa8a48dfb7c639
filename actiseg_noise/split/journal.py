"""Records of the sequences that are finished while a split is made, so that it can be taken up.

A line of JSON each, appended by every process to a file of its own, named by run and process: far
cheaper than a file for each sequence. A line ends with its digest: what a killed process or a full
disk left of one, or a bad disk made of it, counts for nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

_ENDING = ".jsonl"


@dataclass(frozen=True)
class SequenceRecord:
    """What is kept of a finished sequence.

    folder: its name. rows: ledger rows as lines of JSON. digests: of the masks and weights written,
    by path. clean_digests: of those that they were made from, see
    `actiseg_noise.split.clean_parts.Part.digests`. tally, bystander_ious: see
    `actiseg_noise.mask_noise.sequence_masks.FrameNoise`.
    """

    folder: str
    rows: list[str]
    digests: dict[str, str]
    clean_digests: dict[str, list[str]]
    tally: Counter[str]
    bystander_ious: list[float]

    @classmethod
    def empty(cls, folder: str) -> SequenceRecord:
        """The record of a sequence of which nothing is known yet."""
        return cls(folder, [], {}, {}, Counter(), [])


@dataclass(frozen=True)
class Place:
    """Where a record stands: a file, and the first byte and the length of its line."""

    file: Path
    start: int
    length: int


def next_run(journal: Path) -> int:
    """A number for this run, larger than those of all runs before it."""
    return 1 + max((_run_of(file) for file in journal.glob(f"*{_ENDING}")), default=0)


def append(journal: Path, run: int, record: SequenceRecord) -> None:
    """Write a record; `run_parallel` as `next_run` gave it to the main process."""
    text = json.dumps(vars(record)).encode()
    parts = (json.dumps(record.folder).encode(), text, _digest_of(text))
    with (journal / f"{run}-{os.getpid()}{_ENDING}").open("ab") as stream:
        # The first line feed ends what may stand there half.
        stream.write(b"\n" + b"\t".join(parts) + b"\n")


def find_records(journal: Path) -> dict[str, Place]:
    """Where the last record of each sequence stands, by the sequence's folder."""
    places = {}
    for file in sorted(journal.glob(f"*{_ENDING}"), key=_run_of):
        with file.open("rb") as stream:
            start = 0
            for line in stream:
                name = line.partition(b"\t")[0]
                if line.endswith(b"\n") and len(line) > 1:
                    places[_name(name)] = Place(file, start, len(line))
                start += len(line)
    return places


def read_record(place: Place) -> SequenceRecord | None:
    """The record at a place, or None where it is damaged."""
    with place.file.open("rb") as stream:
        stream.seek(place.start)
        _, text, digest = (*stream.read(place.length).rstrip(b"\n").split(b"\t"), b"", b"")[:3]
    if _digest_of(text) != digest:
        return None
    document = json.loads(text)  # as `append` wrote it
    return SequenceRecord(**document | {"tally": Counter(document["tally"])})


def _digest_of(text: bytes) -> bytes:
    return hashlib.blake2b(text, digest_size=16).hexdigest().encode()


def _run_of(file: Path) -> int:
    run = file.name.partition("-")[0]
    return int(run) if run.isdecimal() else 0


def _name(text: bytes) -> str:
    try:
        return str(json.loads(text))
    except (ValueError, RecursionError):
        return ""
