"""Documents of differences: what comes back, what is refused."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.records.difference_record import (
    Differences,
    TextDifference,
    parse_differences,
    read_differences,
)

NAME = "P01_01_take_cup/frame_1/frame_9/0"
MADE = Differences(
    "noise20",
    {NAME: {"frame_1": b"\x02\x03\x00\x01\x01", "frame_9": b"\x02\x03\x01\x01\x02"}},
    {NAME: {2: TextDifference(4, "knife"), 11: TextDifference(5, "pan", "pan | take cup")}},
)


def test_it_comes_back_from_its_file(tmp_path):
    write_json(tmp_path / "differences.json", MADE.to_dict())
    again = read_differences(tmp_path / "differences.json")
    assert again == MADE
    for medium in ("masks", "text"):
        assert again.digest(medium) == MADE.digest(medium)


def test_the_digest_depends_on_the_changes_alone():
    assert replace(MADE, origin="other").digest("masks") == MADE.digest("masks")
    assert replace(MADE, text=None).digest("masks") == MADE.digest("masks")
    assert replace(MADE, text=None).digest("text") != MADE.digest("text")
    other = {NAME: {**MADE.text[NAME], 2: TextDifference(4, "knives")}}
    assert replace(MADE, text=other).digest("text") != MADE.digest("text")
    moved = {NAME: {**MADE.masks[NAME], "frame_1": b"\x02\x03\x00\x01\x02"}}
    assert replace(MADE, masks=moved).digest("masks") != MADE.digest("masks")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda top: top.update(schema="actiseg/differences/2"), "schema"),
        (lambda top: top.update(colour=1), "'colour' is unknown"),
        (lambda top: top.pop("text"), "'text' is missing"),
        (lambda top: top.update(origin=3), "text"),
        (lambda top: top["masks"].update({"../x/a/b/0": {}}), "identity"),
        (lambda top: top["masks"].update({"../a/b/0": {}}), "outside"),
        (lambda top: top["masks"].update({"x/a/b/first": {}}), "identity"),
        (lambda top: top["masks"][NAME].update({"a/b": "AAAA"}), "separator"),
        (lambda top: top["masks"][NAME].update(frame_1="@@"), "base64"),
        (lambda top: top["masks"][NAME].update(frame_1=[1, 2]), "text"),
        (lambda top: top["text"][NAME].update({"256": {"class_id": 1, "name": "x"}}), "object id"),
        (lambda top: top["text"][NAME].update({"02": {"class_id": 1, "name": "x"}}), "object id"),
        (lambda top: top["text"][NAME]["2"].update(name="a\nb"), "control"),
        (lambda top: top["text"][NAME]["2"].update(colour=1), "'colour' is unknown"),
        (lambda top: top["text"][NAME]["2"].pop("class_id"), "'class_id' is missing"),
    ],
)
def test_a_faulty_document_is_refused(change, said):
    document = copy.deepcopy(MADE.to_dict())
    change(document)
    with pytest.raises(InputError, match=said):
        parse_differences(document, "differences.json")
