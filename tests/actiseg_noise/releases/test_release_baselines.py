"""Baseline scores of a release: the cells of its own labels, in the card and in a document."""

from __future__ import annotations

import hashlib
import json
import shutil

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.baseline_record import read_baselines
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.releases.checks.baseline_checking import find_baseline_faults
from actiseg_noise.releases.checks.release_check import check_release
from actiseg_noise.releases.contents.checksums import write_checksums
from actiseg_noise.releases.contents.release_note import read_note
from actiseg_noise.releases.publishing import publish
from tests.helpers.bench_reports import make_cell, write_report
from tests.helpers.command import run

for package in ("pyarrow", "huggingface_hub", "mlcroissant"):
    pytest.importorskip(package, reason=f"{package} is in the extra [publish]")

SAYS = {"title": "Noisy cups", "author": "Josiah Carberry", "date": "2026-11-30"}
FOREIGN = ("0" * 32, "1" * 32)


@pytest.fixture(scope="module")
def noisy(sample, tmp_path_factory):
    folder = tmp_path_factory.mktemp("noisy")
    names = [sequence.folder for sequence in open_split(sample, "val")][:2]
    return [
        corrupt(sample, kind, rate=0.4, split="val", out=folder / kind, only=names).out
        for kind in ("boundary", "text")
    ]


def identify(out):
    summary = json.loads((out / "summary.json").read_text())
    return summary["recipe_digest"], summary["dataset_fingerprint"]


@pytest.fixture(scope="module")
def report(noisy, tmp_path_factory):
    """A report with a cell of the first split, and one of labels that are in no release."""
    path = tmp_path_factory.mktemp("report") / "report.json"
    return write_report(path, make_cell("M1", identify(noisy[0])), make_cell("M9", FOREIGN))


@pytest.fixture(scope="module")
def release(noisy, report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("release") / "release"
    return publish(noisy, folder, baselines=report, **SAYS).path


@pytest.fixture
def copy(release, tmp_path):
    return shutil.copytree(release, tmp_path / "release")


def find_faults(release):
    return list(find_baseline_faults(release, read_note(release)))


def test_a_release_has_the_cells_of_its_labels_alone(release, noisy):
    assert check_release(release).lines == ()
    (cell,) = read_baselines(release / "baselines.json").cells
    assert (cell.noises[0].recipe, cell.noises[0].clean) == identify(noisy[0])
    data = (release / "baselines.json").read_bytes()
    line = f"{hashlib.sha256(data).hexdigest()}  baselines.json"
    assert line in (release / "SHA256SUMS").read_text().splitlines()
    croissant = json.loads((release / "croissant.json").read_text())
    assert "baselines.json" in [entry.get("contentUrl") for entry in croissant["distribution"]]


def test_the_card_shows_them(release):
    card = (release / "README.md").read_text()
    section = card.partition("\n## Baselines\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in section.splitlines()
        if line.startswith("| ")
    ]
    assert rows[0][0] == "method"
    shares = ["0.2500 to 0.7500", "0.50", "-0.25 to 1.25", "0.8750", "0.2500 to 0.7500", "0, 1"]
    assert [row[:2] for row in rows[1:]] == [
        ["frozen", "0.1250"],
        ["clean", "0.3750"],
        ["plain", "0.2500"],
        ["gce", "0.3125"],
        ["(half)", "0.1875"],
    ]
    # A cell that begins with a minus sign is escaped.
    assert all([part.replace("\\", "") for part in row[2:]] == shares for row in rows[1:])
    assert "**boundary-40**" in section
    assert "M9" not in section
    assert "plan made" in section
    assert "rendered frames, not photographs, 7 test videos" in section
    assert "digest_raw_scores" in section
    assert "bench/S/runs/M1/plain/s0/test" in section


def test_a_release_without_a_report_has_none(noisy, tmp_path):
    path = publish(noisy[0], tmp_path / "release", data="none", **SAYS).path
    assert not (path / "baselines.json").exists()
    assert "## Baselines" not in (path / "README.md").read_text()
    assert find_faults(path) == []


def test_a_report_of_other_labels_is_refused_with_what_it_has(noisy, tmp_path):
    recipe, _ = identify(noisy[0])
    cells = make_cell("M1", (recipe, "2" * 32)), make_cell("M9", FOREIGN)
    report = write_report(tmp_path / "report.json", *cells)
    with pytest.raises(InputError) as caught:
        publish(noisy, tmp_path / "release", baselines=report, **SAYS)
    text = str(caught.value)
    assert f"boundary-40 ({recipe})" in text
    assert "S/M1 (the recipe of boundary-40 on another clean split)" in text
    assert "S/M9 (another recipe)" in text
    assert not (tmp_path / "release").exists()


def test_an_empty_report_is_refused(noisy, tmp_path):
    report = write_report(tmp_path / "report.json")
    says = [word for name, text in SAYS.items() for word in (f"--{name}", text)]
    done = run("publish", noisy[0], "--to", tmp_path / "r", "--baselines", report, *says)
    assert done.returncode == 2
    assert "it has no cell" in done.stderr
    assert not (tmp_path / "r").exists()


@pytest.mark.parametrize(
    ("file", "old", "new", "fault"),
    [
        ("baselines.json", "0.3125", "0.9125", "README.md: its baselines are not those"),
        ("baselines.json", '"videos": 7', '"videos": 70', "README.md: its baselines are not"),
        ("README.md", "0.3125", "0.9125", "README.md: its baselines are not those"),
    ],
)
def test_changed_scores_are_named(copy, file, old, new, fault):
    text = (copy / file).read_text()
    assert old in text
    (copy / file).write_text(text.replace(old, new))
    write_checksums(copy)
    lines = check_release(copy).lines
    assert any(line.startswith(fault) for line in lines), lines


def test_scores_of_other_labels_and_damaged_ones_are_named(copy, noisy):
    path = copy / "baselines.json"
    text = path.read_text()
    path.write_text(text.replace(identify(noisy[0])[0], "9" * 32))
    assert find_faults(copy) == ["baselines.json: S/M1 learned from labels of no configuration"]
    document = json.loads(text)
    path.write_text(json.dumps({**document, "cells": []}))
    assert find_faults(copy) == ["baselines.json: has no cell"]
    path.write_text(text.replace("actiseg/baselines/1", "actiseg/baselines/2"))
    write_checksums(copy)
    assert any("has the schema 'actiseg/baselines/2'" in line for line in check_release(copy).lines)
    path.unlink()
    assert find_faults(copy) == ["baselines.json: is missing, and README.md has its tables"]


def test_a_check_takes_no_report(release, report):
    done = run("publish", "--check", release, "--baselines", report)
    assert done.returncode == 2
    assert "--baselines" in done.stderr
