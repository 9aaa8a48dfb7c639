"""The list of the sequences of a noisy copy is read as it was written, or refused."""

from __future__ import annotations

import json
import re

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.sequence_record import (
    DatasetForm,
    make_dataset_label,
    make_dataset_sequence,
    make_sequence_record,
    parse_sequence_record,
)

FORM = DatasetForm("sa-v", "", mask_documents=("bear.json",))


@pytest.fixture
def record():
    labels = [make_dataset_label(1, source_id=0)]
    sequence = make_dataset_sequence("bear", ["00000"], labels, [("00000", 1)])
    record = json.loads(json.dumps(make_sequence_record(FORM, "train", [sequence])))
    record["sequences"][0] |= {"document": "bear.json", "size": [60, 80]}
    return record


def test_it_is_read_as_it_was_written(record):
    form, split, sequences = parse_sequence_record(record, "list")
    assert json.loads(json.dumps(make_sequence_record(form, split, sequences))) == record


@pytest.mark.parametrize(
    ("member", "value", "fault"),
    [
        ("size", [60], "must be [height, width]"),
        ("size", [60, 80, 3], "must be [height, width]"),
        ("layers", [["00000"]], "must be [frame, object id]"),
        ("layers", [["00001", 1]], "has a layer of an unknown frame"),
        ("document", "swan.json", "names an unknown document"),
    ],
)
def test_an_unfit_member_is_refused(record, member, value, fault):
    record["sequences"][0][member] = value
    with pytest.raises(InputError, match=re.escape(fault)):
        parse_sequence_record(record, "list")


@pytest.mark.parametrize("number", ["0", "256", "01", "\u0661", "9" * 5000])
def test_an_unfit_object_id_is_refused(record, number):
    objects = record["sequences"][0]["objects"]
    objects[number] = objects["1"] | {"source_id": "7"}
    with pytest.raises(InputError, match="is not an object id"):
        parse_sequence_record(record, "list")
