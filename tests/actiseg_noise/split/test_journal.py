"""The journal of a run: what is found in it again, and what counts for nothing."""

from __future__ import annotations

from collections import Counter

import pytest

from actiseg_noise.split.journal import (
    SequenceRecord,
    append,
    find_records,
    number_run,
    read_record,
)

RECORD = SequenceRecord(
    folder="00000001_P01_01_take_board:cutting",
    rows=['{"object": "planche à découper"}'],
    digests={"Annotations_Sparse/train/a/b.png": "00ff"},
    clean_digests={"Annotations_Sparse": ["ff00"]},
    tally=Counter(items=3),
    bystander_ious=[0.5],
    segments={},
)


def test_records_are_found_again(tmp_path):
    assert number_run(tmp_path) == 1
    append(tmp_path, 1, RECORD)
    assert number_run(tmp_path) == 2
    (place,) = find_records(tmp_path).values()
    assert read_record(place) == RECORD


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\0\xff",
        b'"half of a name',
        b"[" * 100_000,  # found by fuzzing: no JSON error, but a RecursionError
        b'{"a":' * 100_000 + b"\t{}",
        b'"00000002_name"\t' + b"[" * 100_000,
        b'"00000002_name"\t' + b"[" * 300 + b"]" * 300,
        b'"00000002_name"\t{}',
    ],
)
def test_damaged_lines_count_for_nothing(tmp_path, line):
    (tmp_path / "1-7.jsonl").write_bytes(line + b"\n")
    append(tmp_path, 2, RECORD)
    records = {folder: read_record(place) for folder, place in find_records(tmp_path).items()}
    assert records.pop(RECORD.folder) == RECORD
    assert set(records.values()) <= {None}
