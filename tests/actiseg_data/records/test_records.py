from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.records.ledger_record import (
    LabelRow,
    MaskRow,
    parse_ledger_row,
    read_ledger,
)
from actiseg_data.records.recipe_record import (
    Noise,
    Recipe,
    parse_recipe,
    read_recipe,
)
from actiseg_data.records.split_documents import read_digests, read_summary
from tests.helpers.documents import edited

PARAMETERS = {"target_iou": 0.8, "kinds": ["a"]}
NOISE = Noise("boundary", 1, 0.4, False, "positive", "masks", "contest", PARAMETERS)
RECIPE = Recipe("train", 7, (NOISE, replace(NOISE, kind="erode", rate=0.25, exact=True)))
ROW = MaskRow(
    sequence="00000001_P01_01_take_board:cutting",
    frame="frame_0000000101",
    object_id=3,
    object="planche à découper",
    kind="dilate",
    parameters={"radius": 4},
    status="met",
    iou_target=0.8,
    iou_drawn=0.801,
    iou=0.79,
    area=1234,
    area_ratio=1.25,
)


def reversed_keys(document):
    if isinstance(document, dict):
        return {name: reversed_keys(document[name]) for name in reversed(document)}
    return [reversed_keys(item) for item in document] if isinstance(document, list) else document


def test_recipes_survive_the_way_to_disk_and_back(tmp_path):
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(RECIPE.to_dict()))
    again = read_recipe(path)
    assert again == RECIPE
    assert again.digest == RECIPE.digest


def test_equal_recipes_have_an_equal_digest_however_they_are_written():
    assert RECIPE.digest == "306af520b1e2a7d38a3fbbd78def48ce"
    document = json.loads(json.dumps(RECIPE.to_dict(), indent=3))
    assert parse_recipe(reversed_keys(document), "recipe").digest == RECIPE.digest
    # 0.25 may be written 2.5e-1, and false as 0.
    text = json.dumps(RECIPE.to_dict()).replace("0.25", "2.5e-1").replace("false", "0")
    assert parse_recipe(json.loads(text), "recipe").digest == RECIPE.digest


def test_whole_rates_have_one_digest_with_and_without_a_point():
    one = replace(RECIPE, noises=(replace(NOISE, rate=1.0),)).to_dict()
    text = json.dumps(one).replace("1.0", "1")
    assert parse_recipe(json.loads(text), "recipe").digest == parse_recipe(one, "recipe").digest


@pytest.mark.parametrize(
    "other",
    [
        replace(RECIPE, split="val"),
        replace(RECIPE, seed=8),
        replace(RECIPE, noises=RECIPE.noises[::-1]),
        replace(RECIPE, noises=RECIPE.noises[:1]),
        *(
            replace(RECIPE, noises=(replace(NOISE, **change), RECIPE.noises[1]))
            for change in (
                {"kind": "jitter"},
                {"algorithm": 2},
                {"rate": 0.41},
                {"exact": True},
                {"objects": "all"},
                {"choice": "reference"},
                {"parameters": {}},
            )
        ),
    ],
)
def test_every_part_of_a_recipe_counts_in_its_digest(other):
    assert other.digest != RECIPE.digest


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("schema",), ..., "'schema' is missing"),
        (("schema",), "actiseg/recipe/99", "release reads 'actiseg/recipe/1'"),
        (("schema",), 1, "must be text"),
        (("split",), ..., "'split' is missing"),
        (("split",), 3, "must be text"),
        (("seed",), ..., "'seed' is missing"),
        (("seed",), 0.5, "must be a whole number"),
        (("noises",), ..., "'noises' is missing"),
        (("noises",), {}, "must be a list"),
        (("noises", 0), "dilate", "must be an object"),
        (("host",), "here", "the key 'host' is unknown"),
        (("noises", 1, "colour"), "red", "the key 'colour' is unknown"),
        *(
            (("noises", 1, name), ..., f"'{name}' is missing")
            for name in NOISE.to_dict()
            if name != "overlap"
        ),
        (("noises", 1, "overlap"), ..., "either 'overlap'"),
        (("noises", 1, "scope"), "prompt", "either 'overlap'"),
        (("noises", 1, "kind"), None, "must be text"),
        (("noises", 1, "algorithm"), "1", "must be a whole number"),
        (("noises", 1, "rate"), "0.4", "must be a number"),
        (("noises", 1, "exact"), "no", "must be 0 or 1"),
        (("noises", 1, "parameters"), [], "must be an object"),
    ],
)
def test_what_is_no_recipe_of_this_release_is_refused(path, value, says):
    with pytest.raises(InputError, match=says):
        parse_recipe(edited(RECIPE.to_dict(), *path, to=value), "recipe.json")


