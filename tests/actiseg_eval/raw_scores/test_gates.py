"""The gates at which objects are predicted, against masks that are made at each gate."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from actiseg_data.annotations.raw_scores import SequenceScores
from actiseg_eval.raw_scores.gates import find_gate, remove_gates

FIFTHS = [number / 5 for number in range(6)]
GATES = np.unique(np.concatenate([FIFTHS, np.linspace(0, 1.1, 111)]))


@st.composite
def scores(draw):
    """Scores with many equal logits and equal activities."""
    activity = draw(st.lists(st.sampled_from(FIFTHS), min_size=1, max_size=5))
    count = len(activity)
    ids = draw(st.permutations(range(1, count + 1)))
    seed = draw(st.integers(0, 1000))
    logits = np.random.default_rng(seed).integers(-3, 4, (count, 2, 2, 3)).astype(np.float16)
    return SequenceScores("take cup", ("1", "2"), (4, 6), tuple(ids), tuple(activity), logits)


@given(scores())
def test_an_object_is_predicted_exactly_between_its_gates(known):
    frames = list(remove_gates(known))
    for gate in (*FIFTHS, 0.1, 0.7, 1.1):
        for frame, mask in zip(frames, known.make_masks(gate), strict=True):
            if gate == 0:
                assert np.array_equal(mask, frame.mask)
            for row, object_id in enumerate(known.objects):
                is_inside = frame.lowest[row] < gate <= frame.highest[row]
                assert (mask == object_id).any() == is_inside


@given(scores(), st.sampled_from([0.0, 0.1, 0.3, 0.5, 1.0]))
def test_the_gate_is_the_lowest_from_which_on_the_share_holds(known, share):
    frames = list(remove_gates(known))
    lowest = np.concatenate([frame.lowest for frame in frames])
    highest = np.concatenate([frame.highest for frame in frames])
    gate, realised = find_gate(lowest, highest, share)

    def predicted(each):
        return np.mean((lowest < each) & (each <= highest))

    assert realised == predicted(gate) <= share
    assert all(predicted(each) <= share for each in GATES if each >= gate)
    if gate > 0:  # just below its range of equal shares, more is predicted
        able = lowest < highest  # others are predicted at no gate, so they end no range
        ends = [end for end in {0.0, *lowest[able], *highest[able]} if end < gate]
        assert predicted(max(ends)) > share


def test_no_unit_needs_no_gate():
    assert find_gate(np.zeros(0), np.zeros(0), 0.5) == (0.0, 0.0)


def test_a_gate_above_one_is_for_objects_that_are_sure():
    gate, realised = find_gate(np.full(2, -np.inf), np.ones(2), 0.4)
    assert 1 < gate < 1 + 1e-15
    assert realised == 0
