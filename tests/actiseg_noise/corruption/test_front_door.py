"""The public names of actiseg_noise: types, presets and recipes, keywords named as the flags."""

from __future__ import annotations

import numpy as np
import pytest

import actiseg_noise
from actiseg_data.core.errors import InputError
from actiseg_noise import corrupt, load_preset, load_recipe, make_recipe, open_noisy_split, verify
from actiseg_noise.corruption.corruption import forecast_corruption
from actiseg_noise.corruption.recipe_choice import choose_recipe
from actiseg_noise.corruption.request import CorruptionOptions
from actiseg_noise.recipes.building import name_type
from tests.helpers.kitchens import make_kitchen
from tests.helpers.roots import clip, make_root

CLIPS = [clip(1), clip(2)]


def test_every_exported_name_exists():
    for name in actiseg_noise.__all__:
        assert getattr(actiseg_noise, name).__name__ == name


def test_a_type_with_settings_makes_the_recipe_that_make_recipe_makes(tmp_path):
    root, out = make_root(tmp_path / "clean", CLIPS), tmp_path / "noisy"
    done = corrupt(str(root), "boundary", rate=0.4, target_iou=0.7, out=str(out), seed=3)
    recipe = make_recipe("boundary", 0.4, seed=3, parameters={"target_iou": 0.7})
    assert done.recipe_digest == recipe.digest == load_recipe(str(out / "recipe.json")).digest
    assert verify(str(out), source=str(root)).ok
    assert open_noisy_split(str(out), str(root)).clean is not None


def test_a_preset_and_a_recipe_are_given_in_the_same_place(tmp_path):
    root = make_root(tmp_path / "clean", CLIPS)
    preset = corrupt(root, "actiseg-nl/mask-9", rate=0.3, out=tmp_path / "a")
    recipe = load_preset("actiseg-nl/mask-9").make_recipe(rate=0.3)
    again = corrupt(root, recipe, out=tmp_path / "b")
    assert preset.recipe_digest == again.recipe_digest == recipe.digest


def test_a_recipe_file_is_given_by_its_path(tmp_path):
    root = make_root(tmp_path / "clean", CLIPS)
    made = corrupt(root, "dilate", rate=0.3, out=tmp_path / "a")
    for position, path in enumerate((made.out / "recipe.json", str(made.out / "recipe.json"))):
        again = corrupt(root, path, out=tmp_path / f"b{position}")
        assert again.recipe_digest == made.recipe_digest


def test_numbers_of_numpy_mean_their_python_values(tmp_path):
    root = make_root(tmp_path / "clean", CLIPS)
    settings = {"seed": 3, "rate": 0.5, "target_iou": 0.75}
    arrays = {"seed": np.int64(3), "rate": np.float32(0.5), "parameters": {}}
    arrays["parameters"]["target_iou"] = np.float32(0.75)
    made = corrupt(root, "dilate", out=tmp_path / "a", **settings)
    assert corrupt(root, "dilate", out=tmp_path / "b", **arrays).recipe_digest == made.recipe_digest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"noise": None}, "noise: None is not noise"),
        ({"noise": {}}, "noise: {} is not noise"),
        ({"out": 3}, "out: must be a path, not 3"),
        ({"out": b"noisy"}, "out: must be a path, not b'noisy'"),
        ({"dataset": 3}, "dataset: must be a path, not 3"),
        ({"seed": "1"}, "seed: '1' is not a whole number"),
        ({"seed": True}, "seed: True is not a whole number"),
        ({"noise": "missing/recipe.json"}, "the recipe is missing"),
    ],
)
def test_arguments_of_a_wrong_type_are_refused(tmp_path, arguments, said):
    given = {"dataset": tmp_path, "noise": "dilate", "rate": 0.5, "out": tmp_path / "out"}
    with pytest.raises(InputError) as refused:
        corrupt(**(given | arguments))
    assert said in str(refused.value)


def test_one_name_is_as_good_as_a_list(tmp_path):
    root = make_root(tmp_path / "clean", CLIPS)
    folder = CLIPS[1].folder
    done = corrupt(root, "dilate", rate=1, out=tmp_path / "noisy", only=folder)
    assert done.summary["sequences"] == [folder]
    assert verify(done.out, only=folder).ok


@pytest.mark.parametrize(
    ("noise", "settings", "said"),
    [
        ("boundary", {"rate": 0.4, "target_uoi": 0.7}, "did you mean 'target_iou'"),
        ("boundary", {"rate": 0.4, "overlapp": "contest"}, "did you mean 'overlap'"),
        ("boundary", {"rate": 0.4, "scope": "both"}, "scope: has no effect"),
        (
            "boundary",
            {"rate": 0.4, "text_rate": 0.2},
            "text_rate: is for recipes with noise in several media",
        ),
        ("boundary", {"rate": 1.4}, "rate: the rate 1.4 is outside [0, 1]"),
        ("boundary", {}, "rate: no noise rate given"),
        ("mixed", {"text_rate": 0.2}, "or both text_rate and boundary_rate"),
        ("boundry", {"rate": 0.4}, "did you mean 'boundary'"),
        ("actiseg-nl/mask-8", {}, "actiseg-nl/mask-9"),
        ("category", {"rate": 0.4, "pool": "house"}, "pool: 'house' is unknown"),
        ("category", {"rate": 0.4, "pool": "dataset"}, "give dataset"),
        ("category", {"rate": 0.4, "protect": ["left hnd"]}, "'left hnd'"),
        (make_recipe("dilate", 0.4), {"rate": 0.2}, "rate cannot be given with a recipe"),
    ],
)
def test_what_cannot_be_meant_is_refused(noise, settings, said):
    with pytest.raises(InputError) as refused:
        choose_recipe(noise, **settings)
    assert said in str(refused.value)


def test_settings_in_their_readable_form_become_parameters(tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    recipe = choose_recipe(
        "category", dataset=root, rate=0.4, protect="left hand", pool="dataset", pipeline="blank"
    )
    parameters = recipe.noises[0].parameters
    assert parameters["protect"] == [300]
    assert len(parameters["pool"]) > 1
    assert parameters["pipeline"] == "blank"


def test_a_recipe_takes_another_seed_and_split():
    recipe = choose_recipe(make_recipe("mixed", 0.4), seed=5, split="val", rate=None)
    assert (recipe.seed, recipe.split, name_type(recipe)) == (5, "val", "mixed")


def test_results_are_short_to_look_at(tmp_path):
    root = make_root(tmp_path / "clean", CLIPS)
    done = corrupt(root, "dilate", rate=1, out=tmp_path / "noisy")
    checked = verify(done.out)
    for shown in (repr(done), repr(checked), repr(open_noisy_split(done.out))):
        assert len(shown) < 400
        assert "\n" not in shown
    items = done.summary["noise"]["items"]
    assert f"<td>{items} of {items}</td>" in done._repr_html_()
    assert "ok=True" in checked._repr_html_()


def test_a_forecast_counts_and_writes_nothing(tmp_path):
    root = make_root(tmp_path / "clean", CLIPS)
    options = CorruptionOptions(tmp_path / "noisy")
    forecast = forecast_corruption(root, make_recipe("dilate", 1), options)
    done = corrupt(root, "dilate", rate=1, out=tmp_path / "noisy")
    items = done.summary["noise"]["items"]
    assert forecast.lines == (f"masks: {items} of {items} items would get noise",)
    assert (forecast.sequences, forecast.frames) == (2, done.summary["frames"])
    assert forecast.recipe_digest == done.recipe_digest
