"""Links to nothing, wherever a folder of masks is read: none is passed over as if it were not."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_eval.noise_levels.runs import read_runs
from actiseg_eval.scoring.folder_scoring import score


def write_clips(root, *names, frames=4):
    for name in names:
        for frame in range(frames):
            mask = np.zeros((9, 9), np.uint8)
            mask[frame : frame + 3, 2:6] = 1
            write_index_mask(root / name / f"{frame:05d}.png", mask)
    return root


def break_link(path, target="gone"):
    """In place of what is there, a link to nothing."""
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


def refused(read, *arguments, **options):
    with pytest.raises(InputError) as caught:
        read(*arguments, **options)
    return [(problem.where, problem.what) for problem in caught.value.problems]


def is_a_link(path, target="gone"):
    return (str(path), f"is a link to {target}, which is not there")


@pytest.fixture
def truth(tmp_path):
    return write_clips(tmp_path / "truth", "bear", "cow")


@pytest.fixture
def preds(tmp_path):
    return write_clips(tmp_path / "preds", "bear", "cow")


def test_a_sequence_of_the_truth_is_not_left_out_because_its_link_is_broken(truth, preds):
    break_link(truth / "cow")
    assert refused(score, preds, gt=truth, protocol="davis") == [is_a_link(truth / "cow")]
    break_link(truth / "bear")
    both = [is_a_link(truth / name) for name in ("bear", "cow")]
    assert refused(score, preds, gt=truth, protocol="davis") == both


@pytest.mark.parametrize("missing", ["error", "empty"])
def test_a_broken_link_of_predictions_is_no_blank_sequence(truth, preds, missing):
    break_link(preds / "cow")
    assert refused(score, preds, gt=truth, protocol="davis", missing=missing) == [
        is_a_link(preds / "cow")
    ]


def test_a_broken_link_to_an_objects_folder_is_no_blank_object(truth, tmp_path):
    preds = tmp_path / "objects"
    for name in ("bear", "cow"):
        write_clips(preds / name, "1")
    break_link(preds / "cow" / "02")
    assert refused(score, preds, gt=truth, protocol="davis") == [is_a_link(preds / "cow" / "02")]


def test_a_link_to_itself_is_named_itself(truth, preds):
    break_link(preds / "cow", "cow")
    assert refused(score, preds, gt=truth, protocol="davis") == [is_a_link(preds / "cow", "cow")]


def test_what_nobody_asked_for_may_be_broken(truth, preds):
    for name in ("old_run", "notes.txt", "bear/overlay.jpg"):
        break_link(preds / name)
    assert score(preds, gt=truth, protocol="davis").metrics["j"] == 1
    (truth / "readme.txt").symlink_to("gone")
    assert score(preds, gt=truth, protocol="davis").metrics["j"] == 1


@pytest.mark.parametrize("place", ["", "Annotations", "Annotations/480p", "ImageSets"])
def test_broken_links_in_a_root_are_named(truth, preds, tmp_path, place):
    root = tmp_path / "DAVIS"
    shutil.copytree(truth, root / "Annotations" / "480p")
    (root / "ImageSets").mkdir()
    (root / "ImageSets" / "val.txt").write_text("bear\n")
    break_link(root / place)
    assert refused(score, preds, gt=root, protocol="davis") == [is_a_link(root / place)]


@pytest.mark.parametrize("name", ["preds", "preds.json"])
def test_the_predictions_themselves_may_be_a_broken_link(truth, tmp_path, name):
    break_link(tmp_path / name)
    assert refused(score, tmp_path / name, gt=truth, protocol="davis") == [
        is_a_link(tmp_path / name)
    ]


def test_no_level_or_method_is_left_out_because_its_link_is_broken(tmp_path):
    for level in ("clean", "0.2", "0.4"):
        write_clips(tmp_path / "runs" / "plain" / level, "bear")
    break_link(tmp_path / "runs" / "plain" / "0.4")
    assert refused(read_runs, tmp_path / "runs") == [is_a_link(tmp_path / "runs" / "plain" / "0.4")]
    break_link(tmp_path / "runs" / "other")
    assert is_a_link(tmp_path / "runs" / "other") in refused(read_runs, tmp_path / "runs")
