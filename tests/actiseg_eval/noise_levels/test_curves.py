"""Curves over noise levels, compared with integrals by hand and with general laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_eval.noise_levels.curves import (
    compute_mean_weights,
    find_breaking_point,
    find_common_range,
)

LEVELS = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(
    lambda numbers: [level / 60 for level in sorted(numbers)]
)


@given(LEVELS, st.data())
def test_the_mean_is_that_of_the_curve_looked_at_closely(levels, data):
    part = data.draw(st.tuples(st.floats(0, 0.45), st.floats(0.55, 1)))
    low, high = (levels[0] + share * (levels[-1] - levels[0]) for share in part)
    values = data.draw(st.lists(st.floats(0, 1), min_size=len(levels), max_size=len(levels)))
    weights = compute_mean_weights(levels, low, high)
    assert weights.min() >= 0
    assert weights.sum() == pytest.approx(1)
    middles = low + (np.arange(20_000) + 0.5) / 20_000 * (high - low)
    expected = np.interp(middles, levels, values).mean()
    assert weights @ values == pytest.approx(expected, abs=1e-4)


@given(LEVELS)
def test_the_mean_of_a_straight_line_is_its_middle(levels):
    weights = compute_mean_weights(levels, levels[0], levels[-1])
    assert weights @ np.array(levels) == pytest.approx((levels[0] + levels[-1]) / 2)


def test_the_mean_is_the_trapezoid_by_hand():
    weights = compute_mean_weights((0, 0.2, 0.6), 0, 0.6)
    assert weights @ [0.7, 0.6, 0.3] == pytest.approx((0.65 * 0.2 + 0.45 * 0.4) / 0.6)
    cut = compute_mean_weights((0, 0.2, 0.6), 0.1, 0.4)  # 0.65 at 0.1, 0.45 at 0.4
    assert cut @ [0.7, 0.6, 0.3] == pytest.approx((0.625 * 0.1 + 0.525 * 0.2) / 0.3)


def test_ranges_that_do_not_meet_are_none():
    assert find_common_range([(0, 0.2), (0.2, 0.4)]) is None
    assert find_common_range([(0, 0.3), (0.2, 0.4)]) == (0.2, 0.3)


@pytest.mark.parametrize(
    ("levels", "values", "drop", "low", "expected"),
    [
        pytest.param((0, 0.2, 0.4), (0.8, 0.78, 0.75), 0.1, 0, None, id="never"),
        pytest.param((0, 0.2, 0.4), (0.8, 0.4, 0.2), 0.1, 0, 0.04, id="at the first"),
        pytest.param((0, 0.2, 0.4), (0.8, 0.78, 0.66), 0.1, 0, 0.3, id="between"),
        pytest.param((0, 0.2, 0.4), (0.8, 0.72, 0.6), 0.1, 0, 0.2, id="from a level on"),
        pytest.param((0, 0.2), (0.8, 0.72), 0.1, 0, None, id="as much, not more"),
        pytest.param((0, 1, 2), (0.8, 0.6, 0.9), 0.1, 0, 0.4, id="and it recovers"),
        pytest.param((0, 1, 2), (0.8, 0.9, 0.7), 0.1, 0, 1.9, id="after a rise"),
        pytest.param((0, 2, 4), (0.9, 0.7, 0.5), 0.1, 1, 1.8, id="from within"),
    ],
)
def test_where_curves_break(levels, values, drop, low, expected):
    point = find_breaking_point(levels, values, drop, low)
    assert point == (expected if expected is None else pytest.approx(expected))
