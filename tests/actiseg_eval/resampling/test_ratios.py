"""Linear combinations of ratios, against loops, simulations and expanded products."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap, draw_weights
from actiseg_eval.resampling.ratios import (
    combine,
    resample,
)


def random_sums(rng, clusters=20, count=3):
    """Figures of some runs that share what makes some clusters harder."""
    shared = rng.normal(0.6, 0.15, clusters)
    found = []
    for _ in range(count):
        below = rng.integers(4, 30, clusters).astype(float)
        found.append(Sums(np.clip(shared + rng.normal(0, 0.05, clusters), 0, 1) * below, below))
    return found


def plain_value_and_error(coefficients, sums, chosen):
    """By loops over ratios and drawn clusters."""
    value, influence = 0.0, dict.fromkeys(chosen, 0.0)
    for by, of in zip(coefficients, sums, strict=True):
        below = sum(of.denominator[at] for at in chosen)
        ratio = sum(of.numerator[at] for at in chosen) / below
        value += by * ratio
        for at in influence:
            influence[at] += by * (of.numerator[at] - ratio * of.denominator[at]) / below
    return value, sum(influence[at] ** 2 for at in chosen) ** 0.5


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(8, 30))
def test_values_and_errors_are_those_of_loops(seed, count, clusters):
    rng = np.random.default_rng(seed)
    sums, coefficients = random_sums(rng, clusters, count), rng.normal(size=count)
    weights = draw_weights(0, 5, clusters)
    values, errors = combine(zip(coefficients, sums, strict=True)).evaluate(weights)
    for row, value, error in zip(weights, values, errors, strict=True):
        chosen = np.repeat(np.arange(clusters), row.astype(int)).tolist()
        expected = plain_value_and_error(coefficients, sums, chosen)
        assert (value, error) == pytest.approx(expected, rel=1e-9, abs=1e-11)


@given(st.integers(0, 10**6))
def test_a_difference_has_the_error_of_the_expanded_products(seed):
    """The delta method written out: two variances less twice the covariance."""
    one, other = random_sums(np.random.default_rng(seed), 15, 2)
    residuals = [
        (of.numerator - of.ratio * of.denominator) / of.denominator.sum() for of in (one, other)
    ]
    own = sum((each**2).sum() for each in residuals)
    expected = np.sqrt(own - 2 * (residuals[0] * residuals[1]).sum())
    (value,), (error,) = combine([(1.0, one), (-1.0, other)]).evaluate(np.ones((1, 15)))
    assert value == pytest.approx(one.ratio - other.ratio, abs=1e-12)
    assert error == pytest.approx(expected, rel=1e-9)


def test_resampling_is_that_of_a_plain_bootstrap_t():
    """Against loops and another generator."""
    rng = np.random.default_rng(8)
    sums, coefficients = random_sums(rng), np.array([0.25, 0.5, 0.25])
    (found,) = resample([combine(zip(coefficients, sums, strict=True))], Bootstrap())
    value, error = plain_value_and_error(coefficients, sums, range(20))
    deviations = []
    for _ in range(3000):
        chosen = rng.integers(0, 20, 20).tolist()
        other, spread = plain_value_and_error(coefficients, sums, chosen)
        deviations.append((other - value) / spread)
    low, high = np.quantile(deviations, [0.025, 0.975])
    assert found.value == pytest.approx(value)
    expected = (value - high * error, value - low * error)
    assert found.find_interval(0.95, 0.0, 1.0) == pytest.approx(expected, abs=0.1 * error)


def test_intervals_cover_the_truth_as_often_as_said():
    """The mean of three correlated figures of clusters of other sizes, whose truth is known: to
    three standard errors of 600 rounds."""
    rng = np.random.default_rng(2)
    inside, rounds = 0, 600
    for _ in range(rounds):
        below = rng.integers(4, 30, 30).astype(float)
        shared = rng.normal(0, 0.1, 30)
        terms = [
            (1 / 3, Sums((mean + shared + rng.normal(0, 0.05, 30)) * below, below))
            for mean in (0.7, 0.6, 0.4)
        ]
        (found,) = resample([combine(terms)], Bootstrap(resamples=400))
        low, high = found.find_interval(0.95, 0.0, 1.0)
        inside += low <= 1.7 / 3 <= high
    assert inside / rounds == pytest.approx(0.95, abs=0.025)
