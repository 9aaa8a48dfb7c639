"""Plans: those of the package, what is refused in others, and the jobs that they make."""

from __future__ import annotations

import re

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


def list_messages(file):
    """List what `actiseg-train bench` prints of a wrong plan. Every line begins with the file."""
    with pytest.raises(InputError) as caught:
        load_plan(file)
    lines = [problem.name_parameters(lambda name: f"--{name}") for problem in caught.value.problems]
    assert [line for line in lines if not line.startswith(f"{file}: ") or "--" in line] == []
    return [line.removeprefix(f"{file}: ") for line in lines]


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
        ("rate: 1, target", "rate: 8, target", "cells: masks: noise: rate: the rate 8"),
        ("type: boundary,", "type: boundary, pool: dataset,", "'boundary' has no parameter 'pool'"),
        ("rate: 0.4, pool", "seed: x, rate: 0.4, pool", "cells: names: noise: seed is 'x'"),
        ("rate: 0.4, pool", "lexicon: 4, rate: 0.4, pool", "decides 'lexicon' of the noise"),
        ("clean labels}", "clean labels, noise: {type: dilate, rate: 1}}", "clean: has noise"),
        ("noise: {type: category, rate: 0.4, pool: frequency}", "", "has no noise in S"),
        ("options: {q: 0.7}\n", "options: {qq: 0.7}\n", "methods: gce: options: gce has no option"),
        ("{options: {q: 0.3}}]", "{options: {q: 7}}]", "methods: gce: tune 2: option q: 7 is not"),
        ("epochs: 30}", "epochs: 30, strategy: distil}", "arms: S: start: init: distil stays near"),
        ("cells: [masks]", "cells: []", "tuning: cells: names no cell"),
        ("seed: 0, figure", "sed: 0, seed: 0, figure", "tuning: the key 'sed' is unknown"),
        ("strategy: gce\n", "strategy: gce\n    channels: 16\n", "methods: gce: channels is 16"),
        ("{options: {q: 0.3}}]", "{prompt_width: 8}]", "methods: gce: tune 2: prompt_width is 8"),
        (
            "epochs: 3,",
            "epochs: 3, encoder: lite0,",
            "arms: S: settings: encoder is lite0, and the",
        ),
        ("clean: [plain]", "clean: [plain, untouched]", "there is no method 'untouched'"),
    ],
)
def test_what_is_wrong_in_a_plan_is_named(tmp_path, before, after, message):
    assert any(message in line for line in list_messages(write_changed(tmp_path, before, after)))


def test_a_wrong_setting_of_an_arm_is_named_once_beside_those_of_methods(tmp_path):
    file = write_changed(tmp_path, "epochs: 3,", "epochs: 0,")
    text = file.read_text().replace("{stop_after: 0.5,", "{stop_after: much, batch_size: 0,")
    file.write_text(text.replace("{options: {q: 0.3}}]", "{options: {q: 7}}]"))
    places = [line.partition(". Hint")[0] for line in list_messages(file)]
    assert places == [
        "arms: S: settings: epochs 0 is out of range",
        "methods: gce: tune 2: option q: 7 is not valid",
        "methods: half: stop_after is 'much'",
    ]


def test_wrong_types_in_all_parts_are_named_at_once(tmp_path):
    changes = {
        "seeds: [0, 1, 2]": "seeds: [0, x]",
        "figures: [p_miou_ungated, auroc, p_rate_tuned]": "figures: auroc",
        "arm: S, cells: [masks], seed: 0": "arm: [S], sed: 1, cells: 5",
        "epochs: 30}": "options: 3}",
        "{clips: 16, videos: 8,": "{clips: many, videos: few,",
        "{clips: 24,": "{",
        "clean: [plain]": "clean: plain",
        "every mask, unbiased": "7",
        "rate: 0.4, pool: frequency": "options: 2",
        "tune: [{options: {q: 0.7}},": "tune: [3, {options: 4},",
        "control: true": "control: perhaps",
    }
    file = write_changed(tmp_path, "about: clean labels", "about: [clean]")
    text = file.read_text()
    for before, after in changes.items():
        assert before in text
        text = text.replace(before, after)
    file.write_text(text)
    places = {re.split(": must|[.?] Hint", line)[0] for line in list_messages(file)}
    assert places == {
        "seeds[1]",
        "figures",
        "tuning: arm",
        "tuning: the key 'sed' is unknown; did you mean 'seed'",
        "tuning: the key 'seed' is missing",
        "tuning: cells",
        "arms: S: start: options",
        "arms: S: data: start: clips",
        "arms: S: data: start: videos",
        "arms: S: data: test: the key 'clips' is missing",
        "arms: S: cells: clean",
        "cells: clean: about",
        "cells: masks: about",
        "cells: names: noise: options",
        "methods: gce: tune 1",
        "methods: gce: tune 2: options",
        "methods: half: control",
    }


