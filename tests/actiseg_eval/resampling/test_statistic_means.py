"""Contrasts of statistics: as of ratios, and as often wrong as they say."""

from __future__ import annotations

import numpy as np
import pytest

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.gains import compare_means, compute_permutation_p, find_equivalence
from actiseg_eval.resampling.linearised import Ratio, WeightRows
from actiseg_eval.resampling.rankings import Auroc, AveragePrecision, make_ranking
from actiseg_eval.resampling.run_means import RunMeans, Runs
from actiseg_eval.resampling.statistic_means import StatisticMeans, StatisticRuns

FIRST_BETTER = np.array([1.0, -1.0])
FEW = Bootstrap(resamples=500)


def draw_sums(rng, count):
    return [
        Sums(*np.sort(rng.integers(1, 30, (2, 11)).astype(float), axis=0)) for _ in range(count)
    ]


@pytest.mark.parametrize(("runs", "seeds"), [(1, None), (3, None), (3, (1, 2, 3))])
def test_statistics_that_are_ratios_are_compared_as_ratios(runs, seeds):
    rng = np.random.default_rng(runs)
    drawn = [draw_sums(rng, runs) for _ in range(2)]
    ratios = RunMeans([Runs(tuple(sums), seeds) for sums in drawn])
    statistics = StatisticMeans([StatisticRuns(tuple(map(Ratio, sums)), seeds) for sums in drawn])
    known, found = (compare_means(means, FIRST_BETTER, FEW) for means in (ratios, statistics))
    for name in ("value", "interval", "share", "p", "degrees"):
        assert getattr(found, name) == pytest.approx(getattr(known, name), abs=1e-12)
    assert (found.seeds, found.widened) == (known.seeds, known.widened)
    known, found = (
        find_equivalence(means, FIRST_BETTER, FEW, 0.1) for means in (ratios, statistics)
    )
    assert found.interval == pytest.approx(known.interval, abs=1e-12)


def draw_auroc(rng, positive, cluster, kind=Auroc):
    shift = rng.normal(size=cluster.max() + 1)
    scores = positive + shift[cluster] + rng.normal(size=len(positive))
    return kind(make_ranking(scores, positive, cluster, int(cluster.max()) + 1))


@pytest.mark.parametrize("kind", [Auroc, AveragePrecision])
def test_sums_have_the_value_and_the_influences(kind):
    rng = np.random.default_rng(0)
    statistic = draw_auroc(rng, rng.random(60) < 0.4, np.repeat(np.arange(12), 5), kind)
    rows = WeightRows(np.ones((1, 12)))
    for known, found in zip(
        rows.linearise(statistic), rows.linearise(Ratio(statistic.divide())), strict=True
    ):
        assert found == pytest.approx(known, abs=1e-12)


def test_equal_rankings_seldom_differ():
    """A test at 5 % of methods that are equally good finds a difference in about 5 %."""
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(12), 6)
    ps = []
    for _ in range(300):
        positive = rng.random(len(cluster)) < 0.4
        methods = [StatisticRuns((draw_auroc(rng, positive, cluster),)) for _ in range(2)]
        contrast = StatisticMeans(methods).combine(FIRST_BETTER)
        ps.append(compute_permutation_p(contrast, Bootstrap(resamples=2048)))
    assert 0.02 <= np.mean(np.array(ps) < 0.05) <= 0.09
    assert 0.4 <= np.mean(ps) <= 0.6
