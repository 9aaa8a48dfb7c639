"""A new metric is one function and one entry in `METRICS`: every report then has it."""

from __future__ import annotations

import pytest

from actiseg_data.layouts.opening import open_split
from actiseg_eval import compare, score
from actiseg_eval.measures.frame_measurement import _PAIR_FUNCTIONS
from actiseg_eval.metrics.definitions import METRICS, Formula, Metric
from actiseg_eval.metrics.sums import MetricSums, Sums, UnitGroups
from actiseg_eval.metrics.units import Units
from tests.helpers.kitchens import kitchen_clip
from tests.helpers.predicted import predict
from tests.helpers.roots import make_root


def compute_toy(units: Units, groups: UnitGroups) -> MetricSums:
    """Compute the share of units that are predicted."""
    return {"toy": Sums(groups.sum_where(units.prediction > 0), groups.sizes)}


@pytest.fixture(scope="module")
def shifted(tmp_path_factory):
    root = tmp_path_factory.mktemp("toy")
    frames = tuple(f"frame_{at:010d}" for at in (5, 15, 25))
    clips = [kitchen_clip(at, video=f"P{at}_01", frames=frames) for at in range(1, 10)]
    split = open_split(make_root(root / "clean", clips), "train")
    return split, [predict(split, recipe, root / recipe) for recipe in ("shift", "pseudo")]


@pytest.fixture
def toy(monkeypatch):
    monkeypatch.setitem(METRICS, "toy", Metric("Toy", "higher", "a toy", (Formula(compute_toy),)))


@pytest.mark.parametrize("protocol", ["actionvos", "vost", "gres"])
def test_every_part_of_a_report_has_a_new_metric(shifted, toy, protocol):
    split, (predictions, _) = shifted
    report = score(predictions, gt=split, protocol=protocol, resamples=100)
    assert report.metrics["toy"] > 0
    assert report.references.blank["toy"] == 0
    assert report.intervals["toy"] is not None
    assert report.main_table.columns[-1] == "Toy ↑"
    assert all("toy" in stratum.metrics for stratum in report.strata["size"])
    assert report.to_dict()["better"]["toy"] == "higher"


def test_a_comparison_has_a_new_metric(shifted, toy):
    split, (first, second) = shifted
    comparison = compare({"a": first, "b": second}, gt=split, resamples=100)
    assert comparison.standings["toy"][0].value > 0


def test_a_metric_of_some_protocols_is_absent_from_others(shifted, monkeypatch):
    formula = Formula(compute_toy, ("jf",), ("gres",))
    monkeypatch.setitem(METRICS, "toy", Metric("Toy", "higher", "a toy", (formula,)))
    split, (predictions, _) = shifted
    for protocol, metrics, has_toy in (
        ("gres", "core,jf", True),
        ("gres", "core", False),
        ("actionvos", "core,jf", False),
    ):
        report = score(predictions, gt=split, protocol=protocol, metrics=metrics, resamples=0)
        assert ("toy" in report.metrics) is has_toy


def test_a_new_measure_of_masks_is_averaged_over_objects(shifted, monkeypatch):
    split, (predictions, _) = shifted
    monkeypatch.setitem(_PAIR_FUNCTIONS["boundary"], "toy", lambda truth, mask: 0.25)
    with pytest.raises(LookupError, match="METRICS has no entry for toy"):
        score(predictions, gt=split, metrics="boundary", resamples=0)
    formulas = METRICS["boundary_iou"].formulas
    monkeypatch.setitem(METRICS, "toy", Metric("Toy", "higher", "a toy", formulas))
    report = score(predictions, gt=split, metrics="boundary", resamples=0)
    assert 0 < report.metrics["toy"] <= 1
    assert report.references.everything["toy"] == 1
