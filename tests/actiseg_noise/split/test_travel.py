"""Splits that travel: real files, names that tell them apart, clean lists beside them, clutter."""

from __future__ import annotations

import json
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.file_reading import find_dangling_link, read_bytes
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS, WEIGHTS
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.recipe_record import read_recipe
from actiseg_data.records.split_documents import read_digests, read_summary
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.corruption.request import name_output
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.measurement.inspection import inspect
from actiseg_noise.preview.noisy_sequences import find_noisiest
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset
from actiseg_noise.verification.verification import verify
from tests.helpers.command import run
from tests.helpers.kitchens import kitchen_clip, make_kitchen
from tests.helpers.made_layouts import make_davis
from tests.helpers.roots import add_frames, add_weights, clip, make_root

TEXT, MIXED, BOUNDARY = (make_recipe(kind, 0.6) for kind in ("text", "mixed", "boundary"))


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    root = make_kitchen(tmp_path / "home" / "clean", 5)
    add_frames(root)
    add_weights(root)
    return root


@pytest.mark.parametrize("images", ["copy", "none", "link"])
@pytest.mark.parametrize(
    "recipe",
    [pytest.param(TEXT, marks=pytest.mark.slow), MIXED],
    ids=["text", "mixed"],
)
def test_a_split_that_is_packed_and_sent_away_arrives_whole(kitchen, tmp_path, recipe, images):
    out = corrupt(kitchen, recipe, out=tmp_path / "home" / "noisy", images=images).out
    with tarfile.open(tmp_path / "noisy.tar", "w") as archive:
        archive.add(out, "noisy")
    shutil.rmtree(tmp_path / "home")
    with tarfile.open(tmp_path / "noisy.tar") as archive:
        archive.extractall(tmp_path / "away", filter="data" if images != "link" else "tar")
    arrived = tmp_path / "away" / "noisy"
    assert verify(arrived).ok
    assert audit(arrived).text is not None
    links = [path for path in arrived.rglob("*") if path.is_symlink()]
    assert all(path.parent == arrived / FRAMES / "train" for path in links)
    assert bool(links) == (images == "link")
    split = open_split(arrived, "train")
    assert sum(len(split.read_masks(sequence)) for sequence in split.sequences) == 10


@pytest.mark.parametrize("recipe", [TEXT, BOUNDARY], ids=["text", "boundary"])
def test_masks_and_weights_under_another_spelling_get_into_the_copy(kitchen, tmp_path, recipe):
    plain = corrupt(kitchen, recipe, out=tmp_path / "plain").out
    for kind in (MASKS, WEIGHTS):
        for path in [*(kitchen / kind).rglob("*.png")]:
            path.rename(path.with_suffix(".PNG"))
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    assert read_bytes(out / "digests.json") == read_bytes(plain / "digests.json")
    assert verify(out, source=kitchen).ok


def test_links_in_a_circle_do_not_keep_verify_busy(kitchen, tmp_path):
    out = corrupt(kitchen, TEXT, out=tmp_path / "noisy").out
    for name in ("a", "b"):
        (out / MASKS / "train" / name).symlink_to("..")
    (out / MASKS / "train" / "c").symlink_to("c")
    found = verify(out).mismatches
    assert 0 < len(found) < 10
    assert all("is not listed in digests.json" in line for line in found)


def test_a_dangling_link_is_called_one_whatever_reads_through_it(tmp_path):
    (tmp_path / "file").symlink_to("gone/file")
    (tmp_path / "folder").symlink_to("gone")
    for path, target in (
        (tmp_path / "file", "gone/file"),
        (tmp_path / "folder" / "deep" / "mask.png", "gone"),
    ):
        for read in (read_bytes, read_index_mask):
            with pytest.raises(InputError) as refused:
                read(path)
            (problem,) = refused.value.problems
            assert problem.what == f"is a link to {target}, which is not there"
            assert problem.where == str(find_dangling_link(path))
            assert problem.hint == "restore the target, or put a copy there"
    (tmp_path / "gone").mkdir()
    with pytest.raises(InputError, match="is missing"):
        read_bytes(tmp_path / "folder" / "mask.png")


