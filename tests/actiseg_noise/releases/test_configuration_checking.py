"""Kit, archive and rows of a release that somebody changed, with checksums that agree."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from functools import partial
from pathlib import Path

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.kits.kit_record import COLUMNS
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.checks.configuration_checking import check_configuration
from actiseg_noise.releases.contents.privacy import find_private_traces
from actiseg_noise.releases.contents.release_note import read_note
from actiseg_noise.releases.publishing import publish

pyarrow = pytest.importorskip("pyarrow", reason="it is in the extra [publish]")
parquet = pytest.importorskip("pyarrow.parquet", reason="it is in the extra [publish]")

NAME = "mixed-40"
ROWS = f"data/{NAME}/val-00000-of-00001.parquet"
find_lines = partial(find_private_traces, given=())


@pytest.fixture(scope="module")
def release(sample, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("mixed")
    recipe = make_recipe("mixed", 0.4, split="val")
    folders = [sequence.folder for sequence in open_split(sample, "val")][:3]
    out = corrupt(sample, recipe, out=folder / "noisy", only=folders).out
    return publish(out, folder / "release", title="Cups", author="Ada", date="2026-01-01").path


@pytest.fixture
def copy(release, tmp_path) -> Path:
    return shutil.copytree(release, tmp_path / "release")


def check(release: Path) -> list[str]:
    return list(check_configuration(release, read_note(release), NAME, find_lines))


def test_a_release_has_no_fault(release):
    assert check(release) == []


def change_cell(table, column, change, row=3):
    values = table[column].to_pylist()
    values[row] = change(values[row])
    field = table.schema.field(column)
    at = table.schema.get_field_index(column)
    return table.set_column(at, field, pyarrow.array(values, field.type))


CELLS = {
    **dict.fromkeys(("prompt", "prompt_clean", "name", "name_clean"), lambda _: "evil"),
    **dict.fromkeys(("class_id", "class_id_clean"), lambda old: old + 1),
    **dict.fromkeys(("kind", "kind_text"), lambda _: "other"),
    "positive": lambda old: not old,
    "iou": lambda _: 1.5,
}


@pytest.mark.parametrize("column", CELLS)
def test_a_changed_cell_is_named(copy, column):
    table = parquet.read_table(copy / ROWS)
    parquet.write_table(change_cell(table, column, CELLS[column]), copy / ROWS)
    (line,) = check(copy)
    where = "{sequence}, {frame}, object {object_id}".format(**table.slice(3, 1).to_pylist()[0])
    assert line == f"{ROWS}: {where}: {column} is not that of the archive"


def test_the_iou_of_the_ledger_is_compared(copy):
    table = parquet.read_table(copy / ROWS)
    row = next(n for n, kind in enumerate(table["kind"].to_pylist()) if kind is not None)
    changed = change_cell(table, "iou", lambda old: old - 1e-4, row)
    parquet.write_table(changed, copy / ROWS)
    (line,) = check(copy)
    assert line.endswith("iou is not that of the archive")


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda table: pyarrow.concat_tables([table, table.slice(0, 1)]), "has two rows"),
        (lambda table: table.take([1, 0, *range(2, table.num_rows)]), "is not in its place"),
        (lambda table: table.slice(1), "lacks a row for"),
    ],
)
def test_rows_that_are_lost_moved_or_repeated_are_named(copy, change, fault):
    parquet.write_table(change(parquet.read_table(copy / ROWS)), copy / ROWS)
    (line,) = check(copy)
    assert fault in line


def edit_archive(release: Path, name: str, old: bytes, new: bytes) -> None:
    path = release / f"archives/{NAME}.tar"
    with tarfile.open(path) as archive:
        members = [(m, archive.extractfile(m).read() if m.isreg() else b"") for m in archive]
    assert any(old in data for member, data in members if member.name == f"{NAME}/{name}")
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for member, data in members:
            data = data.replace(old, new) if member.name == f"{NAME}/{name}" else data
            member.size, member.pax_headers = len(data), {}
            archive.addfile(member, io.BytesIO(data))


@pytest.mark.parametrize(
    ("name", "old", "new", "fault"),
    [
        ("recipe.json", b'"rate": 0.4', b'"rate": 0.1', "recipe_digest is not that of recipe.json"),
        ("ledger.jsonl", b"dilate", b"erode!", "noise.iou is not what"),
        ("ledger.jsonl", b'"within-category"', b'"category"', "summary.json: text"),
        ("summary.json", b'"realised_rate": 0.', b'"realised_rate": 1.', "realised_rate is not"),
        ("summary.json", b'"dataset_fingerprint": "', b'"dataset_fingerprint": "0', "fingerprint"),
        ("summary.json", b'"toolkit": "actiseg ', b'"toolkit": "other ', "toolkit: is not"),
        ("LICENSE", b"Apache", b"Foobar", "LICENSE: is not that of the release"),
        ("NOTICE", b"on purpose", b"by chance", "NOTICE: does not state the changes"),
        ("NOTICE", b"synthetic", b"realistic", "NOTICE: is not that of the release"),
        ("digests.json", b"Annotations_Sparse", b"Elsewhere", "digests.json"),
        ("ledger.jsonl", b"{", b"[", "ledger.jsonl"),
    ],
)
def test_a_changed_document_of_the_archive_is_named(copy, name, old, new, fault):
    edit_archive(copy, name, old, new)
    lines = check(copy)
    assert any(fault in line for line in lines), lines
    assert not any("/tmp" in line.replace(str(copy), "") for line in lines), lines


@pytest.mark.parametrize("name", ["LICENSE", "NOTICE"])
@pytest.mark.parametrize("size", [0, 20])
def test_a_cut_licence_of_the_archive_is_named(copy, sample, name, size):
    """The release has the whole text, so a comparison of beginnings finds no difference."""
    text = (sample / name).read_bytes()
    edit_archive(copy, name, text, text[:size])
    assert f"archives/{NAME}.tar: {name}: is not that of the release" in check(copy)


EMPTY = {"count": 0, **dict.fromkeys(COLUMNS, "")}


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("recipe", "seed"), 7, "recipe: is not that of the archive"),
        (("recipe", "noises", 0, "rate"), 0.2, "recipe: is not that of the archive"),
        (("source", "split"), "train", "source: split: is not"),
        (("source", "fingerprint"), "0" * 32, "source: fingerprint: is not"),
        (("masks",), "copied", "masks: is not that of the archive"),
        (("toolkit",), "other 1", "toolkit: is not that of the archive"),
        (("versions", "python"), "2.7", "versions: is not that of the archive"),
        (("lists", "val.json"), "0" * 32, "lists: is not that of the archive"),
        (("thresholds",), {"threshold": 0.5}, "thresholds: is not that of the archive"),
        (("clean",), {"train": EMPTY}, "clean: is not that of the archive"),
    ],
)
def test_a_changed_member_of_the_kit_is_named(copy, place, value, fault):
    path = copy / f"rebuild/{NAME}.json"
    document = json.loads(path.read_text())
    member = document
    for key in place[:-1]:
        member = member[key]
    member[place[-1]] = value
    path.write_text(json.dumps(document))
    lines = check(copy)
    assert any(line.startswith(f"rebuild/{NAME}.json: {fault}") for line in lines), lines


@pytest.mark.parametrize(
    ("column", "noun"), [("masks", "masks"), ("text", "words and labels"), ("weights", None)]
)
def test_other_digests_in_the_kit_are_counted(copy, column, noun):
    path = copy / f"rebuild/{NAME}.json"
    document = json.loads(path.read_text())
    packed = document["sequences"][column]
    if noun is None:
        assert not packed  # the sample has no weights
        return
    document["sequences"][column] = ("B" if packed[0] == "A" else "A") + packed[1:]
    path.write_text(json.dumps(document))
    (line,) = check(copy)
    assert line == f"rebuild/{NAME}.json: sequences: 1 have other {noun} than in the archive"
