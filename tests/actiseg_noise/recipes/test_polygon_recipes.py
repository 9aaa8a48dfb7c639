"""Recipes of noise on polygons: made from others, kept apart from them, checked."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.media.registry import list_media
from actiseg_noise.recipes.building import check_recipe, load_recipe, make_recipe
from actiseg_noise.recipes.polygon_recipes import choose_polygon_noise, convert_to_polygons
from actiseg_noise.recipes.presets import load_preset
from actiseg_noise.recipes.spec_finding import POLYGON_SPECS, find_kind_spec


def test_a_recipe_keeps_all_but_the_medium() -> None:
    masks = make_recipe("boundary", 0.4, seed=7, radius=3, exact=True, split="val")
    polygons = convert_to_polygons(masks)
    before, after = masks.mask_noise, polygons.polygon_noise
    assert before is not None
    assert after is not None
    assert (polygons.seed, polygons.split, polygons.mask_noise) == (7, "val", None)
    assert (after.kind, after.rate, after.exact) == ("boundary", 0.4, True)
    assert (after.fill, after.overlap, after.scope) == ("even-odd", None, None)
    assert after.parameters == before.parameters
    assert polygons.digest != masks.digest
    assert convert_to_polygons(polygons) == polygons


def test_a_recipe_is_written_and_read(tmp_path: Path) -> None:
    recipe = convert_to_polygons(make_recipe("jitter", 0.4))
    document = recipe.to_dict()
    assert document["noises"][0]["fill"] == "even-odd"
    assert "overlap" not in document["noises"][0]
    write_json(tmp_path / "recipe.json", document)
    assert load_recipe(tmp_path / "recipe.json") == recipe


def test_a_preset_of_a_kind_that_polygons_have() -> None:
    recipe = convert_to_polygons(load_preset("actiseg/boundary-40").make_recipe())
    assert choose_polygon_noise(recipe).kind == "boundary"
    with pytest.raises(InputError, match="'morphology' does not work on polygons"):
        convert_to_polygons(load_preset("actiseg-nl/mask-9").make_recipe())


def test_what_is_wrong_in_a_recipe_is_said() -> None:
    recipe = convert_to_polygons(make_recipe("jitter", 0.4))
    (noise,) = recipe.noises
    for change, message in (
        ({"algorithm": 9}, "algorithm 9 of 'jitter' is unknown"),
        ({"choice": "union"}, "'union' is unknown"),
        ({"kind": "markov"}, "the kind 'markov' is unknown"),
        ({"rate": 2}, r"outside \[0, 1\]"),
    ):
        with pytest.raises(InputError, match=message):
            check_recipe(replace(recipe, noises=(replace(noise, **change),)))
    with pytest.raises(InputError, match="needs labels"):
        choose_polygon_noise(replace(recipe, noises=(replace(noise, objects="positive"),)))
    with pytest.raises(InputError, match="several noises of polygons"):
        check_recipe(replace(recipe, noises=(noise, noise)))


def test_datasets_of_masks_refuse_it(sample: Path, tmp_path: Path) -> None:
    recipe = convert_to_polygons(make_recipe("jitter", 0.4))
    assert [medium.name for medium in list_media(recipe)] == ["polygons"]
    with pytest.raises(InputError, match="has masks, and the recipe has noise of polygons"):
        corrupt(sample, recipe, out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_its_kinds_are_known_in_their_medium_alone() -> None:
    assert set(POLYGON_SPECS) == {"dilate", "erode", "jitter", "boundary"}
    assert find_kind_spec("jitter", "polygons") is POLYGON_SPECS["jitter"]
    assert find_kind_spec("jitter", "masks") is not POLYGON_SPECS["jitter"]
    assert find_kind_spec("markov", "polygons") is None
