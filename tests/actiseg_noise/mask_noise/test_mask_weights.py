"""Training weights of noisy masks: what a public loader opens, and that no clean outline shows."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from actiseg_data.annotations.masks import (
    IndexMask,
    digest_pixels,
    read_index_mask,
    write_index_mask,
)
from actiseg_data.annotations.sequences import VideoSequence
from actiseg_data.core.errors import InputError, Interruption
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import MASKS, WEIGHTS
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.split_documents import read_digests, read_summary
from actiseg_noise.corruption import copy_writing
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.mask_noise.mask_weights import derive_weights, weigh_objects
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.split.partial_split import name_partial_folder
from actiseg_noise.verification.verification import verify
from tests.helpers.kitchens import kitchen_clip, make_kitchen
from tests.helpers.public_loader import load_as_published
from tests.helpers.roots import add_frames, add_weights, clip, draw_mask, make_root

BOUNDARY = make_recipe("boundary", 1.0)
MIXED = make_recipe("mixed", 0.7)
TEXT = make_recipe("text", 0.6)


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    root = make_kitchen(tmp_path / "clean", 6)
    add_frames(root)
    add_weights(root)
    return root


@pytest.mark.parametrize("recipe", [BOUNDARY, MIXED, TEXT], ids=["boundary", "mixed", "text"])
def test_a_public_loader_finds_every_file_that_it_opens(kitchen, tmp_path, recipe):
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    assert load_as_published(out, "train") == 12
    assert verify(out, kitchen).counts["weights"] == 12
    assert verify(out, kitchen).ok


def leaks(noisy: IndexMask, weights: IndexMask) -> int:
    """Pixels whose weight is another than most have of their object on their side of the box, which
    is the left half of the frame."""
    cells = noisy.astype(int) * 2 + (np.arange(noisy.shape[1]) < noisy.shape[1] // 2)
    return sum(
        int(np.count_nonzero(cells == cell) - np.bincount(weights[cells == cell]).max())
        for cell in np.unique(cells)
    )


@pytest.mark.parametrize("recipe", [BOUNDARY, MIXED], ids=["boundary", "mixed"])
def test_no_weight_gives_the_clean_outline_away(kitchen, tmp_path, recipe):
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    noisy, clean = open_split(out, "train"), open_split(kitchen, "train")
    published = 0
    for sequence in noisy.sequences:
        for frame, mask in zip(sequence.frames, noisy.iterate_masks(sequence), strict=True):
            name = f"{frame}.png"
            assert leaks(mask, read_index_mask(noisy.find_folder(WEIGHTS, sequence) / name)) == 0
            published += leaks(mask, read_index_mask(clean.find_folder(WEIGHTS, sequence) / name))
    assert published > 1000  # the clean maps beside noisy masks would tell


def test_weights_follow_from_the_noisy_mask_and_the_objects_values_alone():
    """Another clean outline with the same values gives the same weights."""
    first, second = np.zeros((40, 60), np.uint8), np.zeros((40, 60), np.uint8)
    first[5:20, 5:40] = 1
    second[9:30, 2:45] = 1
    first[30:35, 50:55] = second[2:9, 46:59] = 2
    noisy = np.roll(first, 3, axis=0)
    box = np.arange(60) < 25
    maps = []
    for clean in (first, second):
        weights = np.ones_like(clean)
        weights[clean == 1] = 2
        weights[(clean == 1) & box] = 4
        weights[clean == 2] = 3
        maps.append(derive_weights(noisy, weigh_objects(clean, weights)))
    assert (maps[0] == maps[1]).all()
    expected = np.where(noisy == 1, np.where(box, 4, 2), np.where(noisy == 2, 3, 1))
    assert (maps[0] == expected).all()


def test_clean_masks_have_their_clean_weights_again():
    sequence = kitchen_clip(1)
    for frame in sequence.frames:
        mask = draw_mask(sequence, frame)
        weights = np.ones_like(mask)
        box = np.arange(mask.shape[1]) < 80
        for item in sequence.objects:
            weights[mask == item.object_id] = 3 if not item.positive else 2
            weights[(mask == item.object_id) & box & item.positive] = 4
        assert (derive_weights(mask, weigh_objects(mask, weights)) == weights).all()


def test_the_end_of_a_touched_thing_is_no_side_of_a_box():
    """The published box of a thing leaves out its last row and column; another part of the thing
    may lie beyond. Neither tells how far a dilated thing was from its clean outline."""
    clean = np.zeros((30, 60), np.uint8)
    clean[10:20, 10:20] = 1
    weights = np.where(clean == 1, 4, 1).astype(np.uint8)
    weights[19, 10:20] = weights[10:20, 19] = 2
    assert weigh_objects(clean, weights)[1].outside == 4
    clean[12:18, 40:50] = 1  # not held
    weights[12:18, 40:50] = 2
    value = weigh_objects(clean, weights)[1]
    assert value.inside == value.outside == 4


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([2, 2, 2, 1], 2),  # most of its pixels
        ([3, 3, 1, 1], 1),  # of equals the lowest
        ([1, 1, 1, 1], 1),
        ([3, 3, 3, 3], 3),
    ],
)
def test_an_object_has_the_weight_of_most_of_its_pixels(weights, expected):
    clean = np.full((1, 4), 7, np.uint8)
    value = weigh_objects(clean, np.array([weights], np.uint8))[7]
    assert (value.inside, value.outside) == (expected, expected)


def test_an_object_that_was_not_in_sight_weighs_nothing_more():
    values = weigh_objects(np.zeros((2, 2), np.uint8), np.ones((2, 2), np.uint8))
    assert values == {}
    assert (derive_weights(np.full((2, 2), 9, np.uint8), values) == 1).all()


SMALL = (6, 9)
PIXELS = arrays(np.uint8, SMALL, elements=st.integers(0, 3))


@given(clean=PIXELS, weights=arrays(np.uint8, SMALL, elements=st.integers(1, 4)), noisy=PIXELS)
def test_weights_are_constant_over_object_and_box(clean, weights, noisy):
    values = weigh_objects(clean, weights)
    found = derive_weights(noisy, values)
    for object_id in range(4):
        value = values.get(object_id)
        inside = np.zeros(SMALL, bool)
        if value is not None:
            inside[value.window] = True
            assert {value.inside, value.outside} <= set(weights[clean == object_id].tolist())
        for part, wanted in ((inside, "inside"), (~inside, "outside")):
            cell = found[(noisy == object_id) & part]
            assert (cell == (1 if value is None else getattr(value, wanted))).all()


def test_weights_can_be_left_out_and_the_summary_says_so(kitchen, tmp_path):
    for recipe in (BOUNDARY, TEXT):
        done = corrupt(kitchen, recipe, out=tmp_path / recipe.noises[0].kind, weights="none")
        assert done.summary["weights"] == "none: left out, as asked"
        assert not (done.out / WEIGHTS).exists()
        assert verify(done.out, kitchen).ok
    other = corrupt(kitchen, BOUNDARY, out=tmp_path / "with")
    assert other.summary["weights"] == "derived"
    with pytest.raises(InputError, match="recipe is the same, but its sequences, frames, weights"):
        corrupt(kitchen, BOUNDARY, out=other.out, weights="none")
    with pytest.raises(InputError, match="weights: 'all' is unknown"):
        corrupt(kitchen, BOUNDARY, out=tmp_path / "x", weights="all")


def test_a_source_without_weights_gives_none(tmp_path):
    done = corrupt(make_root(tmp_path / "clean"), BOUNDARY, out=tmp_path / "noisy")
    assert done.summary["weights"] == "none: the source has no weights"
    assert not (done.out / WEIGHTS).exists()


def spoil(path: Path) -> None:
    weights = read_index_mask(path).copy()
    weights[0, 0] = 4 if weights[0, 0] != 4 else 1
    write_index_mask(path, weights)


@pytest.mark.parametrize("recipe", [BOUNDARY, TEXT], ids=["boundary", "text"])
def test_verify_covers_weights(kitchen, tmp_path, recipe):
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    path = sorted((out / WEIGHTS).rglob("*.png"))[0]
    name = path.relative_to(out).as_posix()
    kept = path.read_bytes()
    spoil(path)
    (line,) = verify(out).mismatches
    assert line == f"{name}: its content is not what digests.json says"
    path.unlink()
    (line,) = verify(out).mismatches
    assert line.startswith(f"{name}: ")
    path.write_bytes(kept)
    (path.parent / "more.png").write_bytes(kept)
    assert any("more.png: is not listed" in line for line in verify(out).mismatches)
    (path.parent / "more.png").unlink()
    spoil(kitchen / name)
    assert verify(out).ok
    if recipe is TEXT:
        (line,) = verify(out, kitchen).mismatches
        assert line == f"{name}: its content is not what the source says"


@pytest.mark.parametrize("recipe", [BOUNDARY, MIXED, TEXT], ids=["boundary", "mixed", "text"])
def test_forged_weights_are_found_with_the_source(kitchen, tmp_path, recipe):
    out = corrupt(kitchen, recipe, out=tmp_path / "noisy").out
    path = sorted((out / WEIGHTS).rglob("*.png"))[3]
    name = path.relative_to(out).as_posix()
    spoil(path)
    digests = read_digests(out / "digests.json") | {name: digest_pixels(read_index_mask(path))}
    write_json(out / "digests.json", digests)
    assert verify(out).ok
    assert verify(out, kitchen).mismatches == (f"{name}: its content is not what the source says",)


def test_an_identical_run_is_not_recognised_where_clean_weights_changed(kitchen, tmp_path):
    for recipe in (BOUNDARY, TEXT):
        out = corrupt(kitchen, recipe, out=tmp_path / recipe.noises[0].kind).out
        assert not corrupt(kitchen, recipe, out=out).made
        spoil(sorted((kitchen / WEIGHTS).rglob("*.png"))[-1])
        with pytest.raises(InputError, match="recipe is the same"):
            corrupt(kitchen, recipe, out=out)


@pytest.mark.parametrize("recipe", [BOUNDARY, TEXT], ids=["boundary", "text"])
def test_faulty_weights_are_all_refused_before_anything_is_written(kitchen, tmp_path, recipe):
    paths = sorted((kitchen / WEIGHTS).rglob("*.png"))
    write_index_mask(paths[0], np.zeros((120, 160), np.uint8))
    write_index_mask(paths[2], np.full((120, 160), 5, np.uint8))
    write_index_mask(paths[4], np.ones((60, 80), np.uint8))
    paths[6].unlink()
    paths[8].write_bytes(b"no picture")
    with pytest.raises(InputError) as refused:
        corrupt(kitchen, recipe, out=tmp_path / "noisy")
    assert [problem.where for problem in refused.value.problems] == [
        str(paths[number]) for number in (0, 2, 4, 6, 8)
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["clean"]
    assert corrupt(kitchen, recipe, out=tmp_path / "noisy", weights="none").made


def test_weights_are_the_same_for_a_part_and_for_more_workers(kitchen, tmp_path):
    whole = read_digests(corrupt(kitchen, MIXED, out=tmp_path / "a").out / "digests.json")
    two = corrupt(kitchen, MIXED, out=tmp_path / "b", workers=2).out
    assert read_digests(two / "digests.json") == whole
    folder = open_split(kitchen, "train").sequences[2].folder
    part = read_digests(
        corrupt(kitchen, MIXED, out=tmp_path / "c", only=[folder]).out / "digests.json"
    )
    ours = {name: digest for name, digest in whole.items() if folder in name}
    assert len(ours) == 4
    assert ours.items() <= part.items()


@pytest.mark.parametrize("recipe", [BOUNDARY, TEXT], ids=["boundary", "text"])
def test_weights_that_changed_after_an_interruption_are_made_again(
    kitchen, tmp_path, monkeypatch, recipe
):
    wanted = read_digests(corrupt(kitchen, recipe, out=tmp_path / "wanted").out / "digests.json")
    out = tmp_path / "noisy"

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(copy_writing, "write_licences", fail)
        with pytest.raises(Interruption):
            corrupt(kitchen, recipe, out=out)
    partial = sorted((name_partial_folder(out) / WEIGHTS).rglob("*.png"))
    assert len(partial) == 12
    spoil(partial[0])
    partial[5].unlink()
    times = partial[-1].stat().st_mtime_ns
    assert read_digests(corrupt(kitchen, recipe, out=out).out / "digests.json") == wanted
    assert verify(out, kitchen).ok
    assert sorted((out / WEIGHTS).rglob("*.png"))[-1].stat().st_mtime_ns == times


def longer(sequence: VideoSequence) -> VideoSequence:
    """The clip with a third frame, in which nothing is."""
    return replace(sequence, frames=(*sequence.frames, f"frame_{sequence.start + 45:010d}"))


def test_a_frame_without_objects_weighs_one_everywhere(tmp_path):
    root = make_root(tmp_path / "clean", [longer(clip(1))])
    (path,) = (root / MASKS).rglob("frame_0000000145.png")
    write_index_mask(path, np.zeros((120, 160), np.uint8))
    add_weights(root)
    out = corrupt(root, BOUNDARY, out=tmp_path / "noisy").out
    (path,) = (out / WEIGHTS).rglob("frame_0000000145.png")
    assert (read_index_mask(path) == 1).all()
    assert read_summary(out / "summary.json")["masks"] == "derived"


@pytest.mark.parametrize("place", [Path(WEIGHTS), Path(WEIGHTS, "train")])
def test_weights_behind_a_link_to_nothing_are_not_passed_over(kitchen, tmp_path, place):
    shutil.rmtree(kitchen / place)
    (kitchen / place).symlink_to("gone")
    with pytest.raises(InputError) as refused:
        corrupt(kitchen, BOUNDARY, out=tmp_path / "noisy")
    (problem,) = refused.value.problems
    assert problem.where == str(kitchen / place)
    assert problem.what == "is a link to gone, which is not there"
    assert problem.hint == "restore the target, or set `weights` to none"


def test_weights_of_whole_sequences_that_are_missing_are_told_once_each(kitchen, tmp_path):
    folders = sorted((kitchen / WEIGHTS / "train").iterdir())[2:]
    for folder in folders:
        shutil.rmtree(folder)
    with pytest.raises(InputError) as refused:
        corrupt(kitchen, TEXT, out=tmp_path / "noisy")
    assert [problem.where for problem in refused.value.problems] == list(map(str, folders))


def test_colours_for_weights_have_a_cure_for_weights(kitchen, tmp_path):
    path = sorted((kitchen / WEIGHTS).rglob("*.png"))[1]
    Image.open(path).convert("RGB").save(path)
    with pytest.raises(InputError) as refused:
        corrupt(kitchen, BOUNDARY, out=tmp_path / "noisy")
    (problem,) = refused.value.problems
    assert problem.what.startswith("is truecolour")
    assert problem.hint == "prepare the split again, or set `weights` to none"


def test_verify_calls_no_weights_a_mask(kitchen, tmp_path):
    out = corrupt(kitchen, BOUNDARY, out=tmp_path / "noisy").out
    path = sorted((out / WEIGHTS).rglob("*.png"))[0]
    path.unlink()
    assert verify(out).mismatches == (f"{path.relative_to(out).as_posix()}: is missing",)


@pytest.mark.parametrize("dtype", ["int32", "int64", ">u2", "list"])
def test_weights_are_taken_in_any_integer_dtype(dtype):
    def cast(array: IndexMask) -> object:
        return array.tolist() if dtype == "list" else array.astype(dtype)

    clean = np.array([[0, 1, 1, 2]], np.uint8)
    values = weigh_objects(cast(clean), cast(np.array([[1, 2, 2, 3]], np.uint8)))
    assert derive_weights(cast(clean), values).tolist() == [[1, 2, 2, 3]]


@pytest.mark.parametrize(
    ("clean", "weights"),
    [([[-1, 1]], [[1, 2]]), ([[300, 1]], [[1, 2]]), ([[0, 1]], [[0, 2]]), ([[0, 1]], [[2]])],
)
def test_arrays_that_hold_no_ids_or_weights_are_refused(clean, weights):
    with pytest.raises(InputError):
        weigh_objects(np.array(clean), np.array(weights))


def test_noisy_ids_below_zero_are_refused_and_do_not_wrap_around():
    with pytest.raises(InputError, match="noisy"):
        derive_weights(np.array([[-1, 1]]), {})
