"""Intervals by resampling videos: keyed, honest about chance, and free of the order of things."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from actiseg_data.core.errors import InputError
from actiseg_data.core.tables import render_csv, render_markdown_page
from actiseg_data.layouts.opening import open_split
from actiseg_eval import Scorer, score
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.reporting.score_tables import _list_unreached, make_score_page
from actiseg_eval.resampling.bootstrap import Bootstrap, draw_weights
from actiseg_eval.resampling.intervals import intraclass_correlation, make_intervals
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root

FEW = Bootstrap(resamples=1000)


def sequences(videos):
    return [kitchen_clip(at, video=video) for at, video in enumerate(videos, 1)]


def intervals(values, sizes, videos, method=FEW):
    sums = {"giou": Sums(np.array(values) * sizes, np.array(sizes, float))}
    return make_intervals(sequences(videos), sums, method, "giou")


def test_resamples_are_keyed_and_draw_each_cluster_alike():
    weights = draw_weights(0, 1000, 15)
    assert (weights == draw_weights(0, 1000, 15)).all()
    assert (weights[:10] == draw_weights(0, 10, 15)).all()
    assert (weights != draw_weights(1, 1000, 15)).any()
    assert (weights.sum(axis=1) == 15).all()
    # 15,000 draws of 15 clusters: four standard errors.
    assert abs(weights.sum(axis=0) - 1000).max() < 4 * np.sqrt(1000 * 14 / 15)


def test_intervals_are_those_of_a_plain_bootstrap_t():
    """Against loops and another generator."""
    rng = np.random.default_rng(5)
    above, below = rng.random(20) * 9, rng.integers(5, 20, 20).astype(float)
    found = intervals(above / below, below, [f"P{at}_1" for at in range(20)], Bootstrap()).bounds

    def ratio_and_error(at):
        ratio = above[at].sum() / below[at].sum()
        return ratio, np.sqrt(((above[at] - ratio * below[at]) ** 2).sum()) / below[at].sum()

    ratio, error = ratio_and_error(np.arange(20))
    drawn = []
    for _ in range(4000):
        other, spread = ratio_and_error(rng.integers(0, 20, 20))
        drawn.append((other - ratio) / spread)
    low, high = np.quantile(drawn, [0.025, 0.975])
    assert found["giou"] == pytest.approx((ratio - high * error, ratio - low * error), abs=0.006)


def test_neither_order_nor_names_of_sequences_matter():
    rng = np.random.default_rng(1)
    values, sizes = rng.random(40), rng.integers(2, 20, 40)
    videos = [f"P{at % 11:02d}_01" for at in range(40)]
    order = rng.permutation(40)
    one = intervals(values, sizes, videos)
    other = intervals(values[order], sizes[order], [videos[at] for at in order])
    assert one.bounds["giou"] == pytest.approx(other.bounds["giou"])
    assert one.correlation == pytest.approx(other.correlation)
    assert one.cluster == "video"
    assert one.clusters == 11


def test_equal_values_give_no_width_and_no_value_none():
    videos = [f"P{at}_1" for at in range(12)]
    assert intervals(np.full(12, 0.3), np.arange(1, 13), videos).bounds["giou"] == pytest.approx(
        (0.3, 0.3)
    )
    nothing = {"giou": Sums(np.zeros(12), np.ones(12)), "x": Sums(np.zeros(12), np.zeros(12))}
    found = make_intervals(sequences(videos), nothing, FEW, "giou")
    assert found.bounds == {"giou": (0.0, 0.0), "x": None}
    assert found.correlation is None
    assert intraclass_correlation(np.full(30, 0.3), [str(at % 5) for at in range(30)]) is None


def test_one_video_that_differs_leaves_its_end_open():
    """A resample without it has no spread: it is the most extreme, not to be dropped."""
    values = np.ones(15)
    values[3] = 0.5
    found = intervals(values, np.ones(15), [f"P{at}_1" for at in range(15)])
    low, high = found.bounds["giou"]
    assert found.unreached == {"giou": ("low",)}
    assert "ends that no resample reaches: gIoU (low)" in next(_list_unreached(found, ["giou"]))
    assert list(_list_unreached(found, ["acc"])) == []
    error = np.sqrt(((values - values.mean()) ** 2).sum()) / 15
    unseen = 1 - 0.025 ** (1 / 15)  # more of such videos than that, and one would have been seen
    furthest = values.mean() * (1 - unseen) - stats.t.ppf(0.975, 14) * error
    assert low == pytest.approx(furthest)
    assert 0.6 < low < values.mean() - 0.02
    assert high == 1


@pytest.mark.parametrize("clusters", [15, 43])
@pytest.mark.parametrize("spread", [0.0, 0.01])
def test_rare_failures_are_covered_where_one_was_seen(clusters, spread):
    """Videos fail as a whole, one in ten; what no video shows is in no interval."""
    rng = np.random.default_rng(11)
    videos = [f"P{at}_1" for at in range(clusters)]
    covered = rounds = 0
    while rounds < 150:
        fails = rng.random(clusters) < 0.1
        if not fails.any():
            continue
        values = np.where(fails, 0, 0.9 + rng.normal(0, spread, clusters))
        low, high = intervals(values, np.ones(clusters), videos).bounds["giou"]
        rounds += 1
        covered += low <= 0.81 <= high
        assert high - low < 0.75
    assert covered / rounds >= 0.95


def test_too_few_videos_are_told():
    values = np.random.default_rng(2).random(20)
    found = intervals(values, np.ones(20), [f"P{at % 3}_1" for at in range(20)])
    assert (found.cluster, found.clusters, found.bootstrap.cluster) == ("sequence", 20, "video")
    assert intervals(values[:5], np.ones(5), ["P1_1"] * 5) is None
    people = [f"P{at % 9:02d}_{at:02d}" for at in range(20)]
    method = replace(FEW, cluster="participant")
    assert intervals(values, np.ones(20), people, method).clusters == 9
    few = [f"P{at % 3:02d}_{at % 10}" for at in range(20)]
    assert intervals(values, np.ones(20), few, method).cluster == "video"
    plain = [replace(of, video=of.folder) for of in sequences(people)]
    sums = {"giou": Sums(values, np.ones(20))}
    assert make_intervals(plain, sums, method, "giou").cluster == "sequence"


def test_correlation_is_the_share_of_variance_between_clusters():
    rng = np.random.default_rng(3)
    names = [str(at // 10) for at in range(20_000)]
    shared = np.repeat(rng.normal(0, np.sqrt(0.3), 2000), 10)
    values = shared + rng.normal(0, np.sqrt(0.7), 20_000)
    assert intraclass_correlation(values, names) == pytest.approx(0.3, abs=0.02)
    assert intraclass_correlation(rng.normal(size=20_000), names) == pytest.approx(0, abs=0.02)
    assert intraclass_correlation(np.arange(3.0), ["a", "b", "c"]) is None
    holes = values.copy()
    holes[::3] = np.nan
    assert intraclass_correlation(holes, names) == pytest.approx(0.3, abs=0.03)


@pytest.fixture(scope="session")
def cluster_sizes(real_data):
    """Sequences of each video of the published list."""
    records = json.loads((real_data / "actionvos" / "val_human.json").read_text())
    flags = ("redundant", "missing", "other")
    kept = [of["video"] for of in records if not any(of[flag] for flag in flags)]
    return sorted(Counter(kept).values(), reverse=True)


@pytest.mark.parametrize("clusters", [15, 43])
def test_videos_cover_where_sequences_do_not(cluster_sizes, clusters):
    """A made truth with correlation 0.3 within videos of the real sizes: 95 % intervals."""
    assert len(cluster_sizes) == 43
    sizes = cluster_sizes if clusters == 43 else cluster_sizes[1::3][:15]
    rng = np.random.default_rng(7)
    videos = [f"P{at:02d}_1" for at, size in enumerate(sizes) for _ in range(size)]
    place = np.repeat(np.arange(len(sizes)), sizes)
    made, names = sequences(videos), ("video", "sequence")
    covered = dict.fromkeys(names, 0)
    rounds = 200
    for _ in range(rounds):
        noise = rng.normal(0, 0.2 * np.sqrt(0.7), len(videos))
        values = 0.66 + rng.normal(0, 0.2 * np.sqrt(0.3), len(sizes))[place] + noise
        units = rng.integers(4, 24, len(videos)).astype(float)
        sums = {"giou": Sums(values * units, units)}
        for name in names:
            method = Bootstrap(resamples=500, cluster=name)
            low, high = make_intervals(made, sums, method, "giou").bounds["giou"]
            covered[name] += low <= 0.66 <= high
    assert covered["video"] / rounds >= 0.90
    assert covered["sequence"] / rounds < 0.80


def test_a_report_tells_its_intervals(tmp_path):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 28)]
    split = open_split(make_root(tmp_path / "clean", clips), "train")
    folder = predict(split, "shift", tmp_path / "preds")
    report = score(folder, gt=split, metrics=["all"])
    for name, bounds in report.intervals.items():
        assert bounds[0] - 1e-12 <= report.metrics[name] <= bounds[1] + 1e-12, name
    assert {"p_miou", "n_ciou", "giou", "jf", "f_decay", "boundary_iou"} <= set(report.intervals)
    assert "tp" not in report.intervals
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert tuple(document["intervals"]["giou"]) == report.intervals["giou"]
    assert document["bootstrap"]["cluster"] == "video"
    assert document["bootstrap"]["clusters"] == 9
    assert "95 % from" in render_markdown_page(make_score_page(report))
    assert render_csv(make_score_page(report).rows).splitlines()[2].startswith("all,95 % from")
    none = score(folder, gt=split, metrics=["all"], resamples=0)
    assert none.resampled_intervals is None
    assert none.to_dict()["intervals"] == {}
    assert none.metrics == report.metrics
    scorer = Scorer(split)
    for sequence in split.sequences[:3]:
        for frame, mask in zip(sequence.frames, split.read_masks(sequence), strict=True):
            scorer.update(sequence.folder, frame, mask)
    assert "fewer than 8 sequences" in scorer.report().left_out["intervals"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"level": 1.0}, "outside .0, 1."),
        ({"level": 95}, "outside .0, 1."),
        ({"resamples": 5}, "outside \\[100"),
        ({"cluster": "frame"}, "use one of participant"),
    ],
)
def test_intervals_that_make_no_sense_are_refused(change, says):
    with pytest.raises(InputError, match=says):
        Bootstrap(**change)
