"""Batches of untouched labels, recomputed from the files of the clean dataset and of the copy."""

from __future__ import annotations

import dataclasses
import shutil

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in the extra [train]")

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.core.documents import read_json
from actiseg_data.core.errors import InputError
from actiseg_data.core.files import write_json
from actiseg_data.layouts.actionvos import IMAGE_SETS
from actiseg_noise.corruption.corruption import corrupt
from actiseg_noise.recipes.building import make_recipe
from reference_trainer.batches.content_digest import digest_content
from reference_trainer.batches.loader import BatchLoader, BatchSettings
from reference_trainer.batches.mask_grid import sample_grid
from reference_trainer.batches.tokens import tokenise
from reference_trainer.batches.training_split import (
    open_training_split,
    read_clean_prompts,
    read_labelled_prompts,
)
from reference_trainer.batches.untouched_labels import restrict_to_untouched

SETTINGS = BatchSettings(
    size=(32, 48), batch_size=2, max_frames=9, max_prompts=9, augment=False, weighted=True, seed=0
)
EXPRESSIONS = "train_meta_expressions_promptaction.json"


def open_pair(root, noisy):
    """The split with all labels of a copy, and with those that are untouched."""
    split = open_training_split(root, "train", noisy=noisy)
    return split, restrict_to_untouched(split)


@pytest.fixture(scope="module")
def noisy(root, tmp_path_factory):
    """Without recipe and ledger, as a copy of others."""
    out = tmp_path_factory.mktemp("untouched") / "noisy"
    corrupt(root, make_recipe("mixed", 0.5), out=out)
    for name in ("recipe.json", "summary.json", "ledger.jsonl"):
        (out / name).unlink()
    return out


def list_batches(split, settings=SETTINGS, epoch=0):
    """Each sequence of an epoch alone: the folder and its batch."""
    loader = BatchLoader(split, dataclasses.replace(settings, batch_size=1))
    order = loader.draw_order(epoch)
    return [
        (split.sequences[position].sequence.folder, loader.load_batch(epoch, step))
        for step, position in enumerate(order)
    ]


def test_prompts_and_masks_that_noise_changed_are_not_in_batches(root, noisy):
    split, untouched = open_pair(root, noisy)
    clean = {item.sequence.folder: item for item in read_clean_prompts(split)}
    labelled = {item.sequence.folder: item for item in split.sequences}
    assert {type(item) for item in clean.values()} == {type(split.sequences[0])}
    counts = {"prompts": 0, "dropped": 0, "known": 0, "unknown": 0}
    for folder, batch in list_batches(untouched):
        item, true = labelled[folder], clean[folder]
        texts = {prompt.object_id: prompt.text for prompt in true.prompts}
        kept = [prompt for prompt in item.prompts if prompt.text == texts[prompt.object_id]]
        counts["prompts"] += len(kept)
        counts["dropped"] += len(item.prompts) - len(kept)
        tokens = torch.from_numpy(np.stack([tokenise(prompt.text) for prompt in kept]))
        assert torch.equal(batch.tokens[0], tokens)
        assert batch.active[0].tolist() == [float(prompt.positive) for prompt in kept]
        for row, prompt in enumerate(kept):
            for frame, name in enumerate(item.sequence.frames):
                masks = [
                    read_index_mask(side / "Annotations_Sparse" / "train" / folder / f"{name}.png")
                    == prompt.object_id
                    for side in (noisy, root)
                ]
                same = bool((masks[0] == masks[1]).all())
                counts["known" if same else "unknown"] += 1
                assert batch.unit_mask[0, row, frame].item() == same
                shown = torch.from_numpy(sample_grid(masks[0].astype(np.uint8), (8, 12)))
                expected = shown * (same and prompt.positive)
                assert torch.equal(batch.masks[0, row, frame], expected.float())
                outside = batch.weights[0, row, frame][shown == 0]
                assert same or (outside == 1).all()
                assert same or (batch.weights[0, row, frame] == 1).all()
    assert all(counts.values()), counts
    assert untouched.handled["changed_prompts_left_out"] >= counts["dropped"]
    assert untouched.prompt_count == counts["prompts"]


