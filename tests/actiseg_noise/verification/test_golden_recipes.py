"""Golden digests on the built-in sample: pixels and words of released algorithms never change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actiseg_data.core.digests import digest_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.records.recipe_record import parse_recipe
from actiseg_data.records.split_documents import read_digests
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import check_recipe, make_recipe
from tests.helpers.paths import ROOT

GOLDEN = json.loads((Path(__file__).with_name("golden_recipes.json")).read_text())


@pytest.mark.parametrize("name", GOLDEN)
def test_pixels_and_words_are_as_released(name, sample, tmp_path):
    golden = GOLDEN[name]
    recipe = check_recipe(parse_recipe(golden["recipe"], name), name)
    assert recipe.digest == golden["recipe_digest"]
    out = corrupt(sample, recipe, out=tmp_path / "noisy", images="none").out
    digests = read_digests(out / "digests.json")
    for folder, known in ((MASKS, "masks_digest"), (IMAGE_SETS, "text_digest")):
        if known in golden:
            of = {path: digest for path, digest in digests.items() if path.startswith(folder)}
            assert digest_json(of) == golden[known]


def test_the_documentation_shows_the_digest_of_its_own_command():
    page = (ROOT / "docs" / "noise.md").read_text()
    assert f"recipe {make_recipe('boundary', 0.4).digest}" in page
