"""Plans: those of the package, what is refused in others, and the jobs that they make."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")

from actiseg_data.core.errors import InputError
from reference_trainer.bench.jobs import JobList, digest_job, name_variant
from reference_trainer.bench.plan import CLEAN, FROZEN, PLAIN
from reference_trainer.bench.plan_file import list_plans, load_plan
from tests.helpers.paths import ROOT

PLANS = ROOT / "data_manifests" / "bench"


def write_changed(tmp_path, before, after, plan="quick"):
    text = (PLANS / f"{plan}.yaml").read_text()
    assert before in text
    file = tmp_path / "changed.yaml"
    file.write_text(text.replace(before, after))
    return file


@pytest.mark.parametrize("name", list_plans())
def test_every_plan_of_the_package_is_valid(name):
    plan = load_plan(name)
    assert PLAIN in plan.methods
    assert all(arm.cells[CLEAN] == (PLAIN,) for arm in plan.arms.values())


def test_every_run_follows_what_it_needs():
    plan = load_plan("equal-terms")
    jobs = JobList(plan, plan.arms)
    runs = jobs.list_runs({})
    inputs = jobs.list_inputs(runs)
    seen = set()
    for job in [*inputs, *runs]:
        assert set(job.needs) <= seen
        seen.add(job.path)
    assert len(seen) == len(inputs) + len(runs)


def test_untuned_methods_stand_beside_tuned_ones_in_the_primary_cells_alone():
    plan = load_plan("equal-terms")
    jobs = JobList(plan, ["S"])
    q = {"options": {"q": 0.3}}

    def list_variants(cell, chosen):
        return {
            (run.variant, run.seed)
            for run in jobs.list_runs(chosen)
            if run.cell == cell and run.method == "gce"
        }

    assert list_variants("M3", {}) == set()
    assert list_variants("M3", {"gce": q}) == {("q=0.3", seed) for seed in plan.seeds}
    both = {(name, seed) for name in ("", "q=0.3") for seed in plan.seeds}
    assert list_variants("M2", {"gce": q}) == both
    tuned_at_seed_0 = {("q=0.3", 0), ("q=1", 0)}
    assert list_variants("M1", {}) == {("", seed) for seed in plan.seeds} | tuned_at_seed_0


def test_tuned_plain_stands_beside_other_tuned_methods():
    plan = load_plan("equal-terms")
    runs = JobList(plan, ["S"]).list_runs({PLAIN: {"learning_rate": 0.001}})
    cells = {run.cell for run in runs if run.variant == "learning_rate=0.001" and run.seed == 1}
    assert cells == {"M1", "M2", "M3", "T1", "T2", "T3", "X"}


def test_the_default_value_of_a_knob_is_the_method_itself():
    plan = load_plan("equal-terms")
    run = JobList(plan, ["S"]).make_tuning_run("gce", "M1", {"options": {"q": 0.7}})
    assert run.path == "S/runs/M1/gce/s0"


def test_every_video_is_tested_in_one_fold():
    plan = load_plan("equal-terms")
    arm = plan.arms["D"]
    tested = []
    for fold in range(arm.folds):
        parts = {
            name: {(part + fold) % 4 for part in source.take} for name, source in arm.data.items()
        }
        assert not parts["start"] & parts["train"]
        assert not parts["test"] & (parts["start"] | parts["train"])
        tested += parts["test"]
    assert sorted(tested) == [0, 1, 2, 3]


def test_the_starts_of_an_arm_may_begin_with_those_of_another_arm():
    plan = load_plan("equal-terms")
    jobs = JobList(plan, ["V"])
    paths = [job.path for job in jobs.list_inputs(jobs.list_runs({}))]
    assert paths.index("S/starts/s1") < paths.index("V/starts/s1")


def test_a_frozen_start_is_not_trained():
    plan = load_plan("quick")
    frozen = [run for run in JobList(plan, ["S"]).list_runs({}) if run.method == FROZEN]
    assert [run.seed for run in frozen] == list(plan.seeds)
    assert all(run.settings is None and run.noise is None for run in frozen)


def test_a_setting_changes_the_digest_of_its_runs_alone(tmp_path):
    def digest(plan):
        jobs = JobList(plan, ["S"])
        runs = jobs.list_runs({})
        return {job.path: digest_job(job) for job in [*jobs.list_inputs(runs), *runs]}

    before = digest(load_plan("quick"))
    changed = load_plan(write_changed(tmp_path, "{stop_after: 0.5,", "{stop_after: 0.25,"))
    after = digest(changed)
    assert before.keys() == after.keys()
    different = {path for path in before if before[path] != after[path]}
    assert different == {f"S/runs/masks/half/s{seed}" for seed in (0, 1, 2)}


def test_variants_are_named_by_their_values():
    knob = {"options": {"q": 0.3, "dice": 5}, "learning_rate": 0.0002}
    assert name_variant(knob) == "dice=5,learning_rate=0.0002,q=0.3"


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("figures: [p_miou_ungated", "figures: [p_miou_ungatd", "did you mean 'p_miou_ungated'"),
        ("masks: [plain, gce, half]", "masks: [plain, gse, half]", "did you mean 'gce'"),
        ("names: [plain, gce]", "nmes: [plain, gce]", "did you mean 'names'"),
        ("seeds: [0, 1, 2]", "seeds: [0, 0]", "seeds"),
        ("clean: [plain]", "clean: [gce]", "cells: clean: has no run of plain"),
        ("      clean: [plain]\n", "", "the ceiling of all shares"),
        ("{type: boundary,", "{type: boundry,", "did you mean 'boundary'"),
        ("target_iou: 0.55", "target_uio: 0.55", "target_uio"),
        ("strategy: gce", "strategy: gcee", "did you mean 'gce'"),
        ("options: {q: 0.7}\n", "options: {qq: 0.7}\n", "qq"),
        ("epochs: 3,", "epochs: 0,", "epochs"),
        ("epochs: 3,", "seed: 2, epochs: 3,", "itself decides the setting 'seed'"),
        ("test: {clips: 24, videos: 8, seed: 204, split: val_human}", "", "test"),
        ("about: synthetic clips", "about: synthetic clips\n    colour: red", "colour"),
        ("schema: actiseg/bench-plan/1", "schema: actiseg/bench-plan/2", "schema"),
        ("arm: S, cells: [masks]", "arm: S, cells: [clean2]", "clean2"),
        ("seed: 0, figure", "seed: 7, figure", "'7'"),
        ("half: {stop_after: 0.5,", "../half: {stop_after: 0.5,", "'../half'"),
        ("half: {stop_after: 0.5,", "frozen: {stop_after: 0.5,", "the name of a reference"),
        ("options: {q: 0.7}\n", "options: [0.7]\n", "must be an object"),
        ("rate: 0.4, pool", "rate: much, pool", "rate"),
        ("tune: [{options: {q: 0.7}}, ", "tune: {q: 3} # [", "must be a list"),
        ("videos: 16, seed: 202", "videos: 16, seed: 201", "have the same videos"),
        ("data:\n", "folds: 3\n    data:\n", "3 folds do not test every video once"),
        ("{q: 0.7}}, {options: {q: 0.3}}", "{q: 0.3}}, {options: {q: 0.3}}", "not one of its own"),
        ("names: [plain, gce]", "names: [plain, gce, gce]", "is named 2 times"),
        ("names: [plain, gce]", "names: [gce]", "has no run of plain"),
    ],
)
def test_what_is_wrong_in_a_plan_is_named(tmp_path, before, after, message):
    with pytest.raises(InputError) as caught:
        load_plan(write_changed(tmp_path, before, after))
    assert message in str(caught.value)


def test_all_unknown_names_are_named_at_once(tmp_path):
    file = write_changed(tmp_path, "masks: [plain, gce, half]", "masks: [plain, gse, hlf]")
    with pytest.raises(InputError) as caught:
        load_plan(file)
    unknown = [item.what for item in caught.value.problems if "there is no method" in item.what]
    assert len(unknown) == 2


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("take: [1], clips: 300", "take: [0, 1], clips: 300", "have the part 0 in common"),
        ("parts: 2, take: [1], clips: 300", "parts: 3, take: [1]", "deal the same videos into"),
        ("parts: 4, take: [3]", "parts: 4, take: [2, 3]", "have the part 2 in common"),
        ("folds: 4", "folds: 3", "3 folds do not test every video once"),
        ("parts: 2, take: [0]", "parts: 2, take: [2]", "takes the parts [2] of 2"),
        ("start: {arm: S, ", "start: {arm: D, ", "the arm D has a start for each fold"),
        ("start: {arm: S, ", "start: {arm: V, ", "its start needs itself: V -> V"),
        ("M1: p_miou_ungated, M2", "M1: n_miou, M2", "there is no figure of tables 'n_miou'"),
        ("gce, sce, apl, elr, co-teaching, npn, smart, pmhm]\n\n", "half]\n\n", "'half'"),
    ],
)
def test_plans_that_could_not_be_evidence_are_refused(tmp_path, before, after, message):
    with pytest.raises(InputError) as caught:
        load_plan(write_changed(tmp_path, before, after, "equal-terms"))
    assert message in str(caught.value)


def test_an_unknown_plan_has_a_suggestion():
    with pytest.raises(InputError, match="did you mean 'quick'"):
        load_plan("quik")
