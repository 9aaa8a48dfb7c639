"""Reports from kept results of the plan ``equal-terms``: which run each method is held against."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from reference_trainer.bench.bench_report_making import make_report
from reference_trainer.bench.plan import PLAIN, PrimaryFamily, Tuning
from reference_trainer.bench.plan_file import load_plan
from reference_trainer.bench.run_results import read_results
from tests.helpers.paths import ROOT

FIGURE = "p_miou_ungated"
METHODS = ("gce", "elr")


@pytest.fixture(scope="module")
def plan():
    """The plan with one cell and three tuned methods."""
    whole = load_plan("equal-terms")
    return replace(
        whole,
        methods={name: whole.methods[name] for name in (PLAIN, *METHODS)},
        figures=(FIGURE,),
        tuning=Tuning("S", ("M1",), 0, FIGURE),
        primary=PrimaryFamily("S", {"M1": FIGURE}, METHODS),
    )


@pytest.fixture(scope="module")
def results():
    """Results in which the tuned variants are runs of other methods."""
    kept = read_results(ROOT / "data_manifests" / "baselines" / "equal-terms.jsonl.gz")
    runs = [run for run in kept.runs if run.arm == "S" and run.cell in ("clean", "M1")]
    methods = {"frozen", PLAIN, *METHODS}
    own = [run for run in runs if run.method in methods and not run.variant]

    def rename(method, like, variant, score):
        return [
            replace(run, method=method, variant=variant, tuning_score=score)
            for run in runs
            if (run.cell, run.method, run.variant) == ("M1", like, "")
        ]

    tuned = [
        *rename(PLAIN, "co-teaching", "learning_rate=0.0002", 0.9),
        *rename(PLAIN, "sce", "learning_rate=0.001", 0.1),
        *rename("gce", "npn", "q=0.3", 0.9),
        *rename("gce", "sce", "q=1", 0.1),
        *rename("elr", "sce", "strength=0.33", 0.1),
        *rename("elr", "sce", "strength=3", 0.1),
    ]
    return replace(kept, runs=(*own, *tuned))


def without(results, missing):
    runs = [run for run in results.runs if (run.cell, run.method, run.variant, run.seed) != missing]
    return replace(results, runs=tuple(runs))


def find_rows(report, cell="M1"):
    (arm,) = report.arms
    (own,) = (item for item in arm.cells if item.cell == cell)
    return {(row.method, row.variant): row.figures[FIGURE] for row in own.rows}


def test_tuned_methods_are_held_against_tuned_plain(plan, results):
    report = make_report(plan, results)
    rows = find_rows(report)
    reference = rows[PLAIN, "learning_rate=0.0002"]
    for method, variant in (("gce", "q=0.3"), ("elr", "")):
        row = rows[method, variant]
        assert row.tuned_gain.value == pytest.approx(row.value - reference.value, abs=1e-12)
        assert row.gain.value == pytest.approx(row.value - rows[PLAIN, ""].value, abs=1e-12)
    assert (PLAIN, "learning_rate=0.001") not in rows  # it was only tried
    assert reference.tuned_gain is None
    assert rows[PLAIN, ""].gain is None
    mirrored, gain = rows[PLAIN, ""].tuned_gain, reference.gain
    assert mirrored.value == -gain.value
    assert mirrored.interval == (-gain.interval[1], -gain.interval[0])
    tests = {test.method: test for test in report.primary}
    assert (tests["gce"].variant, tests["elr"].variant) == ("q=0.3", "")
    assert tests["gce"].gain == rows["gce", "q=0.3"].tuned_gain
    untuned = {test.method: test for test in report.untuned}
    assert untuned["gce"].gain == rows["gce", ""].gain


def test_p_values_of_the_family_are_corrected_together(plan, results):
    tests = make_report(plan, results).primary
    first, second = sorted(tests, key=lambda test: test.gain.p)
    assert first.adjusted == pytest.approx(min(1, 2 * first.gain.p))
    assert second.adjusted == pytest.approx(max(first.adjusted, second.gain.p))


@pytest.mark.parametrize(
    ("missing", "left"),
    [
        (("M1", "gce", "q=0.3", 1), ["gce", "elr"]),  # a seed of a method
        (("M1", PLAIN, "learning_rate=0.0002", 2), ["gce", "elr"]),  # a seed of the reference
        (("M1", "elr", "strength=3", 0), ["gce"]),  # a run of tuning
        (("M1", PLAIN, "learning_rate=0.001", 0), ["gce", "elr"]),  # one of the reference
    ],
)
def test_p_values_are_not_corrected_while_a_run_is_missing(plan, results, missing, left):
    tests = make_report(plan, without(results, missing)).primary
    assert [test.method for test in tests] == left
    assert all(test.adjusted is None for test in tests)


def test_a_value_of_which_a_run_is_missing_stays_in_the_table(plan, results):
    values = make_report(plan, without(results, ("M1", "elr", "strength=3", 0))).tuning
    scores = {(value.method, value.variant): value.score for value in values}
    assert scores["elr", "strength=3"] is None
    assert scores["elr", "strength=0.33"] == 0.1
    chosen = {(value.method, value.variant) for value in values if value.chosen}
    assert chosen == {(PLAIN, "learning_rate=0.0002"), ("gce", "q=0.3")}


def rename_cell(runs, cell, name, **methods):
    """Runs of a cell as those of another one, some methods with the runs of another method."""
    own = [run for run in runs if run.cell == cell and run.method not in methods]
    swapped = [
        replace(run, method=method)
        for method, like in methods.items()
        for run in runs
        if (run.cell, run.method, run.variant) == (cell, like, "")
    ]
    return [replace(run, cell=name) for run in (*own, *swapped)]


def test_equal_differences_are_no_profile_and_exchanged_methods_are_one(plan, results):
    kept = read_results(ROOT / "data_manifests" / "baselines" / "equal-terms.jsonl.gz")
    names = ("frozen", PLAIN, "gce", "smart")
    runs = [run for run in kept.runs if run.method in names and not run.variant and run.arm == "S"]
    runs = [run for run in runs if run.cell in ("clean", "M1")]
    methods = load_plan("equal-terms").methods
    two = replace(
        plan,
        methods={name: replace(methods[name], knob=()) for name in names[1:]},
        tuning=None,
        primary=PrimaryFamily("S", {"M1": FIGURE, "M2": FIGURE}, names[2:]),
    )
    (equal,) = make_report(
        two, replace(results, runs=(*runs, *rename_cell(runs, "M1", "M2")))
    ).profiles
    assert (equal.deviation, equal.p, equal.changes) == (0.0, 1.0, ())
    exchanged = rename_cell(runs, "M1", "M2", gce="smart", smart="gce")
    report = make_report(two, replace(results, runs=(*runs, *exchanged)))
    (profile,) = report.profiles
    rows = find_rows(report)
    difference = rows["gce", ""].value - rows["smart", ""].value
    assert profile.deviation == pytest.approx(abs(difference) / 2)
    assert profile.p < 0.001
    (change,) = profile.changes
    assert (change.first, change.second, change.cell, change.peer) == ("gce", "smart", "M1", "M2")
