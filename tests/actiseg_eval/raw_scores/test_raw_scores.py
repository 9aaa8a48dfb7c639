"""Figures of raw scores against the scores of the masks that they stand for."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from actiseg_data.annotations.masks import write_index_mask
from actiseg_data.annotations.raw_scores import read_scores
from actiseg_data.core.errors import InputError
from actiseg_data.core.tables import render_markdown_page
from actiseg_data.layouts.opening import open_split
from actiseg_eval import compare, measure_raw_scores, score
from actiseg_eval.metrics.formulas import HAND_CLASSES
from actiseg_eval.metrics.sums import Sums
from actiseg_eval.raw_scores.figure_estimation import estimate_figures
from actiseg_eval.raw_scores.raw_score_tables import describe_raw_scores, make_raw_score_page
from actiseg_eval.resampling.bootstrap import Bootstrap
from actiseg_eval.resampling.linearised import Ratio
from tests.helpers.command import run as run_command
from tests.helpers.kitchens import kitchen_clip, label
from tests.helpers.roots import make_root
from tests.helpers.scored import score_split

run = partial(run_command, module="actiseg_eval.cli")

NOISE = {"start": 2.5, "clean": 0.4, "plain": 1.2, "again": 1.3}


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at % 9:02d}_01") for at in range(1, 19)]
    return open_split(make_root(tmp_path_factory.mktemp("raw") / "clean", clips), "train")


@pytest.fixture(scope="module")
def tuning(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at}_09") for at in range(1, 6)]
    return open_split(make_root(tmp_path_factory.mktemp("raw") / "tuning", clips), "train")


@pytest.fixture(scope="module")
def runs(kitchen, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {name: score_split(kitchen, folder / name, noise=at) for name, at in NOISE.items()}


@pytest.fixture(scope="module")
def tuning_runs(tuning, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tuning")
    return {name: score_split(tuning, folder / name, noise=at) for name, at in NOISE.items()}


@pytest.fixture(scope="module")
def report(kitchen, tuning, runs, tuning_runs):
    return measure_raw_scores(
        {"plain": [runs["plain"], runs["again"]]},
        gt=kitchen,
        frozen=runs["start"],
        clean=runs["clean"],
        tuning={
            "plain": [tuning_runs["plain"], tuning_runs["again"]],
            "frozen": tuning_runs["start"],
            "clean": tuning_runs["clean"],
        },
        tuning_gt=tuning,
        n_rate=0.3,
        resamples=300,
    )


def at_gate(folder, gate, out):
    """Write the masks of a gate."""
    for scores in read_scores(folder):
        for frame, mask in zip(scores.frames, scores.make_masks(gate), strict=True):
            write_index_mask(out / scores.folder / f"{frame}.png", mask)
    return out


def plain(report):
    return next(method for method in report.methods if method.name == "plain")


def test_masks_without_the_gate_are_those_of_the_threshold_0(kitchen, runs, report, tmp_path):
    known = score(at_gate(runs["plain"], 0.0, tmp_path / "p"), gt=kitchen, resamples=0).metrics
    figures = plain(report).figures
    assert figures["p_miou_ungated"].seeds[0] == pytest.approx(known["p_miou"], abs=1e-12)
    hand_free = figures["p_miou_hand_free_ungated"].seeds[0]
    assert hand_free == pytest.approx(known["p_miou_hand_free"], abs=1e-12)
    as_scored = score(runs["plain"], gt=kitchen, resamples=0).metrics
    assert figures["p_miou"].seeds[0] == pytest.approx(as_scored["p_miou"], abs=1e-12)
    assert known["p_miou"] != as_scored["p_miou"]


def test_rates_at_the_tuned_gate_are_those_of_its_masks(
    kitchen, tuning, runs, tuning_runs, report, tmp_path
):
    tuned = plain(report).gates[0]
    tuned_masks = at_gate(tuning_runs["plain"], tuned.gate, tmp_path / "t")
    on_tuning = score(tuned_masks, gt=tuning, resamples=0).metrics
    assert on_tuning["n_rate"] == pytest.approx(tuned.n_rate)
    assert 0 < tuned.n_rate <= 0.3
    known = score(at_gate(runs["plain"], tuned.gate, tmp_path / "p"), gt=kitchen, resamples=0)
    for name in ("p_rate", "n_rate"):
        found = plain(report).figures[f"{name}_tuned"].seeds[0]
        assert found == pytest.approx(known.metrics[name], abs=1e-12)


def test_hand_free_is_p_miou_of_the_other_objects(kitchen, runs):
    found = score(runs["plain"], gt=kitchen, resamples=0).metrics["p_miou_hand_free"]
    values = []
    for sequence in kitchen.sequences:
        things = [
            label.object_id
            for label in sequence.objects
            if label.positive and "hand" not in label.name
        ]
        hands = [label for label in sequence.objects if label.class_id in HAND_CLASSES]
        assert all("hand" in label.name for label in hands)
        scores = {each.folder: each for each in read_scores(runs["plain"])}[sequence.folder]
        for truth, mask in zip(kitchen.read_masks(sequence), scores.make_masks(0.5), strict=True):
            for thing in things:
                true, predicted = truth == thing, mask == thing
                if (true | predicted).any():
                    values.append((true & predicted).sum() / (true | predicted).sum())
    assert found == pytest.approx(np.mean(values), abs=1e-12)


def test_kept_is_a_share_of_the_gain_of_clean_labels(report):
    values = {method.name: method.figures for method in report.methods}
    for name in report.figures:
        if name in report.no_gain:
            assert values["plain"][name].kept is None
            continue
        frozen, clean = values["frozen"][name].value, values["clean"][name].value
        figure = values["plain"][name]
        assert figure.value == pytest.approx(np.mean(figure.seeds))
        assert figure.kept == pytest.approx((figure.value - frozen) / (clean - frozen))
        low, high = figure.kept_interval
        assert low <= figure.kept <= high
        assert values["frozen"][name].kept_interval == pytest.approx((0, 0), abs=1e-9)
        assert values["clean"][name].kept_interval == pytest.approx((1, 1), abs=1e-9)
    assert "p_miou_ungated" not in report.no_gain
    assert "auroc" not in report.no_gain


def test_errors_cover_videos_and_seeds_as_in_compare(kitchen, runs, tmp_path):
    folders = {"plain": ["plain", "again", 1.1], "clean": ["clean", 0.3, 0.5]}
    for method, sources in folders.items():
        for seed, source in enumerate(sources):
            sources[seed] = tmp_path / f"{method}_s{seed}"
            if isinstance(source, str):
                sources[seed].symlink_to(runs[source])
            else:
                score_split(kitchen, sources[seed], noise=source)
    report = measure_raw_scores(
        {"plain": folders["plain"]},
        gt=kitchen,
        frozen=runs["start"],
        clean=folders["clean"],
        resamples=100,
    )
    figures = {method.name: method.figures for method in report.methods}
    for standing in compare(folders, gt=kitchen, resamples=100).standings["p_miou"]:
        figure = figures[standing.name]["p_miou"]
        assert figure.interval == pytest.approx(standing.interval)
        assert figure.over == "videos and seeds"
    figure = figures["plain"]["auroc"]
    low, high = figure.kept_interval
    assert low < figure.kept < high
    assert figure.kept_over == "videos and paired seeds"
    assert figures["frozen"]["auroc"].over == "videos"  # the same start for all seeds
    assert figures["frozen"]["auroc"].kept_over is None
    text = "\n".join(part for part in describe_raw_scores(report) if isinstance(part, str))
    assert "intervals over videos and seeds: Student's t" in text
    assert "intervals over videos alone: 9 videos resampled 100 times" in text


def test_ends_that_no_resample_reaches_are_marked(report):
    """One video of nine differs: the upper end is how far unseen videos could be."""
    values = np.array([0.5] + [0.0] * 8)
    ratio = Ratio(Sums(values, np.ones(9)))
    figures, _ = estimate_figures(
        {"plain": [{"p_miou": ratio}]}, {"plain": None}, Bootstrap(resamples=100), "video"
    )
    found = figures["plain"]["p_miou"]
    assert found.unreached == ("high",)
    figures["plain"]["p_miou"] = replace(found, kept=0.5)
    marked = replace(report, methods=[replace(plain(report), figures=figures["plain"])])
    page = render_markdown_page(make_raw_score_page(marked))
    assert f"to {found.interval[1]:.4f}*" in page
    assert "no resample reaches this end" in page
    assert "too uncertain for one: p-mIoU of plain" in page


def test_clean_labels_that_gain_nothing_have_no_share(kitchen, runs):
    report = measure_raw_scores(
        [runs["plain"]], gt=kitchen, frozen=runs["clean"], clean=runs["start"], resamples=200
    )
    assert report.no_gain["p_miou"] < 0
    assert all(value.kept is None for value in plain(report).figures.values())


def test_activity_alone_has_its_figures(kitchen, runs, tmp_path):
    folder = shutil.copytree(runs["plain"], tmp_path / "plain")
    (folder / "scores.npz").unlink()
    report = measure_raw_scores([folder], gt=kitchen, resamples=0)
    assert report.figures == ("auroc", "average_precision", "p_miou", "p_miou_hand_free")
    assert report.left_out["gate off"] == f"there is no scores.npz in {folder}"
    assert plain(report).figures["auroc"].interval is None
    with pytest.raises(InputError, match=r"has no scores\.npz"):
        measure_raw_scores([folder], gt=kitchen, tuning={"plain": runs["again"]})


def test_wrong_scores_are_refused_all_at_once(kitchen, runs, tmp_path):
    folder = shutil.copytree(runs["plain"], tmp_path / "plain")
    document = json.loads((folder / "scores.json").read_text())
    first, second, *_ = document["sequences"]
    document["sequences"][first]["activity"].pop("1")
    document["sequences"]["other"] = document["sequences"].pop(second)
    (folder / "scores.json").write_text(json.dumps(document))
    empty = shutil.copytree(runs["again"], tmp_path / "empty")
    (empty / "scores.json").unlink()
    with pytest.raises(InputError) as error:
        measure_raw_scores([folder, empty], gt=kitchen)
    text = str(error.value)
    assert f"has no scores of object 1 of {first}" in text
    assert f"has no scores of {second}" in text
    assert "has no scores.json, the raw scores" in text


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"frozen": "start"}, "clean is missing"),
        ({"frozen": [""], "clean": "start"}, "'frozen' lacks a name or a folder"),
        ({"tuning": {}}, "there is no method"),
        ({"tuning": {"other": "start"}}, "there is no method 'other'"),
        ({"tuning": {"other": "start"}}, "'plain' has no predictions of the tuning split"),
        ({"tuning": {"plain": ["start", "clean"]}}, "'plain' has 1 run, but 2 in the tuning"),
        ({"n_rate": 2}, r"2.0 is outside \[0, 1\]"),
        ({"n_rate": 0.2}, "n_rate: has no effect without tuning"),
        ({"tuning_split": "val"}, "tuning_split: has no effect without tuning"),
    ],
)
def test_wrong_arguments_are_refused(kitchen, runs, changes, message):
    with pytest.raises(InputError, match=message):
        measure_raw_scores({"plain": runs["plain"]}, gt=kitchen, **changes)


def test_the_command_prints_and_writes_the_figures(kitchen, runs, tmp_path):
    done = run(
        *("raw-scores", f"plain={runs['plain']}", "--gt", kitchen.root, "--split", "train"),
        *("--frozen", runs["start"], "--clean", runs["clean"], "--resamples", "200", "--quiet"),
        *("--json", "out.json", "--csv", "out.csv", "--markdown", "out.md"),
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    for text in ("AUROC ↑", "p-mIoU gate off ↑", "kept", "9 videos resampled"):
        assert text in done.stdout
    document = json.loads((tmp_path / "out.json").read_text())
    assert document["schema"] == "actiseg/raw-scores/1"
    assert [method["name"] for method in document["methods"]] == ["plain", "frozen", "clean"]
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert len(rows) == 1 + 3 * 6
    assert "| method | AUROC ↑ |" in (tmp_path / "out.md").read_text()


def test_gates_are_not_set_on_what_is_scored(kitchen, runs):
    with pytest.raises(InputError, match="tuning split has 18 of its 18 sequences in common"):
        measure_raw_scores([runs["plain"]], gt=kitchen, tuning=[runs["plain"]], tuning_gt=kitchen)


def test_activity_of_one_class_ranks_nothing(tmp_path):
    def make(name, positive):
        objects = tuple(label(at, each, positive=positive) for at, each in ((1, "tap"), (2, "cup")))
        clips = [replace(kitchen_clip(at), objects=objects) for at in (1, 2)]
        return open_split(make_root(tmp_path / name, clips), "train")

    active = make("active", True)
    runs = [score_split(active, tmp_path / name, noise=at) for name, at in NOISE.items()]
    report = measure_raw_scores(runs[2:3], gt=active, frozen=runs[0], clean=runs[1], resamples=0)
    assert plain(report).figures["auroc"].value is None
    assert "auroc" not in report.no_gain
    with pytest.raises(InputError, match="no object of the split 'train' is active"):
        measure_raw_scores(runs[:1], gt=make("idle", False))
