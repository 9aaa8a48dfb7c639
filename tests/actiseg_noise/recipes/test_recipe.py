"""Recipes: what is refused, what digests equally."""

from __future__ import annotations

import json

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_noise.recipes.building import load_recipe, make_recipe
from actiseg_noise.recipes.kind_specs import KIND_SPECS


@pytest.mark.parametrize("kind", list(KIND_SPECS))
def test_recipe_comes_back_from_its_file(kind, tmp_path):
    recipe = make_recipe(kind, 0.4, seed=3, split="val", exact=True)
    write_json(tmp_path / "recipe.json", recipe.to_dict())
    again = load_recipe(tmp_path / "recipe.json")
    assert again == recipe
    assert again.digest == recipe.digest


def test_equal_noise_has_an_equal_digest():
    assert (
        make_recipe("dilate", 1, parameters={"radius": 4}).digest
        == make_recipe("dilate", 1.0, parameters={"radius": 4.0, "target_iou": None}).digest
    )
    assert make_recipe("dilate", 0.4).digest != make_recipe("dilate", 0.4, seed=1).digest


def edited(change):
    document = make_recipe("jitter", 0.4).to_dict()
    change(document, document["noises"][0])
    return document


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda top, noise: top.update(colour=1), "'colour' is unknown"),
        (lambda top, noise: noise.update(colour=1), "'colour' is unknown"),
        (lambda top, noise: noise["parameters"].update(colour=1), "no parameter 'colour'"),
        (lambda top, noise: top.pop("seed"), "'seed' is missing"),
        (lambda top, noise: noise["parameters"].pop("fold_margin"), "'fold_margin' is missing"),
        (lambda top, noise: noise.update(kind="melt"), "kind 'melt' is unknown"),
        (lambda top, noise: noise.update(algorithm=99), "algorithm 99"),
        (lambda top, noise: top.update(schema="actiseg/recipe/9"), "schema"),
        (lambda top, noise: top.update(noises=[]), "no noise"),
        (lambda top, noise: top.update(noises=top["noises"] * 2), "several noises"),
        (lambda top, noise: top.update(seed=-1), "seed"),
        (lambda top, noise: top.update(seed="0"), "whole number"),
        (lambda top, noise: noise.update(rate=1.5), "outside [0, 1]"),
        (lambda top, noise: noise.update(rate=-0.1), "outside [0, 1]"),
        (lambda top, noise: noise.update(rate="0.4"), "must be a number"),
        (lambda top, noise: noise.update(objects="some"), "objects 'some'"),
        (lambda top, noise: noise.update(overlap="fight"), "overlap 'fight'"),
        (lambda top, noise: noise["parameters"].update(target_iou=0), "target_iou is 0"),
        (lambda top, noise: noise["parameters"].update(radius=3), "exactly one"),
        (lambda top, noise: noise["parameters"].update(fold_margin=True), "fold_margin is True"),
    ],
)
def test_faulty_recipe_is_refused(change, said, tmp_path):
    write_json(tmp_path / "recipe.json", edited(change))
    with pytest.raises(InputError, match=r"recipe\.json") as refused:
        load_recipe(tmp_path / "recipe.json")
    assert said in str(refused.value)


@pytest.mark.parametrize("rate", [-0.01, 1.01, float("nan"), float("inf")])
def test_rate_outside_the_unit_interval_is_refused(rate):
    with pytest.raises(InputError, match=r"outside \[0, 1\]"):
        make_recipe("boundary", rate)


@pytest.mark.parametrize("kinds", [[], ["melt"], ["dilate", "dilate"], "dilate"])
def test_boundary_draws_among_known_kinds_only(kinds):
    with pytest.raises(InputError, match="kinds is"):
        make_recipe("boundary", 0.4, parameters={"kinds": kinds})


def test_all_faults_are_named_at_once():
    with pytest.raises(InputError) as refused:
        make_recipe("erode", 2.0, objects="x", parameters={"minimum_area": 0, "colour": 1})
    assert len(refused.value.problems) == 4


@pytest.mark.parametrize(
    ("kind", "settings", "place"),
    [
        ("dilate", {"rate": 1.5}, "rate"),
        ("mixed", {"rate": 1.5}, "rate"),
        ("mixed", {"rate": 0.4, "text_rate": 1.5}, "text_rate"),
        ("mixed", {"rate": 0.4, "boundary_rate": -1}, "boundary_rate"),
        ("dilate", {"rate": 1, "seed": -1}, "seed"),
        ("dilate", {"rate": 1, "objects": "nobody"}, "objects"),
        ("dilate", {"rate": 1, "overlap": "nope"}, "overlap"),
        ("text", {"rate": 1, "scope": "nope"}, "scope"),
        ("text", {"rate": 1, "flip": "nope"}, "flip"),
        ("text", {"rate": 1, "scope": "narration", "objects": "positive"}, "objects"),
        ("dilate", {"rate": 1, "target_iou": 3}, "target_iou"),
        ("dilate", {"rate": 1, "parameters": {"a\nb": 3}}, "parameters"),
        ("melt", {"rate": 1}, "kind"),
    ],
)
def test_a_faulty_argument_is_the_place_of_its_problem(kind, settings, place):
    with pytest.raises(InputError) as refused:
        make_recipe(kind, **settings)
    assert [problem.where for problem in refused.value.problems] == [f"`{place}`"]


def test_the_file_is_the_place_of_a_faulty_value_in_it(tmp_path):
    file = tmp_path / "recipe.json"
    write_json(file, edited(lambda top, noise: noise.update(overlap="contests", rate=2)))
    with pytest.raises(InputError) as refused:
        load_recipe(file)
    assert [(problem.where, problem.what) for problem in refused.value.problems] == [
        (str(file), "the rate 2.0 is outside [0, 1]"),
        (str(file), "overlap 'contests' is unknown; did you mean 'contest'?"),
    ]


def test_recipe_document_is_plain_json():
    document = make_recipe("boundary", 0.4).to_dict()
    assert json.loads(json.dumps(document)) == document


def test_the_two_zeros_are_the_same_noise():
    noise = make_recipe("localise", 0.0, parameters={"sigma": 0.0})
    negative = make_recipe("localise", -0.0, parameters={"sigma": -0.0})
    assert negative == noise
    assert negative.digest == noise.digest
