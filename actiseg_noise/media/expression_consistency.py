"""Check that the referring expressions of a noisy split and its ledger agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.expression_documents import read_expressions
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LEDGER_FILE, TextRow
from actiseg_data.records.recipe_record import RECIPE_FILE


def find_expression_inconsistencies(
    split: Split, name: str, rows: Sequence[TextRow]
) -> Iterator[str]:
    """Find ledger rows that do not match the expressions, and changed expressions without a row.

    Parameters
    ----------
    split : Split
        The noisy split on disk.
    name : str
        The document of its expressions.
    rows : sequence of TextRow
        The ledger's rows for text.

    Yields
    ------
    str
        One line for each inconsistency.
    """
    try:
        document = read_expressions(split, name, split.sequences)
    except InputError as error:
        yield from map(str, error.problems)
        return
    by_key: dict[tuple[str, str], list[TextRow]] = {}
    for row in rows:
        by_key.setdefault((row.sequence, str(row.parameters.get("expression"))), []).append(row)
    for sequence in document.sequences:
        for expression in sequence.expressions:
            place = f"{name}: {sequence.folder}, expression {expression.exp_id}"
            own = by_key.pop((sequence.folder, expression.exp_id), [])
            known = {(row.prompt_org, row.prompt) for row in own}
            texts = (expression.text_org, expression.text)
            if expression.text_org is None:
                yield f"{place} lacks its clean text (exp_org)"
            elif own and known != {texts}:
                yield f"{place} is not what {LEDGER_FILE} says"
            elif not own and texts[0] != texts[1]:
                yield f"{place} changed, which {LEDGER_FILE} lacks"
    for folder, exp_id in by_key:
        yield f"{LEDGER_FILE}: {folder} has no expression {exp_id}"


def find_noisy_expressions(split: Split, name: str) -> Iterator[str]:
    """Find expressions with a clean copy, which a recipe without text noise does not make."""
    try:
        document = read_expressions(split, name, split.sequences)
    except InputError as error:
        yield from map(str, error.problems)
        return
    texts = (entry.text_org for sequence in document.sequences for entry in sequence.expressions)
    if any(text is not None for text in texts):
        yield f"{name}: has text noise, which {RECIPE_FILE} lacks"
