"""Folders of masks become datasets with neutral labels."""

from __future__ import annotations

import json

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import IMAGE_SETS, MASKS
from actiseg_data.layouts.opening import open_split
from actiseg_data.make.prepare.mask_preparation import prepare_masks
from actiseg_data.records.licence_terms import identify_licences
from tests.helpers.command import run


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "masks"
    for name, ids in (("bear", (0, 7)), ("two cows", (1, 2)), ("void", (0, 0))):
        (root / name).mkdir(parents=True)
        for number, object_id in enumerate(ids):
            mask = np.full((6, 8), 0, np.uint8)
            mask[2:4, 2:] = object_id
            write_index_mask(root / name / f"{number:05d}.png", mask)
    return root


def test_masks_are_copied_and_objects_are_listed(folder, tmp_path):
    done = run("prepare", "masks", folder, "--split", "val", "--out", tmp_path / "root")
    assert done.returncode == 0, done.stderr
    assert "3 sequences, 6 masks, 3 objects\n1 sequence shows no object" in done.stdout
    assert "licence of the masks is not known" in done.stdout
    split = open_split(tmp_path / "root", "val")
    found = {sequence.video: sequence for sequence in split.sequences}
    assert found["bear"].identity == ("bear_segment_objects", "00000", "00001", 0)
    assert [(label.object_id, label.name) for label in found["two cows"].objects] == [
        (1, "object 1"),
        (2, "object 2"),
    ]
    for sequence in split.sequences:
        for path in split.find_masks(sequence):
            assert path.read_bytes() == (folder / sequence.video / path.name).read_bytes()
    with pytest.raises(InputError, match="does not state one known licence"):
        identify_licences(tmp_path / "root")


def test_folders_without_masks_are_counted(folder, tmp_path):
    (folder / "empty").mkdir()
    done = run("prepare", "masks", folder, "--split", "val", "--out", tmp_path / "root")
    assert "3 sequences" in done.stdout
    assert "1 folder has no mask: left out" in done.stdout


def test_a_list_of_the_folder_chooses_the_sequences(folder, tmp_path):
    lists = tmp_path / "davis" / "ImageSets" / "2017"
    lists.mkdir(parents=True)
    (lists / "val.txt").write_text("bear\n")
    (lists / "train.txt").write_text("two cows\n")
    (tmp_path / "davis" / "Annotations").mkdir()
    folder.rename(tmp_path / "davis" / "Annotations" / "480p")
    prepare_masks(tmp_path / "davis", "train", tmp_path / "root")
    (sequence,) = open_split(tmp_path / "root", "train").sequences
    assert sequence.video == "two cows"
    assert (tmp_path / "root" / MASKS / "train").is_dir()


def test_the_licence_is_that_of_the_folder_or_the_given_one(folder, tmp_path):
    (folder / "LICENSE.txt").write_text("Copyright 2017")
    prepare_masks(folder, "val", tmp_path / "own")
    assert (tmp_path / "own" / "LICENSE").read_text() == "Copyright 2017"
    prepare_masks(folder, "val", tmp_path / "given", licence="CC-BY-4.0")
    (terms,) = identify_licences(tmp_path / "given")
    assert terms.identifier == "CC-BY-4.0"
    assert "Copyright 2017" in (tmp_path / "given" / "LICENSE").read_text()
    with pytest.raises(InputError, match="unknown"):
        prepare_masks(folder, "val", tmp_path / "none", licence="CC-BY-5.0")


def test_faulty_masks_and_places_are_refused(folder, tmp_path, sample):
    write_index_mask(folder / "bear" / "00001.png", np.zeros((5, 8), np.uint8))
    (folder / "void" / "00000.png").write_bytes(b"nothing")
    with pytest.raises(InputError) as refused:
        prepare_masks(folder, "val", tmp_path / "root")
    assert {problem.where.rpartition("masks/")[2] for problem in refused.value.problems} == {
        "bear/00001.png",
        "void/00000.png",
    }
    with pytest.raises(InputError, match="has labels already"):
        prepare_masks(sample, "val", tmp_path / "root")
    with pytest.raises(InputError, match="inside"):
        prepare_masks(folder, "val", folder / "root")
    assert not (tmp_path / "root").exists()


def test_void_pixels_stay_and_are_no_object(folder, tmp_path):
    for name in ("bear", "void"):
        mask = np.zeros((6, 8), np.uint8)
        mask[0] = 255
        write_index_mask(folder / name / "00000.png", mask)
    done = run("prepare", "masks", folder, "--split", "val", "--out", tmp_path / "root")
    assert "3 objects\n2 masks have void pixels (255), which are no object\n1 seq" in done.stdout
    split = open_split(tmp_path / "root", "val")
    assert {s.video: s.object_ids for s in split.sequences} == {
        "bear": {7},
        "two cows": {1, 2},
        "void": set(),
    }
    (sequence,) = (s for s in split.sequences if s.video == "bear")
    assert (next(split.iterate_masks(sequence))[0] == 255).all()


def test_255_is_the_object_of_binary_masks(folder, tmp_path):
    for path in folder.rglob("*.png"):
        mask = read_index_mask(path)
        write_index_mask(path, np.where(mask, 255, 0).astype(np.uint8))
    made = prepare_masks(folder, "val", tmp_path / "root")
    assert (made.objects, made.void, made.empty) == (2, 0, 1)
    ids = [sequence.object_ids for sequence in open_split(tmp_path / "root", "val").sequences]
    assert sorted(map(len, ids)) == [0, 1, 1]


def test_the_same_folder_gives_the_same_lists(folder, tmp_path):
    for name in ("one", "two"):
        prepare_masks(folder, "val", tmp_path / name)
    for path in (tmp_path / "one" / IMAGE_SETS).iterdir():
        assert path.read_bytes() == (tmp_path / "two" / IMAGE_SETS / path.name).read_bytes()
        json.loads(path.read_text())
