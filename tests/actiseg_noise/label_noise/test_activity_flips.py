"""Which objects are forgotten or marked: keyed draws, nested and independent of one another."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_noise import make_recipe
from actiseg_noise.label_noise.activity_flips import plan_activity
from tests.helpers.kitchens import kitchen_clip

SEQUENCES = [kitchen_clip(number) for number in range(1, 61)]
FEW = SEQUENCES[:12]


def flips(rate, sequences=SEQUENCES, seed=0, **settings):
    """The flipped objects, by the identity of their sequence and their name, with the new flag."""
    noise = make_recipe("activity", rate, **settings).activity_noise
    plan = plan_activity(sequences, seed, noise)
    by_folder = {sequence.folder: sequence for sequence in sequences}
    return {
        (by_folder[row.sequence].identity, row.object): row.value
        for rows in plan.rows.values()
        for row in rows
    }


def draw_by_hand(seed, sequence, label):
    words = [seed, 1, "activity.select", *sequence.identity, label.name]
    text = json.dumps(words, separators=(",", ":"))
    head = hashlib.blake2b(text.encode(), digest_size=32).digest()[:8]
    return (int.from_bytes(head, "little") >> 11) / 2**53


@pytest.mark.parametrize("change", ["both", "forget", "mark"])
def test_flips_are_those_of_draws_by_hand(change):
    expected = {
        (sequence.identity, label.name): not label.positive
        for sequence in SEQUENCES
        for label in sequence.objects
        if change == "both" or label.positive == (change == "forget")
        if draw_by_hand(5, sequence, label) < 0.3
    }
    assert flips(0.3, seed=5, change=change) == expected
    assert expected


@given(st.floats(0, 1), st.floats(0, 1), st.integers(0, 3))
def test_higher_rates_flip_the_same_objects_and_more(one, other, seed):
    low, high = sorted((one, other))
    assert flips(low, FEW, seed).items() <= flips(high, FEW, seed).items()


@given(st.floats(0, 1))
def test_both_changes_together_are_those_of_either(rate):
    forgotten, marked = (flips(rate, FEW, change=change) for change in ("forget", "mark"))
    assert forgotten | marked == flips(rate, FEW)
    assert not any(forgotten.values())
    assert all(marked.values())


WHOLE = flips(0.4)


@given(st.sets(st.sampled_from(range(60)), min_size=1, max_size=12), st.randoms())
def test_a_part_in_any_order_has_the_flips_of_the_whole(chosen, random):
    part = [SEQUENCES[number] for number in chosen]
    random.shuffle(part)
    known = {sequence.identity for sequence in part}
    expected = {key: value for key, value in WHOLE.items() if key[0] in known}
    assert flips(0.4, part) == expected


def test_numbers_of_sequences_and_objects_have_no_effect():
    moved = []
    for sequence in SEQUENCES:
        number = sequence.seq_id + 700
        objects = tuple(
            replace(label, object_id=label.object_id + 9) for label in reversed(sequence.objects)
        )
        folder = sequence.folder.replace(f"{sequence.seq_id:08d}", f"{number:08d}", 1)
        moved.append(replace(sequence, seq_id=number, folder=folder, objects=objects))
    assert flips(0.5, moved) == flips(0.5)


def test_protected_classes_keep_their_labels():
    hands = {label.class_id for s in SEQUENCES for label in s.objects if "hand" in label.name}
    kept = flips(1.0, protect=sorted(hands))
    assert not any("hand" in name for _, name in kept)
    everything = {(s.identity, label.name) for s in SEQUENCES for label in s.objects}
    assert kept.keys() == {key for key in everything if "hand" not in key[1]}


@pytest.mark.parametrize("rate", [0.05, 0.2, 0.5])
def test_shares_are_within_binomial_bounds(rate):
    many = [kitchen_clip(number) for number in range(1, 401)]
    noise = make_recipe("activity", rate).activity_noise
    plan = plan_activity(many, 3, noise)
    rows = [row for rows in plan.rows.values() for row in rows]
    objects = [label for sequence in many for label in sequence.objects]
    for old in (True, False):
        items = sum(label.positive is old for label in objects)
        hits = sum(row.value_org is old for row in rows)
        assert abs(hits - rate * items) <= 4 * math.sqrt(items * rate * (1 - rate))
        assert plan.tally["active" if old else "inactive"] == items
    assert plan.tally["items"] == len(objects)


def test_sequences_that_lose_their_last_active_object_are_counted():
    noise = make_recipe("activity", 1.0, change="forget").activity_noise
    active = [s for s in SEQUENCES if any(label.positive for label in s.objects)]
    assert plan_activity(SEQUENCES, 0, noise).tally["emptied"] == len(active)
    noise = make_recipe("activity", 1.0, change="both").activity_noise
    inactive = [s for s in active if all(label.positive for label in s.objects)]
    assert plan_activity(SEQUENCES, 0, noise).tally["emptied"] == len(inactive)
