"""The test of an interaction of methods and conditions."""

from __future__ import annotations

from itertools import permutations, product

import numpy as np
import pytest

from actiseg_eval.resampling.interactions import measure_interaction


def draw(seed, methods=3, conditions=2, clusters=5):
    return np.random.default_rng(seed).normal(size=(methods, conditions, clusters))


def compute_square(values):
    """The interaction, written as the formula of a two-way layout."""
    means = values.mean(axis=2)
    total = means.mean()
    square = 0.0
    for row, column in np.ndindex(means.shape):
        square += (means[row, column] - means[row].mean() - means[:, column].mean() + total) ** 2
    return square


@pytest.mark.parametrize("seed", range(3))
def test_p_is_that_of_all_exchanges(seed):
    values = draw(seed)
    values[0, 0] += 0.9
    squares = []
    for orders in product(permutations(range(2)), repeat=5):
        exchanged = np.stack([values[:, order, v] for v, order in enumerate(orders)], axis=2)
        squares.append(compute_square(exchanged))
    exact = np.mean(np.array(squares) >= compute_square(values) - 1e-12)
    measured = measure_interaction(values)
    assert measured.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 9999) ** 0.5 + 1e-4)
    assert measured.deviation == pytest.approx((compute_square(values) / 6) ** 0.5)


def test_neither_a_better_method_nor_an_easier_condition_is_an_interaction():
    values = draw(1, clusters=8)
    moved = values + np.array([0.0, 5.0, -3.0])[:, None, None] + np.array([2.0, 7.0])[None, :, None]
    ours, theirs = (measure_interaction(item, permutations=199) for item in (values, moved))
    assert theirs.deviation == pytest.approx(ours.deviation)
    assert theirs.p == ours.p


def test_a_true_interaction_is_seen_and_chance_is_not():
    values = draw(2, clusters=20) * 0.1
    values[0, 0] += 0.2
    assert measure_interaction(values).p < 0.001
    rejected = [
        measure_interaction(draw(seed, clusters=12), permutations=199).p <= 0.05
        for seed in range(100)
    ]
    assert sum(rejected) <= 12  # 5 are expected; more than 12 have a chance of 0.001
