"""Noise in the labels of active objects, from `corrupt` to every command that reads its copies."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from dataclasses import replace

import pytest

from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.image_sets import (
    PROMPT_STYLES,
    name_expressions_file,
    name_image_sets_files,
    name_objects_file,
)
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import LabelRow, MaskRow, read_ledger
from actiseg_data.records.recipe_record import Recipe
from actiseg_noise import audit, compare_splits, corrupt, inspect, make_recipe, rebuild, verify
from actiseg_noise.preview.noisy_sequences import find_flips, find_rewording
from actiseg_noise.preview.sheet import make_preview
from actiseg_noise.recipes.building import check_recipe
from actiseg_noise.recipes.presets import load_preset
from actiseg_noise.recipes.published import name_recipe
from tests.helpers.kitchens import make_kitchen
from tests.helpers.public_loader import load_as_published
from tests.helpers.released import make_split_kit
from tests.helpers.roots import add_frames, add_weights

FLIPS = make_recipe("activity", 0.4)
WORDS = make_recipe("text", 0.5)
OUTLINES = make_recipe("boundary", 0.6)


def join(*recipes: Recipe) -> Recipe:
    """The noises of several recipes in one."""
    noises = tuple(noise for recipe in recipes for noise in recipe.noises)
    return check_recipe(Recipe("train", 0, noises))


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    root = make_kitchen(tmp_path_factory.mktemp("labels") / "clean", 26)
    add_frames(root)
    add_weights(root)
    return root


@pytest.fixture(scope="module")
def made(kitchen, tmp_path_factory):
    """Copies with flips, with words, and with flips, words and outlines."""
    folder = tmp_path_factory.mktemp("copies")
    recipes = {"flips": FLIPS, "words": WORDS, "all": join(FLIPS, OUTLINES, WORDS)}
    return {name: corrupt(kitchen, recipes[name], out=folder / name).out for name in recipes}


@pytest.fixture
def noisy(made, tmp_path):
    """A copy with flips that a test may spoil."""
    return shutil.copytree(made["flips"], tmp_path / "noisy", symlinks=True)


def read(root, name):
    return json.loads((root / IMAGE_SETS / name).read_text())


def write(root, name, document):
    write_json(root / IMAGE_SETS / name, document)


def iterate_entries(document):
    """Every object of a list, of an expressions file or of an objects file: folder, id, entry."""
    if isinstance(document, list):
        for record in document:
            folder = "{:08d}_{}_{}_{}".format(
                *(record[name] for name in ("seq_id", "video", "verb", "noun"))
            )
            for number, entry in record["object_classes"].items():
                yield folder, int(number), entry
        return
    for folder, video in document["videos"].items():
        for key, entry in (video.get("objects") or video["expressions"]).items():
            yield folder, int(entry.get("obj_id", key)), entry


def drop(document, *keys):
    for _, _, entry in iterate_entries(document):
        for key in keys:
            entry.pop(key, None)
    return document


def restore(document):
    """The document without its noise in labels."""
    for _, _, entry in iterate_entries(document):
        entry["positive"] = entry.pop("positive_org")
    return document


def test_every_document_and_the_ledger_say_the_same(kitchen, made):
    out = made["flips"]
    rows = {(row.sequence, row.object_id): row for row in read_ledger(out / "ledger.jsonl")}
    assert all(isinstance(row, LabelRow) for row in rows.values())
    for name in name_image_sets_files("train"):
        clean = [entry["positive"] for *_, entry in iterate_entries(read(kitchen, name))]
        entries = list(iterate_entries(read(out, name)))
        assert [entry["positive_org"] for *_, entry in entries] == clean
        for folder, number, entry in entries:
            row = rows.get((folder, number))
            assert (entry["positive"] != entry["positive_org"]) == (row is not None)
            if row is not None:
                assert (row.value_org, row.value) == (entry["positive_org"], entry["positive"])
                assert type(entry["positive"]) is type(entry["positive_org"])
        assert json.dumps(restore(read(out, name))) == json.dumps(read(kitchen, name))
    assert len(rows) > 30


def test_the_summary_counts_what_is_in_the_lists(made):
    for out in (made["flips"], made["all"]):
        section = json.loads((out / "summary.json").read_text())["labels"]["activity"]
        counts = Counter(
            (entry["positive_org"], entry["positive"])
            for *_, entry in iterate_entries(read(out, "train.json"))
        )
        assert section["forgotten"]["items"] == counts[1, 0] + counts[1, 1]
        assert section["forgotten"]["selected"] == counts[1, 0]
        assert section["marked"]["items"] == counts[0, 0] + counts[0, 1]
        assert section["marked"]["selected"] == counts[0, 1]
        assert section["selected"] == counts[1, 0] + counts[0, 1]
        low, high = section["interval_95"]
        assert (
            low < section["realised_rate"] == round(section["selected"] / counts.total(), 6) < high
        )


def test_text_noise_and_flips_change_nothing_of_one_another(made):
    for name in name_image_sets_files("train"):
        both = read(made["all"], name)
        words = json.dumps(restore(json.loads(json.dumps(both))))
        assert words == json.dumps(read(made["words"], name))
        flags = {(folder, n): e["positive"] for folder, n, e in iterate_entries(both)}
        alone = read(made["flips"], name)
        assert flags == {(folder, n): e["positive"] for folder, n, e in iterate_entries(alone)}


def test_mask_noise_takes_the_clean_labels(kitchen, made, tmp_path):
    alone = corrupt(kitchen, OUTLINES, out=tmp_path / "outlines").out
    rows = [
        [row for row in read_ledger(out / "ledger.jsonl") if isinstance(row, MaskRow)]
        for out in (alone, made["all"])
    ]
    assert rows[0] == rows[1]
    for kind in (MASKS, WEIGHTS):
        for path in sorted((alone / kind).rglob("*.png")):
            other = made["all"] / path.relative_to(alone)
            assert path.read_bytes() == other.read_bytes()


def test_public_code_loads_the_copies(kitchen, made):
    frames = load_as_published(kitchen, "train")
    assert all(load_as_published(out, "train") == frames for out in made.values())


@pytest.mark.parametrize("name", ["flips", "all"])
def test_copies_are_verified_audited_and_reproduced(kitchen, made, name):
    out = made[name]
    for result in (verify(out), verify(out, source=kitchen)):
        assert result.ok, result.mismatches
    part = [sequence.folder for sequence in open_split(kitchen, "train").sequences[5:8]]
    assert verify(out, source=kitchen, only=part).ok
    for found in (audit(out), audit(out, kitchen)):
        assert found.ok, found.findings
        assert any(line.startswith("labels: ") for line in found.agreements)
        assert found.activity.all == inspect(out).activity.all
    assert corrupt(kitchen, FLIPS, out=made["flips"]).made is False


def test_the_noise_is_found_without_recipe_and_ledger(kitchen, noisy):
    wanted = inspect(noisy).to_dict()["activity"]
    for name in ("recipe.json", "ledger.jsonl", "summary.json", "digests.json"):
        (noisy / name).unlink()
    assert audit(noisy).to_dict()["activity"] == wanted
    for name in name_image_sets_files("train"):
        write(noisy, name, drop(read(noisy, name), "positive_org"))
    assert audit(noisy, kitchen).to_dict()["activity"] == wanted
    with pytest.raises(InputError, match="files do not have the clean text"):
        audit(noisy)


def flip_first(document):
    entry = next(iterate_entries(document))[2]
    entry["positive"] = 1 - entry["positive"]
    return document


@pytest.mark.parametrize("name", name_image_sets_files("train"))
def test_a_flipped_flag_is_found(kitchen, noisy, name):
    write(noisy, name, flip_first(read(noisy, name)))
    lines = verify(noisy).mismatches
    assert any("label" in line and IMAGE_SETS in line for line in lines)
    assert not audit(noisy).ok


def test_a_wrong_clean_flag_a_missing_row_and_a_wrong_summary_are_found(kitchen, noisy):
    document = read(noisy, "train.json")
    entry = list(iterate_entries(document))[-1][2]
    entry["positive_org"] = 1 - entry["positive_org"]
    write(noisy, "train.json", document)
    assert any("positive_org" in line for line in audit(noisy, kitchen).findings)
    lines = (noisy / "ledger.jsonl").read_text().splitlines(keepends=True)
    (noisy / "ledger.jsonl").write_text("".join([*lines[1:], lines[1]]))
    summary = json.loads((noisy / "summary.json").read_text())
    summary["labels"]["activity"]["marked"]["items"] += 1
    write_json(noisy / "summary.json", summary)
    found = "\n".join(verify(noisy).mismatches)
    for said in ("is not what ledger.jsonl says", "two rows", "labels is not what"):
        assert said in found


def test_noise_in_labels_that_no_recipe_asks_for_is_found(made, tmp_path):
    out = shutil.copytree(made["all"], tmp_path / "noisy", symlinks=True)
    recipe = join(OUTLINES, WORDS)
    write_json(out / "recipe.json", recipe.to_dict())
    found = "\n".join(verify(out).mismatches)
    assert "has noisy labels, which recipe.json lacks" in found
    assert "has rows for labels" in found
    assert any("of all labels differ, which no recipe asks for" in f for f in audit(out).findings)


def test_noise_in_labels_is_no_noise_in_text(made):
    assert find_rewording(made["flips"], open_split(made["flips"], "train")[0].folder) is None
    found = audit(made["flips"])
    assert found.text is None
    assert "text" not in found.left_out


def spoil_companion(root, name, change):
    document = read(root, name)
    change(next(iterate_entries(document))[2])
    write(root, name, document)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entry: entry.update(positive=1 - entry["positive"]), "in the list"),
        (lambda entry: entry.update(positive="yes"), "'yes'"),
        (lambda entry: entry.pop("positive"), "None"),
        (lambda entry: entry.update(positive_org=1), "already has noisy labels"),
    ],
)
def test_documents_that_contradict_the_list_are_refused_together(tmp_path, change, said):
    root = make_kitchen(tmp_path / "clean", 2)
    names = [
        name_objects_file("train"),
        *(name_expressions_file("train", s) for s in PROMPT_STYLES),
    ]
    for name in names:
        spoil_companion(root, name, change)
    with pytest.raises(InputError) as refused:
        corrupt(root, FLIPS, out=tmp_path / "noisy")
    assert len(refused.value.problems) == len(names)
    assert said in str(refused.value)
    assert not (tmp_path / "noisy").exists()
    assert not (tmp_path / "noisy.partial").exists()


def test_an_object_without_a_prompt_is_refused(tmp_path):
    root = make_kitchen(tmp_path / "clean", 2)
    name = name_expressions_file("train", "action")
    document = read(root, name)
    del next(iter(document["videos"].values()))["expressions"]["0"]
    write(root, name, document)
    with pytest.raises(InputError, match="lacks the object"):
        corrupt(root, FLIPS, out=tmp_path / "noisy")


def test_a_list_with_noisy_labels_is_refused(noisy, tmp_path):
    (noisy / "recipe.json").unlink()
    with pytest.raises(InputError, match="already has noisy labels"):
        corrupt(noisy, FLIPS, out=tmp_path / "again")


def test_an_action_list_alone_is_enough(tmp_path):
    root = make_kitchen(tmp_path / "clean", 6)
    shutil.rmtree(root / MASKS)
    for name in name_image_sets_files("train")[1:]:
        (root / IMAGE_SETS / name).unlink()
    out = corrupt(root, FLIPS, out=tmp_path / "noisy").out
    assert verify(out, source=root).ok
    assert audit(out).ok
    assert audit(out, root).activity.all.flipped.hits > 0


def test_exact_flips_of_a_part_are_those_of_the_whole(kitchen, tmp_path):
    recipe = make_recipe("activity", 0.3, change="mark", exact=True)
    whole = corrupt(kitchen, recipe, out=tmp_path / "whole")
    section = whole.summary["labels"]["activity"]
    assert section["selected"] == round(0.3 * section["items"])
    assert section["interval_95"] is None
    part = [sequence.folder for sequence in open_split(kitchen, "train").sequences[3:9]]
    some = corrupt(kitchen, recipe, out=tmp_path / "part", only=part)
    rows = [row for row in read_ledger(whole.out / "ledger.jsonl") if row.sequence in part]
    assert rows == list(read_ledger(some.out / "ledger.jsonl"))
    for out in (whole.out, some.out):
        assert verify(out, source=kitchen).ok
        assert audit(out).ok


@pytest.mark.parametrize("exact", [False, True])
def test_a_kit_rebuilds_the_flips_of_a_part(kitchen, tmp_path, exact):
    recipe = join(make_recipe("activity", 0.4, exact=exact), make_recipe("text", 0.3))
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    kit = tmp_path / "kit.json"
    write_json(kit, make_split_kit("mixed", out).to_dict())
    part = shutil.copytree(kitchen, tmp_path / "part")
    for name in name_image_sets_files("train"):
        document = read(part, name)
        if isinstance(document, list):
            write(part, name, document[:10])
    result = rebuild(kit, source=part, out=tmp_path / "rebuilt")
    assert result.difference is None
    assert result.sequences == 10
    assert verify(result.out, source=part).ok


def test_differences_in_labels_are_listed(kitchen, made, tmp_path):
    more = corrupt(kitchen, make_recipe("activity", 0.6), out=tmp_path / "more").out
    (pair,) = compare_splits(made["flips"], more).configurations.values()
    assert pair.labels.items[1] - pair.labels.items[0] == pair.labels.count("only_b") > 0
    assert pair.labels.same == pair.labels.items[0]
    assert not pair.sequences.other_annotations
    assert [change.name for change in pair.recipe] == ["labels.activity.rate"]
    assert compare_splits(more, more).same
    spoiled = shutil.copytree(more, tmp_path / "spoiled", symlinks=True)
    write(spoiled, "train.json", flip_first(read(spoiled, "train.json")))
    (pair,) = compare_splits(more, spoiled).configurations.values()
    assert pair.labels.count("unexplained") == 1


def test_a_preview_names_forgotten_and_marked_objects(kitchen, made, tmp_path):
    folder = open_split(kitchen, "train")[4].folder
    for name in ("flips", "all"):
        rows = find_flips(made[name], folder)
        assert rows == [
            row
            for row in read_ledger(made[name] / "ledger.jsonl")
            if isinstance(row, LabelRow) and row.sequence == folder
        ]
    assert find_flips(made["words"], folder) is None
    bare = make_kitchen(tmp_path / "clean", 6)
    for number, recipe in enumerate((FLIPS, join(FLIPS, OUTLINES, WORDS))):
        out = corrupt(bare, recipe, out=tmp_path / f"noisy{number}").out
        assert make_preview(out, folder).size[0] >= 900


def test_categories_are_refused_where_there_are_names(kitchen, tmp_path):
    recipe = join(make_recipe("class", 0.2), OUTLINES)
    with pytest.raises(InputError) as refused:
        corrupt(kitchen, recipe, out=tmp_path / "noisy")
    assert "use the type category" in str(refused.value)
    assert "for the other noise of the recipe, set label_rate to 0" in str(refused.value)
    assert not (tmp_path / "noisy").exists()


@pytest.mark.parametrize(
    ("noises", "said"),
    [
        ((FLIPS, make_recipe("activity", 0.2)), "several noises of the kind 'activity'"),
        ((WORDS, make_recipe("category", 0.2)), "several noises of text"),
    ],
)
def test_a_recipe_has_one_noise_of_each_kind_in_labels(noises, said):
    with pytest.raises(InputError, match=said):
        join(*noises)


def test_the_order_of_noises_has_no_effect():
    recipes = (WORDS, OUTLINES, FLIPS, make_recipe("class", 0.1))
    assert join(*recipes) == join(*recipes[::-1])
    kinds = [noise.kind for noise in join(*recipes).noises]
    assert kinds == ["text", "class", "activity", "boundary"]


def test_the_masks_of_a_preset_with_categories_can_be_made_without_them(kitchen, tmp_path):
    """The hint of the refusal gives the masks of version 1 of the preset."""
    with pytest.raises(InputError) as refused:
        corrupt(kitchen, "coco-n/medium", out=tmp_path / "noisy")
    (problem,) = refused.value.problems
    assert "set `label_rate` to 0" in problem.hint
    out = corrupt(kitchen, "coco-n/medium", label_rate=0, out=tmp_path / "noisy").out
    recipe = load_preset("coco-n/medium").make_recipe()
    mask_noise = check_recipe(replace(recipe, noises=(recipe.mask_noise,)))
    assert name_recipe(mask_noise) == "coco-n/medium v1"
    alone = corrupt(kitchen, mask_noise, out=tmp_path / "alone").out
    assert (out / "digests.json").read_bytes() == (alone / "digests.json").read_bytes()
    assert verify(out, kitchen).ok
