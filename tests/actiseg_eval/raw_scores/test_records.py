"""Records of runs against the functions that read the predictions."""

from __future__ import annotations

import copy
import itertools
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.annotations.raw_scores import read_scores
from actiseg_data.core.errors import InputError
from actiseg_data.layouts.opening import open_split
from actiseg_eval import (
    compare,
    compare_records,
    join_records,
    measure_raw_scores,
    parse_run_record,
    record_run,
    score,
)
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.raw_scores.record_figures import CURVE_GATES, MODES, RANKINGS, RECORD_FIGURES
from actiseg_eval.resampling.bootstrap import draw_weights
from actiseg_eval.resampling.linearised import WeightRows
from actiseg_eval.resampling.rankings import Auroc, AveragePrecision, make_ranking
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.roots import make_root
from tests.helpers.scored import score_split

NOISE = {
    "plain": (1.2, 1.3, 1.1),
    "gce": (0.9, 1.0, 0.8),
    "clean": (0.4, 0.5, 0.3),
    "start": (2.5,),
}
N_RATE = 0.3


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 13)]
    return open_split(make_root(tmp_path_factory.mktemp("kitchen") / "root", clips), "train")


@pytest.fixture(scope="module")
def tuning(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at}_09") for at in range(1, 4)]
    return open_split(make_root(tmp_path_factory.mktemp("tuning") / "root", clips), "train")


def predict_runs(split, folder):
    return {
        name: [
            score_split(split, folder / f"{name}_s{seed}", noise=noise, seed=seed)
            for seed, noise in enumerate(noises, 1)
        ]
        for name, noises in NOISE.items()
    }


