"""Where reports may be written."""

from __future__ import annotations

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.layouts.report_files import check_report_file
from tests.helpers.command import run
from tests.helpers.roots import make_root


def test_a_report_has_a_file_name_outside_the_inputs(tmp_path):
    check_report_file(tmp_path / "report.json", [tmp_path / "clean"], "json")
    (tmp_path / "clean").mkdir()
    with pytest.raises(InputError, match="is inside the input"):
        check_report_file(tmp_path / "clean" / "report.json", [tmp_path / "clean"], "json")
    with pytest.raises(InputError, match="does not name a file") as refused:
        check_report_file(tmp_path, [], "json")
    assert refused.value.problems[0].hint == "give a file name as `json`"


def test_no_report_goes_into_a_dataset_that_the_command_does_not_read(tmp_path):
    root = make_root(tmp_path / "other")
    lists = root / "ImageSets" / "train.json"
    before = lists.read_bytes()
    done = run("metrics", "--markdown", lists, module="actiseg_eval.cli")
    assert done.returncode == 2
    assert f"is inside the dataset {root}" in done.stderr.replace("\n", " ")
    assert "--markdown" in done.stderr
    assert lists.read_bytes() == before


def test_a_report_makes_no_folder(tmp_path):
    with pytest.raises(InputError, match="which is no folder"):
        check_report_file(tmp_path / "new" / "report.json", [], "json")
    check_report_file(tmp_path / "new" / "report.json", [], "to", makes_folder=True)
    assert not (tmp_path / "new").exists()
