"""Noisy splits of other generators are imported as they are, and measured rightly."""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from dataclasses import replace

import cv2
import numpy as np
import pytest

from actiseg_data.annotations.lexicon import load_lexicon
from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.prepare.mask_preparation import prepare_masks
from actiseg_data.records.ledger_record import read_ledger
from actiseg_noise.corruption.corruption import corrupt, write_noisy_split
from actiseg_noise.corruption.request import CorruptionOptions
from actiseg_noise.kits.importing import import_split
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.measurement.inspection import inspect
from actiseg_noise.recipes.building import load_recipe, make_recipe, name_type
from actiseg_noise.split.noisy_split import read_carried_differences
from actiseg_noise.verification.verification import verify
from tests.helpers.command import run
from tests.helpers.kitchens import make_kitchen

OBJECTS, PROMPTS = "train_objects_category.json", "train_meta_expressions_promptaction.json"


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("import") / "clean", 6)


def write_nl_text(root, out, rate):
    """Transcribe ActiSeg-NL's script, with a seed: flips of a class and a name, nothing else."""
    lists = root / IMAGE_SETS
    objects, prompts, actions = (
        json.loads((lists / name).read_text()) for name in (OBJECTS, PROMPTS, "train.json")
    )
    names = {}
    for video in objects["videos"].values():
        for entry in video["objects"].values():
            names.setdefault(entry["class_id"], set()).add(entry["category"])
    draw = random.Random(5)
    for action, (folder, video) in zip(actions, prompts["videos"].items(), strict=True):
        for prompt in video["expressions"].values():
            entry = objects["videos"][folder]["objects"][prompt["obj_id"]]
            prompt["class_id_org"], prompt["exp_org"] = prompt["class_id"], prompt["exp"]
            entry["class_id_org"], entry["category_org"] = entry["class_id"], entry["category"]
            if draw.random() < rate:
                new = draw.choice(sorted(names.keys() - {prompt["class_id"]}))
                entry["category"] = draw.choice(sorted(names[new]))
                entry["class_id"] = prompt["class_id"] = new
                prompt["exp"] = f"{entry['category']} used in the action of {action['narration']}"
    out.mkdir()
    (out / OBJECTS).write_text(json.dumps(objects))
    (out / PROMPTS).write_text(json.dumps(prompts))
    return out


def write_dilated(root, out, split="train", count=None):
    """Dilate every active object by a square of 9 pixels, in SMART's layout of folders."""
    opened = open_split(root, split)
    for sequence in opened.sequences[:count]:
        (out / sequence.folder).mkdir(parents=True)
        for frame in sequence.frames:
            mask = opened.mask(sequence, frame)
            noisy = mask.copy()
            for label in sequence.objects:
                if label.positive:
                    grown = cv2.dilate((mask == label.object_id) * np.uint8(1), np.ones((9, 9)))
                    noisy[grown > 0] = label.object_id
            write_index_mask(out / sequence.folder / f"{frame}.png", noisy)
    return out


@pytest.fixture(scope="module")
def text(clean, tmp_path_factory):
    noisy = write_nl_text(clean, tmp_path_factory.mktemp("text") / "noise40", 0.4)
    return noisy, import_split(noisy, clean, noisy.parent / "out").corruption.out


@pytest.fixture(scope="module")
def masks(clean, tmp_path_factory):
    noisy = write_dilated(clean, tmp_path_factory.mktemp("masks") / "smart")
    return noisy, import_split(noisy, clean, noisy.parent / "out").corruption.out


def test_imported_text_is_that_of_the_generator(clean, text):
    noisy, out = text
    for name in (OBJECTS, PROMPTS):
        made = json.loads((out / IMAGE_SETS / name).read_text())
        assert made == json.loads((noisy / name).read_text())
    assert (out / IMAGE_SETS / "train.json").read_bytes() == (
        clean / IMAGE_SETS / "train.json"
    ).read_bytes()
    for style, connector in (("action", ", "), ("noaction", None)):
        document = json.loads(
            (out / IMAGE_SETS / f"train_meta_expressions_{style}.json").read_text()
        )
        main = json.loads((noisy / PROMPTS).read_text())
        for folder, video in document["videos"].items():
            for key, prompt in video["expressions"].items():
                name, _, narration = main["videos"][folder]["expressions"][key]["exp"].partition(
                    " used in the action of "
                )
                assert prompt["exp"] == (
                    name if connector is None else name + connector + narration
                )


