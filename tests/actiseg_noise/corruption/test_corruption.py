"""A noisy split on disk: what it holds, how it resumes, what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from actiseg_data.annotations.masks import digest_pixels, read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import read_ledger
from actiseg_data.records.recipe_record import read_recipe
from actiseg_data.records.split_documents import read_digests, read_summary
from actiseg_noise.corruption import copy_writing
from actiseg_noise.corruption import corruption as corrupt_module
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.corruption.request import name_output
from actiseg_noise.media import mask_medium
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.split.partial_split import name_partial_folder
from actiseg_noise.verification.verification import verify
from tests.helpers.roots import add_frames, clip, make_root

RECIPE = make_recipe("boundary", 0.5)


@pytest.fixture
def root(tmp_path):
    return make_root(tmp_path / "clean")


def fingerprint(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_split_is_made_whole(root, tmp_path):
    before = fingerprint(root)
    done = corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert fingerprint(root) == before
    assert read_recipe(done.out / "recipe.json") == RECIPE
    summary = read_summary(done.out / "summary.json")
    rows = list(read_ledger(done.out / "ledger.jsonl"))
    assert summary["noise"]["selected"] == len(rows) > 0
    assert (done.out / summary["source"]).resolve() == root.resolve()
    split = open_split(done.out, "train")
    assert [s.folder for s in split.sequences] == [
        s.folder for s in open_split(root, "train").sequences
    ]
    digests = read_digests(done.out / "digests.json")
    masks = {name for name in digests if name.startswith(MASKS)}
    assert masks == {p.relative_to(done.out).as_posix() for p in (done.out / MASKS).rglob("*.png")}
    assert {name for name in digests if name.startswith(IMAGE_SETS)} == {
        f"{IMAGE_SETS}/{p.name}" for p in (root / IMAGE_SETS).iterdir()
    }
    for name in masks:
        assert digest_pixels(read_index_mask(done.out / name)) == digests[name]
    assert "CC BY-NC 4.0" in (done.out / "LICENSE").read_text()
    assert "noisy copy" in (done.out / "NOTICE").read_text()
    assert not name_partial_folder(done.out).exists()


def test_realised_rate_and_interval_are_counted(root, tmp_path):
    noise = corrupt(root, RECIPE, out=tmp_path / "noisy").summary["noise"]
    low, high = noise["interval_95"]
    assert noise["realised_rate"] == round(noise["selected"] / noise["items"], 6)
    assert low < noise["realised_rate"] < high


def test_image_sets_are_copied_unchanged(root, tmp_path):
    out = corrupt(root, RECIPE, out=tmp_path / "noisy").out
    for path in (root / IMAGE_SETS).iterdir():
        assert json.loads(path.read_text()) == json.loads(
            (out / IMAGE_SETS / path.name).read_text()
        )


def test_workers_order_subset_and_hash_seed_do_not_matter(root, tmp_path):
    whole = read_digests(corrupt(root, RECIPE, out=tmp_path / "a").out / "digests.json")
    two = read_digests(corrupt(root, RECIPE, out=tmp_path / "b", workers=2).out / "digests.json")
    assert two == whole

    one = open_split(root, "train").sequences[3].folder
    part = corrupt(root, RECIPE, out=tmp_path / "c", only=[one]).out
    masks = {n: d for n, d in read_digests(part / "digests.json").items() if n.startswith(MASKS)}
    assert masks == {name: whole[name] for name in masks}
    assert len(masks) == 2

    sequences = [clip(n) for n in (5, 2)]
    subset = make_root(tmp_path / "subset", sequences)
    fewer = read_digests(corrupt(subset, RECIPE, out=tmp_path / "d").out / "digests.json")
    assert all(whole[name] == fewer[name] for name in fewer if name.startswith(MASKS))

    code = (
        "from pathlib import Path\n"
        "from actiseg_noise.corruption.corruption import corrupt\n"
        "from actiseg_noise.recipes.building import make_recipe\n"
        f"recipe = make_recipe('boundary', 0.5)\n"
        f"corrupt(Path({str(root)!r}), recipe, out=Path({str(tmp_path / 'e')!r}))"
    )
    for seed in ("0", "1"):
        shutil.rmtree(tmp_path / "e", ignore_errors=True)
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", code], check=True, env=environment)
        assert read_digests(tmp_path / "e" / "digests.json") == whole


def test_order_of_the_list_does_not_matter_even_among_equals(tmp_path):
    twins = [clip(1), clip(1, seq_id=9, end=90), clip(2)]
    there = make_root(tmp_path / "there", twins)
    back = make_root(tmp_path / "back", twins[::-1])
    digests = [
        read_digests(
            corrupt(root, RECIPE, out=tmp_path / f"noisy {root.name}").out / "digests.json"
        )
        for root in (there, back)
    ]
    first, second = ({n: d for n, d in each.items() if n.startswith(MASKS)} for each in digests)
    assert first == second
    names = [f"{MASKS}/train/{s.folder}/{s.frames[0]}.png" for s in twins[:2]]
    assert first[names[0]] != first[names[1]]


def test_exact_takes_exactly_the_share_of_the_whole_split(root, tmp_path):
    recipe = make_recipe("dilate", 0.5, exact=True)
    whole = corrupt(root, recipe, out=tmp_path / "a")
    noise = whole.summary["noise"]
    assert noise["selected"] == round(0.5 * noise["items"])
    one = open_split(root, "train").sequences[1].folder
    part = corrupt(root, recipe, out=tmp_path / "b", only=[one])
    everything = [row for row in read_ledger(whole.out / "ledger.jsonl") if row.sequence == one]
    assert list(read_ledger(part.out / "ledger.jsonl")) == everything


def test_identical_run_is_verified_not_made_again(root, tmp_path):
    first = corrupt(root, RECIPE, out=tmp_path / "noisy")
    stamp = (first.out / "summary.json").stat().st_mtime_ns
    again = corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert first.made
    assert not again.made
    assert (first.out / "summary.json").stat().st_mtime_ns == stamp


def test_another_run_at_the_same_place_needs_overwrite(root, tmp_path):
    out = corrupt(root, RECIPE, out=tmp_path / "noisy").out
    other = make_recipe("boundary", 0.5, seed=1)
    with pytest.raises(InputError, match="overwrite to replace it"):
        corrupt(root, other, out=out)
    assert read_recipe(out / "recipe.json") == RECIPE
    assert corrupt(root, other, out=out, overwrite=True).made
    assert read_recipe(out / "recipe.json") == other


def test_a_damaged_run_does_not_pass_for_finished(root, tmp_path):
    out = corrupt(root, RECIPE, out=tmp_path / "noisy").out
    path = next((out / MASKS).rglob("*.png"))
    write_index_mask(path, np.zeros((120, 160), np.uint8))
    with pytest.raises(InputError, match="overwrite to replace it"):
        corrupt(root, RECIPE, out=out)


def test_a_folder_of_somebody_else_is_never_overwritten(root, tmp_path):
    out = tmp_path / "precious"
    out.mkdir()
    (out / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match=r"has other files: thesis\.txt"):
        corrupt(root, RECIPE, out=out, overwrite=True)
    assert (out / "thesis.txt").read_text() == "years"


@pytest.mark.parametrize("where", ["clean", "clean/noisy", "."])
def test_output_inside_or_around_the_dataset_is_refused(root, tmp_path, where):
    with pytest.raises(
        InputError,
        match=r"is (inside )?the input|contains the dataset",
    ):
        corrupt(root, RECIPE, out=tmp_path / where)


def test_interrupted_run_is_taken_up_where_it_was(root, tmp_path, monkeypatch):
    undisturbed = corrupt(root, RECIPE, out=tmp_path / "a").out
    real = mask_medium.corrupt_sequence
    calls = []

    def failing(sequence, *rest):
        calls.append(sequence.folder)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(sequence, *rest)

    monkeypatch.setattr(mask_medium, "corrupt_sequence", failing)
    with pytest.raises(KeyboardInterrupt):
        corrupt(root, RECIPE, out=tmp_path / "b")
    assert not (tmp_path / "b").exists()
    assert name_partial_folder(tmp_path / "b").is_dir()

    calls.clear()
    monkeypatch.setattr(mask_medium, "corrupt_sequence", lambda *a: calls.append(a) or real(*a))
    out = corrupt(root, RECIPE, out=tmp_path / "b").out
    assert len(calls) == 3
    for name in ("digests.json", "ledger.jsonl", "recipe.json"):
        assert (out / name).read_bytes() == (undisturbed / name).read_bytes()


def test_unfinished_work_of_another_recipe_is_not_mixed_in(root, tmp_path, monkeypatch):
    def stop(*rest):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(mask_medium, "corrupt_sequence", stop)
        with pytest.raises(KeyboardInterrupt):
            corrupt(root, RECIPE, out=tmp_path / "b")
    other = make_recipe("boundary", 0.5, seed=1)
    with pytest.raises(InputError, match="unfinished work"):
        corrupt(root, other, out=tmp_path / "b")
    assert corrupt(root, other, out=tmp_path / "b", overwrite=True).made


def test_mask_that_changes_under_the_run_is_refused(root, tmp_path, monkeypatch):
    real = corrupt_module.make_plan

    def meddling(*arguments, **named):
        plan = real(*arguments, **named)
        sequence = plan.sequences[2]
        path = plan.split.find_mask(sequence, sequence.frames[0])
        write_index_mask(path, np.zeros((120, 160), np.uint8))
        return plan

    monkeypatch.setattr(corrupt_module, "make_plan", meddling)
    with pytest.raises(InputError, match="changed during the run"):
        corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert not (tmp_path / "noisy").exists()


def test_all_faulty_masks_are_listed_and_nothing_is_written(root, tmp_path):
    sequences = open_split(root, "train").sequences
    folders = [root / MASKS / "train" / s.folder for s in sequences]
    (folders[0] / f"{sequences[0].frames[0]}.png").unlink()
    Image.new("RGB", (160, 120)).save(folders[1] / f"{sequences[1].frames[0]}.png")
    write_index_mask(folders[2] / f"{sequences[2].frames[1]}.png", np.full((120, 160), 9, np.uint8))
    for workers in (1, 2):
        with pytest.raises(InputError) as refused:
            corrupt(root, RECIPE, out=tmp_path / "noisy", workers=workers)
        assert len(refused.value.problems) == 3
        assert [p.name for p in tmp_path.iterdir()] == ["clean"]


def test_unknown_sequences_of_only_are_all_named(root, tmp_path):
    with pytest.raises(InputError) as refused:
        corrupt(root, RECIPE, out=tmp_path / "noisy", only=["nope", "neither"])
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize("images", ["link", "copy", "none"])
def test_frames_come_along_as_asked(root, tmp_path, images):
    add_frames(root)
    out = corrupt(root, RECIPE, out=tmp_path / "deep" / "noisy", images=images).out
    sequence = open_split(root, "train").sequences[0]
    folder = out / FRAMES / "train" / sequence.folder
    if images == "none":
        assert not (out / FRAMES).exists()
        return
    assert (folder / f"{sequence.frames[0]}.jpg").read_bytes() == b"a picture"
    assert folder.is_symlink() == (images == "link")
    if images == "link":
        assert not os.readlink(folder).startswith("/")


def test_val_human_goes_where_its_folders_are(tmp_path):
    root = make_root(tmp_path / "clean", split="val_human")
    out = corrupt(root, make_recipe("dilate", 1.0, split="val_human"), out=tmp_path / "noisy").out
    assert open_split(out, "val_human").sequences


def test_default_name_says_what_it_is():
    assert name_output(Path("/x/dataset_visor"), RECIPE) == Path("dataset_visor_boundary_r0.5_s0")


def test_sequence_without_active_object_is_counted(tmp_path):
    sequence = clip(2)
    idle = tuple(o for o in sequence.objects if not o.positive)
    root = make_root(tmp_path / "clean", [clip(1), clip(2, objects=idle)])
    done = corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert done.summary["handled"]["sequences_without_active_object"] == 1
    assert done.summary["handled"]["names_with_colon"] == 1


def test_thesis_inside_a_noisy_split_is_not_overwritten(root, tmp_path):
    out = corrupt(root, RECIPE, out=tmp_path / "noisy").out
    (out / "thesis.txt").write_text("years")
    with pytest.raises(InputError, match="files that do not belong to it"):
        corrupt(root, make_recipe("dilate", 0.1), out=out, overwrite=True)
    assert (out / "thesis.txt").read_text() == "years"


def test_what_appears_during_the_run_is_not_removed(root, tmp_path, monkeypatch):
    out = tmp_path / "noisy"
    real = copy_writing.write_licences

    def meanwhile(*arguments):
        out.mkdir()
        (out / "thesis.txt").write_text("years")
        real(*arguments)

    monkeypatch.setattr(copy_writing, "write_licences", meanwhile)
    with pytest.raises(InputError, match="appeared"):
        corrupt(root, RECIPE, out=out)
    assert (out / "thesis.txt").read_text() == "years"


def test_dataset_beside_the_output_is_not_taken_for_our_work(tmp_path):
    root = make_root(tmp_path / "noisy.partial")
    before = fingerprint(root)
    with pytest.raises(InputError, match=r"noisy\.partial: is the input"):
        corrupt(root, RECIPE, out=tmp_path / "noisy", overwrite=True)
    assert fingerprint(root) == before


def test_symbolic_link_as_output_is_refused(root, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(InputError, match="symbolic link"):
        corrupt(root, RECIPE, out=tmp_path / "link")


def test_changed_source_is_not_called_identical(root, tmp_path):
    out = corrupt(root, RECIPE, out=tmp_path / "noisy").out
    path = next((root / MASKS).rglob("*.png"))
    write_index_mask(path, np.roll(read_index_mask(path), 3, axis=0))
    with pytest.raises(InputError, match="overwrite to replace it"):
        corrupt(root, RECIPE, out=out)


def test_another_way_of_taking_frames_is_not_called_identical(root, tmp_path):
    add_frames(root)
    out = corrupt(root, RECIPE, out=tmp_path / "noisy", images="copy").out
    with pytest.raises(InputError, match="overwrite to replace it"):
        corrupt(root, RECIPE, out=out, images="none")


def test_damaged_companion_is_refused_before_anything_is_written(root, tmp_path):
    (root / IMAGE_SETS / "train_objects_category.json").write_text("{")
    document = {"videos": {}}
    (root / IMAGE_SETS / "train_meta_expressions_action.json").write_text(json.dumps(document))
    with pytest.raises(InputError) as refused:
        corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert len(refused.value.problems) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["clean"]


def test_missing_companions_are_counted(root, tmp_path):
    (root / IMAGE_SETS / "train_objects_category.json").unlink()
    done = corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert done.summary["handled"]["companion_files_missing"] == 1
    assert verify(done.out, root).ok


def test_two_runs_at_once_do_not_mix(root, tmp_path, monkeypatch):
    real = mask_medium.corrupt_sequence
    refusals = []

    def second(*arguments):
        if not refusals:
            for overwrite in (False, True):
                with pytest.raises(InputError, match="another run is using this folder") as refused:
                    corrupt(root, RECIPE, out=tmp_path / "noisy", overwrite=overwrite)
                refusals.append(refused)
        return real(*arguments)

    monkeypatch.setattr(mask_medium, "corrupt_sequence", second)
    corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert refusals


def blank(root, sequence):
    """Empty a sequence's masks, which changes what an exact recipe takes elsewhere."""
    for frame in sequence.frames:
        path = root / MASKS / "train" / sequence.folder / f"{frame}.png"
        write_index_mask(path, np.zeros((120, 160), np.uint8))


