"""`verify` of splits with noise on words, with and without the source."""

from __future__ import annotations

import json
import shutil
from importlib import resources

import pytest

from actiseg_data.annotations.lexicon import parse_lexicon
from actiseg_data.core.digests import digest_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.image_sets import name_expressions_file, name_objects_file
from actiseg_data.layouts.opening import open_split
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.verification.verification import verify
from tests.helpers.documents import edited
from tests.helpers.kitchens import make_kitchen

RECIPE = make_recipe("text", 0.6)
PROMPTS, OBJECTS = name_expressions_file("train", "promptaction"), name_objects_file("train")


@pytest.fixture
def kitchen(tmp_path):
    return make_kitchen(tmp_path / "clean")


@pytest.fixture
def noisy(kitchen, tmp_path):
    return corrupt(kitchen, RECIPE, out=tmp_path / "noisy").out


def read(root, name):
    return json.loads((root / IMAGE_SETS / name).read_text())


def forge(out, name, document):
    """Write a list and its digest, as somebody would who wants it to pass."""
    write_json(out / IMAGE_SETS / name, document)
    digests = json.loads((out / "digests.json").read_text())
    write_json(out / "digests.json", digests | {f"{IMAGE_SETS}/{name}": digest_json(document)})


def test_verify_finds_what_was_changed_afterwards(kitchen, noisy):
    assert verify(noisy, kitchen).ok
    name = name_expressions_file("train", "promptaction")
    document = read(noisy, name)
    video = next(iter(document["videos"].values()))
    video["expressions"]["0"]["exp"] = "nothing used in the action of nothing"
    write_json(noisy / IMAGE_SETS / name, document)
    assert any(name in line for line in verify(noisy).mismatches)
    lines = (noisy / "ledger.jsonl").read_text().splitlines()
    changed = json.loads(lines[0]) | {"name": "something else"}
    (noisy / "ledger.jsonl").write_text("\n".join([json.dumps(changed), *lines[1:]]) + "\n")
    found = verify(noisy, kitchen)
    assert any("rows for text" in line for line in found.mismatches)


