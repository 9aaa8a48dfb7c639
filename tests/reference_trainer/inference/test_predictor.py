"""From a run to masks that the evaluator scores, given nothing but the folder."""

from __future__ import annotations

import errno
import io
import json
import shutil
import zipfile
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.command import run as run_command

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.annotations.masks import PALETTE, read_index_mask
from actiseg_data.annotations.raw_scores import SequenceScores, read_scores
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.prediction_note import read_predictions_note
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.inference.predictor import predict, rethreshold
from reference_trainer.inference.trained_model import load_model
from reference_trainer.training.engine import fit
from tests.helpers.trained import odd_clips, small

run = partial(run_command, module="reference_trainer.cli")


@pytest.fixture(scope="module")
def trained(root, tmp_path_factory):
    """A run that has learnt something, so that masks are not all blank."""
    folder = tmp_path_factory.mktemp("predict") / "run"
    fit(
        small(root, epochs=15, learning_rate=6e-3, augment=False, height=64, width=96),
        folder,
        quiet=True,
    )
    return folder


@pytest.fixture(scope="module")
def preds(root, trained, tmp_path_factory):
    out = tmp_path_factory.mktemp("predict") / "preds"
    report = predict(trained, root, "val_human", out, activity_threshold=0.5)
    assert report.active_prompts > 0
    return out


def test_masks_are_palette_pngs_of_the_listed_ids_at_full_size(root, preds):
    split = open_split(root, "val_human")
    some = False
    for sequence in split.sequences:
        for frame in sequence.frames:
            path = preds / sequence.folder / f"{frame}.png"
            data = path.read_bytes()
            assert PALETTE[:30] in data
            mask = read_index_mask(path)
            assert mask.shape == (120, 160)
            assert set(np.unique(mask)) <= {0, *sequence.object_ids}
            some |= bool(mask.any())
    assert some


def blank_among(folder):
    masks = [read_index_mask(path) for path in folder.rglob("*.png")]
    return sum(set(mask.flat) == {0} for mask in masks), len(masks)


def test_blank_masks_are_counted(root, trained, preds, tmp_path):
    for threshold in (0.5, 0.9):
        folder = tmp_path / f"p{threshold}"
        report = predict(trained, root, "val_human", folder, activity_threshold=threshold)
        assert (report.blank_masks, report.frames) == blank_among(folder)
        document = json.loads((folder / "scores.json").read_text())
        assert (document["blank_masks"], document["masks"]) == blank_among(folder)
        assert f"; {report.blank_masks} of 8 masks are blank;" in str(report)
        again = rethreshold(preds, tmp_path / f"again{threshold}", threshold)
        assert (again.blank_masks, again.frames) == (report.blank_masks, report.frames)


def test_predictions_that_are_all_blank_say_so_and_why(preds, tmp_path):
    said = str(rethreshold(preds, tmp_path / "p", 1.0))
    highest = max(max(scores.activity) for scores in read_scores(preds))
    assert "8 of 8 masks are blank" in said
    assert f"note: all masks are blank: the highest activity is {highest:.2f};" in said
    assert "a lower activity threshold" in said
    dark = shutil.copytree(preds, tmp_path / "dark")
    with zipfile.ZipFile(preds / "scores.npz") as archive:
        arrays = {name: np.load(archive.open(name)) for name in archive.namelist()}
    with zipfile.ZipFile(dark / "scores.npz", "w") as archive:
        for name, logits in arrays.items():
            with archive.open(name, "w") as stream:
                np.save(stream, np.full_like(logits, -1))
    said = str(rethreshold(dark, tmp_path / "q", 0.0))
    assert "note: all masks are blank: no pixel reaches a chance of one half for any prompt" in said


def test_predictions_with_a_mask_have_no_note(preds, tmp_path):
    assert "note" not in str(rethreshold(preds, tmp_path / "p", 0.0))


def test_the_note_names_dataset_split_and_noise(root, trained, preds, tmp_path):
    note = read_predictions_note(preds / "predictions.json")
    assert (preds / note.dataset).resolve() == root.resolve()
    assert (note.split, note.recipe_digest) == ("val_human", None)
    assert note.dataset_fingerprint == open_split(root, "val_human").fingerprint
    assert note.model == "plain, 45 steps (run), trained on rendered frames"
    recipe = make_recipe("dilate", 0.5)
    noisy = corrupt(root, recipe, out=tmp_path / "noisy").out
    fit(small(root, noisy=str(noisy), epochs=1), tmp_path / "run", quiet=True)
    predict(tmp_path / "run", root, "val_human", tmp_path / "p")
    assert read_predictions_note(tmp_path / "p" / "predictions.json").recipe_digest == recipe.digest


def test_the_model_says_the_same_of_a_prompt_whatever_is_asked_beside_it(root, trained):
    model = load_model(trained).model
    frames, tokens = torch.randn(1, 2, 3, 64, 96), torch.randint(1, 99, (1, 3, 288))
    with torch.inference_mode():
        together, alone = model(frames, tokens), model(frames, tokens[:, 1:2])
    assert torch.allclose(together.masks[:, 1:2], alone.masks, atol=1e-5)
    assert torch.allclose(together.activity[:, 1:2], alone.activity, atol=1e-5)
    assert together.robust.shape == (0, 1, 3, 2, 16, 24)
    assert together.robust_activity.shape == (0, 1, 3)