def test_exact_work_is_not_taken_up_where_other_masks_move_the_threshold(
    root, tmp_path, monkeypatch
):
    recipe = make_recipe("dilate", 0.5, exact=True)
    real, calls = mask_medium.corrupt_sequence, []

    def failing(sequence, *rest):
        calls.append(sequence)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(sequence, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(mask_medium, "corrupt_sequence", failing)
        with pytest.raises(KeyboardInterrupt):
            corrupt(root, recipe, out=tmp_path / "noisy")
    for sequence in open_split(root, "train").sequences[3:]:
        blank(root, sequence)
    with pytest.raises(InputError, match="unfinished work"):
        corrupt(root, recipe, out=tmp_path / "noisy")
    out = corrupt(root, recipe, out=tmp_path / "noisy", overwrite=True).out
    assert verify(out, root).ok


def test_exact_part_is_not_called_identical_where_other_masks_changed(root, tmp_path):
    recipe = make_recipe("dilate", 0.5, exact=True)
    first, *others = open_split(root, "train").sequences
    corrupt(root, recipe, out=tmp_path / "noisy", only=[first.folder])
    for sequence in others:
        blank(root, sequence)
    with pytest.raises(InputError, match="overwrite to replace it"):
        corrupt(root, recipe, out=tmp_path / "noisy", only=[first.folder])


class Killed(BaseException):
    """Stands for a kill: nothing in the package catches it."""


def killed_between_renames(root, recipe, out, monkeypatch):
    """Overwrite what is at `out`, and stop when it was moved away and nothing has its name."""
    real = os.replace

    def replace(source, target):
        if Path(target) == out:
            raise Killed
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", replace)
        with pytest.raises(Killed):
            corrupt(root, recipe, out=out, overwrite=True)
    assert not out.exists()


def test_killed_between_its_last_renames_a_run_is_taken_up(root, tmp_path, monkeypatch):
    out = corrupt(root, make_recipe("dilate", 0.5), out=tmp_path / "noisy").out
    killed_between_renames(root, RECIPE, out, monkeypatch)
    calls = []
    with monkeypatch.context() as patch:
        patch.setattr(mask_medium, "corrupt_sequence", lambda *a: calls.append(a))
        corrupt(root, RECIPE, out=out, overwrite=True)
    assert not calls  # nothing was done twice
    assert verify(out, root).ok
    assert [path.name for path in tmp_path.iterdir() if path.name != "clean"] == ["noisy"]


def test_what_was_replaced_by_a_killed_run_is_not_lost_to_another(root, tmp_path, monkeypatch):
    first = make_recipe("dilate", 0.5)
    out = corrupt(root, first, out=tmp_path / "noisy").out
    killed_between_renames(root, RECIPE, out, monkeypatch)

    def stop(*rest):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(mask_medium, "corrupt_sequence", stop)
        with pytest.raises(Killed):
            corrupt(root, make_recipe("erode", 0.5), out=out, overwrite=True)
    assert read_recipe(out / "recipe.json") == first
    assert verify(out, root).ok


@pytest.mark.parametrize("out", ["", ".", "/", ".."])
def test_an_output_without_a_name_is_refused(root, monkeypatch, out):
    monkeypatch.chdir(root.parent)
    before = fingerprint(root.parent)
    with pytest.raises(InputError, match="does not name a folder"):
        corrupt(root, RECIPE, out=Path(out))
    assert fingerprint(root.parent) == before


def test_lists_are_taken_byte_for_byte_and_cut_for_a_part(root, tmp_path):
    path = root / IMAGE_SETS / "train.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=3))
    out = corrupt(root, RECIPE, out=tmp_path / "whole").out
    assert (out / IMAGE_SETS / "train.json").read_bytes() == path.read_bytes()
    one = open_split(root, "train").sequences[2].folder
    part = corrupt(root, RECIPE, out=tmp_path / "part", only=[one]).out
    assert [s.folder for s in open_split(part, "train").sequences] == [one]
    assert verify(part, root).ok


def test_a_list_that_changes_under_the_run_is_refused(root, tmp_path, monkeypatch):
    real = mask_medium.corrupt_sequence

    def meddling(*arguments):
        path = root / IMAGE_SETS / "train_objects_category.json"
        path.write_text(path.read_text() + " ")
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(mask_medium, "corrupt_sequence", meddling)
        with pytest.raises(InputError, match="changed during the run"):
            corrupt(root, RECIPE, out=tmp_path / "noisy")
    assert not (tmp_path / "noisy").exists()
    assert verify(corrupt(root, RECIPE, out=tmp_path / "noisy").out, root).ok
