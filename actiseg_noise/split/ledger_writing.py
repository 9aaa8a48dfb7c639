"""Write the ledger and the digests of a noisy split from the records of its sequences."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from actiseg_data.core.files import open_atomic
from actiseg_data.records.ledger_record import LEDGER_FILE, LabelRow, TextRow
from actiseg_data.records.split_documents import DIGESTS_FILE
from actiseg_noise.split.journal import SequenceRecord


def write_ledger_and_digests(
    partial: Path,
    image_sets: Mapping[str, str],
    rows: Mapping[str, Iterable[TextRow | LabelRow]],
    records: Iterable[SequenceRecord],
) -> Iterator[SequenceRecord]:
    """Write the ledger and the digests, and yield the records that they are written from.

    Both files are complete when the last record was consumed.

    Parameters
    ----------
    partial : Path
        The partial folder.
    image_sets : mapping of str to str
        Digests of the lists, by relative path.
    rows : mapping
        Ledger rows for text and labels by sequence folder. They come before the sequence's rows for
        masks.
    records : iterable of SequenceRecord
        The records of all sequences, in order.

    Yields
    ------
    SequenceRecord
        Each record, after its rows and digests were written.
    """
    with (
        open_atomic(partial / LEDGER_FILE) as ledger,
        open_atomic(partial / DIGESTS_FILE) as digests,
    ):
        digests.write(b"{\n" + _format_members(image_sets))
        for record in records:
            lines = (*(row.to_json() for row in rows.get(record.folder, ())), *record.rows)
            ledger.write("".join(f"{line}\n" for line in lines).encode())
            if record.digests:
                digests.write(b",\n" + _format_members(record.digests))
            yield record
        digests.write(b"\n}\n")


def _format_members(digests: Mapping[str, str]) -> bytes:
    lines = (
        f" {json.dumps(name, ensure_ascii=False)}: {json.dumps(digest)}"
        for name, digest in digests.items()
    )
    return ",\n".join(lines).encode()
