"""Published recipes: a name with a version is one recipe, and a recipe has at most one name."""

from __future__ import annotations

import copy
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.core.documents import Cursor
from actiseg_data.core.errors import InputError
from actiseg_data.core.manifests import find_installed
from actiseg_noise.corruption.recipe_choice import choose_recipe
from actiseg_noise.recipes import presets as preset_module
from actiseg_noise.recipes.building import check_recipe, make_recipe
from actiseg_noise.recipes.presets import load_preset, load_presets
from actiseg_noise.recipes.published import (
    load_index,
    name_recipe,
    parse_index,
    split_version,
)
from actiseg_noise.text_noise.choices import freeze_frequencies
from tests.helpers.roots import clip

DOCUMENT = json.loads(find_installed("recipes.json").read_bytes())

RELEASED = {"0.1.0": "00be295daf0b7b7c001ca6ef62bf9c61"}
"""A digest of all entries since each release. No entry may ever change: if this test fails, restore
the entry and add a new version instead."""


def blake(document):
    text = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def test_what_was_released_never_changes():
    for release, digest in RELEASED.items():
        entries = {
            f"{name}@{entry['version']}": entry
            | {"last": None, "outputs": [entry["outputs"][of] for of in ("sample", "visor-val")]}
            for name, versions in DOCUMENT["recipes"].items()
            for entry in versions
            if entry["since"] == release
        }
        assert blake(entries) == digest


@pytest.mark.parametrize(
    "name",
    [
        "actiseg/boundary-20",
        "actiseg/boundary-60",
        "actiseg/text-40",
        "actiseg/mixed-20",
        "actiseg/mixed-40",
        "actiseg-nl/mask-15",
        "actiseg-nl/released-60",
        "actiseg-nl/mixed-60-21",
        "coco-n/hard",
        "markov/shrink",
        "smart/de-EAD",
    ],
)
def test_digests_are_those_of_the_documents_that_are_installed(name):
    """From the files alone: the noises of the preset with the lexicon's digest in them."""
    family, _, own = name.partition("/")
    noises = next(
        found["noises"]
        for path in find_installed("presets/actiseg.json").parent.glob(f"{family}*.json")
        for document in [json.loads(path.read_bytes())]
        if document["family"] == family
        for found in [document["presets"].get(own)]
        if found
    )
    lexicon = blake(json.loads(find_installed("lexicon/epic-100.json").read_bytes()))
    for noise in noises:
        values = noise["parameters"]
        noise["rate"] = float(noise["rate"])
        if "lexicon" in values:
            values["lexicon"] = lexicon
        for key, value in values.items():
            if isinstance(value, int) and not isinstance(value, bool):
                values[key] = float(value)
    entry = DOCUMENT["recipes"][name][-1]
    assert entry["noises"] == blake(noises)
    recipe = {"schema": "actiseg/recipe/1", "split": "train", "seed": 0, "noises": noises}
    assert entry["recipe"] == blake(recipe)
    assert entry["algorithms"] == {noise["kind"]: noise["algorithm"] for noise in noises}
    assert entry["lexicon"] == (lexicon if "scope" in noises[0] else None)


@given(
    name=st.sampled_from(sorted(load_presets())),
    split=st.sampled_from(["train", "val", "val_human"]),
    seed=st.integers(0, 2**63 - 1),
)
def test_a_recipe_has_its_name_for_every_split_and_seed(name, split, seed):
    preset = load_preset(name)
    recipe = preset.make_recipe(split=split, seed=seed)
    assert name_recipe(recipe) == f"{name} v{preset.version}"


@given(
    name=st.sampled_from(sorted(load_presets())),
    change=st.sampled_from([{"rate": 0.123}, {"exact": True}, {"rate": 0.6000001}]),
)
def test_a_changed_recipe_has_no_name(name, change):
    assert name_recipe(load_preset(name).make_recipe(**change)) is None


def test_the_same_noise_made_without_the_preset_has_its_name():
    assert name_recipe(make_recipe("mixed", 0.6)) == "actiseg/mixed-60 v2"
    assert name_recipe(make_recipe("text", 0.4, flip="near")) is None


def test_a_version_is_part_of_an_address():
    assert load_preset("smart/mar@1") == load_preset("smart/mar")
    recipe = choose_recipe("actiseg/text-40@2", seed=4)
    assert recipe == choose_recipe("actiseg/text-40", seed=4)


