"""Documents of a release that somebody changed, with checksums that agree."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.checks.release_check import check_release
from actiseg_noise.releases.checks.statement_checking import (
    find_foreign_files,
    find_licence_text_faults,
    find_picture_faults,
    find_statement_faults,
    find_statistics_faults,
)
from actiseg_noise.releases.contents.checksums import write_checksums
from actiseg_noise.releases.contents.release_note import read_note
from actiseg_noise.releases.publishing import publish

for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish]")

SAYS = {
    "title": 'Noisy | cups: "50 %" & more_',
    "author": ["Josiah Carberry (0000-0002-1825-0097)", "van der Berg, Anna", "Plato"],
    "date": "2026-01-02",
    "version": "1.2.3",
    "url": "https://example.org/a_b",
}


@pytest.fixture(scope="module")
def release(sample, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("stated")
    folders = [sequence.folder for sequence in open_split(sample, "val")][:2]
    outs = [
        corrupt(sample, make_recipe(kind, 0.4, split="val"), out=folder / kind, only=folders).out
        for kind in ("boundary", "text")
    ]
    return publish(outs, folder / "release", **SAYS).path


@pytest.fixture
def copy(release, tmp_path) -> Path:
    return shutil.copytree(release, tmp_path / "release")


def find_faults(release: Path) -> list[str]:
    note = read_note(release)
    return [
        *find_foreign_files(release, note),
        *find_licence_text_faults(release, note),
        *find_picture_faults(release),
        *find_statement_faults(release, note),
    ]


def test_a_release_with_all_that_can_be_said_has_no_fault(release):
    assert check_release(release).lines == ()


@pytest.mark.parametrize("data", ["none", "frames"])
def test_a_release_of_other_contents_has_no_fault(sample, tmp_path, data):
    folder = next(iter(open_split(sample, "val"))).folder
    recipe = make_recipe("mixed", 0.4, split="val")
    out = corrupt(sample, recipe, out=tmp_path / "noisy", only=folder).out
    licence = {"license": "CC-BY-4.0"} if data == "frames" else {}
    path = publish(out, tmp_path / "release", data=data, **licence, **SAYS).path
    assert check_release(path).lines == ()


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("README.md", "pretty_name: 'Noisy", "pretty_name: 'Other", "its title is not"),
        ("CITATION.cff", "Carberry", "Other", "its authors are not"),
        ("CITATION.cff", "0097", "0098", "its authors are not"),
        ("CITATION.cff", "2026-01-02", "2025-01-02", "its date is not"),
        ("CITATION.cff", "1.2.3", "1.2.4", "its version is not"),
        ("citation.bib", "Carberry, Josiah", "Other, Jo", "its author Josiah Carberry is not"),
        ("citation.bib", "1.2.3", "1.2.4", "its version is not"),
        (".zenodo.json", "Carberry", "Other", "its authors are not"),
        (".zenodo.json", "Noisy", "Other", "its title is not"),
        (".zenodo.json", "{", "[", "cannot be read"),
        ("croissant.json", '"datePublished": "2026', '"datePublished": "2025', "its date is not"),
        ("croissant.json", '"version": "1.2.3"', '"version": "1.2.4"', "its version is not"),
        ("release.json", "1.2.3", "1.2.4", "its version is not that of release.json"),
        ("release.json", "2026-01-02", "2026-01-03", "its date is not that of release.json"),
        ("release.json", '"data": "masks"', '"data": "none"', "does not belong to a release"),
        ("LICENSE", "Apache-2.0", "MIT", "LICENSE: states MIT"),
        ("LICENSE", "Apache-2.0", "Own-1", "LICENSE: names the licence"),
        ("licences/Apache-2.0.txt", "License", "Licence", "is not the text of the licence"),
    ],
)
def test_a_changed_statement_is_named(copy, file, old, new, fault):
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    lines = find_faults(copy)
    assert any(fault in line for line in lines), lines


@pytest.mark.parametrize("name", ["extra/evil.exe", ".hidden", "data/text-40/x/y.parquet"])
def test_a_foreign_file_is_named(copy, name):
    (copy / name).parent.mkdir(exist_ok=True)
    (copy / name).write_bytes(b"x")
    assert find_faults(copy) == [f"{name}: does not belong to a release"]


def test_an_empty_folder_a_lost_document_and_a_foreign_picture_are_named(copy):
    (copy / "empty").mkdir()
    (copy / "datasheet.md").unlink()
    (copy / "pictures/boundary-40.png").write_bytes(b"\x7fELF")
    assert find_faults(copy) == [
        "datasheet.md: is missing",
        "empty: is an empty folder, which does not belong to a release",
        "pictures/boundary-40.png: is not a PNG",
    ]


def test_changed_statistics_and_notices_are_named(copy):
    table = copy / "statistics.csv"
    table.write_text(table.read_text().replace("boundary-40,val,masks,all,all,", "&9"))
    (copy / "NOTICE").write_text("")
    write_checksums(copy)
    lines = check_release(copy).lines
    for fault in (
        "statistics.csv: the rows of boundary-40 are not those of its archive",
        "statistics.csv: names '&9",
        "archives/boundary-40.tar: NOTICE: is not that of the release",
    ):
        assert any(line.startswith(fault) for line in lines), lines


def test_rates_of_sizes_are_not_compared(release):
    """The source has the number of items of each size."""
    text = (release / "statistics.csv").read_text()
    tables = {}
    for name in ("boundary-40", "text-40"):
        head, *rows = text.splitlines()
        chosen = [row for row in rows if row.startswith(name)]
        tables[name] = "\n".join([head, *chosen])
        assert list(find_statistics_faults(release, name, tables[name])) == []
    head, *rows = tables["boundary-40"].splitlines()
    size = next(row for row in rows if ",size," in row)
    cells = size.split(",")
    cells[head.split(",").index("items")] = "99999"
    tables["boundary-40"] = tables["boundary-40"].replace(size, ",".join(cells))
    assert list(find_statistics_faults(release, "boundary-40", tables["boundary-40"])) == []


def test_an_address_in_a_notice_that_no_archive_has_is_named(copy):
    with (copy / "NOTICE").open("a") as stream:
        stream.write("Write to evil@example.org.\n")
    write_checksums(copy)
    assert any("evil@example.org" in line for line in check_release(copy).lines)


def test_digests_in_croissant_are_compared(copy):
    path = copy / "croissant.json"
    document = json.loads(path.read_text())
    for entry in document["distribution"]:
        if entry.get("contentUrl") == "statistics.csv":
            entry["sha256"] = "0" * 64
    path.write_text(json.dumps(document))
    assert any("its sha256 of statistics.csv" in line for line in check_release(copy).lines)