def test_the_ledger_of_imported_text_has_every_change(text):
    noisy, out = text
    lexicon = load_lexicon()
    expected = Counter()
    for folder, video in json.loads((noisy / PROMPTS).read_text())["videos"].items():
        for prompt in video["expressions"].values():
            if prompt["exp"] != prompt["exp_org"]:
                key = folder, int(prompt["obj_id"]), prompt["class_id_org"], prompt["class_id"]
                expected[(*key, prompt["exp_org"], prompt["exp"])] += 1
    rows = list(read_ledger(out / "ledger.jsonl"))
    assert expected == Counter(
        (r.sequence, r.object_id, r.class_id_org, r.class_id, r.prompt_org, r.prompt) for r in rows
    )
    assert {row.kind for row in rows} == {"category"}
    for row in rows:
        assert row.synset == lexicon.classes[row.class_id].synset
        assert row.similarity == round(
            lexicon.measure_similarity(row.class_id_org, row.class_id), 6
        )


def test_audits_of_the_import_and_of_the_original_agree(clean, text):
    noisy, out = text
    theirs, ours = audit(noisy), audit(out)
    assert ours.text.to_dict() == theirs.text.to_dict()
    entries = [
        prompt
        for video in json.loads((noisy / PROMPTS).read_text())["videos"].values()
        for prompt in video["expressions"].values()
    ]
    flips = sum(prompt["class_id"] != prompt["class_id_org"] for prompt in entries)
    assert (ours.text.all.flips.hits, ours.text.all.flips.items) == (flips, len(entries))
    assert ours.recipe.noises[0].rate == round(flips / len(entries), 6)
    assert ours.ok


def test_imported_masks_are_those_of_the_generator(clean, masks):
    noisy, out = masks
    theirs, rows = open_split(clean, "train"), {}
    for row in read_ledger(out / "ledger.jsonl"):
        rows[row.sequence, row.frame, row.object_id] = row
    visible = 0
    for sequence in theirs.sequences:
        for frame in sequence.frames:
            name = f"{sequence.folder}/{frame}.png"
            made = read_index_mask(out / MASKS / theirs.subsets[sequence.folder] / name)
            assert np.array_equal(made, read_index_mask(noisy / name))
            old = theirs.mask(sequence, frame)
            for label in sequence.objects:
                before, after = old == label.object_id, made == label.object_id
                visible += bool(before.any())
                row = rows.pop((sequence.folder, frame, label.object_id), None)
                assert (row is None) == np.array_equal(before, after)
                if row is not None:
                    iou = (before & after).sum() / (before | after).sum()
                    assert row.iou == row.iou_drawn == round(float(iou), 6)
                    assert (row.kind, row.status, row.area) == (
                        "imported",
                        "measured",
                        before.sum(),
                    )
    assert not rows
    assert json.loads((out / "summary.json").read_text())["noise"]["items"] == visible


@pytest.mark.parametrize("medium", ["text", "masks"])
def test_an_import_is_an_ordinary_split(medium, clean, request):
    _, out = request.getfixturevalue(medium)
    assert verify(out).mismatches == ()
    assert verify(out, source=clean).mismatches == ()
    assert audit(out).ok
    assert inspect(out).to_dict()[medium] is not None
    assert name_type(load_recipe(out / "recipe.json")) == "imported"


def test_masks_and_text_are_imported_together(clean, text, tmp_path):
    noisy = tmp_path / "both"
    shutil.copytree(text[0], noisy / IMAGE_SETS)
    write_dilated(clean, noisy / MASKS / "train")
    result = import_split(noisy, clean, tmp_path / "out")
    assert [
        noise.medium
        for noise in result.corruption.out and load_recipe(tmp_path / "out" / "recipe.json").noises
    ] == ["masks", "text"]
    assert verify(tmp_path / "out", source=clean).ok