def test_frames_that_are_links_to_nothing_are_all_refused(kitchen, tmp_path):
    linked = corrupt(kitchen, BOUNDARY, out=tmp_path / "home" / "first").out
    other = tmp_path / "other"
    shutil.copytree(kitchen, other, ignore=shutil.ignore_patterns(FRAMES))
    shutil.copytree(linked / FRAMES, other / FRAMES, symlinks=True)
    for images in ("link", "copy"):
        with pytest.raises(InputError) as refused:
            corrupt(other, BOUNDARY, out=tmp_path / "noisy", images=images)
        assert len(refused.value.problems) == 5
        assert all("is a link to" in problem.what for problem in refused.value.problems)
        assert all("give none as images" in str(p) for p in refused.value.problems)
    assert corrupt(other, BOUNDARY, out=tmp_path / "noisy", images="none").made


def test_single_frames_that_are_links_to_nothing_are_refused_where_they_are_copied(
    kitchen, tmp_path
):
    path = sorted((kitchen / FRAMES).rglob("*.jpg"))[1]
    path.unlink()
    path.symlink_to("nowhere.jpg")
    with pytest.raises(InputError, match=r"is a link to nowhere\.jpg"):
        corrupt(kitchen, BOUNDARY, out=tmp_path / "noisy", images="copy")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]
    assert corrupt(kitchen, BOUNDARY, out=tmp_path / "noisy", images="link").made


CLUTTER = (".DS_Store", f"{MASKS}/.ipynb_checkpoints/x.png", f"{IMAGE_SETS}/._train.json")
CLUTTER += (f"{WEIGHTS}/train/Thumbs.db", "__MACOSX/recipe.json", "desktop.ini")


def litter(out: Path) -> None:
    for name in CLUTTER:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(b"left behind")
    folder = next((out / MASKS / "train").iterdir())
    (folder / "._frame.png").write_bytes(b"left behind")


@pytest.mark.parametrize("recipe", [TEXT, BOUNDARY], ids=["text", "boundary"])
def test_what_a_desktop_leaves_behind_is_told_apart_and_no_mismatch(kitchen, tmp_path, recipe):
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy", images="none").out
    assert verify(out).clutter == ()
    litter(out)
    found = verify(out, kitchen)
    assert found.ok
    assert len(found.clutter) == len(CLUTTER) + 1
    assert {name.split("/")[0] for name in found.clutter} == {
        name.split("/")[0] for name in CLUTTER
    }
    shown = run("verify", out)
    assert shown.returncode == 0
    assert "not part of the split: .DS_Store, Annotations_Sparse/.ipynb_checkpoints" in shown.stdout
    assert not corrupt(kitchen, recipe, out=out, images="none").made
    (next((out / MASKS / "train").iterdir()) / "mine.png").write_bytes(b"put there")
    assert any("mine.png: is not listed" in line for line in verify(out).mismatches)


def test_hidden_files_are_no_reason_to_refuse_a_place_and_are_kept(kitchen, tmp_path):
    out = tmp_path / "noisy"
    (out / ".git").mkdir(parents=True)
    (out / ".git" / "HEAD").write_text("ref")
    (out / "Thumbs.db").write_bytes(b"thumbs")
    assert corrupt(kitchen, BOUNDARY, out=out).made
    assert corrupt(kitchen, TEXT, out=out, overwrite=True).made
    assert (out / ".git" / "HEAD").read_text() == "ref"
    assert (out / "Thumbs.db").is_file()
    assert not (out / "work").exists()
    assert verify(out, kitchen).ok


def test_copied_frames_are_without_clutter(kitchen, tmp_path):
    folder = open_split(kitchen, "train").find_folder(
        FRAMES, open_split(kitchen, "train").sequences[0]
    )
    (folder / "._frame_0000000101.jpg").write_bytes(b"left behind")
    (folder / "Thumbs.db").write_bytes(b"left behind")
    out = corrupt(kitchen, BOUNDARY, out=tmp_path / "noisy", images="copy").out
    assert verify(out).clutter == ()


