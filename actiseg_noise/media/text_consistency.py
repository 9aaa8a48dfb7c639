"""Check that the text of a noisy split and its ledger agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS, ActionSplit
from actiseg_data.layouts.image_sets import (
    CONNECTORS,
    MAIN_STYLE,
    Expression,
    name_expressions_file,
    read_by_folder,
    read_expression,
)
from actiseg_data.records.ledger_record import LEDGER_FILE, TextRow
from actiseg_data.records.recipe_record import RECIPE_FILE, Noise
from actiseg_noise.split.text_items import TextItem, fold, read_noisy_list, read_text_items


def find_text_inconsistencies(
    split: ActionSplit, noise: Noise, rows: Sequence[TextRow]
) -> Iterator[str]:
    """Find ledger rows that do not match the lists, and changed text without a row.

    Parameters
    ----------
    split : Split
        The noisy split on disk.
    noise : Noise
        The recipe's text noise.
    rows : sequence of TextRow
        The ledger's rows for text.

    Yields
    ------
    str
        One line for each inconsistency.
    """
    lists = split.root / IMAGE_SETS
    try:
        items = read_text_items(lists, split.name, None)
        narrations = read_noisy_list(lists / f"{split.name}.json").narrations
        yield from _compare_styles(split, items)
    except InputError as error:
        yield from map(str, error.problems)
        return
    yield from _compare_clean_text(split, items)
    if noise.scope != "narration" and narrations:
        yield f"{IMAGE_SETS}/{split.name}.json: has noisy narrations, which {RECIPE_FILE} lacks"
    narration_rows = {row.sequence: row for row in rows if row.object_id is None}
    yield from _compare_items(items, rows, narration_rows.keys())
    yield from _compare_narrations(narrations, narration_rows)


def _compare_items(
    items: Iterable[TextItem], rows: Iterable[TextRow], with_narration: Iterable[str]
) -> Iterator[str]:
    """Compare ledger rows for objects with the text of the objects.

    `with_narration` has the folders of sequences with a ledger row for the narration.
    """
    by_key = {(row.sequence, row.object_id): row for row in rows if row.object_id is not None}
    changed = {(item.sequence, item.object_id): item for item in items if item.clean != item.noisy}
    narrated = set(with_narration)
    for key, item in changed.items():
        row = by_key.get(key)
        if row is None and item.sequence in narrated and not (item.flipped or item.renamed):
            continue  # only its narration changed
        if row is None or not _is_match(row, item):
            yield f"{IMAGE_SETS}: the text of {_format_item(*key)} is not what {LEDGER_FILE} says"
    for key in by_key:
        if key not in changed:
            yield f"{IMAGE_SETS}: {_format_item(*key)} is clean, not as {LEDGER_FILE} says"


def _compare_narrations(
    narrations: Mapping[str, tuple[str, str]], rows: Mapping[str, TextRow]
) -> Iterator[str]:
    """Compare ledger rows for narrations with the narrations of the action list."""
    for folder, row in rows.items():
        if narrations.get(folder) != (row.prompt_org, row.prompt):
            yield f"{IMAGE_SETS}: the narration of {folder} is not what {LEDGER_FILE} says"
    for folder, (clean, noisy) in narrations.items():
        if clean != noisy and folder not in rows:
            yield f"{IMAGE_SETS}: the narration of {folder} changed, which {LEDGER_FILE} lacks"


def _compare_clean_text(split: ActionSplit, items: list[TextItem]) -> Iterator[str]:
    """Compare the clean text of the objects with the action list."""
    listed = {
        (sequence.folder, label.object_id): (label.class_id, label.name)
        for sequence in split.sequences
        for label in sequence.objects
    }
    for item in items:
        key = (item.sequence, item.object_id)
        if listed.pop(key, None) != (item.clean.class_id, item.clean.name):
            yield f"{IMAGE_SETS}: the clean text of {_format_item(*key)} is not the action list's"
    for key in listed:
        yield f"{IMAGE_SETS}: {_format_item(*key)} has no text"


def _compare_styles(split: ActionSplit, items: list[TextItem]) -> Iterator[str]:
    """Compare the prompts in the other styles with those in the main style."""
    by_key = {(item.sequence, item.object_id): item for item in items}
    for style, connector in CONNECTORS.items():
        name = name_expressions_file(split.name, style)
        if style == MAIN_STYLE or not split.has_document(name):
            continue
        videos = Cursor(split.read_document(name), name)["videos"]
        for folder, entries in read_by_folder(videos, "expressions", read_expression).items():
            for entry in entries:
                item = by_key.get((folder, entry.object_id or 0))
                if item is None or not _has_same_text(entry, item, connector):
                    key = _format_item(folder, entry.object_id)
                    yield f"{IMAGE_SETS}/{name}: the prompt of {key} differs from the main style"


def _has_same_text(entry: Expression, item: TextItem, connector: str | None) -> bool:
    """Return whether a prompt of another style agrees with the object's main prompt.

    If the two had different narrations when they were clean, only their names are compared.
    """
    main_tails, entry_tails = [], []
    for text, class_id, wording in (
        (entry.exp_org, entry.class_id_org, item.clean),
        (entry.exp, entry.class_id, item.noisy),
    ):
        head, tail = (text or "")[: len(wording.name)], (text or "")[len(wording.name) :]
        if class_id != wording.class_id or fold(head) != fold(wording.name):
            return False
        main_tails.append(wording.tail.removeprefix(CONNECTORS[MAIN_STYLE] or ""))
        entry_tails.append("" if connector is None else tail.removeprefix(connector))
    return connector is None or main_tails[0] != entry_tails[0] or main_tails[1] == entry_tails[1]


def _is_match(row: TextRow, item: TextItem) -> bool:
    """Return whether a ledger row describes the change of an object's text."""
    clean, noisy = item.clean, item.noisy
    return (row.class_id_org, row.object, row.prompt_org) == (
        clean.class_id,
        clean.name,
        clean.prompt,
    ) and (row.class_id, fold(row.name), row.prompt) == (
        noisy.class_id,
        fold(noisy.name),
        noisy.prompt,
    )


def _format_item(folder: str, object_id: int | None) -> str:
    return f"{folder}, object {object_id}"
