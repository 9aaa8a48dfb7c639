"""Compare the ledger's rows that are known before any file is written with reproduced ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.records.ledger_record import LEDGER_FILE, LabelRow, TextRow


def compare_rows(
    name: str,
    written: Iterable[TextRow | LabelRow],
    reproduced: Mapping[str, Sequence[TextRow | LabelRow]],
    sequences: Iterable[VideoSequence],
) -> Iterator[str]:
    """Compare rows of the ledger with those that recipe and source give.

    Parameters
    ----------
    name : str
        What the rows are for, such as ``text``.
    written : iterable of TextRow or LabelRow
        The rows of the ledger.
    reproduced : mapping of str to sequence of TextRow or LabelRow
        The rows that must be there, by sequence folder.
    sequences : iterable of VideoSequence
        The sequences that are compared.

    Yields
    ------
    str
        One line for each sequence whose rows differ.
    """
    by_folder: dict[str, list[TextRow | LabelRow]] = {}
    for row in written:
        by_folder.setdefault(row.sequence, []).append(row)
    for sequence in sequences:
        if by_folder.get(sequence.folder, []) != list(reproduced[sequence.folder]):
            yield (
                f"{LEDGER_FILE}: the rows for {name} of {sequence.folder} differ from the "
                "reproduced ones"
            )