def test_masks_move_with_the_prompt_not_with_its_place(root, trained):
    model = load_model(trained).model
    frames, tokens = torch.randn(1, 1, 3, 64, 96), torch.randint(1, 99, (1, 3, 288))
    with torch.inference_mode():
        one, two = model(frames, tokens), model(frames, tokens.flip(1))
    assert torch.allclose(one.masks.flip(1), two.masks, atol=1e-5)


def test_the_evaluator_scores_the_folder_alone(preds, tmp_path):
    done = run("score", preds, "--quiet", module="actiseg_eval.cli", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "val_human (rendered frames), protocol actionvos" in done.stdout


def test_a_threshold_is_a_free_sweep(root, trained, preds, tmp_path):
    for threshold in (0.0, 0.5, 0.9, 1.0):
        again, anew = tmp_path / f"again{threshold}", tmp_path / f"anew{threshold}"
        told = rethreshold(preds, again, threshold)
        assert (
            told.active_prompts
            == predict(
                trained, root, "val_human", anew, activity_threshold=threshold
            ).active_prompts
        )
        for path in sorted(anew.rglob("*.png")):
            assert (again / path.relative_to(anew)).read_bytes() == path.read_bytes()
        note = read_predictions_note(again / "predictions.json")
        assert (again / note.dataset).resolve() == root.resolve()


def test_scores_are_kept_as_they_are_painted(preds):
    scores = list(read_scores(preds))
    assert [of.folder for of in scores] == [of.folder for of in odd_clips()[:3]]
    for of in scores:
        assert of.logits.dtype == np.float16
        assert of.logits.shape == (len(of.objects), len(of.frames), 16, 24)
        for frame, mask in zip(of.frames, of.make_masks(0.5), strict=True):
            assert (read_index_mask(preds / of.folder / f"{frame}.png") == mask).all()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 1))
def test_painting_is_the_rule_pixel_by_pixel(seed, threshold):
    rng = np.random.default_rng(seed)
    objects = tuple(int(of) for of in rng.permutation(np.arange(1, 256))[:3])
    logits = rng.integers(-2, 3, (3, 2, 3, 4)).astype(np.float16)
    activity = tuple(rng.random(3).tolist())
    scores = SequenceScores("clip", ("a", "b"), (9, 16), objects, activity, logits)
    for frame, mask in enumerate(scores.make_masks(threshold)):
        large = torch.nn.functional.interpolate(
            torch.from_numpy(logits[:, frame].astype(np.float32))[None],
            size=(9, 16),
            mode="bilinear",
            align_corners=False,
        )[0].numpy()
        for row in range(9):
            for column in range(16):
                near = [(large[k, row, column], -k) for k in range(3) if activity[k] >= threshold]
                best, place = max(near, default=(-1.0, 0))
                others = {round(float(value), 4) for value, _ in near}
                if abs(best) < 1e-4 or len(others) < len(near):
                    continue  # a tie but for rounding
                assert mask[row, column] == (objects[-place] if best >= 0 else 0)


def test_ties_go_to_the_first_and_one_half_is_enough():
    logits = np.zeros((2, 1, 2, 2), np.float16)
    scores = SequenceScores("clip", ("a",), (2, 2), (7, 3), (1.0, 1.0), logits)
    assert (next(scores.make_masks()) == 7).all()
    logits[:] = -0.001
    assert (next(scores.make_masks()) == 0).all()


def test_what_cannot_be_predicted_is_refused(root, trained, preds, tmp_path):
    with pytest.raises(InputError, match="there is no checkpoint"):
        predict(tmp_path, root, "val_human", tmp_path / "p")
    with pytest.raises(InputError, match="there is no split"):
        predict(trained, root, "val_novel", tmp_path / "p")
    with pytest.raises(InputError, match="already exists"):
        predict(trained, root, "val_human", preds)
    with pytest.raises(InputError, match="outside"):
        predict(trained, root, "val_human", tmp_path / "p", activity_threshold=75.0)
    whole = (trained / "model.pt").read_bytes()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "model.pt").write_bytes(whole[:5000])
    with pytest.raises(InputError, match="truncated"):
        predict(tmp_path / "run", root, "val_human", tmp_path / "p")
    assert not (tmp_path / "p").exists()
    assert not list(tmp_path.glob(".p*"))


