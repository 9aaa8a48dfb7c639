"""Sheets of examples: which changes they show, and that they never need a photograph."""

from __future__ import annotations

import hashlib
import shutil

import pytest
from PIL import Image

from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.releases.metadata.example_sheets import choose_typical, write_examples
from tests.helpers.released_data import make_configuration, open_configuration
from tests.helpers.roots import make_root


@pytest.mark.parametrize("kind", ["mixed", "boundary", "text"])
def test_a_sheet_is_the_same_without_photographs(kind, sample, tmp_path):
    recipe = make_recipe(kind, 0.4, split="val")
    configuration = make_configuration("x-40", sample, recipe, tmp_path / "n")
    first = write_examples(configuration, tmp_path / "a")
    shutil.rmtree(tmp_path / "n" / "JPEGImages_Sparse")
    assert write_examples(open_configuration("x-40", tmp_path / "n"), tmp_path / "b") == first
    data = (tmp_path / "b" / "pictures" / "x-40.png").read_bytes()
    assert (len(data), hashlib.sha256(data).hexdigest()) == (first.size, first.sha256)
    with Image.open(tmp_path / "a" / first.name) as sheet:
        assert sheet.width == 1326


def test_typical_changes_are_of_all_kinds_and_different_sequences(sample, tmp_path):
    recipe = make_recipe("boundary", 0.4, split="train")
    configuration = make_configuration("x-40", sample, recipe, tmp_path / "n")
    rows = configuration.documents.mask_rows
    chosen = choose_typical(rows)
    assert sorted(row.kind for row in chosen) == sorted(["dilate", "erode", "jitter"] * 2)
    for kind in ("dilate", "erode", "jitter"):
        ious = sorted(row.iou for row in rows if row.kind == kind and row.area >= 1500)
        pair = [row for row in chosen if row.kind == kind]
        assert len({row.sequence for row in pair}) == 2
        assert all(ious[len(ious) // 4] <= row.iou <= ious[-len(ious) // 4] for row in pair)


def test_nothing_to_show_gives_no_sheet(tmp_path):
    source = make_root(tmp_path / "source")
    shutil.rmtree(source / "Annotations_Sparse")
    configuration = make_configuration("text-40", source, make_recipe("text", 0.4), tmp_path / "n")
    assert write_examples(configuration, tmp_path) is None
