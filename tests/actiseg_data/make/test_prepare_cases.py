"""Inputs of which `prepare visor` and `audit` once made the wrong thing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from actiseg_data.annotations.masks import read_index_mask
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.make.prepare.preparation import prepare_visor
from actiseg_data.make.prepare.preparation_report import PrepareReport
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.recipes.building import make_recipe


@pytest.fixture(scope="session")
def cases(real_data: Path) -> Path:
    folder = real_data.parent / "cases"
    if not folder.is_dir():
        pytest.skip(f"no cases at {folder}")
    return folder


def prepare_case(case: Path, out: Path) -> PrepareReport:
    arguments: dict[str, Any] = {
        "annotations": case / "annotations",
        "split": "val",
        "frame_mapping": case / "mapping.json",
        "narrations": [case / "narrations.csv"],
        "noun_classes": case / "nouns.csv",
        "out": out,
    }
    return prepare_visor(**arguments)


def test_dense_interpolations_are_drawn_in_their_own_size(cases: Path, tmp_path: Path) -> None:
    report = prepare_case(cases / "23_visor_dense_json", tmp_path / "out")
    assert (report.sequences, report.objects, report.positive, report.masks) == (1, 2, 2, 3)
    assert report.findings["dense_videos"] == ("P99_01",)
    (folder,) = (tmp_path / "out" / MASKS / "val").iterdir()
    mask = read_index_mask(folder / "frame_0000000100.png")
    # The knife is from (133.44, 133.32) to (222.4, 222.2), the hand covers it from (213.5, 142.2).
    assert mask.shape == (480, 854)
    assert (mask[133:223, 133:213] == 1).all()
    assert (mask[142:232, 213:303] == 2).all()
    assert (mask > 0).sum() == 90 * 90 + 90 * 90 - 10 * 81


def test_an_empty_polygon_is_left_out_and_counted(cases: Path, tmp_path: Path) -> None:
    report = prepare_case(cases / "24_visor_empty_polygon", tmp_path / "out")
    assert (report.sequences, report.objects, report.masks) == (1, 2, 3)
    assert report.findings["short_polygons"] == ("P99_01_frame_0000000100.jpg: knife[1]",)
    assert report.counts["entities_without_polygon"] == 0


@pytest.mark.parametrize("name", ["text_10k_steps", "480p_mixed_30fps", "noise100k"])
def test_numbers_with_letters_behind_them_are_no_claim(
    cases: Path, tmp_path: Path, name: str
) -> None:
    clean = cases / "35_names_that_claim_nothing" / "clean"
    out = corrupt(clean, make_recipe("category", 1.0), out=tmp_path / "out", images="none").out
    found = audit(Path(shutil.copytree(out / IMAGE_SETS, tmp_path / name)))
    assert (found.claims, found.findings) == ((), ())
