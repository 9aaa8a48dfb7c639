from __future__ import annotations

import json

from actiseg_data.terminal.file_writing import write_report, write_text


def test_a_report_is_written_and_named(tmp_path, capsys):
    write_report(tmp_path / "report.json", {"items": 3})
    assert json.loads((tmp_path / "report.json").read_text()) == {"items": 3}
    assert capsys.readouterr().out == f"wrote {tmp_path / 'report.json'}\n"


def test_no_report_is_written_without_a_path(capsys):
    write_report(None, {"items": 3})
    assert capsys.readouterr().out == ""


def test_a_text_that_utf8_cannot_encode_is_written_with_escapes(tmp_path, capsys):
    write_text(tmp_path / "misses.csv", "knife \ud800\n")
    assert (tmp_path / "misses.csv").read_bytes() == b"knife \\ud800\n"
    assert capsys.readouterr().out == f"wrote {tmp_path / 'misses.csv'}\n"