def test_order_frames_and_views_are_those_of_all_labels(root, noisy):
    split, untouched = open_pair(root, noisy)
    settings = dataclasses.replace(SETTINGS, augment=True, max_frames=2)
    for epoch in (0, 1):
        whole = list_batches(split, settings, epoch)
        part = list_batches(untouched, settings, epoch)
        folders = [folder for folder, _ in part]
        assert folders == [folder for folder, _ in whole if folder in folders]
        known = dict(whole)
        for folder, batch in part:
            assert torch.equal(batch.frames, known[folder].frames)
            assert torch.equal(batch.flipped, known[folder].flipped)


def test_units_have_numbers_of_their_own(root, noisy):
    _, untouched = open_pair(root, noisy)
    units = torch.cat([batch.unit_ids.flatten() for _, batch in list_batches(untouched)])
    assert sorted(units.tolist()) == list(range(untouched.unit_count))


def test_all_labels_are_learned_otherwise(root, noisy):
    split, _ = open_pair(root, noisy)
    for _, batch in list_batches(split):
        assert torch.equal(batch.unit_mask, batch.unit_ids >= 0)


def change_prompts(copy, count):
    """Change all prompts of the first sequences."""
    file = copy / IMAGE_SETS / EXPRESSIONS
    document = read_json(file, "prompts")
    for video in list(document["videos"].values())[:count]:
        for expression in video["expressions"].values():
            expression["exp"] = f"odd {expression['exp']}"
    file.unlink()
    write_json(file, document)


def test_a_sequence_without_an_untouched_prompt_is_left_out_and_counted(root, noisy, tmp_path):
    copy = shutil.copytree(noisy, tmp_path / "copy", symlinks=False)
    change_prompts(copy, 2)
    split, untouched = open_pair(root, copy)
    left_out = {item.sequence.folder for item in split.sequences}
    left_out -= {item.sequence.folder for item in untouched.sequences}
    assert len(left_out) >= 2
    assert untouched.handled["sequences_left_out"] == len(left_out)
    missing = split.prompt_count - untouched.prompt_count
    assert untouched.handled["changed_prompts_left_out"] == missing
    assert len(read_labelled_prompts(untouched)) == len(split.sequences)  # for the meter
    change_prompts(copy, None)
    with pytest.raises(InputError, match="changes all prompts"):
        open_pair(root, copy)


def test_flags_that_were_flipped_are_changed_labels(root, tmp_path):
    noisy = corrupt(root, make_recipe("activity", 0.5), out=tmp_path / "noisy").out
    split, untouched = open_pair(root, noisy)
    true = {
        (item.sequence.folder, prompt.object_id): prompt.positive
        for item in read_clean_prompts(split)
        for prompt in item.prompts
    }
    flags = {
        (item.sequence.folder, prompt.object_id): prompt.positive
        for item in untouched.sequences
        for prompt in item.prompts
    }
    assert 0 < len(flags) < len(true)
    assert all(true[name] == positive for name, positive in flags.items())


def test_the_digest_covers_the_clean_masks_which_decide_what_is_learned(root, noisy, tmp_path):
    copy = shutil.copytree(root, tmp_path / "clean")
    split, untouched = open_pair(copy, noisy)
    assert digest_content(split) != digest_content(untouched)
    digests = [digest_content(split), digest_content(untouched)]
    path = split.clean.find_masks(untouched.sequences[0].sequence)[0]
    mask = read_index_mask(path).copy()
    mask[:3, :3] = 1
    write_index_mask(path, mask)
    split, untouched = open_pair(copy, noisy)
    assert digest_content(split) == digests[0]
    assert digest_content(untouched) != digests[1]


def test_masks_of_another_size_are_refused(root, noisy, tmp_path):
    copy = shutil.copytree(noisy, tmp_path / "copy", symlinks=False)
    _, untouched = open_pair(root, copy)
    item = untouched.sequences[0]
    for path in untouched.labels.find_masks(item.sequence):
        mask = read_index_mask(path)
        path.unlink()
        write_index_mask(path, np.ascontiguousarray(mask[::2, ::2]))
    _, untouched = open_pair(root, copy)
    loader = BatchLoader(untouched, SETTINGS)
    with pytest.raises(InputError, match=r"but the clean masks are of \(120, 160\)"):
        loader.fetch_decoded(0)