def test_damaged_scores_are_refused(preds, tmp_path):
    copy = shutil.copytree(preds, tmp_path / "copy")
    archive = copy / "scores.npz"
    archive.write_bytes(archive.read_bytes()[:-300])
    with pytest.raises(InputError, match="damaged or truncated"):
        rethreshold(copy, tmp_path / "p", 0.5)
    document = json.loads((copy / "scores.json").read_text())
    document["sequences"] = {"../outside": next(iter(document["sequences"].values()))}
    (copy / "scores.json").write_text(json.dumps(document))
    with pytest.raises(InputError):
        rethreshold(copy, tmp_path / "p", 0.5)
    (copy / "scores.json").unlink()
    with pytest.raises(InputError, match=r"scores\.json"):
        rethreshold(copy, tmp_path / "p", 0.5)
    assert not (tmp_path / "p").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("net"),
        lambda document: document.pop("recipe_digest"),
        lambda document: document["net"].pop("modulation.bias"),
        lambda document: document["net"].update(more=torch.zeros(1)),
        lambda document: document["net"].update({"modulation.bias": torch.zeros(3)}),
        lambda document: document.update(net=[1]),
        lambda document: document.update(net={1: 2}),
        lambda document: document.update(videos=[["P01_01"]]),
        lambda document: document["net"].update({"modulation.bias": torch.zeros(3).to_sparse()}),
        lambda document: document.update(config=["dataset"]),
        lambda document: document.update(config="- dataset"),
        lambda document: document.update(config="a: ["),
        lambda document: document.update(config="dataset: d\nencoder: foo"),
        lambda document: document.update(config="dataset: d\nchannels: 16"),
    ],
)
def test_a_model_without_all_its_members_is_refused(root, trained, tmp_path, change):
    document = torch.load(trained / "model.pt", weights_only=True)
    change(document)
    (tmp_path / "run").mkdir()
    torch.save(document, tmp_path / "run" / "model.pt")
    with pytest.raises(InputError, match=r"model\.pt"):
        predict(tmp_path / "run", root, "val_human", tmp_path / "p")
    assert not (tmp_path / "p").exists()


def test_a_model_without_numbers_is_refused(root, trained, tmp_path):
    document = torch.load(trained / "model.pt", weights_only=True)
    document["net"]["modulation.bias"] += float("nan")
    (tmp_path / "run").mkdir()
    torch.save(document, tmp_path / "run" / "model.pt")
    with pytest.raises(InputError, match=r"logits of .* are not numbers"):
        predict(tmp_path / "run", root, "val_human", tmp_path / "p")
    assert not (tmp_path / "p").exists()


def header(shape, dtype="<f2", order=False):
    stream = io.BytesIO()
    about = {"descr": dtype, "fortran_order": order, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, about)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("grid", "bytes_there"),
    [((2_000_000, 2_000_000), 8), ((0, 0), 0), ((-1, 1), 0), ((16, 24), 8), ((16,), 8)],
)
def test_logits_of_an_absurd_shape_are_refused_before_they_are_read(
    preds, tmp_path, grid, bytes_there
):
    copy = shutil.copytree(preds, tmp_path / "copy")
    of = next(read_scores(copy))
    with zipfile.ZipFile(copy / "scores.npz", "w") as archive:
        shape = (len(of.objects), len(of.frames), *grid)
        archive.writestr("0.npy", header(shape) + bytes(bytes_there))
    with pytest.raises(InputError, match=r"0\.npy (has the shape|holds|does not hold)"):
        rethreshold(copy, tmp_path / "p", 0.5)


def test_an_activity_is_a_chance(preds, tmp_path):
    copy = shutil.copytree(preds, tmp_path / "copy")
    document = json.loads((copy / "scores.json").read_text())
    entry = next(iter(document["sequences"].values()))
    entry["activity"] = dict.fromkeys(entry["activity"], 5.0)
    (copy / "scores.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match=r"activity outside \[0, 1\]"):
        rethreshold(copy, tmp_path / "p", 0.5)


def test_a_noisy_copy_is_not_predicted_nor_told_to_be_learnt(root, trained, tmp_path):
    noisy = corrupt(root, make_recipe("dilate", 0.5), out=tmp_path / "noisy").out
    with pytest.raises(InputError, match=r"Hint: give the clean dataset$"):
        predict(trained, noisy, "train", tmp_path / "p")
    with pytest.raises(InputError, match="is inside a dataset"):
        predict(trained, root, "val_human", noisy / "preds")


def test_a_full_disk_is_told_with_the_folder(root, trained, tmp_path, monkeypatch):
    def full(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np.lib.format, "write_array", full)
    with pytest.raises(OSError, match="No space left") as raised:
        predict(trained, root, "val_human", tmp_path / "p")
    assert raised.value.filename == str(tmp_path / "p")
    assert not list(tmp_path.iterdir())


def test_frames_without_masks_can_be_predicted(root, trained, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    shutil.rmtree(copy / MASKS)
    assert predict(trained, copy, "val_human", tmp_path / "p").frames == 8


def test_a_damaged_mask_whose_size_is_needed_is_an_input_error(root, trained, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    split = open_split(copy, "val_human")
    path = split.find_masks(split.sequences[0])[0]
    data = path.read_bytes()
    path.write_bytes(data[:-14] + bytes([data[-14] ^ 1]) + data[-13:])
    with pytest.raises(InputError, match="damaged or truncated"):
        predict(trained, copy, "val_human", tmp_path / "p")
