"""`audit` compares a noisy split with its recipe: the items it could change, and the share."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial

import pytest

from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import name_expressions_file, name_objects_file
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.recipe_record import read_recipe
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.measurement.inspection import inspect
from actiseg_noise.measurement.text_tables import describe_text
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset, load_presets
from tests.helpers.kitchens import make_kitchen

PROMPTS, OBJECTS = name_expressions_file("train", "promptaction"), name_objects_file("train")


NAMES = sorted(
    name
    for name, preset in load_presets().items()
    if all(noise.kind != "class" for noise in preset.noises)  # for datasets with categories
)

slow = partial(pytest.param, marks=pytest.mark.slow)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("audited") / "clean", 120)


@pytest.fixture(scope="module")
def small_kitchen(tmp_path_factory):
    """Enough masks to tell rates apart; words need the larger one."""
    return make_kitchen(tmp_path_factory.mktemp("audited") / "small", 40)


@pytest.mark.parametrize(
    "more",
    [
        {"kind": "category", "parameters": {"flip": "supercategory"}},
        {"kind": "category", "parameters": {"flip": "sister"}},
        {"kind": "text", "parameters": {"flip": "sister", "mix": 0.4}},
        slow({"kind": "within-category", "rate": 1.0}),
        slow({"kind": "text", "objects": "positive", "exact": True}),
        {"kind": "text", "rate": 1.0, "parameters": {"pool": [1, 2, 4, 5, 14], "protect": [300]}},
        {"kind": "mixed", "parameters": {"flip": "near"}},
        slow({"kind": "boundary"}),
    ],
)
def test_splits_match_their_recipes(kitchen, tmp_path, more):
    recipe = make_recipe(more.pop("kind"), more.pop("rate", 0.4), **more)
    part = [sequence.folder for sequence in open_split(kitchen, "train").sequences][:80]
    for at, only in enumerate([None, part]):
        out = corrupt(kitchen, recipe, out=tmp_path / f"noisy{at}", only=only).out
        found = audit(out)
        assert found.ok, found.findings
        assert found.agreements


def test_sister_terms_are_counted_beside_the_flips(kitchen, tmp_path):
    done = corrupt(kitchen, make_recipe("text", 0.4, flip="sister"), out=tmp_path / "noisy")
    text = inspect(done.out, kitchen).text
    assert text.all.flips.hits == 0  # the class stays
    assert text.renamed_to_sisters == done.summary["text"]["flips"]["selected"] > 0
    lines = [part for part in describe_text(text) if isinstance(part, str)]
    assert any("renamed to a sister term" in line for line in lines)


def spoil(out, name, change):
    document = json.loads((out / IMAGE_SETS / name).read_text())
    for video in document["videos"].values():
        for entry in video["objects" if "objects" in video else "expressions"].values():
            change(entry)
    write_json(out / IMAGE_SETS / name, document)


def test_words_that_no_recipe_asks_for_are_found(kitchen, tmp_path):
    recipe = make_recipe("category", 0.3, parameters={"protect": [4]})
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    assert audit(out).ok

    def blade(entry):
        if entry["category_org"] == "knife":
            entry["category"] = "blade"

    spoil(out, OBJECTS, blade)
    findings = audit(out).findings
    assert any("the recipe cannot change them" in line for line in findings)
    assert any("do not begin with the object's name" in line for line in findings)


def test_prompts_that_name_another_thing_are_found(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("text", 0.4), out=tmp_path / "noisy").out
    spoil(out, PROMPTS, lambda entry: entry.update(exp="banana used in the action of cut"))
    found = audit(out)
    assert found.text.misnamed == found.text.all.flips.items
    assert any("do not begin" in line for line in found.findings)


def test_masks_are_compared_with_the_recipe(small_kitchen, tmp_path):
    out = corrupt(small_kitchen, make_recipe("mixed", 0.5), out=tmp_path / "noisy").out
    assert audit(out).ok
    shutil.rmtree(out / MASKS)
    shutil.copytree(small_kitchen / MASKS, out / MASKS)
    found = audit(out)
    assert any(line.startswith("masks: 0.0%") for line in found.findings)
    text = corrupt(
        small_kitchen, make_recipe("text", 0.5), out=tmp_path / "text", images="copy"
    ).out
    shutil.rmtree(text / MASKS)
    noisy = corrupt(small_kitchen, make_recipe("erode", 0.5), out=tmp_path / "eroded").out
    shutil.copytree(noisy / MASKS, text / MASKS)
    assert any("no recipe asks for" in line for line in audit(text).findings)


@pytest.mark.parametrize("scope", ["prompt", "both", slow("narration")])
@pytest.mark.parametrize("rate", [slow(0.0), slow(0.2), 0.6, slow(1.0)])
@pytest.mark.parametrize("kind", ["category", "within-category", "text"])
def test_rates_and_scopes_are_distinguished(kitchen, tmp_path, kind, rate, scope):
    """As it was made it agrees; under a recipe of another rate or scope it does not."""
    if scope != "prompt":
        pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    recipe = make_recipe(kind, rate, scope=scope, parameters={"protect": [11, 300, 301]})
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    found = audit(out)
    assert found.ok, found.findings
    assert found.agreements
    (noise,) = recipe.noises
    other_rate = replace(noise, rate=0.9 if rate < 0.5 else 0.1)
    pretended = [other_rate]
    if rate and scope != "both":
        pretended.append(replace(noise, choice="prompt" if scope == "narration" else "narration"))
    for claimed in pretended:
        write_json(out / "recipe.json", replace(recipe, noises=(claimed,)).to_dict())
        assert not audit(out).ok


def test_narrations_that_could_only_be_flipped_are_expected_to_change_less(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    recipe = make_recipe("text", 0.8, scope="narration")
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    assert audit(out).ok
    records = json.loads((out / IMAGE_SETS / "train.json").read_text())
    strange = next(record for record in records if not record["narration_org"])
    strange["narration"] = "take banana"
    write_json(out / IMAGE_SETS / "train.json", records)
    assert any("1 narration differs" in line for line in audit(out).findings)


def test_objects_do_not_change_with_narrations(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    out = corrupt(kitchen, make_recipe("category", 0.4, scope="narration"), out=tmp_path / "n").out
    assert audit(out).ok

    def rename(entry):
        if entry["category"] == "cup":
            entry["category"] = "mug"

    spoil(out, OBJECTS, rename)
    assert any("objects have other words" in line for line in audit(out).findings)


def test_more_masks_than_the_recipe_asks_for_are_found(small_kitchen, tmp_path):
    little = corrupt(small_kitchen, make_recipe("dilate", 0.2), out=tmp_path / "little").out
    assert audit(little).ok
    much = corrupt(small_kitchen, make_recipe("dilate", 0.9), out=tmp_path / "much").out
    shutil.rmtree(little / MASKS)
    shutil.copytree(much / MASKS, little / MASKS)
    assert any("is not consistent with the rate" in line for line in audit(little).findings)
    every = make_recipe("dilate", 0.9, objects="all")
    every = corrupt(small_kitchen, every, out=tmp_path / "every").out
    shutil.rmtree(much / MASKS)
    shutil.copytree(every / MASKS, much / MASKS)
    assert any("the recipe cannot change them" in line for line in audit(much).findings)


@pytest.mark.parametrize(
    "name",
    [name if number % 4 == 0 else slow(name) for number, name in enumerate(NAMES)],
)
def test_every_preset_matches_its_recipe(kitchen, tmp_path, name):
    few = 8 if name.startswith("markov/") else 40  # it walks each outline 100 times
    part = [sequence.folder for sequence in open_split(kitchen, "train").sequences][:few]
    recipe = load_preset(name).make_recipe()
    out = corrupt(kitchen, recipe, out=tmp_path / name.replace("/", "-"), only=part).out
    found = audit(out)
    assert found.ok, found.findings
    assert read_recipe(out / "recipe.json") == found.recipe
    forget_source(out)
    alone = audit(out)
    assert alone.ok, alone.findings
    assert alone.masks is None or recipe.mask_noise is None


def forget_source(out):
    """Let a noisy split name no source, as an unpacked archive does."""
    summary = json.loads((out / "summary.json").read_text())
    write_json(out / "summary.json", summary | {"source": "clean_dataset"})


def test_without_clean_masks_the_ledger_is_compared_with_the_recipe(kitchen, tmp_path):
    out = corrupt(kitchen, "boundary", rate=0.4, out=tmp_path / "boundary-40").out
    forget_source(out)
    found = audit(out)
    rows = (out / "ledger.jsonl").read_text().splitlines()
    assert found.ok
    assert found.clean == "its ledger, for masks"
    assert any(
        "the ledger lists" in line and "were not measured" in line for line in found.agreements
    )
    (out / "ledger.jsonl").write_text("\n".join(rows[: len(rows) // 3]) + "\n")
    (line,) = audit(out).findings
    assert "is not consistent with the rate" in line


@pytest.mark.parametrize(
    "overlap", ["contest", slow("reference"), slow("ascending"), slow("background")]
)
def test_rules_for_overlaps_make_no_difference(kitchen, tmp_path, overlap):
    recipe = make_recipe("boundary", 0.3, overlap=overlap)
    found = audit(corrupt(kitchen, recipe, out=tmp_path / "noisy").out)
    assert found.ok, found.findings


def test_other_words_than_the_recipe_draws_are_found(kitchen, tmp_path):
    uniform, near = make_recipe("category", 0.4), make_recipe("category", 0.4, parameters=NEAR)
    out = corrupt(kitchen, near, out=tmp_path / "noisy").out
    assert audit(out).ok
    write_json(out / "recipe.json", uniform.to_dict())
    assert any("than the recipe draws" in line for line in audit(out).findings)


NEAR = {"flip": "near"}


def test_prompts_that_differ_behind_the_name_are_found(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("text", 0.4), out=tmp_path / "noisy").out
    spoil(out, PROMPTS, lambda entry: entry.update(exp=f"{entry['exp']} quickly"))
    assert any("after the object's name" in line for line in audit(out).findings)


def test_narrations_and_prompts_must_go_together(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    out = corrupt(kitchen, make_recipe("text", 0.6, scope="narration"), out=tmp_path / "n").out
    assert audit(out).ok
    spoil(out, PROMPTS, lambda entry: entry.update(exp=entry["exp_org"]))
    assert any("do not have the narration of the list" in line for line in audit(out).findings)


def test_a_split_that_cannot_be_compared_with_its_recipe_is_a_mismatch(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("text", 0.4), out=tmp_path / "noisy").out
    recipe = json.loads((out / "recipe.json").read_text())
    algorithm = recipe["noises"][0]["algorithm"]
    recipe["noises"][0]["algorithm"] = 99
    write_json(out / "recipe.json", recipe)
    assert any("could not be compared with" in line for line in audit(out).findings)
    recipe["noises"][0]["algorithm"] = algorithm
    write_json(out / "recipe.json", recipe)
    assert audit(out).ok
    (out / IMAGE_SETS / "train.json").unlink()
    assert any("action list is missing" in line for line in audit(out).findings)


def test_missing_words_are_found(kitchen, tmp_path):
    out = corrupt(kitchen, make_recipe("text", 0.4), out=tmp_path / "noisy").out
    for name in (OBJECTS, PROMPTS):
        document = json.loads((out / IMAGE_SETS / name).read_text())
        document["videos"].pop(next(iter(document["videos"])))
        write_json(out / IMAGE_SETS / name, document)
    assert any("have no prompt" in line for line in audit(out).findings)


def test_faulty_masks_are_an_error_and_unmeasurable_frames_are_reported(kitchen, tmp_path):
    from actiseg_data.core.errors import InputError

    out = corrupt(kitchen, make_recipe("mixed", 0.4), out=tmp_path / "noisy").out
    few = make_kitchen(tmp_path / "few", 60)
    found = audit(out, clean=kitchen)
    assert not found.left_out
    with pytest.raises(InputError, match="lacks"):
        audit(out, clean=few)
    mask = next((out / MASKS).rglob("*.png"))
    mask.write_bytes(mask.read_bytes()[:99])
    with pytest.raises(InputError):
        audit(out)


def test_words_under_a_recipe_for_masks_are_found(kitchen, tmp_path):
    masks = corrupt(kitchen, make_recipe("erode", 0.4), out=tmp_path / "masks").out
    words = corrupt(kitchen, make_recipe("text", 0.4), out=tmp_path / "words").out
    assert audit(masks).ok
    for name in (OBJECTS, PROMPTS):
        shutil.copy(words / IMAGE_SETS / name, masks / IMAGE_SETS / name)
    assert any("of all prompts differ" in line for line in audit(masks).findings)
