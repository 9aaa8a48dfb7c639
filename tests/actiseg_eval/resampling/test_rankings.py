"""AUROC and average precision against counts of all pairs, and their influences and intervals."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from actiseg_eval.metrics.sums import Sums
from actiseg_eval.resampling import linearised
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.linearised import (
    Mean,
    Ratio,
    RatioDifference,
    Share,
    WeightRows,
    resample_statistics,
)
from actiseg_eval.resampling.rankings import (
    Auroc,
    AveragePrecision,
    find_ranking_value,
    make_ranking,
)
from actiseg_eval.resampling.ratios import combine, resample

BOTH = [Auroc, AveragePrecision]
CLUSTERS = 4

items = st.lists(
    st.tuples(st.integers(0, 6), st.booleans(), st.integers(0, CLUSTERS - 1)),
    min_size=2,
    max_size=25,
).filter(lambda drawn: len({positive for _, positive, _ in drawn}) == 2)
weights = st.lists(st.integers(0, 3), min_size=CLUSTERS, max_size=CLUSTERS)


def count_pairs(scores, positive, weight):
    """AUROC by its definition: a loop over all pairs of a positive and a negative item."""
    won = total = 0.0
    for high, is_positive, mine in zip(scores, positive, weight, strict=True):
        for low, is_other_positive, other in zip(scores, positive, weight, strict=True):
            if is_positive and not is_other_positive:
                won += mine * other * ((high > low) + 0.5 * (high == low))
                total += mine * other
    return won / total if total else None


def average_precisions(scores, positive, weight):
    """AP by its definition: a loop over positive items, each with a loop over all items."""
    total = terms = 0.0
    for score, is_positive, mine in zip(scores, positive, weight, strict=True):
        if is_positive and mine:
            selected = [
                (other, good)
                for value, good, other in zip(scores, positive, weight, strict=True)
                if value >= score
            ]
            precision = sum(each for each, good in selected if good) / sum(
                each for each, _ in selected
            )
            terms += mine * precision
            total += mine
    return terms / total if total else None


NAIVE = {Auroc: count_pairs, AveragePrecision: average_precisions}


def arrays(drawn):
    scores, positive, cluster = zip(*drawn, strict=True)
    return np.array(scores) / 6, np.array(positive), np.array(cluster)


@pytest.mark.parametrize("statistic", BOTH)
@given(drawn=items, weight=weights)
def test_values_are_those_of_a_count_of_all_pairs(statistic, drawn, weight):
    scores, positive, cluster = arrays(drawn)
    known = statistic(make_ranking(scores, positive, cluster, CLUSTERS))
    value = WeightRows(np.array([weight], float)).linearise(known)[0][0]
    expected = NAIVE[statistic](scores, positive, np.array(weight)[cluster])
    assert (np.isnan(value) and expected is None) or value == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("statistic", BOTH)
@given(drawn=items)
def test_influences_are_derivatives(statistic, drawn):
    scores, positive, cluster = arrays(drawn)
    known = statistic(make_ranking(scores, positive, cluster, CLUSTERS))
    steps = 1e-6 * np.eye(CLUSTERS)
    ones = np.ones(CLUSTERS)
    up, down = (WeightRows(ones + sign * steps).linearise(known)[0] for sign in (1, -1))
    _, (influence,) = WeightRows(ones[None]).linearise(known)
    assert influence == pytest.approx((up - down) / 2e-6, abs=1e-6)


@given(drawn=items)
def test_laws_of_the_area(drawn):
    scores, positive, _ = arrays(drawn)
    area = find_ranking_value(Auroc, scores, positive)
    assert find_ranking_value(Auroc, np.exp(3 * scores), positive) == pytest.approx(area)
    assert find_ranking_value(Auroc, scores, ~positive) == pytest.approx(1 - area)
    assert find_ranking_value(Auroc, np.zeros(len(scores)), positive) == pytest.approx(0.5)
    share = positive.mean()
    zeros = np.zeros(len(scores))
    assert find_ranking_value(AveragePrecision, zeros, positive) == pytest.approx(share)
    assert find_ranking_value(AveragePrecision, positive * 1.0, positive) == pytest.approx(1)


@given(drawn=items)
def test_values_are_those_of_scikit_learn(drawn):
    metrics = pytest.importorskip("sklearn.metrics")
    scores, positive, _ = arrays(drawn)
    expected = metrics.roc_auc_score(positive, scores)
    assert find_ranking_value(Auroc, scores, positive) == pytest.approx(expected)
    expected = metrics.average_precision_score(positive, scores)
    assert find_ranking_value(AveragePrecision, scores, positive) == pytest.approx(expected)


@pytest.mark.parametrize("statistic", BOTH)
def test_one_kind_of_item_has_no_ranking(statistic):
    assert np.isnan(find_ranking_value(statistic, np.array([0.1, 0.2]), np.zeros(2, bool)))


@pytest.fixture
def sums():
    random = np.random.default_rng(0)
    size = random.integers(3, 9, (3, 12)).astype(float)
    return [Sums(each * random.random(12), each) for each in size]


def test_ratios_are_resampled_as_the_other_figures_are(sums):
    bootstrap = Bootstrap(resamples=500)
    (old,) = resample([combine([(1.0, sums[0])])], bootstrap)
    (new,) = resample_statistics([Ratio(sums[0])], bootstrap)
    assert (new.value, new.error) == (pytest.approx(old.value), pytest.approx(old.error))
    assert new.resampled == pytest.approx(old.resampled)
    assert new.find_interval(0.95, 0, 1) == pytest.approx(old.find_interval(0.95, 0, 1))
    (mean,) = resample([combine([(0.5, sums[0]), (0.5, sums[1])])], bootstrap)
    (again,) = resample_statistics([Mean([Ratio(sums[0]), Ratio(sums[1])])], bootstrap)
    assert again.find_interval(0.95, 0, 1) == pytest.approx(mean.find_interval(0.95, 0, 1))


def test_intervals_do_not_depend_on_how_many_rows_are_evaluated_at_a_time(sums, monkeypatch):
    share = Share(*(RatioDifference(Ratio(each), Ratio(sums[0])) for each in sums[1:]))
    (whole,) = resample_statistics([share], Bootstrap(resamples=300))
    monkeypatch.setattr(linearised, "_MOST_WEIGHTS", 90)
    (parts,) = resample_statistics([share], Bootstrap(resamples=300))
    assert parts.resampled == pytest.approx(whole.resampled)
    assert parts.find_interval(0.95, -9, 9) == pytest.approx(whole.find_interval(0.95, -9, 9))


def test_a_resample_in_which_a_share_has_no_whole_gives_no_warning():
    all_clusters, first = (Ratio(Sums(values, np.ones(9))) for values in (np.ones(9), np.eye(9)[0]))
    (estimate,) = resample_statistics([Share(all_clusters, first)], Bootstrap(resamples=200))
    assert estimate.value == pytest.approx(9)
    assert np.isinf(estimate.resampled).any()


def test_the_influences_of_a_share_are_derivatives(sums):
    low, middle, high = map(Ratio, sums)
    share = Share(RatioDifference(middle, low), RatioDifference(high, low))
    values = [each.ratio for each in sums]
    ones = np.ones((1, 12))
    (value,), (influence,) = WeightRows(ones).linearise(share)
    assert value == pytest.approx((values[1] - values[0]) / (values[2] - values[0]))
    steps = 1e-6 * np.eye(12)
    up, down = (WeightRows(1 + sign * steps).linearise(share)[0] for sign in (1, -1))
    assert influence == pytest.approx((up - down) / 2e-6, rel=1e-4, abs=1e-6)


def test_intervals_of_the_area_cover_it():
    """Videos with effects of their own; the true area is from many of them."""
    random = np.random.default_rng(1)

    def draw(videos):
        cluster = np.repeat(np.arange(videos), 8)
        positive = random.random(len(cluster)) < 0.5
        scores = 0.5 * random.normal(size=videos)[cluster] + positive
        scores = scores + random.normal(size=len(cluster))
        return make_ranking(scores, positive, cluster, videos)

    many = draw(4000)
    bootstrap = Bootstrap(resamples=200)
    covered = dict.fromkeys(BOTH, 0)
    values = {}
    for statistic in BOTH:
        # One cluster each would need a large matrix: the value needs none.
        single = make_ranking(
            many.groups.astype(float), many.positive, np.zeros(len(many.groups), int), 1
        )
        values[statistic] = WeightRows(np.ones((1, 1))).linearise(statistic(single))[0][0]
    for _ in range(60):
        ranking = draw(20)
        found = resample_statistics([statistic(ranking) for statistic in BOTH], bootstrap)
        for statistic, estimate in zip(BOTH, found, strict=True):
            low, high = estimate.find_interval(0.95, 0, 1)
            covered[statistic] += low <= values[statistic] <= high
    assert all(count >= 52 for count in covered.values()), covered