@pytest.mark.parametrize(
    ("recipe", "preset", "name"),
    [
        (make_recipe("boundary", 0.4), None, "root_boundary_r0.4_s0"),
        (make_recipe("boundary", 0.4, split="val"), None, "root_val_boundary_r0.4_s0"),
        (make_recipe("boundary", 0.4, seed=7), None, "root_boundary_r0.4_s7"),
        (make_recipe("boundary", 0.4, overlap="reference"), None, "root_boundary_r0.4_s0_#"),
        (make_recipe("boundary", 0.4, exact=True), None, "root_boundary_r0.4_s0_#"),
        (make_recipe("dilate", 1, parameters={"radius": 4}), None, "root_dilate_r1_s0_#"),
        (make_recipe("text", 0.4, parameters={"flip": "near"}), None, "root_text_r0.4_s0_#"),
        (make_recipe("mixed", 0.4, text_rate=0.2), None, "root_mixed_r0.2-0.4_s0"),
        (make_recipe("boundary", 0.1234567), None, "root_boundary_r0.123457_s0_#"),
        (
            load_preset("actiseg-nl/mask-9").make_recipe(),
            "actiseg-nl/mask-9",
            "root_actiseg-nl-mask-9_r1_s0",
        ),
        (
            load_preset("actiseg-nl/mask-9").make_recipe(rate=0.5),
            "actiseg-nl/mask-9",
            "root_actiseg-nl-mask-9_r0.5_s0",
        ),
        (
            load_preset("actiseg-nl/mask-9").make_recipe(overlap="contest", split="val_human"),
            "actiseg-nl/mask-9",
            "root_val_human_actiseg-nl-mask-9_r1_s0_#",
        ),
        (load_preset("actiseg-nl/mask-9").make_recipe(), None, "root_morphology_r1_s0_#"),
    ],
)
def test_the_default_name_tells_splits_apart(recipe, preset, name):
    assert name_output(Path("root"), recipe, preset).name == name.replace("#", recipe.digest[:6])


def test_the_refusal_of_a_place_says_what_is_there(tmp_path):
    root = make_root(tmp_path / "clean")
    noisy = corrupt(root, make_recipe("dilate", 0.25, seed=3), out=tmp_path / "noisy").out
    other = make_root(tmp_path / "other", split="val_human")
    (tmp_path / "notes").mkdir()
    for name in "dcba":
        (tmp_path / "notes" / name).touch()
    (tmp_path / "file").touch()
    for out, says in (
        (
            noisy,
            "is a noisy split: dilate at rate 0.25, seed 3, split train. Hint: give another "
            "out, or overwrite to replace it",
        ),
        (other, "is a dataset with the splits val_human"),
        (tmp_path / "notes", "has other files: a, b, c and 1 more"),
        (tmp_path / "file", "is a file"),
    ):
        with pytest.raises(InputError) as refused:
            corrupt(root, BOUNDARY, out=out)
        assert f"{out}: {says}" in str(refused.value)
    with pytest.raises(InputError, match="split train, with other parameters"):
        corrupt(root, make_recipe("dilate", 0.25, seed=3, overlap="background"), out=noisy)
    folder = open_split(root, "train").sequences[0].folder
    with pytest.raises(InputError, match="recipe is the same, but its sequences"):
        corrupt(root, make_recipe("dilate", 0.25, seed=3), out=noisy, only=[folder])


def test_a_recipe_file_with_another_seed_or_split_is_another_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_root(tmp_path / "clean")
    write_json(tmp_path / "mine.json", BOUNDARY.to_dict())
    done = run("corrupt", "clean", "--recipe", "mine.json", "--seed", "4", "--quiet")
    assert "changed from mine.json: seed 4 instead of 0" in done.stdout
    made = tmp_path / "clean_boundary_r0.6_s4"
    assert read_recipe(made / "recipe.json") == replace(BOUNDARY, seed=4)
    same = run("corrupt", "clean", "--recipe", "mine.json", "--split", "train", "--dry-run")
    assert "another recipe" not in same.stdout
    assert "would make clean_boundary_r0.6_s0;" in same.stdout
    refused = run("corrupt", "clean", "--recipe", "mine.json", "--seed", "4", "--rate", "0.2")
    assert refused.returncode == 2
    assert "--rate cannot be given with a recipe file" in refused.stderr
    assert run("corrupt", "clean", "--recipe", "mine.json", "--seed", "-1").returncode == 2


