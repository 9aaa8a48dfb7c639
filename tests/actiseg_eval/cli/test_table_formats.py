"""A new format of tables is one function and one entry in `FORMATS`: every command then has it."""

from __future__ import annotations

import csv

import pytest

from actiseg_data.core.tables import FORMATS, ReportPage, Table
from actiseg_data.layouts.opening import open_split
from actiseg_eval.cli.output_flags import make_output_flags
from tests.helpers.command import run_alone
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root

COMMANDS = {
    "score": ("score", "shift"),
    "compare": ("compare", "shift", "pseudo"),
    "robustness": ("robustness", "runs.yaml"),
}
WITH_TOY = """
from actiseg_data.core.tables import FORMATS, TableFormat
FORMATS["toy"] = TableFormat("a toy", lambda page: f"{page.title}, {len(page.rows.rows)} rows")
from actiseg_eval.cli import main
main()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    root = tmp_path_factory.mktemp("formats")
    frames = tuple(f"frame_{at:010d}" for at in (5, 15, 25))
    clips = [kitchen_clip(at, video=f"P{at}_01", frames=frames) for at in range(1, 10)]
    split = open_split(make_root(root / "clean", clips), "train")
    for recipe in ("shift", "pseudo"):
        predict(split, recipe, root / recipe)
    (root / "runs.yaml").write_text("methods:\n  plain:\n    0: shift\n    0.2: pseudo\n")
    return root


def complete(command, *flags):
    """Return the words of a whole command."""
    words = (*COMMANDS[command], "--gt", "clean", "--split", "train", "--resamples", "100")
    return (*words, *flags)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_a_flag_for_a_new_format(place, command):
    words = complete(command, "--toy", f"{command}.toy")
    done = run_alone(*words, cwd=place, code=WITH_TOY)
    assert done.returncode == 0, done.stderr
    title, count, _ = (place / f"{command}.toy").read_text().rsplit(maxsplit=2)
    assert "train" in title
    assert int(count) > 1


def test_a_new_format_is_a_field_of_the_flags(monkeypatch):
    monkeypatch.setitem(FORMATS, "toy", FORMATS["csv"])
    assert "toy_file" in make_output_flags().__dataclass_fields__
    page = ReportPage("a", "b", (), (), (), Table("", ["c"], [["d"]]))
    assert FORMATS["toy"].render(page) == "c\nd\n"


@pytest.mark.parametrize("command", ["compare", "robustness"])
def test_comparisons_have_rows_for_programs_and_tables_for_people(place, command):
    files = {name: place / f"{command}.{name}" for name in ("json", "csv", "markdown")}
    flags = [part for name, path in files.items() for part in (f"--{name}", path)]
    flags += ["--metric", "giou"]
    done = run_alone(*complete(command, *flags), cwd=place, module="actiseg_eval.cli")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(files["csv"].read_text().splitlines()))
    assert {"giou", "p_miou"} <= {row["metric"] for row in rows}
    document = files["json"].read_text()
    assert all(row["value"] in document for row in rows)
    text = files["markdown"].read_text()
    assert text.startswith("# ")
    assert "| method |" in text
    assert "p-mIoU ↑" not in text