def test_seeds_are_sorted(tmp_path):
    plan = load_plan(write_changed(tmp_path, "seeds: [0, 1, 2]", "seeds: [2, 0, 1]"))
    assert plan.seeds == (0, 1, 2)


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
        ("clean: [plain]", "clean: [plain, untouched]", "methods: untouched: labels is untouched"),
        ("{arm: S, epochs: 1", "{arm: S, channels: 64, epochs: 1", "V: start: channels is 64, and"),
        (
            "{root: visor, split: val_human}",
            "{clips: 8, videos: 8, seed: 101}",
            "V: data: test and",
        ),
        (
            "{root: visor, split: val_human}",
            "{clips: 8, videos: 8, seed: 103}",
            "the tune of the arm",
        ),
        (
            "{learning_rate: 0.001}]",
            "{learning_rate: 0.001}, {epochs: 9}]",
            "plain 4, gce 3, sce 3",
        ),
        (
            "methods: [gce, sce, apl, elr, co-teaching, npn, smart, pmhm]",
            "methods: []",
            "no methods",
        ),
        (
            "cells: {M1: p_miou_ungated, M2: p_miou_ungated, T2: auroc}",
            "cells: {}",
            "names no cells",
        ),
        ("primary:\n", "primary:\n  cell: M1\n", "primary: the key 'cell' is unknown"),
    ],
)
def test_plans_that_could_not_be_evidence_are_refused(tmp_path, before, after, message):
    lines = list_messages(write_changed(tmp_path, before, after, "equal-terms"))
    assert any(message in line for line in lines)


LONG_CHAIN = """  D:
    about: further photographs of VISOR
    folds: {folds}
    data:
      start: {{root: davis, split: train, parts: 4, take: [0]}}
      train: {{root: davis, split: train, parts: 4, take: [1]}}
      test: {train}
    start: {{arm: V, epochs: 1}}
    settings: {{epochs: 1}}
    cells: {{clean: [plain]}}
"""


@pytest.mark.parametrize(
    ("folds", "train", "start", "message"),
    [
        # The start of D begins with that of V, which begins with that of S.
        (1, "{clips: 8, videos: 8, seed: 101}", None, "test and the start of the arm S"),
        (1, "{root: visor, split: train, parts: 2, take: [0]}", None, "the start of the arm V"),
        # Fold 0 tests other videos than the start of V has, and fold 3 the same ones.
        (
            4,
            "{root: davis, split: train, parts: 4, take: [2]}",
            "1",
            "test and the start of the arm V",
        ),
        (4, "{root: davis, split: train, parts: 4, take: [2]}", None, None),
    ],
)
def test_no_split_has_videos_of_the_starts_that_an_arm_begins_with(
    tmp_path, folds, train, start, message
):
    text = (PLANS / "equal-terms.yaml").read_text()
    before, after = text.index("  D:\n"), text.index("\n# Noise in masks")
    text = text[:before] + LONG_CHAIN.format(folds=folds, train=train) + text[after:]
    text = text.replace("    D: {preset: actiseg-nl/mask-21}\n", "")
    if start is not None:
        old = "start: {root: visor, split: train, parts: 2, take: [0], clips: 20}"
        assert old in text
        text = text.replace(old, f"start: {{root: davis, split: train, parts: 4, take: [{start}]}}")
    file = tmp_path / "chain.yaml"
    file.write_text(text)
    if message is None:
        load_plan(file)
    else:
        assert any("D: data: " in line and message in line for line in list_messages(file))


def test_an_unknown_plan_has_a_suggestion():
    with pytest.raises(InputError, match="did you mean 'quick'"):
        load_plan("quik")