@pytest.fixture
def lists(kitchen: Path) -> Path:
    """A root with the lists train, val, and val_human, of which a clip stands in val, too."""
    others = [kitchen_clip(number) for number in (21, 22, 23)]
    source = make_root(kitchen.parent / "val", others, split="val")
    make_root(source, [others[1], kitchen_clip(24)], split="val_human")
    for kind in (MASKS, FRAMES, WEIGHTS):
        shutil.rmtree(source / kind / "val", ignore_errors=True)
    (source / MASKS / "train").rename(source / MASKS / "val")
    for path in (source / IMAGE_SETS).iterdir():
        shutil.copy(path, kitchen / IMAGE_SETS)
    shutil.copytree(source / MASKS / "val", kitchen / MASKS / "val")
    add_weights(kitchen, "val")
    add_weights(kitchen, "val_human")
    return kitchen


@pytest.mark.parametrize("recipe", [TEXT, MIXED], ids=["text", "mixed"])
def test_clean_lists_go_beside_the_noisy_one(lists, tmp_path, recipe):
    out = tmp_path / "noisy"
    options = {"out": out, "with_clean": ["val", "val_human"], "workers": 2}
    done = corrupt(lists, recipe, **options)
    assert set(done.summary["with_clean"]) == {"val", "val_human"}
    assert done.summary["with_clean"]["val"]["weights"] == "copied"
    for name in ("val", "val_human"):
        clean, copy = open_split(lists, name), open_split(out, name)
        assert copy.fingerprint == clean.fingerprint
        for sequence in copy.sequences:
            for kind in (MASKS, WEIGHTS):
                for path in copy.find_folder(kind, sequence).iterdir():
                    assert path.read_bytes() == (lists / path.relative_to(out)).read_bytes()
                    assert not path.is_symlink()
    assert len(list((out / MASKS / "val").iterdir())) == 4
    assert verify(out, lists).ok
    assert inspect(out).recipe == recipe
    assert not corrupt(lists, recipe, **options).made
    with pytest.raises(InputError, match="clean lists differ"):
        corrupt(lists, recipe, out=out)


def test_noise_is_the_same_with_clean_lists_and_without(lists, tmp_path):
    alone = corrupt(lists, MIXED, out=tmp_path / "alone").out
    beside = corrupt(lists, MIXED, out=tmp_path / "beside", with_clean=["val"]).out
    digests = [json.loads((out / "digests.json").read_text()) for out in (alone, beside)]
    assert digests[0].items() <= digests[1].items()
    assert (alone / "ledger.jsonl").read_bytes() == (beside / "ledger.jsonl").read_bytes()


def test_verify_covers_clean_lists(lists, tmp_path):
    out = corrupt(lists, TEXT, out=tmp_path / "noisy", with_clean=["val", "val_human"]).out
    path = sorted((out / MASKS / "val").rglob("*.png"))[0]
    name, kept = path.relative_to(out).as_posix(), path.read_bytes()
    write_index_mask(path, read_index_mask(path)[::-1].copy())
    assert verify(out).mismatches == (f"{name}: its content is not what digests.json says",)
    path.write_bytes(kept)
    write_index_mask(lists / name, read_index_mask(path)[::-1].copy())
    assert verify(out).ok
    assert verify(out, lists).mismatches == (f"{name}: its content is not what the source says",)
    (lists / name).write_bytes(kept)
    (out / IMAGE_SETS / "val_human.json").unlink()
    assert any("val_human.json" in line for line in verify(out).mismatches)


def test_datasets_without_lists_have_no_clean_lists_to_add(tmp_path):
    clean = make_davis(tmp_path / "clean").path
    with pytest.raises(InputError, match="with_clean: adds action lists, and the dataset has none"):
        corrupt(clean, "dilate", rate=1, out=tmp_path / "noisy", with_clean=["val"])


