from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.make.locate import locate_dataset
from tests.helpers.command import run


@pytest.fixture
def made(tmp_path, monkeypatch):
    """An empty working folder without a dataset; lists the samples that are made in it."""
    samples = []
    stub = SimpleNamespace(
        make_sample=samples.append, is_whole_sample=lambda path: (path / "whole").exists()
    )
    monkeypatch.setitem(sys.modules, "actiseg_data.make.sample", stub)
    monkeypatch.delenv("ACTISEG_DATASET", raising=False)
    monkeypatch.chdir(tmp_path)
    return samples


@pytest.mark.parametrize("steps", range(5))
def test_datasets_are_looked_for_in_order(made, monkeypatch, tmp_path, steps):
    """The last `steps` of the possible places exist; the first of them is meant."""
    expected = (Path("actiseg_sample"), "made just now")
    if steps >= 1:
        (tmp_path / "actiseg_sample" / "whole").mkdir(parents=True)
        expected = (Path("actiseg_sample"), "made before")
    if steps >= 2:
        (tmp_path / "dataset_visor").mkdir()
        expected = (Path("dataset_visor"), "found here")
    if steps >= 3:
        monkeypatch.setenv("ACTISEG_DATASET", "elsewhere")
        expected = (Path("elsewhere"), "$ACTISEG_DATASET")
    named = Path("mine") if steps >= 4 else None
    if named:
        expected = (named, "as named")
    root, how = locate_dataset(named, make=True)
    assert root == expected[0]
    assert expected[1] in how
    assert made == ([Path("actiseg_sample")] if steps == 0 else [])


def test_an_empty_variable_and_a_file_in_the_folders_place_count_for_nothing(
    made, monkeypatch, tmp_path
):
    monkeypatch.setenv("ACTISEG_DATASET", "")
    (tmp_path / "dataset_visor").write_text("no folder")
    assert locate_dataset(None, make=True)[0] == Path("actiseg_sample")
    assert made == [Path("actiseg_sample")]


def test_a_sample_is_made_only_where_that_is_asked_for(made):
    with pytest.raises(InputError) as caught:
        locate_dataset(None, option="--gt")
    assert "--gt: no dataset is named" in str(caught.value)
    assert "$ACTISEG_DATASET" in str(caught.value)
    assert made == []


@pytest.mark.parametrize(
    ("module", "arguments", "option"),
    [
        ("actiseg_eval.cli", ("score", "preds"), "--gt"),
        ("actiseg_eval.cli", ("compare", "a=preds", "b=preds/clip"), "--gt"),
        ("actiseg_eval.cli", ("protocols", "preds"), "--gt"),
        ("actiseg_noise.cli", ("render",), "DATASET"),
        ("reference_trainer.cli", ("fit", "--out", "run"), "DATASET"),
    ],
)
def test_commands_but_corrupt_ask_for_a_dataset(tmp_path, module, arguments, option):
    if module == "reference_trainer.cli":
        pytest.importorskip("torch")
    (tmp_path / "preds" / "clip").mkdir(parents=True)
    done = run(*arguments, cwd=tmp_path, module=module)
    assert done.returncode == 2
    assert f"{option}: no dataset is named" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["preds"]


@pytest.mark.slow
def test_corrupt_makes_the_sample(tmp_path):
    done = run("corrupt", "--type", "category", "--rate", "0.1", "--dry-run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "the built-in sample, made just now" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["actiseg_sample"]
