"""`audit` finds noisy and clean masks in every folder that `score` accepts."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import MASKS
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.measurement.auditing import audit
from actiseg_noise.measurement.inspection import inspect
from actiseg_noise.recipes.presets import load_preset
from actiseg_noise.verification.verification import verify
from tests.helpers.roots import make_root


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return make_root(tmp_path_factory.mktemp("audited") / "clean")


@pytest.fixture(scope="module")
def masked(kitchen, tmp_path_factory):
    out = tmp_path_factory.mktemp("masked") / "noisy"
    return corrupt(kitchen, load_preset("actiseg-nl/mask-9").make_recipe(), out=out).out


def move(source, target):
    target.parent.mkdir(parents=True, exist_ok=True)
    return shutil.copytree(source, target)


@pytest.mark.parametrize(
    ("below", "kept"),
    [
        ("Annotations_Sparse", "train"),
        ("", "train"),
        ("", ""),
        ("Annotations_Sparse", ""),
    ],
)
def test_masks_are_read_from_the_folders_that_score_accepts(kitchen, masked, tmp_path, below, kept):
    theirs = tmp_path / "theirs"
    move(masked / MASKS / "train", theirs / below / kept)
    first = next((theirs / below / kept).iterdir())
    for name in ("._frame_0000000101.png", "Thumbs.db", ".DS_Store"):
        (first / name).write_bytes(b"\0\5")
    (theirs / "__MACOSX" / "train").mkdir(parents=True)
    own, found = audit(masked), audit(theirs, clean=kitchen)
    assert found.split == "train"
    assert found.masks == own.masks
    assert found.masks.missing == 0


def test_clean_masks_may_be_a_plain_folder_too(kitchen, masked, tmp_path):
    clean = move(kitchen / MASKS / "train", tmp_path / "clean")
    theirs = move(masked / MASKS / "train", tmp_path / "dilation_9by9")
    found = audit(theirs, clean=clean)
    assert (found.split, found.masks.positive, found.masks.by_class) == (None, None, {})
    assert found.masks.all.iou == audit(masked).masks.all.iou
    assert "action lists" in found.left_out["claims on masks"]
    nothing = audit(clean, clean=clean)
    assert nothing.masks.untouched


def test_masks_under_another_spelling_are_measured(kitchen, masked, tmp_path):
    theirs = move(masked / MASKS / "train", tmp_path / "theirs")
    folder = next(path for path in theirs.iterdir())
    for path in sorted(folder.iterdir()):
        path.rename(path.with_suffix(".PNG"))
    colon = next(path for path in theirs.iterdir() if ":" in path.name)
    colon.rename(theirs / colon.name.replace(":", "%3A"))
    found = audit(theirs, clean=kitchen)
    assert found.masks == audit(masked).masks


def test_frames_on_disk_are_in_the_order_of_their_numbers(tmp_path):
    mask = np.ones((6, 8), np.uint8)
    for number in range(11):
        write_index_mask(tmp_path / "noisy" / "a" / f"{number}.png", mask)
    write_index_mask(tmp_path / "noisy" / "a" / "10_org.png", mask * 2)
    found = audit(tmp_path / "noisy")
    assert [change.place[1] for change in found.masks.changes] == list(map(str, range(11)))
    assert found.masks.all.touched == 1


def test_all_masks_of_another_size_are_listed(kitchen, masked, tmp_path):
    theirs = move(masked / MASKS / "train", tmp_path / "theirs")
    for path in sorted(next(theirs.iterdir()).iterdir()):
        write_index_mask(path, read_index_mask(path)[:-1])
    with pytest.raises(InputError) as caught:
        audit(theirs, clean=kitchen)
    assert len(caught.value.problems) == 2


def test_untouched_masks_that_claim_noise_are_found(kitchen, tmp_path):
    copied = move(kitchen / MASKS / "train", tmp_path / "mask-9")
    found = audit(copied, clean=kitchen)
    assert found.masks.untouched
    assert any("no active object grew" in line for line in found.findings)


@pytest.mark.parametrize(
    ("name", "said"),
    [("DAVIS/Annotations/480p/bear/00000.png", "is DAVIS"), ("noisy.zip", "is an archive")],
)
def test_other_datasets_are_named(tmp_path, name, said):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    given = tmp_path / name.split("/")[0]
    with pytest.raises(InputError, match=said):
        audit(given)
    for look in (inspect, verify):
        with pytest.raises(InputError, match=said.replace("is ", "is not a noisy split, but ")):
            look(given)


def test_a_folder_around_a_noisy_split_is_recognised(masked, tmp_path):
    around = tmp_path / "around"
    move(masked, around / "split")
    for look in (inspect, verify):
        with pytest.raises(InputError, match="the folder that contains one") as caught:
            look(around)
        assert caught.value.problems[0].hint == f"give {around / 'split'}"