@pytest.fixture(scope="module")
def runs(kitchen, tmp_path_factory):
    return predict_runs(kitchen, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def tuning_runs(tuning, tmp_path_factory):
    return predict_runs(tuning, tmp_path_factory.mktemp("tuned"))


@pytest.fixture(scope="module")
def records(kitchen, tuning, runs, tuning_runs):
    return {
        name: {
            seed: record_run(folder, gt=kitchen, tuning=tuned, tuning_gt=tuning, n_rate=N_RATE)
            for seed, (folder, tuned) in enumerate(zip(folders, tuning_runs[name], strict=True), 1)
        }
        for name, folders in runs.items()
    }


@pytest.fixture(scope="module")
def report(kitchen, tuning, runs, tuning_runs):
    """What the predictions themselves give."""
    ends = {"frozen": "start", "clean": "clean"}
    return measure_raw_scores(
        {name: runs[name] for name in ("plain", "gce")},
        gt=kitchen,
        **{end: runs[name] for end, name in ends.items()},
        tuning={
            **{name: tuning_runs[name] for name in ("plain", "gce")},
            **{end: tuning_runs[name] for end, name in ends.items()},
        },
        tuning_gt=tuning,
        n_rate=N_RATE,
    )


def find_masks(folder, gate, out):
    """The masks of a gate in a folder of their own."""
    for scores in read_scores(folder):
        for frame, mask in zip(scores.frames, scores.make_masks(gate), strict=True):
            write_index_mask(out / scores.folder / f"{frame}.png", mask)
    return out


def exactly(value):
    return pytest.approx(value, abs=1e-12)


def test_figures_are_those_of_the_predictions(kitchen, runs, records, report, tmp_path):
    record = records["plain"][1]
    values = record.values
    (plain,) = (method for method in report.methods if method.name == "plain")
    for name, figure in plain.figures.items():
        assert values[name] == exactly(figure.seeds[0])
    assert record.gates == plain.gates[:1]
    assert record.n_rate == N_RATE
    assert (record.objects, record.active) == (report.objects, report.active)
    assert (record.split, record.rendered) == (report.split, report.rendered)
    known = score(runs["plain"][0], gt=kitchen, resamples=0).metrics
    for name in ("p_miou", "p_miou_hand_free", "giou", "p_rate", "n_rate", "p_quality"):
        assert values[name] == exactly(known[name])
    free = find_masks(runs["plain"][0], 0.0, tmp_path / "free")
    known = score(free, gt=kitchen, resamples=0).metrics
    for name in ("p_miou", "p_miou_hand_free", "p_rate", "p_quality"):
        assert values[f"{name}_ungated"] == exactly(known[name])


def test_the_curve_has_the_rates_of_the_masks_at_each_gate(kitchen, runs, records, tmp_path):
    values = records["plain"][1].values
    for gate in CURVE_GATES[::5]:
        masks = find_masks(runs["plain"][0], gate, tmp_path / f"{gate}")
        known = score(masks, gt=kitchen, resamples=0).metrics
        for name in ("p_rate", "n_rate"):
            assert values[f"{name}_at_{gate:.2f}"] == exactly(known[name])
    for rate in ("p_rate", "n_rate"):
        curve = [values[f"{rate}_at_{gate:.2f}"] for gate in CURVE_GATES]
        assert curve[0] > curve[10] > curve[-1]


def test_modes_are_those_of_the_failure_table(kitchen, runs, records, tmp_path):
    masks = find_masks(runs["plain"][0], 0.0, tmp_path / "free")
    table = score(masks, gt=kitchen, resamples=0, metrics=["core", "failures"]).failures
    counts = {row.mode: row.count for row in table.rows}
    record = records["plain"][1]
    visible = record.sums["p_rate"].denominator.sum()
    for mode in MODES:
        sums = record.sums[f"{mode}_share"]
        assert sums.numerator.sum() == counts[mode]
        assert sums.denominator.sum() == visible
    assert sum(counts[mode] > 0 for mode in MODES) >= 3


def test_activity_is_ranked_as_in_the_files_for_any_weights_of_videos(kitchen, runs, records):
    videos = {sequence.folder: sequence.video for sequence in kitchen.sequences}
    active = {
        (sequence.folder, label.object_id): label.positive
        for sequence in kitchen.sequences
        for label in sequence.objects
    }
    items = [
        (chance, active[scores.folder, number], videos[scores.folder])
        for scores in read_scores(runs["plain"][0])
        for number, chance in zip(scores.objects, scores.activity, strict=True)
    ]
    record = records["plain"][1]
    code = {name: position for position, name in enumerate(record.clusters)}
    # The matrix of concordant pairs of videos, one pair of objects at a time.
    pairs = np.zeros((len(code), len(code)))
    counts = np.zeros((2, len(code)))
    for chance, positive, video in items:
        counts[int(positive), code[video]] += 1
        for below, negative, seen in items:
            if positive and not negative:
                pairs[code[video], code[seen]] += (chance > below) + (chance == below) / 2
    weights = draw_weights(0, 20, len(code))
    wanted = [w @ pairs @ w / ((counts[1] @ w) * (counts[0] @ w)) for w in weights]
    rows = WeightRows(weights)
    found = {name: rows.linearise(record.make_statistic(name)) for name in RANKINGS}
    assert found["auroc"][0] == exactly(np.array(wanted))
    chances, flags, names = zip(*items, strict=True)
    ranking = make_ranking(
        np.array(chances), np.array(flags), np.array([code[name] for name in names]), len(code)
    )
    for name, kind in zip(RANKINGS, (Auroc, AveragePrecision), strict=True):
        for mine, theirs in zip(found[name], rows.linearise(kind(ranking)), strict=True):
            assert mine == exactly(theirs)


def test_a_record_survives_json_exactly(records):
    for record in (records["plain"][1], records["start"][1]):
        document = record.to_dict()
        parsed = parse_run_record(json.loads(json.dumps(document)))
        assert parsed.to_dict() == document
        assert parsed.values == record.values
        assert tuple(parsed.figures) == tuple(RECORD_FIGURES)
        assert parsed.gates == record.gates


def change(document, path, value):
    *parents, last = path
    for key in parents:
        document = document[key]
    if value is None:
        del document[last]
    else:
        document[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("schema",), "actiseg/run-record/2", "has the schema 'actiseg/run-record/2'"),
        (("schema",), "actiseg/scores/1", "this is another kind of file"),
        (("split",), 3, "must be text, not 3"),
        (("split",), None, "the key 'split' is missing"),
        (("rendered_frames",), "no", "must be 0 or 1"),
        (("more",), 1, "the key 'more' is unknown"),
        (("objects",), 7, r"objects: is 7, but there is the activity of \d+"),
        (("clusters",), [], "must be sorted names of videos"),
        (("clusters", 0), "P99_01", "must be sorted names of videos"),
        (("gates",), [], "must be there exactly if n_rate is"),
        (("gates", 0, "gate"), 3, "must be a number from 0 to 2, not 3"),
        (("activity",), [], "has 0 elements for 9 clusters"),
        (("activity", 0, "active", 0), 1.5, "must be a number from 0 to 1, not 1.5"),
        (("activity", 0, "active"), [0.5, 0.25], "must be in ascending order"),
        (("figures", "giou"), None, "the key 'giou' is missing"),
        (("figures", "p_rate_tuned"), None, "the key 'p_rate_tuned' is missing"),
        (("figures", "jiou"), {}, "the key 'jiou' is unknown; did you mean 'giou'"),
        (("figures", "giou", "numerator"), [1.0], "has 1 elements for 9 clusters"),
        (("figures", "giou", "numerator", 0), math.nan, "must be a number from 0, not nan"),
        (("figures", "giou", "numerator", 0), 1e9, "has a numerator above its denominator"),
        (("figures", "giou", "denominator", 0), "1", "must be a number, not '1'"),
    ],
)
def test_damaged_documents_are_refused(records, path, value, message):
    document = copy.deepcopy(records["plain"][1].to_dict())
    change(document, path, value)
    with pytest.raises(InputError, match=message):
        parse_run_record(document, "run.json")


