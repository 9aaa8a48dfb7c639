"""Noise on the fly: batches, weights, logs and reports as with a noisy copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import fields, replace
from functools import partial

import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import ActionSplit
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.corruption.live_split import LiveSplit
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset
from reference_trainer.batches.content_digest import digest_content
from reference_trainer.batches.loader import BatchLoader, BatchSettings
from reference_trainer.batches.training_split import open_training_split
from reference_trainer.config.config_file import CONFIG_FILE, read_config, write_config
from reference_trainer.config.run_config import Config
from reference_trainer.inference.detection import detect
from reference_trainer.training.engine import fit, resume
from tests.helpers.command import run as run_command
from tests.helpers.paths import ROOT
from tests.helpers.trained import small
from tests.reference_trainer.training.test_engine import die, disturbed, logged, same

run = partial(run_command, module="reference_trainer.cli")

RECIPES = {
    "dilate": lambda: make_recipe("dilate", 0.6),
    "boundary, exact": lambda: make_recipe("boundary", 0.5, exact=True),
    "smart/de-EAD": lambda: load_preset("smart/de-EAD").make_recipe(),
    "text": lambda: make_recipe("text", 0.6),
    "within-category": lambda: make_recipe("within-category", 0.6),
    "exchange": lambda: make_recipe("exchange", 1.0),
    "activity": lambda: make_recipe("activity", 0.5),
    "mixed": lambda: make_recipe("mixed", 0.6),
}

SETTINGS = BatchSettings((32, 48), 2, 2, 3, augment=True, weighted=True, seed=1)


@pytest.fixture(scope="module")
def copies(root, tmp_path_factory):
    """Copies by the name of their recipe, made when a test first asks for one."""
    folder, made = tmp_path_factory.mktemp("live"), {}

    def get(name):
        if name not in made:
            made[name] = corrupt(root, RECIPES[name](), out=folder / f"copy {len(made)}").out
        return made[name]

    return get


@pytest.fixture(scope="module")
def mixed(copies):
    return copies("mixed")


@pytest.fixture(scope="module")
def trained(root, mixed, tmp_path_factory):
    """A run on a noisy copy."""
    folder = tmp_path_factory.mktemp("live") / "run"
    fit(small(root, noisy=str(mixed)), folder, quiet=True)
    return folder


@pytest.fixture(scope="module")
def recipe(mixed, tmp_path_factory):
    """The recipe of the copy, in a folder of its own."""
    return shutil.copy(mixed / "recipe.json", tmp_path_factory.mktemp("live") / "recipe.json")


def open_both(root, copy):
    return (
        open_training_split(root, "train", noisy=copy),
        open_training_split(root, "train", noise=copy / "recipe.json"),
    )


@pytest.mark.parametrize("name", RECIPES)
def test_batches_are_those_of_a_copy(name, root, copies):
    splits = open_both(root, copies(name))
    one, two = (BatchLoader(split, SETTINGS).iterate_epoch(1, threads=2) for split in splits)
    assert splits[0].sequences == splits[1].sequences
    assert splits[0].recipe_digest == splits[1].recipe_digest
    count = 0
    for first, second in zip(one, two, strict=True):
        for field in fields(first):
            assert torch.equal(getattr(first, field.name), getattr(second, field.name)), field
        count += 1
    assert count == 3


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_has_the_weights_and_the_log_of_a_run_on_a_copy(
    root, trained, recipe, tmp_path, threads
):
    """The log has what the meter measures: of flipped prompts as of pixels."""
    made = fit(small(root, noise=str(recipe), threads=threads), tmp_path / "run", quiet=True)
    assert f"noise on the fly by {recipe}" in made.describe()
    same(trained, tmp_path / "run")
    assert logged(trained) == logged(tmp_path / "run")
    terms = {row[3] for row in logged(trained)}
    assert {"noisy_pixels_as_labelled", "flipped_activity_noisy_prompt"} <= terms


@pytest.mark.parametrize("at", [1, 4])
def test_a_resumed_run_has_the_same_weights(root, trained, recipe, tmp_path, monkeypatch, at):
    disturbed(monkeypatch, at, die)
    with pytest.raises(KeyboardInterrupt):
        fit(small(root, noise=str(recipe)), tmp_path / "run", quiet=True)
    assert resume(tmp_path / "run", quiet=True).step == 6
    same(trained, tmp_path / "run")


def stop_early(root, folder, monkeypatch, **values):
    """A run that has done one of two epochs."""
    with monkeypatch.context() as patch:
        disturbed(patch, 4, die)
        with pytest.raises(KeyboardInterrupt):
            fit(small(root, **values), folder, quiet=True)


def change_config(folder, **values):
    path = folder / CONFIG_FILE
    write_config(path, replace(read_config(path), **values))


def test_only_the_digest_of_a_recipe_counts(root, trained, recipe, tmp_path, monkeypatch):
    stop_early(root, tmp_path / "run", monkeypatch, noise=str(recipe))
    moved = shutil.copy(recipe, tmp_path / "moved.json")
    write_json(tmp_path / "other.json", make_recipe("mixed", 0.6, seed=1).to_dict())
    change_config(tmp_path / "run", noise=str(tmp_path / "other.json"))
    with pytest.raises(InputError, match="or the recipe of its noise differs"):
        resume(tmp_path / "run", quiet=True)
    change_config(tmp_path / "run", noise=str(moved))
    resume(tmp_path / "run", quiet=True)
    same(trained, tmp_path / "run")


def test_a_run_on_noisy_text_continues_on_a_copy(root, copies, tmp_path, monkeypatch):
    copy = copies("text")
    fit(small(root, noisy=str(copy)), tmp_path / "whole", quiet=True)
    stop_early(root, tmp_path / "run", monkeypatch, noise=str(copy / "recipe.json"))
    change_config(tmp_path / "run", noise=None, noisy=str(copy))
    resume(tmp_path / "run", quiet=True)
    same(tmp_path / "whole", tmp_path / "run")


@pytest.mark.parametrize("began", ["noise", "noisy"])
def test_a_run_on_noisy_masks_stays_with_their_source(
    root, mixed, recipe, tmp_path, monkeypatch, began
):
    sources = {"noise": str(recipe), "noisy": str(mixed)}
    stop_early(root, tmp_path / "run", monkeypatch, **{began: sources[began]})
    change_config(tmp_path / "run", **(sources | {began: None}))
    with pytest.raises(InputError, match="on the fly") as refused:
        resume(tmp_path / "run", quiet=True)
    assert "restore noise and noisy in config.yaml" in refused.value.problems[0].hint


def test_the_digest_of_the_content_sees_clean_masks_and_the_recipe(root, copies, tmp_path):
    clean = shutil.copytree(root, tmp_path / "clean", symlinks=True)
    file = copies("dilate") / "recipe.json"
    stronger = tmp_path / "stronger.json"
    write_json(stronger, make_recipe("dilate", 0.6, target_iou=0.6).to_dict())

    def digest(noise):
        return digest_content(open_training_split(clean, "train", noise=noise))

    before = digest(file)
    assert digest(file) == before
    assert digest(stronger) != before
    split = open_training_split(clean, "train").clean
    path = split.find_masks(split[-1])[-1]
    mask = read_index_mask(path).copy()
    mask[0, 0] = 1
    write_index_mask(path, mask)
    assert digest(file) != before


@pytest.mark.parametrize(
    ("name", "is_same"), [("text", True), ("activity", True), ("dilate", False)]
)
def test_noise_that_changes_no_mask_has_the_content_of_a_copy(root, copies, name, is_same):
    one, two = map(digest_content, open_both(root, copies(name)))
    assert (one == two) == is_same


def test_a_decoded_sequence_is_kept_within_the_memory(root, recipe, monkeypatch):
    made = []
    monkeypatch.setattr(
        LiveSplit,
        "iterate_masks",
        lambda self, sequence: (made.append(1), ActionSplit.iterate_masks(self.clean, sequence))[1],
    )
    split = open_training_split(root, "train", noise=recipe)
    for cache_bytes, count in ((1 << 30, 1), (0, 3)):
        loader = BatchLoader(split, replace(SETTINGS, cache_bytes=cache_bytes))
        made.clear()
        for _ in range(3):
            loader.fetch_decoded(0)
        assert len(made) == count


def test_detection_makes_the_ledger(root, mixed, recipe, trained, tmp_path):
    fit(small(root, noise=str(recipe)), tmp_path / "run", quiet=True)
    of_copy, live = (detect(folder, device="cpu") for folder in (trained, tmp_path / "run"))
    assert live.detections == of_copy.detections
    assert {found.wrong for found in live.detections} == {"prompts", "masks"}
    moved = shutil.copy(recipe, tmp_path / "moved.json")
    change_config(tmp_path / "run", noise=str(tmp_path / "gone.json"))
    assert detect(tmp_path / "run", noise=moved, device="cpu").detections == live.detections
    with pytest.raises(InputError, match="on the fly"):
        detect(tmp_path / "run", noisy=mixed, device="cpu")


def test_a_run_has_one_source_of_noise(root, mixed, recipe):
    with pytest.raises(InputError, match="noise: cannot be given with noisy"):
        Config(str(root), noisy=str(mixed), noise=str(recipe))


def test_the_command_takes_a_recipe(root, mixed, recipe, trained, tmp_path):
    """A flag replaces the other kind of noise in a configuration file."""
    write_config(tmp_path / "set.yaml", small(root, noisy=str(mixed)))
    flags = ["fit", root, "--noise", recipe, "--config", tmp_path / "set.yaml"]
    done = run(*flags, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert f"noise: {recipe}" in done.stdout
    same(trained, tmp_path / "run")
    refused = run(*flags, "--noisy", mixed, "--out", tmp_path / "refused")
    assert refused.returncode == 2
    assert "--noise: cannot be given with --noisy" in " ".join(refused.stderr.split())
    assert not (tmp_path / "refused").exists()


def test_a_recipe_for_another_split_is_refused(root, tmp_path):
    write_json(tmp_path / "val.json", make_recipe("dilate", 0.6, split="val").to_dict())
    with pytest.raises(InputError, match="has noise on the split 'val', not on 'train'"):
        open_training_split(root, "train", noise=tmp_path / "val.json")


def test_without_the_noise_package_a_run_says_so(root, recipe, monkeypatch):
    monkeypatch.setitem(sys.modules, "actiseg_noise", None)
    open_training_split(root, "train")
    with pytest.raises(InputError, match="needs actiseg_noise, which cannot be loaded"):
        open_training_split(root, "train", noise=recipe)


def test_the_noise_package_is_imported_for_noise_alone(root, tmp_path):
    code = (
        "import sys; from reference_trainer.training.engine import fit;"
        "from tests.helpers.trained import small;"
        f"fit(small({str(root)!r}, epochs=1), {str(tmp_path / 'run')!r}, quiet=True);"
        "print([name for name in sys.modules if name.startswith('actiseg_noise')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