def test_verify_holds_the_summary_against_ledger_and_source(kitchen, noisy):
    summary = json.loads((noisy / "summary.json").read_text())
    lines = (noisy / "ledger.jsonl").read_text()
    rows = [json.loads(line) for line in lines.splitlines()]
    rows[0]["similarity"] = 0.123
    (noisy / "ledger.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert any("text.similarity is not what" in line for line in verify(noisy).mismatches)
    (noisy / "ledger.jsonl").write_text(lines)
    assert verify(noisy).ok
    summary["text"]["flips"]["items"] += 1
    write_json(noisy / "summary.json", summary)
    assert any(
        "text is not what the source gives" in line for line in verify(noisy, kitchen).mismatches
    )


def test_another_source_is_told_in_few_lines(noisy, tmp_path):
    other = make_kitchen(tmp_path / "other", 2, video="P02_02")
    found = verify(noisy, other).mismatches
    assert any("a different list" in line for line in found)
    assert len(found) < 4


def test_masks_that_are_gone_are_found(kitchen, noisy):
    folder = open_split(kitchen, "train").sequences[0].folder
    shutil.rmtree(noisy / MASKS / "train" / folder)
    for source in (None, kitchen):
        assert any(
            "missing" in line and folder in line for line in verify(noisy, source).mismatches
        )


def test_a_copy_whose_masks_changed_is_found_out(kitchen, tmp_path):
    out = corrupt(kitchen, RECIPE, out=tmp_path / "noisy", images="copy").out
    first, second = sorted((out / MASKS).rglob("*.png"))[:2]
    first.write_bytes(second.read_bytes())
    second.unlink()
    lines = verify(out, kitchen).mismatches
    assert any("is not what the source says" in line for line in lines)
    assert any("missing" in line for line in lines)


def entries(document):
    return [
        entry
        for video in document["videos"].values()
        for entry in video["objects" if "objects" in video else "expressions"].values()
    ]


def rename(entry):
    entry["category"] = "banana"


def reword(entry):
    entry["exp"] = "banana used in the action of eat"


def clean_again(entry):
    entry["category"], entry["class_id"] = entry["category_org"], entry["class_id_org"]


def forget(entry):
    entry["category_org"] = entry["category"]


@pytest.mark.parametrize(
    ("name", "touched", "change"),
    [
        (OBJECTS, True, rename),
        (OBJECTS, False, rename),
        (OBJECTS, True, forget),
        (PROMPTS, True, reword),
        (PROMPTS, False, reword),
    ],
)
def test_words_that_the_ledger_does_not_tell_are_found_without_the_source(
    noisy, name, touched, change
):
    document = read(noisy, name)
    key = "category" if name == OBJECTS else "exp"
    change(next(e for e in entries(document) if (e[key] != e[f"{key}_org"]) == touched))
    forge(noisy, name, document)
    assert any("is not what ledger.jsonl says" in line for line in verify(noisy).mismatches)


def test_rows_on_words_that_are_clean_are_found_without_the_source(noisy):
    objects, prompts = read(noisy, OBJECTS), read(noisy, PROMPTS)
    at = next(at for at, of in enumerate(entries(objects)) if of["category"] != of["category_org"])
    clean_again(entries(objects)[at])
    prompt = entries(prompts)[at]
    prompt["exp"], prompt["class_id"] = prompt["exp_org"], prompt["class_id_org"]
    forge(noisy, OBJECTS, objects)
    forge(noisy, PROMPTS, prompts)
    found = verify(noisy).mismatches
    assert any("is clean, not as ledger.jsonl says" in line for line in found)


def test_narrations_are_held_against_the_ledger(kitchen, tmp_path):
    pytest.importorskip("spacy", reason="spaCy is in the extra [text]")
    recipe = make_recipe("category", 0.6, scope="narration")
    out = corrupt(kitchen, recipe, out=tmp_path / "told").out
    assert verify(out, kitchen).ok
    records = read(out, "train.json")
    for wanted in (True, False):
        changed = json.loads(json.dumps(records))
        record = next(of for of in changed if (of["narration"] != of["narration_org"]) == wanted)
        record["narration"] += " again"
        forge(out, "train.json", changed)
        lines = verify(out).mismatches
        assert any("narration of" in line for line in lines), lines


def test_copied_masks_are_checked_without_the_source(kitchen, tmp_path):
    out = corrupt(kitchen, RECIPE, out=tmp_path / "noisy", images="copy").out
    assert verify(out).ok
    assert not corrupt(kitchen, RECIPE, out=out, images="copy").made
    first, second = sorted((out / MASKS).rglob("*.png"))[:2]
    kept = first.read_bytes()
    first.write_bytes(second.read_bytes())
    (line,) = verify(out).mismatches
    assert "its content is not what digests.json says" in line
    assert corrupt(kitchen, RECIPE, out=out, images="copy", overwrite=True).made
    assert first.read_bytes() == kept


def test_masks_stay_when_the_source_is_gone(kitchen, noisy):
    shutil.rmtree(kitchen)
    assert verify(noisy).ok
    next((noisy / MASKS).rglob("*.png")).unlink()
    assert any("is missing" in line for line in verify(noisy).mismatches)


def test_faulty_masks_are_not_copied(kitchen, tmp_path):
    next((kitchen / MASKS).rglob("*.png")).write_bytes(b"no picture")
    with pytest.raises(InputError):
        corrupt(kitchen, RECIPE, out=tmp_path / "noisy", images="copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clean"]


@pytest.mark.parametrize("damage", ["missing", "broken", "other"])
def test_a_carried_lexicon_must_be_the_recipes(kitchen, tmp_path, damage):
    shipped = resources.files("data_manifests") / "lexicon" / "epic-100.json"
    document = edited(json.loads(shipped.read_bytes()), "title", to="mine")
    lexicon = parse_lexicon(document, "mine")
    recipe = make_recipe("category", 0.5, lexicon=lexicon)
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy", lexicon=lexicon).out
    file = out / "lexicon.json"
    if damage == "missing":
        file.unlink()
    else:
        other = edited(document, "title", to="another") if damage == "other" else {"schema": "?"}
        file.write_text(json.dumps(other))
    for source in (None, kitchen):
        (line,) = verify(out, source).mismatches
        assert line.startswith("lexicon.json: ")


def test_files_that_disagree_are_found_without_the_source(noisy):
    """Clean words that are not the list's, and a style that says something else."""
    objects, prompts = read(noisy, OBJECTS), read(noisy, PROMPTS)
    at = next(at for at, of in enumerate(entries(objects)) if of["category"] == of["category_org"])
    for end in ("", "_org"):
        entries(objects)[at] |= {f"category{end}": "apple", f"class_id{end}": 187}
        tail = entries(prompts)[at][f"exp{end}"].partition(" used in")[1:]
        entries(prompts)[at] |= {f"exp{end}": "apple" + "".join(tail), f"class_id{end}": 187}
    forge(noisy, OBJECTS, objects)
    forge(noisy, PROMPTS, prompts)
    lines = verify(noisy).mismatches
    assert any("is not the action list's" in line for line in lines)
    assert any("noaction" in line and "differs from the main style" in line for line in lines)


def test_words_that_a_recipe_for_masks_cannot_make_are_found(kitchen, noisy, tmp_path):
    out = corrupt(kitchen, make_recipe("erode", 0.5), out=tmp_path / "masks").out
    assert verify(out).ok
    forge(out, OBJECTS, read(noisy, OBJECTS))
    assert any("has text noise" in line for line in verify(out).mismatches)


@pytest.mark.parametrize("value", ["foo", ["a"], 3, None])
@pytest.mark.parametrize("part", ["text", "noise", "bystanders", "handled"])
def test_a_damaged_summary_is_a_mismatch(kitchen, tmp_path, part, value):
    out = corrupt(kitchen, make_recipe("mixed", 0.5), out=tmp_path / "noisy").out
    summary = json.loads((out / "summary.json").read_text())
    write_json(out / "summary.json", summary | {part: value})
    assert verify(out, kitchen).mismatches


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("noise", "kind", "erode"),
        ("noise", "rate", 0.01),
        ("noise", "items", 3),
        ("noise", "realised_rate", 0.9),
        ("bystanders", "items", 0),
        ("bystanders", "cut", 999),
        ("handled", "vanished_from_disk", 77),
        (None, "frames", 1),
        (None, "split", "val"),
    ],
)
def test_a_false_summary_is_found_with_the_source(kitchen, tmp_path, part, name, value):
    out = corrupt(kitchen, make_recipe("dilate", 0.5), out=tmp_path / "noisy").out
    summary = json.loads((out / "summary.json").read_text())
    (summary if part is None else summary[part])[name] = value
    write_json(out / "summary.json", summary)
    assert any("summary.json" in line for line in verify(out, kitchen).mismatches)


@pytest.mark.parametrize("change", [{"area": -1}, {"object_id": 300}, {"object_id": 0}])
def test_rows_on_impossible_masks_are_refused(kitchen, tmp_path, change):
    out = corrupt(kitchen, make_recipe("dilate", 1.0), out=tmp_path / "noisy").out
    lines = (out / "ledger.jsonl").read_text().splitlines()
    lines[0] = json.dumps(json.loads(lines[0]) | change)
    (out / "ledger.jsonl").write_text("\n".join(lines) + "\n")
    with pytest.raises(InputError, match="is not from"):
        verify(out, kitchen)


def test_what_else_lies_among_masks_is_not_copied(kitchen, tmp_path):
    folder = next((kitchen / MASKS / "train").iterdir())
    (folder / ".DS_Store").write_bytes(b"?")
    (folder / "more").mkdir()
    out = corrupt(kitchen, RECIPE, out=tmp_path / "noisy", images="copy").out
    assert verify(out, kitchen).ok
    assert not corrupt(kitchen, RECIPE, out=out, images="copy").made
