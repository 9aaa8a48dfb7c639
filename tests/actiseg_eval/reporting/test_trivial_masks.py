"""What stands beside a score: what masks without skill get, and how much was scored at all."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from actiseg_data.annotations.masks import VOID
from actiseg_data.core.tables import render_markdown_page
from actiseg_data.layouts.mask_folders import open_folder
from actiseg_data.layouts.opening import open_split
from actiseg_eval import Scorer, load_protocol, score
from actiseg_eval.comparison.comparing import compare
from actiseg_eval.comparison.methods import parse_methods
from actiseg_eval.measures.meter import SequenceMeter
from actiseg_eval.noise_levels.measuring import robustness
from actiseg_eval.noise_levels.robustness_tables import make_robustness_page
from actiseg_eval.noise_levels.runs import read_runs
from actiseg_eval.protocols import load_protocols
from actiseg_eval.reporting.report_building import ScoredPredictions, make_report
from actiseg_eval.reporting.score_tables import make_score_page
from tests.helpers.command import run
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import predict
from tests.helpers.roots import clip, label, make_root

FRAMES = tuple(f"frame_{at:010d}" for at in range(5))
OBJECTS = (label(1, "cup"), label(2, "tap", positive=False), label(3, "jar"))
MEASURES = ("core", "jf", "boundary")


class FakeTruth:
    root, name, has_action_lists = Path("root"), "split", False


pixels = st.lists(st.sampled_from([0, 1, 2, 3, 255]), min_size=12, max_size=12)
# Masks that fill the frame have no boundary.
full = st.integers(0, 3).map(lambda at: [at] * 12)
drawn = st.one_of(pixels, full).map(lambda of: np.array(of, np.uint8).reshape(3, 4))
scenes = st.lists(st.tuples(drawn, drawn), min_size=len(FRAMES), max_size=len(FRAMES))


def report_of(scenes, predictions, protocol):
    results = []
    for number, (scene, predicted) in enumerate(zip(scenes, predictions, strict=True), 1):
        sequence = clip(number, objects=OBJECTS, frames=FRAMES)
        meter = SequenceMeter(sequence, protocol, MEASURES)
        for frame, (truth, _), mask in zip(FRAMES, scene, predicted, strict=True):
            meter.add(frame, truth, mask)
        results.append(meter.build_result())
    return make_report(ScoredPredictions(FakeTruth, "p", results, protocol, MEASURES))


def figures_like(found, expected):
    for name, value in expected.items():
        assert found[name] == (value if value is None else pytest.approx(value, abs=1e-12)), name


@pytest.mark.parametrize("name", load_protocols())
@given(st.lists(scenes, min_size=1, max_size=2))
@settings(max_examples=25, deadline=None)
def test_references_are_what_such_masks_really_get(name, scenes):
    # What is more than the protocol's objects is refused or ignored, not compared here.
    protocol = replace(load_protocol(name), extra_ids="ignored")
    predicted = [[prediction for _, prediction in scene] for scene in scenes]
    blank = [[np.zeros_like(truth) for truth, _ in scene] for scene in scenes]
    everything = [
        [np.where(truth == VOID, VOID * (protocol.void == "an id"), truth) for truth, _ in scene]
        for scene in scenes
    ]
    everything = [[mask.astype(np.uint8) for mask in masks] for masks in everything]
    if name == "davis-unsupervised":
        predicted = [[np.where(mask > 20, 0, mask) for mask in masks] for masks in predicted]
    references = report_of(scenes, predicted, protocol).references
    figures_like(references.blank, report_of(scenes, blank, protocol).metrics)
    figures_like(references.everything, report_of(scenes, everything, protocol).metrics)


@pytest.fixture(scope="module")
def kitchen(tmp_path_factory):
    clips = [kitchen_clip(at, video=f"P{at}_01") for at in range(1, 10)]
    return open_split(make_root(tmp_path_factory.mktemp("references") / "clean", clips), "train")


@pytest.fixture(scope="module")
def folders(kitchen, tmp_path_factory):
    root = tmp_path_factory.mktemp("predicted")
    return {name: predict(kitchen, name, root / name) for name in ("all", "blank", "shift")}


def test_the_references_of_a_folder_are_the_scores_of_blank_and_of_all_masks(kitchen, folders):
    report = score(folders["shift"], gt=kitchen, metrics=["all"])
    for recipe, found in (
        ("blank", report.references.blank),
        ("all", report.references.everything),
    ):
        figures_like(found, score(folders[recipe], gt=kitchen, metrics=["all"]).metrics)


def test_every_document_shows_the_references(kitchen, folders):
    report = score(folders["shift"], gt=kitchen)
    blank = score(folders["blank"], gt=kitchen).metrics["giou"]
    everything = score(folders["all"], gt=kitchen).metrics["giou"]
    line = (
        f"for comparison: gIoU {blank:.4f} with blank masks, {everything:.4f} with the true masks "
        "of all objects"
    )
    assert line in render_markdown_page(make_score_page(report))
    assert line in str(report)
    document = report.to_dict()
    assert document["references"]["blank"] == dict(report.references.blank)
    assert set(document["references"]["all_objects"]) == set(document["metrics"])
    done = run(
        *("score", folders["shift"], "--gt", kitchen.root, "--split", "train", "--quiet"),
        module="actiseg_eval.cli",
    )
    assert line in done.stdout


def test_blank_predictions_are_called_so_before_any_table(kitchen, folders):
    line = f"all 18 masks of {folders['blank']} are blank: this is the score of blank masks"
    report = score(folders["blank"], gt=kitchen)
    assert report.notices == [line]
    assert line in render_markdown_page(make_score_page(report))
    assert report.handled["empty_predictions"] == 18
    assert score(folders["all"], gt=kitchen).notices == []
    done = run(
        *("score", folders["blank"], "--gt", kitchen.root, "--split", "train", "--quiet"),
        module="actiseg_eval.cli",
    )
    first, second, *_ = done.stdout.splitlines()
    assert first.startswith("dataset:")
    assert second == line


def test_masks_that_are_missing_are_told_from_blank_ones(kitchen, folders, tmp_path):
    some = tmp_path / "some"
    first = kitchen.sequences[0].folder
    shutil.copytree(folders["blank"] / first, some / first)
    (line,) = score(some, gt=kitchen, missing="empty").notices
    assert "are blank, 16 of them because they are missing" in line


def test_compare_and_robustness_name_the_runs_that_are_blank(kitchen, folders, tmp_path):
    methods = parse_methods([f"learnt={folders['shift']}", f"nothing={folders['blank']}"])
    found = compare(methods, gt=kitchen)
    (line,) = found.notices
    assert line.startswith(f"all 18 masks of nothing ({folders['blank']}) are blank")
    assert found.to_dict()["notices"] == [line]
    for place, source in (("m/0", "all"), ("m/1", "blank"), ("n/0", "shift"), ("n/1", "all")):
        shutil.copytree(folders[source], tmp_path / "runs" / place)
    robust = robustness(read_runs(tmp_path / "runs"), gt=kitchen, resamples=0)
    line, copied = robust.notices
    assert "has the scores of m" in copied
    assert line.startswith("all 18 masks of m at 1 (")
    assert line in render_markdown_page(make_robustness_page(robust))


def test_a_score_of_few_sequences_says_so_first(tmp_path):
    """Clips of two frames have none that DAVIS scores; one clip of four has two."""
    clips = [kitchen_clip(at, video=f"P{at}_01") for at in range(1, 4)]
    frames = tuple(f"frame_{at:010d}" for at in range(4))
    clips.append(kitchen_clip(4, video="P4_01", frames=frames))
    split = open_split(make_root(tmp_path / "clean", clips), "train")
    report = score(predict(split, "all", tmp_path / "p"), gt=split, protocol="vos-benchmark")
    (line,) = report.notices
    assert line == "scored 1 of 4 sequences: 3 without a frame that 'vos-benchmark' scores"
    assert report.handled["sequences_without_scored_frames"] == 3
    assert report.coverage.to_dict()["unscored"] == {"sequences_without_scored_frames": 3}
    clips[1:] = [replace(of, frames=frames) for of in clips[1:]]
    split = open_split(make_root(tmp_path / "longer", clips), "train")
    report = score(predict(split, "all", tmp_path / "q"), gt=split, protocol="vos-benchmark")
    assert report.notices == []
    assert report.handled["sequences_without_scored_frames"] == 1


def test_flagged_sequences_and_those_not_given_are_told_apart(kitchen, folders):
    flagged = tuple(replace(of, flagged_other=at < 7) for at, of in enumerate(kitchen.sequences))
    split = replace(kitchen, sequences=flagged)
    (line,) = score(folders["shift"], gt=split).notices
    assert line == "scored 2 of 9 sequences: 7 flagged by people (turn off `filter` to score them)"
    scorer = Scorer(kitchen)
    sequence = kitchen.sequences[0]
    for frame, mask in zip(sequence.frames, kitchen.read_masks(sequence), strict=True):
        scorer.update(sequence.folder, frame, mask)
    assert scorer.report().notices == ["scored 1 of 9 sequences: 8 not given to the scorer"]


def test_a_plain_folder_has_references_too(kitchen, folders):
    truth = open_folder(folders["all"])
    report = score(folders["shift"], gt=truth, protocol="davis-unsupervised")
    assert report.references.everything["jf"] == 1
    assert report.references.blank["j"] < report.metrics["j"] < 1