def test_clean_lists_that_cannot_stand_beside_are_all_refused(lists, tmp_path):
    sequences = open_split(lists, "train").sequences
    make_root(tmp_path / "part", list(sequences[1:3]), split="few")
    shutil.copy(tmp_path / "part" / IMAGE_SETS / "few.json", lists / IMAGE_SETS)
    with pytest.raises(InputError) as refused:
        corrupt(lists, TEXT, out=tmp_path / "noisy", with_clean=["train", "few", "nope", "val"])
    first, second, third = map(str, refused.value.problems)
    assert "'train' is the split that gets noise" in first
    assert f"'few' has 2 of the sequences that get noise, such as {sequences[1].folder}" in second
    assert "there is no split 'nope'. Hint: the splits here are few, train, val" in third
    assert not (tmp_path / "noisy").exists()
    only = [sequences[0].folder]
    assert corrupt(lists, TEXT, out=tmp_path / "noisy", only=only, with_clean=["few"]).made
    assert verify(tmp_path / "noisy", lists).ok


def test_the_preview_shows_the_clip_with_most_noise(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    busy = tuple(replace(label, positive=True) for label in clip(3).objects)
    make_root(tmp_path / "clean", [clip(1), clip(2), clip(3, objects=busy), clip(4)])
    made = run("corrupt", "clean", "--type", "dilate", "--rate", "1", "--quiet")
    assert "next: actiseg-noise preview clean_dilate_r1_s0 --to preview.png\n" in made.stdout
    folder, items = find_noisiest(tmp_path / "clean_dilate_r1_s0")
    assert folder.startswith("00000003")
    assert items > 4
    shown = run("preview", "clean_dilate_r1_s0", "--to", "preview.png")
    assert f"{folder} has the most noise: {items} items" in shown.stdout
    named = run("preview", "clean_dilate_r1_s0", "--sequence", folder, "--to", "named.png")
    assert "has the most noise" not in named.stdout
    assert (tmp_path / "preview.png").read_bytes() == (tmp_path / "named.png").read_bytes()


def test_the_command_takes_clean_lists_and_leaves_weights_out(lists, tmp_path):
    out = tmp_path / "noisy"
    command = ("corrupt", lists, "--type", "text", "--rate", "0.4", "--out", out, "--quiet")
    done = run(*command, "--with-clean", "val, val_human", "--weights", "none")
    assert done.returncode == 0
    summary = read_summary(out / "summary.json")
    assert list(summary["with_clean"]) == ["val", "val_human"]
    assert summary["with_clean"]["val"]["weights"] == "none: left out, as asked"
    assert not (out / WEIGHTS).exists()
    refused = run(*command, "--with-clean", "valhuman", "--overwrite")
    assert refused.returncode == 2
    assert "there is no split 'valhuman'; did you mean 'val_human'?" in refused.stderr
    assert verify(out).ok


@pytest.mark.parametrize("kind", [MASKS, WEIGHTS])
@pytest.mark.parametrize("recipe", [TEXT, BOUNDARY], ids=["text", "boundary"])
def test_files_with_an_ending_in_capitals_go_into_a_copy(kitchen, tmp_path, recipe, kind):
    wanted = corrupt(kitchen, recipe, out=tmp_path / "wanted").out
    for path in (kitchen / kind).rglob("*.png"):
        path.rename(path.with_suffix(".PNG"))
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    assert read_digests(out / "digests.json") == read_digests(wanted / "digests.json")
    assert verify(out, kitchen).ok


@pytest.mark.parametrize("colon", ["_", "%3A", "\uf03a"])
def test_a_split_that_another_system_unpacked_is_verified(tmp_path, colon):
    root = make_root(tmp_path / "clean")
    add_weights(root)
    out = corrupt(root, BOUNDARY, out=tmp_path / "noisy").out
    respelled = [folder for folder in out.rglob("*") if ":" in folder.name]
    assert respelled
    for folder in respelled:
        folder.rename(folder.with_name(folder.name.replace(":", colon)))
    for source in (None, root):
        found = verify(out, source)
        assert found.ok
        assert found.counts["folders_respelled"] > 0
    spoiled = next(path for path in (out / MASKS).rglob("*.png") if colon in path.parent.name)
    spoiled.unlink()
    assert not verify(out).ok
