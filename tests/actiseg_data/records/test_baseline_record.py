"""Baseline scores: what is read from a report, and what is refused."""

from __future__ import annotations

import json

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.records.baseline_record import NoisyLabelsSource, read_baselines
from actiseg_data.records.bench_report_reading import read_bench_report
from tests.helpers.bench_reports import make_cell, make_report, write_report

FIRST, SECOND = ("a" * 32, "b" * 32), ("c" * 32, "d" * 32)


def write(path, document):
    path.write_text(json.dumps(document))
    return path


def test_the_figures_of_a_report_are_read(tmp_path):
    path = write_report(tmp_path / "report.json", make_cell("M1", FIRST), make_cell("M2", SECOND))
    found = read_bench_report(path)
    assert [cell.cell for cell in found.cells] == ["M1", "M2"]
    row = found.cells[0].rows[3]
    assert (row.method, row.masks.value, row.activity.value) == ("gce", 0.3125, 0.875)
    assert row.masks.interval == (0.25, 0.75)
    assert [run.digest for run in row.predictions] == [f"{seed:032x}" for seed in (0, 1)]


def test_cells_are_chosen_by_recipe_and_clean_split(tmp_path):
    path = write_report(
        tmp_path / "report.json", make_cell("M1", FIRST, SECOND), make_cell("M2", SECOND)
    )
    found = read_bench_report(path)

    def choose(*labels):
        chosen = found.choose(NoisyLabelsSource(*label) for label in labels)
        return [cell.cell for cell in chosen.cells]

    assert choose(FIRST) == ["M1"]
    assert choose(SECOND) == ["M1", "M2"]
    assert choose((FIRST[0], SECOND[1])) == []


def test_baselines_are_read_as_they_were_written(tmp_path):
    report = write_report(tmp_path / "report.json", make_cell("M1", FIRST))
    found = read_bench_report(report)
    assert read_baselines(write(tmp_path / "baselines.json", found.to_dict())) == found


ROW = ("arms", 0, "cells", 0, "rows", 3)
CHANGES = [
    (("schema",), "actiseg/bench-report/9", "this release reads"),
    (("schema",), "actiseg/recipe/1", "another kind of file"),
    (("plan",), "../x", "path separator"),
    (("about",), "x" * 2001, "at most 2000 characters"),
    (("more",), 1, "'more' is unknown"),
    (("arms", 0, "more"), 1, "'more' is unknown"),
    (("arms", 0, "videos"), 0, "whole number from 1"),
    (("arms", 0, "rendered"), "no", "must be 0 or 1"),
    (("arms", 0, "cells", 0, "more"), 1, "'more' is unknown"),
    (("arms", 0, "cells", 0, "labels"), 1.5, "from 0 to 1"),
    (("arms", 0, "cells", 0, "noises", 0, "recipe"), "A" * 32, "32 hexadecimal"),
    ((*ROW, "more"), 1, "'more' is unknown"),
    ((*ROW, "method"), "a\nb", "control character"),
    ((*ROW, "control"), None, "must be 0 or 1"),
    ((*ROW, "seeds"), [0], "predictions of each fold and seed"),
    ((*ROW, "predictions", 1, "seed"), 0, "predictions of each fold and seed"),
    ((*ROW, "predictions", 1, "digest"), "x", "32 hexadecimal"),
    ((*ROW, "figures", "auroc", "value"), -0.5, "from 0 to 1"),
    ((*ROW, "figures", "auroc", "more"), 1, "'more' is unknown"),
    ((*ROW, "figures", "auroc", "interval"), [0.5, 0.25], "an interval"),
    ((*ROW, "figures", "auroc", "seeds"), [0.5], "1 values for 2 seeds"),
    ((*ROW, "figures"), {}, "does not have the figure p_miou_ungated and auroc"),
]


@pytest.mark.parametrize(("place", "value", "message"), CHANGES)
def test_a_damaged_report_is_refused(tmp_path, place, value, message):
    document = make_report(make_cell("M1", FIRST))
    *way, last = place
    member = document
    for step in way:
        member = member[step]
    member[last] = value
    with pytest.raises(InputError, match=message):
        read_bench_report(write(tmp_path / "report.json", document))


@pytest.mark.parametrize("place", {place: 0 for place, *_ in CHANGES if "more" not in place})
def test_a_missing_member_is_refused(tmp_path, place):
    document = make_report(make_cell("M1", FIRST))
    member = document
    for step in place[:-1]:
        member = member[step]
    del member[place[-1]]
    with pytest.raises(InputError, match=f"'{place[-1]}' is missing"):
        read_bench_report(write(tmp_path / "report.json", document))


def test_damaged_baselines_are_refused_with_all_problems(tmp_path):
    report = write_report(tmp_path / "report.json", make_cell("M1", FIRST))
    document = read_bench_report(report).to_dict()
    document["more"] = 1
    document["cells"][0]["rows"][0]["figures"]["auroc"]["p"] = 0.5
    document["cells"][0]["rows"][1]["seeds"] = [3]
    with pytest.raises(InputError) as caught:
        read_baselines(write(tmp_path / "baselines.json", document))
    text = str(caught.value)
    assert all(part in text for part in ("'more' is unknown", "'p' is unknown", "fold and seed"))