def test_all_problems_of_a_document_are_told_at_once(records):
    document = copy.deepcopy(records["plain"][1].to_dict())
    for path, value in ((("split",), 3), (("n_rate",), 2), (("figures", "giou"), None)):
        change(document, path, value)
    with pytest.raises(InputError) as error:
        parse_run_record(document, "run.json")
    places = [problem.where for problem in error.value.problems]
    assert {"run.json: split", "run.json: n_rate", "run.json: figures"} <= set(places)


@pytest.fixture(scope="module")
def folds(kitchen, runs):
    """The records of three parts of the split, by their own lists."""
    parts = []
    for fold in range(3):
        names = {
            sequence.folder
            for sequence in kitchen.sequences
            if int(sequence.video[1:3]) % 3 == fold
        }
        chosen = tuple(item for item in kitchen.sequences if item.folder in names)
        part = replace(kitchen, sequences=chosen, name=f"fold{fold}", fingerprint=f"{fold}" * 32)
        parts.append(record_run(runs["plain"][0], gt=part))
    return parts


def test_joined_folds_are_the_whole_run(records, folds):
    whole = records["plain"][1]
    joined = join_records(folds)
    assert joined.clusters == whole.clusters
    assert joined.activity == whole.activity
    for name, sums in joined.sums.items():
        assert sums.numerator == exactly(whole.sums[name].numerator)
        assert sums.denominator.tolist() == whole.sums[name].denominator.tolist()
    tuned = {"p_rate_tuned", "n_rate_tuned"}
    assert set(whole.sums) - set(joined.sums) == tuned
    for name, value in joined.values.items():
        assert value == exactly(whole.values[name])
    assert joined.split == "fold0, fold1, fold2"
    for order in itertools.permutations(folds):
        assert join_records(order).to_dict() == joined.to_dict()
    assert parse_run_record(joined.to_dict()).to_dict() == joined.to_dict()
    assert join_records(folds[:1]) is folds[0]
    assert join_records(folds[:2]).dataset_fingerprint != joined.dataset_fingerprint


def test_records_that_do_not_fit_are_not_joined(records, folds):
    with pytest.raises(InputError, match="there is no record"):
        join_records([])
    with pytest.raises(InputError) as error:
        join_records([records["plain"][1], folds[0]])
    text = str(error.value)
    assert "3 videos are in several records" in text
    assert "the records have different figures" in text


