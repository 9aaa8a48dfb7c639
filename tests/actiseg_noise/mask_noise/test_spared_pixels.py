"""Void pixels stay, and objects that come late may keep their first mask."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from actiseg_data.annotations.masks import read_index_mask, write_index_mask
from actiseg_data.layouts.sequence_record import make_dataset_label, make_dataset_sequence
from actiseg_noise.mask_noise.arrays import corrupt_mask
from actiseg_noise.mask_noise.overlap import OVERLAPS
from actiseg_noise.mask_noise.selection_draws import collect_draws, count_selected
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.presets import load_preset
from tests.helpers.command import run
from tests.helpers.roots import clip, draw_mask

FRAMES = ("00000", "00001", "00002")
APPEARS = {1: 0, 2: 1, 3: 2}
"""The first frame of each object."""


def draw_late(frame, height=60, width=90):
    """Touching squares, the second and third of which come late."""
    mask = np.zeros((height, width), np.uint8)
    for object_id, first in APPEARS.items():
        if frame >= first:
            left = 5 + 24 * (object_id - 1) + frame
            mask[15:45, left : left + 24] = object_id
    return mask


def add_void(mask):
    """Void in a corner, across the objects' edges, and as single pixels."""
    mask = mask.copy()
    mask[:4, :6] = 255
    mask[40:48, 20:40] = 255
    mask[::7, ::11] = 255
    return mask


@pytest.fixture
def late():
    return make_dataset_sequence("late", FRAMES, map(make_dataset_label, APPEARS))


@pytest.mark.parametrize("overlap", sorted(OVERLAPS))
@pytest.mark.parametrize("kind", ["boundary", "localise"])
@pytest.mark.parametrize("action", [False, True])
def test_void_pixels_stay_and_change_nothing_else(late, overlap, kind, action):
    sequence, masks = late, [draw_late(number) for number in range(3)]
    if action:
        sequence = clip(1)
        masks = [draw_mask(sequence, frame) for frame in sequence.frames]
    masks = [add_void(mask) for mask in masks]
    recipe = make_recipe(kind, 1.0, objects="all", overlap=overlap)
    # To shapes, void is background: only afterwards do its pixels return.
    without = [np.where(mask == 255, 0, mask).astype(np.uint8) for mask in masks]
    covered = 0
    for void, plain in zip(
        corrupt_sequence(sequence, masks, recipe),
        corrupt_sequence(sequence, without, recipe),
        strict=True,
    ):
        assert (void.mask == np.where(void.clean == 255, 255, plain.mask)).all()
        covered += np.count_nonzero((void.clean == 255) & (plain.mask > 0))
        assert (void.tally["void"], plain.tally["void"]) == (1, 0)
        for row, other in zip(void.rows, plain.rows, strict=True):
            inside, before = void.mask == row.object_id, void.clean == row.object_id
            assert row.iou == pytest.approx((inside & before).sum() / (inside | before).sum(), 1e-5)
            assert (row.iou_drawn, row.area) == (other.iou_drawn, other.area)
    assert covered > 0


def test_255_is_no_void_where_it_is_an_object():
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    sequence = make_dataset_sequence("swan", ("0",), [make_dataset_label(255)])
    (noise,) = corrupt_sequence(sequence, [mask], make_recipe("dilate", 1.0))
    assert noise.tally == Counter(items=1)
    assert np.count_nonzero(noise.mask == 255) > 400


@pytest.mark.parametrize("overlap", sorted(OVERLAPS))
def test_first_masks_of_objects_can_be_spared(late, overlap):
    masks = [draw_late(number) for number in range(3)]
    recipe = load_preset("smart/de-D").make_recipe(
        parameters={"first_frame": "clean"}, overlap=overlap
    )
    noisy = list(corrupt_sequence(late, masks, recipe))
    rows = [(row.frame, row.object_id) for noise in noisy for row in noise.rows]
    assert rows == [("00001", 1), ("00002", 1), ("00002", 2)]
    for number, noise in enumerate(noisy):
        new = [object_id for object_id, first in APPEARS.items() if first == number]
        inside = np.isin(masks[number], new)
        assert (noise.mask[inside] == masks[number][inside]).all()
        assert not np.isin(noise.mask[~inside], new).any()
        assert noise.tally["items"] == number
    without = load_preset("smart/de-D").make_recipe(overlap=overlap)
    assert sum(len(noise.rows) for noise in corrupt_sequence(late, masks, without)) == 1 + 2 + 3


def test_objects_of_an_action_are_spared_in_its_first_frame_only(late):
    action = replace(late, is_action=True)
    masks = [draw_late(number) for number in range(3)]
    recipe = load_preset("smart/de-D").make_recipe(parameters={"first_frame": "clean"})
    first, *others = corrupt_sequence(action, masks, recipe)
    assert (first.mask == masks[0]).all()
    assert [len(noise.rows) for noise in others] == [2, 3]


def test_exact_shares_are_of_objects_that_are_not_spared(late):
    masks = [draw_late(number) for number in range(3)]
    recipe = make_recipe(
        "morphology", 0.5, parameters={"first_frame": "clean"}, exact=True, objects="all"
    )
    draws = collect_draws(recipe, late, masks)
    assert count_selected(recipe, draws, {}).popitem()[1][1] == 3


def test_one_array_is_spared_in_the_first_frame(late):
    options = {"sequence": late, "first_frame": "clean"}
    noisy, rows = corrupt_mask(draw_late(0), "morphology", frame="00000", **options)
    assert (noisy == draw_late(0)).all()
    assert rows == ()
    _, rows = corrupt_mask(draw_late(1), "morphology", frame="00001", **options)
    assert [row.object_id for row in rows] == [1, 2]


def test_copies_of_davis_keep_void_and_first_masks(tmp_path):
    source, copy = tmp_path / "davis", tmp_path / "noisy"
    place = "Annotations/480p/late"
    for number, frame in enumerate(FRAMES):
        write_index_mask(source / place / f"{frame}.png", add_void(draw_late(number)))
    (source / "LICENSE").write_text("none")
    done = run(
        *("corrupt", source, "--preset", "smart/de-D", "--out", copy),
        *("--set", "first_frame=clean", "--licence", "CC-BY-4.0"),
    )
    assert done.returncode == 0, done.stderr
    assert "void masks 3" in done.stdout
    for number, frame in enumerate(FRAMES):
        clean, noisy = (read_index_mask(root / place / f"{frame}.png") for root in (source, copy))
        stays = np.isin(clean, [255, *(i for i, first in APPEARS.items() if first == number)])
        assert (noisy[stays] == clean[stays]).all()
        assert (noisy == clean).all() == (number == 0)
    verified = run("verify", copy, "--source", source)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    audited = run("audit", copy, "--clean", source, "--strict")
    assert audited.returncode == 0, audited.stdout + audited.stderr
    summary = json.loads((copy / "summary.json").read_text())
    assert summary["handled"]["void_masks"] == 3
    assert summary["noise"]["items"] == summary["noise"]["selected"] == 3
    summary["handled"]["void_masks"] = 2
    (copy / "summary.json").write_text(json.dumps(summary))
    verified = run("verify", copy, "--source", source)
    assert verified.returncode == 1
    assert "handled.void_masks is not 3" in verified.stdout
