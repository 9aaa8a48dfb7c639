"""Check that the labels of a noisy split and its ledger agree."""

from __future__ import annotations

from collections.abc import Iterator

from actiseg_data.core.errors import InputError
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_data.layouts.image_sets import name_image_sets_files
from actiseg_data.layouts.split import Split
from actiseg_data.records.ledger_record import LEDGER_FILE, LabelRow
from actiseg_data.records.recipe_record import ACTIVITY, RECIPE_FILE, Noise
from actiseg_data.records.split_documents import SUMMARY_FILE
from actiseg_noise.label_noise.activity_flips import count_eligible, is_eligible
from actiseg_noise.label_noise.label_plan import LabelPlan
from actiseg_noise.media.label_summary import build_label_section
from actiseg_noise.split.activity_items import find_companions, read_companion_flags
from actiseg_noise.split.noisy_documents import SplitDocuments
from actiseg_noise.split.text_items import NoisyList, read_noisy_list


def find_activity_inconsistencies(
    split: Split, noise: Noise, documents: SplitDocuments
) -> Iterator[str]:
    """Find ledger rows that do not match the lists, and changed labels without a row.

    Parameters
    ----------
    split : Split
        The noisy split on disk.
    noise : Noise
        The recipe's noise of kind ``activity``.
    documents : SplitDocuments
        The documents of the split.

    Yields
    ------
    str
        One line for each inconsistency.
    """
    name = f"{split.name}.json"
    try:
        listed = read_noisy_list(split.root / IMAGE_SETS / name)
        yield from _compare_companions(split, listed)
    except InputError as error:
        yield from map(str, error.problems)
        return
    rows = documents.group_label_rows(ACTIVITY)
    yield from _compare_rows(listed, noise, rows)
    plan = LabelPlan(noise.rate, rows, count_eligible(listed.sequences, noise, rows))
    if documents.read_section("labels").get(ACTIVITY) != build_label_section(noise, plan):
        yield f"{SUMMARY_FILE}: labels is not what {RECIPE_FILE}, {LEDGER_FILE} and {name} give"


def find_activity_traces(split: Split, documents: SplitDocuments) -> Iterator[str]:
    """Find noisy labels in the lists of a split, and ledger rows for them, a line each."""
    if any(row.kind == ACTIVITY for row in documents.label_rows):
        yield f"{LEDGER_FILE}: has rows for labels, which {RECIPE_FILE} does not ask for"
    for name in name_image_sets_files(split.name):
        path = split.root / IMAGE_SETS / name
        if path.is_file() and b'positive_org"' in read_bytes(path):
            yield f"{IMAGE_SETS}/{name}: has noisy labels, which {RECIPE_FILE} lacks"


def _compare_companions(split: Split, listed: NoisyList) -> Iterator[str]:
    """Compare the flags in the companion files with those in the list."""
    for path in find_companions(split.root / IMAGE_SETS, split.name):
        flags = read_companion_flags(path, split.name)
        for key in sorted(flags.keys() | listed.activity.keys()):
            if listed.activity.get(key) != flags.get(key):
                place = f"{key[0]}, object {key[1]}"
                yield f"{IMAGE_SETS}/{path.name}: the label of {place} is not that of the list"


def _compare_rows(
    listed: NoisyList, noise: Noise, rows: dict[str, tuple[LabelRow, ...]]
) -> Iterator[str]:
    """Compare the ledger's rows with the flags in the list."""
    by_key = {(row.sequence, row.object_id): row for members in rows.values() for row in members}
    if sum(map(len, rows.values())) > len(by_key):
        yield f"{LEDGER_FILE}: has two rows for the label of an object"
    for sequence in listed.sequences:
        for label in sequence.objects:
            key = (sequence.folder, label.object_id)
            place = f"{IMAGE_SETS}: the label of {key[0]}, object {key[1]}"
            flags, row = listed.activity.get(key), by_key.get(key)
            if flags is None:
                yield f"{place} has no clean value (positive_org)"
                continue
            stated = (flags[0], flags[0]) if row is None else (row.value_org, row.value)
            if flags != stated or (row is not None and row.object != label.name):
                yield f"{place} is not what {LEDGER_FILE} says"
            elif row is not None and not is_eligible(label, noise):
                yield f"{place} changed, which {RECIPE_FILE} does not allow"
