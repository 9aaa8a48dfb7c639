"""The pure per-sequence function: keyed, nested, independent of place."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from actiseg_noise.mask_noise.item_selection import draw_selection
from actiseg_noise.mask_noise.sequence_masks import corrupt_sequence
from actiseg_noise.recipes.building import make_recipe
from actiseg_noise.recipes.kind_specs import list_kinds
from tests.helpers.roots import clip, draw_mask


def masks_of(sequence):
    return [draw_mask(sequence, frame) for frame in sequence.frames]


def noise_of(sequence, masks, recipe):
    frames = list(corrupt_sequence(sequence, masks, recipe))
    return SimpleNamespace(
        masks=[frame.mask for frame in frames],
        rows=[row for frame in frames for row in frame.rows],
        tally=sum((frame.tally for frame in frames), Counter()),
    )


def touched(noise):
    return {(row.sequence, row.frame, row.object) for row in noise.rows}


@pytest.mark.parametrize("kind", list_kinds("masks"))
def test_input_is_left_alone_and_result_repeats(kind):
    sequence = clip(1)
    clean = masks_of(sequence)
    copies = [mask.copy() for mask in clean]
    first = noise_of(sequence, clean, make_recipe(kind, 1.0))
    again = noise_of(sequence, clean, make_recipe(kind, 1.0))
    assert all((a == b).all() for a, b in zip(clean, copies, strict=True))
    assert all((a == b).all() for a, b in zip(first.masks, again.masks, strict=True))
    assert first.rows == again.rows
    assert first.rows


def test_rate_zero_changes_nothing():
    sequence = clip(1)
    noise = noise_of(sequence, masks_of(sequence), make_recipe("boundary", 0.0))
    assert not noise.rows
    assert all((a == b).all() for a, b in zip(noise.masks, masks_of(sequence), strict=True))


def test_rates_nest_and_do_not_change_a_draw():
    few, many = set(), set()
    outlines = {}
    for number in range(1, 12):
        sequence = clip(number)
        for rate, into in ((0.2, few), (0.4, many)):
            noise = noise_of(sequence, masks_of(sequence), make_recipe("boundary", rate))
            into |= touched(noise)
            for row in noise.rows:
                item = (row.sequence, row.frame, row.object)
                figures = (row.kind, row.parameters, row.iou_drawn)
                assert outlines.setdefault(item, figures) == figures
    assert few < many


def test_only_eligible_objects_are_touched():
    sequence = clip(1)
    positive = noise_of(sequence, masks_of(sequence), make_recipe("dilate", 1.0))
    everything = noise_of(sequence, masks_of(sequence), make_recipe("dilate", 1.0, objects="all"))
    assert {row.object for row in positive.rows} == {"cup", "right hand"}
    assert {row.object for row in everything.rows} == {"cup", "knife", "plate", "right hand"}


def test_number_ids_and_position_do_not_matter():
    """The same clip under another seq_id, with other object ids, gets the same noise."""
    sequence = clip(2)
    other = clip(2, seq_id=77)
    other = replace(
        other, objects=tuple(replace(o, object_id=10 - o.object_id) for o in other.objects)
    )
    swap = np.arange(256, dtype=np.uint8)
    swap[1:10] = swap[9:0:-1]
    recipe = make_recipe("boundary", 0.7, overlap="background", objects="all")
    here = noise_of(sequence, masks_of(sequence), recipe)
    there = noise_of(other, [swap[mask] for mask in masks_of(sequence)], recipe)
    assert [(r.frame, r.object, r.kind, r.iou_drawn) for r in here.rows] == sorted(
        [(r.frame, r.object, r.kind, r.iou_drawn) for r in there.rows],
        key=lambda row: (row[0], [o.name for o in sequence.objects].index(row[1])),
    )


def test_clips_that_are_equal_but_for_their_ordinal_differ():
    sequence = clip(2)
    twin = replace(sequence, ordinal=1)
    item = (sequence.frames[0], sequence.objects[0])
    assert draw_selection(0, sequence, *item) != draw_selection(0, twin, *item)


def test_seeds_differ_and_kinds_share_their_selection():
    sequence = clip(3)
    by_seed = [
        touched(noise_of(sequence, masks_of(sequence), make_recipe("dilate", 0.5, seed=s)))
        for s in range(8)
    ]
    assert len({frozenset(items) for items in by_seed}) > 1
    erode = noise_of(sequence, masks_of(sequence), make_recipe("erode", 0.5))
    assert touched(erode) == by_seed[0]


def test_absent_objects_are_counted_not_invented():
    sequence = clip(1)
    clean = masks_of(sequence)
    clean[0][clean[0] == 1] = 0
    noise = noise_of(sequence, clean, make_recipe("dilate", 1.0))
    assert noise.tally["absent"] == 1
    assert not (noise.masks[0] == 1).any()


def test_rows_say_what_is_on_disk():
    sequence = clip(4)
    clean = masks_of(sequence)
    noise = noise_of(sequence, clean, make_recipe("boundary", 1.0))
    for row in noise.rows:
        position = sequence.frames.index(row.frame)
        before = clean[position] == row.object_id
        after = noise.masks[position] == row.object_id
        assert row.iou == round((before & after).sum() / (before | after).sum(), 6)
        assert row.area == before.sum()


def test_selection_is_uniform():
    sequence = clip(1)
    draws = [draw_selection(0, sequence, f"frame_{n}", sequence.objects[0]) for n in range(4000)]
    counts, _ = np.histogram(draws, bins=20, range=(0, 1))
    assert ((counts - 200) ** 2 / 200).sum() < 43.8  # chi-square, 19 degrees, 0.1 %