@pytest.mark.parametrize("text", ["@", "@0", "@-1", "@x", "@1.0", "@1@1", "@ 1", "@²"])
def test_what_is_no_version_is_refused(text):
    with pytest.raises(InputError, match="is not the version of a preset"):
        split_version(f"smart/mar{text}", "`preset`")


@pytest.mark.parametrize("choose", [load_preset, choose_recipe])
def test_a_version_of_the_future_is_refused(choose):
    with pytest.raises(InputError, match=r"there is no version 2 of smart/mar.* makes version 1"):
        choose("smart/mar@2")


def test_a_superseded_version_names_the_release_that_makes_it(monkeypatch):
    document = copy.deepcopy(DOCUMENT)
    (old,) = document["recipes"]["smart/mar"]
    new = old | {"version": 2, "since": "0.3.0", "noises": "0" * 32}
    document["recipes"]["smart/mar"] = [old | {"last": "0.2.4"}, new]
    index = parse_index(Cursor(document, "recipes.json"))
    preset = load_preset("smart/mar")
    newer = {"smart/mar": preset.__class__(**vars(preset) | {"version": 2})}
    monkeypatch.setattr(preset_module, "load_index", lambda: index)
    monkeypatch.setattr(preset_module, "load_presets", lambda: newer)
    assert load_preset("smart/mar@2") == load_preset("smart/mar") == newer["smart/mar"]
    with pytest.raises(InputError) as refused:
        load_preset("smart/mar@1")
    (problem,) = refused.value.problems
    assert "smart/mar@1 is made by actiseg 0.1.0 to 0.2.4" in problem.what
    assert problem.hint == "install actiseg 0.2.4, or use smart/mar@2"
    found = index.find_recipe(preset.make_recipe())
    assert found is not None
    assert (found.title, found.address) == ("smart/mar v1", "smart/mar@1")
    assert index.recipes["actiseg/text-40"][0].releases == "0.1.0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 2}, "versions are not 1, 2, 3"),
        ({"version": "1"}, "must be a whole number"),
        ({"algorithms": {"boundary": None}}, "must be a whole number"),
        ({"outputs": {"sample": {"masks": {"digest": "0"}}}}, "is missing"),
        ({"noises": 7}, "must be text"),
        ({"since": "a\nb"}, "control"),
    ],
)
def test_a_damaged_index_is_refused(change, message):
    document = copy.deepcopy(DOCUMENT)
    document["recipes"]["smart/mar"][0] |= change
    with pytest.raises(InputError, match=message):
        parse_index(Cursor(document, "recipes.json"))


def test_an_index_with_two_newest_versions_is_refused():
    document = copy.deepcopy(DOCUMENT)
    (entry,) = document["recipes"]["smart/mar"]
    document["recipes"]["smart/mar"] = [entry, entry | {"version": 2}]
    with pytest.raises(InputError, match="smart/mar v1 has no last release"):
        parse_index(Cursor(document, "recipes.json"))


def test_every_published_recipe_is_a_preset():
    newest = {name: versions[-1].version for name, versions in load_index().recipes.items()}
    assert newest == {name: preset.version for name, preset in load_presets().items()}


@pytest.mark.parametrize("member", ["about", "split", "clean", "names"])
def test_known_dataset_that_lacks_a_member_is_refused(member):
    document = copy.deepcopy(DOCUMENT)
    del next(iter(document["datasets"].values()))[member]
    with pytest.raises(InputError, match=f"the key '{member}' is missing"):
        parse_index(Cursor(document, "recipes.json"))


def test_the_frequencies_of_a_dataset_do_not_change_the_name():
    recipe = load_preset("actiseg/frequency-40").make_recipe()
    assert name_recipe(recipe) == "actiseg/frequency-40 v1"
    names = set()
    for count in (3, 6):
        sequences = [clip(number) for number in range(1, count)]
        frozen = freeze_frequencies(recipe, sequences)
        assert frozen.digest != recipe.digest
        assert check_recipe(frozen) == frozen
        names.add(name_recipe(frozen))
    assert names == {"actiseg/frequency-40 v1"}
    assert freeze_frequencies(make_recipe("text", 0.4), sequences) == make_recipe("text", 0.4)
