"""Find sequences of a noisy split, and what the ledger says about their words and labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import LEDGER_FILE, LabelRow, TextRow, read_ledger
from actiseg_noise.split.noisy_split import read_split_recipe


def find_noisiest(out: Path) -> tuple[str, int]:
    """Return the sequence of a noisy split with the most ledger rows, and their number.

    The first of equals counts; without any noise it is the first sequence of the list.
    """
    recipe = read_split_recipe(out)
    split = open_split(out, recipe.split, masks=False)
    rows = Counter(row.sequence for row in read_ledger(out / LEDGER_FILE))
    folders = [sequence.folder for sequence in split.sequences]
    noisiest = max(folders, key=lambda folder: rows[folder])
    return noisiest, rows[noisiest]


def find_rewording(out: Path, sequence: str) -> list[TextRow] | None:
    """Return the ledger rows of text noise of one sequence; None if the recipe has no text noise.

    Raises
    ------
    InputError
        If the sequence is unknown.
    """
    recipe = read_split_recipe(out)
    split = open_split(out, recipe.split, masks=False)
    split.select([sequence], "sequence")
    if recipe.text_noise is None:
        return None
    rows = read_ledger(out / LEDGER_FILE)
    return join_nouns(row for row in rows if isinstance(row, TextRow) and row.sequence == sequence)


def join_nouns(rows: Iterable[TextRow]) -> list[TextRow]:
    """Join the ledger rows of the nouns of each expression of a sequence to one, with all kinds."""
    joined: dict[object, TextRow] = {}
    for row in rows:
        key = row.parameters.get("expression", len(joined))
        known = joined.setdefault((key, row.object_id), row)
        if row.kind not in known.kind.split("+"):
            joined[key, row.object_id] = replace(known, kind=f"{known.kind}+{row.kind}")
    return list(joined.values())


def find_flips(out: Path, sequence: str) -> list[LabelRow] | None:
    """Return the ledger rows of the labels of one sequence that changed.

    None if the recipe has no noise in labels.
    """
    if not read_split_recipe(out).label_noises:
        return None
    rows = read_ledger(out / LEDGER_FILE)
    labels = (row for row in rows if isinstance(row, LabelRow) and row.sequence == sequence)
    return [row for row in labels if row.has_changed]
