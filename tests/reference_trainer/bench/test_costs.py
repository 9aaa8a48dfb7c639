"""What a benchmark costs, before any run has ended."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

pytest.importorskip("torch")

from actiseg_data import open_split
from actiseg_data.core.errors import InputError
from reference_trainer.bench.arm_data import choose_sequences
from reference_trainer.bench.costs import estimate_costs, estimate_run
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.running import open_matrix


def test_the_steps_of_synthetic_clips_are_known():
    plan = load_plan("quick")
    arm = plan.arms["S"]
    size = estimate_run(arm, {})
    assert (size.clips, size.known) == (arm.data["train"].clips, True)
    batch = arm.settings.get("batch_size", 2)
    assert size.steps == math.ceil(size.clips / batch) * arm.settings["epochs"]


def test_the_clips_of_a_given_dataset_count(root):
    arm = load_plan("actiseg-nl").arms["V"]
    with pytest.raises(InputError, match="fewer than the 2 parts"):
        estimate_run(arm, {"visor": root})  # one video
    assert not estimate_run(arm, {}).known


def test_clips_and_pixels_are_in_the_estimate(sample, tmp_path):
    plan = load_plan("actiseg-nl")
    arm = plan.arms["V"]
    split = open_split(sample, "train")
    clips = len(choose_sequences(split.sequences, arm.data["train"], 0, 1))
    size = estimate_run(arm, {"visor": sample})
    assert (size.clips, size.known) == (clips, True)
    assert 0 < clips < len(split.sequences)
    unknown = estimate_run(arm, {})
    assert size.seconds / clips == pytest.approx(unknown.seconds / unknown.clips)
    large = load_plan("visor-photographs").arms["P"]
    settings = {**large.settings, "height": 128, "width": 224}
    small = type(large)(**{**vars(large), "settings": settings})
    assert estimate_run(large, {}).seconds == pytest.approx(
        estimate_run(small, {}).seconds * 224 * 448 / (128 * 224)
    )
    matrix = open_matrix(plan, tmp_path / "bench")
    known = estimate_costs(matrix, {"visor": sample})["V", "clean"]
    assert known.runs == 2 * len(plan.seeds)
    assert known.hours == pytest.approx(len(plan.seeds) * size.seconds * 1.15 / 3600)
    assert not known.measured


def test_longer_methods_cost_more(tmp_path):
    plan = load_plan("equal-terms")
    hours = {}
    for name in ("half", "two-nets", "untouched"):
        methods = ("plain", name)
        arm = replace(plan.arms["S"], cells={"clean": ("plain",), "M2": methods})
        small = replace(plan, arms={"S": arm}, tuning=None, primary=None)
        hours[name] = estimate_costs(open_matrix(small, tmp_path), {})["S", "M2"].hours
    plain = hours["untouched"] / 2
    assert hours["half"] == pytest.approx(1.5 * plain)
    assert hours["two-nets"] == pytest.approx((1 + 11 / 5) * plain)
