"""Noisy splits of other generators are imported as they are, and measured rightly."""

from __future__ import annotations

import json
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
from actiseg_noise.split.noise_inputs import NoiseInputs, read_noise_inputs
from actiseg_noise.split.noisy_split import read_carried_differences
from actiseg_noise.verification.verification import verify
from tests.helpers.command import run
from tests.helpers.kitchens import make_kitchen
from tests.helpers.public_noise import OBJECTS, PROMPTS, write_nl_text


@pytest.fixture(scope="module")
def clean(tmp_path_factory):
    return make_kitchen(tmp_path_factory.mktemp("import") / "clean", 6)


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
    visible, bystanders, cut = 0, 0, []
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
                is_noisy = (after & ~before).any() or (made[before] == 0).any()
                assert (row is not None) == is_noisy
                if row is None and before.any():
                    bystanders += 1
                    cut += (
                        [(before & after).sum() / before.sum()] if (before & ~after).any() else []
                    )
                if row is not None:
                    iou = (before & after).sum() / (before | after).sum()
                    assert row.iou == row.iou_drawn == round(float(iou), 6)
                    assert (row.kind, row.status, row.area) == (
                        "imported",
                        "measured",
                        before.sum(),
                    )
    assert not rows
    assert cut
    summary = json.loads((out / "summary.json").read_text())
    assert summary["noise"]["items"] == visible
    assert (summary["bystanders"]["items"], summary["bystanders"]["cut"]) == (bystanders, len(cut))
    assert summary["bystanders"]["iou_of_cut"]["q50"] == round(float(np.median(cut)), 6)
    noise = load_recipe(out / "recipe.json").mask_noise
    assert noise.rate == summary["noise"]["realised_rate"] == round(1 - bystanders / visible, 6)
    assert noise.overlap == "none"


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
    ] == ["text", "masks"]
    assert verify(tmp_path / "out", source=clean).ok