def test_the_differences_apply_to_a_part_of_the_source(clean, text, masks, tmp_path):
    whole = open_split(clean, "train")
    wanted = tuple(sequence.folder for sequence in whole.sequences[1::2])
    for number, (_, out) in enumerate((text, masks)):
        recipe = load_recipe(out / "recipe.json")
        options = CorruptionOptions(
            tmp_path / str(number), only=wanted, differences=read_carried_differences(out)
        )
        part = write_noisy_split(clean, recipe, options).out
        assert verify(part, source=clean).ok
        digests = json.loads((part / "digests.json").read_text())
        expected = json.loads((out / "digests.json").read_text())
        shared = {name for name in digests if not name.startswith(IMAGE_SETS)}
        assert shared
        assert all(digests[name] == expected[name] for name in shared)


def test_sequences_that_the_noisy_split_lacks_are_left_out(clean, tmp_path):
    noisy = write_dilated(clean, tmp_path / "smart", count=4)
    result = import_split(noisy, clean, tmp_path / "out")
    assert len(result.absent) == 2
    assert len(open_split(tmp_path / "out", "train")) == 4


def test_the_recipe_depends_on_pixels_alone(clean, masks, tmp_path):
    noisy, out = masks
    renamed = tmp_path / "renamed"
    shutil.copytree(noisy, renamed)
    again = import_split(renamed, clean, tmp_path / "again").corruption
    assert again.recipe_digest == load_recipe(out / "recipe.json").digest
    path = sorted(renamed.rglob("*.png"))[0]
    mask = read_index_mask(path).copy()
    mask[0, 0] = 0 if mask[0, 0] else 1
    write_index_mask(path, mask)
    other = import_split(renamed, clean, tmp_path / "other").corruption
    assert other.recipe_digest != again.recipe_digest


def edit_masks(noisy, change):
    path = sorted(noisy.rglob("*.png"))[0]
    mask = read_index_mask(path)
    write_index_mask(path, change(mask))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda noisy: edit_masks(noisy, lambda mask: mask[:-1]), "160 x 119 pixels"),
        (lambda noisy: edit_masks(noisy, lambda mask: mask | 128), "not in the clean action list"),
        (lambda noisy: sorted(noisy.rglob("*.png"))[0].unlink(), "lacks masks of"),
        (lambda noisy: (noisy / "recipe.json").write_text("{}"), "already"),
        (shutil.rmtree, "no such folder"),
    ],
)
def test_masks_that_do_not_fit_are_refused(change, said, clean, masks, tmp_path):
    noisy = tmp_path / "smart"
    shutil.copytree(masks[0], noisy)
    change(noisy)
    with pytest.raises(InputError, match=said):
        import_split(noisy, clean, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def edit_json(path, change):
    document = json.loads(path.read_text())
    change(next(iter(document["videos"].values())))
    path.write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda noisy: edit_json(noisy / OBJECTS, lambda v: v["objects"].pop("1")), "is missing"),
        (
            lambda noisy: edit_json(
                noisy / OBJECTS,
                lambda v: v["objects"]["1"].update(positive=1 - v["objects"]["1"]["positive"]),
            ),
            "another label",
        ),
        (
            lambda noisy: edit_json(
                noisy / PROMPTS, lambda v: v["expressions"]["0"].update(exp="")
            ),
            None,
        ),
        (
            lambda noisy: (noisy / "train_meta_expressions_noaction.json").write_bytes(
                (noisy / PROMPTS).read_bytes()
            ),
            "does not agree",
        ),
    ],
)
def test_text_that_does_not_fit_is_refused(change, said, clean, text, tmp_path):
    noisy = tmp_path / "noise40"
    shutil.copytree(text[0], noisy)
    change(noisy)
    if said is None:  # a prompt without the name is imported as it is
        out = import_split(noisy, clean, tmp_path / "out").corruption.out
        assert "do not begin with" in audit(out).findings[0]
        assert verify(out, source=clean).ok
        return
    with pytest.raises(InputError, match=said):
        import_split(noisy, clean, tmp_path / "out")


def test_equal_and_own_splits_are_refused(clean, masks, tmp_path):
    with pytest.raises(InputError, match="equals the clean split"):
        import_split(clean, clean, tmp_path / "out")
    with pytest.raises(InputError, match="noisy split"):
        import_split(masks[0], masks[1], tmp_path / "out")
    with pytest.raises(InputError, match="already"):
        import_split(masks[1], clean, tmp_path / "out")
    with pytest.raises(InputError, match="prepare masks"):
        import_split(masks[0], masks[0], tmp_path / "out")


