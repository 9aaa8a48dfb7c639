"""Check that the categories of a noisy dataset, its list of sequences and its ledger agree."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from actiseg_data.annotations.categories import Category, parse_categories
from actiseg_data.annotations.sequences import ObjectLabel, VideoSequence
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LEDGER_FILE, LabelRow
from actiseg_data.records.recipe_record import CLASS, RECIPE_FILE, Noise
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.label_noise.class_draws import count_classes
from actiseg_noise.label_noise.label_plan import LabelPlan
from actiseg_noise.media.label_summary import build_label_section
from actiseg_noise.split.noisy_documents import SplitDocuments


def find_class_inconsistencies(
    split: Split, noise: Noise, documents: SplitDocuments
) -> Iterator[str]:
    """Find ledger rows that do not match the files, and changed categories without a row.

    Parameters
    ----------
    split : Split
        The noisy split on disk, with the clean categories in its list of sequences.
    noise : Noise
        The recipe's noise of kind ``class``.
    documents : SplitDocuments
        The documents of the split.

    Yields
    ------
    str
        One line for each inconsistency.
    """
    categories = parse_categories(noise.parameters["categories"] or ())
    rows = documents.group_label_rows(CLASS)
    sequences = [sequence.drop_ghosts() for sequence in split.sequences]
    yield from _compare_rows(sequences, categories, rows)
    by_key = {(row.sequence, row.object_id): row for own in rows.values() for row in own}
    if sum(map(len, rows.values())) > len(by_key):
        yield f"{LEDGER_FILE}: has two rows for the category of an object"
    expected = {key: row.category_id for key, row in by_key.items()}
    yield from _compare_files(split, categories, expected, f"what {LEDGER_FILE} says")
    plan = LabelPlan(noise.rate, rows, count_classes(sequences, noise, rows))
    if documents.read_section("labels").get(CLASS) != build_label_section(noise, plan):
        yield f"{SUMMARY_FILE}: labels is not what {RECIPE_FILE} and {LEDGER_FILE} give"


def find_class_traces(split: Split, documents: SplitDocuments) -> Iterator[str]:
    """Find ledger rows for categories, and categories in the files that the list does not have."""
    if any(row.kind == CLASS for row in documents.label_rows):
        yield f"{LEDGER_FILE}: has rows for categories, which {RECIPE_FILE} does not ask for"
    labels = (label for sequence in split.sequences for label in sequence.objects)
    categories = (Category(label.class_id, label.name) for label in labels)
    yield from _compare_files(split, categories, {}, f"clean, and {RECIPE_FILE} lacks such noise")


def _compare_rows(
    sequences: list[VideoSequence],
    categories: tuple[Category, ...],
    rows: Mapping[str, tuple[LabelRow, ...]],
) -> Iterator[str]:
    """Compare the ledger's rows with the list of sequences and the categories of the recipe."""
    known = {category.id: {"id": category.id, "name": category.name} for category in categories}
    for sequence in sequences:
        labels = {label.object_id: label for label in sequence.objects}
        for row in rows.get(sequence.folder, ()):
            label = labels.get(row.object_id)
            if label is None:
                continue  # an unknown object is found for all rows of the ledger
            stated = (row.object, row.value_org)
            if stated != (label.name, known.get(label.class_id)):
                yield f"{LEDGER_FILE}: {_name_place(sequence, label)} had another category"
            if row.value != known.get(row.category_id):
                yield f"{LEDGER_FILE}: {_name_place(sequence, label)} has an unknown category"


def _compare_files(
    split: Split,
    categories: Iterable[Category],
    expected: Mapping[tuple[str, int], int],
    rule: str,
) -> Iterator[str]:
    """Compare the categories in the files with the expected ones, by default the clean ones."""
    try:
        actual = split.read_classes(categories)
    except InputError as error:
        yield from map(str, error.problems)
        return
    for sequence in split.sequences:
        for label in sequence.objects:
            key = (sequence.folder, label.object_id)
            if key in actual and actual[key] != expected.get(key, label.class_id):
                yield f"the category of {_name_place(sequence, label)} is not {rule}"


def _name_place(sequence: VideoSequence, label: ObjectLabel) -> str:
    return f"{sequence.folder}, object {label.identity}"
