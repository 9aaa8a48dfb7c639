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
    measured = measure_interaction(values[:, :, None])
    assert measured.p == measured.p_clusters
    assert measured.p_runs is None
    assert measured.p == pytest.approx(exact, abs=4 * (exact * (1 - exact) / 9999) ** 0.5 + 1e-4)
    assert measured.deviation == pytest.approx((compute_square(values) / 6) ** 0.5)


def test_neither_a_better_method_nor_an_easier_condition_is_an_interaction():
    values = draw(1, clusters=8)
    moved = values + np.array([0.0, 5.0, -3.0])[:, None, None] + np.array([2.0, 7.0])[None, :, None]
    ours, theirs = (
        measure_interaction(item[:, :, None], permutations=199) for item in (values, moved)
    )
    assert theirs.deviation == pytest.approx(ours.deviation)
    assert theirs.p == ours.p


def test_the_test_over_runs_is_that_of_a_layout_with_three_factors():
    from scipy.stats import f

    values = np.random.default_rng(4).normal(size=(3, 2, 4, 6))
    values[0, 0] += 0.5
    means = values.mean(axis=3)
    squares = {"interaction": 0.0, "rest": 0.0}
    for method, cell, seed in np.ndindex(means.shape):
        pair = (
            means[method, cell].mean() - means[method].mean() - means[:, cell].mean() + means.mean()
        )
        own = means[..., seed]
        single = own[method, cell] - own[method].mean() - own[:, cell].mean() + own.mean()
        squares["interaction"] += pair**2
        squares["rest"] += (single - pair) ** 2
    ratio = (squares["interaction"] / 2) / (squares["rest"] / 6)
    assert measure_interaction(values).p_runs == pytest.approx(f.sf(ratio, 2, 6))


def make_runs(seed, methods=4, cells=3, seeds=3, videos=20):
    """Runs without a profile: each has luck of its own, which is the same for all videos."""
    draw = np.random.default_rng(seed)
    luck = draw.normal(scale=0.007, size=(methods, cells, seeds, 1))
    return luck + draw.normal(scale=0.012, size=(methods, cells, seeds, videos))


def test_luck_of_runs_is_no_profile_and_a_true_one_is_seen():
    lucky = [measure_interaction(make_runs(seed), permutations=199) for seed in range(100)]
    assert sum(item.p_clusters <= 0.05 for item in lucky) > 50  # what videos alone would say
    assert sum(item.p <= 0.05 for item in lucky) <= 12  # 5 are expected; 12 have a chance of 0.01
    values = make_runs(5)
    values[0, 0] += 0.06
    assert measure_interaction(values).p < 0.01