def test_corrupt_does_not_make_imported_noise(clean, masks, tmp_path):
    done = run("corrupt", clean, "--recipe", masks[1] / "recipe.json", "--out", tmp_path / "x")
    assert done.returncode == 2
    assert "actiseg-noise rebuild" in done.stderr
    assert run("types").stdout.count("imported") == 0
    with pytest.raises(InputError, match="not a type"):
        make_recipe("imported", 0.4)
    with pytest.raises(InputError, match="not a type or preset"):
        corrupt(clean, "imported", rate=0.4, out=tmp_path / "x")
    differences = read_carried_differences(masks[1])
    for recipe, said in (
        (make_recipe("dilate", 0.4), "no effect"),
        (load_recipe(masks[1] / "recipe.json"), "other differences"),
    ):
        changed = replace(differences, masks={})
        with pytest.raises(InputError, match=said):
            write_noisy_split(clean, recipe, CorruptionOptions(tmp_path / "x", differences=changed))


@pytest.mark.parametrize("medium", ["text", "masks"])
def test_changed_differences_are_found(medium, clean, tmp_path, request):
    out = tmp_path / "out"
    shutil.copytree(request.getfixturevalue(medium)[1], out)
    path = out / "differences.json"
    document = json.loads(path.read_text())
    next(iter(document[medium].values())).popitem()
    path.write_text(json.dumps(document))
    assert any("differences.json" in line for line in verify(out).mismatches)
    path.unlink()
    assert any("differences.json: is missing" in line for line in verify(out, clean).mismatches)


def test_a_reannotation_of_folders_is_imported(clean, tmp_path):
    opened = open_split(clean, "train")
    for number, sequence in enumerate(opened.sequences[:2]):
        for frame in sequence.frames:
            mask = opened.mask(sequence, frame)
            for name, pixels in (("truth", mask), ("other", np.roll(mask, 3, axis=1))):
                (tmp_path / name / f"video{number}").mkdir(parents=True, exist_ok=True)
                write_index_mask(tmp_path / name / f"video{number}" / f"{frame}.png", pixels)
    made = prepare_masks(tmp_path / "truth", "val", tmp_path / "root", licence="CC-BY-4.0")
    assert (made.sequences, made.licence) == (2, "CC-BY-4.0")
    done = run(
        *("import", tmp_path / "other", "--clean", tmp_path / "root", "--split", "val"),
        *("--out", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    assert "next: actiseg-noise audit" in done.stdout
    for path in (tmp_path / "other").rglob("*.png"):
        (copy,) = (tmp_path / "out" / MASKS / "val").glob(f"*_{path.parent.name}_*/{path.name}")
        assert np.array_equal(read_index_mask(copy), read_index_mask(path))
    assert verify(tmp_path / "out", source=tmp_path / "root").ok


def test_results_of_davis_are_imported_as_a_reannotation(real_data, tmp_path):
    if not (real_data / "davis").is_dir():
        pytest.skip("no DAVIS data")
    for role, method in (("truth", "rvos"), ("other", "osvos")):
        for name in ("blackswan", "judo", "pigs"):
            (tmp_path / role / name).mkdir(parents=True)
            for path in sorted((real_data / "davis" / method / name).glob("*.png"))[:4]:
                shutil.copy(path, tmp_path / role / name)
    prepare_masks(tmp_path / "truth", "val", tmp_path / "root")
    out = import_split(tmp_path / "other", tmp_path / "root", tmp_path / "out").corruption.out
    changed = visible = 0
    for path in sorted((tmp_path / "other").rglob("*.png")):
        (copy,) = (out / MASKS / "val").glob(f"*_{path.parent.name}_*/{path.name}")
        noisy = read_index_mask(path)
        assert np.array_equal(read_index_mask(copy), noisy)
        truth = read_index_mask(tmp_path / "truth" / path.parent.name / path.name)
        for object_id in set(np.unique(truth)) - {0}:
            visible += 1
            changed += not np.array_equal(truth == object_id, noisy == object_id)
    measured = audit(out).masks.all
    assert (measured.items, measured.touched) == (visible, changed)
    assert verify(out, source=tmp_path / "root").ok
