"""The options of `corrupt` and the recipe that they make, without a process."""

from __future__ import annotations

import json

import pytest

from actiseg_data.core.errors import InputError
from actiseg_noise.cli.kind_flags import KIND_FLAGS, make_kind_options
from actiseg_noise.cli.recipe_options import (
    RecipeOptions,
    make_recipe_from_options,
    parse_setting,
)
from actiseg_noise.recipes.kind_specs import KIND_SPECS


def make(parameters=None, **options):
    return make_recipe_from_options(RecipeOptions(**options), parameters or {}, None, None)


def test_zero_is_a_value():
    (noise,) = make({"mix": 0.0}, kind="text", rate=0.0).noises
    assert (noise.rate, noise.parameters["mix"]) == (0.0, 0.0)
    (noise,) = make({"radius": 0.0}, kind="dilate", rate=1.0).noises
    assert (noise.parameters["radius"], noise.parameters["target_iou"]) == (0.0, None)


def test_flags_that_are_not_given_leave_the_defaults():
    options = vars(make_kind_options()())
    assert set(options) == set(KIND_FLAGS)
    assert set(options.values()) == {None}
    recipe = make(options | {"allow_collisions": False}, kind="mixed", rate=0.4)
    assert recipe == make(kind="mixed", rate=0.4)


@pytest.mark.parametrize("name", KIND_FLAGS)
def test_every_flag_sets_a_parameter_of_its_kind(name):
    assert name in KIND_SPECS[KIND_FLAGS[name].kind].parameters


def test_a_recipe_file_takes_only_seed_and_split(tmp_path):
    recipe = make(kind="dilate", rate=0.4, seed=3)
    file = tmp_path / "recipe.json"
    file.write_text(json.dumps(recipe.to_dict()))
    assert make(recipe=file) == recipe
    assert make(recipe=file, seed=0).seed == 0
    with pytest.raises(InputError, match=r"--type, --set, --target-iou cannot be given"):
        make({"target_iou": 0.7}, recipe=file, kind="dilate", setting=["radius=2"])


def test_a_parameter_is_given_once():
    with pytest.raises(InputError, match="given twice"):
        make({"mix": 0.2}, kind="text", rate=0.4, setting=["mix=0.3"])
    with pytest.raises(InputError, match="given twice"):
        make(kind="text", rate=0.4, setting=["mix=0.3", "mix=0.3"])


def test_a_problem_is_reported_at_the_flag_that_gave_the_value():
    with pytest.raises(InputError) as refused:
        make({"radius": 900}, kind="dilate", rate=2.0, setting=["colour=1"])
    places = [problem.where for problem in refused.value.problems]
    assert places == ["`rate`", "--set", "`radius`"]


def test_type_and_preset_must_agree():
    assert make(kind="morphology", preset="actiseg-nl/mask-9") == make(preset="actiseg-nl/mask-9")
    with pytest.raises(InputError, match="is of type morphology"):
        make(kind="dilate", preset="actiseg-nl/mask-9")
    with pytest.raises(InputError, match="did you mean 'dilate'"):
        make(kind="dilat", rate=0.4)


@pytest.mark.parametrize("text", ["radius", "=4", ""])
def test_a_setting_has_a_key_and_a_value(text):
    with pytest.raises(InputError, match="KEY=VALUE"):
        parse_setting(text)


def test_a_setting_is_json_or_a_string():
    assert parse_setting('kinds=["erode"]') == ("kinds", ["erode"])
    assert parse_setting("overlap=contest") == ("overlap", "contest")


@pytest.mark.parametrize("value", ["[" * 300 + "]" * 300, "[" * 900 + "]" * 900, "[" * 100_000])
def test_a_setting_that_nests_too_deeply_is_refused(value):
    with pytest.raises(InputError, match="radius is"):
        make(kind="dilate", rate=0.4, setting=[f"radius={value}"])


def test_a_change_of_labels_has_a_flag():
    (noise,) = make(kind="activity", rate=0.2, change="forget", protect=["left hand"]).noises
    assert (noise.change, noise.parameters["protect"]) == ("forget", [300])
    with pytest.raises(InputError, match="no noise of labels"):
        make(kind="boundary", rate=0.2, change="forget")
    with pytest.raises(InputError, match="objects have no effect"):
        make(kind="activity", rate=0.2, objects="positive")
    with pytest.raises(InputError, match="several media"):
        make(kind="activity", label_rate=0.2, rate=0.1)
    recipe = make(preset="coco-n/easy", label_rate=0.1, boundary_rate=0.5)
    assert [noise.rate for noise in recipe.noises] == [0.1, 0.5]