def test_all_faulty_noises_of_a_recipe_are_named():
    document = RECIPE.to_dict() | {"host": "here"}
    document["noises"] = [noise | {"colour": 1, "taste": 2} for noise in document["noises"]]
    with pytest.raises(InputError) as refused:
        parse_recipe(document, "recipe.json")
    wheres = [problem.where for problem in refused.value.problems]
    assert (
        wheres == ["recipe.json"] + ["recipe.json: noises[0]"] * 2 + ["recipe.json: noises[1]"] * 2
    )


def test_ledgers_are_read_as_they_were_written(tmp_path):
    rows = [ROW, replace(ROW, iou_target=None, parameters={}), replace(ROW, object_id=4)]
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(row.to_json() + "\n" for row in rows), "utf-8")
    assert list(read_ledger(path)) == rows


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (ROW.to_json()[:-9], "not valid JSON"),
        ("", "not valid JSON"),
        ("[]", "must be an object"),
        (ROW.to_json().replace("0.801", "NaN"), "NaN"),
        (ROW.to_json().replace('"iou"', '"iuo"'), "'iou' is missing"),
        (ROW.to_json().replace("1234", '"1234"'), "must be a whole number"),
        ("[" * 100_000, "nests too deeply"),
    ],
    ids=["cut short", "blank", "no object", "NaN", "missing key", "wrong type", "deep"],
)
def test_a_damaged_ledger_line_is_named(tmp_path, line, says):
    path = tmp_path / "ledger.jsonl"
    path.write_text(f"{ROW.to_json()}\n{line}\n{ROW.to_json()}\n", "utf-8")
    rows = read_ledger(path)
    assert next(rows) == ROW
    with pytest.raises(InputError, match=says) as refused:
        next(rows)
    assert refused.value.problems[0].where.startswith(f"{path}: line 2")


@pytest.mark.parametrize("name", asdict(ROW))
def test_every_key_of_a_ledger_row_is_needed(name):
    document = asdict(ROW)
    assert parse_ledger_row(document, "here") == ROW
    del document[name]
    with pytest.raises(InputError, match=f"'{name}' is missing"):
        parse_ledger_row(document, "here")


FLIP = LabelRow("1_cut", 3, "jar", "activity", {}, True, False)
DRAWN = LabelRow("1", 3, "jar", "class", {}, {"id": 1, "name": "a"}, {"id": 2, "name": "b"})


def test_rows_for_labels_are_told_from_others(tmp_path):
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(row.to_json() + "\n" for row in (FLIP, ROW, DRAWN)), "utf-8")
    assert list(read_ledger(path)) == [FLIP, ROW, DRAWN]


@pytest.mark.parametrize(
    ("row", "changes", "says"),
    [
        (FLIP, {"value": "yes"}, "must be 0 or 1"),
        (FLIP, {"value_org": 2}, "must be 0 or 1"),
        (FLIP, {"object_id": None}, "must be a whole number"),
        (FLIP, {"kind": "class"}, "must be an object"),
        (DRAWN, {"value": {"id": "2", "name": "b"}}, "must be a whole number"),
        (DRAWN, {"value": {"id": 2}}, "'name' is missing"),
        (DRAWN, {"kind": "activity"}, "must be 0 or 1"),
    ],
)
def test_damaged_rows_for_labels_are_refused(row, changes, says):
    document = json.loads(row.to_json()) | changes
    with pytest.raises(InputError, match=says):
        parse_ledger_row(document, "here")


def test_numbers_that_json_lacks_are_never_written_to_a_ledger():
    with pytest.raises(ValueError, match="JSON"):
        replace(ROW, iou=float("nan")).to_json()


def test_summaries_and_digests_are_checked(tmp_path):
    path = tmp_path / "file.json"
    path.write_text('{"schema": "actiseg/summary/1", "rates": {}}')
    assert read_summary(path)["rates"] == {}
    path.write_text('{"schema": "actiseg/summary/0"}')
    with pytest.raises(InputError, match="release reads"):
        read_summary(path)
    path.write_text('{"a/b.png": "00ff"}')
    assert read_digests(path) == {"a/b.png": "00ff"}
    path.write_text('{"a/b.png": 7}')
    with pytest.raises(InputError, match=r"a/b\.png: must be text"):
        read_digests(path)
