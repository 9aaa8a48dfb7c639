"""Predictions as index masks and as one mask per object answer in the same way."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from actiseg_data.core.errors import InputError
from actiseg_eval.measures.prediction import (
    IndexPrediction,
    LayeredPrediction,
    as_prediction,
    make_blank_prediction,
)

SHAPE = (4, 5)
MASKS = arrays(np.uint8, SHAPE, elements=st.integers(0, 4))


def split_layers(index):
    """Split an index mask into one mask per object."""
    return LayeredPrediction({number: index == number for number in range(1, 5)}, SHAPE)


@given(MASKS, MASKS, arrays(np.bool_, SHAPE))
def test_both_forms_of_a_prediction_agree(truth, index, pixels):
    prediction, layered = IndexPrediction(index), split_layers(index)
    for first, second in (
        (prediction, layered),
        (prediction.clear(pixels), layered.clear(pixels)),
        (prediction.keep([1, 3]), layered.keep([1, 3])),
        (prediction.merge_objects(), layered.merge_objects()),
    ):
        assert first.shape == second.shape == SHAPE
        assert first.ids == second.ids
        for number in range(1, 6):
            assert (first.get_mask(number) == second.get_mask(number)).all()
        counts = first.count_pixels(truth)[:, 1:], second.count_pixels(truth)[:, 1:]
        assert (counts[0] == counts[1]).all()
        ids, predicted_ids = np.arange(1, 5), np.array(sorted(first.ids), np.int64)
        pairs = (form.count_pairs(truth, ids, predicted_ids) for form in (first, second))
        assert np.array_equal(*pairs)


def test_masks_of_objects_may_overlap():
    whole = np.ones((1, 2), bool)
    prediction = LayeredPrediction({1: whole, 2: whole}, (1, 2))
    counts = prediction.count_pixels(np.array([[1, 2]], np.uint8))
    assert counts[1, 1:3].tolist() == [2, 2]
    assert counts[2, 1:3].tolist() == [1, 1]
    assert prediction.merge_objects().index.tolist() == [[1, 1]]


def test_an_empty_mapping_is_blank_and_needs_a_shape():
    assert as_prediction({}, shape=SHAPE).ids == set()
    with pytest.raises(InputError, match="has no mask"):
        as_prediction({})
    blank = make_blank_prediction(SHAPE)
    assert as_prediction(blank) is blank