def test_comparison_is_that_of_measure_raw_scores(records, report):
    known = {method.name: method.figures for method in report.methods}
    names = {"plain": "plain", "gce": "gce", "start": "frozen", "clean": "clean"}
    shares = 0
    for figure in report.figures:
        found = compare_records(records, figure=figure, frozen="start", clean="clean")
        for name, reference in names.items():
            mine, theirs = found.values[name], known[reference][figure]
            for part in ("value", "kept"):
                assert getattr(mine, part) == exactly(getattr(theirs, part))
            for part in ("interval", "kept_interval"):
                ends = getattr(theirs, part)
                assert getattr(mine, part) == (None if ends is None else exactly(ends))
            assert mine.seeds == exactly(theirs.seeds)
            assert (mine.over, mine.kept_over) == (theirs.over, theirs.kept_over)
        sign = RECORD_FIGURES[figure].sign
        gain = sign * (known["clean"][figure].value - known["frozen"][figure].value)
        assert found.clean_gain == exactly(gain)
        low, high = found.clean_gain_interval
        assert low < gain < high
        assert (low > 0) == (figure not in report.no_gain)
        shares += found.values["plain"].kept is not None
    assert shares > 3


@pytest.mark.parametrize("seeds", [3, 1])
def test_differences_are_those_of_compare(kitchen, runs, records, seeds):
    chosen = {name: runs[name][:seeds] for name in ("plain", "gce", "clean")}
    mine = {name: {seed: records[name][seed] for seed in range(1, seeds + 1)} for name in chosen}
    for metric in ("p_miou", "n_rate"):
        known = compare(chosen, gt=kitchen, equivalence=0.1, primary=metric)
        found = compare_records(mine, figure=metric, against=["plain", "gce"], equivalence=0.1)
        pairs = {(pair.first, pair.second): pair for pair in known.differences[metric]}
        assert [(pair.first, pair.second) for pair in found.differences] == [
            ("gce", "plain"),
            ("clean", "plain"),
            ("clean", "gce"),
        ]
        for pair in found.differences:
            turned = pairs[pair.second, pair.first]
            assert pair.gain == exactly(-turned.gain)
            assert pair.interval == exactly(tuple(-end for end in reversed(turned.interval)))
            assert pair.p == exactly(turned.p)
            assert pair.adjusted is None
            assert pair.source == turned.source
            ends = tuple(-end for end in reversed(turned.equivalence.interval))
            assert pair.equivalence.interval == exactly(ends)
        for standing in known.standings[metric]:
            assert found.values[standing.name].interval == exactly(standing.interval)
    expected = "videos and paired seeds" if seeds == 3 else "videos"
    assert {pair.source for pair in found.differences} == {expected}


def test_gains_in_auroc_are_tested_over_videos_and_seeds(records):
    """The test of single runs by its definition: signs of what each video adds to the gain."""
    one = {name: {1: records[name][1]} for name in ("gce", "plain", "start")}
    rows = WeightRows(np.ones((1, 9)))
    statistics = {name: runs[1].make_statistic("auroc") for name, runs in one.items()}
    activity = one["plain"][1].activity
    numbers = [np.array([len(part.active), len(part.inactive)]) for part in activity]
    weights = (np.array(numbers) / sum(numbers)).mean(axis=1)
    for pair in compare_records(one, figure="auroc", against=["plain", "start"]).differences:
        (first,), towards = rows.linearise(statistics[pair.first])
        (second,), away = rows.linearise(statistics[pair.second])
        assert pair.gain == exactly(first - second)
        added = (towards - away)[0] + (first - second) * weights
        assert added.sum() == exactly(first - second)
        ways = np.array(list(itertools.product((1, -1), repeat=9)))
        extreme = np.abs(ways @ added) >= abs(added.sum()) - 1e-12
        assert pair.p == exactly(extreme.mean())
        assert pair.source == "videos"
    found = compare_records(records, figure="auroc", against="plain")
    (pair,) = (item for item in found.differences if item.first == "clean")
    assert pair.source == "videos and paired seeds"
    low, high = pair.interval
    assert low < pair.gain < high
    json.dumps(found.to_dict(), allow_nan=False)


def test_copies_of_a_run_are_equivalent(records):
    same = {"plain": records["plain"], "copy": records["plain"]}
    found = compare_records(same, figure="auroc", against="plain", equivalence=0.02)
    (pair,) = found.differences
    assert (pair.gain, pair.p, pair.equivalence.is_shown) == (0, 1, True)


