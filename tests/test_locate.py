from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from actiseg_data.locate import locate_dataset


@pytest.fixture
def made(tmp_path, monkeypatch):
    """An empty working folder without a dataset; lists the samples that are made in it."""
    samples = []
    stub = SimpleNamespace(
        make_sample=samples.append, is_whole_sample=lambda path: (path / "whole").exists()
    )
    monkeypatch.setitem(sys.modules, "actiseg_data.sample", stub)
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
    root, how = locate_dataset(named)
    assert root == expected[0]
    assert expected[1] in how
    assert made == ([Path("actiseg_sample")] if steps == 0 else [])


def test_an_empty_variable_and_a_file_in_the_folders_place_count_for_nothing(
    made, monkeypatch, tmp_path
):
    monkeypatch.setenv("ACTISEG_DATASET", "")
    (tmp_path / "dataset_visor").write_text("no folder")
    assert locate_dataset(None)[0] == Path("actiseg_sample")
    assert made == [Path("actiseg_sample")]
