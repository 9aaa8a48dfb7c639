"""Releases of splits with noise in the labels of active objects: rows, statistics, statements."""

from __future__ import annotations

import csv
import json
import shutil
from collections import Counter
from functools import partial

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import LabelRow, read_ledger
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise import audit, corrupt, make_recipe, publish, rebuild
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.releases.checks.configuration_checking import check_configuration
from actiseg_noise.releases.contents.privacy import find_private_traces
from actiseg_noise.releases.contents.release_note import read_note

pyarrow = pytest.importorskip("pyarrow", reason="it is in the extra [publish]")
parquet = pytest.importorskip("pyarrow.parquet", reason="it is in the extra [publish]")

FLIPS = make_recipe("activity", 0.3, split="val")
MIXED = check_recipe(
    Recipe("val", 0, (*FLIPS.noises, *make_recipe("mixed", 0.4, split="val").noises))
)
MIXED_NAME = "text-activity-boundary-40-30"
ROWS = "data/{}/val-00000-of-00001.parquet"
check = partial(check_configuration, find_traces=partial(find_private_traces, given=()))


@pytest.fixture(scope="module")
def outs(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("labels")
    folders = [sequence.folder for sequence in open_split(sample, "val")][:4]
    recipes = {"flips": FLIPS, "mixed": MIXED}
    return [corrupt(sample, recipes[name], out=folder / name, only=folders).out for name in recipes]


@pytest.fixture(scope="module")
def release(outs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "release"
    return publish(outs, folder, title="Cups", author="Ada", date="2026-01-01").path


def list_faults(release, name):
    return list(check(release, read_note(release), name))


def test_rows_have_the_labels_before_and_after(release, outs, sample):
    clean, noisy = (
        {
            (sequence.folder, label.object_id): label.positive
            for sequence in open_split(root, "val")
            for label in sequence.objects
        }
        for root in (sample, outs[0])
    )
    for name in ("activity-30", MIXED_NAME):
        rows = parquet.read_table(release / ROWS.format(name)).to_pylist()
        for row in rows:
            key = (row["sequence"], row["object_id"])
            assert (row["positive_clean"], row["positive"]) == (clean[key], noisy[key])
        assert any(row["positive_clean"] != row["positive"] for row in rows)


def test_statistics_count_the_ledger(release, outs):
    rows = [r for r in read_ledger(outs[1] / "ledger.jsonl") if isinstance(r, LabelRow)]
    counts = Counter("marked" if row.value else "forgotten" for row in rows)
    with (release / "statistics.csv").open(newline="") as stream:
        table = [row for row in csv.DictReader(stream) if row["medium"] == "labels"]
    noisy = {(row["configuration"], row["name"]): int(row["noisy"]) for row in table}
    for name in ("activity-30", MIXED_NAME):
        assert noisy[name, "all"] == len(rows)
        assert {key: noisy[name, key] for key in counts} == counts
    assert all(row["measure"] == row["q50"] == "" for row in table)
    items = {row["name"]: int(row["items"]) for row in table}
    assert items["all"] == items["forgotten"] + items["marked"]


def test_the_documents_say_what_was_changed(release):
    rows = parquet.read_table(release / ROWS.format("activity-30")).num_rows
    assert rows
    for name in ("README.md", "NOTICE", "datasheet.md", "croissant.json"):
        text = (release / name).read_text().replace("\\_", "_")
        assert "Noise in labels (activity, algorithm 1)" in text
    card = (release / "README.md").read_text().replace("\\_", "_")
    for said in (
        "masks, prompts and labels of active objects",
        "positive unlike positive_clean for wrong labels",
        f"The labels of active objects of {MIXED_NAME} are those of activity-30",
        "do not follow a flipped label",
        "| positive_clean |",
    ):
        assert said in card


def test_a_release_has_no_fault_and_is_rebuilt(release, sample, tmp_path):
    for name in ("activity-30", MIXED_NAME):
        assert list_faults(release, name) == []
        result = rebuild(release, config=name, source=sample, out=tmp_path / name)
        assert result.difference is None
        found = audit(result.out)
        assert found.ok, found.findings


def test_a_changed_label_is_found(release, tmp_path):
    copy = shutil.copytree(release, tmp_path / "release")
    path = copy / ROWS.format("activity-30")
    table = parquet.read_table(path)
    at = table.schema.get_field_index("positive_clean")
    values = [not value for value in table["positive_clean"].to_pylist()[:1]]
    values += table["positive_clean"].to_pylist()[1:]
    table = table.set_column(at, table.schema.field(at), pyarrow.array(values))
    parquet.write_table(table, path)
    (line,) = list_faults(copy, "activity-30")
    assert line.endswith("positive_clean is not that of the archive")


def test_rows_of_early_releases_lack_the_clean_labels(release, outs, sample, tmp_path):
    out = corrupt(sample, "text", rate=0.4, split="val", out=tmp_path / "text").out
    early = publish(out, tmp_path / "early", title="Cups", author="Ada", date="2026-01-01").path
    for place, name, faults in ((early, "text-40", 0), (release, "activity-30", 1)):
        copy = shutil.copytree(place, tmp_path / f"copy-{name}")
        path = copy / ROWS.format(name)
        parquet.write_table(parquet.read_table(path).drop_columns(["positive_clean"]), path)
        lines = [line for line in list_faults(copy, name) if "columns" in line]
        assert len(lines) == faults


def test_the_note_lists_both(release):
    assert json.loads((release / "release.json").read_text())["configurations"]
    assert {path.stem for path in (release / "rebuild").iterdir()} == {
        "activity-30",
        MIXED_NAME,
    }