def test_figures_in_few_videos_have_no_interval(records):
    def narrow(record, videos):
        sums = record.sums["p_miou"]
        keep = np.arange(len(record.clusters)) < videos
        part = Sums(sums.numerator * keep, sums.denominator * keep)
        return replace(record, sums={**record.sums, "p_miou": part})

    plain = records["plain"][1]
    narrowed = {"few": {1: narrow(plain, 7)}, "none": {1: narrow(plain, 0)}}
    found = compare_records({**narrowed, "gce": records["gce"]}, figure="p_miou", against="few")
    assert found.left_out == {"few": "fewer than 8 videos have it", "none": "it is undefined"}
    assert found.values["few"].interval is None
    assert found.values["none"].value is None
    assert found.values["gce"].interval is not None
    assert found.differences == []


def test_runs_of_other_truths_are_named(records, folds):
    plain = records["plain"][1]
    methods = {
        "plain": records["plain"],
        "fold": {4: folds[0]},
        "other": {5: replace(plain, dataset_fingerprint="0" * 32)},
        "tuned": {6: replace(plain, n_rate=0.2)},
    }
    with pytest.raises(InputError) as error:
        compare_records(methods, figure="p_rate_tuned")
    text = str(error.value)
    assert "'fold', seed 4: has other videos than the first run" in text
    assert "'fold', seed 4: has no p_rate_tuned" in text
    assert "'other', seed 5: has another ground truth than the first run" in text
    assert "'tuned', seed 6: was tuned to the n-rate 0.2, the first run to 0.3" in text
    assert "'plain'" not in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"figure": "p_miuo"}, "'p_miuo' is unknown; did you mean 'p_miou'"),
        ({"against": "gcce"}, "has no method 'gcce'; did you mean 'gce'"),
        ({"against": 3}, "must be a name or several, not 3"),
        ({"frozen": "start"}, "clean is missing"),
        ({"frozen": "start", "clean": "cleen"}, "has no method 'cleen'"),
        ({"frozen": "start", "clean": "start"}, "'start' is also frozen"),
        ({"level": 0.4}, r"0.4 is outside \(0.5, 1\)"),
        ({"equivalence": 2}, "2 is not between 0 and 1"),
    ],
)
def test_wrong_arguments_are_refused(records, changes, message):
    with pytest.raises(InputError, match=message):
        compare_records(records, **{"figure": "p_miou", **changes})


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({}, "there is no method"),
        ({"plain": {}}, "'plain' has no record"),
        ({"plain": "run1"}, "must be the records of 'plain' by seed"),
        ({"plain": {1: "run1"}}, "must be a record of 'plain', seed 1"),
        ({"plain": {"one": None}}, "must be a whole number"),
        ([], "must be a mapping from name to records by seed"),
    ],
)
def test_methods_without_records_are_refused(methods, message):
    with pytest.raises(InputError, match=message):
        compare_records(methods, figure="p_miou")


def test_folders_that_cannot_be_recorded_are_refused(kitchen, tuning, runs, tmp_path):
    for name in ("no_logits", "no_scores"):
        folder = tmp_path / name
        folder.mkdir()
        for path in runs["plain"][0].iterdir():
            if path.name not in ("scores.npz", "scores.json" if name == "no_scores" else ""):
                (folder / path.name).symlink_to(path)
    with pytest.raises(InputError) as error:
        record_run(
            tmp_path / "no_logits", gt=kitchen, tuning=tmp_path / "no_scores", tuning_gt=tuning
        )
    text = str(error.value)
    assert "has no scores.npz, so other gates have no masks" in text
    assert "has no scores.json, the raw scores" in text
    with pytest.raises(InputError, match="has no effect without tuning"):
        record_run(runs["plain"][0], gt=kitchen, n_rate=0.2)
    with pytest.raises(InputError, match="sequences in common"):
        record_run(runs["plain"][0], gt=kitchen, tuning=runs["plain"][0], tuning_gt=kitchen)


def test_workers_have_no_effect(kitchen, runs, records):
    known = record_run(runs["gce"][0], gt=kitchen).to_dict()
    assert record_run(runs["gce"][0], gt=kitchen, workers=2).to_dict() == known
