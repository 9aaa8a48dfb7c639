"""What batches hold, recomputed from the files, and what is refused before."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.actionvos import FRAMES, IMAGE_SETS
from actiseg_data.layouts.opening import open_split
from actiseg_data.layouts.photograph_reading import read_rgb
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.batches.loader import BatchLoader, BatchSettings
from reference_trainer.batches.mask_grid import sample_grid
from reference_trainer.batches.tokens import (
    LENGTH,
    PARTS,
    VOCABULARY,
    WORDS,
    is_cut,
    mirror_prompt,
    split_words,
    tokenise,
)
from reference_trainer.batches.training_split import open_training_split
from tests.helpers.roots import clip, make_root
from tests.helpers.trained import odd_clips, painted_root

SETTINGS = BatchSettings(
    size=(32, 48), batch_size=2, max_frames=2, max_prompts=3, augment=True, weighted=False, seed=0
)


@pytest.fixture(scope="module")
def split_data(root):
    return open_training_split(root, "train")


def plain(**changes):
    return dataclasses.replace(SETTINGS, augment=False, max_frames=9, max_prompts=9, **changes)


def equal(one, other):
    return all(
        torch.equal(getattr(one, of.name), getattr(other, of.name))
        for of in dataclasses.fields(one)
    )


def test_every_number_of_a_batch_is_that_of_the_files(root, split_data):
    loader = BatchLoader(split_data, plain())
    split = open_split(root, "train")
    seen = set()
    for step in range(loader.steps):
        batch = loader.load_batch(0, step)
        for at, position in enumerate(loader.select_positions(0, step)):
            sequence = split.sequences[position]
            count = len(sequence.frames)
            assert batch.frame_mask[at].tolist() == [
                t < count for t in range(batch.frame_mask.shape[1])
            ]
            assert not batch.flipped[at]
            for t in range(batch.frame_mask.shape[1]):
                frame = sequence.frames[t % count]  # frames that fill up repeat the sequence
                path = split.find_folder(FRAMES, sequence) / f"{frame}.jpg"
                pixels = read_rgb(path, (32, 48)).transpose(2, 0, 1) / 255
                mean, deviation = np.array([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])
                wanted = (pixels - mean[:, None, None]) / deviation[:, None, None]
                assert np.allclose(batch.frames[at, t].numpy(), wanted, atol=1e-5)
            units = []
            for k, label in enumerate(sequence.objects):
                prompt = f"{label.name} used in the action of {sequence.narration}"
                assert batch.tokens[at, k].tolist() == tokenise(prompt).tolist()
                assert batch.active[at, k] == label.positive
                for t, frame in enumerate(sequence.frames):
                    units.append(int(batch.unit_ids[at, k, t]))
                    mask = sample_grid(read_index_mask(split.find_mask(sequence, frame)), (8, 12))
                    wanted = (mask == label.object_id) & label.positive
                    assert (batch.masks[at, k, t].numpy() == wanted).all()
            prompts = len(sequence.objects)
            assert batch.prompt_mask[at].sum() == prompts
            assert (batch.unit_ids[at, prompts:] == -1).all()
            assert (batch.masks[at, :, count:] == 0).all()
            assert not seen & set(units)
            assert len(set(units)) == len(units)
            seen |= set(units)
        assert (batch.weights == 1).all()
    assert seen == set(range(split_data.unit_count))


def test_units_of_an_object_follow_one_another_by_frame(split_data):
    loader = BatchLoader(split_data, dataclasses.replace(plain(), batch_size=9))
    batch = loader.load_batch(0, 0)
    first = batch.unit_ids[..., :1]
    steps = torch.arange(batch.unit_ids.shape[-1])
    assert ((batch.unit_ids == first + steps) | (batch.unit_ids == -1)).all()


def test_batches_depend_on_seed_and_epoch_and_on_nothing_else(split_data):
    one, two = (
        BatchLoader(split_data, SETTINGS),
        BatchLoader(split_data, dataclasses.replace(SETTINGS, cache_bytes=0)),
    )
    two.load_batch(5, 1)
    for epoch in (1, 0):
        ahead = list(two.iterate_epoch(epoch, threads=3))
        assert all(equal(one.load_batch(epoch, step), ahead[step]) for step in range(one.steps))
        assert equal(ahead[1], next(two.iterate_epoch(epoch, first=1)))
    other = BatchLoader(split_data, dataclasses.replace(SETTINGS, seed=1))
    assert [other.draw_order(e) for e in range(4)] != [one.draw_order(e) for e in range(4)]
    assert len({tuple(one.draw_order(epoch)) for epoch in range(6)}) > 1
    assert sorted(one.draw_order(3)) == list(range(len(split_data.sequences)))


def test_a_mirrored_view_is_the_other_seen_in_a_mirror(split_data):
    """Masks, pixels (but for their colours) and sides in words; remembered numbers stay."""
    still = BatchLoader(split_data, dataclasses.replace(plain(), batch_size=1))
    moved = BatchLoader(split_data, dataclasses.replace(plain(), batch_size=1, augment=True))
    flips = set()
    for epoch in range(4):
        for step in range(still.steps):
            now = moved.load_batch(epoch, step)
            (position,) = moved.select_positions(epoch, step)
            then = still.load_batch(epoch, step)
            flips.add(bool(now.flipped))
            masks = now.masks.flip(-1) if now.flipped else now.masks
            assert torch.equal(masks, then.masks)
            assert torch.equal(now.unit_ids, then.unit_ids)
            for k, prompt in enumerate(split_data.sequences[position].prompts):
                text = mirror_prompt(prompt.text) if now.flipped else prompt.text
                assert now.tokens[0, k].tolist() == tokenise(text).tolist()
            pixels = now.frames.flip(-1) if now.flipped else now.frames
            both = torch.stack([pixels.flatten(), then.frames.flatten()])
            assert torch.corrcoef(both)[0, 1] > 0.8
            assert not torch.equal(pixels, then.frames)
    assert flips == {True, False}


def test_of_long_sequences_some_frames_and_prompts_are_drawn_anew_each_epoch(split_data):
    loader = BatchLoader(split_data, dataclasses.replace(SETTINGS, batch_size=1))
    position = next(
        at for at, of in enumerate(split_data.sequences) if len(of.sequence.frames) == 4
    )
    chosen = set()
    for epoch in range(12):
        batch = loader.load_batch(epoch, loader.draw_order(epoch).index(position))
        assert batch.frames.shape[1] == 2
        assert batch.prompt_mask.sum() == 3
        assert (batch.unit_ids.diff(dim=-1) > 0).all()
        chosen.add(tuple(batch.unit_ids.flatten().tolist()))
    assert len(chosen) > 6


def test_weights_are_those_of_the_flags(split_data):
    loader = BatchLoader(split_data, dataclasses.replace(plain(), weighted=True))
    batch = loader.load_batch(0, 0)
    values = set(batch.weights.unique().tolist())
    assert 1.0 in values
    assert 5.0 in values  # within inactive objects


def test_what_is_odd_is_counted(split_data):
    assert split_data.handled == {
        "sequences_with_one_frame": 1,
        "sequences_without_active_object": 1,
        "prompts_cut": 4,
    }
    assert split_data.rendered


@pytest.mark.parametrize("style", ["promptaction", "action", "noaction"])
def test_prompts_are_in_the_style_that_was_asked(root, style):
    clip = open_training_split(root, "train", prompt_style=style).sequences[0]
    told = {"promptaction": "cup used in the action of take cup", "action": "cup, take cup"}
    assert clip.prompts[0].text == told.get(style, "cup")


def test_a_noisy_copy_gives_masks_and_prompts_and_nothing_else(root, tmp_path):
    noisy = corrupt(root, make_recipe("mixed", 0.9), out=tmp_path / "noisy").out
    clean = open_training_split(root, "train")
    overlaid = open_training_split(root, "train", noisy=noisy)
    assert (
        overlaid.recipe_digest == json.loads((noisy / "summary.json").read_text())["recipe_digest"]
    )
    texts = [[p.text for p in of.prompts] for of in overlaid.sequences]
    assert texts != [[p.text for p in of.prompts] for of in clean.sequences]
    one, two = (BatchLoader(of, plain()).load_batch(0, 0) for of in (clean, overlaid))
    assert torch.equal(one.frames, two.frames)
    assert torch.equal(one.active, two.active)
    assert not torch.equal(one.masks, two.masks)
    assert not torch.equal(one.tokens, two.tokens)


def test_a_noisy_copy_says_which_objects_are_active(root, tmp_path):
    noisy = corrupt(root, make_recipe("activity", 0.5), out=tmp_path / "noisy").out
    clean, flipped = (
        [
            prompt.positive
            for item in open_training_split(root, "train", noisy=copy).sequences
            for prompt in item.prompts
        ]
        for copy in (None, noisy)
    )
    listed = open_split(noisy, "train").sequences
    assert flipped == [label.positive for sequence in listed for label in sequence.objects]
    assert flipped != clean
    (noisy / "recipe.json").unlink()
    with pytest.raises(InputError, match="another action list"):
        open_training_split(root, "train", noisy=noisy)


def test_a_copy_of_another_list_is_refused(root, tmp_path):
    other = corrupt(root, make_recipe("dilate", 0.5, split="val_human"), out=tmp_path / "o").out
    with pytest.raises(InputError, match="noise on the split 'val_human', not on 'train'"):
        open_training_split(root, "train", noisy=other)
    part = make_root(tmp_path / "part", odd_clips()[:2])
    with pytest.raises(InputError, match="3 sequences have other frames or objects"):
        open_training_split(root, "train", noisy=part)
    assert any((other / "JPEGImages_Sparse").glob("*/*/*.jpg")), "corrupt has linked the frames"
    with pytest.raises(
        InputError, match=r"is a noisy split, but frames are read from the clean dataset.*as noisy"
    ):
        open_training_split(other, "val_human")


def test_a_photograph_that_is_a_link_to_nothing_can_be_copied(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    path = next(copy.rglob("*.jpg"))
    path.unlink()
    path.symlink_to("gone.jpg")
    for read in (lambda: open_training_split(copy, "train"), lambda: read_rgb(path)):
        with pytest.raises(InputError, match=r"link to gone\.jpg.*corrupt --images copy"):
            read()


def test_an_unknown_prompt_style_is_refused_with_the_nearest(root):
    with pytest.raises(InputError, match=r"prompt_style: .*did you mean 'noaction'.*use one of"):
        open_training_split(root, "train", prompt_style="noactoin")


def test_missing_frames_are_refused_with_the_cure(root, tmp_path):
    bare = make_root(tmp_path / "bare")
    with pytest.raises(InputError, match=r"any of 12 frames.*--images.*actiseg-noise render"):
        open_training_split(bare, "train")
    copy = shutil.copytree(root, tmp_path / "copy")
    next(copy.rglob("*.jpg")).unlink()
    with pytest.raises(InputError, match=r"no image for 1 of 11 frames: .*/frame_\d+\. Hint: add"):
        open_training_split(copy, "train")


def renamed(root, ending):
    """A copy of a root whose photographs have another ending, and are PNGs where it says so."""
    for path in root.rglob("*.jpg"):
        with Image.open(path) as image:
            image.save(path.with_suffix(ending), "PNG" if ending.lower() == ".png" else "JPEG")
        path.unlink()
    return root


@pytest.mark.parametrize("ending", [".JPG", ".jpeg", ".PNG"])
def test_photographs_are_learnt_from_under_any_ending(root, tmp_path, ending):
    copy = renamed(shutil.copytree(root, tmp_path / "copy"), ending)
    one = BatchLoader(open_training_split(root, "train"), plain()).load_batch(0, 0)
    other = BatchLoader(open_training_split(copy, "train"), plain()).load_batch(0, 0)
    assert torch.equal(one.masks, other.masks)
    assert (one.frames - other.frames).abs().mean() < 0.1  # a second JPEG of the first


def test_photographs_of_another_aspect_are_all_refused_before_the_work(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    odd = sorted(copy.rglob("*.jpg"))[:2]
    Image.new("RGB", (160, 160)).save(odd[0])
    Image.new("RGB", (120, 160)).save(odd[1])
    Image.new("RGB", (320, 240)).save(sorted(copy.rglob("*.jpg"))[2])  # twice the size is fine
    with pytest.raises(InputError) as refused:
        open_training_split(copy, "train")
    assert [(problem.where, problem.what) for problem in refused.value.problems] == [
        (str(odd[0]), "has 160 x 160 pixels, but its mask has 160 x 120: another aspect ratio"),
        (str(odd[1]), "has 120 x 160 pixels, but its mask has 160 x 120: another aspect ratio"),
    ]


def absence(root):
    with pytest.raises(InputError) as refused:
        open_training_split(root, "train")
    (problem,) = refused.value.problems
    assert problem.where == str(root / FRAMES)
    assert "actiseg-noise render" in problem.hint
    return problem.what.replace(f"{root}/", ""), problem.hint.replace(f"{root}/", "")


def test_frames_in_an_archive_are_to_be_unpacked(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    shutil.rmtree(copy / FRAMES / "train")
    (copy / FRAMES / "train.zip").touch()
    what, hint = absence(copy)
    assert what == f"there is no image for any of 11 frames; {FRAMES} holds train.zip"
    assert hint.startswith("unpack train.zip, or render")


def test_frames_a_folder_deeper_are_to_be_moved(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    (copy / "frames").mkdir()
    (copy / FRAMES).rename(copy / "frames" / FRAMES)
    assert absence(copy)[1].startswith(f"move what is in frames to {copy}, or render")


def test_frames_under_running_numbers_are_named(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    for folder in (copy / FRAMES / "train").iterdir():
        for number, path in enumerate(sorted(folder.iterdir())):
            path.rename(folder / f"{number:05d}.jpg")
    what, hint = absence(copy)
    assert "holds 00000.jpg, 00001.jpg; frames are called frame_0000000101" in what
    assert hint.startswith("rename the photographs as the frames are called")


def test_some_frames_without_a_picture_are_counted_and_the_first_named(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    for path in sorted(copy.rglob("*.jpg"))[:5]:
        path.unlink()
    what, _ = absence(copy)
    assert what.startswith("there is no image for 5 of 11 frames: 00000001_P01_01_take_cup:big/")
    assert what.endswith(" and 2 more")


def test_frames_without_masks_that_lack_for_some_sequences_are_refused(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    shutil.rmtree(copy / "Annotations_Sparse")
    shutil.rmtree(next((copy / FRAMES / "train").iterdir()))
    with pytest.raises(InputError, match=r"no image for \d of 11 frames"):
        open_training_split(copy, "train", needs_masks=False)
    shutil.rmtree(copy / FRAMES)
    with pytest.raises(InputError, match="no image for any of 11 frames"):
        open_training_split(copy, "train", needs_masks=False)


def test_faulty_files_of_a_batch_are_all_named(root, tmp_path):
    copy = shutil.copytree(root, tmp_path / "copy")
    split_data = open_training_split(copy, "train")
    sequence = split_data.sequences[0].sequence
    whole = split_data.clean.find_frame(sequence, sequence.frames[0]).read_bytes()
    split_data.clean.find_frame(sequence, sequence.frames[0]).write_bytes(whole[: len(whole) // 2])
    split_data.clean.find_frame(sequence, sequence.frames[1]).write_bytes(b"no picture")
    mask = split_data.clean.find_mask(sequence, sequence.frames[0])
    write_index_mask(mask, np.full((120, 160), 99, np.uint8))
    with pytest.raises(InputError) as refused:
        BatchLoader(split_data, dataclasses.replace(SETTINGS, batch_size=9)).load_batch(0, 0)
    told = sorted(problem.what for problem in refused.value.problems)
    assert len(told) == 3
    assert told[0].startswith("has the ids 99")
    assert told[1].startswith("is damaged or truncated")
    assert told[2] == "is not a readable image"


def test_unknown_styles_missing_prompts_and_empty_splits_are_refused(root, tmp_path):
    with pytest.raises(InputError, match="is unknown"):
        open_training_split(root, "train", prompt_style="verbose")
    copy = shutil.copytree(root, tmp_path / "copy")
    file = copy / IMAGE_SETS / "train_meta_expressions_action.json"
    document = json.loads(file.read_text())
    document["videos"].popitem()
    file.write_text(json.dumps(document))
    with pytest.raises(InputError, match="has no prompt"):
        open_training_split(copy, "train", prompt_style="action")
    file.unlink()
    with pytest.raises(InputError, match="give prompt_style promptaction"):
        open_training_split(copy, "train", prompt_style="action")
    (copy / IMAGE_SETS / "train.json").write_text("[]")
    with pytest.raises(InputError, match="the action list is empty"):
        open_training_split(copy, "train")


def test_tokens_are_a_fixed_rule():
    row = tokenise("Left  HAND, take cup").reshape(WORDS, PARTS)
    assert row.shape == (WORDS, PARTS)
    assert row.size == LENGTH
    assert row[:4, 0].tolist() == [hashed("word", of) for of in ("left", "hand", "take", "cup")]
    assert row[3, 1:4].tolist() == [hashed("run", of) for of in ("<cu", "cup", "up>")]
    assert (row[4:] == 0).all()
    assert ((row >= 0) & (row < VOCABULARY)).all()
    assert (row[:4] > 0).sum(1).tolist() == [1 + 4, 1 + 4, 1 + 4, 1 + 3]
    assert (tokenise("left hand take cup") == row.ravel()).all()
    assert split_words("cup-board's") == ["cup", "board", "s"]
    assert (tokenise("") == 0).all()
    assert is_cut("cup " * 25)
    assert not is_cut("cup " * 24)
    assert (tokenise("cup " * 99) == tokenise("cup " * 24)).all()


def hashed(kind, text):
    """The rule in words of the standard library: BLAKE2b of a JSON list, scaled to the range."""
    listed = json.dumps([0, 1, f"token.{kind}", text], separators=(",", ":"))
    digest = hashlib.blake2b(listed.encode(), digest_size=32).digest()
    return 1 + int.from_bytes(digest, "little") * (VOCABULARY - 1) // 2**256


@given(st.lists(st.sampled_from(["left", "Right", "LEFT", "cup", "İ", "leftover", "_", "-", " "])))
def test_the_mirror_swaps_the_words_that_are_read(parts):
    prompt = "".join(parts)
    other = {"left": "right", "right": "left"}
    assert split_words(mirror_prompt(prompt)) == [
        other.get(word, word) for word in split_words(prompt)
    ]
    assert split_words(mirror_prompt("Left hand of LEFT_side")) == [
        "right",
        "hand",
        "of",
        "right",
        "side",
    ]


def test_words_share_parts_with_their_relatives():
    def parts(word):
        return set(tokenise(word)) - {0}

    assert len(parts("carrot") & parts("carrots")) >= 5
    assert not parts("carrot") & parts("knife")


def test_a_sequence_of_one_frame_alone_can_be_learnt_from(tmp_path):
    root = painted_root(tmp_path / "one", [clip(4, frames=("frame_0000000401",))])
    batch = BatchLoader(open_training_split(root, "train"), SETTINGS).load_batch(0, 0)
    assert batch.frames.shape[:2] == (1, 1)
