"""Results of `inspect` and `audit` in Python: string paths, short texts, notebook tables."""

from __future__ import annotations

import shutil

import pytest

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.core.tables import Table
from actiseg_data.terminal.report_printing import print_report
from actiseg_noise import audit, corrupt, inspect, make_recipe
from actiseg_noise.measurement.audit_report import describe_audit
from actiseg_noise.measurement.inspection_report import describe_inspection
from actiseg_noise.measurement.mask_changes import summarise_items
from actiseg_noise.measurement.mask_tables import tabulate_mask_classes, tabulate_masks
from actiseg_noise.measurement.report_parts import describe_left_out
from tests.helpers.roots import make_root


@pytest.fixture(scope="module")
def noisy(tmp_path_factory):
    root = make_root(tmp_path_factory.mktemp("reports") / "clean")
    return corrupt(root, make_recipe("mixed", 0.6), out=root.parent / "noisy_<b>").out


def test_paths_may_be_strings(noisy):
    root = str(noisy.parent / "clean")
    assert inspect(str(noisy), root).to_dict() == inspect(noisy).to_dict()
    assert audit(str(noisy), root, "train").masks == audit(noisy).masks
    assert inspect(noisy, lexicon=load_lexicon()).to_dict() == inspect(noisy).to_dict()


def test_texts_are_short(noisy):
    inspection, result = inspect(noisy), audit(noisy)
    assert repr(inspection) == (
        f"<Inspection of text and boundary noise: {inspection.sequences} sequences, "
        f"{inspection.frames} frames>"
    )
    assert repr(result).startswith("<Audit of 'noisy_<b>', split 'train': ")
    assert len(repr(result)) < 120


def test_notebooks_show_tables(noisy):
    for page in (inspect(noisy)._repr_html_(), audit(noisy)._repr_html_()):
        assert page.count("<table>") == page.count("</table>") > 2
        assert "IoU 50 %" in page
        assert "noisy_<b>" not in page


def test_the_report_is_data(noisy):
    parts = [*describe_inspection(inspect(noisy)), *describe_audit(audit(noisy))]
    tables = [part for part in parts if isinstance(part, Table)]
    assert {table.title for table in tables} >= {"by kind", "by object", "text by class"}
    for table in tables:
        assert {len(row) for row in table.rows} <= {len(table.columns)}


def test_the_command_line_spells_parameters_as_flags(capsys):
    left_out = {"rate": "give `source`", "area_ratio": "give `source`", "text": "other"}
    assert list(describe_left_out(left_out)) == [
        "left out: rate, area ratio: give `source`",
        "left out: text: other",
    ]
    print_report(describe_left_out(left_out))
    assert "area ratio: give --source\n" in capsys.readouterr().out


def test_undefined_columns_are_left_out():
    groups = [summarise_items(f"class {number}", [], number, measured=True) for number in range(13)]
    table = tabulate_masks("kind", "touched", groups)
    assert list(table.columns) == ["kind", "items", "touched", "rate", "interval"]
    by_class = tabulate_mask_classes("changed", dict(enumerate(groups)))
    assert by_class.rows[0][:3] == ["class 12", "12", "0"]
    assert by_class.rows[-1][:3] == ["2 others", "1", "0"]


def test_a_split_without_recipe_and_claim_has_no_result(noisy, tmp_path):
    plain = shutil.copytree(noisy / "Annotations_Sparse", tmp_path / "plain")
    result = audit(plain, noisy.parent / "clean")
    assert (result.agreements, result.findings) == ((), ())
    assert "no recipe and no claim" in list(describe_audit(result))[-1]