def test_the_differences_apply_to_a_part_of_the_source(clean, text, masks, tmp_path):
    whole = open_split(clean, "train")
    wanted = tuple(sequence.folder for sequence in whole.sequences[1::2])
    for number, (_, out) in enumerate((text, masks)):
        recipe = load_recipe(out / "recipe.json")
        options = CorruptionOptions(
            tmp_path / str(number), only=wanted, inputs=read_noise_inputs(out)
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
    with pytest.raises(InputError, match=said):
        import_split(noisy, clean, tmp_path / "out")


def rewrite_json(path, change):
    """Change a document of lists in place, as a whole."""
    document = json.loads(path.read_text())
    change(document["videos"])
    path.write_text(json.dumps(document))


def test_faults_of_the_text_are_listed_together(clean, text, tmp_path):
    noisy = tmp_path / "noise40"
    shutil.copytree(text[0], noisy)
    faults = []
    for number, folder in enumerate(json.loads((noisy / PROMPTS).read_text())["videos"]):
        change = (
            lambda video: video["expressions"]["0"].update(exp="cups and knives"),
            lambda video: video["expressions"]["0"].update(exp_org="pan used in the action of x"),
            lambda video: video["expressions"]["0"].update(class_id_org=77),
        )[number % 3]
        rewrite_json(noisy / PROMPTS, lambda videos, f=folder, c=change: c(videos[f]))
        faults.append((folder, ("does not begin", "the exp_org", "the class_id_org")[number % 3]))
    folder = "00000002_P01_01_put_knife"
    rewrite_json(
        noisy / OBJECTS, lambda videos: videos[folder]["objects"]["2"].update(category_org="pan")
    )
    unknown = {"category": "pan", "class_id": 5, "positive": 1}
    prompt = {"exp": "pan used in the action of x", "obj_id": "250", "class_id": 5}
    rewrite_json(noisy / OBJECTS, lambda videos: videos[folder]["objects"].update({"250": unknown}))
    rewrite_json(noisy / PROMPTS, lambda videos: videos[folder]["expressions"].update(x=prompt))
    faults += [(folder, "the category_org 'pan'"), (folder, "object 250 is not in the clean list")]
    with pytest.raises(InputError) as refused:
        import_split(noisy, clean, tmp_path / "out")
    said = [problem.what for problem in refused.value.problems]
    for folder, fault in faults:
        assert any(folder in line and fault in line for line in said), (folder, fault, said)


@pytest.mark.parametrize(
    ("name", "prompt", "fits"),
    [
        ("bread knife", "Bread Knife used in the action of x", True),
        ("cup", "cup", True),
        ("cup", "cup, which is red", True),
        ("cup", "cupboard used in the action of x", False),
        ("cup", "the cup used in the action of x", False),
        ("cup", "", False),
        (" ", " used in the action of x", False),
    ],
)
def test_noisy_prompts_begin_with_the_name(name, prompt, fits, clean, text, tmp_path):
    noisy = tmp_path / "noise40"
    shutil.copytree(text[0], noisy)
    edit_json(noisy / OBJECTS, lambda v: v["objects"]["1"].update(category=name))
    edit_json(noisy / PROMPTS, lambda v: v["expressions"]["0"].update(exp=prompt))
    if fits:
        out = import_split(noisy, clean, tmp_path / "out").corruption.out
        assert audit(out).ok
        assert verify(out, source=clean).ok
        return
    with pytest.raises(InputError, match="does not begin with its name"):
        import_split(noisy, clean, tmp_path / "out")


def test_masks_of_no_frame_are_counted(clean, tmp_path):
    noisy = tmp_path / "noisy"
    write_dilated(clean, noisy / MASKS / "train")
    mask = next(iter(sorted((noisy / MASKS / "train").rglob("*.png"))))
    shutil.copy(mask, mask.with_name("frame_0000009999.png"))
    assert import_split(noisy, clean, tmp_path / "out", "train").unpaired == 1
    done = run("import", noisy, "--clean", clean, "--out", tmp_path / "out", "--split", "train")
    assert f"1 mask of {noisy} of no frame of the clean split: ignored" in done.stdout


def renumber(name, by):
    number, _, rest = name.partition("_")
    return f"{int(number) + by:08d}_{rest}"


def test_sequences_of_other_numbers_are_found(clean, tmp_path):
    """The noisy split has more sequences, and numbers that the clean one gives to others."""
    larger = make_kitchen(tmp_path / "larger", 9)
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    write_nl_text(larger, noisy / IMAGE_SETS, 0.4)
    write_dilated(larger, noisy / MASKS / "train")
    expected = import_split(noisy, larger, tmp_path / "expected").corruption.out
    for name in (OBJECTS, PROMPTS):
        path = noisy / IMAGE_SETS / name
        videos = json.loads(path.read_text())["videos"]
        videos = {renumber(name, 1): video for name, video in videos.items()}
        path.write_text(json.dumps({"videos": videos}))
    folders = sorted((noisy / MASKS / "train").iterdir(), reverse=True)
    for folder in folders:
        folder.rename(folder.with_name(renumber(folder.name, 1)))
    result = import_split(noisy, clean, tmp_path / "out")
    assert (len(result.strangers), result.renumbered, result.absent) == (3, 6, ())
    done = run("import", noisy, "--clean", clean, "--out", tmp_path / "out")
    assert f"3 sequences of {noisy} not in the clean split: ignored" in done.stdout
    assert f"6 sequences have another number in {noisy}" in done.stdout
    out = result.corruption.out
    rows = {row.to_json() for row in read_ledger(expected / "ledger.jsonl")}
    kept = {row.to_json() for row in read_ledger(out / "ledger.jsonl")}
    known = {sequence.folder for sequence in open_split(clean, "train").sequences}
    assert kept == {line for line in rows if json.loads(line)["sequence"] in known}
    for path in (out / MASKS).rglob("*.png"):
        assert np.array_equal(
            read_index_mask(path), read_index_mask(expected / path.relative_to(out))
        )
    assert verify(out, source=clean).ok


def test_a_noisy_split_of_other_sequences_is_refused(clean, tmp_path):
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    other = make_kitchen(tmp_path / "other", 2, video="P09_09")
    write_nl_text(other, noisy / IMAGE_SETS, 0.4)
    with pytest.raises(InputError, match="has no noisy masks or text of the split"):
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
        inputs = NoiseInputs(differences=changed)
        with pytest.raises(InputError, match=said):
            write_noisy_split(clean, recipe, CorruptionOptions(tmp_path / "x", inputs=inputs))


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


@pytest.fixture
def with_void(clean, tmp_path):
    """A root from a folder of masks with void pixels, and a reannotation with other void pixels."""
    opened = open_split(clean, "train")
    for number, sequence in enumerate(opened.sequences[:2]):
        for frame in sequence.frames:
            mask = np.array(opened.mask(sequence, frame))
            mask[:6], mask[:, :4] = 255, 255
            other = np.roll(mask, 2, axis=1)
            other[:9][other[:9] == 255] = 0  # as SMART writes it
            other[60:70, 60:70] = 255
            for name, pixels in (("truth", mask), ("other", other)):
                (tmp_path / name / f"video{number}").mkdir(parents=True, exist_ok=True)
                write_index_mask(tmp_path / name / f"video{number}" / f"{frame}.png", pixels)
    prepare_masks(tmp_path / "truth", "val", tmp_path / "root", licence="CC-BY-4.0")
    return tmp_path / "root", tmp_path / "other"


def test_void_pixels_are_imported_and_belong_to_no_object(with_void, tmp_path):
    root, other = with_void
    out = import_split(other, root, tmp_path / "out").corruption.out
    assert verify(out, source=root).ok
    assert audit(out).ok
    for split in (open_split(root, "val"), open_split(out, "val")):
        assert all(255 not in sequence.object_ids for sequence in split.sequences)
    rows, expected = Counter(), Counter()
    for row in read_ledger(out / "ledger.jsonl"):
        rows[row.sequence, row.frame, row.object_id] += 1
    for path in sorted((out / MASKS / "val").rglob("*.png")):
        (_, name) = path.parent.name.split("_")[:2]
        noisy, mask = read_index_mask(path), read_index_mask(root / path.relative_to(out))
        assert np.array_equal(noisy, read_index_mask(other / name / path.name))
        for number in set(np.unique((mask, noisy)).tolist()) - {0, 255}:
            before, after = mask == number, noisy == number
            if (after & ~before).any() or np.isin(noisy[before], (0, 255)).any():
                expected[path.parent.name, path.stem, number] += 1
    assert rows == expected


def test_void_pixels_are_no_bystander_of_noise(with_void, tmp_path):
    root, _ = with_void
    result = corrupt(root, "boundary", rate=1.0, split="val", out=tmp_path / "out")
    assert result.summary["bystanders"]["items"] == 0
    assert verify(result.out).ok
    assert audit(result.out).ok
    assert inspect(result.out).masks.bystanders.items == 0
    assert run("preview", result.out, "--to", tmp_path / "x.png").returncode == 0
    kept = total = 0
    for path in (result.out / MASKS).rglob("*.png"):
        void = read_index_mask(root / path.relative_to(result.out)) == 255
        total, kept = total + void.sum(), kept + (read_index_mask(path)[void] == 255).sum()
    assert 0.8 * total < kept <= total


def test_binary_noisy_masks_are_refused(clean, masks, tmp_path):
    noisy = tmp_path / "smart"
    shutil.copytree(masks[0], noisy)
    edit_masks(noisy, lambda mask: np.where(mask, 255, 0).astype(np.uint8))
    with pytest.raises(InputError, match="has only 0 and 255"):
        import_split(noisy, clean, tmp_path / "out")


def test_other_numbers_of_objects_are_noticed(clean, tmp_path):
    noisy = write_dilated(clean, tmp_path / "smart")
    for path in noisy.rglob("*.png"):
        mask = read_index_mask(path)
        last = max(
            label.object_id for label in open_split(clean, "train")[path.parent.name].objects
        )
        write_index_mask(path, np.where(mask, last + 1 - mask, 0).astype(np.uint8))
    done = run("import", noisy, "--clean", clean, "--out", tmp_path / "out")
    assert "objects seem to be numbered in another way: the median IoU" in done.stdout
    own = run(
        "import", write_dilated(clean, tmp_path / "own"), "--clean", clean, "--out", tmp_path / "x"
    )
    assert "numbered in another way" not in own.stdout


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
    measured = audit(out)
    assert (measured.masks.all.items, measured.masks.all.touched) == (visible, changed)
    assert measured.ok
    assert verify(out, source=tmp_path / "root").ok
