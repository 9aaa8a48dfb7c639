"""Tests of differences: against loops and textbooks, and as often wrong as they say."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.gains import (
    apply_holm,
    compare_means,
    compute_permutation_p,
    find_least_p,
)
from actiseg_eval.resampling.ratios import combine
from actiseg_eval.resampling.run_means import RunMeans, Runs

FIRST_BETTER = np.array([1.0, -1.0])


def compare_runs(first, second, method=None):
    return compare_means(
        RunMeans([Runs((first,)), Runs((second,))]), FIRST_BETTER, method or Bootstrap()
    )


def test_clusters_that_all_differ_alike_leave_no_room():
    below = np.random.default_rng(9).integers(3, 30, 20) / 7
    found = compare_runs(Sums(0.6 * below, below), Sums(0.5 * below, below))
    assert found.value == pytest.approx(0.1)
    assert found.interval == (found.value, found.value)
    assert found.p < 0.001


@pytest.mark.parametrize("differing", [1, 2, 3])
@pytest.mark.parametrize("clusters", [15, 43])
def test_few_videos_that_differ_prove_nothing(clusters, differing):
    below = np.full(clusters, 20.0)
    one, other = np.full(clusters, 12.0), np.full(clusters, 12.0)
    other[:differing] -= 5
    found = compare_runs(Sums(one, below), Sums(other, below))
    low, high = found.interval
    assert low <= 0 < found.value <= high
    # No further than what was seen and unseen videos could make of it, a gain of 1 or a loss.
    error = np.sqrt((((one - other) / 20 - found.value) ** 2).sum()) / clusters
    reach = stats.t.ppf(0.975, clusters - 1) * error
    unseen = 1 - 0.025 ** (1 / clusters)
    assert high <= found.value + reach + unseen * (1 - found.value) + 1e-9
    assert low >= found.value - reach - unseen * (1 + found.value) - 1e-9
    # Heads or tails for each video that differs: two of 2 ** n cases are as extreme.
    assert found.p == pytest.approx(2 / 2**differing, abs=0.02)


def test_an_end_that_no_video_shows_is_named():
    """One video differs: resamples without it have no spread, and the ends are what is unseen."""
    below = np.full(15, 20.0)
    other = np.full(15, 12.0)
    other[0] -= 5
    found = compare_runs(Sums(np.full(15, 12.0), below), Sums(other, below))
    # The gain of a resample is never below 0, and above 0 as often as the video is drawn.
    assert "low" in found.unreached
    ordinary = np.random.default_rng(1).normal(0.5, 0.1, (2, 15)) * 20
    assert compare_runs(*(Sums(row, below) for row in ordinary)).unreached == ()


def test_an_interval_that_is_widened_says_so():
    rng, below = np.random.default_rng(0), np.full(9, 20.0)
    widened = 0
    for _ in range(100):
        one, other = rng.normal(0.5, 0.1, (2, 9)) * below
        found = compare_runs(Sums(one, below), Sums(other, below), Bootstrap(resamples=500))
        assert (found.p < 0.05) or (found.interval[0] <= 0 <= found.interval[1])
        assert not found.widened or (found.p > 0.05 and 0 in found.interval)
        widened += found.widened
    assert 0 < widened < 20


def test_differences_of_ratios_are_resampled_as_by_loops():
    rng = np.random.default_rng(4)
    below = rng.integers(4, 20, 25).astype(float)
    one = Sums(rng.random(25) * below, below)
    other = Sums(np.clip(one.numerator / below + rng.normal(-0.05, 0.1, 25), 0, 1) * below, below)
    found = compare_runs(one, other)

    def gain_of(at):
        return (one.numerator[at].sum() - other.numerator[at].sum()) / below[at].sum()

    drawn = np.array([gain_of(rng.integers(0, 25, 25)) for _ in range(4000)])
    low, high = found.interval
    assert found.value == pytest.approx(gain_of(np.arange(25)))
    assert found.share == pytest.approx((drawn > 0).mean(), abs=0.03)
    assert high - low == pytest.approx(np.ptp(np.quantile(drawn, [0.025, 0.975])), rel=0.25)
    turned = compare_runs(other, one)
    assert turned.value == -found.value
    assert turned.interval == pytest.approx((-high, -low))


def swap_methods(one, other, swap):
    """The gain after two methods swap places in some clusters, by their own denominators."""
    a1, b1, a2, b2 = one.numerator, one.denominator, other.numerator, other.denominator
    first = np.where(swap, a2, a1).sum() / np.where(swap, b2, b1).sum()
    return first - np.where(swap, a1, a2).sum() / np.where(swap, b1, b2).sum()


@settings(max_examples=25)
@given(st.integers(0, 10**6))
def test_few_clusters_are_swapped_in_every_way(seed):
    rng = np.random.default_rng(seed)
    below = rng.integers(4, 20, 8).astype(float)
    one, other = (Sums(rng.random(8) * below, below) for _ in range(2))
    observed = abs(one.ratio - other.ratio) - 1e-12
    ways = np.array(list(itertools.product([False, True], repeat=8)))
    gains = np.array([swap_methods(one, other, swap) for swap in ways])
    found = compute_permutation_p(combine([(1.0, one), (-1.0, other)]), Bootstrap(resamples=128))
    assert found == (np.abs(gains) >= observed).mean()
    assert found >= find_least_p(8, 128)


def test_ratios_with_their_own_denominators_are_swapped_to_first_order():
    """A metric such as p-mIoU has other units in each run. Against the very swaps."""
    rng = np.random.default_rng(12)
    for _ in range(10):
        below = rng.integers(20, 80, 20).astype(float)
        hard = rng.normal(0.6, 0.1, 20)
        one, other = (
            Sums((hard + rng.normal(0, 0.05, 20)) * own, own)
            for own in (below, below + rng.integers(-2, 3, 20))
        )
        observed = abs(one.ratio - other.ratio)
        swaps = rng.random((4000, 20)) < 0.5
        gains = np.array([swap_methods(one, other, swap) for swap in swaps])
        found = compute_permutation_p(
            combine([(1.0, one), (-1.0, other)]), Bootstrap(resamples=4000)
        )
        assert found == pytest.approx((np.abs(gains) >= observed).mean(), abs=0.04)


def test_chance_alone_is_found_to_be_better_as_often_as_said():
    """Two methods that are equally good: p below 0.05 in about a twentieth of the cases."""
    rng = np.random.default_rng(6)
    wrong, rounds = 0, 300
    for _ in range(rounds):
        below = rng.integers(5, 20, 20).astype(float)
        shared = rng.normal(0.6, 0.1, 20)
        one, other = (Sums((shared + rng.normal(0, 0.1, 20)) * below, below) for _ in range(2))
        wrong += compare_runs(one, other, Bootstrap(resamples=500)).p < 0.05
    assert wrong / rounds < 0.1


def test_holm_is_the_textbooks():
    assert apply_holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
