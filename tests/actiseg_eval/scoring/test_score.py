"""Scores against loops over objects and frames, case by case, and the protocols' own rules."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.core.errors import InputError
from actiseg_data.core.tables import render_csv, render_markdown_page
from actiseg_data.layouts.opening import open_split
from actiseg_data.records.ledger_record import MaskRow
from actiseg_eval import Scorer, load_protocol, score
from actiseg_eval.measures.meter import SequenceMeter
from actiseg_eval.predictions.ground_truth import open_truth
from actiseg_eval.protocols import load_protocols
from actiseg_eval.reporting.report_building import ScoredPredictions, make_report
from actiseg_eval.reporting.score_tables import make_score_page
from tests.helpers.kitchens import make_kitchen
from tests.helpers.predicted import RECIPES, predict, public_figures, shifted
from tests.helpers.roots import clip, label, make_root

FRAMES = ("frame_0000000001", "frame_0000000002")


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    return open_split(make_kitchen(tmp_path_factory.mktemp("scored") / "clean", 8), "train")


def masks(shape=(6, 7)):
    return st.lists(
        st.lists(st.integers(0, 4), min_size=shape[1], max_size=shape[1]),
        min_size=shape[0],
        max_size=shape[0],
    ).map(lambda rows: np.array(rows, np.uint8))


def changed(truth, how, other):
    """A prediction made of the truth in one of a few ways."""
    return {
        "random": other,
        "same": truth,
        "shifted": shifted(truth, 1, 2),
        "swapped": np.where(truth == 1, 2, np.where(truth == 2, 1, truth)).astype(np.uint8),
        "merged": np.minimum(truth, 1).astype(np.uint8),
        "empty": np.zeros_like(truth),
        "blank truth": truth,
    }[how]


WAYS = ("random", "same", "shifted", "swapped", "merged", "empty", "blank truth")


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_the_figures_are_those_of_the_public_loop(data):
    clips = []
    for number in range(1, data.draw(st.integers(1, 3)) + 1):
        flags = data.draw(st.lists(st.booleans(), min_size=3, max_size=3))
        objects = tuple(label(at, f"thing {at}", positive=flag) for at, flag in enumerate(flags, 1))
        sequence = clip(number, objects=objects, frames=FRAMES)
        truths, predictions = [], []
        for _ in FRAMES:
            truth, how = data.draw(masks()), data.draw(st.sampled_from(WAYS))
            truths.append(np.zeros_like(truth) if how == "blank truth" else truth)
            predictions.append(changed(truth, how, data.draw(masks())))
        clips.append((sequence, truths, predictions))
    protocol = load_protocol("actionvos")
    results = []
    for sequence, truths, predictions in clips:
        meter = SequenceMeter(sequence, protocol, ("core",))
        for frame, truth, prediction in zip(FRAMES, truths, predictions, strict=True):
            meter.add(frame, truth, prediction)
        results.append(meter.build_result())
    report = make_report(ScoredPredictions(FakeTruth, "p", results, protocol, ("core",)))
    for name, value in public_figures(clips).items():
        found = report.metrics[name]
        if np.isnan(value):
            assert found is None
        else:
            assert found == pytest.approx(value, abs=1e-12)


class FakeTruth:
    root, name, has_action_lists = Path("root"), "split", False


@pytest.mark.parametrize(
    ("active", "truth", "prediction", "expected"),
    [
        (True, "empty", "empty", {"giou": 1, "tn": 1, "p_miou": None, "p_ciou": None}),
        (True, "empty", "there", {"giou": 0, "fp": 1, "p_miou": 0, "p_ciou": 0}),
        (True, "there", "empty", {"giou": 0, "fn": 1, "p_miou": 0, "p_ciou": 0}),
        (True, "there", "there", {"giou": 1, "tp": 1, "p_miou": 1, "p_ciou": 1}),
        (True, "there", "apart", {"giou": 0, "tp": 1, "p_miou": 0, "p_ciou": 0}),
        (False, "empty", "empty", {"giou": 1, "tn": 1, "n_miou": None, "n_ciou": None}),
        (False, "empty", "there", {"giou": 0, "fp": 1, "n_miou": 0, "n_ciou": 0}),
        (False, "there", "empty", {"giou": 1, "tn": 1, "n_miou": 0, "n_ciou": 0}),
        (False, "there", "there", {"giou": 0, "fp": 1, "n_miou": 1, "n_ciou": 1}),
    ],
)
def test_each_case_counts_as_the_public_rule_says(active, truth, prediction, expected):
    drawn = {"empty": [[0, 0]], "there": [[1, 0]], "apart": [[0, 1]]}
    sequence = clip(1, objects=(label(1, "cup", positive=active),), frames=FRAMES[:1])
    meter = SequenceMeter(sequence, load_protocol("actionvos"), ("core",))
    meter.add(FRAMES[0], *(np.array(drawn[of], np.uint8) for of in (truth, prediction)))
    results, protocol = [meter.build_result()], load_protocol("actionvos")
    report = make_report(ScoredPredictions(FakeTruth, "p", results, protocol, ("core",)))
    for name, value in expected.items():
        assert report.metrics[name] == value, name
    counts = {name: report.metrics[name] for name in ("tp", "tn", "fp", "fn")}
    assert sum(counts.values()) == 1


def series(sequence, protocol, frames):
    """J of each object in each scored frame."""
    meter = SequenceMeter(sequence, protocol, ("core", "jf"))
    for name, (truth, prediction) in zip(sequence.frames, frames, strict=True):
        meter.add(name, np.array(truth, np.uint8), np.array(prediction, np.uint8))
    return meter.build_result()


def long_clip(count):
    return clip(1, objects=(), frames=tuple(f"frame_{at:010d}" for at in range(count)))


def test_davis_knows_the_objects_of_the_first_frame_and_leaves_out_both_ends():
    sequence = long_clip(4)
    rows = [([[1, 0, 0]], [[1, 0, 0]]), ([[1, 2, 0]], [[1, 0, 0]]), ([[0, 2, 0]], [[0, 0, 0]])]
    rows.append(([[1, 2, 0]], [[0, 0, 0]]))
    found = series(sequence, load_protocol("davis"), rows)
    assert found.ids == (1,)
    assert found.frames == sequence.frames[1:3]
    assert found.tally["objects_left_out"] == 1
    rows[1] = ([[1, 2, 0]], [[1, 3, 0]])
    with pytest.raises(InputError, match="predicts the ids 3"):
        series(sequence, load_protocol("davis"), rows)


def test_vos_benchmark_scores_objects_from_their_first_appearance():
    sequence = long_clip(6)
    rows = [
        ([[1, 0]], [[1, 0]]),
        ([[1, 0]], [[1, 0]]),
        ([[1, 0]], [[1, 2]]),  # predicted too early: from here on it counts
        ([[1, 2]], [[1, 2]]),
        ([[1, 2]], [[1, 3]]),
        ([[1, 2]], [[1, 2]]),
    ]
    found = series(sequence, load_protocol("vos-benchmark"), rows)
    assert found.ids == (1, 2)
    assert found.counted[:, 1].tolist() == [False, True, True, True]
    protocol = load_protocol("vos-benchmark")
    report = make_report(ScoredPredictions(FakeTruth, "p", [found], protocol, ("core", "jf")))
    assert report.metrics["j"] == pytest.approx((1 + (0 + 1 + 0) / 3) / 2)
    assert report.metrics["n_units"] == 7
    assert all(of.metrics["j"] is not None for of in report.strata["visibility"])


def test_proposals_are_matched_for_the_best_sum():
    """Against all assignments, tried one by one."""
    import itertools

    rng = np.random.default_rng(3)
    sequence = long_clip(3)
    frames = [(rng.integers(0, 3, (9, 9)), rng.integers(0, 4, (9, 9))) for _ in range(3)]
    frames[0][0][0, :2] = (1, 2)
    found = series(sequence, load_protocol("davis-unsupervised"), frames)
    separate = replace(load_protocol("vos-benchmark"), frames="all", counted="every frame")

    def worth(choice):
        total = 0.0
        for truth, prediction in frames:
            renamed = np.zeros_like(prediction)
            for at, proposal in enumerate(choice, 1):
                renamed[prediction == proposal] = at
            one = series(long_clip(1), separate, [(truth, renamed)])
            for column, _ in enumerate(one.ids):
                union = one.truth + one.prediction - one.intersection
                total += one.intersection[0, column] / union[0, column] + one.values["f"][0, column]
        return total

    best = max(worth(choice) for choice in itertools.permutations((1, 2, 3), 2))
    region = found.intersection / (found.truth + found.prediction - found.intersection)
    assert region.sum() + found.values["f"].sum() == pytest.approx(best, abs=1e-12)


def test_objects_without_a_proposal_score_nothing_where_they_are_seen():
    rows = [([[1, 2]], [[1, 0]]), ([[1, 0]], [[1, 0]])]
    found = series(long_clip(2), load_protocol("davis-unsupervised"), rows)
    assert found.ids == (1, 2)
    assert found.intersection.tolist() == [[1, 0], [1, 0]]
    assert found.values["f"][1, 1] == 1
    many = [([[1]], [[30]])]
    with pytest.raises(InputError, match="a proposal numbered 30; the protocol allows 20"):
        series(long_clip(1), load_protocol("davis-unsupervised"), many)


def test_void_pixels_are_cleared_or_background_or_an_id():
    rows = [([[1, 255, 0, 0]], [[1, 1, 0, 0]])]
    found = {
        name: series(
            long_clip(1), replace(load_protocol(name), frames="all", extra_ids="ignored"), rows
        )
        for name in ("davis", "davis-unsupervised", "vos-benchmark")
    }
    assert found["davis"].prediction.tolist() == [[2]]
    assert found["davis-unsupervised"].prediction.tolist() == [[1]]
    assert found["vos-benchmark"].ids == (1, 255)


def test_gres_takes_the_prompt_of_an_inactive_object_for_one_without_target():
    objects = (label(1, "cup"), label(2, "tap", positive=False), label(3, "jar", positive=False))
    sequence = clip(1, objects=objects, frames=FRAMES[:1])
    meter = SequenceMeter(sequence, load_protocol("gres"), ("core",))
    truth = np.array([[1, 1, 2, 2, 3]], np.uint8)
    meter.add(FRAMES[0], truth, np.array([[1, 0, 2, 0, 0]], np.uint8))
    results = [meter.build_result()]
    report = make_report(
        ScoredPredictions(FakeTruth, "p", results, load_protocol("gres"), ("core",))
    )
    assert report.metrics["giou"] == pytest.approx((0.5 + 0 + 1) / 3)
    assert report.metrics["ciou"] == pytest.approx(1 / (2 + 1))
    assert report.metrics["t_acc"] == 1
    assert report.metrics["n_acc"] == 0.5
    assert report.metrics["pr_70"] == 0
    exact = np.array([[1] * 10 + [2]], np.uint8)
    meter.add(FRAMES[0], exact, np.array([[1] * 7 + [0] * 4], np.uint8))
    results = [meter.build_result()]
    report = make_report(
        ScoredPredictions(FakeTruth, "p", results, load_protocol("gres"), ("core",))
    )
    assert report.metrics["pr_70"] == 1
    assert {of.name: of.metrics["n_units"] for of in report.strata["visibility"]} == {
        "visible": 2,
        "invisible": 1,
    }


@pytest.mark.parametrize("count", [1, 2, 5, 256, 257, 300])
def test_recall_and_decay_hold_on_long_clips(count):
    from actiseg_eval.metrics.frame_series import decay, recall

    values = np.linspace(1, 0, count)
    ends = [int(np.floor(x + 0.5 + 1e-10)) - 1 for x in np.linspace(1, count, 5)]
    first, last = values[: ends[1] + 1], values[ends[3] :]
    assert decay(values) == pytest.approx(first.mean() - last.mean(), abs=1e-12)
    assert recall(values) == sum(value > 0.5 for value in values) / count


def test_figures_that_no_unit_has_are_none_and_not_an_error(kitchen, tmp_path):
    sequences = tuple(
        replace(of, objects=tuple(replace(each, positive=False) for each in of.objects))
        for of in kitchen.sequences
    )
    folder = predict(kitchen, "blank", tmp_path / "blank")
    report = score(folder, gt=replace(kitchen, sequences=sequences), metrics=["all"])
    assert all(report.metrics[name] is None for name in ("p_miou", "p_ciou", "j", "f", "jf"))
    assert json.loads(json.dumps(report.to_dict(), allow_nan=False))["metrics"]["j"] is None
    assert "-" in str(report)


def test_a_list_without_any_object_is_refused(kitchen, tmp_path):
    sequences = tuple(replace(of, objects=()) for of in kitchen.sequences)
    folder = predict(kitchen, "blank", tmp_path / "blank")
    with pytest.raises(InputError, match="'actionvos' finds no object in its 8 sequences"):
        score(folder, gt=replace(kitchen, sequences=sequences))


@pytest.mark.parametrize("recipe", RECIPES)
def test_frame_by_frame_gives_what_a_folder_gives(kitchen, tmp_path, recipe):
    folder = predict(kitchen, recipe, tmp_path / "p")
    whole = score(folder, gt=kitchen, metrics=["all"])
    scorer = Scorer(kitchen, metrics=["all"])
    for sequence in reversed(kitchen.sequences):
        found = RECIPES[recipe](sequence, kitchen.read_masks(sequence))
        for frame, mask in reversed(list(zip(sequence.frames, found, strict=True))):
            scorer.update(sequence.folder, frame, mask)
    for name, value in scorer.report().metrics.items():
        assert value == pytest.approx(whole.metrics[name], abs=1e-12), name


def test_the_scorer_says_what_does_not_fit(kitchen):
    scorer = Scorer(kitchen)
    sequence = kitchen.sequences[0]
    with pytest.raises(InputError, match="there is no frame"):
        scorer.update(sequence.folder, "frame_1", np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="has 2 x 2 pixels, but the true mask has"):
        scorer.update(sequence.folder, sequence.frames[0], np.zeros((2, 2), np.uint8))
    scorer.update(sequence.folder, sequence.frames[0], kitchen.read_masks(sequence)[0])
    with pytest.raises(InputError, match="no prediction for 1 of its frames"):
        scorer.report()


def test_strata_are_parts_of_the_whole(kitchen, tmp_path):
    folder = predict(kitchen, "shift", tmp_path / "p")
    report = score(folder, gt=kitchen, metrics=["core", "jf"])
    assert {"sequence", "object", "class", "supercategory", "verb", "size"} <= set(report.strata)
    for strata in report.strata.values():
        for name in ("n_units", "tp", "tn", "fp", "fn"):
            assert sum(of.metrics[name] for of in strata) == report.metrics[name]
        parts = [of.metrics["giou"] * of.metrics["n_units"] for of in strata]
        assert sum(parts) / report.metrics["n_units"] == pytest.approx(report.metrics["giou"])
    (tap,) = (of for of in report.strata["class"] if of.name == "tap")
    only = tuple(
        replace(of, objects=tuple(each for each in of.objects if each.name == "tap"))
        for of in kitchen.sequences
    )
    alone = score(folder, gt=replace(kitchen, sequences=only), metrics=["core", "jf"])
    for name in ("p_miou", "giou", "j", "f"):
        assert tap.metrics[name] == pytest.approx(alone.metrics[name], abs=1e-12)


def test_noise_divides_the_units(kitchen, tmp_path):
    folder = predict(kitchen, "all", tmp_path / "p")
    sequence = kitchen.sequences[0]
    row = MaskRow(
        sequence.folder, sequence.frames[0], 1, "x", "dilate", {}, "met", 0.8, 0.8, 0.75, 9, 1.1
    )
    report = score(folder, gt=kitchen, strata=[row])
    assert {of.name: of.metrics["n_units"] for of in report.strata["noise"]} == {
        "clean": report.metrics["n_units"] - 1,
        "dilate": 1,
    }
    assert report.strata["noise strength"][0].name == "IoU 0.7 to 0.9"


def test_documents_say_the_same(kitchen, tmp_path):
    folder = predict(kitchen, "shift", tmp_path / "p")
    report = score(folder, gt=kitchen, metrics=["all"])
    document = json.loads(json.dumps(report.to_dict(), allow_nan=False))
    assert document["schema"] == "actiseg/score/1"
    assert document["metrics"] == dict(report.metrics)
    assert document["better"]["n_miou"] == "lower"
    header, whole, low, high, *rows = render_csv(make_score_page(report).rows).splitlines()
    assert header.startswith("by,name,p_miou")
    assert float(whole.split(",")[2]) == report.metrics["p_miou"]
    assert low.startswith("all,95 % from,")
    assert high.startswith("all,95 % to,")
    assert len(rows) == sum(map(len, report.strata.values()))
    assert f"{report.metrics['p_miou']:.4f}" in render_markdown_page(make_score_page(report))
    assert f"{report.metrics['p_miou']:.4f}" in str(report)


def test_measures_and_protocols_that_are_unknown_are_refused(kitchen, tmp_path):
    for more, says in (
        ({"metrics": ["j"]}, "there is no metric group 'j'"),
        ({"metrics": [""]}, "there is no metric group ''"),
        ({"protocol": "davos"}, "'davos' is unknown"),
        ({"missing": "skip"}, "'skip' is unknown"),
        ({"missing": "emty"}, "'emty' is unknown; did you mean 'empty'"),
        ({"cluster": "vidoe"}, "'vidoe' is unknown; did you mean 'video'"),
    ):
        with pytest.raises(InputError, match=says):
            score(tmp_path, gt=kitchen, **more)


def test_every_protocol_tells_of_the_same_cases():
    protocols = load_protocols()
    assert list(protocols) == [
        "actionvos",
        "davis",
        "davis-2016",
        "davis-unsupervised",
        "vos-benchmark",
        "vost",
        "gres",
    ]
    cases = {tuple(protocol.cases) for protocol in protocols.values()}
    assert len(cases) == 1


def test_plain_folders_need_a_protocol_without_labels(tmp_path):
    root = make_root(tmp_path / "root")
    folder = predict(open_split(root, "train"), "shift", tmp_path / "p")
    truth = open_truth(predict(open_split(root, "train"), "all", tmp_path / "t"))
    with pytest.raises(InputError, match="no action list"):
        score(folder, gt=truth)
    whole = replace(load_protocol("vos-benchmark"), frames="all")
    assert 0 < score(folder, gt=truth, protocol=whole).metrics["jf"] < 1
    with pytest.raises(InputError, match="no lists in ImageSets"):
        open_truth(truth.root, "train")


def test_sizes_may_differ_between_sequences(tmp_path):
    for number, shape in enumerate([(480, 910), (480, 854)]):
        for place in ("truth", "predictions"):
            mask = np.zeros(shape, np.uint8)
            mask[100:200, 100:300] = 1
            for frame in range(3):
                write_index_mask(tmp_path / place / f"clip{number}" / f"{frame:05d}.png", mask)
    report = score(tmp_path / "predictions", gt=tmp_path / "truth", protocol="davis")
    assert report.metrics["jf"] == 1
