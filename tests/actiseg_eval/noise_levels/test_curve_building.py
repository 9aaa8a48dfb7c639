"""Curves of made runs: tests and intervals are as often wrong as they say."""

from __future__ import annotations

import numpy as np
import pytest

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.noise_levels.curve_building import CurveBuilder
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.run_means import Runs

LEVELS = {0.0: 0.6, 0.2: 0.5, 0.4: 0.4}
"""The true scores. Above a floor of 0.1, the area, 0.5, is 0.8 of the score at level 0, 0.6, and a
tenth is lost at level 0.1."""

VIDEOS = 15


def make_builder(resamples, high=0.4):
    return CurveBuilder(
        span=(0.0, high),
        drop=0.1,
        bootstrap=Bootstrap(resamples=resamples),
        cluster="video",
        baseline="plain",
        primary="p_miou",
    )


def draw_methods(rng, seeds, paired):
    """Two methods that are equally good at every level."""
    hard = rng.normal(0, 0.1, VIDEOS)
    methods = {}
    for method in ("plain", "elr"):
        own = rng.normal(0, 0.05, VIDEOS)
        start = rng.normal(0, 0.015, seeds)
        methods[method] = {}
        for level, score in LEVELS.items():
            videos = score + hard + own + rng.normal(0, 0.02, VIDEOS)
            ends = start if paired else rng.normal(0, 0.015, seeds)
            values = videos + ends[:, None] + rng.normal(0, 0.03, (seeds, VIDEOS))
            known = tuple(range(seeds)) if paired else None
            runs = tuple(Sums(row * 10, np.full(VIDEOS, 10.0)) for row in values)
            methods[method][level] = Runs(runs, known)
    return methods


FLOOR = Runs((Sums(np.full(VIDEOS, 1.0), np.full(VIDEOS, 10.0)),), fixed=True)


@pytest.mark.parametrize("paired", [False, True])
def test_areas_of_equally_good_methods_differ_as_often_as_said(paired):
    """Without a floor, since shares take long. To two standard errors of 150 rounds."""
    rng, builder = np.random.default_rng(4), make_builder(100)
    different = held = 0
    for _ in range(150):
        _, elr = builder.build("p_miou", draw_methods(rng, 3, paired), None)
        different += elr.area_gain.p < 0.05
        low, high = elr.area_gain.interval
        held += low <= 0 <= high
        assert elr.area_gain.source == f"videos and {'' if paired else 'un'}paired seeds"
    assert different / 150 == pytest.approx(0.05, abs=0.035)
    assert held / 150 == pytest.approx(0.95, abs=0.035)


def test_intervals_of_shares_cover_the_truth():
    rng, builder = np.random.default_rng(7), make_builder(100)
    retained = breaking = rounds = 0
    for _ in range(40):
        for curve in builder.build("p_miou", draw_methods(rng, 3, False), FLOOR):
            rounds += 1
            low, high = curve.shares.retained_interval
            assert low < curve.shares.retained < high
            retained += low <= 0.8 <= high
            low, high = curve.shares.breaking_interval
            breaking += low <= 0.1 and (high is None or high >= 0.1)
    assert retained / rounds == pytest.approx(0.95, abs=0.05)
    assert breaking / rounds == pytest.approx(0.95, abs=0.05)


def test_a_level_that_is_not_reached_is_open():
    rng = np.random.default_rng(1)
    methods = draw_methods(rng, 3, False)
    flat = dict.fromkeys((0.0, 0.2), methods["plain"][0.0])
    sharp = {0.0: methods["elr"][0.0], 0.2: methods["elr"][0.4]}
    builder = make_builder(100, 0.2)
    curves = builder.build("p_miou", {"plain": flat, "elr": sharp}, FLOOR)
    first, second = (curve.shares for curve in curves)
    assert (first.retained, first.breaking_point) == (pytest.approx(1), None)
    assert first.breaking_interval == (0.2, None)
    assert second.breaking_interval[0] <= second.breaking_point <= second.breaking_interval[1]
