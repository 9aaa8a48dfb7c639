"""A new kind of mask noise needs a function and a line of the table."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from actiseg_noise import corrupt, corrupt_mask, make_recipe, verify
from actiseg_noise.mask_noise.noisy_outline import NoisyOutline
from actiseg_noise.recipes.kind_parameters import Parameter
from actiseg_noise.recipes.kind_specs import KIND_SPECS, KindSpec
from tests.helpers.kitchens import make_kitchen


def keep_top_rows(clean, parameters, keys):
    """Keep the upper rows of an object: a function as a new file of `mask_noise` would have it."""
    patch = clean.patch
    rows = np.flatnonzero(patch.mask.any(axis=1))
    kept = patch.mask.copy()
    kept[rows[int(parameters["rows"]) :]] = False
    iou = float(kept.sum() / patch.mask.sum())
    return NoisyOutline(replace(patch, mask=kept), iou, "fixed", dict(parameters))


@pytest.fixture
def toy(monkeypatch):
    module = ModuleType("actiseg_noise.mask_noise.top_rows")
    module.keep_top_rows = keep_top_rows
    monkeypatch.setitem(sys.modules, module.__name__, module)
    parameters = {"rows": Parameter(3.0, lambda value: value > 0, "a number of rows above 0")}
    spec = KindSpec(1, parameters, "objects lose rows", outline="top_rows.keep_top_rows")
    monkeypatch.setitem(KIND_SPECS, "top-rows", spec)
    return "top-rows"


def test_it_changes_one_mask(toy):
    mask = np.zeros((20, 20), np.uint8)
    mask[4:14, 4:14] = 1
    noisy, (row,) = corrupt_mask(mask, toy, rows=4)
    assert noisy.sum() == 40
    assert (row.kind, row.iou, row.parameters) == (toy, 0.4, {"rows": 4.0})


def test_it_makes_and_verifies_a_noisy_split(toy, tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    made = corrupt(root, toy, rate=1.0, rows=2, out=tmp_path / "noisy")
    assert set(made.summary["noise"]["status"]) == {toy}
    assert verify(made.out, source=root).ok


def test_its_recipe_says_what_it_is(toy):
    noise = make_recipe(toy, 0.4).mask_noise
    assert noise is not None
    assert noise.to_dict()["parameters"] == {"rows": 3.0}
